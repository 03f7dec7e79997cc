"""A definition being explored, and the runs of scripts with it, in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from tempfile import TemporaryDirectory
from typing import Any

from ..api import SEEDED_START, Type
from ..asl.compile import compile_workflow
from ..coverage import Coverage, Item, StateItems
from ..engine import Event, Header, Identity, Invoke, ItemSource, Program, StartMapRun
from ..history import Visit, Visits, of_execution
from ..map_runs import MapRun, buckets_in
from ..model import Clause, State, home_of, workflow
from ..runtime import Answer, Clock, Driver, Handlers, Respond, Running, VirtualClock
from ..values.json_values import dumps
from . import flow_states
from .findings import Script
from .flow_states import ExitFlow

EVENTS = 2_500
"""A run with as many events is cut off: it is in a loop, or too large to explore.

A tenth of AWS's limit (25,000): an endless loop costs a tenth of the time, and Maps of some hundred
items still fit.
"""
ROUNDS = 10
"""A state entered so often with the same data and variables is in an endless loop.

Once would do if answers were always the same. But a script may have a list of them, and a loop that
polls reads the same data until the next one; scripts seldom have more than a few.
"""


class Trace:
    """One execution of a run, the children of its map runs each having one of their own."""

    def __init__(self, execution: Running) -> None:
        self.execution = execution
        self.children: dict[str, list[Trace]] = {}
        """Those of each map run, by its ARN, in the order of their items."""
        self.parent: tuple[Trace, int] | None = None
        """Its parent, and which of the parent's children it is."""
        self._entered: Counter[tuple[str, str, str]] = Counter()
        self._variables: dict[str, str] = {}

    def repeats(self, event: Event) -> str | None:
        """Return the state that an event enters for the tenth time with nothing changed, if any."""
        details = event.details or {}
        self._variables |= details.get("assignedVariables", {})
        if not event.type.endswith("StateEntered"):
            return None
        key = details["name"], details["input"], dumps(self._variables)
        self._entered[key] += 1
        return details["name"] if self._entered[key] == ROUNDS else None

    @cached_property
    def visits(self) -> Visits:
        """The states that it entered."""
        return of_execution(self.execution.events)

    @cached_property
    def by_exit(self) -> dict[int, Visit]:
        """The visits by the events of their exits."""
        return {one.exited.id: one for one in self.visits.all if one.exited}

    def started(self, child: Trace) -> Visit:
        """Return the visit of the Map whose run a child belongs to."""
        run = child.execution.identity.map_run
        return next(one for one in self.visits.all if run in _map_runs(one))

    def children_of(self, visit: Visit) -> list[Trace]:
        """Return the children of a visit's last map run, in the order of their items."""
        runs = _map_runs(visit)
        return self.children.get(runs[-1], []) if runs else []

    def before(self, visit: Visit) -> Visit | None:
        """Return the visit that led to this one by a transition; None at the start of a scope."""
        return self.by_exit.get(visit.entered.previous)

    @cached_property
    def ranks(self) -> dict[int, int]:
        """How many attempts of the same state came before each one, by event."""
        counts: Counter[str] = Counter()
        ranks = {}
        attempts = ((a.id, one.name) for one in self.visits.all for a in one.attempts)
        for event, name in sorted(attempts):
            ranks[event] = counts[name]
            counts[name] += 1
        return ranks


def _map_runs(visit: Visit) -> list[str]:
    return [e.details["mapRunArn"] for e in visit.events if e.type == "MapRunStarted"]


@dataclass(frozen=True, slots=True)
class Loop:
    """States that were entered again and again."""

    script: Script
    states: tuple[str, ...]
    """In order."""
    rounds: int
    """The iterations until the run was cut off; 0: it was cut off because nothing changed."""


class Run:
    """A script run to its end: its calls, and the states that its executions went through."""

    def __init__(
        self, subject: Subject, script: Script, first: Respond | None, folder: str | None
    ) -> None:
        """`first` is asked before the script; `folder`: what a ResultWriter may write to."""
        self.subject = subject
        self.script = script
        self.traces: dict[str, Trace] = {}
        """By ARN, the execution's own first."""
        self.calls: dict[tuple[str, str], list[int]] = {}
        """The numbers of the calls, by execution and state."""
        self.invokes: list[Invoke] = []
        self.repetition: tuple[Trace, int] | None = None
        """The event that entered a state once too often with the same data."""
        self._first = first
        self._counts: Counter[str] = Counter()
        self._parents: dict[str, Trace] = {}
        """The traces that started the map runs, by ARN."""
        self._driver = _ShortDriver(
            VirtualClock(SEEDED_START),
            Handlers(),
            buckets=buckets_in(folder),
            on_event=self._on_event,
            respond=self._respond,
            new_map_run=partial(_ScriptedMapRun, script),
        )
        header = Header.of(subject.definition, subject.identity)
        self._driver.run(self._driver.start(subject.program, header, dumps(script.input)))

    @property
    def execution(self) -> Running:
        """The execution itself."""
        return next(iter(self.traces.values())).execution

    @property
    def whole_script(self) -> Script:
        """Its script, with the items that it read, those of the default included."""
        readers = [name for name, state in self.subject.states.items() if state.reader]
        items = {name: self.script.items_of(name) for name in readers if name in self.entered}
        return replace(self.script, items=items)

    @property
    def endless(self) -> bool:
        """Whether it was cut off."""
        return self.repetition is not None or len(self.execution.events) >= EVENTS

    @property
    def loop(self) -> Loop | None:
        """The states between two visits of the state at which it was cut off."""
        if not self.endless:
            return None
        trace, event = self.repetition or (next(iter(self.traces.values())), 0)
        start = trace.visits.of.get(event) or trace.visits.all[-1]
        states: tuple[str, ...] = ()
        visit: Visit | None = start
        while visit := trace.before(visit) if visit else None:
            states = (visit.name, *states)
            if visit.name == start.name:
                visits = sum(one.name == start.name for one in trace.visits.all)
                return Loop(self.script, states, 0 if self.repetition else visits)
        return None

    def _respond(self, execution: Running, invoke: Invoke) -> Answer:
        """Answer a call with the script."""
        number = self._counts[invoke.state]
        self._counts[invoke.state] += 1
        self.calls.setdefault((execution.arn, invoke.state), []).append(number)
        self.invokes.append(invoke)
        if self._first and (answer := self._first(execution, invoke)):
            return answer
        return self.script.reply(invoke.state, number)

    def _on_event(self, execution: Running, event: Event) -> None:
        """Add a trace when an execution begins, and stop one that repeats itself."""
        if execution.arn not in self.traces:
            self.traces[execution.arn] = Trace(execution)
            self._adopt(self.traces[execution.arn])
        trace = self.traces[execution.arn]
        if event.type == "MapRunStarted":
            self._parents[(event.details or {})["mapRunArn"]] = trace
        if (name := trace.repeats(event)) and not self.subject.in_map(name):
            self.repetition = self.repetition or (trace, event.id)
            self._driver.clock.call_at(event.at, partial(self._driver.stop, execution))

    def _adopt(self, child: Trace) -> None:
        run = child.execution.identity.map_run
        if run and (trace := self._parents.get(run)):
            children = trace.children.setdefault(run, [])
            child.parent = trace, len(children)
            children.append(child)

    def number(self, trace: Trace, visit: Visit) -> int:
        """Return the number of the last call of a Task's visit."""
        numbers = self.calls.get((trace.execution.arn, visit.name), [])
        rank = trace.ranks[visit.attempts[-1].id]
        return numbers[min(rank, len(numbers) - 1)] if numbers else 0

    def answered(self, trace: Trace, visit: Visit) -> int:
        """Return the number of the first of a visit's calls that were answered like the last."""
        last = number = self.number(trace, visit)
        first = last - len(visit.retries)
        reply = self.script.reply(visit.name, last)
        while number > first and self.script.reply(visit.name, number - 1) == reply:
            number -= 1
        return number

    def exit_of(self, visit: Visit) -> ExitFlow:
        """Return how a visit was left: by Next, by a rule or by a catcher."""
        state, target = self.subject.states[visit.name], visit.following
        caught = visit.outcome == "caught" or target != state.next
        clauses = (*state.catchers, *state.rules) if caught else state.rules
        return self.subject.exit(
            state, next((one for one in clauses if one.target == target), None)
        )

    @property
    def end(self) -> str | None:
        """The state with which the workflow ended: its last one, or a Fail; None if it broke."""
        *_, before, _last = (None, None, *self.execution.events)
        if before is None:
            return None
        of_its_own = self.execution.status == "SUCCEEDED" or before.type == "FailStateEntered"
        return str(before.details["name"]) if of_its_own and before.details else None

    @property
    def entered(self) -> set[str]:
        """The names of the states that it went through."""
        return {step.state.name for step in self.steps()}

    def steps(self) -> list[RunStep]:
        """Return every visit of every execution."""
        return [RunStep(self, t, one) for t in self.traces.values() for one in t.visits.all]


@dataclass(frozen=True, slots=True)
class RunStep:
    """A visit of a state in one of a run's executions."""

    run: Run
    trace: Trace
    visit: Visit

    @property
    def state(self) -> State:
        """The state."""
        return self.run.subject.states[self.visit.name]

    @property
    def parts(self) -> StateItems:
        """What there is to cover in the state."""
        return self.run.subject.parts[self.visit.name]

    @property
    def call(self) -> int:
        """The number of the last call of a Task."""
        return self.run.number(self.trace, self.visit)


# The definition -----------------------------------------------------------------------------------

_LISTED = {
    "Etag": '"d41d8cd98f00b204e9800998ecf8427e"',
    "Key": "some/key",
    "LastModified": 1735689600.0,
    "Size": 0,
    "StorageClass": "STANDARD",
}
"""An item of listObjectsV2 (S3's API reference); only the key is made up."""


class Subject:
    """The explored definition, compiled once."""

    def __init__(self, definition: dict[str, Any], type: Type, name: str) -> None:
        """`definition`: one that AWS would accept."""
        self.definition = definition
        self.type: Type = type
        tree = workflow(definition)
        self.states: dict[str, State] = {state.name: state for state in tree.scope.walk()}
        self.around: dict[str, State | None] = {
            state.name: outer for state, outer in tree.scope.walk_inside(None)
        }
        """The Parallel or Map that each state stands in."""
        self.program = compile_workflow(tree)
        self.coverage = Coverage(definition)
        self.parts = self.coverage.parts
        self._exits: dict[tuple[str, str], ExitFlow] = {}
        self.identity = Identity(
            name="explored",
            seed="explored",
            machine=name,
            type=type,
            region=home_of(definition),
        )

    def run(self, script: Script, first: Respond | None = None) -> Run:
        """Run a script to its end in virtual time; `first` is asked before the script."""
        writes = any(state.writer for state in self.states.values())
        with TemporaryDirectory(prefix="doorstep-") if writes else nullcontext() as folder:
            return Run(self, script, first, folder)

    @cached_property
    def after(self) -> dict[str, set[str]]:
        """The states that may be entered after each state, in its scope."""
        following = {name: set(parts.transitions) for name, parts in self.parts.items()}
        return {name: _closure(following, name) for name in following}

    def in_map(self, name: str) -> bool:
        """Return whether a state stands in an inline Map, whose items may all be the same."""
        around = self.around[name]
        if around is None or around.distributed:
            return False
        return around.type == "Map" or self.in_map(around.name)

    def exit(self, state: State, clause: Clause | None = None) -> ExitFlow:
        """Return the output and variables of an exit of a state."""
        key = state.name, clause.pointer if clause else ""
        if key not in self._exits:
            self._exits[key] = flow_states.exit_by(state, clause)
        return self._exits[key]

    def used(self, run: Run) -> set[Item]:
        """Return what a run used of the definition."""
        coverage = Coverage(self.definition)
        for trace in run.traces.values():
            identity = trace.execution.identity
            coverage.add(trace.visits, identity, identity.map_run)
        return set(coverage.hits)


class _ShortDriver(Driver):
    """Cuts executions off after a few events, the children of map runs too."""

    def start(
        self, program: Program, header: Header, text: str, clock: Clock | None = None
    ) -> Running:
        """Start an execution as a Driver does, with fewer events."""
        limit = "loop_events" if header.identity.type == "EXPRESS" else "history_events"
        fewer = header._replace(quotas=header.quotas.but({limit: EVENTS}))
        return super().start(program, fewer, text, clock)


class _ScriptedMapRun(MapRun):
    """A map run whose items are the script's instead of a reader's."""

    def __init__(
        self, script: Script, driver: Driver, parent: Running, command: StartMapRun
    ) -> None:
        super().__init__(driver, parent, command)
        self._script = script

    def start(self, command: StartMapRun) -> None:
        """Begin with the script's items; None: nothing can be read, as the reader will find."""
        items = self._script.items_of(command.state)
        if (reader := command.reader) and items is not None:
            command = command._replace(reader=None, items=[_item(reader, item) for item in items])
        super().start(command)


def _item(reader: ItemSource, item: Any) -> Any:
    """Return an item as its reader does: a listed object has its members, a row has texts."""
    members = item if isinstance(item, dict) else {}
    if reader.resource.endswith("listObjectsV2"):
        return _LISTED | members
    if reader.config.get("InputType") != "CSV":
        return item
    return {
        name: str(members.get(name, "-")) for name in reader.config.get("CSVHeaders") or members
    }


def _closure(following: Mapping[str, set[str | None]], start: str) -> set[str]:
    reachable: set[str] = set()
    waiting = [start]
    while waiting:
        new = {name for name in following[waiting.pop()] if name and name not in reachable}
        reachable |= new
        waiting += new
    return reachable
