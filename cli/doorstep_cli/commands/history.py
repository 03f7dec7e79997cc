"""`doorstep history`: the events of an execution, as the console shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from doorstep.engine.messages import TERMINAL
from doorstep.errors import shortened
from doorstep.history.recorded import Entry
from doorstep.history.state_visits import Visits

from ..options import format_option
from ..output import TableRow, note, print_json, print_table
from ..recorded import history_arguments, read_history
from ..views.events import elapsed, event_colour, timestamp

_COLUMNS = ("ID", "Type", "Step", "Resource", "Started after", "Timestamp")
_DETAILS = ("input", "parameters", "output", "assignedVariables", "error", "cause")
_SHOWN = 200
"""Characters of an input, output or cause to show with --details."""


@click.command("history", short_help="Show the events of an execution as a table.")
@history_arguments
@click.option(
    "--type", "types", multiple=True, help="Only events whose type contains this text; repeatable."
)
@click.option("--state", "states", multiple=True, help="Only events of this state; repeatable.")
@click.option("--details", is_flag=True, help="Also show input, output, error and cause.")
@format_option("json: an array with an object for each row.", "table", "json")
def history(
    histories: tuple[Path, ...],
    arn: str | None,
    types: tuple[str, ...],
    states: tuple[str, ...],
    details: bool,
    output_format: str,
) -> None:
    """Show the events of an execution as a table, like the Step Functions console.

    HISTORY is as for `doorstep replay`, or `-` for standard input. Not all pages are needed.

    \b
    Examples:
      doorstep history history.json
      doorstep history history.json --type Failed --details
      doorstep history history.json --state Charge --format json
      aws stepfunctions get-execution-history --execution-arn ARN | doorstep history -
    """
    events = read_history(histories, arn)
    visits = Visits(events)
    begun = events[0].at
    selected = [
        (event, _step(event, visits))
        for event in events
        if _wanted(event, types) and (not states or _step(event, visits) in states)
    ]
    if output_format == "json":
        print_json([_as_json(event, step, begun) for event, step in selected])
        return
    print_table(_COLUMNS, [_row(*one, begun, details) for one in selected])
    if len(selected) < len(events):
        note(f"{len(selected)} of {len(events)} events")
    if events[-1].type not in TERMINAL:
        note("the execution was still running, or pages of its history are missing")


def _wanted(event: Entry, types: tuple[str, ...]) -> bool:
    return not types or any(text.lower() in event.type.lower() for text in types)


def _step(event: Entry, visits: Visits) -> str:
    visit = visits.of[event.id]
    return visit.name if visit else ""


def resource(event: Entry) -> str:
    """Return what a task called: `lambda:invoke`, or the name of a function or activity."""
    called = event.details.get("resource")
    if not isinstance(called, str):
        return ""
    kind = event.details.get("resourceType")
    return f"{kind}:{called}" if kind else called.rpartition(":")[2]


def _as_json(event: Entry, step: str, begun: float) -> dict[str, object]:
    return {
        "id": event.id,
        "previousEventId": event.previous,
        "type": event.type,
        "step": step or None,
        "resource": resource(event) or None,
        "startedAfterSeconds": round(event.at - begun, 3),
        "timestamp": timestamp(event.at),
        "details": event.details,
    }


def _row(event: Entry, step: str, begun: float, details: bool) -> TableRow:
    cells = (str(event.id), event.type, step, resource(event))
    return TableRow(
        (*cells, elapsed(event.at - begun), timestamp(event.at)),
        event_colour(event.type),
        [f"{name}: {_shortened(value)}" for name, value in _shown_details(event)]
        if details
        else (),
    )


def _shown_details(event: Entry) -> Iterator[tuple[str, object]]:
    return ((name, event.details[name]) for name in _DETAILS if name in event.details)


def _shortened(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(" ".join(text.split()), _SHOWN)
