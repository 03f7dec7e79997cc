"""What the engine asks a driver to do.

A command's `key` is structural, the fiber's path and a count within it: it does not depend on how
branches interleave, and is the same in every replay.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from ..model.resource import Integration


class Program(Protocol):
    """What the engine knows of a definition."""

    @property
    def timeout(self) -> float | None:
        """TimeoutSeconds of the machine."""

    def run(self, fiber: Any, value: Any) -> Generator[Any, Any, Any]:
        """The body of a fiber that goes from StartAt to an end with this input."""


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


class FindActivity(NamedTuple):
    """Say whether the activity of a task that is about to be scheduled is there: answer with looked
    up.
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
    items: list[Any] | None
    """The items, or None when `reader` says where they are."""
    reader: ItemSource | None
    select: Callable[[int, Any, str], Any]
    """(index, item, source) → the item's input: ItemSelector."""
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
    """ItemBatcher with its expressions evaluated; `shared` is BatchInput, given or absent."""

    max_items: int | None
    max_bytes: int | None
    shared: dict[str, Any]


class ResultTarget(NamedTuple):
    """ResultWriter with its expressions evaluated; no bucket: only the format is changed."""

    bucket: str | None
    prefix: str
    transformation: str | None
    output_type: str


Command = Invoke | FindActivity | SetTimer | Cancel | StartMapRun
