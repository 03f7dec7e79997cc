"""Time: the server's clock, and timelines for executions whose time is modelled.

| clock | is |
|---|---|
| real | the machine's time; no timeline is needed |
| virtual | waits, back-offs and scheduled answers end at once: time jumps to them |
| 60 | the machine's time, sixty times as fast |

An execution has its timeline together with all that it starts. Its time never jumps while anything
can be done, nor over a time limit while somebody outside, a worker or whoever has a task token, may
still answer in time. While a handler runs, a second is a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from threading import get_ident
from typing import Any, Self
from weakref import WeakValueDictionary

from doorstep.errors import InputError, shortened
from doorstep.runtime import RealClock
from doorstep.runtime.clocks import AT_ONCE, Agenda, Clock, Handle
from doorstep.values.timestamps import in_milliseconds, not_before

_Call = tuple[Callable[[], Any], Callable[[Any], None], float | None]
log = logging.getLogger("doorstep")
_STEP = 2.0
"""Seconds by which somebody who sets the machine's clock moves it, at least."""
_TURN = 0.01
"""How long (seconds) a turn takes what comes before it lets all that be made durable."""


class ServerClock(RealClock):
    """Handlers run in threads, `calls` of them at a time.

    A call that has outlasted its task's timeout is abandoned: nobody waits for it, and it delays
    nobody else.
    """

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = self._free = calls
        self._held = False
        self._reported = 0.0
        self._waiting: deque[_Call] = deque()
        self._thread = get_ident()
        self.touched: dict[Timeline, None] = {}
        """The timelines in which something may have become possible."""

    @property
    def calls_in_flight(self) -> int:
        """How many calls run. May be read from any thread."""
        return self.calls - self._free

    @property
    def calls_waiting(self) -> int:
        """How many calls wait for a thread. May be read from any thread."""
        return len(self._waiting)

    def hold(self) -> None:
        """Make no more calls."""
        self._held = True

    def bring(self, act: Callable[[], None]) -> None:
        """Do something in the driver's thread, after all that was brought before.

        May be called from any thread.
        """
        self._brought.put(act)

    @property
    def here(self) -> bool:
        """Whether this is the driver's thread."""
        return get_ident() == self._thread

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something in the driver's thread, and wait until it is done."""
        if self.here:
            return act()
        done: Future[bool] = Future()

        def settle() -> None:
            try:
                done.set_result(act())
            except Exception as problem:  # noqa: BLE001  raised in whoever waits for it
                done.set_exception(problem)

        self.bring(settle)
        return done.result()

    def turn(self, patience: float) -> None:
        """Wait for something to do, and do all that there is. What was done before is durable."""
        self._thread = get_ident()
        self._compare()
        if self.step(0 if self._continue_timelines() else patience):
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

    def _continue_timelines(self) -> bool:
        acted = False
        for timeline in list(self.touched):
            del self.touched[timeline]
            acted |= timeline.act()
        return acted

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
            slot = CallSlot(self._release)
            super().invoke(call, partial(slot.answered, done), limit)
            if limit is not None:
                self.call_at(self.now() + limit, slot.leave)

    def is_free(self) -> bool:
        """Return whether another call would be made at once."""
        return self._free > 0 and not self._held

    def _release(self) -> None:
        self._free += 1
        self._make_calls()
        self.freed()


class CallSlot:
    """One of the calls that may run at a time, released once."""

    __slots__ = ("_release",)

    def __init__(self, release: Callable[[], None]) -> None:
        self._release: Callable[[], None] | None = release

    def leave(self) -> None:
        """Release it: the call has ended, or nobody waits for it any more."""
        if release := self._release:
            self._release = None
            release()

    def answered(self, done: Callable[[Any], None], result: Any) -> None:
        """Hand on the result of the call, which has ended."""
        self.leave()
        done(result)


_SLOWEST, _FASTEST = 1e-6, 1e6
_REPEATED = 80
"""Characters of a text that a message repeats."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes."""

    text: str
    """As it was asked for: real, virtual, or a number."""
    speed: float = 1.0
    jumps: bool = False

    @classmethod
    def of(cls, text: str) -> Self:
        """Read real, virtual or a number from 0.000001 to 1000000; raise InputError for others."""
        if text in ("real", "virtual"):
            return cls(text, jumps=text == "virtual")
        try:
            speed = float(text)
        except ValueError:
            speed = 0.0
        if not _SLOWEST <= speed <= _FASTEST:
            other = shortened(repr(text), _REPEATED)
            raise InputError(f"a clock is real, virtual or a speed such as 60; it can't be {other}")
        return cls(text, speed)


REAL = Pace("real")


class Timeline:
    """The time of one execution and of those that it starts."""

    def __init__(self, clock: ServerClock, pace: Pace, root: str) -> None:
        """`root`: the ARN of the execution that it began with."""
        self.pace = pace
        self.root = root
        self._clock = clock
        self._agenda = Agenda()
        self._lock = threading.Lock()
        self._busy = 0
        """How many calls run, and how many things are on their way into the agenda."""
        self._outside: list[Callable[[], bool]] = []
        self._alarm: Handle | None = None
        self._mark = (clock.now(), clock.exact(), pace.speed)
        """A moment of this time and of the machine's, and the speed since: replaced as a whole."""

    def now(self) -> float:
        """Return the modelled time in epoch seconds, with milliseconds and no more.

        May be called from any thread.
        """
        return in_milliseconds(self._then(self._clock.exact()))

    def not_before(self, at: float) -> None:
        """Let it be that time at least."""
        with self._lock:
            if at > self.now():
                self._set(at)

    def call_at(self, at: float, act: Callable[[], object], *, limit: bool = False) -> Handle:
        """Do something when the modelled time has come. May be called from any thread."""
        handle = Handle(act, limit)
        self._count(1)
        self._clock.bring(partial(self._enter, not_before(at), handle))
        return handle

    def when_free(self, act: Callable[[], None]) -> Handle:
        """Do something once another call would be made at once; no time is jumped over for it."""
        handle = Handle(act)
        self._count(1)
        self._clock.when_free(partial(self._enter, AT_ONCE, handle))
        return handle

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something in the server's thread; time may continue after it."""

        def look_after() -> bool:
            try:
                return act()
            finally:
                self.look()

        return self._clock.submit(look_after)

    def expect(self, still: Callable[[], bool]) -> None:
        """Let time jump over no limit as long as `still` holds."""
        if self.pace.jumps:
            self._outside.append(still)

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make the call in a thread; its limit is in seconds of the machine's."""
        self._count(1)
        slot = CallSlot(partial(self._count, -1))
        self._clock.invoke(call, partial(slot.answered, done), limit)
        if limit is not None:
            self._clock.call_at(self._clock.now() + limit, slot.leave)

    def skip(self) -> bool:
        """Let it be the time of what is next, a limit too; return False while a handler runs."""
        at = self._agenda.next_time()
        if at is None or self._busy:
            return False
        self.not_before(at)
        self.look()
        return True

    def act(self) -> bool:
        """Do what is due, else what is next if time may jump to it; return whether there was any.

        Called by the server's thread when all that happened until now is durable.
        """
        at = self._agenda.next_time()
        if at is None:
            return False
        if at > self.now() and not self._jumps(at):
            self._wake_at(at)
            return False
        now = self.now()
        while at is not None and at <= now:
            self._agenda.take().act()
            at = self._agenda.next_time()
        self.look()
        return True

    def look(self) -> None:
        """Let the server's thread, in which this is called, see what can be done."""
        self._clock.touched[self] = None

    def _enter(self, at: float, handle: Handle) -> None:
        self._count(-1)
        if at <= self.now():
            handle.act()
        else:
            self._agenda.add(at, handle)

    def _jumps(self, at: float) -> bool:
        with self._lock:
            may = self._may_jump()
            if may:
                self._set(at)
        return may

    def _may_jump(self) -> bool:
        if self._busy or not self.pace.jumps:
            return False
        return not (self._agenda.next_is_limit() and self._somebody_may_answer())

    def _somebody_may_answer(self) -> bool:
        while self._outside and not self._outside[-1]():
            self._outside.pop()
        return bool(self._outside)

    def _count(self, change: int) -> None:
        with self._lock:
            self._busy += change
            # One look at the machine's clock: time does not go back by what lies between two.
            real = self._clock.exact()
            self._mark = (self._then(real), real, self._speed)
        if change < 0:
            self.look()

    def _then(self, real: float) -> float:
        """Return the modelled time at a moment of the machine's, whose clock may be set back."""
        modelled, since, speed = self._mark
        return modelled + max(0.0, real - since) * speed

    @property
    def _speed(self) -> float:
        return 1.0 if self._busy else self.pace.speed

    def _set(self, at: float) -> None:
        self._mark = (at, self._clock.exact(), self._speed)

    def _wake_at(self, at: float) -> None:
        if self._alarm:
            self._alarm.cancel()
        modelled, real, speed = self._mark
        self._alarm = self._clock.call_at(real + (at - modelled) / speed, self.look)


class RealTime:
    """The time of an execution and of those that it starts, when that is the machine's."""

    __slots__ = ("call_at", "expect", "invoke", "now", "pace", "root", "submit", "when_free")

    def __init__(self, clock: ServerClock, root: str) -> None:
        """`root`: the ARN of the execution that it began with."""
        self.pace = REAL
        self.root = root
        # The methods themselves: this stands between every execution and its clock.
        self.now, self.call_at, self.submit = clock.now, clock.call_at, clock.submit
        self.expect, self.invoke, self.when_free = clock.expect, clock.invoke, clock.when_free


class Timelines:
    """The timelines of the executions in memory."""

    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._lines: WeakValueDictionary[str, Timeline] = WeakValueDictionary()
        self.skipped = 0.0
        """Seconds by which executions whose time jumps begin later than the machine's time."""

    def skip_to(self, at: float) -> None:
        """Let executions that start from now on, and whose time jumps, begin at this time."""
        self.skipped = max(self.skipped, at - self._clock.exact())

    def clock(self, pace: Pace, root: str) -> Clock:
        """Return the clock of the execution with the ARN `root`, and of those that it starts."""
        if pace.text == "real":
            return RealTime(self._clock, root)
        line = self._lines.get(root)
        if line is None:
            line = self._lines[root] = Timeline(self._clock, pace, root)
            if pace.jumps and self.skipped:
                line.not_before(self._clock.exact() + self.skipped)
        return line
