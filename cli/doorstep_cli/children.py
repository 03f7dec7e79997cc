"""What failed in the children of a recorded execution, for the commands that show it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorstep.engine import ACCOUNT
from doorstep.errors import InputError
from doorstep.history import Entry, by_execution
from doorstep.history.causes import cause_lines
from doorstep.history.child_failures import (
    COLUMNS,
    ChildEvents,
    ChildFailures,
    ChildGroup,
    Lookup,
    Started,
    child_failures,
    groups_of,
    reasons,
    walk,
)
from doorstep.history.failures import table_lines
from doorstep.values.timestamps import epoch_seconds

from .definitions import fetched_with
from .output import TableRow, echo, note, plain, print_table
from .recorded import read_events

if TYPE_CHECKING:
    from doorstep.history import Ending, StateFailures, Visits

COLOURS = {"failed": "red", "caught": "yellow", "aborted": "yellow", "succeeded": "green"}
"""Of rows, by how the state's visits ended."""
_REASONS = 3
"""Reasons that stand above the table, which has all."""

children_option = click.option(
    "--children",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR",
    help="Histories of the children of distributed Maps and of started executions, as `doorstep "
    "run --children` writes them, or a journal. Default: the folder `children` beside HISTORY.",
)


@dataclass(frozen=True, slots=True)
class Family:
    """The children of an execution, as far as they are known."""

    groups: Sequence[ChildGroup] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """What is known of an execution that was fetched, see `execution_files`."""

    @property
    def _endpoint(self) -> tuple[str, ...]:
        url = self.about.get("endpoint")
        return ("--endpoint-url", url) if url else ()

    def reason_lines(self, end: Ending) -> Iterator[str]:
        """Yield why the children failed whose failure ended the execution."""
        found = reasons(end, self.groups)
        for number, reason in enumerate(found[:_REASONS]):
            yield reason.text
            if not number:
                yield from (f"  {line}" for line in cause_lines(reason.ending.cause or ""))
        if len(found) > _REASONS:
            yield f"and {len(found) - _REASONS:,} other reasons"

    def write(self) -> None:
        """Print what failed in children, those that failed alike in one row."""
        for line in self._heads():
            echo(plain(line))
        rows = child_failures(self.groups)
        if rows:
            cells = zip(self._cells(rows), rows, strict=True)
            print_table(COLUMNS, [TableRow(one, COLOURS.get(row.outcome)) for one, row in cells])

    def lines(self) -> Iterator[str]:
        """Yield what `write` prints, without colours."""
        yield from self._heads()
        if rows := child_failures(self.groups):
            yield from table_lines(COLUMNS, *self._cells(rows))

    def _heads(self) -> Iterator[str]:
        for group in walk(self.groups):
            if group.children:
                yield f"children of {group.name}: {self._counts(group)}"

    def total(self, group: ChildGroup) -> int:
        """Return how many children a group has, as far as that is known."""
        return self._ends(group)["children"]

    def _cells(self, rows: Iterable[ChildFailures]) -> list[tuple[str, ...]]:
        return [row.cells(self.total(row.group)) for row in rows]

    def _counts(self, group: ChildGroup) -> str:
        counts = self._ends(group)
        known, total = len(group.children), counts.pop("children")
        failed = counts.pop("failed")
        others = "".join(f", {count:,} {how}" for how, count in counts.items() if count)
        here = f"; {known:,} of them looked at" if known < total else ""
        return f"{failed:,} of {total:,} failed{others}{here}"

    def _ends(self, group: ChildGroup) -> dict[str, int]:
        """Return how many children a group has, and how many ended how."""
        if counts := self.about.get("mapRuns", {}).get(group.started.arn):
            return {
                "children": counts["total"],
                "failed": counts["failed"],
                "timed out": counts["timedOut"],
                "aborted": counts["aborted"],
            }
        known = Counter(child.status for child in group.children)
        return {
            "children": len(group.children),
            "failed": known["FAILED"],
            "timed out": known["TIMED_OUT"],
            "aborted": known["ABORTED"],
        }

    def as_json(self, end: Ending | None) -> dict[str, Any]:
        """Return the members for programs, which docs/cli.md describes."""
        every = [(group, child) for group in walk(self.groups) for child in group.children]
        return {
            "children": [
                {
                    "name": child.name,
                    "of": group.place,
                    **failures_json(child.status, child.ending, child.failures),
                }
                for group, child in every
                if child.ending or child.failures
            ],
            "started": [self._started_json(group) for group in walk(self.groups)],
            "reasons": [
                {
                    "place": one.place,
                    "error": one.ending.error,
                    "cause": one.ending.cause,
                    "children": [child.name for child in one.children],
                }
                for one in (reasons(end, self.groups) if end else ())
            ],
        }

    def _started_json(self, group: ChildGroup) -> dict[str, Any]:
        ends = {name.replace(" o", "O"): count for name, count in self._ends(group).items()}
        return {"state": group.place, "arn": group.started.arn, **ends}

    def advice(self) -> Iterator[str]:
        """Yield how to fetch the children whose failure ended a state, where they are not here."""
        # What was fetched says itself what could not be.
        groups = () if self.about else walk(self.groups)
        yield from (_how_to_fetch(group) for group in groups if group.unknown)

    def look_at(self, end: Ending) -> str | None:
        """Return the command that shows the first of the children that ended the execution."""
        for reason in reasons(end, self.groups)[:1]:
            source = reason.children[0].source
            if source.startswith("arn:"):
                # An Express child: what is known of it, the account says.
                return shlex.join(
                    [
                        "aws",
                        "stepfunctions",
                        "describe-execution",
                        "--execution-arn",
                        source,
                        *self._endpoint,
                    ]
                )
            file, _, arn = source.partition(": arn:")
            of_several = ("--arn", f"arn:{arn}") if arn else ()
            return shlex.join(["doorstep", "debug", file, *of_several, "--at", "failure"])
        return None


def _how_to_fetch(group: ChildGroup) -> str:
    arn = group.started.arn
    command = f"doorstep failures {shlex.quote(arn)}"
    which = "the children" if group.started.is_map_run else "the execution"
    if f":{ACCOUNT}:" not in arn:
        return f"to see why {which} of {group.place} failed:\n  {command}"
    return (
        f"to see why {which} of {group.place} failed: run with --children DIR, or where "
        f"`doorstep serve` ran it\n  {command} --endpoint http://127.0.0.1:8083"
    )


def failures_json(status: str, end: Ending | None, rows: Sequence[StateFailures]) -> dict[str, Any]:
    """Return how an execution ended and what failed in it, for programs."""
    how = {"error": end.error, "cause": end.cause, "place": end.place or None} if end else {}
    return {"status": status, **how, "failures": [row.as_json() for row in rows]}


# Where their histories are -----------------------------------------------------------------------


def family_of(
    histories: Sequence[Path],
    visits: Visits,
    children: Path | None,
    arn: str | None = None,
    *,
    every: bool = False,
) -> Family:
    """Return the children of the execution whose history is in these files.

    `children`: the folder or journal of their histories; None: the folder `children` beside the
    first file, or the file itself, where it holds several executions. `every`: as for `failures`.
    """
    about = fetched_with(histories[0]) or {}
    found = _ChildFinder(histories[0], arn) if children is None else _of(children, arn)

    def lookup(started: Started) -> Iterable[ChildEvents]:
        return found(started) or map(_ended, about.get("ends", {}).get(started.arn, ()))

    return Family(groups_of(visits, lookup, every=every), about)


def _ended(end: Mapping[str, Any]) -> ChildEvents:
    """Return what is known of an Express child, which has no history: its beginning and end."""
    began, ended = (epoch_seconds(end[name]) for name in ("startDate", "stopDate"))
    last = "ExecutionTimedOut" if end["status"] == "TIMED_OUT" else "ExecutionFailed"
    why = {name: end[name] for name in ("error", "cause") if name in end}
    events = [Entry(1, 0, "ExecutionStarted", began, {}), Entry(2, 1, last, ended, why)]
    return ChildEvents(end["name"], end["executionArn"], events)


def _of(children: Path, arn: str | None) -> Lookup:
    from doorstep.replayer.child_histories import child_lookup

    return child_lookup(children, arn)


class _ChildFinder:
    """Finds the children beside a history, or in its file; looks when something was started."""

    def __init__(self, history: Path, arn: str | None) -> None:
        self._history, self._arn = history, arn
        self._lookup: Lookup | None = None

    def __call__(self, started: Started) -> Iterable[ChildEvents]:
        if self._lookup is None:
            self._lookup = self._found()
        try:
            return self._lookup(started)
        except InputError as problem:
            note(f"children that can't be read: {problem}")
            return []

    def _found(self) -> Lookup:
        if str(self._history) == "-":
            return lambda _: ()
        folder = self._history.parent / "children"
        if folder.is_dir():
            return _of(folder, self._arn)
        several = by_execution(read_events(self._history))
        if len(several) < 2:
            return lambda _: ()
        return _of(self._history, self._arn or next(iter(several)))
