"""`doorstep debug`: step forward and back through a recorded execution."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..children import Family, children_option, family_of
from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options, format_option
from ..output import Problem, console, echo, note, plain, print_json
from ..recorded import history_arguments, recording_of
from ..views.moment import step
from .replay import known_type

if TYPE_CHECKING:
    from doorstep import Moments

_FAILURE = "failure"


def _event(ctx: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text is None or text == _FAILURE or text.isdecimal():
        return text
    raise click.BadParameter(f"{text!r} is not a number or `failure`", param=parameter)


@click.command("debug", short_help="Step forward and back through a recorded execution.")
@history_arguments
@definition_option(
    "A definition or template; adds the context object and the data between fields.",
    required=False,
)
@click.option(
    "--at",
    callback=_event,
    metavar="EVENT",
    help="Print one event, by number or as `failure`, instead of stepping.",
)
@children_option
@definition_options
@format_option("json: the event of --at as an object.")
def debug(
    histories: tuple[Path, ...],
    definition_file: Path | None,
    arn: str | None,
    at: str | None,
    children: Path | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Step through a recorded execution: input, output, variables and context at every event.

    Opens at the first failure that no retry recovered from. HISTORY is as for `doorstep replay`;
    several files are pages of one history. With a definition the execution is replayed, which adds
    the context object and the data between the fields of a state. Press `?` for the keys.
    `doorstep view` shows the same in a browser, with the graph.

    \b
    Examples:
      doorstep debug failed.json
      doorstep debug failed.json --definition order.asl.json
      doorstep debug failed.json --at failure
      doorstep debug arn:aws:states:eu-west-1:123456789012:execution:order:7
      doorstep debug failed.json --at 21 --format json
    """
    from doorstep import moments

    if output_format == "json" and at is None:
        raise click.UsageError("--format json needs --at EVENT")
    if at is None and not sys.stdout.isatty():
        raise Problem(
            "stdout is not a terminal; print one event with --at EVENT, or with --at failure the "
            "first failure that no retry recovered from; `doorstep view` shows it in a browser"
        )
    recording = recording_of(histories, arn)
    if definition_file:
        definition = read_accepted(definition_file, parameters, resource, machine_type)
        of_type = known_type(definition, machine_type)
        execution = moments(recording, definition.document.definition, type=of_type)
    else:
        execution = moments(recording)
    family = family_of(histories, execution.visits, children, recording.arn)
    if at is None:
        step(execution, list(family.lines()))
    elif output_format == "json":
        print_json(execution[_index(execution, at)].as_json())
        _warn(execution)
    else:
        _print(execution, _index(execution, at), family)


def _print(execution: Moments, index: int, family: Family) -> None:
    from ..views.moment import printed

    # A terminal wraps by itself, and a script wants whole lines.
    console(highlight=False).print(printed(execution, index), end="", soft_wrap=True)
    end, visit = execution.ending, execution.of(execution.recording.events[index])
    if end and visit and visit is end.first_visit:
        for line in family.reason_lines(end):
            echo(f"  {plain(line)}")
        for text in (family.look_at(end), *family.advice()):
            if text:
                note(text)


def _warn(execution: Moments) -> None:
    if execution.difference:
        note(f"the definition differs from the history at {execution.difference}")


def _without_failure(execution: Moments) -> str:
    if execution.recording.ended:
        return f"the history has no failure: the execution is {execution.status}"
    return (
        f"the history has no failure: at its last event, {len(execution)}, the execution is still "
        "RUNNING; a later history, or all of its pages, may have one"
    )


def _index(execution: Moments, at: str) -> int:
    if at == _FAILURE:
        if execution.first_failure is None:
            raise Problem(_without_failure(execution))
        return execution.first_failure
    if not 1 <= int(at) <= len(execution):
        raise Problem(f"event {at} is not in the history, which has events 1 to {len(execution)}")
    return int(at) - 1
