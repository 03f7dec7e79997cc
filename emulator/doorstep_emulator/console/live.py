"""What follows, for open pages: Server-Sent Events, sent after the commit.

| message | |
|---|---|
| `id` | the last event of the execution; a browser repeats it as Last-Event-ID when it reconnects |
| `data` | {"steps": [[event id, state, colour, counts], …], "status", "last"} |

A page gets every step after the last one that it has seen, so that a server that restarts under it
costs it nothing. What is watched but is no execution (a state machine) has empty messages: the
page asks for itself again.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

from doorstep.errors import ApiError

from .reading import Reader

_PAUSE = 0.15
"""Seconds between two messages."""
_LOOK = 1.0
"""Seconds between looks at an execution that another server may run."""
_ALIVE = 15.0
"""Seconds after which a comment shows whether the page is still there."""


class Feed:
    """What is sent to the pages of one execution, or of what else is watched."""

    def __init__(self, reader: Reader, arn: str) -> None:
        self.pages = 0
        self._reader = reader
        self._arn = arn
        self._steps: list[Any] = []
        self._last, self._status = 0, ""
        self._version = 0
        self._closed = False
        self._news = asyncio.Event()
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

    async def messages(self, after: int) -> AsyncIterator[bytes]:
        """Yield what follows an event, as it comes."""
        seen = 0
        yield b"retry: 1000\n\n"
        while not self._closed:
            try:
                async with asyncio.timeout(_ALIVE), self._turn:
                    await self._turn.wait_for(partial(self._has_news, seen))
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if self._version != seen:
                seen = self._version
                steps = self._steps[bisect_right(self._steps, after, key=lambda step: step[0]) :]
                after = self._last
                data = {"steps": steps, "status": self._status, "last": self._last}
                yield f"id: {self._last}\ndata: {json.dumps(data)}\n\n".encode()

    def _has_news(self, seen: int) -> bool:
        return self._closed or self._version != seen

    async def _follow(self) -> None:
        loop, watchers = asyncio.get_running_loop(), self._reader.server.recorder.watchers

        def notice() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._news.set)

        await self._reader.look(lambda: watchers.watch(self._arn, notice))
        try:
            while True:
                self._news.clear()
                if await self._read() or not self._version:
                    self._version += 1
                    await self._notify()
                await asyncio.sleep(_PAUSE)
                await self._wait()
        finally:
            self._reader.server.clock.bring(lambda: watchers.leave(self._arn, notice))

    async def _wait(self) -> None:
        """Wait for news; what other servers run is looked at now and then."""
        often = self._reader.server.store.peers.alone or ":execution:" not in self._arn
        with suppress(TimeoutError):
            async with asyncio.timeout(None if often else _LOOK):
                await self._news.wait()

    async def _read(self) -> bool:
        """Read what is new; return whether something is."""
        if ":execution:" not in self._arn:
            return True
        before = self._last, self._status
        try:
            read = await self._reader.execution(self._arn)
        except ApiError:
            # It is deleted: its page has to ask for itself.
            self._status = "GONE"
        else:
            self._steps = read.timeline().steps
            self._last, self._status = len(read.entries), read.row.status
        return (self._last, self._status) != before

    async def _notify(self) -> None:
        async with self._turn:
            self._turn.notify_all()


class Feeds:
    """The feeds of all open pages; those of the same execution share one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._feeds: dict[str, Feed] = {}
        self._closed = False

    async def stream(self, arn: str, after: int) -> AsyncIterator[bytes]:
        """Yield the messages for a page that has seen events until `after`."""
        if self._closed:
            return
        feed = self._feeds.get(arn)
        if feed is None:
            feed = self._feeds[arn] = Feed(self._reader, arn)
        feed.count(1)
        try:
            async for message in feed.messages(after):
                yield message
        finally:
            feed.count(-1)
            if feed.pages == 0 and self._feeds.get(arn) is feed:
                del self._feeds[arn]
                feed.close()

    def close(self) -> None:
        """Let all pages go, as the server stops; they come again by themselves."""
        self._closed = True
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
