"""Map runs: the children of a distributed Map, each an execution of its own.

Items are streamed from their reader and only as many children exist as may run at a time; of those
that have ended a run holds the output, and the execution itself only if a redrive may need it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..engine import SLICE, Header, StartMapRun
from ..errors import InputError, StateFailed
from ..runtime import AT_ONCE, Handle, child_identity
from ..values.json_values import dumps
from .readers import Batch, MapItem, batches, read_items
from .writers import record_of, result

if TYPE_CHECKING:
    from ..runtime import Driver, Running

EXCEEDED = "The specified tolerated failure threshold was exceeded"


class MapRun:
    """One map run: its counters, its children that run, the outputs of those that have ended.

    Fact 282.
    """

    def __init__(self, driver: Driver, parent: Running, command: StartMapRun) -> None:
        self.driver = driver
        self.parent = parent
        self.command = command
        self.running: dict[int, Running] = {}
        self.unsuccessful: dict[int, Running] = {}
        self.succeeded: dict[int, Any] = {}
        """Their `writers.record_of`: a run of thousands does not hold their histories."""
        self.sizes: dict[int, int] = {}
        self._items: Generator[MapItem, None, None] = read_items(command, None)
        """Being read; closed with the run, so that no file stays open."""
        self._batches: Iterator[Batch] | None = None
        self._exhausted = False
        self._later = Handle(lambda: None)
        self.status = "RUNNING"

    def start(self, command: StartMapRun) -> None:
        """Begin, or after a redrive continue those children that have not succeeded."""
        self.command, self.status = command, "RUNNING"
        if not self._exhausted:
            self._batches = None
        self.driver.persistence.map_run(self)
        redriven_at = self.parent.engine.redriven_at
        for index, child in sorted(self.unsuccessful.items()):
            # One whose history is full stays failed.
            if child.engine.now <= redriven_at and child.engine.redrivable:
                del self.unsuccessful[index]
                self._watch(index, child)
                self.driver.redrive(child)
        self._continue()

    def restore(self, children: Sequence[Running]) -> None:
        """Continue with the children of a run that was begun before a crash or a redrive.

        Fact 505: children that failed are run again, those that succeeded are not.
        """
        for index, (child, size) in enumerate(
            zip(children, self._sizes(len(children)), strict=False)
        ):
            self.sizes[index] = size
            if not child.ended:
                self._watch(index, child)
            elif child.status == "SUCCEEDED":
                self.succeeded[index] = record_of(self.command, child)
            else:
                self.unsuccessful[index] = child

    def _sizes(self, children: int) -> list[int]:
        single = [1] * children
        if self.command.batch is None:
            return single
        try:
            return [batch.size for batch in islice(self._unread(), children)]
        except (StateFailed, InputError):
            # The items are gone; reading on will say so.
            return single

    def change(self, **fields: Any) -> None:
        """UpdateMapRun: other limits, by their names in StartMapRun, from now on (fact 286)."""
        self.set_limits(**fields)
        self.driver.persistence.map_run(self)
        self._continue()

    def set_limits(self, **fields: Any) -> None:
        """Set limits by their names in StartMapRun; they apply when the run continues."""
        self.command = self.command._replace(**fields)

    def abort(self) -> None:
        """Stop what still runs; nobody waits for the result."""
        if not self._over:
            self._close("ABORTED")

    def _close(self, status: str) -> None:
        self.status = status
        self._later.cancel()
        self._items.close()
        self.driver.persistence.map_run(self)
        for index, child in list(self.running.items()):
            if self.driver.withdraw(child):
                # A redrive reads its items again.
                del self.running[index], self.sizes[index]
                self._exhausted = False
            else:
                self.driver.stop(child)

    @property
    def _over(self) -> bool:
        return self.status != "RUNNING"

    @property
    def failed_items(self) -> int:
        """How many items are in children that did not succeed.

        Fact 285: each item of a batch counts.
        """
        return sum(self.sizes[index] for index in self.unsuccessful)

    def _fill(self) -> None:
        try:
            if self._batches is None:
                self._batches = self._unread()
            engine = self.parent.engine
            enough = engine.pause_at - SLICE
            most = min(self.command.concurrency, engine.quotas.distributed_concurrency)
            while not self._over and len(self.running) < most:
                if engine.pause_at <= enough:
                    self._fill_later()
                    break
                batch = next(self._batches, None)
                if batch is None:
                    self._exhausted = True
                    break
                self._start_child(batch)
        except StateFailed as failed:
            self._fail(failed.failure.error, failed.failure.cause)
        except InputError as problem:
            self._fail("States.ItemReaderFailed", str(problem))
        if not self._over and self._exhausted:
            # Now the share of those that failed is known.
            if self._exceeded():
                self._fail("States.ExceedToleratedFailureThreshold", EXCEEDED)
            elif not self.running:
                self._finish()

    def _fill_later(self) -> None:
        """Continue once everybody else had a turn: to select so many items took long."""
        later_on = partial(self.driver.guard, self.parent, self._continue)
        self._later.cancel()
        self._later = self.parent.clock.call_at(AT_ONCE, later_on)

    def _unread(self) -> Iterator[Batch]:
        """Return the batches that there is no child for yet."""
        self._items.close()
        self._items = read_items(self.command, self.driver.buckets)
        return islice(batches(self.command, self._items), len(self.sizes), None)

    def _start_child(self, batch: Batch) -> None:
        command = self.command
        index = len(self.sizes)
        identity = child_identity(self.parent, command, index)
        self.sizes[index] = batch.size
        definition = self.parent.journal.header.definition
        child = self.driver.start(
            command.child,
            Header.of(definition, identity),
            dumps(batch.input),
            self.parent.clock,
        )
        self._watch(index, child)

    def _watch(self, index: int, child: Running) -> None:
        self.running[index] = child
        child.when_ended = partial(self.driver.guard, self.parent, self._ended, index)

    def _ended(self, index: int, child: Running) -> None:
        del self.running[index]
        self.driver.forget(child)
        if child.status == "SUCCEEDED":
            self.succeeded[index] = record_of(self.command, child)
        else:
            self.unsuccessful[index] = child
        if not self._over:
            self._continue()

    def _continue(self) -> None:
        if self._exceeded():
            self._fail("States.ExceedToleratedFailureThreshold", EXCEEDED)
        else:
            self._fill()

    def _exceeded(self) -> bool:
        # Fact 285: the run fails when a tolerance is exceeded.
        command = self.command
        return exceeds(
            self.failed_items, self._total(), command.tolerated_count, command.tolerated_percentage
        )

    def _total(self) -> int | None:
        # The share of a stream is known when it has ended.
        total = sum(self.sizes.values())
        if self.command.items is not None:
            return max(total, len(self.command.items))
        return total if self._exhausted else None

    def _finish(self) -> None:
        try:
            output = result(self.command, self.succeeded, self.unsuccessful, self.driver.buckets)
        except (StateFailed, OSError) as problem:
            failure = problem.failure if isinstance(problem, StateFailed) else None
            self._fail("States.ResultWriterFailed", failure.cause if failure else str(problem))
            return
        self._close("SUCCEEDED")
        self.driver.deliver(self.parent, "succeeded", self.command.key, output)

    def _fail(self, error: str | None, cause: str | None) -> None:
        self._close("FAILED")
        data = {"error": error, "cause": cause}
        self.driver.deliver(self.parent, "failed", self.command.key, data)


def exceeds(failed: int, total: int | None, count: int | None, percentage: float | None) -> bool:
    """Return whether more items failed than are tolerated; `total`: None while not known.

    Fact 285: tolerances are exceeded, not reached; by default none is tolerated. Fact 140: of two,
    one of 0 counts as not set.
    """
    if not failed:
        return False
    if count is not None and percentage is not None:
        count, percentage = count or None, percentage or None
    if count is None and percentage is None:
        return True
    if count is not None and failed > count:
        return True
    return total is not None and percentage is not None and failed * 100 > percentage * total
