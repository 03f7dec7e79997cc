"""The clock of a test: it can be set and moved on, and handlers see its time as the real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ..answers import Duration, seconds
from ..drivers import VirtualClock
from ..drivers.clock import Handle
from ..errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)


class SimulatedClock(VirtualClock):
    """A virtual clock that begins at 2025-01-01T00:00:00Z.

    With freezegun installed, `datetime.now()`, `time.time()` and the like give the modelled time
    in handlers. They are called in the test's own thread; TimeoutSeconds does not interrupt them.
    """

    def __init__(self) -> None:
        super().__init__(START.timestamp())
        self._asked = False
        self._freezer: Any = None
        self._frozen: Any = None

    @property
    def moment(self) -> datetime:
        """The modelled time, in UTC."""
        return _EPOCH + timedelta(seconds=self.now())

    def set(self, moment: datetime | str) -> None:
        """Let it be this time: a datetime, or ISO 8601; UTC when it names no zone.

        What is due before then happens on the way. Raises InputError for a time that is past, once
        an execution has been started.
        """
        wanted = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        at = (wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC)).timestamp()
        if not self._asked:
            self._now = at
        elif at < self.now():
            raise InputError(f"the clock can't go back from {self.moment} to {wanted}")
        self._pass_until(at)

    def advance(self, duration: Duration) -> None:
        """Let time pass, and what is due in it happen: seconds, a timedelta, or text like "2h"."""
        self._pass_until(self.now() + seconds(duration))

    def call_at(self, at: float, act: Callable[[], None], *, limit: bool = False) -> Handle:
        """Do something when the modelled time has come."""
        self._asked = True
        return super().call_at(at, act, limit=limit)

    def invoke(
        self, call: Callable[[], Any], done: Callable[[Any], None], limit: float | None
    ) -> None:
        """Make the call now, at the modelled time."""
        super().invoke(partial(self._at_this_moment, call), done, None)

    def run(self, until: Callable[[], bool]) -> None:
        """Do what is to be done, in order."""
        try:
            super().run(until)
        finally:
            self._thaw()

    def _pass_until(self, at: float) -> None:
        reached: list[bool] = []
        super().call_at(at, lambda: reached.append(True))
        self.run(lambda: bool(reached))

    def _at_this_moment(self, call: Callable[[], Any]) -> Any:
        # Freezing takes milliseconds, moving what is frozen takes none: so once in a run.
        if self._freezer is None:
            self._freeze()
        if self._frozen is not None:
            self._frozen.move_to(self.moment)
        return call()

    def _freeze(self) -> None:
        try:
            import freezegun
        except ModuleNotFoundError:
            return
        self._freezer = freezegun.freeze_time(self.moment)
        self._frozen = self._freezer.start()

    def _thaw(self) -> None:
        if self._freezer is not None:
            self._freezer.stop()
            self._freezer = self._frozen = None
