"""`doorstep history`: the events of an execution, as the console shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from doorstep.engine.messages import TERMINAL
from doorstep.errors import shortened
from doorstep.history.recorded import Entry
from doorstep.history.state_visits import Visits
from doorstep.values.did_you_mean import did_you_mean

from ..options import format_option
from ..output import TableRow, note, print_json, print_table
from ..recorded import history_arguments, read_history
from ..views.events import elapsed, event_colour, timestamp

_COLUMNS = (
    "ID", "Type", "Step", "Iteration", "Resource", "Error", "Started after", "Timestamp"
)  # fmt: skip
_OPTIONAL = ("Iteration", "Error")
"""Columns that are left out where no event has a value."""
_DETAILS = ("input", "parameters", "output", "assignedVariables", "error", "cause")
_SHOWN = 200
"""Characters of an input, output or cause to show with --details."""


def _iteration(_ctx: click.Context, parameter: click.Parameter, text: str | None) -> list[str]:
    """Return the numbers in 7.2 or [7][2]."""
    if text is None:
        return []
    numbers = re.split(r"[.,]|\]\[", text.strip("[]"))
    if not all(number.isdecimal() for number in numbers):
        raise click.BadParameter(f"{text!r} is not a number, or several: 7.2", param=parameter)
    return numbers


@click.command("history", short_help="Show the events of an execution as a table.")
@history_arguments
@click.option(
    "--type", "types", multiple=True, help="Only events whose type contains this text; repeatable."
)
@click.option("--state", "states", multiple=True, help="Only events of this state; repeatable.")
@click.option(
    "--iteration",
    callback=_iteration,
    metavar="N[.N…]",
    help="Only events in this iteration of a Map; 7.2: in iteration 2 of a Map in iteration 7.",
)
@click.option("--failed", is_flag=True, help="Only failures and timeouts.")
@click.option("--details", is_flag=True, help="Also show input, output, error and cause.")
@format_option("json: an array with an object for each row.", "table", "json")
def history(
    histories: tuple[Path, ...],
    arn: str | None,
    types: tuple[str, ...],
    states: tuple[str, ...],
    iteration: list[str],
    failed: bool,
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
      doorstep history history.json --failed
      doorstep history history.json --iteration 7.2
      aws stepfunctions get-execution-history --execution-arn ARN | doorstep history -
    """
    events = read_history(histories, arn)
    visits = Visits(events)
    begun = events[0].at
    _check_states(states, visits, events)
    located = [(event, _step(event, visits), _iterations(event, visits)) for event in events]
    selected = [
        (event, step, iterations)
        for event, step, iterations in located
        if _wanted(event, types)
        and (not states or step in states)
        and iterations[: len(iteration)] == iteration
        and (not failed or event.failed or event.type == "FailStateEntered")
    ]
    if output_format == "json":
        print_json([_as_json(*one, begun) for one in selected])
        return
    _print([_row(*one, begun, details) for one in selected])
    if len(selected) < len(events):
        note(f"{len(selected)} of {len(events)} events")
    if events[-1].type not in TERMINAL:
        note("the execution was still running, or pages of its history are missing")


def _print(rows: Sequence[TableRow]) -> None:
    columns = [
        index
        for index, title in enumerate(_COLUMNS)
        if title not in _OPTIONAL or any(row.cells[index] for row in rows)
    ]
    cut = [replace(row, cells=[row.cells[index] for index in columns]) for row in rows]
    print_table([_COLUMNS[index] for index in columns], cut)


def _check_states(states: Sequence[str], visits: Visits, events: Sequence[Entry]) -> None:
    """Warn of states that the history never enters."""
    entered = {visit.name for visit in visits.all}
    for name in states:
        if name not in entered:
            hint = (
                did_you_mean(name, entered) or f"it enters {', '.join(sorted(entered)) or 'none'}"
            )
            note(f"the history does not enter the state {name!r}; {hint}")


def _iterations(event: Entry, visits: Visits) -> list[str]:
    """Return the numbers of the iterations that an event stands in; `?` where it is not known."""
    visit = visits.of[event.id]
    if visit is None:
        return []
    levels = visit.levels if event.id >= visit.unsure_from else visit.path
    iterations = [str(index) for _, index in levels if index is not None]
    own = event.type.startswith("MapIteration") and "index" in event.details
    return [*iterations, str(event.details["index"])] if own else iterations


def _wanted(event: Entry, types: tuple[str, ...]) -> bool:
    return not types or any(text.lower() in event.type.lower() for text in types)


def _step(event: Entry, visits: Visits) -> str:
    visit = visits.of[event.id]
    return visit.name if visit else event.name or ""


def resource(event: Entry) -> str:
    """Return what a task called: `lambda:invoke`, or the name of a function or activity."""
    called = event.details.get("resource")
    if not isinstance(called, str):
        return ""
    kind = event.details.get("resourceType")
    return f"{kind}:{called}" if kind else called.rpartition(":")[2]


def _as_json(event: Entry, step: str, iterations: list[str], begun: float) -> dict[str, object]:
    return {
        "id": event.id,
        "previousEventId": event.previous,
        "type": event.type,
        "step": step or None,
        "iterations": [int(one) if one.isdecimal() else None for one in iterations],
        "resource": resource(event) or None,
        "error": event.details.get("error"),
        "startedAfterSeconds": round(event.at - begun, 3),
        "timestamp": timestamp(event.at),
        "details": event.details,
    }


def _row(event: Entry, step: str, iterations: list[str], begun: float, details: bool) -> TableRow:
    iteration = "".join(f"[{one}]" for one in iterations)
    error = str(event.details.get("error") or "")
    cells = (str(event.id), event.type, step, iteration, resource(event), error)
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
