"""Connections of clients that are slow, that never end, or that are too many.

uvicorn closes a connection on which nothing follows an answer, but not one on which a request
begins and never ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .direct import Api, Call
from .origins import refusal
from .protocol import PREFIX

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
    """One that is closed when a request takes too long to come in.

    It hands requests of Step Functions to the API itself, and the rest to the application.
    """

    _late: asyncio.TimerHandle | None = None
    _head: int | None = 0
    """Bytes of the head until now; None when it is complete."""

    def __init__(self, api: Api, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._api = api

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
        headers = self._headers_for_api()
        if headers is None:
            super().on_headers_complete()
            return
        before, call = self.cycle, Call(self._api, self, headers)
        self.cycle: Any = call
        if before is None or before.response_complete:
            call.begin()
        else:
            self.flow.pause_reading()
            queued: Any = (call, self.app)
            self.pipeline.appendleft(queued)

    def _headers_for_api(self) -> dict[str, str] | None:
        """Return the headers of a request of Step Functions; None of one for the application."""
        if self.parser.get_method() != b"POST" or httptools.parse_url(self.url).path != b"/":
            return None
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            return None
        # The first of a name counts, as for Starlette.
        pairs = reversed(self.headers)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        is_of_api = headers.get("x-amz-target", "").startswith(PREFIX)
        return headers if is_of_api and not refusal(self.scope, headers) else None

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
