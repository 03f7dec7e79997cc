"""The emulator's clock: the machine's time, and a bounded number of calls at once."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import get_ident
from typing import Any, Protocol

from doorstep.runtime import RealClock


class Timed(Protocol):
    """A time beside the machine's."""

    def go_on(self) -> bool:
        """Do what can be done; whether there was anything."""


Call = tuple[Callable[[], Any], Callable[[Any], None], float | None]
log = logging.getLogger("doorstep")
_STEP = 2.0
"""Seconds by which somebody who sets the machine's clock moves it, at least."""
_TURN = 0.01
"""How long (seconds) a turn takes what comes before it lets all that be made durable."""


class ServerClock(RealClock):
    """Handlers run in threads, `calls` of them at a time.

    A call that has outlasted its task's timeout is given up: nobody waits for it, and it holds up
    nobody else.
    """

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = self._free = calls
        self._held = False
        self._reported = 0.0
        self._waiting: deque[Call] = deque()
        self._thread = get_ident()
        self.touched: dict[Timed, None] = {}
        """The timelines in which something may have become possible."""

    @property
    def calls_in_flight(self) -> int:
        """How many calls run. May be asked from any thread."""
        return self.calls - self._free

    @property
    def calls_waiting(self) -> int:
        """How many calls wait for a thread. May be asked from any thread."""
        return len(self._waiting)

    def hold(self) -> None:
        """Make no more calls."""
        self._held = True

    def bring(self, act: Callable[[], None]) -> None:
        """Let something be done in the driver's thread, after all that was brought before.

        May be called from any thread.
        """
        self._brought.put(act)

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something in the driver's thread, and wait until it is done."""
        if get_ident() == self._thread:
            return act()
        done: Future[bool] = Future()

        def settle() -> None:
            try:
                done.set_result(act())
            except Exception as problem:  # noqa: BLE001  raised at whoever waits for it
                done.set_exception(problem)

        self.bring(settle)
        return done.result()

    def turn(self, patience: float) -> None:
        """Wait for something to do, and do all that there is. What was done before is durable."""
        self._thread = get_ident()
        self._compare()
        if self.step(0 if self._go_on() else patience):
            end = time.monotonic() + _TURN
            while time.monotonic() < end and self.step(0):
                pass

    def _compare(self) -> None:
        ahead = self.ahead()
        if abs(ahead - self._reported) > _STEP:
            self._reported = ahead
            log.warning(
                "the machine's clock was set: this server's is ahead by %.0f s until it is started "
                "again; waits and time limits last as long as they would have",
                ahead,
            )

    def _go_on(self) -> bool:
        went_on = False
        looked_at = list(self.touched)
        for timeline in looked_at:
            del self.touched[timeline]
            went_on |= timeline.go_on()
        return went_on

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make the call in a thread as soon as one may be had."""
        self._waiting.append((call, done, limit))
        self._make_calls()

    def _make_calls(self) -> None:
        while self._free and self._waiting and not self._held:
            self._free -= 1
            call, done, limit = self._waiting.popleft()
            place = Place(self._give_back)
            super().invoke(call, partial(place.answered, done), limit)
            if limit is not None:
                self.call_at(self.now() + limit, place.leave)

    def _give_back(self) -> None:
        self._free += 1
        self._make_calls()


class Place:
    """One of the threads that may run at a time, given back once."""

    __slots__ = ("_give_back",)

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def leave(self) -> None:
        """The call has ended, or nobody waits for it any more."""
        if give_back := self._give_back:
            self._give_back = None
            give_back()

    def answered(self, done: Callable[[Any], None], result: Any) -> None:
        """The call has ended."""
        self.leave()
        done(result)
