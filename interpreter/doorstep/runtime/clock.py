"""What a driver needs of a clock: the time, something done later, and blocking calls made."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Protocol

_ROOM = 1024
"""Entries of an agenda that are kept without a look at which were cancelled."""


AT_ONCE = 0.0
"""A time that is past, whatever a clock says: before anything that is asked for after this."""


class Handle:
    """Something that is going to be done, unless it is cancelled."""

    __slots__ = ("act", "cancelled", "limit")

    def __init__(self, act: Callable[[], None], limit: bool = False) -> None:
        self.act = act
        self.cancelled = False
        self.limit = limit
        """Whether it ends the waiting for somebody: a time limit, no delay."""

    def cancel(self) -> None:
        """Do not do it, and let go of what it held: its time may be a year away."""
        self.cancelled = True
        self.act = _nothing


def after_all(act: Callable[[], object]) -> Callable[[], None]:
    """Return an act whose result nobody waits for."""

    def do() -> None:
        act()

    return do


def _nothing() -> None:
    """What is left of something cancelled."""


class Clock(Protocol):
    """An execution's time. Everything that it does is done in the thread of the main clock."""

    def now(self) -> float:
        """Epoch seconds."""

    def call_at(self, at: float, act: Callable[[], None], *, limit: bool = False) -> Handle:
        """Do something at a time (epoch seconds); at once when that is past. See `Handle.limit`."""

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something in the main clock's thread; return what it returns.

        True where that can't be waited for: it is done after what is being done. May be called from
        any thread.
        """

    def expect(self, still: Callable[[], bool]) -> None:
        """As long as `still` holds, somebody outside of this process may send an answer."""

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
        """When the next thing is due."""
        while self._entries and self._entries[0][2].cancelled:
            heapq.heappop(self._entries)
        return self._entries[0][0] if self._entries else None

    def next_is_limit(self) -> bool:
        """Whether the next thing is a time limit; there has to be one."""
        return self._entries[0][2].limit

    def take(self) -> Handle:
        """The next thing; there has to be one."""
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
