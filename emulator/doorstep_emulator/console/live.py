"""What changes in open pages, sent to them as Server-Sent Events after the commit.

| message | |
|---|---|
| `id` | the version of the page; a browser repeats it as Last-Event-ID when it reconnects |
| `data` | the parts that changed since the page's version, by their ids |

A page is made once for all who look at it, whatever their number, by the function that answers
their first request. A page of another version than the server's, which has been restarted, say,
gets all parts: it misses nothing. Open pages together have a share of one processor and no more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from doorstep.errors import ApiError
from doorstep.values.json_values import encoded

from .reading import Reader

log = logging.getLogger("doorstep")
_PAUSE = 0.15
"""Seconds between two messages, at least."""
_SHARE, _QUIET_SHARE = 0.012, 0.2
"""Of one processor, for all open pages; the second one while the server has little else to do."""
_BUSY = 0.15
"""Of one processor: what else the server does when it is not quiet."""
_PER_UPDATE, _PER_PAGE = 0.001, 0.00005
"""Seconds of processor time that an update takes beside what is measured, and a message."""
_LOOK = 1.0
"""Seconds between looks at what other servers may have done."""
_ALIVE = 15.0
"""Seconds after which a comment shows whether the page is still there."""
_VERSIONS = 50
"""Versions that a page may have and still get differences alone."""
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it is now."""

    text: str
    parts: Mapping[str, Any]
    """What is replaced while it is open, by id; see `doorstep.pages.Parts`."""
    version: str
    watched: frozenset[str] = frozenset()
    """ARNs of what it shows, or EVERYTHING."""


Show = Callable[[Query], Awaitable[Shown]]


class Budget:
    """Lets updates of open pages wait, so that executions have the processor."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._turn = asyncio.Lock()
        self._ended = self._cost = self._processor = 0.0
        """When the last update ended, what it took, the processor time of the process then."""

    async def spend(self, update: Callable[[], Awaitable[int]]) -> None:
        """Update something that so many pages show, as soon as there is time for it."""
        async with self._turn:
            await self._pause(_QUIET_SHARE)
            passed = time.monotonic() - self._ended
            if time.process_time() - self._processor > _BUSY * passed:
                await self._pause(_SHARE)
            before = self._reader.spent
            pages = await update()
            self._cost = self._reader.spent - before + _PER_UPDATE + pages * _PER_PAGE
            self._ended, self._processor = time.monotonic(), time.process_time()

    async def _pause(self, share: float) -> None:
        """Wait until the last update was no more than this share of the time since."""
        await asyncio.sleep(max(0.0, self._ended + self._cost / share - time.monotonic()))


class Feed:
    """What is sent to those who look at one page."""

    def __init__(
        self, reader: Reader, budget: Budget, show: Callable[[], Awaitable[Shown]]
    ) -> None:
        self.pages = 0
        self._reader = reader
        self._budget = budget
        self._show = show
        self._shown = Shown("", {}, "")
        self._number = 0
        self._changed: dict[str, int] = {}
        """When each part changed last, as a number of this feed."""
        self._versions: dict[str, int] = {}
        self._messages: dict[int, bytes] = {}
        """Those that are current, by the number that a page has."""
        self._closed = False
        self._news = asyncio.Event()
        self._noticed = False
        self._turn = asyncio.Condition()
        self._task = asyncio.create_task(self._follow())

    def count(self, pages: int) -> None:
        """Count pages that come, or go."""
        self.pages += pages

    def close(self) -> None:
        """Watch no more, and let the pages go."""
        self._closed = True
        self._task.cancel()
        self._task = asyncio.create_task(self._notify())

    async def messages(self, version: str) -> AsyncIterator[bytes]:
        """Yield what follows for a page of a version, as it comes."""
        yield b"retry: 1000\n\n"
        seen = 0
        while not self._closed:
            try:
                async with asyncio.timeout(_ALIVE), self._turn:
                    await self._turn.wait_for(partial(self._has_news, seen))
            except TimeoutError:
                yield b": still here\n\n"
                continue
            since = seen or self._versions.get(version, 0)
            seen = self._number
            if not self._closed and since != seen:
                yield self._message(since)

    def _has_news(self, seen: int) -> bool:
        return self._closed or self._number != seen

    def _message(self, since: int) -> bytes:
        if since not in self._messages:
            parts = self._shown.parts
            data = {name: parts[name] for name, at in self._changed.items() if at > since}
            text = encoded({name: parts.get(name) for name in data})
            self._messages[since] = b"id: %b\ndata: %b\n\n" % (self._shown.version.encode(), text)
        return self._messages[since]

    async def _follow(self) -> None:
        loop, watchers = asyncio.get_running_loop(), self._reader.server.recorder.watchers

        def notice() -> None:
            # Waking the loop takes time from the executions: once is enough.
            if not self._noticed:
                self._noticed = True
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._news.set)

        watched: frozenset[str] = frozenset()
        try:
            while True:
                self._news.clear()
                self._noticed = False
                await self._budget.spend(self._update)
                if new := self._shown.watched - watched:
                    # What changed before it was watched is looked at once more.
                    await self._reader.look(partial(_watch, watchers, new, notice))
                    watched |= new
                    continue
                await asyncio.sleep(_PAUSE)
                await self._wait()
        finally:
            self._reader.server.clock.bring(partial(_leave, watchers, watched, notice))

    async def _wait(self) -> None:
        """Wait for news; what other servers run is looked at now and then."""
        alone = self._reader.server.store.peers.alone
        with suppress(TimeoutError):
            async with asyncio.timeout(None if alone else _LOOK):
                await self._news.wait()

    async def _update(self) -> int:
        """Make the page anew; return how many pages are notified."""
        try:
            shown = await self._show()
        except ApiError as refused:
            shown = Shown("", {"gone": str(refused)}, "gone", self._shown.watched)
        except Exception:
            log.exception("this is a bug in Doorstep: an open page is not brought up to date")
            return 0
        before, self._shown = self._shown, shown
        if shown.version == before.version:
            return 0
        self._number += 1
        self._messages.clear()
        for name, part in shown.parts.items():
            if before.parts.get(name) != part:
                self._changed[name] = self._number
        self._versions[shown.version] = self._number
        if len(self._versions) > _VERSIONS:
            del self._versions[next(iter(self._versions))]
        await self._notify()
        return self.pages

    async def _notify(self) -> None:
        async with self._turn:
            self._turn.notify_all()


def _watch(watchers: Any, arns: frozenset[str], notice: Callable[[], None]) -> None:
    for arn in arns:
        watchers.watch(arn, notice)


def _leave(watchers: Any, arns: frozenset[str], notice: Callable[[], None]) -> None:
    for arn in arns:
        watchers.leave(arn, notice)


class Feeds:
    """The feeds of all open pages; those of the same page share one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._budget = Budget(reader)
        self._feeds: dict[tuple[str, str], Feed] = {}
        self._closed = False

    async def stream(
        self, name: str, query: Query, show: Show, version: str
    ) -> AsyncIterator[bytes]:
        """Yield the messages for a page with this address, as it was in a version."""
        if self._closed:
            return
        key = name, encoded(dict(query)).decode()
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(self._reader, self._budget, partial(show, query))
        feed.count(1)
        try:
            async for message in feed.messages(version):
                yield message
        finally:
            feed.count(-1)
            if feed.pages == 0 and self._feeds.get(key) is feed:
                del self._feeds[key]
                feed.close()

    def close(self) -> None:
        """Let all pages go, as the server stops; they come again by themselves."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
