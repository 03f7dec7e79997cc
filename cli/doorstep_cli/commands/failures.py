"""`doorstep failures`: what ended an execution, and what else failed in it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from doorstep.engine.messages import TERMINAL
from doorstep.history import Visits, ending
from doorstep.history import failures as failures_in
from doorstep.history.causes import cause_lines, execution_arn
from doorstep.history.failures import COLUMNS
from doorstep.values.json_values import value_of

from ..children import COLOURS, Family, children_option, failures_json, family_of
from ..definitions import Type, definition_option, read_accepted
from ..folders import print_failures
from ..options import definition_options, format_option
from ..output import TableRow, echo, note, plain, print_json, print_table
from ..recorded import HistoryPath, arguments_of, read_history, recording_of
from .replay import known_type

if TYPE_CHECKING:
    from doorstep.history import Ending, StateFailures


@click.command("failures", short_help="Show what ended an execution, and what else failed.")
@arguments_of(HistoryPath(folder=True))
@definition_option(
    "The definition; after a redrive only it says which iteration an event belongs to.",
    required=False,
)
@click.option(
    "--all", "every", is_flag=True, help="A row for each visit; also those that were only aborted."
)
@children_option
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
    Children of distributed Maps and started executions follow, and why they failed is said first.
    HISTORY is as for `doorstep replay`; of a folder, executions that failed alike share a row.

    Exit code: 0 the execution has not failed, 1 it failed, timed out or was aborted, 2 a file is
    not a history.

    \b
    Examples:
      doorstep failures failed.json
      doorstep failures failed.json --all
      doorstep failures batch.json --children children/
      doorstep failures yesterday/
      doorstep failures redriven.json --definition order.asl.json
      aws stepfunctions get-execution-history --execution-arn ARN | doorstep failures -
      doorstep failures failed.json --format json | jq '.failures[0]'
      doorstep failures arn:aws:states:eu-west-1:123456789012:execution:order:7
    """
    from doorstep import moments

    if histories[0].is_dir():
        own = ctx.get_parameter_source("definition_file") is ParameterSource.COMMANDLINE
        if len(histories) > 1 or own or arn or every or children:
            raise click.UsageError("a folder of histories only works with --format")
        ctx.exit(print_failures(histories[0], output_format))
    if definition_file:
        definition = read_accepted(definition_file, parameters, resource, machine_type)
        of_type = known_type(definition, machine_type)
        recording = recording_of(histories, arn)
        visits = moments(recording, definition.document.definition, type=of_type).visits
    else:
        visits = Visits(read_history(histories, arn))
    end, rows = ending(visits), failures_in(visits, every=every)
    status = TERMINAL.get(next(reversed(visits.entries.values())).type, "RUNNING")
    family = family_of(histories, visits, children, arn, every=every)
    if output_format == "json":
        known = children or family.groups
        print_json(failures_json(status, end, rows) | (family.as_json(end) if known else {}))
    else:
        _print(status, end, rows, family)
        family.write()
        for text in (*family.advice(), *_next(histories, end, family)):
            note(text)
    ctx.exit(int(end is not None))


def _next(histories: tuple[Path, ...], end: Ending | None, family: Family) -> Iterator[str]:
    """Yield what shows more."""
    if end and (command := family.look_at(end)):
        yield f"one of these children: {command}"
    if end and str(histories[0]) != "-":
        yield f"in a browser: doorstep view {shlex.join(map(str, histories))}"


def _print(status: str, end: Ending | None, rows: list[StateFailures], family: Family) -> None:
    if end:
        where = f" in {end.place}" if end.place else ""
        echo(plain(f"{status}{where}: {end.error or 'no error name'}"), fg="red", bold=True)
        why = list(family.reason_lines(end))
        quotes_child = execution_arn(value_of(end.cause)) is not None
        for line in () if why and quotes_child else cause_lines(end.cause or ""):
            echo(f"  {plain(line)}")
        if end.origin:
            error = end.origin.details.get("error", "no error name")
            echo(plain(f"  caught before, at event {end.origin.id}: {error}"))
        for line in why:
            echo(f"  {plain(line)}")
    if rows:
        lines = [TableRow(row.cells(), COLOURS.get(row.outcome)) for row in rows]
        print_table(COLUMNS, lines)
    elif end is None:
        note(f"nothing failed: the execution is {status}")
