"""Connections of clients that are slow, that never end, or that are too many.

uvicorn closes a connection on which nothing follows an answer, but not one on which a request
begins and never ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger("doorstep")
_SECONDS = 30.0
"""For a request to come in, from the connection or from its first byte on."""
_LONGEST_HEAD = 64 * 1024
"""Bytes of a head that may be there without its end."""
_WANTED, _OTHERS, _FEW = 65_536, 128, 1024
"""Open files that are asked for; those that are no connections; a number that is logged."""
_OPEN_MAX = 10_240
"""What macOS grants at least, whatever its hard limit says (setrlimit(2) there)."""


class Connection(HttpToolsProtocol):
    """One that is closed when a request takes too long to come in."""

    _late: asyncio.TimerHandle | None = None
    _head: int | None = 0
    """Bytes of the head until now; None when it is complete."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Continue with a request."""
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > _LONGEST_HEAD and not self.transport.is_closing():
                self.send_400_response(f"A request's head has {_LONGEST_HEAD} bytes at most.")

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._head = 0
        self._expect()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the request's head is there."""
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that all of the request is there."""
        self._arrived()
        super().on_message_complete()

    def _expect(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(_SECONDS, self.transport.close)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def most_connections() -> int | None:
    """Raise the limit of open files as far as the system allows.

    Return how many connections it has room for; None: no limit, or none that is known (Windows).
    """
    try:
        import resource
    except ImportError:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
    if soft == resource.RLIM_INFINITY:
        return None
    for more in (wanted, _OPEN_MAX):
        if soft < more <= wanted:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
                soft = more
    most = max(soft - _OTHERS, 1)
    if most < _FEW:
        log.warning("%d connections at most: raise the limit of open files (ulimit -n)", most)
    return most
