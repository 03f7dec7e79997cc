"""`doorstep test-state`: one state by itself, its work mocked or done by a handler."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ..definitions import DEFINITION, read, read_accepted
from ..options import format_option, handlers_option, input_option, param_option, read_text
from ..output import echo, print_json, style
from ..runs import prints_go_to_stderr

_COLOURS = {"SUCCEEDED": "green", "CAUGHT_ERROR": "yellow", "RETRIABLE": "yellow", "FAILED": "red"}


def text_or_file(_ctx: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    """The option's own text, or with @ before it that of a file."""
    if given is None or not given.startswith("@"):
        return given
    return read_text(Path(given[1:]), "text")


@click.command("test-state", short_help="Test one state by itself.")
@click.argument("path", type=DEFINITION, metavar="DEFINITION")
@click.option("--state", metavar="NAME", help="Which state, at any depth; none: the file is one.")
@input_option("The state's input; {} by default.")
@click.option(
    "--mock-result",
    metavar="JSON|@FILE",
    callback=text_or_file,
    help="What the work of a Task, Map or Parallel gives.",
)
@click.option("--mock-error", metavar="NAME", help="With which error that work fails.")
@click.option("--mock-cause", metavar="TEXT", help="The cause of that error.")
@click.option(
    "--field-validation",
    type=click.Choice(["STRICT", "PRESENT", "NONE"]),
    help="How a mocked result is compared with the service's API (needs botocore).",
)
@handlers_option("What answers a Task without a mock, as for run.")
@click.option(
    "--level",
    type=click.Choice(["INFO", "DEBUG", "TRACE"]),
    help="DEBUG shows the data between the state's fields.",
)
@click.option(
    "--variables",
    metavar="JSON|@FILE",
    callback=text_or_file,
    help="The variables that the state finds.",
)
@click.option(
    "--context",
    metavar="JSON|@FILE",
    callback=text_or_file,
    help="The context object; with a mock only.",
)
@click.option("--retries", type=int, help="How often the retrier has been used before.")
@click.option("--failed-iterations", type=int, help="How many iterations of a Map failed.")
@click.option(
    "--reader-data",
    metavar="TEXT|@FILE",
    callback=text_or_file,
    help="What the ItemReader of a Map reads.",
)
@click.option("--role", metavar="ARN", help="The role that the context object names.")
@click.option(
    "--resource",
    metavar="LOGICAL_ID",
    help="Which state machine of a SAM or CloudFormation template.",
)
@param_option
@format_option("json: TestState's answer.")
@click.pass_context
def test_state(
    ctx: click.Context,
    /,
    path: Path,
    state: str | None,
    resource: str | None,
    parameters: Mapping[str, str],
    handlers: str | None,
    output_format: str,
    **options: Any,
) -> None:
    """Run one state and show what becomes of it, as TestState of the AWS API does.

    DEFINITION holds a state, or with --state the workflow that it stands in. A Task's work is
    mocked, or done by handlers; that of a Map or Parallel is mocked. Nothing is tried again: the
    status tells whether it would be (RETRIABLE) or which error was caught (CAUGHT_ERROR).

    Exit code: 1 FAILED, 0 any other status, 2 what AWS would refuse or what can't be used.

    \b
    Examples:
      doorstep test-state order.asl.json --state Total --input @order.json --level DEBUG
      doorstep test-state order.asl.json --state Charge --mock-result '{"Payload": {"ok": true}}'
      doorstep test-state order.asl.json --state Charge --mock-error Declined --retries 2
      doorstep test-state order.asl.json --state Charge --handlers handlers.py --format json
    """
    found = read_accepted(path, parameters, resource) if state else read(path, parameters, resource)
    request = {"definition": found.document.definition, "stateName": state, **_members(options)}
    answer = _ask(request, handlers)
    if output_format == "json":
        print_json(answer)
    else:
        echo("\n".join(_lines(answer)))
    ctx.exit(int(answer["status"] == "FAILED"))


def _members(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as members of TestState's request."""
    from doorstep.engine.identity import ROLE

    error = _given(error=options["mock_error"], cause=options["mock_cause"])
    mock = _given(result=options["mock_result"], errorOutput=error or None)
    configuration = _given(
        retrierRetryCount=options["retries"],
        mapIterationFailureCount=options["failed_iterations"],
        mapItemReaderData=options["reader_data"],
    )
    if mock:
        mock |= _given(fieldValidationMode=options["field_validation"])
    return _given(
        input=options["text"],
        inspectionLevel=options["level"],
        variables=options["variables"],
        context=options["context"],
        mock=mock or None,
        stateConfiguration=configuration or None,
        roleArn=options["role"] or (None if mock else ROLE),
    )


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _ask(request: Mapping[str, Any], handlers: str | None) -> dict[str, Any]:
    from doorstep import test_state

    # As for `run`: the modules that --handlers may name are those of the user's folder.
    sys.path.append(str(Path.cwd()))
    with prints_go_to_stderr():
        return test_state(request, handlers)


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """The answer for people: the status, then a member a line."""
    status = style(answer["status"], fg=_COLOURS[answer["status"]], bold=True)
    yield f"{status} → {answer['nextState']}" if "nextState" in answer else status
    members = {name: answer[name] for name in ("error", "cause", "output") if name in answer}
    members |= answer.get("inspectionData", {})
    width = max(map(len, members), default=0)
    for name, value in members.items():
        text = value if isinstance(value, str) else json.dumps(value)
        yield f"{name:{width}}  {text}"
