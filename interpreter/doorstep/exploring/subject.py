"""A definition being explored: run with a script, and what the run used and went through."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..answers import Answer
from ..commands import Invoke
from ..compile import compile_machine
from ..coverage import Coverage, Item
from ..coverage.items import Parts
from ..definition import Scope, State, machine, processor_config
from ..drivers import Driver, Execution, VirtualClock
from ..drivers.clock import Clock
from ..engine import Program
from ..events import Event
from ..handlers import Handlers
from ..identity import Identity
from ..jsontext import dumps
from ..passages import Passage
from ..quotas import Quotas, quotas_of
from ..running import SEEDED_START, Type
from . import stateflow
from .buckets import fill
from .script import Script
from .stateflow import Left
from .trace import Trace

Respond = Callable[[Execution, Invoke], Answer | None]
EVENTS = 2_500
"""A run with as many events is cut off: it goes round in a loop, or is too large to explore."""


class Run:
    """What became of a script."""

    def __init__(self, subject: Subject, script: Script, first: Respond | None) -> None:
        self.subject = subject
        self.script = script
        self.first = first
        self.traces: dict[str, Trace] = {}
        """By ARN, the execution's own first."""
        self.calls: dict[tuple[str, str], list[int]] = {}
        """The numbers of the calls, by execution and state."""
        self.invokes: list[Invoke] = []
        self.bucket: Path | None = None
        self.driver: Driver | None = None
        self.round: tuple[Trace, int, str] | None = None
        """Where a state was entered once too often with the same data: by which event, which."""
        self._counts: Counter[str] = Counter()

    @property
    def execution(self) -> Execution:
        """The execution itself."""
        return next(iter(self.traces.values())).execution

    @property
    def endless(self) -> bool:
        """Whether it was cut off."""
        return self.round is not None or len(self.execution.events) >= EVENTS

    def respond(self, execution: Execution, invoke: Invoke) -> Answer:
        """The script's answer to a call."""
        number = self._counts[invoke.state]
        self._counts[invoke.state] += 1
        self.calls.setdefault((execution.arn, invoke.state), []).append(number)
        self.invokes.append(invoke)
        if self.first and (answer := self.first(execution, invoke)):
            return answer
        return self.script.reply(invoke.state, number)

    def on_event(self, execution: Execution, event: Event) -> None:
        """Note an execution when it begins; have the objects ready that a map run reads."""
        if execution.arn not in self.traces:
            self.traces[execution.arn] = Trace(execution)
            self._adopt(self.traces[execution.arn])
        if event.type == "MapRunStarted" and self.bucket:
            fill(self.bucket, execution, self.script)
        trace = self.traces[execution.arn]
        if (name := trace.again(event)) and self.driver and not self.subject.in_map(name):
            self.round = self.round or (trace, event.id, name)
            self.driver.clock.call_at(event.at, partial(self.driver.stop, execution))

    def _adopt(self, child: Trace) -> None:
        run = child.execution.identity.map_run
        for trace in self.traces.values() if run else ():
            if any(
                (event.details or {}).get("mapRunArn") == run for event in trace.execution.events
            ):
                children = trace.children.setdefault(str(run), [])
                child.parent = trace, len(children)
                children.append(child)
                return

    def number(self, trace: Trace, passage: Passage) -> int:
        """The number of the last call of a Task's passage."""
        numbers = self.calls.get((trace.execution.arn, passage.name), [])
        rank = trace.ranks[passage.attempts[-1].id]
        return numbers[min(rank, len(numbers) - 1)] if numbers else 0

    def answered(self, trace: Trace, passage: Passage) -> int:
        """The number of the first of the calls that were answered like the last one."""
        last = number = self.number(trace, passage)
        first = last - len(passage.retries)
        reply = self.script.reply(passage.name, last)
        while number > first and self.script.reply(passage.name, number - 1) == reply:
            number -= 1
        return number

    def left(self, passage: Passage) -> Left:
        """How a passage was left: by Next, by a rule or by a catcher."""
        state, target = self.subject.states[passage.name], passage.following
        caught = passage.visit.outcome == "caught" or target != state.fields.get("Next")
        ways = ("Catch", "Choices") if caught else ("Choices",)
        for way in ways:
            for index, entry in enumerate(state.fields.get(way, ())):
                if entry["Next"] == target:
                    return self.subject.exit(state, way, index)
        return self.subject.exit(state)

    @property
    def entered(self) -> set[str]:
        """The names of the states that it went through."""
        return {seen.state.name for seen in self.visited()}

    def visited(self) -> list[Seen]:
        """Every passage of every execution."""
        return [Seen(self, t, one) for t in self.traces.values() for one in t.passages.all]


@dataclass(frozen=True, slots=True)
class Seen:
    """A state that a run went through, in one of its executions."""

    run: Run
    trace: Trace
    passage: Passage

    @property
    def state(self) -> State:
        """The state."""
        return self.run.subject.states[self.passage.name]

    @property
    def parts(self) -> Parts:
        """What there is to cover in it."""
        return self.run.subject.parts[self.passage.name]

    @property
    def call(self) -> int:
        """The number of the last call of a Task."""
        return self.run.number(self.trace, self.passage)


class Subject:
    """A definition, compiled once."""

    def __init__(self, definition: dict[str, Any], type: Type, name: str) -> None:
        """`definition`: one that AWS would accept."""
        self.definition = definition
        self.type: Type = type
        tree = machine(definition)
        self.states: dict[str, State] = {state.name: state for state in tree.scope.walk()}
        self.around: dict[str, State | None] = dict(_around(tree.scope, None))
        """The Parallel or Map that each state stands in."""
        self.program = compile_machine(tree)
        self.coverage = Coverage(definition)
        self.parts = self.coverage.parts
        self.reads_items = any("ItemReader" in one.fields for one in self.states.values())
        self._exits: dict[tuple[str, str, int], Left] = {}
        self._identity = Identity(name="explored", seed="explored", machine=name, type=type)

    def run(self, script: Script, first: Respond | None = None) -> Run:
        """Run a script to its end in virtual time; `first` is asked before the script."""
        run = Run(self, script, first)
        if not self.reads_items:
            return self._run(run)
        with tempfile.TemporaryDirectory(prefix="doorstep-") as folder:
            run.bucket = Path(folder)
            return self._run(run)

    def _run(self, run: Run) -> Run:
        driver = _Limited(
            VirtualClock(SEEDED_START),
            Handlers(),
            bucket=run.bucket,
            on_event=run.on_event,
            respond=run.respond,
        )
        run.driver = driver
        execution = driver.start(
            self.program, self.definition, self._identity, dumps(run.script.input)
        )
        driver.run(execution)
        return run

    def in_map(self, name: str) -> bool:
        """Whether a state stands in an inline Map, whose items may all be the same."""
        around = self.around[name]
        if around is None or processor_config(around).get("Mode") == "DISTRIBUTED":
            return False
        return around.type == "Map" or self.in_map(around.name)

    def exit(self, state: State, way: str = "Next", index: int = 0) -> Left:
        """What an exit of a state leaves behind."""
        key = state.name, way, index
        if key not in self._exits:
            self._exits[key] = stateflow.left(state, way, index)
        return self._exits[key]

    def used(self, run: Run) -> set[Item]:
        """What a run used of the definition."""
        coverage = Coverage(self.definition)
        for trace in run.traces.values():
            identity = trace.execution.identity
            coverage.add(trace.passages, identity, identity.map_run)
        return set(coverage.hits)


class _Limited(Driver):
    """Cuts its executions off, the children of map runs as well."""

    def start(
        self,
        program: Program,
        definition: Mapping[str, Any],
        identity: Identity,
        text: str,
        quotas: Quotas | None = None,
        clock: Clock | None = None,
    ) -> Execution:
        """As a Driver, but with fewer events."""
        limit = "loop_events" if identity.type == "EXPRESS" else "history_events"
        fewer = (quotas or quotas_of(identity.type)).but({limit: EVENTS})
        return super().start(program, definition, identity, text, fewer, clock)


def _around(scope: Scope, outer: State | None) -> Iterator[tuple[str, State | None]]:
    for state in scope.states.values():
        yield state.name, outer
        for inner in state.scopes:
            yield from _around(inner, state)
