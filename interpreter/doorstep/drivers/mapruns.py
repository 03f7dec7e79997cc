"""Map runs: the children of a distributed Map, each an execution of its own.

Items are streamed from their reader and only as many children exist as may run at a time; of those
that have ended a run keeps the output, and the execution itself only if a redrive may need it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..commands import StartMapRun
from ..errors import InputError, StateFailed
from ..jsontext import dumps
from .batches import Batch, batches
from .readers import read_items
from .writers import result

if TYPE_CHECKING:
    from .driver import Driver
    from .execution import Execution

_EXCEEDED = "The specified tolerated failure threshold was exceeded"


class MapRun:
    """One map run: its counters, its children that run, the outputs of those that have ended."""

    def __init__(self, driver: Driver, parent: Execution, command: StartMapRun) -> None:
        self.driver = driver
        self.parent = parent
        self.command = command
        self.running: dict[int, Execution] = {}
        self.unsuccessful: dict[int, Execution] = {}
        self.succeeded: dict[int, Execution] = {}
        self.sizes: dict[int, int] = {}
        self._batches: Iterator[Batch] | None = None
        self._exhausted = False
        self._over = False

    def start(self, command: StartMapRun) -> None:
        """Begin, or after a redrive let those children go on that have not succeeded."""
        self.command, self._over = command, False
        unsuccessful, self.unsuccessful = self.unsuccessful, {}
        for index, child in unsuccessful.items():
            self._watch(index, child)
            self.driver.redrive(child)
        self._fill()

    def abort(self) -> None:
        """Stop what still runs; nobody waits for the result."""
        self._over = True
        for child in list(self.running.values()):
            self.driver.stop(child)

    @property
    def failed_items(self) -> int:
        """How many items are in children that did not succeed."""
        return sum(self.sizes[index] for index in self.unsuccessful)

    def _fill(self) -> None:
        try:
            if self._batches is None:
                self._batches = batches(self.command, read_items(self.command, self.driver.bucket))
            while not self._over and len(self.running) < self.command.concurrency:
                batch = next(self._batches, None)
                if batch is None:
                    self._exhausted = True
                    break
                self._start_child(batch)
        except StateFailed as failed:
            self._fail(failed.failure.error, failed.failure.cause)
        except InputError as problem:
            self._fail("States.ItemReaderFailed", str(problem))
        if not self._over and self._exhausted and not self.running:
            self._finish()

    def _start_child(self, batch: Batch) -> None:
        command = self.command
        index = len(self.sizes)
        identity = self.parent.identity.child(
            command.label, command.arn, f"{command.key}/{index}", command.execution_type
        )
        self.sizes[index] = batch.size
        child = self.driver.start(
            command.child, self.parent.journal.header.definition, identity, dumps(batch.input)
        )
        self._watch(index, child)

    def _watch(self, index: int, child: Execution) -> None:
        self.running[index] = child
        child.when_ended = lambda ended: self._ended(index, ended)

    def _ended(self, index: int, child: Execution) -> None:
        del self.running[index]
        self.driver.executions.pop(child.arn, None)
        if child.status == "SUCCEEDED":
            self.succeeded[index] = child
        else:
            self.unsuccessful[index] = child
        if self._over:
            return
        if self._exceeded():
            self._fail("States.ExceedToleratedFailureThreshold", _EXCEEDED)
        else:
            self._fill()

    def _exceeded(self) -> bool:
        count, percentage = self.command.tolerated_count, self.command.tolerated_percentage
        failed = self.failed_items
        if not failed:
            return False
        if count is None and percentage is None:
            return True
        if count is not None and failed > count:
            return True
        # The share of a stream is known when it has ended.
        total = sum(self.sizes.values())
        if self.command.items is not None:
            total = max(total, len(self.command.items))
        elif not self._exhausted:
            return False
        return percentage is not None and failed * 100 > percentage * total

    def _finish(self) -> None:
        if self._exceeded():
            self._fail("States.ExceedToleratedFailureThreshold", _EXCEEDED)
            return
        try:
            output = result(self.command, self.succeeded, self.unsuccessful, self.driver.bucket)
        except (StateFailed, OSError) as problem:
            failure = problem.failure if isinstance(problem, StateFailed) else None
            self._fail("States.ResultWriterFailed", failure.cause if failure else str(problem))
            return
        self._over = True
        self.driver.deliver(self.parent, "succeeded", self.command.key, output)

    def _fail(self, error: str | None, cause: str | None) -> None:
        self.abort()
        data = {"error": error, "cause": cause}
        self.driver.deliver(self.parent, "failed", self.command.key, data)
