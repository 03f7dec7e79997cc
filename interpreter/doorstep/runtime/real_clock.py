"""Real time: waits are waited for, handlers run in threads of their own."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable
from typing import Any

from .clock import AT_ONCE, Agenda, Handle, after_all, in_thread

if sys.platform == "linux":
    _CLOCKS: tuple[int, int] | None = (time.CLOCK_BOOTTIME, time.CLOCK_MONOTONIC)
elif sys.platform == "darwin":
    _CLOCKS = (time.CLOCK_MONOTONIC, time.CLOCK_UPTIME_RAW)
else:
    _CLOCKS = None
"""One that continues while the machine sleeps, and that of `time.monotonic`, which stops."""


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

    def now(self) -> float:
        """Epoch seconds."""
        return self._time()

    def ahead(self) -> float:
        """Return by how many seconds it is ahead of the machine's clock, since that was set."""
        return self._time() - time.time()

    def expect(self, still: Callable[[], bool]) -> None:
        """Time passes anyway."""

    def call_at(self, at: float, act: Callable[[], None], *, limit: bool = False) -> Handle:
        """Do something at that time. May be called from any thread."""
        handle = Handle(act, limit)
        self._brought.put(lambda: self._enter(at, handle))
        return handle

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something after what is being done."""
        self.call_at(AT_ONCE, after_all(act))
        return True

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make the call in a thread; the task's own timer ends the waiting for it."""
        in_thread(call, lambda result: self._brought.put(lambda: done(result)))

    def run(self, until: Callable[[], bool]) -> None:
        """Sleep until something is due or brought, and do it."""
        while not until():
            self.step()

    def step(self, patience: float | None = None) -> bool:
        """Do the next thing that is brought or due, if one comes within `patience` seconds."""
        at = self._agenda.next_time()
        left = None if at is None else max(0.0, at - self._time())
        waits = [wait for wait in (left, patience) if wait is not None]
        try:
            self._brought.get(timeout=min(waits) if waits else None)()
        except queue.Empty:
            if left is None or (patience is not None and patience < left):
                return False
            self._agenda.take().act()
        return True

    def _time(self) -> float:
        return self._began + passed()

    def _enter(self, at: float, handle: Handle) -> None:
        if at <= self._time():
            handle.act()
        else:
            self._agenda.add(at, handle)
