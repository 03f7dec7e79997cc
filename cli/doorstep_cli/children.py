"""The executions that an execution started: their histories written, and their replays told."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from .output import Row, note, print_table
from .progress import Line, wanted

if TYPE_CHECKING:
    from doorstep import Execution
    from doorstep.replaying import ChildFiles, ChildReplay, Difference, Family, Replay

SHOWN = 10
"""Children and answers that differ are shown one by one, up to this number."""
_ABSENT = {
    "missing": "it got an item, and has no history here",
    "surplus": "none of the items is handed out to it",
    "not given": "there is no history of it here",
    "no definition": "what it ran is not known: --machine NAME=FILE",
    "no items": "what its children got is not compared: the items are in a bucket (--bucket DIR)",
}
_IN_ANOTHER = "a child of its own, or a handler"


def write_children(files: ChildFiles, execution: Execution, *, quiet: bool) -> None:
    """Write the histories that are left when a run has ended, and say so."""
    files.close(execution)
    if not quiet:
        note(f"written: {files.folder} ({len(files.written):,} histories)")


def replaying(family: Family | None) -> AbstractContextManager[Line | None]:
    """A line of progress while children are replayed."""
    if family is None or not wanted():
        return contextlib.nullcontext()
    given = len(family.left)
    return Line(lambda: f"{family.replayed:,} of {given:,} children replayed")


def tell_children(replayed: Replay) -> None:
    """The children that are not the same in a table, and how many there are of each verdict."""
    for file in replayed.unused:
        note(f"of no child: {file}")
    found = list(_descendants(replayed))
    if not found:
        return
    counts = Counter(child.verdict for _, child in found if child.verdict != "no items")
    notable = [(where, child) for where, child in found if child.verdict != "same"]
    if notable:
        rows = [_child_row(where, child) for where, child in notable[:SHOWN]]
        print_table(["Child", "Execution", "Result", "State", "What differs"], rows)
    if len(notable) > SHOWN:
        click.echo(f"… and {len(notable) - SHOWN} more; --format json has all")
    told = ", ".join(f"{verdict} {number:,}" for verdict, number in counts.most_common())
    click.echo(f"children: {told}")


def _descendants(replayed: Replay, around: str = "") -> Iterator[tuple[str, ChildReplay]]:
    for child in replayed.children:
        yield f"{around}{child.place}", child
        if child.replay:
            yield from _descendants(child.replay, f"{around}{child.place} > ")


def _child_row(where: str, child: ChildReplay) -> Row:
    found = child.replay.difference if child.replay else None
    told = _ABSENT.get(child.verdict) or (told_shortly(found) if found else _IN_ANOTHER)
    colour = "yellow" if child.same else "red"
    return Row([where, child.name or "", child.verdict, found.place if found else "", told], colour)


def told_shortly(found: Difference) -> str:
    """A difference in a cell of a table."""
    number = f"event {found.recorded.id}: " if found.recorded else ""
    return f"{number}{found.told}"
