"""Where executions are stored, and how they continue from there after a crash.

An execution is its journal. What has no answer yet is asked for again by the same commands, under
the same keys: handlers see the same idempotency key, tokens stay valid, timers keep their
deadlines. The library stores executions in memory only, or in a file (see `engine.journal` for its
lines).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.journal import (
    Header,
    Journal,
    JournalEntry,
    entry_line,
    header_line,
    promise_line,
    read_all,
    replay,
)
from ..engine.messages import TERMINAL, Command, Event, Fact, Invoke, Program, StartMapRun
from ..errors import InputError, ReplayError
from ..values.json_values import dumps
from ..values.private_files import private
from .clocks import Clock
from .execution import Execution, child_identity
from .pending_answers import hold, tell, unanswered
from .step_functions import watch_again

if TYPE_CHECKING:
    from .ports import Delivery

_BEGINNING = b'{"definition":'
"""Of a header, and so of the file: another file is not taken for one that was cut off."""


def restore(program: Program, journal: Journal, clock: Clock) -> Execution:
    """The execution of a journal, as it was; raises ReplayError when it does not belong to it."""
    engine = replay(program, journal)
    return Execution(program, journal.header, clock, engine=engine, journal=journal)


def go_on(driver: Delivery, execution: Execution, promises: Iterable[Fact] = ()) -> None:
    """Carry out the commands that have no answer yet; `promises`: the answers known already."""
    driver.executions[execution.arn] = execution
    facts = execution.journal.facts
    picked_up = {fact.key for fact in facts if fact.kind == "picked up"}
    known = list(promises)
    for promise in known:
        if promise.kind != "heartbeat" and unanswered(execution, promise.key):
            hold(execution, promise)
    kept = [promise for promise in known if _holds(execution, promise, facts)]
    promised = {promise.key for promise in kept if promise.kind in ("succeeded", "failed")}
    for command in list(execution.engine.pending()):
        # A map run that had come to its end tells so at once, and may end what is next to it.
        if command in execution.engine.open.get(command.key, {}).values():
            ask_again = partial(_ask_again, driver, execution, command, picked_up, promised)
            driver.guard(execution, ask_again)
    for promise in kept:
        tell(driver, execution, promise)


def _holds(execution: Execution, promise: Fact, facts: Iterable[Fact]) -> bool:
    """Whether it is still to come, and not held."""
    call = execution.engine.open.get(promise.key, {}).get("")
    if not isinstance(call, Invoke) or unanswered(execution, promise.key):
        return False
    # A heartbeat leaves its call open: it is over when it, or a later one, has come.
    kind, at, key, _ = promise
    return not any((fact.kind, fact.key) == (kind, key) and fact.at >= at for fact in facts)


def _ask_again(
    driver: Delivery,
    execution: Execution,
    command: Command,
    picked_up: set[str],
    promised: set[str],
) -> None:
    if not isinstance(command, Invoke):
        driver.carry_out(execution, [command])
    elif command.key in promised:
        driver.expect(execution, command)
    elif command.key in execution.submitted:
        driver.expect(execution, command)
        watch_again(driver, execution, command)
    else:
        driver.invoke(execution, command, begun=command.key in picked_up)


class InMemory:
    """Keeps nothing beyond what the executions hold themselves."""

    def journaled(self, execution: Execution, entries: Sequence[JournalEntry]) -> None:
        """The execution's own journal has them."""

    def promised(self, execution: Execution, fact: Fact) -> None:
        """The clock has it."""

    def expected(self, execution: Execution, tokens: Collection[str]) -> None:
        """The driver has them."""

    def safely(self, act: Callable[[], None]) -> None:
        """Nothing is safer later: do it now."""
        act()

    def map_run(self, run: Any) -> None:
        """The parent has it."""

    def children(self, parent: Execution, command: StartMapRun) -> Sequence[Execution]:
        """A run that the parent does not hold is new."""
        return ()

    def find(self, arn: str) -> Execution | None:
        """The driver holds all there are."""
        return None

    def knows_token(self, token: str) -> bool:
        """The driver holds all there are."""
        return False

    def set_aside(self, execution: Execution, problem: Exception) -> None:
        """Nothing has to be stored."""

    def close(self) -> None:
        """Nothing was opened."""


class JournalFile:
    """The keeper of a driver whose executions are in a file."""

    driver: Delivery
    """Set by `go_on`: before that there is nothing to find."""

    def __init__(self, path: Path) -> None:
        """Raises InputError when the file can't be used, ReplayError when it is damaged."""
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
            found = read_all(line.decode("utf-8", "surrogatepass") for line in lines or [torn])
        except (ReplayError, UnicodeDecodeError) as problem:
            if lines or not _BEGINNING.startswith(torn[: len(_BEGINNING)]):
                raise ReplayError(f"{self.path}: {problem}") from None
            found = {}
        # What was cut off had no consequences.
        self._file.truncate(self._file.tell() - len(torn))
        return {arn: journal for arn, journal in found.items() if journal.entries}

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    # Going on ------------------------------------------------------------------------------------

    @property
    def first(self) -> Journal | None:
        """The journal of the execution that was run."""
        return next(iter(self._earlier.values()), None)

    @property
    def latest(self) -> float | None:
        """The last moment in the file, in epoch seconds; None for an empty one."""
        moments = (entry.at for journal in self._earlier.values() for entry in journal.entries)
        return max(moments, default=None)

    def go_on(self, driver: Delivery, program: Program) -> Execution:
        """The first execution of the file as it was left, and those that it had started.

        What had not ended goes on. Raises ReplayError when the definition is another one, and what
        has happened does not happen with it.
        """
        self.driver = driver
        (_, first), *others = self._earlier.items()
        # The latest first: a nested execution is there before the one that waits for it.
        for arn, journal in reversed(others):
            nested = journal.header.identity.map_run is None
            if nested and not _over(journal) and arn not in driver.executions:
                self.find(arn)
        execution = self._taken_up(program, first, driver.clock)
        for arn, journal in others:
            if not _over(journal) and arn not in driver.executions:
                self._abort(journal)
        return execution

    def _abort(self, journal: Journal) -> None:
        """Its map run is over: it was about to be stopped."""
        now = self.driver.clock.now()
        entries: tuple[JournalEntry, ...] = (
            Fact("stopped", now, "", {"error": None, "cause": None}),
            Event(len(journal.events) + 1, 0, "ExecutionAborted", now, {}),
        )
        journal.append(entries)
        self._write(journal.header, map(entry_line, entries))

    def find(self, arn: str) -> Execution | None:
        """An execution that another one had started."""
        journal = self._earlier.get(arn)
        if journal is None:
            return None
        name = journal.header.identity.machine
        machine = self.driver.machines.get(name)
        if machine is None:
            raise InputError(f"{self.path} has an execution of {name!r}: give that machine as well")
        return self._taken_up(machine.program, journal, self.driver.clock)

    def children(self, parent: Execution, command: StartMapRun) -> Sequence[Execution]:
        """The children that a map run had started."""
        found: list[Execution] = []
        definition = parent.journal.header.definition
        while journal := self._earlier.get(child_identity(parent, command, len(found)).arn):
            whole = replace(journal, header=replace(journal.header, definition=definition))
            found.append(self._taken_up(command.child, whole, parent.clock))
        return found

    def _taken_up(self, program: Program, journal: Journal, clock: Clock) -> Execution:
        execution = restore(program, journal, clock)
        # A fact may have been the last thing that was written: its events follow from it.
        if missing := execution.events[len(journal.events) :]:
            journal.append(missing)
            self.journaled(execution, missing)
        if not execution.ended:
            go_on(self.driver, execution, journal.promises)
        return execution

    # What the driver tells -----------------------------------------------------------------------

    def journaled(self, execution: Execution, entries: Sequence[JournalEntry]) -> None:
        """Write a fact and what followed from it."""
        self._write(execution.journal.header, map(entry_line, entries))

    def promised(self, execution: Execution, fact: Fact) -> None:
        """Write an answer that comes later."""
        self._write(execution.journal.header, (promise_line(fact),))

    def expected(self, execution: Execution, tokens: Collection[str]) -> None:
        """Tokens follow from the journal."""

    def map_run(self, run: Any) -> None:
        """Map runs follow from the journals of the parent and of the children."""

    def knows_token(self, token: str) -> bool:
        """Tokens follow from the journal: the driver holds them."""
        return False

    def set_aside(self, execution: Execution, problem: Exception) -> None:
        """What can't be written ends the run."""

    def safely(self, act: Callable[[], None]) -> None:
        """All that was told is in the file: do it."""
        act()

    def _write(self, header: Header, lines: Iterable[str]) -> None:
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
        raise InputError(f"can't keep a journal in {path}: it is no regular file")
    try:
        # Without a buffer: what could not be written is not tried again by `close`.
        file = FileIO(path, "a+", opener=private)
        file.seek(0)
        _lock(file, path)
    except OSError as problem:
        raise InputError(f"can't keep a journal in {path}: {problem.strerror}") from None
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
