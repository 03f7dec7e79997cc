"""The clock of a test: it can be set and moved on, and handlers see its time as the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ..errors import InputError
from ..runtime import Duration, Handle, VirtualClock, seconds
from ..values.timestamps import in_milliseconds

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)


_once: ContextVar[ExitStack | None] = ContextVar("once", default=None)


@contextmanager
def freezing_once() -> Iterator[None]:
    """Let all clocks in a `with` start freezegun once, which then shows the real time between.

    It looks through all modules when it starts and when it ends, for tens of milliseconds.
    """
    with ExitStack() as around:
        around.callback(_once.reset, _once.set(around))
        yield


class SimulatedClock(VirtualClock):
    """A virtual clock that begins at 2025-01-01T00:00:00Z.

    With freezegun installed, `datetime.now()`, `time.time()` and the like give the modelled time
    in handlers and the threads that they start, but for event loops of asyncio. Handlers are
    called in the test's own thread; TimeoutSeconds does not interrupt them.
    """

    def __init__(self) -> None:
        super().__init__(START.timestamp())
        self._asked = False
        self._freezing = ExitStack()
        self._frozen: Any = None
        self._held = False

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
            self._now = in_milliseconds(at)
        elif at < self.now():
            raise InputError(f"the clock can't go back from {self.moment} to {wanted}")
        self._pass_until(at)
        self._show_time()

    def advance(self, duration: Duration) -> None:
        """Let time pass, and what is due in it happen: seconds, a timedelta, or text like "2h"."""
        super().advance(seconds(duration))
        self._show_time()

    def call_at(self, at: float, act: Callable[[], object], *, limit: bool = False) -> Handle:
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
            if self._held:
                self._show_time()
            else:
                self._thaw()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the code in a `with` see the modelled time as handlers do, if freezegun is installed.

        Otherwise a message that a test's body sends today is too new for handlers that live then.
        """
        self._held = True
        self._freeze()
        try:
            yield
        finally:
            self._held = False
            self._thaw()

    @contextmanager
    def thawed(self) -> Iterator[None]:
        """Let the code in a `with` see the real time, whatever is frozen around it."""
        self._thaw()
        try:
            yield
        finally:
            if self._held:
                self._freeze()

    def _show_time(self) -> None:
        if self._frozen is not None:
            self._frozen.move_to(self.moment)

    def _at_this_moment(self, call: Callable[[], Any]) -> Any:
        # Freezing takes milliseconds, moving what is frozen takes none: so once in a run.
        if self._frozen is None:
            self._freeze()
        self._show_time()
        return call()

    def _freeze(self) -> None:
        try:
            from freezegun import api, freeze_time
        except ModuleNotFoundError:
            return
        if (around := _once.get()) and not api.freeze_factories:
            around.enter_context(freeze_time(datetime.now(UTC), tick=True, real_asyncio=True))
        # An event loop that saw the frozen time would sleep for ever.
        freezer = freeze_time(self.moment, real_asyncio=True)
        self._frozen = self._freezing.enter_context(freezer)
        # Among its five callers a thread's function has `threading`, which freezegun leaves alone;
        # that `threading` itself does not ask is to be seen from one.
        limit = api.call_stack_inspection_limit
        self._freezing.callback(setattr, api, "call_stack_inspection_limit", limit)
        api.call_stack_inspection_limit = 1

    def _thaw(self) -> None:
        self._freezing.close()
        self._frozen = None
