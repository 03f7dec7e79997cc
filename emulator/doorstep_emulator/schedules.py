"""Schedules that fire as a server's time passes, and time that is skipped.

With `--clock virtual` executions jump over what they wait for, but nothing says that a day has
passed when none runs; so somebody has to say it. What falls due in the time that is skipped fires
in its order, and what it starts begins at its time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from doorstep.errors import ApiError, InputError

from .clock import Pace, ServerClock, Timelines

log = logging.getLogger("doorstep")
_LOOK = 1.0
"""Seconds (of the machine) between two looks at what is due: expressions name whole minutes."""


class Due(Protocol):
    """A schedule at one of its times."""

    @property
    def at(self) -> float:
        """Epoch seconds."""

    @property
    def name(self) -> str:
        """As its rule or schedule is called."""

    def fire(self, at: float, /) -> None:
        """Start, invoke or send what the schedule is for."""


class Scheduler(Protocol):
    """What knows the schedules: `doorstep.services.scheduler`."""

    def due(self, after: float, until: float) -> Sequence[Due]:
        """Return what is due after one moment and until another; raise InputError when too much."""


class Schedules:
    """Lets schedules fire. All is done in the server's thread."""

    def __init__(
        self, clock: ServerClock, timelines: Timelines, pace: Pace, scheduler: Scheduler | None
    ) -> None:
        """Without a scheduler nothing fires, and time can be skipped all the same."""
        self._clock = clock
        self._timelines = timelines
        self._pace = pace
        self._scheduler = scheduler
        self._began = clock.exact()
        self._until = self._began
        """The modelled time until which all that was due has fired."""

    def begin(self) -> None:
        """Look for what is due, now and from now on."""
        if self._scheduler is None:
            return
        try:
            self._pass_until(self.now())
        except InputError as problem:
            log.warning("%s", problem)
            self._until = self.now()
        self._clock.call_at(self._clock.now() + _LOOK, self.begin)

    def now(self) -> float:
        """Return the server's modelled time in epoch seconds."""
        real = self._clock.exact()
        if self._pace.jumps:
            return real + self._timelines.skipped
        return self._began + (real - self._began) * self._pace.speed

    def skip(self, length: float) -> Sequence[Due]:
        """Let so many seconds pass at once; return what fired. Raises ApiError, InputError."""
        if not self._pace.jumps:
            raise ApiError(
                "ValidationException", "Time is only skipped by a server with --clock virtual."
            )
        now = self.now()
        self._pass_until(now)
        end = now + length
        fired = self._pass_until(end)
        self._timelines.skip_to(end)
        return fired

    def _pass_until(self, end: float) -> Sequence[Due]:
        fired = self._scheduler.due(self._until, end) if self._scheduler else ()
        self._until = end
        for one in fired:
            if one.at > self.now():
                self._timelines.skip_to(one.at)
            log.info("the schedule %s is due", one.name)
            one.fire(one.at)
        return fired
