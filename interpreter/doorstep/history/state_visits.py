"""Which event belongs to which visit of which state, what each visit did, and how it ended.

A history says it by `previousEventId`: an event belongs where the one before it does, until a
state is entered; events that close a Parallel or a Map belong to an enclosing state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from ..engine import TERMINAL
from .recorded import Entry
from .visit import ATTEMPTS, Visit, VisitOutcome

_GROUPS = ("ParallelState", "MapState")
_FAILED_GROUPS = (*(f"{group}Failed" for group in _GROUPS), "MapIterationFailed")
_ASKS = ("TaskSubmitted", "ActivityScheduled", "ActivityStarted")
_CALLED = ("resource", "resourceType", "parameters", "input")
"""What an event of a scheduled task says of its call."""
_ENDS_OF_ATTEMPT = tuple(
    f"{group}{end}" for group in _GROUPS for end in ("Started", "Failed", "Exited")
)


class Visits:
    """The visits of a history in the order in which the states were entered."""

    def __init__(self, events: Iterable[Entry], resumed: Mapping[int, int] | None = None) -> None:
        """`resumed`: what each event after a redrive continues, if known; see `_resumed_by`.

        By the event's id, the id of the event that entered the state.
        """
        self.entries: dict[int, Entry] = {}
        self.all: list[Visit] = []
        self.of: dict[int, Visit | None] = {}
        """The visit that each event belongs to; None: the execution."""
        self._index: dict[int, int | None] = {}
        self._inside: dict[Visit | None, list[Visit]] = {None: []}
        """The visits in each group since its latest attempt began; None: outermost."""
        self._maps: defaultdict[str | None, list[Visit]] = defaultdict(list)
        """The visits of Maps by their names."""
        self._followed: set[int] = set()
        self._resumed = resumed
        self._redriven: dict[int, list[Visit]] = {}
        """What can continue after each redrive: the visits that had not succeeded."""
        self.settled: list[Visit] = []
        """The visits of other states whose outcome the latest event decided."""
        self._variables: dict[int, dict[str, Any]] = {}
        self._variables_until = 0
        self._known = {event.id: event for event in events}
        for event in self._known.values():
            self.add(event)

    def add(self, event: Entry) -> None:
        """Add the next event."""
        self.entries[event.id] = event
        self.settled = []
        if event.type == "ExecutionRedriven":
            self._redrive(event)
        self._followed.add(event.previous)
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
            if event.type in _ENDS_OF_ATTEMPT:
                self._settle(visit, event)
        if event.type in TERMINAL:
            self._settle(None, event)

    def _settle(self, group: Visit | None, event: Entry) -> None:
        """Record what became of the visits in a group, or in the execution, that ends here.

        What `event` follows from has failed, with all that encloses it. Of the others those have
        failed whose failure had a consequence; the rest was aborted: it was at work, or waited for
        its retry.

        Facts 403 and 421: an abort is a leaf. Fact 402: an end follows the event that failed.
        """
        blamed = self.failed_visit(event) if _fails(event) else None
        path = set(blamed.outward()) if blamed else set()
        self.settled = list(self._unfinished(group))
        for visit in self.settled:
            if visit in path:
                visit.outcome = "failed"
            elif visit.outcome == "in progress" or not self._consequential(visit):
                visit.outcome = "aborted"
        if group and event.type.endswith("StateStarted"):
            self._inside[group] = []

    def _unfinished(self, group: Visit | None) -> Iterator[Visit]:
        """Yield the visits in a group that were not left, and those within them."""
        for visit in self._inside.get(group, ()):
            if not visit.over:
                yield visit
                yield from self._unfinished(visit)

    def _consequential(self, visit: Visit) -> bool:
        """Return whether the failure of a visit led to anything, if only to its own abort."""
        failures = [event.id for event in visit.events if event.failed]
        return not failures or failures[-1] in self._followed

    @property
    def variables(self) -> dict[int, dict[str, Any]]:
        """The variables on entry, by the id of the event that entered the state."""
        if self._variables_until != len(self.entries):
            self._variables_until, self._variables = len(self.entries), self._known_variables()
        return self._variables

    def _known_variables(self) -> dict[int, dict[str, Any]]:
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

    def failed_visit(self, end: Entry) -> Visit | None:
        """Return the visit whose failure ended a group, an attempt of it, or the execution."""
        failing = self.cause(end) or self.entries.get(end.previous)
        if failing and failing.type == "ExecutionRedriven":
            # A Fail state that is redriven fails again without an event of its own (fact 503).
            parked = self._redriven[failing.id]
            return next((one for one in parked if one.entered.type == "FailStateEntered"), None)
        return self.of.get(failing.id) if failing else None

    def _visit(self, event: Entry, before: Visit | None) -> Visit | None:
        if event.type.endswith("StateEntered"):
            around = before.parent if before and before.over else before
            visit = Visit(event, around, self._index[event.id])
            if before and before.exited and before.exited.id == event.previous:
                before.following = visit.name
            if before and before.over:
                visit.alternatives, visit.unsure_from = before.alternatives, event.id
            self.all.append(visit)
            if event.type == "MapStateEntered":
                self._maps[visit.name].append(visit)
            self._inside.setdefault(around, []).append(visit)
            return visit
        if event.type.startswith("Execution") or event.type.endswith("StateAborted"):
            return None
        if event.type == "MapIterationAborted":
            # Facts 108 and 421: it follows what aborted it, in whichever iteration that was.
            maps = [one for one in self._maps[event.name] if not one.over]
            return maps[0] if len(maps) == 1 else None
        if event.type == "EvaluationFailed":
            # Some recordings chain it to what precedes the state, not to the state.
            named = event.details.get("state")
            if before and before.name == named:
                return before
            return next((one for one in reversed(self.all) if one.name == named), before)
        outward = before.outward() if before else ()
        return next((one for one in outward if _belongs(event, one)), before)

    # After a redrive -----------------------------------------------------------------------------

    def _redrive(self, event: Entry) -> None:
        # Fact 502: a state that was not left is resumed without a second entry.
        parked = list(self._unfinished(None))
        for visit in parked:
            visit.outcome, visit.last = "in progress", event
        self._redriven[event.id] = parked

    def _resumed_by(self, event: Entry) -> Visit | None:
        """Return the visit that an event right after a redrive belongs to.

        All lines of control continue from the same event. What distinguishes them: the state's
        name, what a task is called with, and the iterations whose end follows from the event.
        Visits that are alike in all of this are each other's `alternatives`.
        """
        parked = self._redriven.get(event.previous, [])
        if self._resumed is not None and event.id in self._resumed:
            entered = self._resumed[event.id]
            match = [visit for visit in self.all if visit.entered.id == entered]
        else:
            match = [visit for visit in parked if _resumes(event, visit)]
            indexes = self._iterations_ended.get(event.id, ())
            match = [one for one in match if _stands_in(one, indexes)] or match
            match = [one for one in match if _called_alike(event, one)] or match
        if not match:
            return None
        resumed, *others = match
        for one in match if others else ():
            one.alternatives = [other for other in match if other is not one]
            one.unsure_from = one.unsure_from or event.id
        if resumed in parked:
            parked.remove(resumed)
        self._index[event.previous] = resumed.index
        return resumed

    @cached_property
    def _iterations_ended(self) -> dict[int, list[tuple[str | None, object]]]:
        """By each event right after a redrive, the iterations whose end it led to: (Map, index).

        Walked back from the iterations' ends: an event has one cause, but many consequences.
        """
        ended = defaultdict(list)
        for event in self._known.values():
            if event.type in ("MapIterationSucceeded", "MapIterationFailed"):
                iteration = event.name, event.details.get("index")
                at, begun = self._known.get(event.previous), False
                while at and not begun:
                    begun = at.type == "MapIterationStarted" and iteration == (
                        at.name,
                        at.details.get("index"),
                    )
                    before = self._known.get(at.previous)
                    if before and before.type == "ExecutionRedriven" and not begun:
                        ended[at.id].append(iteration)
                        break
                    at = before
        return ended

    def _iteration(self, event: Entry, before: Visit | None) -> int | None:
        """Return the number of the innermost iteration that an event stands in."""
        if event.type == "MapIterationStarted":
            index = event.details.get("index")
            return index if isinstance(index, int) else None
        if before and before.over:
            return before.index
        return self._index.get(event.previous)


def _fails(event: Entry) -> bool:
    return event.failed or event.type in ATTEMPTS


def _stands_in(visit: Visit, iterations: Iterable[tuple[str | None, object]]) -> bool:
    """Return whether a visit stands in all of these iterations, (name of the Map, index)."""
    around = {(one.parent.name, one.map_index) for one in visit.outward() if one.parent}
    return around.issuperset(iterations)


def _called_alike(event: Entry, visit: Visit) -> bool:
    """Return whether a visit's task was called before with what the event calls it with."""
    return any(
        attempt.id != event.id
        and all(attempt.details.get(name) == event.details.get(name) for name in _CALLED)
        for attempt in visit.attempts
    )


def _resumes(event: Entry, visit: Visit) -> bool:
    """Return whether an event right after a redrive can be one of this visit."""
    if event.type.startswith("Execution"):
        return False
    if event.type.startswith("MapIteration"):
        iteration = visit.parent and visit.parent.name, visit.map_index
        return iteration == (event.name, event.details.get("index"))
    if event.type == "EvaluationFailed":
        return visit.name == event.details.get("state")
    if event.name is not None:
        return event.name == visit.name and not event.type.endswith("StateEntered")
    group = next((kind for kind in ("Map", "Parallel") if event.type.startswith(kind)), "Task")
    return visit.entered.type == f"{group}StateEntered"


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
