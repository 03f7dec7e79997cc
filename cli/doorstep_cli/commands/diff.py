"""`doorstep diff`: compare two histories, aligned by state and iteration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..definitions import DefinitionFile, Type, definition_option, read_accepted
from ..options import definition_options, format_option
from ..output import TableRow, note, print_json, print_table
from ..recorded import HISTORY, endpoint_option, recording_of

if TYPE_CHECKING:
    from doorstep.history import Visits
    from doorstep.history.diff import Aligned

_SHOWN = 60
"""Characters of a value to show in the table; --format json has all."""


@click.command("diff", short_help="Compare two histories, state by state.")
@endpoint_option
@click.argument("first", type=HISTORY, metavar="A")
@click.argument("second", type=HISTORY, metavar="B")
@definition_option(
    "The definition of both; after a redrive only it says which iteration an event belongs to.",
    required=False,
)
@click.option("--all", "everything", is_flag=True, help="Also show visits that are the same.")
@format_option("json: an array with an object for each visit.", "table", "json")
@definition_options
@click.pass_context
def diff(
    ctx: click.Context,
    /,
    first: Path,
    second: Path,
    definition_file: Path | None,
    everything: bool,
    output_format: str,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Show how two executions differ, state visit by state visit.

    Visits are aligned by state, iteration and number, so an extra state in one of the executions
    does not shift the rest. Times and ids are not compared. A and B are histories as for
    `doorstep replay`.

    Exit code: 0 the same, 1 different, 2 a file is not a history.

    \b
    Examples:
      doorstep diff yesterday.json today.json
      doorstep diff aws.json local.json --all --format json
      doorstep diff failed.json redriven.json --definition order.asl.json
    """
    from doorstep.history.diff import diff

    definition = (
        read_accepted(definition_file, parameters, resource, machine_type)
        if definition_file
        else None
    )
    aligned = diff(*(_visits(file, definition) for file in (first, second)))
    selected = [one for one in aligned if everything or not one.same]
    differing = sum(not one.same for one in aligned)
    if output_format == "json":
        print_json([_as_json(one) for one in selected])
    else:
        if rows := [row for one in selected for row in _rows(one)]:
            print_table(["Step", "What", "A", "B"], rows)
        note(f"{len(aligned) - differing} of {len(aligned)} visits are the same")
    ctx.exit(int(differing > 0))


def _visits(file: Path, definition: DefinitionFile | None) -> Visits:
    from doorstep import moments

    recording = recording_of([file])
    if definition is None:
        return moments(recording).visits
    return moments(recording, definition.document.definition, type=definition.type).visits


def _rows(one: Aligned) -> list[TableRow]:
    if one.same:
        return [TableRow([one.place, "same", "", ""], "green")]
    return [
        TableRow([one.place if first else "", at, _text(a), _text(b)])
        for first, (at, a, b) in ((n == 0, values) for n, values in enumerate(one.differing))
    ]


def _text(value: Any) -> str:
    from doorstep.values.json_values import ABSENT, dumps

    text = "-" if value is ABSENT else dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _as_json(one: Aligned) -> dict[str, Any]:
    from doorstep.values.json_values import ABSENT

    differing = []
    for at, a, b in one.differing:
        sides = {name: value for name, value in (("a", a), ("b", b)) if value is not ABSENT}
        differing.append({"at": at, **sides})
    return {"step": one.place, "same": one.same, "differing": differing, "a": one.a, "b": one.b}
