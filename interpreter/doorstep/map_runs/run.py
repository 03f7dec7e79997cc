"""Map runs: the children of a distributed Map, each an execution of its own.

Items are streamed from their reader, children begin when there is work for them, and what is left
of those that have ended lies in a temporary file: the memory that a run takes does not grow with
their outputs or failures.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain, islice
from math import inf
from typing import TYPE_CHECKING, Any

from ..engine import TOO_LARGE, Fact, Header, Journal, StartMapRun
from ..errors import InputError, StateFailed
from ..runtime import ItemCounts, Running, Texts, child_identity
from ..values.json_values import STORED_DEPTH, dumps, java_doubles, loads, text_of
from . import writers
from .executors import Child, InlineExecutor, NewExecutor
from .readers import MapItem, Reading, batches, read_items

if TYPE_CHECKING:
    from ..runtime import Driver

EXCEEDED = "The specified tolerated failure threshold was exceeded"
_new_tuple = tuple.__new__
_BRACKETS = 2
"""Bytes that FLATTEN drops of each record at the most."""
_STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", *["PENDING"] * 3)
_PENDING = 3
"""What is added to a status of those that did not succeed, by a redrive, until they continue."""


class Counts:
    """How many children of a map run, and how many items in them, have each status."""

    def __init__(self) -> None:
        # All there may be: other threads look at them while they change.
        self.children = dict.fromkeys(_STATUSES, 0)
        self.items = dict.fromkeys(_STATUSES, 0)
        """Fact 285: each item of a batch counts."""

    def add(self, status: str, items: int, children: int = 1) -> None:
        """Count a child with so many items; with negative numbers one that is not so any more."""
        self.children[status] += children
        self.items[status] += items


class MapRun:
    """One map run: its counters, and what is left of the children that have ended.

    Fact 282.
    """

    def __init__(
        self,
        driver: Driver,
        parent: Running,
        command: StartMapRun,
        executor: NewExecutor = InlineExecutor,
    ) -> None:
        self.driver = driver
        self.parent = parent
        self.command = command
        self.status = "RUNNING"
        self.counts = Counts()
        self.not_redrivable = Counts()
        """Of the children that did not succeed, those whose history is full."""
        self._statuses = bytearray()
        self._sizes = array("Q")
        """How many items are in each child."""
        self._missing: set[int] = set()
        """Those whose items are to be read again: nothing is known of them."""
        self._records = Texts()
        """What the result has of each child: see `writers.record_of`."""
        self._succeeded_bytes = 0
        limit = parent.engine.quotas.payload_bytes
        self._most_bytes = inf if limit is None or writers.exports(command) else limit
        """The most that a result may have which is the state's; files have no limit."""
        self._facts = Texts()
        """Of children that did not succeed, for a redrive."""
        self._reading = Reading()
        self._items: Generator[MapItem, None, None] = read_items(command, None, self._reading)
        """Being read; closed with the run, so that no file stays open."""
        self._work: Iterator[Child] | None = None
        self._exhausted = False
        """Whether all items are in children."""
        self._submitted = False
        """And whether all children that are to run were submitted."""
        self._executor = executor(self)

    @property
    def state(self) -> str:
        """The name of the Map."""
        return self.command.state

    # For the driver ------------------------------------------------------------------------------

    def start(self, command: StartMapRun) -> None:
        """Begin, or after a redrive continue those children that have not succeeded."""
        self.command, self.status = command, "RUNNING"
        self._work, self._submitted = None, False
        for index in self._to_redrive():
            self._move(index, self._statuses[index] + _PENDING)
        self.driver.persistence.map_run(self)
        self._continue()

    def restore(self, children: Iterable[Running | Journal | None]) -> None:
        """Continue with the children of a run that was begun before a crash or a redrive.

        Fact 505: children that failed are run again, those that succeeded are not.
        """
        for index, child in enumerate(children):
            if child is None:
                self._statuses.append(0)
                self._sizes.append(0)
                self._missing.add(index)
                continue
            journal = child if isinstance(child, Journal) else child.journal
            self._count_new(self._size_of(journal.facts[0].data))
            if isinstance(child, Running):
                self._executor.adopt(index, child)
            if journal.status != "RUNNING":
                self._settle(index, journal)

    def _size_of(self, text: str) -> int:
        return 1 if self.command.batch is None else len(loads(text)["Items"])

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
        if self.status == "RUNNING":
            self._close("ABORTED")

    def release(self) -> None:
        """Leave the children to whoever continues the run after this process."""
        self._executor.release()

    def item_counts(self) -> ItemCounts:
        """Return how far it has come. May be called from any thread."""
        counts = self.counts.items
        begun, total = sum(counts.values()), self._total()
        share = begun / total if total else self._reading.share
        return ItemCounts(counts["RUNNING"], counts["SUCCEEDED"], self.failed_items, share)

    def _close(self, status: str) -> None:
        self.status = status
        self._items.close()
        for index in self._executor.cancel():
            # A redrive reads its items again.
            self.counts.add("RUNNING", -self._sizes[index], -1)
            self._sizes[index] = 0
            self._missing.add(index)
            self._exhausted = False
        if self.counts.children["PENDING"]:
            for index in range(len(self._statuses)):
                if self._status(index) == "PENDING":
                    self._move(index, self._statuses[index] - _PENDING)
        self.driver.persistence.map_run(self)
        if status == "SUCCEEDED":
            self._records.close()
            self._facts.close()

    # Children that begin -------------------------------------------------------------------------

    def fill(self) -> None:
        """Submit as many children as the executor has room for and MaxConcurrency allows."""
        try:
            if not self._submitted and self.status == "RUNNING" and (room := self._room()):
                self._submit(room)
        except StateFailed as failed:
            self._fail(failed.failure.error, failed.failure.cause)
        except InputError as problem:
            self._fail("States.ItemReaderFailed", str(problem))
        if self._submitted and self.status == "RUNNING":
            # Now the share of those that failed is known.
            if self._exceeded():
                self._fail("States.ExceedToleratedFailureThreshold", EXCEEDED)
            elif not self.counts.children["RUNNING"]:
                self._finish()

    def _room(self) -> int:
        if not (room := self._executor.room()):
            return 0
        most = min(self.command.concurrency, self.parent.engine.quotas.distributed_concurrency)
        return max(0, min(room, most - self.counts.children["RUNNING"]))

    def _submit(self, room: int) -> None:
        if self._work is None:
            unread = iter(()) if self._exhausted else self._unread()
            self._work = chain(self._redriven(), unread)
        children: list[Child] = []
        try:
            children.extend(islice(self._work, room))
        finally:
            # Those before an item that can't be read as well.
            if children:
                self._executor.submit(children)
        self._submitted = len(children) < room

    def _to_redrive(self) -> Iterator[int]:
        """Return which children a redrive continues; one whose history is full stays failed."""
        if redriven_at := self.parent.engine.redriven_at:
            for index in range(len(self._facts)):
                if (facts := self._facts_of(index)) and facts[-1].at <= redriven_at:
                    yield index

    def _facts_of(self, index: int) -> list[Fact]:
        text = self._facts.get(index)
        return [Fact(*fact) for fact in loads(text.decode(), STORED_DEPTH)] if text else []

    def _redriven(self) -> Iterator[Child]:
        for index in range(len(self._facts)):
            if self._status(index) == "PENDING":
                self._move(index, 0)
                facts = self._facts_of(index)
                yield self._child(index, facts[0].data, facts)

    def _unread(self) -> Iterator[Child]:
        """Return children for the items that are in none yet."""
        self._items.close()
        first = min(self._missing, default=len(self._sizes))
        begun = sum(self._sizes[:first])
        self._items = read_items(self.command, self.driver.buckets, self._reading)
        unread = islice(self._items, begun, None)
        for index, (value, size) in enumerate(batches(self.command, unread, begun), first):
            if index == len(self._sizes):
                self._count_new(size)
            elif index in self._missing:
                self._missing.remove(index)
                self._sizes[index] = size
                self.counts.add("RUNNING", size)
            else:
                continue
            yield self._child(index, java_doubles(text_of(value)))
        self._exhausted = True

    def _count_new(self, size: int) -> None:
        self._statuses.append(0)
        self._sizes.append(size)
        self.counts.add("RUNNING", size)

    def _child(self, index: int, text: str, facts: Sequence[Fact] = ()) -> Child:
        command = self.command
        identity = child_identity(self.parent, command, index)
        header = Header.of(self.parent.journal.header.definition, identity)
        return _new_tuple(Child, (index, command.child, header, text, facts))

    # Children that have ended --------------------------------------------------------------------

    def ended(self, index: int, journal: Journal) -> None:
        """Take in that a child has ended; its facts and its last event suffice."""
        status = self._settle(index, journal)
        if self.status == "RUNNING":
            self.fill() if status == "SUCCEEDED" else self._continue()
        elif not self.counts.children["RUNNING"]:
            # All that was stopped has ended.
            self.driver.persistence.map_run(self)

    def _status(self, index: int) -> str:
        return _STATUSES[self._statuses[index]]

    def _move(self, index: int, status: int) -> None:
        size, before = self._sizes[index], self._statuses[index]
        self._statuses[index] = status
        self.counts.add(_STATUSES[before], -size, -1)
        self.counts.add(_STATUSES[status], size)

    def _settle(self, index: int, journal: Journal) -> str:
        status, size = journal.status, self._sizes[index]
        self._move(index, _STATUSES.index(status))
        record = writers.record_of(self.command, journal, status)
        if status == "SUCCEEDED":
            self._facts.drop(index)
            if self._succeeded_bytes <= self._most_bytes:
                self._succeeded_bytes += self._records.put(index, record) - _BRACKETS
            return status
        self._records.put(index, record)
        if journal.redrivable:
            self._facts.put(index, dumps(journal.facts, STORED_DEPTH))
        else:
            self.not_redrivable.add(status, size)
        return status

    def _continue(self) -> None:
        if self._exceeded():
            self._fail("States.ExceedToleratedFailureThreshold", EXCEEDED)
        else:
            self.fill()

    @property
    def failed_items(self) -> int:
        """How many items are in children that did not succeed."""
        items = self.counts.items
        return items["FAILED"] + items["TIMED_OUT"] + items["ABORTED"]

    def _exceeded(self) -> bool:
        # Fact 285: the run fails when a tolerance is exceeded.
        failed = self.failed_items
        command = self.command
        return failed > 0 and exceeds(
            failed, self._total(), command.tolerated_count, command.tolerated_percentage
        )

    def _total(self) -> int | None:
        # The share of a stream is known when it has ended.
        total = sum(self.counts.items.values())
        if self.command.items is not None:
            return max(total, len(self.command.items))
        return total if self._exhausted else None

    # The end -------------------------------------------------------------------------------------

    def _finish(self) -> None:
        try:
            output = self._result()
        except (StateFailed, OSError) as problem:
            failure = problem.failure if isinstance(problem, StateFailed) else None
            self._fail("States.ResultWriterFailed", failure.cause if failure else str(problem))
            return
        self._close("SUCCEEDED")
        self.driver.deliver(self.parent, "succeeded", self.command.key, output)

    def _result(self) -> Any:
        good = _STATUSES.index("SUCCEEDED")
        records = writers.Records(self._records, bytes(map(good.__eq__, self._statuses)))
        if writers.exports(self.command):
            return writers.export(self.command, records, self.driver.buckets)
        if self._records.total - _BRACKETS * len(self._records) > self._most_bytes:
            return TOO_LARGE
        return writers.in_order(self.command, records.values())

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
