"""Clocks: an execution's time, what is done later, and blocking calls; virtual and real.

Virtual time stands still while anything can be done, then jumps to what is due next. In real time
waits are waited for, and handlers run in threads of their own.
"""

from __future__ import annotations

import heapq
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol

from ..engine import seldom_collected
from ..values.timestamps import in_milliseconds, not_before

_ROOM = 1024
"""Entries of an agenda before those that were cancelled are dropped."""

_MANY_CALLS = 1_000
"""Calls in threads of their own; while so many run, map runs start no more children."""

AT_ONCE = 0.0
"""A time that is past, whatever a clock says: before anything that is asked for after this."""


class Handle:
    """Something that is going to be done, unless it is cancelled."""

    __slots__ = ("act", "cancelled", "limit")

    def __init__(self, act: Callable[[], object], limit: bool = False) -> None:
        self.act = act
        self.cancelled = False
        self.limit = limit
        """Whether it ends the waiting for somebody: a time limit, no delay."""

    def do(self) -> None:
        """Do it, unless it was cancelled meanwhile."""
        self.act()

    def cancel(self) -> None:
        """Do not do it, and let go of what it held: its time may be a year away."""
        self.cancelled, self.act = True, _nothing


def _nothing() -> None:
    """Do nothing: what is left of something cancelled."""


class Clock(Protocol):
    """An execution's time. Everything that it does is done in the thread of the main clock."""

    def now(self) -> float:
        """Return the time in epoch seconds, with milliseconds and no more (fact 344)."""

    def call_at(self, at: float, act: Callable[[], object], *, limit: bool = False) -> Handle:
        """Do something at a time (epoch seconds); at once when that is past. See `Handle.limit`."""

    def when_free(self, act: Callable[[], None]) -> Handle:
        """Do something after what is being done, once another call would be made at once."""

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something in the main clock's thread; return what it returns.

        True where that can't be waited for: it is done after what is being done. May be called from
        any thread.
        """

    def expect(self, still: Callable[[], bool]) -> None:
        """Allow for an answer from outside of this process as long as `still` holds."""

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make a blocking call, then hand `done` its result, or the exception that it raised.

        Never, if it outlasts `limit`.
        """


class MainClock(Clock, Protocol):
    """The world's time. Everything that it does, it does in the thread that calls `run`."""

    def run(self, until: Callable[[], bool]) -> None:
        """Let time pass until the condition holds, or nothing more can happen."""

    def advance(self, length: float) -> None:
        """Let so many seconds pass, and what is due in them happen."""


class Agenda:
    """What is to be done, by time; at the same time in the order in which it was asked for."""

    __slots__ = ("_entries", "_number", "_room")

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Handle]] = []
        self._number = 0
        self._room = _ROOM

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, at: float, handle: Handle) -> None:
        """Enter something to be done."""
        self._number += 1
        heapq.heappush(self._entries, (at, self._number, handle))
        if len(self._entries) > self._room:
            self._clear()

    def _clear(self) -> None:
        """Drop what was cancelled: most time limits are, long before their time."""
        self._entries = [entry for entry in self._entries if not entry[2].cancelled]
        heapq.heapify(self._entries)
        self._room = max(_ROOM, 2 * len(self._entries))

    def next_time(self) -> float | None:
        """Return when the next thing is due."""
        while self._entries and self._entries[0][2].cancelled:
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def next_is_limit(self) -> bool:
        """Return whether the next thing is a time limit; there has to be one."""
        return self._entries[0][2].limit

    def take(self) -> Handle:
        """Return the next thing; there has to be one."""
        return heapq.heappop(self._entries)[2]


def in_thread(call: Callable[[], Any], done: Callable[[Any], None]) -> threading.Thread:
    """Make a call in a thread of its own that does not keep the process alive."""
    context = copy_context()
    thread = threading.Thread(target=lambda: done(context.run(_outcome, call)), daemon=True)
    thread.start()
    return thread


def _outcome(call: Callable[[], Any]) -> Any:
    # An exception that only ended the thread would leave somebody waiting for ever.
    try:
        return call()
    except BaseException as problem:  # noqa: BLE001
        return problem


class VirtualClock:
    """A Wait of a year costs nothing, and the order of things is always the same."""

    def __init__(self, start: float | None = None) -> None:
        self._now = in_milliseconds(time.time() if start is None else start)
        self._agenda = Agenda()
        self._soon: deque[Callable[[], None]] = deque()

    def now(self) -> float:
        """Return the modelled time, in epoch seconds."""
        return self._now

    def expect(self, still: Callable[[], bool]) -> None:
        """Do nothing: nobody outside can answer while time does not pass there."""

    def call_at(self, at: float, act: Callable[[], object], *, limit: bool = False) -> Handle:
        """Do something when the modelled time has come."""
        handle = Handle(act, limit)
        if at > self._now:
            self._agenda.add(not_before(at), handle)
        else:
            self._soon.append(handle.do)
        return handle

    def when_free(self, act: Callable[[], None]) -> Handle:
        """Do something after what is being done: a call is made whenever one is asked for."""
        return self.call_at(AT_ONCE, act)

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something after what is being done."""
        self.call_at(AT_ONCE, act)
        return True

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make the call now: it takes no modelled time.

        A call with a limit that takes longer in real time never answers; its timeout, which is on
        this clock, then ends it.
        """
        if limit is None:
            result = call()
            self._soon.append(partial(done, result))
            return
        answers: list[Any] = []
        thread, until = in_thread(call, answers.append), time.monotonic() + limit
        while thread.is_alive() and (left := until - time.monotonic()) > 0:
            thread.join(min(left, _SPELL or left))
        if answers:
            self._soon.append(partial(done, answers[0]))

    @seldom_collected()
    def run(self, until: Callable[[], bool]) -> None:
        """Do what is to be done, in order, time jumping from one thing to the next."""
        soon, agenda = self._soon, self._agenda
        while not until():
            if soon:
                soon.popleft()()
                continue
            at = agenda.next_time()
            if at is None:
                return
            self._now = max(self._now, at)
            agenda.take().act()

    def advance(self, length: float) -> None:
        """Let so many seconds pass, and what is due in them happen."""
        self._pass_until(self._now + length)

    def _pass_until(self, at: float) -> None:
        at = not_before(at)
        self._agenda.add(at, Handle(_nothing))
        self.run(lambda: self._now >= at and not self._is_due())

    def _is_due(self) -> bool:
        """Return whether there is more to do in this moment."""
        following = self._agenda.next_time()
        return bool(self._soon) or (following is not None and following <= self._now)


if sys.platform == "linux":
    _CLOCKS: tuple[int, int] | None = (time.CLOCK_BOOTTIME, time.CLOCK_MONOTONIC)
elif sys.platform == "darwin":
    _CLOCKS = (time.CLOCK_MONOTONIC, time.CLOCK_UPTIME_RAW)
else:
    _CLOCKS = None
"""One that continues while the machine sleeps, and that of `time.monotonic`, which stops."""

_SPELL = 0.2 if sys.platform == "win32" else None
"""Seconds of a wait after which Ctrl-C is heard: Windows does not interrupt a wait for a lock."""


def passed() -> float:
    """Return the seconds since some moment, those in which the machine slept included."""
    asleep = 0.0
    if _CLOCKS:
        whole, awake = map(time.clock_gettime, _CLOCKS)
        asleep = whole - awake
    return time.monotonic() + asleep


class RealClock:
    """Real time. Whatever other threads bring is done in the thread that calls `run`.

    The machine's clock is read once. From then on time passes as fast as it does, whatever the
    machine's clock is set to: waits and time limits last as long as they say, histories do not go
    back in time, and a Wait until a Timestamp lasts as long as it seemed when it began. The next
    process reads the machine's clock again.
    """

    def __init__(self) -> None:
        self._began = time.time() - passed()
        self._agenda = Agenda()
        self._brought: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._in_flight = 0
        self._for_free: deque[Handle] = deque()
        """What waits until another call would be made at once."""

    def now(self) -> float:
        """Return the time in epoch seconds, with milliseconds and no more."""
        return in_milliseconds(self.exact())

    def exact(self) -> float:
        """Return the time as it is read, for clocks that pass at another speed."""
        return self._began + passed()

    def ahead(self) -> float:
        """Return by how many seconds it is ahead of the machine's clock, since that was set."""
        return self.exact() - time.time()

    def expect(self, still: Callable[[], bool]) -> None:
        """Time passes anyway."""

    def call_at(self, at: float, act: Callable[[], object], *, limit: bool = False) -> Handle:
        """Do something at that time. May be called from any thread."""
        handle = Handle(act, limit)
        at = not_before(at)
        self._brought.put(lambda: self._enter(at, handle))
        return handle

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something after what is being done."""
        self.call_at(AT_ONCE, act)
        return True

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make the call in a thread; the task's own timer ends the waiting for it."""
        self._in_flight += 1

        def ended(result: Any) -> None:
            self._in_flight -= 1
            done(result)
            self.freed()

        in_thread(call, lambda result: self._brought.put(lambda: ended(result)))

    def is_free(self) -> bool:
        """Return whether another call would be made at once."""
        return self._in_flight < _MANY_CALLS

    def when_free(self, act: Callable[[], None]) -> Handle:
        """Do something after what is being done, once not too many calls run."""
        if self.is_free():
            return self.call_at(AT_ONCE, act)
        handle = Handle(act)
        self._for_free.append(handle)
        return handle

    def freed(self) -> None:
        """Do what waits for that, when another call would be made at once."""
        while self._for_free and self.is_free():
            handle = self._for_free.popleft()
            if not handle.cancelled:
                self.call_at(AT_ONCE, handle.act)
                return

    def run(self, until: Callable[[], bool]) -> None:
        """Sleep until something is due or brought, and do it."""
        while not until():
            self.step(_SPELL)

    def advance(self, length: float) -> None:
        """Let so many seconds pass, and what is due in them happen."""
        until = not_before(self.now() + length)
        self.call_at(until, lambda: None)
        self.run(lambda: self.now() >= until)

    def step(self, patience: float | None = None) -> bool:
        """Do the next thing that is brought or due, if one comes within `patience` seconds."""
        if not self._brought.empty():
            self._brought.get()()
            return True
        at = self._agenda.next_time()
        left = None if at is None else max(0.0, at - self.exact())
        waits = [wait for wait in (left, patience) if wait is not None]
        try:
            self._brought.get(timeout=min(waits) if waits else None)()
        except queue.Empty:
            if left is None or (patience is not None and patience < left):
                return False
            self._agenda.take().act()
        return True

    def _enter(self, at: float, handle: Handle) -> None:
        if at <= self.exact():
            handle.act()
        else:
            self._agenda.add(at, handle)
