"""Which event belongs to which visit of which state, and how each visit ended.

A history says it by `previousEventId`: an event belongs where the one before it does, until a
state is entered; events that close a Parallel or a Map belong to an enclosing state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..engine.messages import TERMINAL
from .recorded import Entry

Outcome = Literal["succeeded", "caught", "failed", "in progress", "aborted"]
_GROUPS = ("ParallelState", "MapState")
_ASKS = ("TaskSubmitted", "ActivityScheduled", "ActivityStarted")


@dataclass(slots=True, eq=False)
class Visit:
    """A state that was entered once."""

    entered: Entry
    parent: Visit | None
    index: int | None = None
    """Which iteration of the Map around it, if there is one."""
    outcome: Outcome = "in progress"
    last: Entry | None = None
    """The latest event that belongs to it."""
    waits_for: Entry | None = None
    """The event after which somebody else has to answer: a callback, a job, an activity's task."""

    @property
    def name(self) -> str:
        """The state's name."""
        return self.entered.name or ""

    @property
    def over(self) -> bool:
        """Whether the state was left."""
        return self.outcome in ("succeeded", "caught")

    @property
    def place(self) -> str:
        """Where it is from the outside in: `Map[3] > Charge`."""
        if self.parent is None:
            return self.name
        around = self.parent.place
        return f"{around}{self.iteration} > {self.name}"

    @property
    def iteration(self) -> str:
        """`[3]` in an iteration of the Map that it stands in directly, else nothing."""
        in_map = self.parent and self.parent.entered.type == "MapStateEntered"
        return f"[{self.index}]" if in_map and self.index is not None else ""

    def outward(self) -> Iterator[Visit]:
        """This visit and those that enclose it."""
        visit: Visit | None = self
        while visit:
            yield visit
            visit = visit.parent


class Visits:
    """The visits of a history, and the one that each event belongs to (None: the execution)."""

    def __init__(self, events: Iterable[Entry]) -> None:
        self.all: list[Visit] = []
        self.of: dict[int, Visit | None] = {}
        self._index: dict[int, int | None] = {}
        self._redriven: dict[int, list[Visit]] = {}
        """What can go on after each redrive: the visits that had not succeeded."""
        for event in events:
            if event.type == "ExecutionRedriven":
                self._redrive(event)
            before = self.of.get(event.previous) or self._gone_on_with(event)
            self._index[event.id] = self._iteration(event, before)
            visit = self.of[event.id] = self._visit(event, before)
            if event.failed and before and not before.over:
                before.outcome = "failed"
            if visit and not event.type.startswith("MapIteration"):
                visit.outcome = _outcome(event, visit)
                visit.last = event
                visit.waits_for = _waiting(event, visit)
            if event.type in TERMINAL:
                self._abort()

    def _visit(self, event: Entry, before: Visit | None) -> Visit | None:
        if event.type.endswith("StateEntered"):
            around = before.parent if before and before.over else before
            self.all.append(Visit(event, around, self._index[event.id]))
            return self.all[-1]
        if event.type.startswith("Execution") or event.type.endswith("StateAborted"):
            return None
        if event.type == "EvaluationFailed":
            # Some recordings chain it to what precedes the state, not to the state.
            named = event.details.get("state")
            return next((one for one in reversed(self.all) if one.name == named), before)
        outward = before.outward() if before else ()
        return next((one for one in outward if _belongs(event, one)), before)

    def _redrive(self, event: Entry) -> None:
        parked = [visit for visit in self.all if not any(one.over for one in visit.outward())]
        for visit in parked:
            visit.outcome, visit.last = "in progress", event
        self._redriven[event.id] = parked

    def _gone_on_with(self, event: Entry) -> Visit | None:
        """The visit that an event right after a redrive belongs to, the first that it can be."""
        parked = self._redriven.get(event.previous, [])
        found = next((visit for visit in parked if _resumes(event, visit)), None)
        if found:
            parked.remove(found)
            self._index[event.previous] = found.index
        return found

    def _iteration(self, event: Entry, before: Visit | None) -> int | None:
        """The number of the innermost iteration that an event stands in."""
        if event.type == "MapIterationStarted":
            index = event.details.get("index")
            return index if isinstance(index, int) else None
        if before and before.over:
            return before.index
        return self._index.get(event.previous)

    def _abort(self) -> None:
        for visit in self.all:
            if visit.outcome == "in progress":
                visit.outcome = "aborted"


def _resumes(event: Entry, visit: Visit) -> bool:
    if event.name is not None:
        return event.name == visit.name and not event.type.endswith("StateEntered")
    kind = "Map" if event.type.startswith("Map") else "Task"
    return visit.entered.type == f"{kind}StateEntered"


def _belongs(event: Entry, visit: Visit) -> bool:
    """Whether this is the visit that an event is about; `visit` is tried from the inside out."""
    if event.type.endswith("StateExited") or event.type.startswith("MapIteration"):
        return visit.name == event.name
    group = next((group for group in _GROUPS if event.type.startswith(group)), None)
    if group is None:
        return True
    # A group that has failed already passed its failure on to the group around it.
    given_up = visit.last is not None and visit.last.type == f"{group}Failed"
    return visit.entered.type.startswith(group) and not visit.over and not given_up


def _outcome(event: Entry, visit: Visit) -> Outcome:
    if event.type.endswith("StateExited"):
        return "caught" if visit.outcome == "failed" else "succeeded"
    return "failed" if event.failed or event.type == "FailStateEntered" else "in progress"


def _waiting(event: Entry, visit: Visit) -> Entry | None:
    if event.type in _ASKS:
        return event
    return visit.waits_for if event.type.endswith("TimedOut") else None
