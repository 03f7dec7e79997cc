"""A running execution as its driver sees it, and the ports through which the runtime's parts meet.

`Delivery` is what the parts need of the driver, `Persistence` and `MapRuns` what the driver needs.
What a user sees of an execution stands in `execution`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import IO, Any, NamedTuple, Protocol

from ..engine import (
    ENDED,
    ROLE,
    Command,
    Engine,
    Event,
    Fact,
    FactKind,
    Header,
    Identity,
    Invoke,
    Journal,
    JournalEntry,
    Program,
    SetTimer,
    StartMapRun,
)
from ..errors import Failure
from .answers import Duration
from .clocks import Clock, Handle, MainClock
from .handlers import Handlers


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
        """Make a new one; or, with engine and journal, one that continues from there."""
        _, identity, quotas, _ = header
        self.engine = engine or Engine(program, identity, quotas)
        self.arn = identity.arn
        """The execution's ARN."""
        self.journal = journal or Journal(header, [], [])
        self.clock = clock
        """Its time; what it starts has the same."""
        self.beginning: Handle | None = None
        """What lets it begin, until something has reached it."""
        self.submitted: set[str] = set()
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
        self.jobs: dict[str, Running] = {}
        """By key: the executions that it started, and whose end it waits for."""
        self.when_ended: Callable[[Running], None] | None = None
        if journal:
            self.submitted.update(one.key for one in journal.facts if one.kind == "submitted")

    @property
    def identity(self) -> Identity:
        """Names, ARNs and the seed."""
        return self.engine.identity

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.identity.name

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.engine.status

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.engine.status in ENDED

    def awaits(self, key: str) -> bool:
        """Return whether a call still waits for its end."""
        return key in self.engine.waiting and key not in self.ending

    def held_until(self, key: str) -> float:
        """Return the time of the first end that is held for a call; infinity without one."""
        return min((fact.at for fact in self.held.get(key, ())), default=inf)

    @property
    def open_timers(self) -> list[tuple[str, SetTimer]]:
        """The timers that are to come, each with its state."""
        waiting, commands = self.engine.waiting, self.engine.open.items()
        timers = [(key, one) for key, named in commands for one in named.values()]
        return [
            (fiber.env.state, timer)
            for key, timer in timers
            if isinstance(timer, SetTimer) and (fiber := waiting.get(key)) and fiber.env
        ]

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
    """Return who the child is that a map run starts for its batch number `index`."""
    key = f"{command.key}/{index}"
    return parent.engine.identity.child(command.label, command.arn, key, command.execution_type)


EventListener = Callable[[Running, Event], None]


@dataclass(frozen=True, slots=True)
class Startable:
    """A state machine that `states:startExecution` can start by its name."""

    name: str
    program: Program
    definition: Mapping[str, Any]
    type: str = "STANDARD"
    role: str | None = ROLE


Api = Callable[[Running, str, dict[str, Any], Callable[[Any], None]], None]
"""(execution, operation, request, reply): answers an operation of the API that an execution asks
for; `reply` gets the answer's members, or the exception that is the answer."""


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

    def safely(self, act: Callable[..., None], *arguments: Any) -> None:
        """Do something once all that was reported before is stored."""

    def map_run(self, run: Any) -> None:
        """Store how a map run stands: it began, continued or came to its end."""

    def children(self, parent: Running, command: StartMapRun) -> Iterable[Running | Journal | None]:
        """Return the children that a map run has started before, in the order of their indexes.

        Of those that have ended the journals, of which the facts and the last event suffice; None
        of one of which nothing is stored, while others that were begun after it are.
        """

    def find(self, arn: str) -> Running | None:
        """Return an execution that the driver does not hold, if there is one."""

    def knows_token(self, token: str) -> bool:
        """Return whether a task that the driver does not hold had this token."""

    def is_elsewhere(self, token: str) -> bool:
        """Return whether this is the token of a task that another server runs."""

    def started_as(self, execution: Running) -> Mapping[str, str]:
        """Return the ARNs of the version and alias that it was started as, by their members."""

    def set_aside(self, execution: Running, problem: Exception) -> None:
        """Note that an execution can't be stored any more: `journaled` raised the problem."""

    def close(self) -> None:
        """Let go of where executions are stored: nothing more is reported."""


class Buckets(Protocol):
    """S3, to those that read items from it and write results to it.

    What can't be done raises StateFailed, whose cause says why.
    """

    def open(self, bucket: str, key: str) -> IO[bytes]:
        """Open an object to be read."""

    def listed(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield Etag, Key, LastModified, Size and StorageClass of the objects, by their keys."""

    def write(self, bucket: str, key: str, parts: Iterable[bytes]) -> None:
        """Store an object; its content comes in parts, as it may be large."""


class Delivery(Protocol):
    """The driver, to those that answer calls and bring executions back."""

    clock: MainClock
    persistence: Persistence
    executions: dict[str, Running]
    handlers: Handlers
    api: Api | None

    @property
    def machines(self) -> Mapping[str, Startable]:
        """What `states:startExecution` finds."""

    @property
    def knows_machines(self) -> bool:
        """Whether a machine that is not among them does not exist."""

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

    def is_open(self, token: str) -> bool:
        """Return whether the task with this token waits; raise KeyError if no task has had it."""

    def send(self, token: str, kind: FactKind, data: Any = None, after: Duration = 0) -> bool:
        """Send a task's end, or a heartbeat; return False when the task is over."""

    def stop(self, execution: Running, error: str | None = None, cause: str | None = None) -> None:
        """StopExecution; one that has not begun begins before."""

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


class ItemCounts(NamedTuple):
    """The items of a map run, by what became of the children that they are in."""

    running: int
    succeeded: int
    failed: int
    share: float | None
    """How much of all items that is, from 0 to 1; None while not known."""


class MapRuns(Protocol):
    """One map run, to the driver of its parent."""

    def item_counts(self) -> ItemCounts:
        """Return how far it has come. May be called from any thread."""

    def start(self, command: StartMapRun) -> None:
        """Begin, or after a redrive let those children continue that have not succeeded."""

    def restore(self, children: Iterable[Running | Journal | None]) -> None:
        """Continue the children of a run that was begun before."""

    def abort(self) -> None:
        """Stop what still runs."""


NewMapRun = Callable[[Any, Running, StartMapRun], MapRuns]
"""(driver, parent, command) → the map run."""
