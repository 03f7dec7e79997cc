"""`doorstep test-state`: run one state by itself, with a mock or a handler."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ..definitions import DEFINITION, read, read_accepted
from ..options import (
    format_option,
    handlers_option,
    input_option,
    machine_name_option,
    param_option,
    read_text,
)
from ..output import Problem, echo, print_json, style
from ..runs import prints_go_to_stderr

_COLOURS = {"SUCCEEDED": "green", "CAUGHT_ERROR": "yellow", "RETRIABLE": "yellow", "FAILED": "red"}


def text_or_file(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """Return the option's own text, or for @FILE the text of the file."""
    if text is None or not text.startswith("@"):
        return text
    return read_text(Path(text[1:]), "text")


@click.command("test-state", short_help="Test one state by itself.")
@click.argument("path", type=DEFINITION, metavar="DEFINITION")
@click.option(
    "--state",
    metavar="NAME",
    help="Name of the state, at any depth; leave it out if the file is a state.",
)
@input_option("The state's input as JSON, from @FILE or from standard input (-); {} by default.")
@click.option(
    "--mock-result",
    metavar="JSON|@FILE",
    callback=text_or_file,
    help="The result of the Task, Map or Parallel.",
)
@click.option(
    "--mock-error", metavar="NAME", help="The error with which the Task, Map or Parallel fails."
)
@click.option("--mock-cause", metavar="TEXT", help="The cause of that error.")
@click.option(
    "--field-validation",
    type=click.Choice(["STRICT", "PRESENT", "NONE"]),
    help="How strictly to check a mocked result against the service's API (needs botocore).",
)
@handlers_option("Python functions that run a Task without a mock, as for `run`.")
@click.option(
    "--level",
    type=click.Choice(["INFO", "DEBUG", "TRACE"]),
    help="DEBUG also shows the data between the state's fields.",
)
@click.option(
    "--variables",
    metavar="JSON|@FILE",
    callback=text_or_file,
    help="The state's variables.",
)
@click.option(
    "--context",
    metavar="JSON|@FILE",
    callback=text_or_file,
    help="The context object; only with a mock.",
)
@click.option("--retries", type=int, help="How many retries the retrier has already made.")
@click.option("--failed-iterations", type=int, help="How many iterations of a Map have failed.")
@click.option(
    "--reader-data",
    metavar="TEXT|@FILE",
    callback=text_or_file,
    help="The data that the ItemReader of a Map reads.",
)
@click.option("--role", metavar="ARN", help="The role in the context object.")
@machine_name_option
@param_option
@format_option("json: TestState's response.")
@click.pass_context
def test_state(
    ctx: click.Context,
    /,
    path: Path,
    state: str | None,
    resource: str | None,
    parameters: Mapping[str, str],
    handlers: list[str] | None,
    output_format: str,
    **options: Any,
) -> None:
    """Run one state and show the result, as TestState of the AWS API does.

    DEFINITION is a state or, with --state, a workflow that contains it. A Task is mocked or run by
    a handler; a Map or Parallel is mocked. Nothing is retried: the status says whether the error
    would be retried (RETRIABLE) or was caught (CAUGHT_ERROR).

    Exit code: 0 any status but FAILED, 1 FAILED, 2 an input that AWS would refuse or that can't be
    used.

    \b
    Examples:
      doorstep test-state order.asl.json --state Total --input @order.json --level DEBUG
      doorstep test-state order.asl.json --state Charge --mock-result '{"Payload": {"ok": true}}'
      doorstep test-state order.asl.json --state Charge --mock-error Declined --retries 2
      doorstep test-state order.asl.json --state Charge --handlers handlers.py --format json
    """
    source = (
        read_accepted(path, parameters, resource) if state else read(path, parameters, resource)
    )
    if state:
        _check_state(state, source.document.definition)
    request = {"definition": source.document.definition, "stateName": state, **_members(options)}
    answer = _test(request, handlers)
    if output_format == "json":
        print_json(answer)
    else:
        echo("\n".join(_lines(answer)))
    ctx.exit(int(answer["status"] == "FAILED"))


def _check_state(name: str, definition: Mapping[str, Any]) -> None:
    """Raise Problem for a state that the definition does not have."""
    from doorstep.model import workflow
    from doorstep.values.did_you_mean import did_you_mean

    names = [state.name for state in workflow(definition).scope.walk()]
    if name not in names:
        hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
        raise Problem(f"State not found in definition: {name!r}; {hint}")


def _members(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as members of TestState's request."""
    from doorstep.engine.identity import ROLE

    error = _present(error=options["mock_error"], cause=options["mock_cause"])
    mock = _present(result=options["mock_result"], errorOutput=error or None)
    configuration = _present(
        retrierRetryCount=options["retries"],
        mapIterationFailureCount=options["failed_iterations"],
        mapItemReaderData=options["reader_data"],
    )
    if mock:
        mock |= _present(fieldValidationMode=options["field_validation"])
    return _present(
        input=options["input_json"],
        inspectionLevel=options["level"],
        variables=options["variables"],
        context=options["context"],
        mock=mock or None,
        stateConfiguration=configuration or None,
        roleArn=options["role"] or (None if mock else ROLE),
    )


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _test(request: Mapping[str, Any], handlers: list[str] | None) -> dict[str, Any]:
    from doorstep import test_state

    # As for `run`: --handlers may name modules of the user's folder.
    sys.path.append(str(Path.cwd()))
    with prints_go_to_stderr():
        return test_state(request, handlers)


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield the response as text: the status, then one member per line."""
    status = style(answer["status"], fg=_COLOURS[answer["status"]], bold=True)
    yield f"{status} → {answer['nextState']}" if "nextState" in answer else status
    members = {name: answer[name] for name in ("error", "cause", "output") if name in answer}
    members |= answer.get("inspectionData", {})
    width = max(map(len, members), default=0)
    for name, value in members.items():
        text = value if isinstance(value, str) else json.dumps(value)
        yield f"{name:{width}}  {text}"
