"""What reaches an execution, what follows, and what it asks for: facts, events and commands.

A *fact* is what reached an execution from outside; its `data` is a JSON value, so that a journal
can hold it. An *event* is an entry of GetExecutionHistory. A *command* is what the engine asks a
driver to do; its `key` is structural, the fiber's path and a count within it: it does not depend on
how branches interleave, and is the same in every replay.

| fact | key | data |
|---|---|---|
| started | | input's JSON text |
| looked up | command | whether the task's activity is there |
| picked up | command | name of the activity worker, or null |
| submitted | command | what the service answered to the request of a callback or job |
| heartbeat | command | |
| succeeded | command | the output as a value |
| failed | command | {"error": …, "cause": …}, either may be absent |
| due | command | which of the command's timers: delay, timeout, heartbeat |
| stopped | | {"error": …, "cause": …} |
| redriven | | |
| crashed | | {"error": …, "cause": …}: Doorstep can't do what the execution needs |
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from ..model import Integration

FactKind = Literal[
    "started",
    "looked up",
    "picked up",
    "submitted",
    "heartbeat",
    "succeeded",
    "failed",
    "due",
    "stopped",
    "redriven",
    "crashed",
]


class Fact(NamedTuple):
    """What came from outside, when (epoch seconds), and which command it answers."""

    kind: FactKind
    at: float
    key: str = ""
    data: Any = None


class Event(NamedTuple):
    """An entry of the history; `previous` follows the chain of causes, not the list."""

    id: int
    previous: int
    type: str
    at: float
    details: dict[str, Any] | None = None


WHOLE = {"truncated": False}
"""inputDetails, outputDetails: GetExecutionHistory never cuts a text."""

STATE_TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")

# The member that holds an event's details is its type's name in camel case + "EventDetails", but:
_SHARED = {f"{state}StateEntered": "stateEnteredEventDetails" for state in STATE_TYPES} | {
    f"{state}StateExited": "stateExitedEventDetails" for state in STATE_TYPES
}
_WITHOUT = (
    "LambdaFunctionStarted",
    "MapRunAborted",
    "MapRunSucceeded",
    "MapStateAborted",
    "MapStateFailed",
    "MapStateSucceeded",
    "ParallelStateAborted",
    "ParallelStateFailed",
    "ParallelStateStarted",
    "ParallelStateSucceeded",
    "TaskStateAborted",
    "WaitStateAborted",
)


@lru_cache(maxsize=256)
def details_member(event_type: str) -> str | None:
    """Return where GetExecutionHistory puts an event's details; None for types without any.

    Facts 106 and 443.
    """
    if event_type in _WITHOUT:
        return None
    return _SHARED.get(event_type) or f"{event_type[0].lower()}{event_type[1:]}EventDetails"


TERMINAL = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
"""The events that end an execution, and the status that they leave."""
ENDED = frozenset(TERMINAL.values())
UNSUCCESSFUL = ENDED - {"SUCCEEDED"}


class Program(Protocol):
    """What the engine knows of a definition."""

    @property
    def timeout(self) -> float | None:
        """TimeoutSeconds of the machine."""

    def run(self, fiber: Any, value: Any) -> Generator[Any, Any, Any]:
        """Return the body of a fiber that goes from StartAt to an end with this input."""


TimerName = Literal["delay", "timeout", "heartbeat"]


class Invoke(NamedTuple):
    """Call a task; answer with picked up, submitted, heartbeat, succeeded or failed."""

    key: str
    visit: str
    """The key of the first call in this visit of the state: retries and redrives share it, so that
    it serves handlers as their idempotency key."""
    state: str
    resource: str
    integration: Integration
    arguments: Any
    token: str
    timeout: float | None
    heartbeat: float | None
    attempt: int
    """0 for the first call of this visit, then the number of the retry."""
    number: int
    """How many calls of this state the execution has made before."""
    text: str = ""
    """The arguments' JSON text; empty where it was not written."""


class FindActivity(NamedTuple):
    """Say whether the activity of a task that is about to be scheduled is there.

    Answer with the fact `looked up`.
    """

    key: str
    invoke: Invoke


class SetTimer(NamedTuple):
    """Answer with `due` at `at` (epoch seconds); a timer set again replaces the one before."""

    key: str
    name: TimerName
    at: float


class Cancel(NamedTuple):
    """Nobody waits for this key any more: forget its timers, stop its call if it still runs."""

    key: str


class StartMapRun(NamedTuple):
    """Run a distributed Map; answer once, with succeeded (the state's result) or failed."""

    key: str
    arn: str
    label: str
    state: str
    child: Program
    execution_type: str
    items: list[Any] | dict[str, Any] | None
    """The items, or None when `reader` says where they are; an object's are its members."""
    reader: ItemSource | None
    select: Callable[[int, Any, str, str | None], Any]
    """(index, item, source, its key if it is an object's member) → its input: ItemSelector."""
    batch: BatchPlan | None
    writer: ResultTarget | None
    concurrency: int
    tolerated_count: int | None
    tolerated_percentage: float | None
    redrives: int = 0


class ItemSource(NamedTuple):
    """ItemReader with its expressions evaluated."""

    resource: str
    arguments: dict[str, Any]
    config: dict[str, Any]
    max_items: int | None


class BatchPlan(NamedTuple):
    """ItemBatcher with its expressions evaluated; `shared`: {} or {"BatchInput": …}."""

    max_items: int | None
    max_bytes: int | None
    shared: dict[str, Any]


class ResultTarget(NamedTuple):
    """ResultWriter with its expressions evaluated; no bucket: only the format is changed."""

    bucket: str | None
    prefix: str
    transformation: str | None
    output_type: str


TOO_LARGE = "States.DataLimitExceeded"
"""In place of a map run's result: it is larger than a state's may be, and was not made."""

Command = Invoke | FindActivity | SetTimer | Cancel | StartMapRun
