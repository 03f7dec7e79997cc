"""A definition being explored: compiled once, and run with scripts in virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..api import SEEDED_START, Type
from ..asl.compile import compile_workflow
from ..coverage import Coverage, Item
from ..engine import Header, Identity, ItemSource, Program, StartMapRun
from ..map_runs.run import MapRun
from ..model.definition import Clause, State, workflow
from ..runtime import Clock, Driver, Handlers, Running, VirtualClock
from ..values.json_values import dumps
from . import flow_states
from .flow_states import Left
from .run import EVENTS, Respond, Run
from .script import Script

_LISTED = {
    "Etag": '"d41d8cd98f00b204e9800998ecf8427e"',
    "Key": "some/key",
    "LastModified": 1735689600.0,
    "Size": 0,
    "StorageClass": "STANDARD",
}
"""A member of what listObjectsV2 gives."""


class Subject:
    """A definition, compiled once."""

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
        self._exits: dict[tuple[str, str], Left] = {}
        self._identity = Identity(name="explored", seed="explored", machine=name, type=type)

    def run(self, script: Script, first: Respond | None = None) -> Run:
        """Run a script to its end in virtual time; `first` is asked before the script."""
        run = Run(self, script, first)
        writes = any(state.writer for state in self.states.values())
        with TemporaryDirectory(prefix="doorstep-") if writes else nullcontext() as folder:
            driver = _Driver(
                VirtualClock(SEEDED_START),
                Handlers(),
                bucket=Path(folder) if folder else None,
                on_event=run.on_event,
                respond=run.respond,
                new_map_run=MapRun,
            )
            driver.script, run.driver = script, driver
            text = dumps(script.input)
            header = Header.of(self.definition, self._identity)
            driver.run(driver.start(self.program, header, text))
        return run

    @cached_property
    def after(self) -> dict[str, set[str]]:
        """The states of its scope that may come after each state."""
        following = {name: set(found.transitions) for name, found in self.parts.items()}
        return {name: _closure(following, name) for name in following}

    def in_map(self, name: str) -> bool:
        """Whether a state stands in an inline Map, whose items may all be the same."""
        around = self.around[name]
        if around is None or around.distributed:
            return False
        return around.type == "Map" or self.in_map(around.name)

    def exit(self, state: State, clause: Clause | None = None) -> Left:
        """What an exit of a state leaves behind."""
        key = state.name, clause.pointer if clause else ""
        if key not in self._exits:
            self._exits[key] = flow_states.left(state, clause)
        return self._exits[key]

    def used(self, run: Run) -> set[Item]:
        """What a run used of the definition."""
        coverage = Coverage(self.definition)
        for trace in run.traces.values():
            identity = trace.execution.identity
            coverage.add(trace.visits, identity, identity.map_run)
        return set(coverage.hits)


class _Driver(Driver):
    """Cuts its executions off, the children of map runs as well; items are the script's."""

    script: Script

    def start(
        self, program: Program, header: Header, text: str, clock: Clock | None = None
    ) -> Running:
        """As a Driver, but with fewer events."""
        limit = "loop_events" if header.identity.type == "EXPRESS" else "history_events"
        fewer = replace(header, quotas=header.quotas.but({limit: EVENTS}))
        return super().start(program, fewer, text, clock)

    def _start_map_run(self, execution: Running, command: StartMapRun) -> None:
        items = self.script.found(command.state)
        if (reader := command.reader) and items is not None:
            command = command._replace(reader=None, items=[_item(reader, item) for item in items])
        super()._start_map_run(execution, command)


def _item(reader: ItemSource, item: Any) -> Any:
    """An item as its reader gives it: a listed object has its members, a row has texts."""
    members = item if isinstance(item, dict) else {}
    if reader.resource.endswith("listObjectsV2"):
        return _LISTED | members
    if reader.config.get("InputType") != "CSV":
        return item
    return {
        name: str(members.get(name, "-")) for name in reader.config.get("CSVHeaders") or members
    }


def _closure(following: Mapping[str, set[str | None]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = {name for name in following[waiting.pop()] if name and name not in found}
        found |= new
        waiting += new
    return found
