"""Commands for a running server: each wraps operations of the AWS API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import click

from doorstep.values.timestamps import in_utc

from ..options import format_option, input_option, input_text
from ..output import Problem, TableRow, echo, json_text, plain, print_json, print_table

_SECONDS = 30

endpoint_option = click.option(
    "--endpoint",
    "endpoint",
    envvar="DOORSTEP_ENDPOINT",
    default="http://127.0.0.1:8083",
    show_default=True,
    help="URL of the server (`doorstep serve`); by default DOORSTEP_ENDPOINT, if set.",
)


class Remote:
    """A running server."""

    def __init__(self, endpoint: str, clock: str | None = None) -> None:
        """`clock` is used for executions that are started."""
        if not endpoint.startswith(("http://", "https://")):
            raise Problem(f"--endpoint {endpoint!r} is not a URL; write http://127.0.0.1:8083")
        self.endpoint = endpoint.rstrip("/")
        self._headers = {} if clock is None else {"X-Doorstep-Clock": clock}

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation of the API and return its response. Raises Problem when refused."""
        members = {name: value for name, value in request.items() if value is not None}
        headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}", **self._headers}
        return self._send(Request(self.endpoint, json.dumps(members).encode(), headers))

    def skip(self, **what: str) -> dict[str, Any]:
        """Let time pass at once; return the time then, and what fell due."""
        return self._send(Request(f"{self.endpoint}/skip?{urlencode(what)}", b""))

    def _send(self, http_request: Request) -> dict[str, Any]:
        try:
            with urlopen(http_request, timeout=_SECONDS) as response:
                content: dict[str, Any] = json.load(response)
                return content
        except HTTPError as refused:
            with refused:
                raise Problem(_reason(refused)) from None
        except (URLError, TimeoutError, ValueError) as problem:
            reason = getattr(problem, "reason", problem)
            message = f"no server answers at {self.endpoint} ({reason})"
            raise Problem(f"{message}; start one with `doorstep serve`") from None

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of a list."""
        token = None
        while True:
            page = self.ask(operation, **request, nextToken=token)
            yield from page[member]
            token = page.get("nextToken")
            if token is None:
                return

    def execution(self, name: str) -> str:
        """Return the ARN of an execution named by its ARN or as MACHINE:NAME."""
        if name.startswith("arn:"):
            return name
        machine, colon, execution = name.partition(":")
        if not colon:
            raise Problem(f"{name!r} is not an execution's ARN or MACHINE:NAME")
        return f"{self.machine(machine).replace(':stateMachine:', ':execution:')}:{execution}"

    def machine(self, name: str) -> str:
        """Return the ARN of a state machine named by its ARN or its name."""
        if name.startswith("arn:"):
            return name
        machines = self.pages("ListStateMachines", "stateMachines")
        arns = [str(one["stateMachineArn"]) for one in machines if one["name"] == name]
        if not arns:
            raise Problem(f"state machine {name!r} not found")
        if len(arns) > 1:
            raise Problem(f"{name!r} could be any of {', '.join(arns)}; write its ARN")
        return arns[0]


def _reason(refused: HTTPError) -> str:
    try:
        content = json.load(refused)
        return f"{content['__type']}: {content['message']}"
    except (ValueError, KeyError, TypeError):
        return f"the server returned status {refused.code}; is it a Doorstep server?"


@click.command("start", short_help="Start an execution on a server.")
@click.argument("machine", metavar="MACHINE")
@input_option("The input as JSON, from @FILE or from standard input (-); {} by default.")
@click.option("--name", help="The execution's name; a UUID by default.")
@click.option(
    "--clock",
    metavar="real|virtual|SPEED",
    help="How time passes for it; by default as for its state machine or the server.",
)
@endpoint_option
def start(
    machine: str, input_json: str, name: str | None, clock: str | None, endpoint: str
) -> None:
    """Start an execution and print its ARN.

    MACHINE is a state machine's name or ARN, or the ARN of a version or alias. MACHINE#TESTCASE
    takes its answers from that test case of the server's `--mocks`.

    \b
    Examples:
      doorstep start order --input @order.json --name order-17
      doorstep logs -f $(doorstep start order --clock virtual)
    """
    remote = Remote(endpoint, clock)
    name_or_arn, *test_case = machine.partition("#")
    arn = "".join((remote.machine(name_or_arn), *test_case))
    started = remote.ask("StartExecution", stateMachineArn=arn, input=input_json, name=name)
    echo(started["executionArn"])


_COLUMNS = ("Machine", "Name", "Status", "Started", "Seconds")
_COLOURS = {"FAILED": "red", "TIMED_OUT": "red", "ABORTED": "yellow", "SUCCEEDED": "green"}


@click.command("ps", short_help="List executions on a server.")
@click.argument("machine", required=False)
@click.option(
    "--status",
    type=click.Choice(["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]),
    help="Only executions with this status.",
)
@click.option(
    "--last",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many executions of each state machine, newest first.",
)
@format_option("json: an array with an object for each execution.", "table", "json")
@endpoint_option
def ps(
    machine: str | None, status: str | None, last: int, output_format: str, endpoint: str
) -> None:
    """List the executions of all state machines on a server, or of MACHINE alone.

    \b
    Examples:
      doorstep ps --status RUNNING
      doorstep ps order --last 100 --format json | jq -r '.[].executionArn'
    """
    executions = list(_executions(Remote(endpoint), machine, status, last))
    if output_format == "json":
        print_json(executions)
    else:
        print_table(_COLUMNS, [_execution_row(one) for one in executions])


def _executions(
    remote: Remote, machine: str | None, status: str | None, last: int
) -> Iterator[dict[str, Any]]:
    machines = remote.pages("ListStateMachines", "stateMachines")
    selected = [one for one in machines if machine in (None, one["name"], one["stateMachineArn"])]
    if machine is not None and not selected:
        raise Problem(f"state machine {machine!r} not found")
    for one in selected:
        if one["type"] == "STANDARD":
            listed = remote.pages(
                "ListExecutions",
                "executions",
                stateMachineArn=one["stateMachineArn"],
                statusFilter=status,
                maxResults=min(last, 1000),
            )
            yield from islice(listed, last)


def _execution_row(execution: dict[str, Any]) -> TableRow:
    began = float(execution["startDate"])
    ended = execution.get("stopDate")
    cells = (
        execution["stateMachineArn"].rpartition(":")[2],
        execution["name"],
        execution["status"],
        in_utc(began).isoformat(timespec="seconds"),
        "" if ended is None else f"{ended - began:.1f}",
    )
    return TableRow(cells, _COLOURS.get(execution["status"]))


_PAUSE = 0.3
"""Seconds between two requests for the events of a running execution."""

_PAGE = 1000
_LOGGED = ("name", "resource", "error", "cause")


@click.command("logs", short_help="Show the events of an execution on a server.")
@click.argument("execution", metavar="EXECUTION")
@click.option("--follow", "-f", is_flag=True, help="Wait for more events until the execution ends.")
@format_option("json: one event of GetExecutionHistory per line.")
@endpoint_option
def logs(execution: str, follow: bool, output_format: str, endpoint: str) -> None:
    """Show the events of an execution, one per line.

    EXECUTION is an ARN, or MACHINE:NAME.

    \b
    Examples:
      doorstep logs -f order:order-17
      doorstep logs order:order-17 --format json | jq 'select(.type == "TaskFailed")'
    """
    remote = Remote(endpoint)
    arn = remote.execution(execution)
    as_text = _event_line if output_format == "text" else json_text
    for event in _events_of(remote, arn, follow=follow):
        echo(as_text(event))


def _events_of(remote: Remote, arn: str, *, follow: bool) -> Iterator[dict[str, Any]]:
    seen = 0
    while True:
        # The status is read before the history, so that events in between are not missed.
        running = remote.ask("DescribeExecution", executionArn=arn)["status"] == "RUNNING"
        pages = remote.pages("GetExecutionHistory", "events", executionArn=arn, maxResults=_PAGE)
        for event in pages:
            if event["id"] > seen:
                seen = event["id"]
                yield event
        if not (follow and running):
            return
        time.sleep(_PAUSE)


def _event_line(event: dict[str, Any]) -> str:
    moment = in_utc(event["timestamp"]).isoformat(timespec="milliseconds")
    details: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    values = [plain(str(details[name])) for name in _LOGGED if name in details]
    return "  ".join([moment, f"{event['id']:>5}", event["type"], *values])


@click.command("stop", short_help="Stop an execution on a server.")
@click.argument("execution", metavar="EXECUTION")
@click.option("--error", help="An error name for the history.")
@click.option("--cause", help="A reason for the history.")
@endpoint_option
def stop(execution: str, error: str | None, cause: str | None, endpoint: str) -> None:
    """Stop an execution; its status becomes ABORTED.

    EXECUTION is an ARN, or MACHINE:NAME.

    \b
    Examples:
      doorstep stop order:order-17 --cause 'ordered twice'
    """
    remote = Remote(endpoint)
    remote.ask("StopExecution", executionArn=remote.execution(execution), error=error, cause=cause)


@click.command("redrive", short_help="Redrive a failed execution on a server.")
@click.argument("execution", metavar="EXECUTION")
@endpoint_option
def redrive(execution: str, endpoint: str) -> None:
    """Continue an execution that failed, timed out or was stopped, from where it ended.

    States that succeeded do not run again. EXECUTION is an ARN, or MACHINE:NAME.

    \b
    Examples:
      doorstep redrive order:order-17
    """
    remote = Remote(endpoint)
    remote.ask("RedriveExecution", executionArn=remote.execution(execution))


@click.group("callback", short_help="Answer a task that waits for a task token.")
def callback() -> None:
    """Answer a task that waits for its task token.

    The commands are SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat of the AWS API.

    \b
    Examples:
      doorstep callback success AQC… --output '{"approved": true}'
      doorstep callback failure AQC… --error Rejected --cause 'too expensive'
      doorstep callback heartbeat AQC…
    """


@callback.command("success")
@click.argument("token")
@click.option(
    "--output",
    metavar="JSON|@FILE|-",
    callback=input_text,
    help="The task's result as JSON, from @FILE or from standard input (-); {} by default.",
)
@endpoint_option
def success(token: str, output: str, endpoint: str) -> None:
    """Report that the task with this token succeeded."""
    Remote(endpoint).ask("SendTaskSuccess", taskToken=token, output=output)


@callback.command("failure")
@click.argument("token")
@click.option("--error", help="The error name, which Retry and Catch match.")
@click.option("--cause", help="A description of the error.")
@endpoint_option
def failure(token: str, error: str | None, cause: str | None, endpoint: str) -> None:
    """Report that the task with this token failed."""
    Remote(endpoint).ask("SendTaskFailure", taskToken=token, error=error, cause=cause)


@callback.command("heartbeat")
@click.argument("token")
@endpoint_option
def heartbeat(token: str, endpoint: str) -> None:
    """Report that the task with this token is still being worked on."""
    Remote(endpoint).ask("SendTaskHeartbeat", taskToken=token)


@click.command("skip", short_help="Let time pass on a server with a virtual clock.")
@click.argument("length", metavar="[TIME]", required=False)
@click.option(
    "--execution",
    metavar="EXECUTION",
    help="Skip to the next timer of this execution instead: an ARN, or MACHINE:NAME.",
)
@endpoint_option
def skip(length: str | None, execution: str | None, endpoint: str) -> None:
    """Let TIME pass at once on a server with `--clock virtual`, and print which schedules fired.

    Rules of EventBridge and schedules of its Scheduler that fall due in that time start their
    targets in order, each at its time. TIME is a text such as 90m or "1d 12h".

    With --execution the time of that execution jumps to its next timer, also over a time limit that
    a worker or callback could still meet, where the virtual clock waits. Its clock is virtual, or a
    speed such as 60.

    \b
    Examples:
      doorstep skip 24h
      doorstep skip "7d 1h" --endpoint http://127.0.0.1:9000
      doorstep skip --execution order:order-17
    """
    if (length is None) == (execution is None):
        raise click.UsageError("name either TIME or --execution")
    remote = Remote(endpoint)
    if execution:
        answer = remote.skip(execution=remote.execution(execution))
    else:
        answer = remote.skip(by=str(length))
    for one in answer["fired"]:
        echo(f"{_moment(one['at'])}  {one['name']}")
    echo(f"It is {_moment(answer['now'])} now.", err=True)


def _moment(at: float) -> str:
    return in_utc(at).strftime("%Y-%m-%d %H:%M:%SZ")
