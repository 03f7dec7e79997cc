"""`doorstep debug`: step forward and back through a recorded execution."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options, format_option
from ..output import Problem, console, note, print_json
from ..recorded import history_arguments, recording_of
from ..views.moment import step
from .replay import type_told

if TYPE_CHECKING:
    from doorstep import Moments

_FAILURE = "failure"


def _event(ctx: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    if given is None or given == _FAILURE or given.isdecimal():
        return given
    raise click.BadParameter(f"{given!r} is neither a number nor `failure`", param=parameter)


@click.command("debug", short_help="Step forward and back through a recorded execution.")
@history_arguments
@definition_option(
    "A definition or a template: shows the context object and the data between fields.",
    required=False,
)
@click.option(
    "--at",
    callback=_event,
    metavar="EVENT",
    help="Print this event, a number or `failure`, in place of stepping.",
)
@definition_options
@format_option("json: the event of --at as one object.")
def debug(
    histories: tuple[Path, ...],
    definition_file: Path | None,
    arn: str | None,
    at: str | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Step through a recorded execution: input, output, variables and context at every event.

    It opens at the first failure that no retry made good. HISTORY is what `doorstep replay` takes;
    several files are the pages of one history. With a definition the execution is replayed, which
    shows the context object and the data between the fields of a state. `?` shows the keys.

    \b
    Examples:
      doorstep debug failed.json
      doorstep debug failed.json --definition order.asl.json
      doorstep debug failed.json --at failure
      doorstep debug failed.json --at 21 --format json
    """
    from doorstep import moments

    if output_format == "json" and at is None:
        raise click.UsageError("--format json goes with --at EVENT")
    if at is None and not sys.stdout.isatty():
        raise Problem(
            "stdout is no terminal to step in: --at EVENT prints one event, --at failure the first "
            "failure that no retry made good"
        )
    recording = recording_of(histories, arn)
    if definition_file:
        definition = read_accepted(definition_file, parameters, resource, machine_type)
        of_type = type_told(definition, machine_type)
        found = moments(recording, definition.document.definition, type=of_type)
    else:
        found = moments(recording)
    if at is None:
        step(found)
    elif output_format == "json":
        print_json(found[_index(found, at)].as_json())
        _warn(found)
    else:
        _print(found, _index(found, at))


def _print(found: Moments, index: int) -> None:
    from ..views.moment import printed

    # A terminal wraps by itself, and a script wants whole lines.
    console(highlight=False).print(printed(found, index), end="", soft_wrap=True)


def _warn(found: Moments) -> None:
    if found.difference:
        note(f"the definition parts from the history at {found.difference}")


def _without_failure(found: Moments) -> str:
    if found.recording.ended:
        return f"the history has no failure: the execution is {found.status}"
    return (
        f"the history has no failure: it ends at event {len(found)}, where the execution was still "
        "RUNNING; a later one, or all of its pages, may have"
    )


def _index(found: Moments, at: str) -> int:
    if at == _FAILURE:
        if found.first_failure is None:
            raise Problem(_without_failure(found))
        return found.first_failure
    if not 1 <= int(at) <= len(found):
        raise Problem(f"the history has the events 1 to {len(found)}, not {at}")
    return int(at) - 1
