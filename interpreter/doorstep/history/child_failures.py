"""What failed in the executions that an execution started, at all levels: map runs and tasks.

A parent's history names the map runs and executions that its states started, and how they ended as
a whole. Why, their own histories say; where those are, a `Lookup` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from ..engine import TERMINAL
from ..values.json_values import value_of
from .causes import execution_arn
from .failures import Ending, StateFailures, ending, failures, table_lines
from .recorded import Entry
from .state_visits import Visits
from .visit import Visit

COLUMNS = ("State", "Children", "Attempts", "Outcome", "Error", "Event", "Took")
"""Titles of the `cells` of what failed in children."""
_RUN_ENDS = ("MapRunSucceeded", "MapRunFailed", "MapRunAborted")


@dataclass(frozen=True, slots=True)
class Started:
    """A map run, or an execution, that a state started."""

    arn: str
    visit: Visit
    """The state that started it."""
    since: float
    until: float
    """When it began and when it last ended, in epoch seconds; infinity if it had not."""

    @property
    def is_map_run(self) -> bool:
        """Whether it is a map run, which has children of its own."""
        return ":mapRun:" in self.arn


class ChildEvents(NamedTuple):
    """The history of a child execution, as a `Lookup` finds it."""

    name: str
    source: str
    """Where it was found: a file, or an ARN."""
    events: Sequence[Entry]


Lookup = Callable[[Started], Iterable[ChildEvents]]
"""Finds the histories of what a state started; no history twice, and nothing where none is."""


def started_in(visits: Visits) -> Iterator[Started]:
    """Yield the map runs and executions that the states of an execution started, each once.

    Fact 433: MapRunStarted has the map run's ARN. TaskSubmitted has StartExecution's answer; a
    task that does not wait for the execution has it in TaskSucceeded.
    """
    seen = set()
    for visit in visits.all:
        for event in visit.events:
            arn = _started_by(event)
            if arn and arn not in seen:
                seen.add(arn)
                ends = [one.at for one in visit.events if one.type in _RUN_ENDS]
                yield Started(arn, visit, event.at, ends[-1] if ends else inf)


def _started_by(event: Entry) -> str | None:
    if event.type == "MapRunStarted":
        return str(event.details.get("mapRunArn"))
    if event.type not in ("TaskSubmitted", "TaskSucceeded") or (
        event.details.get("resourceType") != "states"
    ):
        return None
    return execution_arn(value_of(event.details.get("output")))


# Families ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Child:
    """A child execution, and what it started itself."""

    name: str
    source: str
    events: Sequence[Entry]
    status: str
    ending: Ending | None
    failures: Sequence[StateFailures]
    groups: Sequence[ChildGroup]

    @property
    def failed(self) -> bool:
        """Whether it failed or timed out; an aborted one did not fail."""
        return self.status in ("FAILED", "TIMED_OUT")


@dataclass(frozen=True, slots=True)
class ChildGroup:
    """What one state started: the children of a map run, or an execution."""

    started: Started
    place: str
    """The states that lead to it, from the outside in: `Each > Ship`."""
    children: Sequence[Child]
    """Those whose histories are known."""

    @property
    def unknown(self) -> bool:
        """Whether children made the state fail, and no history of theirs is known.

        A map run may fail without them, as with States.ItemReaderFailed (facts 121 and 285).
        """
        visit = self.started.visit
        if self.children or visit.outcome not in ("failed", "caught"):
            return False
        return (
            not self.started.is_map_run or "States.ExceedToleratedFailureThreshold" in visit.errors
        )

    @property
    def name(self) -> str:
        """What it is called: `Each`, or for an execution `Ship: NAME`."""
        name = self.started.arn.rpartition(":")[2]
        return self.place if self.started.is_map_run else f"{self.place}: {name}"


class Reason(NamedTuple):
    """Why children failed: where and with what their last state ended them."""

    place: str
    ending: Ending
    children: Sequence[Child]
    """Those that failed so."""
    group: ChildGroup

    @property
    def text(self) -> str:
        """`CardDeclined in Each > Charge (5 children: NAME …)`, on one line."""
        first, *others = (one.name for one in self.children)
        count = f"{len(self.children):,} children: {first} …" if others else f"child {first}"
        return f"{self.ending.error or self.ending.status} in {self.place} ({count})"


def groups_of(visits: Visits, lookup: Lookup, *, every: bool = False) -> list[ChildGroup]:
    """Return what the states of an execution started, with all that those started in turn.

    `every`: as for `failures`.
    """
    return list(_groups(visits, lookup, every, ()))


def _groups(
    visits: Visits, lookup: Lookup, every: bool, around: tuple[str, ...]
) -> Iterator[ChildGroup]:
    for started in started_in(visits):
        path = (*around, *(name for name, _ in started.visit.path))
        children = [_child(one, lookup, every, path) for one in lookup(started)]
        yield ChildGroup(started, " > ".join(path), children)


def _child(found: ChildEvents, lookup: Lookup, every: bool, path: tuple[str, ...]) -> Child:
    visits = Visits(found.events)
    return Child(
        found.name,
        found.source,
        found.events,
        TERMINAL.get(found.events[-1].type, "RUNNING"),
        ending(visits),
        failures(visits, every=every),
        list(_groups(visits, lookup, every, path)),
    )


def walk(groups: Iterable[ChildGroup]) -> Iterator[ChildGroup]:
    """Yield groups with those inside of them, from the outside in."""
    for group in groups:
        yield group
        for child in group.children:
            yield from walk(child.groups)


def reasons(end: Ending, groups: Iterable[ChildGroup]) -> list[Reason]:
    """Return why the children failed whose failure ended an execution, the most frequent first.

    Empty when it was no child that ended it, or when no child's history is known.
    """
    visit = end.first_visit
    found = [one for group in groups if group.started.visit is visit for one in _innermost(group)]
    alike: dict[tuple[str, str | None], list[tuple[Child, Ending, ChildGroup]]] = {}
    for child, own, group in found:
        alike.setdefault((_place(group, own), own.error), []).append((child, own, group))
    gathered = [
        Reason(place, same[0][1], [child for child, _, _ in same], same[0][2])
        for (place, _), same in alike.items()
    ]
    return sorted(gathered, key=lambda one: -len(one.children))


def _innermost(group: ChildGroup) -> Iterator[tuple[Child, Ending, ChildGroup]]:
    for child in group.children:
        if child.failed and child.ending:
            inner = [
                one
                for below in child.groups
                if below.started.visit is child.ending.first_visit
                for one in _innermost(below)
            ]
            yield from inner or [(child, child.ending, group)]


def _place(group: ChildGroup, end: Ending) -> str:
    inner = [name for name, _ in end.visit.path] if end.visit else []
    return " > ".join((group.place, *inner))


# As a table --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChildFailures:
    """A state that failed alike in children of one group."""

    group: ChildGroup
    rows: Sequence[tuple[Child, StateFailures]]

    @property
    def outcome(self) -> str:
        """How the state's visits ended."""
        return self.rows[0][1].outcome

    @property
    def cause(self) -> str | None:
        """The cause in the first of the children."""
        return self.rows[0][1].cause

    def cells(self, among: int) -> tuple[str, ...]:
        """Return the texts of a row under COLUMNS; `among`: how many children the group has."""
        (child, first), *others = self.rows
        _, _, attempts, *rest = first.cells()
        children = f"{len(self.rows):,} of {among:,}: {child.name}"
        state = f"{self.group.place} > {first.state}"
        return (state, children + (" …" if others else ""), attempts, *rest)


def child_lines(groups: Sequence[ChildGroup]) -> Iterator[str]:
    """Yield the table as text; nothing when nothing failed in children."""
    rows = [row.cells(len(row.group.children)) for row in child_failures(groups)]
    yield from table_lines(COLUMNS, *rows) if rows else ()


def child_failures(groups: Iterable[ChildGroup]) -> list[ChildFailures]:
    """Return what failed in children, those that failed alike in one row.

    What ended a child comes first, and within one place what most of them have.
    """
    alike: dict[tuple[Any, ...], list[tuple[Child, StateFailures, ChildGroup]]] = {}
    for group in walk(groups):
        for child in group.children:
            for row in child.failures:
                key = (not row.ended, group.place, row.state, row.outcome, *row.errors)
                alike.setdefault(key, []).append((child, row, group))
    order = sorted(alike, key=lambda key: (*key[:2], -len(alike[key])))
    return [
        ChildFailures(alike[key][0][2], [(child, row) for child, row, _ in alike[key]])
        for key in order
    ]
