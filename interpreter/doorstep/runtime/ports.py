"""Ports: what the parts of the runtime need of the driver, and the driver of what it uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..engine import (
    ROLE,
    Command,
    Event,
    Fact,
    FactKind,
    Header,
    Invoke,
    JournalEntry,
    Program,
    StartMapRun,
)
from .answers import Duration
from .clocks import Clock, MainClock
from .running import Running

EventListener = Callable[[Running, Event], None]


@dataclass(frozen=True, slots=True)
class Startable:
    """A state machine that `states:startExecution` can start by its name."""

    name: str
    program: Program
    definition: Mapping[str, Any]
    type: str = "STANDARD"
    role: str | None = ROLE


class Persistence(Protocol):
    """Where a driver stores executions: what it reports before it acts, and may ask for again.

    Nothing is done in the world before that from which it follows is stored: that is what `safely`
    is for.
    """

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        """Store a fact that reached an execution, and the events that followed from it."""

    def scheduled(self, execution: Running, fact: Fact) -> None:
        """Store an answer that is known already, and will reach the execution at its time."""

    def expected(self, execution: Running, tokens: Collection[str]) -> None:
        """Store task tokens that from now on stand for a call of an execution."""

    def safely(self, act: Callable[[], None]) -> None:
        """Do something once all that was reported before is stored."""

    def map_run(self, run: Any) -> None:
        """Store how a map run stands: it began, continued or came to its end."""

    def children(self, parent: Running, command: StartMapRun) -> Sequence[Running]:
        """Return the children that a map run has started before, in the order of their indexes."""

    def find(self, arn: str) -> Running | None:
        """Return an execution that the driver does not hold, if there is one."""

    def knows_token(self, token: str) -> bool:
        """Return whether a task that the driver does not hold had this token."""

    def set_aside(self, execution: Running, problem: Exception) -> None:
        """Note that an execution can't be stored any more: `journaled` raised the problem."""

    def close(self) -> None:
        """Let go of where executions are stored: nothing more is reported."""


class Delivery(Protocol):
    """The driver, to those that answer calls and bring executions back."""

    clock: MainClock
    persistence: Persistence
    executions: dict[str, Running]

    @property
    def machines(self) -> Mapping[str, Startable]:
        """What `states:startExecution` finds."""

    def start(
        self, program: Program, header: Header, text: str, clock: Clock | None = None
    ) -> Running:
        """Start an execution with an input's JSON text."""

    def find(self, arn: str) -> Running | None:
        """Return the execution with this ARN, if there is one."""

    def deliver(self, execution: Running, kind: FactKind, key: str = "", data: Any = None) -> None:
        """Let a fact reach an execution, now."""

    def later(self, execution: Running, kind: FactKind, key: str, data: Any = None) -> None:
        """Let a fact reach an execution once what is being done is done."""

    def send(self, token: str, kind: FactKind, data: Any = None, after: Duration = 0) -> bool:
        """Send a task's end, or a heartbeat; return False when the task is over."""

    def guard(self, execution: Running, act: Callable[..., object], *arguments: Any) -> None:
        """Do something for an execution: what it raises ends that execution, and nothing else."""

    def expect(self, execution: Running, invoke: Invoke, *tokens: str) -> None:
        """Let these tokens and the call's own stand for it."""

    def leave_open(self, execution: Running, invoke: Invoke) -> None:
        """Leave a call to whoever has its token."""

    def invoke(self, execution: Running, invoke: Invoke, *, begun: bool = False) -> None:
        """Make a call."""

    def carry_out(self, execution: Running, commands: Iterable[Command]) -> None:
        """Do what the engine asks for."""


class MapRuns(Protocol):
    """One map run, to the driver of its parent."""

    def start(self, command: StartMapRun) -> None:
        """Begin, or after a redrive let those children continue that have not succeeded."""

    def restore(self, children: Sequence[Running]) -> None:
        """Continue the children of a run that was begun before."""

    def abort(self) -> None:
        """Stop what still runs."""


NewMapRun = Callable[[Any, Running, StartMapRun], MapRuns]
"""(driver, parent, command) → the map run."""
