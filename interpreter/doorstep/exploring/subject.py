"""A definition being explored: compiled once, and run with scripts in virtual time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ..compile import compile_machine
from ..coverage import Coverage, Item
from ..definition import Scope, State, machine, processor_config
from ..drivers import Driver, Execution, VirtualClock
from ..drivers.clock import Clock
from ..engine import Program
from ..handlers import Handlers
from ..identity import Identity
from ..jsontext import dumps
from ..quotas import Quotas, quotas_of
from ..running import SEEDED_START, Type
from . import flow_states
from .flow_states import Left
from .run import EVENTS, Respond, Run
from .script import Script


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

    @cached_property
    def after(self) -> dict[str, set[str]]:
        """The states of its scope that may come after each state."""
        following = {name: set(found.transitions) for name, found in self.parts.items()}
        return {name: _closure(following, name) for name in following}

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
            self._exits[key] = flow_states.left(state, way, index)
        return self._exits[key]

    def used(self, run: Run) -> set[Item]:
        """What a run used of the definition."""
        coverage = Coverage(self.definition)
        for trace in run.traces.values():
            identity = trace.execution.identity
            coverage.add_passages(trace.passages, identity, identity.map_run)
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


def _closure(following: Mapping[str, set[str | None]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = {name for name in following[waiting.pop()] if name and name not in found}
        found |= new
        waiting += new
    return found


def _around(scope: Scope, outer: State | None) -> Iterator[tuple[str, State | None]]:
    for state in scope.states.values():
        yield state.name, outer
        for inner in state.scopes:
            yield from _around(inner, state)
