"""Which event belongs to which visit of which state, what each visit did, and how it ended.

A history says it by `previousEventId`: an event belongs where the one before it does, until a
state is entered; events that close a Parallel or a Map belong to an enclosing state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ..engine import TERMINAL, Event
from ..values.json_values import value_of
from .recorded import Entry

VisitOutcome = Literal["succeeded", "caught", "failed", "in progress", "aborted"]
_GROUPS = ("ParallelState", "MapState")
_FAILED_GROUPS = tuple(f"{group}Failed" for group in _GROUPS)
_ASKS = ("TaskSubmitted", "ActivityScheduled", "ActivityStarted")
ATTEMPTS = (
    "LambdaFunctionScheduled",
    "ActivityScheduled",
    "TaskScheduled",
    "ParallelStateStarted",
    "MapStateStarted",
)


@dataclass(slots=True, eq=False)
class Visit:
    """A state that was entered once, and the events that belong to it."""

    entered: Entry
    parent: Visit | None
    """That of the Parallel or Map that the state stands in."""
    index: int | None = None
    """Which iteration of the Map around it, if there is one."""
    outcome: VisitOutcome = "in progress"
    last: Entry | None = None
    """The latest event of the state itself: not of the iterations in a Map."""
    waits_for: Entry | None = None
    """The event after which somebody else has to answer: a callback, a job, an activity's task."""
    events: list[Entry] = field(default_factory=list)
    following: str | None = None
    """The state that was entered next; None at an end, or when this one was not left."""

    @property
    def name(self) -> str:
        """The state's name."""
        return self.entered.name or ""

    @property
    def over(self) -> bool:
        """Whether the state was left."""
        return self.outcome in ("succeeded", "caught")

    @property
    def exited(self) -> Entry | None:
        """The event with which the state was left."""
        last = self.events[-1]
        return last if last.type.endswith("StateExited") else None

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

    @property
    def input(self) -> Any:
        """The state's input as a value."""
        return value_of(self.entered.details.get("input"))

    @property
    def output(self) -> Any:
        """The state's output as a value; None when it was not left."""
        return value_of(self.exited.details.get("output")) if self.exited else None

    @property
    def assigned(self) -> dict[str, Any]:
        """The variables that it assigned (fact 81)."""
        texts = self.exited.details.get("assignedVariables", {}) if self.exited else {}
        return {name: value_of(text) for name, text in texts.items()}

    @property
    def attempts(self) -> list[Entry]:
        """The events with which its work began: a task scheduled, branches or items started.

        Facts 411 to 414, 422 and 431: a retry has no second entry.
        """
        return [event for event in self.events if event.type in ATTEMPTS]

    @property
    def retries(self) -> list[Entry]:
        """The attempts after the first."""
        return self.attempts[1:]

    @property
    def errors(self) -> list[str]:
        """The names of the errors in its own events."""
        return [str(e.details["error"]) for e in self.events if e.failed and "error" in e.details]

    def outward(self) -> Iterator[Visit]:
        """Yield this visit and those that enclose it."""
        visit: Visit | None = self
        while visit:
            yield visit
            visit = visit.parent


class Visits:
    """The visits of a history in the order in which the states were entered."""

    def __init__(self, events: Iterable[Entry]) -> None:
        self.entries: dict[int, Entry] = {}
        self.all: list[Visit] = []
        self.of: dict[int, Visit | None] = {}
        """The visit that each event belongs to; None: the execution."""
        self._index: dict[int, int | None] = {}
        self._redriven: dict[int, list[Visit]] = {}
        """What can continue after each redrive: the visits that had not succeeded."""
        for event in events:
            self.add(event)

    def add(self, event: Entry) -> None:
        """Add the next event; before `variables` are asked for."""
        self.entries[event.id] = event
        if event.type == "ExecutionRedriven":
            self._redrive(event)
        before = self.of.get(event.previous) or self._resumed_by(event)
        self._index[event.id] = self._iteration(event, before)
        visit = self.of[event.id] = self._visit(event, before)
        if event.failed and before and not before.over:
            before.outcome = "failed"
        if visit:
            visit.events.append(event)
            if not event.type.startswith("MapIteration"):
                visit.outcome = _outcome(event, visit)
                visit.last = event
                visit.waits_for = _waiting(event, visit)
        if event.type in TERMINAL:
            self._abort()

    @cached_property
    def variables(self) -> dict[int, dict[str, Any]]:
        """The variables on entry, by the id of the event that entered the state."""
        known: dict[int, dict[str, Any]] = {}
        after: dict[int, dict[str, Any]] = {}
        for visit in self.all:
            outside = known[visit.parent.entered.id] if visit.parent else {}
            inside = known[visit.entered.id] = after.get(visit.entered.previous, outside)
            if visit.exited:
                after[visit.exited.id] = {**inside, **visit.assigned}
        return known

    def cause(self, event: Entry) -> Entry | None:
        """Return the failure that a retry or an exit follows: the event or Fail state before it.

        A group's failure is that of the branch or iteration which failed.

        Facts 306, 414 and 415: what a retry or an exit follows.
        """
        before = self.entries.get(event.previous)
        while before and before.type in _FAILED_GROUPS:
            before = self.entries.get(before.previous)
        if before and (before.failed or before.type == "FailStateEntered"):
            return before
        return None

    def _visit(self, event: Entry, before: Visit | None) -> Visit | None:
        if event.type.endswith("StateEntered"):
            around = before.parent if before and before.over else before
            self.all.append(Visit(event, around, self._index[event.id]))
            if before and before.exited and before.exited.id == event.previous:
                before.following = event.name
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
        # Fact 502: a state that was not left is resumed without a second entry.
        parked = [visit for visit in self.all if not any(one.over for one in visit.outward())]
        for visit in parked:
            visit.outcome, visit.last = "in progress", event
        self._redriven[event.id] = parked

    def _resumed_by(self, event: Entry) -> Visit | None:
        """Return the first visit that an event right after a redrive can belong to."""
        parked = self._redriven.get(event.previous, [])
        resumed = next((visit for visit in parked if _resumes(event, visit)), None)
        if resumed:
            parked.remove(resumed)
            self._index[event.previous] = resumed.index
        return resumed

    def _iteration(self, event: Entry, before: Visit | None) -> int | None:
        """Return the number of the innermost iteration that an event stands in."""
        if event.type == "MapIterationStarted":
            index = event.details.get("index")
            return index if isinstance(index, int) else None
        if before and before.over:
            return before.index
        return self._index.get(event.previous)

    def _abort(self) -> None:
        # Facts 403 and 421: an abort is a leaf.
        for visit in self.all:
            if visit.outcome == "in progress":
                visit.outcome = "aborted"


def of_execution(events: Iterable[Event]) -> Visits:
    """Return the visits in an execution's own events."""
    return Visits(Entry(*event[:4], event.details or {}) for event in events)


def _resumes(event: Entry, visit: Visit) -> bool:
    if event.name is not None:
        return event.name == visit.name and not event.type.endswith("StateEntered")
    kind = "Map" if event.type.startswith("Map") else "Task"
    return visit.entered.type == f"{kind}StateEntered"


def _belongs(event: Entry, visit: Visit) -> bool:
    """Return whether an event is about this visit, which is tried from the inside out."""
    if event.type.endswith("StateExited") or event.type.startswith("MapIteration"):
        return visit.name == event.name
    group = next((group for group in _GROUPS if event.type.startswith(group)), None)
    if group is None:
        return True
    # A group that has failed already passed its failure on to the group around it.
    given_up = visit.last is not None and visit.last.type == f"{group}Failed"
    return visit.entered.type.startswith(group) and not visit.over and not given_up


def _outcome(event: Entry, visit: Visit) -> VisitOutcome:
    if event.type.endswith("StateExited"):
        return "caught" if visit.outcome == "failed" else "succeeded"
    return "failed" if event.failed or event.type == "FailStateEntered" else "in progress"


def _waiting(event: Entry, visit: Visit) -> Entry | None:
    if event.type in _ASKS:
        return event
    return visit.waits_for if event.type.endswith("TimedOut") else None
