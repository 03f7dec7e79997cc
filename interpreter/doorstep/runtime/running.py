"""One execution as its driver sees it; `execution` has what its user sees."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from ..engine import Engine, Event, Fact, Header, Identity, Journal, Program, StartMapRun
from ..errors import Failure
from .clocks import Clock, Handle


class Running:
    """One execution: its engine, its journal, its clock, and what its calls wait for."""

    def __init__(
        self,
        program: Program,
        header: Header,
        clock: Clock,
        *,
        engine: Engine | None = None,
        journal: Journal | None = None,
    ) -> None:
        """A new one; or, with engine and journal, one that goes on from there."""
        self.engine = engine or Engine(program, header.identity, header.quotas)
        self.journal = journal or Journal(header)
        self.clock = clock
        """Its time; what it starts has the same."""
        self.beginning: Handle | None = None
        self.submitted = {one.key for one in self.journal.facts if one.kind == "submitted"}
        """Keys of the callbacks and jobs whose requests have been answered."""
        self.held: dict[str, list[Fact]] = {}
        """By key: ends of callbacks and jobs that came before that."""
        self.ending: set[str] = set()
        """Keys whose end was sent, and is on its way."""
        self.set_aside = False
        """Whether it can't be stored: nothing reaches it any more."""
        self.tokens: set[str] = set()
        self.timers: dict[str, dict[str, Handle]] = {}
        self.map_runs: dict[str, Any] = {}
        self.when_ended: Callable[[Running], None] | None = None

    @property
    def identity(self) -> Identity:
        """Names, ARNs and the seed."""
        return self.engine.identity

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.identity.name

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return self.identity.arn

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.engine.status

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.engine.status not in ("RUNNING", "NOT_STARTED")

    def awaits(self, key: str) -> bool:
        """Return whether a call still waits for its end."""
        return key in self.engine.waiting and key not in self.ending

    def held_until(self, key: str) -> float:
        """Return the time of the first end that is held for a call; infinity without one."""
        return min((fact.at for fact in self.held.get(key, ())), default=inf)

    @property
    def output(self) -> Any:
        """The output as a value; None unless it succeeded."""
        return self.engine.output

    @property
    def error(self) -> str | None:
        """The error's name, if it failed with one."""
        return self.engine.failure.error

    @property
    def cause(self) -> str | None:
        """The cause, if it failed with one."""
        return self.engine.failure.cause

    @property
    def failure(self) -> Failure:
        """Error and cause."""
        return self.engine.failure

    @property
    def events(self) -> list[Event]:
        """The history as the engine has it."""
        return self.engine.history

    def __repr__(self) -> str:
        return f"<Running {self.name}: {self.status}, {len(self.events)} events>"


def child_identity(parent: Running, command: StartMapRun, index: int) -> Identity:
    """Who the child is that a map run starts for its batch number `index`."""
    key = f"{command.key}/{index}"
    return parent.identity.child(command.label, command.arn, key, command.execution_type)
