"""Coverage of a definition by executions, read from their histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..asl.retry import matches
from ..engine.identity import Identity
from ..errors import StateFailed
from ..history.recorded import Entry
from ..history.state_visits import Visit, Visits
from ..model.definition import workflow
from ..values.json_values import value_of
from .evaluating import Setting, deciding, failure
from .items import Catcher, Item, Parts, parts, workflow_timeout

_NOBODY = Identity(name="execution", seed="coverage")


class Coverage:
    """How often each part of a definition was used; histories are added one by one."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        """`definition`: one that AWS would accept."""
        tree = workflow(definition)
        self.definition = definition
        self.parts = parts(tree)
        self.timeout = workflow_timeout(tree)
        self._hits: Counter[Item] = Counter()
        self._runs: dict[str, Parts] = {}
        """Map runs whose items come from a reader: only their children tell how many."""
        self._children: Counter[str] = Counter()

    @property
    def items(self) -> list[Item]:
        """Everything there is to cover, in the definition's order."""
        own = [self.timeout] if self.timeout else []
        return own + [item for found in self.parts.values() for item in found.items()]

    @property
    def hits(self) -> Counter[Item]:
        """How often each item was used."""
        sizes = (found.sizes[min(self._children[run], 2)] for run, found in self._runs.items())
        return self._hits + Counter(sizes)

    def add(self, visits: Visits, identity: Identity = _NOBODY, map_run: str | None = None) -> None:
        """Count what a history used.

        `identity`: for conditions that ask the context object. `map_run`: the ARN of the map run
        that started the execution; the history of its parent has to be added as well.
        """
        if not visits.entries:
            return
        if map_run:
            self._children[map_run] += 1
        reading = _Reading(self, visits, identity)
        self._hits.update(reading.used())
        self._runs.update(reading.runs)

    def count(self, hits: Mapping[Item, int]) -> None:
        """Add what was counted elsewhere, in another process for example."""
        self._hits.update(hits)


class _Reading:
    """One history being read."""

    def __init__(self, coverage: Coverage, visits: Visits, identity: Identity) -> None:
        self.parts = coverage.parts
        self.timeout = coverage.timeout
        self.visits = visits
        self.runs: dict[str, Parts] = {}
        first = visits.entries[min(visits.entries)]
        self.setting = Setting(identity, value_of(first.details.get("input")), first.at)
        self.variables = visits.variables
        self.by_entry = {one.entered.id: one for one in visits.all}

    def used(self) -> list[Item]:
        """The items that it used, as often as it used them."""
        found: list[Item] = []
        if self.timeout and any(
            entry.type == "ExecutionTimedOut" for entry in self.visits.entries.values()
        ):
            found.append(self.timeout)
        for visit in self.visits.all:
            if state := self.parts.get(visit.name):
                found += self._of(state, visit)
        return found

    def _of(self, state: Parts, visit: Visit) -> list[Item]:
        found = [state.entered, *self._sizes(state, visit)]
        found += [item for entry in visit.events if (item := _limit(state, visit, entry))]
        for attempt in visit.retries:
            if (failed := self._failed(attempt)) and (item := _retrier(state, failed)):
                found.append(item)
        if visit.exited:
            found += self._left(state, visit, visit.exited)
        return found

    def _sizes(self, state: Parts, visit: Visit) -> list[Item]:
        if not state.sizes:
            return []
        if state.state.reader:
            started = (e for e in visit.events if e.type == "MapRunStarted")
            self.runs |= {entry.details["mapRunArn"]: state for entry in started}
            return []
        lengths = [entry.details.get("length", 0) for entry in visit.attempts]
        return [state.sizes[min(length, 2)] for length in lengths]

    def _left(self, state: Parts, visit: Visit, exited: Entry) -> list[Item]:
        target = visit.following
        found = [state.transitions[target]] if target in state.transitions else []
        if state.rules:
            found += self._rule(state, visit)
        if visit.outcome == "caught" or target != state.state.next:
            found += self._catcher(state, exited, target)
        return found

    def _rule(self, state: Parts, visit: Visit) -> list[Item]:
        leading = [i for i, (to, _) in enumerate(state.rules) if to == visit.following]
        if len(leading) > 1:
            known = self.variables[visit.entered.id]
            taken = deciding(state.state)(visit, visit.input, known, self.setting)
            leading = [taken] if taken in leading else leading
        return [state.rules[i][1] for i in leading[:1]]

    def _catcher(self, state: Parts, exited: Entry, target: str | None) -> list[Item]:
        leading = [one for one in state.catchers if one.target == target]
        if len(leading) > 1 and (failed := self._failed(exited)):
            leading = [one for one in leading if _first(state, failed) is one] or leading
        return [one.item for one in leading[:1]]

    def _failed(self, answer: Entry) -> StateFailed | None:
        """The failure that a retry or an exit by a catcher answers to."""
        cause = self.visits.cause(answer)
        if cause is None:
            return None
        if cause.type != "FailStateEntered":
            missed = ("States.HeartbeatTimeout",) if self._missed_heartbeat(cause) else ()
            return StateFailed(cause.details.get("error"), also=missed)
        visit = self.by_entry[cause.id]
        known = self.parts.get(visit.name)
        # A history may be of another definition.
        if known is None or known.state.type != "Fail":
            return None
        return failure(known.state, visit, self.variables[cause.id], self.setting)

    def _missed_heartbeat(self, cause: Entry) -> bool:
        scheduled = self.visits.entries.get(cause.previous)
        while scheduled and not scheduled.type.endswith(("Scheduled", "Entered")):
            scheduled = self.visits.entries.get(scheduled.previous)
        return scheduled is not None and _missed(scheduled, cause)


def _first(state: Parts, failed: StateFailed) -> Catcher | None:
    return next((one for one in state.catchers if matches(one.names, failed)), None)


def _retrier(state: Parts, failed: StateFailed) -> Item | None:
    return next((item for one, item in state.retriers if matches(one.names, failed)), None)


def _limit(state: Parts, visit: Visit, entry: Entry) -> Item | None:
    """The timeout that an event of a task tells of; errors that a handler names so count."""
    if not entry.failed:
        return None
    if entry.type.endswith("TimedOut"):
        attempt = max((a for a in visit.attempts if a.id < entry.id), key=lambda a: a.id)
        missed = _missed(attempt, entry)
    else:
        named = {"States.Timeout": False, "States.HeartbeatTimeout": True}
        error = entry.details.get("error")
        if error not in named:
            return None
        missed = named[error]
    return state.timeouts.get("HeartbeatSeconds" if missed else "TimeoutSeconds")


def _missed(scheduled: Entry, timed_out: Entry) -> bool:
    """Whether a task ended before its TimeoutSeconds: then it was a heartbeat that did not come."""
    if not timed_out.type.endswith("TimedOut"):
        return False
    limit = scheduled.details.get("timeoutInSeconds")
    return limit is None or round(timed_out.at - scheduled.at, 3) < limit
