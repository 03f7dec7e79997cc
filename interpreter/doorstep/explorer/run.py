"""What became of a script: its calls, and the states that its executions went through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Protocol

from ..coverage import Coverage
from ..coverage.items import StateItems
from ..engine import Event, Invoke
from ..history import Visit, Visits, of_execution
from ..model.definition import Clause, State
from ..runtime import Answer, Driver, Running
from ..values.json_values import dumps
from .flow_states import Left
from .script import Script

Respond = Callable[[Running, Invoke], Answer | None]
EVENTS = 2_500
"""A run with as many events is cut off: it goes round in a loop, or is too large to explore."""
ROUNDS = 10
"""How often a state may be entered with the same data and variables."""


class Trace:
    """One execution of a run, the children of its map runs each having one of their own."""

    def __init__(self, execution: Running) -> None:
        self.execution = execution
        self.children: dict[str, list[Trace]] = {}
        """Of each map run, by its ARN."""
        self.parent: tuple[Trace, int] | None = None
        """Whose child it is, and which one."""
        self._entered: Counter[tuple[str, str, str]] = Counter()
        self._variables: dict[str, str] = {}

    def again(self, event: Event) -> str | None:
        """The state, if an event enters it for the tenth time with nothing changed."""
        details = event.details or {}
        self._variables |= details.get("assignedVariables", {})
        if not event.type.endswith("StateEntered"):
            return None
        key = details["name"], details["input"], dumps(self._variables)
        self._entered[key] += 1
        return details["name"] if self._entered[key] == ROUNDS else None

    @cached_property
    def visits(self) -> Visits:
        """The states it went through."""
        return of_execution(self.execution.events)

    @cached_property
    def by_exit(self) -> dict[int, Visit]:
        """The visits by the event with which they were left."""
        return {one.exited.id: one for one in self.visits.all if one.exited}

    @cached_property
    def by_event(self) -> dict[int, Visit]:
        """The visits by each of their events."""
        return {event.id: one for one in self.visits.all for event in one.events}

    def started(self, child: Trace) -> Visit:
        """The visit of the Map whose run a child belongs to."""
        run = child.execution.identity.map_run
        return next(one for one in self.visits.all if run in _map_runs(one))

    def children_of(self, visit: Visit) -> list[Trace]:
        """The children of the last map run of a visit, in the order of their items."""
        runs = _map_runs(visit)
        return self.children.get(runs[-1], []) if runs else []

    def before(self, visit: Visit) -> Visit | None:
        """The one from which a transition led to this one; None at the start of its scope."""
        return self.by_exit.get(visit.entered.previous)

    @cached_property
    def ranks(self) -> dict[int, int]:
        """How many attempts of the same state came before each one, by its event."""
        counts: Counter[str] = Counter()
        ranks = {}
        attempts = ((a.id, one.name) for one in self.visits.all for a in one.attempts)
        for event, name in sorted(attempts):
            ranks[event] = counts[name]
            counts[name] += 1
        return ranks


def _map_runs(visit: Visit) -> list[str]:
    return [e.details["mapRunArn"] for e in visit.events if e.type == "MapRunStarted"]


class Run:
    """What became of a script."""

    def __init__(self, subject: Explored, script: Script, first: Respond | None) -> None:
        self.subject = subject
        self.script = script
        self.first = first
        self.traces: dict[str, Trace] = {}
        """By ARN, the execution's own first."""
        self.calls: dict[tuple[str, str], list[int]] = {}
        """The numbers of the calls, by execution and state."""
        self.invokes: list[Invoke] = []
        self.driver: Driver | None = None
        self.round: tuple[Trace, int] | None = None
        """Where a state was entered once too often with the same data: by which event."""
        self._counts: Counter[str] = Counter()
        self._parents: dict[str, Trace] = {}
        """Who started each map run."""

    @property
    def execution(self) -> Running:
        """The execution itself."""
        return next(iter(self.traces.values())).execution

    @property
    def read(self) -> Script:
        """Its script, with the items spelt out that it read."""
        states = self.subject.states.items()
        readers = [name for name, state in states if state.reader]
        items = {name: self.script.found(name) for name in readers if name in self.entered}
        return replace(self.script, items=items)

    @property
    def endless(self) -> bool:
        """Whether it was cut off."""
        return self.round is not None or len(self.execution.events) >= EVENTS

    def respond(self, execution: Running, invoke: Invoke) -> Answer:
        """The script's answer to a call."""
        number = self._counts[invoke.state]
        self._counts[invoke.state] += 1
        self.calls.setdefault((execution.arn, invoke.state), []).append(number)
        self.invokes.append(invoke)
        if self.first and (answer := self.first(execution, invoke)):
            return answer
        return self.script.reply(invoke.state, number)

    def on_event(self, execution: Running, event: Event) -> None:
        """Note an execution when it begins, and when it goes round."""
        if execution.arn not in self.traces:
            self.traces[execution.arn] = Trace(execution)
            self._adopt(self.traces[execution.arn])
        trace = self.traces[execution.arn]
        if event.type == "MapRunStarted":
            self._parents[(event.details or {})["mapRunArn"]] = trace
        if (name := trace.again(event)) and self.driver and not self.subject.in_map(name):
            self.round = self.round or (trace, event.id)
            self.driver.clock.call_at(event.at, partial(self.driver.stop, execution))

    def _adopt(self, child: Trace) -> None:
        run = child.execution.identity.map_run
        if run and (trace := self._parents.get(run)):
            children = trace.children.setdefault(run, [])
            child.parent = trace, len(children)
            children.append(child)

    def number(self, trace: Trace, visit: Visit) -> int:
        """The number of the last call of a Task's visit."""
        numbers = self.calls.get((trace.execution.arn, visit.name), [])
        rank = trace.ranks[visit.attempts[-1].id]
        return numbers[min(rank, len(numbers) - 1)] if numbers else 0

    def answered(self, trace: Trace, visit: Visit) -> int:
        """The number of the first of the calls that were answered like the last one."""
        last = number = self.number(trace, visit)
        first = last - len(visit.retries)
        reply = self.script.reply(visit.name, last)
        while number > first and self.script.reply(visit.name, number - 1) == reply:
            number -= 1
        return number

    def left(self, visit: Visit) -> Left:
        """How a visit was left: by Next, by a rule or by a catcher."""
        state, target = self.subject.states[visit.name], visit.following
        caught = visit.outcome == "caught" or target != state.next
        clauses = (*state.catchers, *state.rules) if caught else state.rules
        clause = next((one for one in clauses if one.target == target), None)
        return self.subject.exit(state, clause)

    @property
    def entered(self) -> set[str]:
        """The names of the states that it went through."""
        return {seen.state.name for seen in self.visited()}

    def visited(self) -> list[Seen]:
        """Every visit of every execution."""
        return [Seen(self, t, one) for t in self.traces.values() for one in t.visits.all]


class Explored(Protocol):
    """What a run asks of the definition that it explores."""

    states: dict[str, State]
    around: dict[str, State | None]
    """The Parallel or Map that each state stands in."""
    coverage: Coverage
    parts: dict[str, StateItems]

    @property
    def after(self) -> dict[str, set[str]]:
        """The states that may be entered after each state."""

    def in_map(self, name: str) -> bool:
        """Whether a state stands in an inline Map."""

    def exit(self, state: State, clause: Clause | None = None) -> Left:
        """What an exit of a state leaves behind."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A state that a run went through, in one of its executions."""

    run: Run
    trace: Trace
    visit: Visit

    @property
    def state(self) -> State:
        """The state."""
        return self.run.subject.states[self.visit.name]

    @property
    def parts(self) -> StateItems:
        """What there is to cover in it."""
        return self.run.subject.parts[self.visit.name]

    @property
    def call(self) -> int:
        """The number of the last call of a Task."""
        return self.run.number(self.trace, self.visit)
