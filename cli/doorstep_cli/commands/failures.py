"""`doorstep failures`: what ended an execution, and what else failed in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from doorstep.engine.messages import TERMINAL
from doorstep.history import Visits, ending
from doorstep.history import failures as failures_in
from doorstep.history.failures import COLUMNS

from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options, format_option
from ..output import TableRow, echo, note, plain, print_json, print_table
from ..recorded import history_arguments, read_history, recording_of
from ..views.ended import cause_lines
from .replay import known_type

if TYPE_CHECKING:
    from doorstep.history import Ending, StateFailures
    from doorstep.replayer.child_histories import ChildHistory

_COLOURS = {"failed": "red", "caught": "yellow", "aborted": "yellow", "succeeded": "green"}


@click.command("failures", short_help="Show what ended an execution, and what else failed.")
@history_arguments
@definition_option(
    "The definition; after a redrive only it says which iteration an event belongs to.",
    required=False,
)
@click.option(
    "--all", "every", is_flag=True, help="A row for each visit; also those that were only aborted."
)
@click.option(
    "--children",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR",
    help="Histories of the children of distributed Maps and of started executions, as `doorstep "
    "run --children` writes them: what failed in them, children that failed alike in one row.",
)
@definition_options
@format_option("json: an object with the end and an array of rows.", "table", "json")
@click.pass_context
def failures(
    ctx: click.Context,
    /,
    histories: tuple[Path, ...],
    definition_file: Path | None,
    arn: str | None,
    every: bool,
    children: Path | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Show what failed in an execution, one row for each state: first what ended it.

    Then what failed as well: it was caught, succeeded when it was retried, or was aborted before
    its retry. Iterations in which a state failed alike share a row. Event is the failure's
    number, for `doorstep debug HISTORY --at EVENT`; `doorstep view HISTORY` shows all in a browser.
    HISTORY is as for `doorstep replay`.

    Exit code: 0 the execution has not failed, 1 it failed, timed out or was aborted, 2 a file is
    not a history.

    \b
    Examples:
      doorstep failures failed.json
      doorstep failures failed.json --all
      doorstep failures batch.json --children children/
      doorstep failures redriven.json --definition order.asl.json
      aws stepfunctions get-execution-history --execution-arn ARN | doorstep failures -
      doorstep failures failed.json --format json | jq '.failures[0]'
      doorstep failures arn:aws:states:eu-west-1:123456789012:execution:order:7
    """
    from doorstep import moments
    from doorstep.replayer.child_histories import read_children

    if definition_file:
        definition = read_accepted(definition_file, parameters, resource, machine_type)
        of_type = known_type(definition, machine_type)
        recording = recording_of(histories, arn)
        visits = moments(recording, definition.document.definition, type=of_type).visits
    else:
        visits = Visits(read_history(histories, arn))
    end, rows = ending(visits), failures_in(visits, every=every)
    status = TERMINAL.get(next(reversed(visits.entries.values())).type, "RUNNING")
    within = [_Child.of(one, every) for one in read_children(children)] if children else []
    if output_format == "json":
        listed = [{"name": one.name, **_as_json(*one.found)} for one in within if one.failed]
        print_json(_as_json(status, end, rows) | ({"children": listed} if children else {}))
    else:
        _print(status, end, rows)
        _print_children(within)
        if end and str(histories[0]) != "-":
            note(f"in a browser: doorstep view {shlex.join(map(str, histories))}")
    ctx.exit(int(end is not None))


class _Child(NamedTuple):
    """A child execution and what failed in it."""

    name: str
    found: tuple[str, Ending | None, list[StateFailures]]

    @classmethod
    def of(cls, child: ChildHistory, every: bool) -> _Child:
        visits = Visits(child.recording.events)
        status = TERMINAL.get(child.recording.events[-1].type, "RUNNING")
        return cls(child.name, (status, ending(visits), failures_in(visits, every=every)))

    @property
    def failed(self) -> bool:
        _, end, rows = self.found
        return end is not None or bool(rows)


def _print_children(children: list[_Child]) -> None:
    """Print what failed in children, those that failed alike in one row."""
    if not children:
        return
    ended = sum(one.found[1] is not None for one in children)
    echo(f"children: {ended} of {len(children)} have failed")
    groups: dict[tuple[Any, ...], list[tuple[str, StateFailures]]] = {}
    for child in children:
        for row in child.found[2]:
            alike = (not row.ended, row.state, row.outcome, *row.errors)
            groups.setdefault(alike, []).append((child.name, row))
    lines = []
    for (_, state, outcome, *_), rows in sorted(groups.items()):
        (name, first), more = rows[0], " …" if len(rows) > 1 else ""
        _, _, attempts, *rest = first.cells()
        cells = (state, f"{len(rows)} of {len(children)}: {name}{more}", attempts, *rest)
        lines.append(TableRow(cells, _COLOURS.get(outcome)))
    if lines:
        print_table(("State", "Children", *COLUMNS[2:]), lines)


def _as_json(status: str, end: Ending | None, rows: list[StateFailures]) -> dict[str, Any]:
    how = {"error": end.error, "cause": end.cause, "place": end.place or None} if end else {}
    return {"status": status, **how, "failures": [row.as_json() for row in rows]}


def _print(status: str, end: Ending | None, rows: list[StateFailures]) -> None:
    if end:
        where = f" in {end.place}" if end.place else ""
        echo(plain(f"{status}{where}: {end.error or 'no error name'}"), fg="red", bold=True)
        for line in cause_lines(end.cause or ""):
            echo(f"  {plain(line)}")
        if end.origin:
            error = end.origin.details.get("error", "no error name")
            echo(plain(f"  caught before, at event {end.origin.id}: {error}"))
    if rows:
        lines = [TableRow(row.cells(), _COLOURS.get(row.outcome)) for row in rows]
        print_table(COLUMNS, lines)
    elif end is None:
        note(f"nothing failed: the execution is {status}")
