"""Simulated time: it stands still while anything can be done, then jumps to what is due next."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from .clock import AT_ONCE, Agenda, Handle, after_all, in_thread


class VirtualClock:
    """A Wait of a year costs nothing, and the order of things is always the same."""

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start
        self._agenda = Agenda()
        self._soon: deque[Handle] = deque()

    def now(self) -> float:
        """The modelled time, in epoch seconds."""
        return self._now

    def expect(self, still: Callable[[], bool]) -> None:
        """Nobody can: time does not pass outside."""

    def call_at(self, at: float, act: Callable[[], None], *, limit: bool = False) -> Handle:
        """Do something when the modelled time has come."""
        handle = Handle(act, limit)
        if at > self._now:
            self._agenda.add(at, handle)
        else:
            self._soon.append(handle)
        return handle

    def submit(self, act: Callable[[], bool]) -> bool:
        """Do something after what is being done."""
        self.call_at(AT_ONCE, after_all(act))
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
            self._soon.append(Handle(lambda: done(result)))
            return
        answers: list[Any] = []
        in_thread(call, answers.append).join(limit)
        if answers:
            self._soon.append(Handle(lambda: done(answers[0])))

    def run(self, until: Callable[[], bool]) -> None:
        """Do what is to be done, in order, time jumping from one thing to the next."""
        soon, agenda = self._soon, self._agenda
        while not until():
            if soon:
                handle = soon.popleft()
                if not handle.cancelled:
                    handle.act()
                continue
            at = agenda.next_time()
            if at is None:
                return
            self._now = max(self._now, at)
            agenda.take().act()
