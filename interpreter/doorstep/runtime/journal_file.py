"""Persistence in a file, for `--journal`: see `engine.journal` for its lines.

Of the children of map runs that have ended it holds no more in memory than where their facts and
last events lie in a temporary file: a run of a million items is continued after a crash as it was
begun.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from io import BufferedReader, FileIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine import (
    TERMINAL,
    Event,
    Fact,
    Header,
    Journal,
    JournalEntry,
    Program,
    Reader,
    StartMapRun,
    entry_line,
    header_line,
    read_all,
    scheduled_line,
)
from ..errors import InputError, ReplayError
from ..values.file_locks import lock
from ..values.json_values import dumps
from ..values.private_files import private
from .clocks import Clock
from .nested import cut_off_cause, is_cut_off
from .persistence import InMemory, restore, resume_execution
from .running import Running, child_identity
from .texts import Texts

if TYPE_CHECKING:
    from .running import Delivery

_BEGINNING = b'{"definition":'
"""Of a header, and so of the file: another file is not taken for one that was cut off."""
_BUFFER = 1 << 20


class _Earlier(Reader):
    """What a file holds: whole journals, and of children that have ended what is left of them."""

    def __init__(self) -> None:
        super().__init__()
        self.latest: float | None = None
        """The last moment, in epoch seconds; None for an empty file."""
        self._numbers: dict[str, int] = {}
        """Of the children that have not ended, by ARN."""
        self._hashes = array("q")
        """Of the ARNs of all children, by number."""
        self._unsuccessful: dict[int, int] = {}
        """The numbers of children that may be redriven, by the hashes of their ARNs."""
        self._by_hash = array("Q")
        """The numbers of all children in the order of these hashes, once there are no more."""
        self._ended = Texts()
        """The condensed journals of children that have ended, by number."""

    def take(self, line: str) -> None:
        """Take in a line; raise ReplayError when it is damaged."""
        before = self.current
        super().take(line)
        if before is not None and self.current is not before:
            self._leave(before)
        elif self.current and self.current.entries:
            self.latest = max(self.latest or 0.0, self.current.entries[-1].at)

    def finish(self) -> None:
        """Take in that there are no more lines."""
        if self.current:
            self._leave(self.current)
        numbers = range(len(self._hashes))
        self._by_hash = array("Q", sorted(numbers, key=self._hashes.__getitem__))
        # What was cut off before its first fact had no consequences.
        self.journals = {arn: one for arn, one in self.journals.items() if one.entries}

    def turn(self, journal: Journal) -> None:
        """Let the lines from now on be about this journal."""
        super().turn(journal)
        arn, run = journal.header.identity.arn, journal.header.identity.map_run
        if run and arn not in self._numbers:
            self._numbers[arn] = len(self._hashes)
            self._hashes.append(hash(arn))

    def another(self, arn: str) -> Journal:
        """Return a child that has ended: it was redriven, or something came too late for it."""
        number = self._unsuccessful.pop(hash(arn), None)
        if number is None:
            number = self._hashes.index(hash(arn))
        journal = self.ended(number)
        if journal is None:
            raise KeyError(arn)
        self._numbers[arn] = number
        return journal

    def _leave(self, journal: Journal) -> None:
        """Condense the journal of a child that has ended; the next lines are about another one."""
        arn, run = journal.header.identity.arn, journal.header.identity.map_run
        if run and is_over(journal):
            del self.journals[arn]
            number = self._numbers.pop(arn)
            header = header_line(journal.header, inherited=True)
            lines = map(entry_line, journal.condensed())
            self._ended.put(number, "\n".join((header, *lines)))
            if journal.status != "SUCCEEDED":
                self._unsuccessful[hash(arn)] = number

    def ended(self, number: int) -> Journal | None:
        """Return the condensed journal of a child; None for one that has not ended."""
        lines = self._ended.get(number)
        return next(iter(read_all(lines.decode().split("\n")).values())) if lines else None

    def find(self, arn: str) -> Journal | None:
        """Return the journal of an execution; of a child that has ended it is condensed."""
        if (journal := self.journals.get(arn)) is not None:
            return journal
        place = bisect_left(self._by_hash, hash(arn), key=self._hashes.__getitem__)
        number = self._by_hash[place] if place < len(self._by_hash) else None
        if number is None or self._hashes[number] != hash(arn):
            return None
        return self.ended(number)


class JournalFile(InMemory):
    """Persistence in a file, so that executions outlive the process.

    A line is written before anything is done that follows from it: whatever kills the process, the
    next one continues. It is handed to the operating system, not forced to the disk: a power cut
    may take the last lines.
    """

    driver: Delivery
    """Set by `resume`: before that there is nothing to find."""

    def __init__(self, path: Path) -> None:
        """Open the file; raise InputError if it can't be used, ReplayError if it is damaged."""
        self.path = path
        self._file = _opened(path)
        try:
            self._earlier = self._read()
        except BaseException:
            self._file.close()
            raise
        self._about = ""

    def _read(self) -> _Earlier:
        earlier, length, line = _Earlier(), 0, b""
        buffered = BufferedReader(self._file, _BUFFER)
        try:
            for line in buffered:
                if line.endswith(b"\n"):
                    earlier.take(line[:-1].decode("utf-8", "surrogatepass"))
                    length += len(line)
            if length == 0 and line:
                # Its header may have been cut off.
                earlier.take(line.decode("utf-8", "surrogatepass"))
        except (ReplayError, UnicodeDecodeError) as problem:
            if length or not _BEGINNING.startswith(line[: len(_BEGINNING)]):
                raise ReplayError(f"{self.path}: {problem}") from None
            earlier = _Earlier()
        finally:
            buffered.detach()
        # What was cut off had no consequences.
        self._file.truncate(length)
        self._file.seek(length)
        earlier.finish()
        return earlier

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # Resuming ------------------------------------------------------------------------------------

    @property
    def first(self) -> Journal | None:
        """The journal of the execution that was run."""
        return next(iter(self._earlier.journals.values()), None)

    @property
    def latest(self) -> float | None:
        """The last moment in the file, in epoch seconds; None for an empty one."""
        return self._earlier.latest

    def resume(self, driver: Delivery, program: Program) -> Running:
        """Resume the first execution of the file, and those that it had started.

        Raises ReplayError when the definition is another one, and what has happened does not happen
        with it.
        """
        self.driver = driver
        (_, first), *others = self._earlier.journals.items()
        # The latest first: a nested execution is there before the one that waits for it.
        for arn, journal in reversed(others):
            nested = journal.header.identity.map_run is None
            if nested and not is_over(journal) and arn not in driver.executions:
                self.find(arn)
        execution = self._resumed(program, first, driver.clock)
        for arn, journal in others:
            if not is_over(journal) and arn not in driver.executions:
                self._abort(journal)
        self._stop_what_was_cut_off()
        return execution

    def _stop_what_was_cut_off(self) -> None:
        """Abort the children of jobs that were cut off in the moment of the crash (fact 134)."""
        driver = self.driver
        for child in list(driver.executions.values()):
            arn = child.identity.job_of
            parent = self._earlier.find(arn) if arn else None
            if arn and parent and not child.ended:
                running = driver.executions.get(arn)
                waiting = running.engine.waiting if running else ()
                if is_cut_off(child.identity, parent, waiting):
                    driver.stop(child, None, cut_off_cause(arn))

    def _abort(self, journal: Journal) -> None:
        """Record that it was stopped: its map run is over."""
        now = self.driver.clock.now()
        entries: tuple[JournalEntry, ...] = (
            Fact("stopped", now, "", {"error": None, "cause": None}),
            Event(journal.end.id + 1 if journal.events else 1, 0, "ExecutionAborted", now, {}),
        )
        journal.entries.extend(entries)
        self._write(journal.header, map(entry_line, entries))

    def find(self, arn: str) -> Running | None:
        """Return an execution that another one had started."""
        journal = self._earlier.journals.get(arn)
        if journal is None:
            return None
        name = journal.header.identity.machine
        machine = self.driver.machines.get(name)
        if machine is None:
            raise InputError(f"{self.path} has an execution of {name!r}: give that machine as well")
        return self._resumed(machine.program, journal, self.driver.clock)

    def children(self, parent: Running, command: StartMapRun) -> Iterator[Running | Journal]:
        """Return the children that a map run had started, in the order of their indexes."""
        definition = parent.journal.header.definition
        for index in count():
            journal = self._earlier.find(child_identity(parent, command, index).arn)
            if journal is None:
                return
            whole = replace(journal, header=journal.header._replace(definition=definition))
            yield whole if is_over(journal) else self._resumed(command.child, whole, parent.clock)

    def _resumed(self, program: Program, journal: Journal, clock: Clock) -> Running:
        execution = restore(program, journal, clock)
        # A fact may have been the last thing that was written: its events follow from it.
        if missing := execution.events[journal.end.id if journal.events else 0 :]:
            journal.entries.extend(missing)
            self.journaled(execution, missing)
        if not execution.ended:
            resume_execution(self.driver, execution, journal.scheduled)
        return execution

    # What the driver reports ---------------------------------------------------------------------

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        """Write a fact and what followed from it."""
        begins = isinstance(entries[0], Fact) and entries[0].kind == "started"
        self._write(execution.journal.header, map(entry_line, entries), begins=begins)

    def scheduled(self, execution: Running, fact: Fact) -> None:
        """Write an answer that comes later."""
        self._write(execution.journal.header, (scheduled_line(fact),))

    def _write(self, header: Header, lines: Iterable[str], *, begins: bool = False) -> None:
        if self._file.closed:
            raise InputError(f"{self.path} is closed; start with this journal again to continue")
        text = "\n".join((*self._heading(header, begins), *lines, ""))
        left = text.encode("utf-8", "surrogatepass")
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as problem:
            raise InputError(f"can't write {self.path}: {problem.strerror}") from None

    def _heading(self, header: Header, begins: bool) -> Iterator[str]:
        arn = header.identity.arn
        if begins:
            yield header_line(header, inherited=header.identity.map_run is not None)
        elif arn != self._about:
            yield dumps(["of", arn])
        self._about = arn


def is_over(journal: Journal) -> bool:
    """Return whether an execution has ended; facts may come after that, and change nothing."""
    last = next((entry for entry in reversed(journal.entries) if isinstance(entry, Event)), None)
    return last is not None and last.type in TERMINAL


def _opened(path: Path) -> FileIO:
    if path.exists() and not path.is_file():
        raise InputError(f"can't store a journal in {path}: it is no regular file")
    try:
        # Without a buffer: what could not be written is not tried again by `close`.
        file = FileIO(path, "a+", opener=private)
        file.seek(0)
        mine = lock(file)
    except OSError as problem:
        raise InputError(f"can't store a journal in {path}: {problem.strerror}") from None
    if not mine:
        file.close()
        raise InputError(f"another process runs the execution in {path}")
    return file
