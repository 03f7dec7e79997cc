"""State machines as tests run them: on the test's clock, with mocks, under names of their own.

`doorstep.pytest_plugin` makes fixtures of them, `doorstep.testing.suites` tests written as YAML.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol, Unpack

from ..api import CommonOptions, Definition, Type, start
from ..engine import Event, Invoke
from ..history import ExecutionView, visits_of
from ..history.child_failures import child_lines, groups_of
from ..model import workflow
from ..runtime import (
    Answer,
    Execution,
    Running,
    Source,
    event_of,
    names_by,
    names_of,
)
from ..runtime.execution import lookup_among
from ..values.did_you_mean import did_you_mean
from ..values.json_values import dumps, loads
from .clock import SimulatedClock
from .mock_files import mocks_of
from .mocks import Mock, Mocks, Validation

MockSource = Iterable[Mock] | str
_NOT_IN_NAMES = re.compile(r"[^\w-]+", re.ASCII)
_CHILDREN = 3
"""Pictures of failed children that stand beneath that of their parent."""
_LONGEST_NAME = 70
"""An execution's name has 80 characters at the most; a number follows."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a task, whoever answered it: a handler, a mock, nobody. A retry is another."""

    state: str
    event: Any
    """What a handler receives, as a JSON value."""
    attempt: int
    """0 for the first call of a visit, then the number of the retry."""
    token: str
    """The task token of a callback or job; empty for others."""
    at: timedelta
    """The modelled time since the start of the test's execution, which may be its parent."""
    names: tuple[str, ...] = field(repr=False)
    """All names under which a handler is looked for: the state, the function, `service:action`."""
    arn: str = field(repr=False)
    """Of the execution that made it."""


class Observation(ExecutionView):
    """An execution whose calls are known, wherever it ran: what a suite's test can check."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The execution's name."""

    @property
    @abstractmethod
    def machine(self) -> str:
        """The name of its state machine; NAME/LABEL for an item of a distributed Map."""

    @abstractmethod
    def called(self, name: str) -> list[Call]:
        """Return the calls of a function, a `service:action`, or a state."""

    @property
    @abstractmethod
    def children(self) -> Sequence[Observation]:
        """The executions that it started, in order, as far as they are known."""


class ObservedExecution(Execution, Observation):
    """An execution of a test, with the calls that its tasks made and the executions it started."""

    def __init__(
        self, execution: Execution, started: Sequence[Execution], calls: Sequence[Call]
    ) -> None:
        super().__init__(execution._driver, execution._running)
        self._started = started
        self._calls = calls

    @property
    def calls(self) -> list[Call]:
        """The calls that its tasks and those of its children made, in order."""
        return list(self._calls)

    def called(self, name: str) -> list[Call]:
        """Return the calls of a function, a `service:action`, or a state."""
        return [call for call in self._calls if name in call.names]

    @property
    def children(self) -> list[ObservedExecution]:
        """The executions of distributed Maps and of local machines that it, or one of them, began.

        In the order in which they were started, each with its own calls.
        """
        own: dict[str, list[Call]] = {child.arn: [] for child in self._started}
        for call in self._calls:
            own.get(call.arn, []).append(call)
        return [
            ObservedExecution(child, _items(child, self._started), own[child.arn])
            for child in self._started
        ]

    @property
    def picture(self) -> str:
        """What happened, a state a line; beneath it the same of children that failed."""
        failed = [one for one in self._started if one.ended and not one.succeeded]
        beneath = (f"{one.machine}: {one.picture}" for one in failed[:_CHILDREN])
        return "\n\n".join([super().picture, *beneath])

    @property
    def failure_table(self) -> str:
        """What failed, as a table; beneath it the same of the executions that it started."""
        inner = child_lines(groups_of(visits_of(self), lookup_among(self._started)))
        return "\n".join([*super().failure_table.splitlines(), *inner])

    def _with_items(self) -> list[ExecutionView]:
        return [self, *_items(self, self._started)]


class Compare(Protocol):
    """Holds an execution of a test against what answers elsewhere."""

    def __call__(self, own: ObservedExecution, mocks: Mocks, *, services: bool) -> None:
        """Raise AssertionError for what differs; `services`: of `services=`, answered its tasks."""


def _items(execution: Execution, started: Sequence[Execution]) -> list[Execution]:
    """Return the executions of its distributed Maps, and of those inside of these."""
    items: list[Execution] = []
    runs = _map_runs(execution)
    for child in started if runs else ():
        if child.map_run in runs:
            runs |= _map_runs(child)
            items.append(child)
    return items


def _map_runs(execution: Execution) -> set[str]:
    started = (event for event in execution.events if event.type == "MapRunStarted")
    return {(event.details or {})["mapRunArn"] for event in started}


class MachineOptions(CommonOptions, total=False):
    """Options of a machine or a run in a test: those of `doorstep.start` but for the clock."""

    mock_validation: Validation
    """Of `Mocks`."""


def _check_options(caller: str, options: Mapping[str, Any], others: Iterable[str]) -> None:
    """Raise TypeError for an option that the caller's function does not have."""
    known = [*others, *sorted(MachineOptions.__optional_keys__)]
    for name in options:
        if name not in MachineOptions.__optional_keys__:
            hint = did_you_mean(name, known) or f"it has {', '.join(known)}"
            raise TypeError(f"{caller}() has no option {name!r}; {hint}")


class TestSession:
    """What the machines of one test share: the clock, the folder, and what was run."""

    __test__ = False

    def __init__(
        self, folder: Path, name: str, clock: SimulatedClock, compare: Compare | None = None
    ) -> None:
        """`folder`: where relative files are; `name`: of the test, for the executions' names.

        `compare` is called with each execution that `run` has run to its end.
        """
        short = _NOT_IN_NAMES.sub("-", name)[-_LONGEST_NAME:]
        self.folder = folder
        self.clock = clock
        self.compare = compare
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
        """Make a machine to run; `options` are those of `doorstep.start`, but for the clock's.

        `mock_validation` ("strict", "warn", "off"): of `Mocks`.

        `definition`: a mapping, or a file; files, those of `handlers`, `state_machines` and
        `s3_root` included, are relative to the test's own file. `file`: where a mapping is written,
        for coverage.
        """
        _check_options("state_machine", options, ("definition", "handlers", "file"))
        if isinstance(definition, str | Path):
            definition = file = self.folder / definition
            options.setdefault("state_machine_name", file.name.partition(".")[0])
        if (s3_root := options.get("s3_root")) is not None:
            options["s3_root"] = self.folder / s3_root
        by_name = (options.get("state_machines") or {}).items()
        machines = {name: self._startable(source) for name, source in by_name}
        options["state_machines"] = machines
        files = {name: source for name, (source, _) in machines.items() if isinstance(source, Path)}
        if file:
            files[options.get("state_machine_name", "StateMachine")] = file
        return StateMachine(self, definition, files, self._source(handlers), options)

    def next_name(self) -> str:
        """Return a name that no other execution of this test has."""
        return next(self._names)

    def _startable(self, source: Definition | tuple[Definition, Type]) -> tuple[Definition, Type]:
        definition, of_type = source if isinstance(source, tuple) else (source, None)
        if isinstance(definition, str | Path):
            definition = self.folder / definition
        return definition, of_type or "STANDARD"

    def _source(self, handlers: Source | None) -> Source | None:
        if isinstance(handlers, str | Path) and (self.folder / handlers).exists():
            return self.folder / handlers
        return handlers


class StateMachine:
    """A definition with its handlers, ready to be run any number of times."""

    def __init__(
        self,
        session: TestSession,
        definition: Definition,
        files: Mapping[str, Path],
        handlers: Source | None,
        options: MachineOptions,
    ) -> None:
        """`files`: where it and the machines that it starts are written, by name."""
        self.session = session
        self.definition = definition
        self.files = files
        self.handlers = handlers
        self.options = options

    def run(
        self, input: Any = None, *, mocks: MockSource = (), **options: Unpack[MachineOptions]
    ) -> ObservedExecution:
        """Run it to its end.

        `input`: a JSON value, `{}` by default. `mocks`: of `doorstep.testing`, or "mocks.yaml", or
        "MockConfigFile.json#TestCase". Raises what `doorstep.run` raises.
        """
        observed = self.start(input, mocks=mocks, **options).wait()
        if self.session.compare:
            services = {**self.options, **options}.get("services") is not None
            self.session.compare(observed, self.session.mocks[-1], services=services)
        return observed

    def start(
        self, input: Any = None, *, mocks: MockSource = (), **options: Unpack[MachineOptions]
    ) -> ObservedExecution:
        """Start it; it continues as the clock is advanced."""
        _check_options("run", options, ("input", "mocks"))
        merged: dict[str, Any] = {**self.options, **options}
        name = merged.pop("name", None) or self.session.next_name()
        validation = merged.pop("mock_validation", None)
        mocked = self._mocks(mocks, merged.get("state_machine_name"), validation)
        started: list[Execution] = []
        calls: list[Call] = []

        def on_event(execution: Execution, event: Event) -> None:
            if event.id == 1:
                self.session.all.append((execution, self.files.get(execution.identity.machine)))
                if execution != observed:
                    started.append(execution)

        def respond(execution: Running, invoke: Invoke) -> Answer | None:
            calls.append(_call(execution, invoke, observed.events[0].at))
            return mocked(execution, invoke)

        execution = start(
            self.definition,
            input,
            self.handlers,
            clock=self.session.clock,
            respond=respond,
            name=name,
            seed=merged.pop("seed", name),
            on_event=on_event,
            **merged,
        )
        observed = ObservedExecution(execution, started, calls)
        self.session.executions.append(observed)
        self.session.mocks.append(mocked)
        return observed

    def _mocks(
        self, source: MockSource, machine: str | None, validation: Validation | None
    ) -> Mocks:
        if isinstance(source, str):
            source = mocks_of(source, self.session.folder, machine)
        return Mocks(*source, mock_validation=validation)


def callable_names(definition: Mapping[str, Any]) -> list[str]:
    """Return the names that calls may have, as far as the definition says, in order."""
    names: set[str] = set()
    for state in workflow(definition).scope.walk():
        if state.type == "Task":
            resource = state.fields["Resource"]
            arguments = state.fields.get("Parameters", state.fields.get("Arguments"))
            names.update(names_by(state.name, resource, arguments))
    return sorted(names)


def _call(execution: Running, invoke: Invoke, begun: float) -> Call:
    """Return the call that a driver makes now; `begun`: when the test's execution started."""
    return Call(
        state=invoke.state,
        event=loads(dumps(event_of(invoke))),
        attempt=invoke.attempt,
        token=invoke.token,
        at=timedelta(seconds=round(execution.clock.now() - begun, 3)),
        names=names_of(invoke),
        arn=execution.arn,
    )
