"""State machines as tests run them: on the test's clock, with mocks, under names of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Unpack

from ...api import CommonOptions, Definition, Type, start
from ...engine import Event, Invoke
from ...runtime import Answer, Callbacks, Execution, Source
from ..mock_files import mocks_of
from ..mocks import Checking, Mock, Mocks
from .calls import Call, made
from .clock import SimulatedClock
from .executions import ObservedExecution

MockSource = Iterable[Mock] | str
_NOT_IN_NAMES = re.compile(r"[^\w-]+", re.ASCII)
_LONGEST_NAME = 70
"""An execution's name has 80 characters at the most; a number follows."""


class MachineOptions(CommonOptions, total=False):
    """Options of a machine or a run in a test: those of `doorstep.start` but for the clock."""

    answers: Checking
    """Of `Mocks`."""


class Bench:
    """What the machines of one test share: the clock, the folder, and what was run."""

    def __init__(self, folder: Path, name: str, clock: SimulatedClock) -> None:
        """`folder`: where relative files are; `name`: of the test, for the executions' names."""
        short = _NOT_IN_NAMES.sub("-", name)[-_LONGEST_NAME:]
        self.folder = folder
        self.clock = clock
        self.executions: list[ObservedExecution] = []
        self.mocks: list[Mocks] = []
        self.all: list[tuple[Execution, Path | None]] = []
        """Children included, each with the file of the definition that it was started by."""
        self._names = (f"{short}-{number}" for number in count(1))

    def machine(
        self,
        definition: Mapping[str, Any] | Path | str,
        handlers: Source | None = None,
        *,
        file: Path | None = None,
        **options: Unpack[MachineOptions],
    ) -> StateMachine:
        """A machine to run; `options` are those of `doorstep.start`, but for `clock`.

        `answers` ("strict", "warn", "off"): of `Mocks`.

        `definition`: a mapping, or a file; files, those of `handlers`, `machines` and `bucket`
        included, are relative to the test's own file. `file`: where a mapping is written, for
        coverage.
        """
        if isinstance(definition, str | Path):
            definition = file = self.folder / definition
            options.setdefault("machine_name", file.name.partition(".")[0])
        bucket = self._located(options.get("bucket"))
        given = (options.get("machines") or {}).items()
        machines = {name: self._started(one) for name, one in given}
        files = {name: one for name, (one, _) in machines.items() if isinstance(one, Path)}
        if file:
            files[options.get("machine_name", "StateMachine")] = file
        options["bucket"], options["machines"] = bucket, machines
        return StateMachine(self, definition, files, self._source(handlers), options)

    def next_name(self) -> str:
        """A name that no other execution of this test has."""
        return next(self._names)

    def _located(self, given: Any) -> Any:
        """A file or folder beside the test; whatever else is given as it is."""
        return self.folder / given if isinstance(given, str | Path) else given

    def _started(self, given: Any) -> tuple[Definition, Type]:
        """A machine that others start: what defines it, its type."""
        definition, of_type = given if isinstance(given, tuple) else (given, "STANDARD")
        return self._located(definition), of_type

    def _source(self, handlers: Source | None) -> Source | None:
        if isinstance(handlers, str | Path) and (self.folder / handlers).exists():
            return self.folder / handlers
        return handlers


class StateMachine:
    """A definition with its handlers, ready to be run any number of times."""

    def __init__(
        self,
        bench: Bench,
        definition: Definition,
        files: Mapping[str, Path],
        handlers: Source | None,
        options: MachineOptions,
    ) -> None:
        """`files`: where it and the machines that it starts are written, by name."""
        self.bench = bench
        self.definition = definition
        self.files = files
        self.handlers = handlers
        self.options = options

    def run(
        self, input: Any = None, *, mocks: MockSource = (), **options: Unpack[MachineOptions]
    ) -> ObservedExecution:
        """Run it to its end.

        `mocks`: of `doorstep.testing.mocks`, or "mocks.yaml", or "MockConfigFile.json#TestCase".
        """
        observed = self.start(input, mocks=mocks, **options)
        self.bench.clock.run(lambda: observed.execution.ended)
        return observed

    def start(
        self, input: Any = None, *, mocks: MockSource = (), **options: Unpack[MachineOptions]
    ) -> ObservedExecution:
        """Start it; it goes on as the clock is advanced."""
        given: dict[str, Any] = {**self.options, **options}
        name = given.pop("name", None) or self.bench.next_name()
        checking = given.pop("answers", "strict")
        mocked = self._mocks(mocks, given.get("machine_name"), checking)
        children: list[Execution] = []
        calls: list[Call] = []

        def on_event(execution: Execution, event: Event) -> None:
            if event.id == 1:
                file = self.files.get(execution.identity.machine)
                self.bench.all.append((execution, file))
                if execution is not observed.execution:
                    children.append(execution)

        def respond(execution: Execution, invoke: Invoke) -> Answer | None:
            calls.append(made(execution, invoke, observed.execution.events[0].at))
            return mocked(execution, invoke)

        driver, execution = start(
            self.definition,
            input,
            self.handlers,
            clock=self.bench.clock,
            respond=respond,
            name=name,
            seed=given.pop("seed", name),
            on_event=on_event,
            **given,
        )
        mocked.driver = driver
        observed = ObservedExecution(execution, children, calls, Callbacks(driver.send_or_raise))
        self.bench.executions.append(observed)
        self.bench.mocks.append(mocked)
        return observed

    def _mocks(self, mocks: MockSource, machine: str | None, answers: Checking) -> Mocks:
        if not isinstance(mocks, str):
            return Mocks(*mocks, answers=answers)
        return Mocks(*mocks_of(mocks, self.bench.folder, machine), answers=answers)
