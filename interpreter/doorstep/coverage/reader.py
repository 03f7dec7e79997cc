"""Coverage of a definition by executions, read from their histories.

What a history does not say (which of two rules held that lead to one state, how a Fail state
failed) is evaluated once more by running that state on what the history does say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..asl.compile import compile_scope, compile_state
from ..asl.context import Env
from ..asl.retry import matches
from ..engine import STANDARD, Engine, Fiber, Identity
from ..errors import InputError, StateFailed
from ..history import Entry, Visit, Visits
from ..model import Scope, State, workflow
from ..values.json_values import value_of
from .items import CatcherItem, Item, StateItems, parts, workflow_timeout

_NOWHERE = compile_scope(Scope("", {}, ""))
_AFTER = ("Assign", "Output")
"""Fields that matter once the rule is known."""
_UNKNOWN = Identity(name="execution", seed="coverage")


class Coverage:
    """How often each part of a definition was used; histories are added one by one."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        """`definition`: one that AWS would accept."""
        tree = workflow(definition)
        self.definition = definition
        self.parts = parts(tree)
        self.timeout = workflow_timeout(tree)
        self._hits: Counter[Item] = Counter()
        self._runs: dict[str, StateItems] = {}
        """Map runs whose items come from a reader: only their children say how many."""
        self._children: Counter[str] = Counter()

    @property
    def items(self) -> list[Item]:
        """Return everything there is to cover, in the definition's order."""
        own = [self.timeout] if self.timeout else []
        return own + [item for items in self.parts.values() for item in items.items()]

    @property
    def hits(self) -> Counter[Item]:
        """Return how often each item was used."""
        sizes = (items.sizes[min(self._children[run], 2)] for run, items in self._runs.items())
        return self._hits + Counter(sizes)

    def add(
        self, visits: Visits, identity: Identity = _UNKNOWN, map_run: str | None = None
    ) -> None:
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
        self.runs: dict[str, StateItems] = {}
        first = visits.entries[min(visits.entries)]
        self.setting = Setting(identity, value_of(first.details.get("input")), first.at)
        self.variables = visits.variables
        self.by_entry = {one.entered.id: one for one in visits.all}

    def used(self) -> list[Item]:
        """Return the items that it used, as often as it used them."""
        items: list[Item] = []
        if self.timeout and any(
            entry.type == "ExecutionTimedOut" for entry in self.visits.entries.values()
        ):
            items.append(self.timeout)
        for visit in self.visits.all:
            if state := self.parts.get(visit.name):
                items += self._of(state, visit)
        return items

    def _of(self, state: StateItems, visit: Visit) -> list[Item]:
        items = [state.entered, *self._sizes(state, visit)]
        items += [item for entry in visit.events if (item := _limit(state, visit, entry))]
        for attempt in visit.retries:
            if (failed := self._failed(attempt)) and (item := _retrier(state, failed)):
                items.append(item)
        if visit.exited:
            items += self._left(state, visit, visit.exited)
        return items

    def _sizes(self, state: StateItems, visit: Visit) -> list[Item]:
        if not state.sizes:
            return []
        if state.state.reader:
            started = (e for e in visit.events if e.type == "MapRunStarted")
            self.runs |= {entry.details["mapRunArn"]: state for entry in started}
            return []
        lengths = [entry.details.get("length", 0) for entry in visit.attempts]
        return [state.sizes[min(length, 2)] for length in lengths]

    def _left(self, state: StateItems, visit: Visit, exited: Entry) -> list[Item]:
        target = visit.following
        items = [state.transitions[target]] if target in state.transitions else []
        if state.rules:
            items += self._rule(state, visit)
        if visit.outcome == "caught" or target != state.state.next:
            items += self._catcher(state, exited, target)
        return items

    def _rule(self, state: StateItems, visit: Visit) -> list[Item]:
        leading = [i for i, (to, _) in enumerate(state.rules) if to == visit.following]
        if len(leading) > 1:
            known = self.variables[visit.entered.id]
            taken = deciding(state.state)(visit, visit.input, known, self.setting)
            leading = [taken] if taken in leading else leading
        return [state.rules[i][1] for i in leading[:1]]

    def _catcher(self, state: StateItems, exited: Entry, target: str | None) -> list[Item]:
        leading = [one for one in state.catchers if one.target == target]
        if len(leading) > 1 and (failed := self._failed(exited)):
            leading = [one for one in leading if _first(state, failed) is one] or leading
        return [one.item for one in leading[:1]]

    def _failed(self, answer: Entry) -> StateFailed | None:
        """Return the failure to which a retry or an exit by a catcher answers."""
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


def _first(state: StateItems, failed: StateFailed) -> CatcherItem | None:
    return next((one for one in state.catchers if matches(one.names, failed)), None)


def _retrier(state: StateItems, failed: StateFailed) -> Item | None:
    return next((item for one, item in state.retriers if matches(one.names, failed)), None)


def _limit(state: StateItems, visit: Visit, entry: Entry) -> Item | None:
    """Return the limit that an event of a task missed; errors that a handler names so count."""
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
    """Return whether a task ended before its TimeoutSeconds: then a heartbeat was missed."""
    if not timed_out.type.endswith("TimedOut"):
        return False
    limit = scheduled.details.get("timeoutInSeconds")
    return limit is None or round(timed_out.at - scheduled.at, 3) < limit


# What a history does not say --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """What expressions may ask of an execution: its names, its input, when it was started."""

    identity: Identity
    input: Any
    at: float


def deciding(state: State) -> Callable[[Visit, Any, Mapping[str, Any], Setting], int | None]:
    """Return what decides which rule of a Choice holds, Default being the last; None: unknown."""
    work = compile_state(_with_numbered_targets(state)).work
    assert work

    def decide(
        visit: Visit, data: Any, variables: Mapping[str, Any], setting: Setting
    ) -> int | None:
        try:
            return int(work(_env(visit, data, variables, setting))[1] or 0)
        except (StateFailed, InputError):
            return None

    return decide


def failure(
    state: State, visit: Visit, variables: Mapping[str, Any], setting: Setting
) -> StateFailed:
    """Return the failure with which a Fail state ends."""
    program = compile_state(state)
    assert program.work
    try:
        program.work(_env(visit, visit.input, variables, setting))
    except StateFailed as failed:
        return failed
    raise AssertionError(f"{state.name} is a {state.type} state")


def _with_numbered_targets(state: State) -> State:
    rules = [
        {k: v for k, v in rule.fields.items() if k not in _AFTER} | {"Next": str(rule.number)}
        for rule in state.rules
    ]
    fields = {key: value for key, value in state.fields.items() if key not in _AFTER}
    return replace(state, fields={**fields, "Choices": rules, "Default": str(len(rules))})


def _env(visit: Visit, data: Any, variables: Mapping[str, Any], setting: Setting) -> Env:
    engine = Engine(_NOWHERE, setting.identity, STANDARD)
    engine.input, engine.started_at = setting.input, setting.at
    engine.now = visit.entered.at
    fiber = Fiber(engine, None, "", 0)
    fiber.variables = dict(variables)
    index = visit.index
    # Without ItemSelector the iteration's input is the item.
    fiber.item = None if index is None else {"Index": index, "Value": data}
    return Env(fiber, visit.name, False, data)
