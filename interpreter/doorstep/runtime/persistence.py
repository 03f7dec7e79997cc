"""Where executions are stored, and how they continue from there after a crash.

An execution is its journal. What has no answer yet is asked for again by the same commands, under
the same keys: handlers see the same idempotency key, tokens stay valid, timers keep their
deadlines. The library stores executions in memory only, or in a file (see `engine.journal` for its
lines).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from io import FileIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine import (
    TERMINAL,
    Command,
    Event,
    Fact,
    Header,
    Invoke,
    Journal,
    JournalEntry,
    Program,
    StartMapRun,
    entry_line,
    header_line,
    read_all,
    replay,
    scheduled_line,
)
from ..errors import InputError, ReplayError
from ..values.json_values import dumps
from ..values.private_files import private
from .clocks import Clock
from .nested import cut_off_cause, is_cut_off, watch_again
from .pending_answers import deliver_at_its_time, hold, unanswered
from .running import Running, child_identity

if TYPE_CHECKING:
    from .running import Delivery

_BEGINNING = b'{"definition":'
"""Of a header, and so of the file: another file is not taken for one that was cut off."""


def restore(program: Program, journal: Journal, clock: Clock) -> Running:
    """Return a journal's execution as it was; raise ReplayError if the program is another."""
    engine = replay(program, journal)
    return Running(program, journal.header, clock, engine=engine, journal=journal)


def resume_execution(driver: Delivery, execution: Running, scheduled: Iterable[Fact] = ()) -> None:
    """Carry out the commands that have no answer yet; `scheduled`: the answers known already."""
    driver.executions[execution.arn] = execution
    facts = execution.journal.facts
    picked_up = {fact.key for fact in facts if fact.kind == "picked up"}
    scheduled = list(scheduled)
    for answer in scheduled:
        if answer.kind != "heartbeat" and unanswered(execution, answer.key):
            hold(execution, answer)
    to_come = [answer for answer in scheduled if _is_to_come(execution, answer, facts)]
    answered = {answer.key for answer in to_come if answer.kind in ("succeeded", "failed")}
    for command in list(execution.engine.pending()):
        # A map run that had come to its end reports so at once, and may end what is next to it.
        if command in execution.engine.open.get(command.key, {}).values():
            ask_again = partial(_ask_again, driver, execution, command, picked_up, answered)
            driver.guard(execution, ask_again)
    for answer in to_come:
        deliver_at_its_time(driver, execution, answer)


def _is_to_come(execution: Running, answer: Fact, facts: Iterable[Fact]) -> bool:
    """Return whether an answer is still to come, and not held."""
    call = execution.engine.open.get(answer.key, {}).get("")
    if not isinstance(call, Invoke) or unanswered(execution, answer.key):
        return False
    # A heartbeat leaves its call open: it is over when it, or a later one, has come.
    kind, at, key, _ = answer
    return not any((fact.kind, fact.key) == (kind, key) and fact.at >= at for fact in facts)


def _ask_again(
    driver: Delivery,
    execution: Running,
    command: Command,
    picked_up: set[str],
    answered: set[str],
) -> None:
    if not isinstance(command, Invoke):
        driver.carry_out(execution, [command])
    elif command.key in answered:
        driver.expect(execution, command)
    elif command.key in execution.submitted:
        driver.expect(execution, command)
        watch_again(driver, execution, command)
    else:
        driver.invoke(execution, command, begun=command.key in picked_up)


class InMemory:
    """Persistence that stores nothing beyond what the executions hold themselves."""

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        """Do nothing: the execution's own journal has them."""

    def scheduled(self, execution: Running, fact: Fact) -> None:
        """Do nothing: the clock has it."""

    def expected(self, execution: Running, tokens: Collection[str]) -> None:
        """Do nothing: the driver has them."""

    def safely(self, act: Callable[[], None]) -> None:
        """Do it now: nothing is safer later."""
        act()

    def map_run(self, run: Any) -> None:
        """Do nothing: the parent has it."""

    def children(self, parent: Running, command: StartMapRun) -> Iterable[Running | Journal]:
        """Return none: a run that the parent does not hold is new."""
        return ()

    def find(self, arn: str) -> Running | None:
        """Return none: the driver holds all there are."""
        return None

    def knows_token(self, token: str) -> bool:
        """Return False: the driver holds all there are."""
        return False

    def started_as(self, execution: Running) -> Mapping[str, str]:
        """Return nothing: machines of the library have no versions."""
        return {}

    def set_aside(self, execution: Running, problem: Exception) -> None:
        """Do nothing: nothing has to be stored."""

    def close(self) -> None:
        """Do nothing: nothing was opened."""


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
        self._begun = set(self._earlier)
        self._about = ""

    def _read(self) -> dict[str, Journal]:
        *lines, torn = self._file.read().split(b"\n")
        try:
            journals = read_all(line.decode("utf-8", "surrogatepass") for line in lines or [torn])
        except (ReplayError, UnicodeDecodeError) as problem:
            if lines or not _BEGINNING.startswith(torn[: len(_BEGINNING)]):
                raise ReplayError(f"{self.path}: {problem}") from None
            journals = {}
        # What was cut off had no consequences.
        self._file.truncate(self._file.tell() - len(torn))
        return {arn: journal for arn, journal in journals.items() if journal.entries}

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # Resuming ------------------------------------------------------------------------------------

    @property
    def first(self) -> Journal | None:
        """The journal of the execution that was run."""
        return next(iter(self._earlier.values()), None)

    @property
    def latest(self) -> float | None:
        """The last moment in the file, in epoch seconds; None for an empty one."""
        moments = (entry.at for journal in self._earlier.values() for entry in journal.entries)
        return max(moments, default=None)

    def resume(self, driver: Delivery, program: Program) -> Running:
        """Resume the first execution of the file, and those that it had started.

        Raises ReplayError when the definition is another one, and what has happened does not happen
        with it.
        """
        self.driver = driver
        (_, first), *others = self._earlier.items()
        # The latest first: a nested execution is there before the one that waits for it.
        for arn, journal in reversed(others):
            nested = journal.header.identity.map_run is None
            if nested and not _over(journal) and arn not in driver.executions:
                self.find(arn)
        execution = self._resumed(program, first, driver.clock)
        for arn, journal in others:
            if not _over(journal) and arn not in driver.executions:
                self._abort(journal)
        self._stop_what_was_cut_off()
        return execution

    def _stop_what_was_cut_off(self) -> None:
        """Abort the children of jobs that were cut off in the moment of the crash (fact 134)."""
        driver = self.driver
        for child in list(driver.executions.values()):
            arn = child.identity.job_of
            parent = self._earlier.get(arn) if arn else None
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
            Event(len(journal.events) + 1, 0, "ExecutionAborted", now, {}),
        )
        journal.append(entries)
        self._write(journal.header, map(entry_line, entries))

    def find(self, arn: str) -> Running | None:
        """Return an execution that another one had started."""
        journal = self._earlier.get(arn)
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
            journal = self._earlier.get(child_identity(parent, command, index).arn)
            if journal is None:
                return
            whole = replace(journal, header=replace(journal.header, definition=definition))
            yield whole if _over(journal) else self._resumed(command.child, whole, parent.clock)

    def _resumed(self, program: Program, journal: Journal, clock: Clock) -> Running:
        execution = restore(program, journal, clock)
        # A fact may have been the last thing that was written: its events follow from it.
        if missing := execution.events[len(journal.events) :]:
            journal.append(missing)
            self.journaled(execution, missing)
        if not execution.ended:
            resume_execution(self.driver, execution, journal.scheduled)
        return execution

    # What the driver reports ---------------------------------------------------------------------

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        """Write a fact and what followed from it."""
        self._write(execution.journal.header, map(entry_line, entries))

    def scheduled(self, execution: Running, fact: Fact) -> None:
        """Write an answer that comes later."""
        self._write(execution.journal.header, (scheduled_line(fact),))

    def _write(self, header: Header, lines: Iterable[str]) -> None:
        if self._file.closed:
            raise InputError(f"{self.path} is closed; start with this journal again to continue")
        text = "\n".join((*self._heading(header), *lines, ""))
        left = text.encode("utf-8", "surrogatepass")
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as problem:
            raise InputError(f"can't write {self.path}: {problem.strerror}") from None

    def _heading(self, header: Header) -> Iterator[str]:
        arn = header.identity.arn
        if arn not in self._begun:
            self._begun.add(arn)
            yield header_line(header, inherited=header.identity.map_run is not None)
        elif arn != self._about:
            yield dumps(["of", arn])
        self._about = arn


def _over(journal: Journal) -> bool:
    # Facts may come after the end: they change nothing.
    last = next((entry for entry in reversed(journal.entries) if isinstance(entry, Event)), None)
    return last is not None and last.type in TERMINAL


def _opened(path: Path) -> FileIO:
    if path.exists() and not path.is_file():
        raise InputError(f"can't store a journal in {path}: it is no regular file")
    try:
        # Without a buffer: what could not be written is not tried again by `close`.
        file = FileIO(path, "a+", opener=private)
        file.seek(0)
        _lock(file, path)
    except OSError as problem:
        raise InputError(f"can't store a journal in {path}: {problem.strerror}") from None
    return file


def _lock(file: FileIO, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise InputError(f"another process runs the execution in {path}") from None
