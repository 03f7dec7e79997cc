"""The short way of requests to the AWS API: past ASGI, without a task, answered in one write.

A client asks it hundreds of times a second.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from doorstep.errors import ApiError

from ..arns import Caller
from ..errors import Unavailable, guarded
from ..server import PendingRequest, Server
from ..store.peers import Reply
from . import protocol

log = logging.getLogger("doorstep")
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
LARGEST = 8 * 1024 * 1024
"""Bytes of a request: a definition of 1 MiB may take six times as much in escapes."""
UNKNOWN = "unknown"
"""The operation of requests that name none."""
_LONG_POLLS = ("GetActivityTask",)
_SOON = 0.5
"""Seconds between two looks at a database that can't be reached."""


class Answers:
    """Answers on their way from the server's thread to the loop."""

    def __init__(self) -> None:
        self._ready: list[tuple[asyncio.AbstractEventLoop, Reply, Any]] = []

    def add(self, loop: asyncio.AbstractEventLoop, reply: Reply, outcome: Any) -> None:
        """Add an answer. Called in the server's thread."""
        self._ready.append((loop, reply, outcome))

    def send(self) -> None:
        """Send all answers to the loop. Called in the server's thread, after each commit."""
        # All at once: a loop that is woken wants Python's lock.
        ready, self._ready = self._ready, []
        if ready and not ready[0][0].is_closed():
            ready[0][0].call_soon_threadsafe(_reply, ready)


def _reply(ready: list[tuple[asyncio.AbstractEventLoop, Reply, Any]]) -> None:
    for _, reply, outcome in ready:
        guarded(partial(reply, outcome))


class Api:
    """The AWS API of one server."""

    def __init__(self, server: Server, answers: Answers, default: Caller) -> None:
        """`default`: account and region of requests that name none."""
        self._server = server
        self._answers = answers
        self._default = default
        self._name, self._numbers = str(uuid.uuid4())[:24], count()
        """How the ids of requests begin, and end."""
        self._waiting: set[Reply] = set()
        """What has no answer yet."""
        self._watch: asyncio.Future[None] | None = None

    def read(self, operation: str, headers: Mapping[str, str], body: bytes) -> Callable[[], Any]:
        """Return what performs an operation; raise ApiError."""
        caller = protocol.caller_of(headers, self._default)
        members = protocol.read(operation, body)
        return partial(self._server.dispatch.perform, operation, caller, members)

    def answer(self, operation: str, outcome: Any, began: float) -> Answer:
        """Return the answer that an outcome becomes, and count it."""
        status, body = protocol.written(outcome)
        request_id = f"{self._name}{next(self._numbers):012x}"
        headers = {"x-amzn-RequestId": request_id, "Content-Type": protocol.CONTENT_TYPE}
        code = "OK"
        if status != 200:
            code = headers["x-amzn-ErrorType"] = getattr(outcome, "code", "InternalServerError")
        seconds = time.perf_counter() - began
        self._server.metrics.count_request(operation, code, seconds)
        if log.isEnabledFor(logging.DEBUG):
            log.debug(
                "%s: %s after %.1f ms",
                *(operation, code, seconds * 1000),
                extra={"fields": {"operation": operation, "code": code, "seconds": seconds}},
            )
        return status, headers, body

    def brought(self, act: Callable[[], Any]) -> asyncio.Future[Any]:
        """Do something as `bring` does; the result is what it returns or raises."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.bring(act, lambda outcome: None if answered.done() else answered.set_result(outcome))
        return answered

    def bring(self, act: Callable[[], Any], reply: Reply) -> PendingRequest:
        """Do something in the server's thread.

        Once all of it is durable, `reply` is called in the loop with what it returns or raises; it
        may be called twice.
        """
        if not self._server.store.peers.alone:
            reply = self._in_time(reply)
        return self._server.ask(act, partial(self._answers.add, asyncio.get_running_loop(), reply))

    def _in_time(self, reply: Reply) -> Reply:
        """Let something be answered soon when its database can't be reached."""

        def answer(outcome: Any) -> None:
            self._waiting.discard(answer)
            reply(outcome)

        self._waiting.add(answer)
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._watched())
        return answer

    async def _watched(self) -> None:
        """Answer what waits for a database that can't be reached; one look for all of it."""
        while self._waiting:
            await asyncio.sleep(_SOON)
            if (trouble := self._server.store.trouble) is not None:
                for answer in self._waiting.copy():
                    answer(Unavailable(f"Whether this has an effect is not known: {trouble}"))
        self._watch = None


def too_large() -> ApiError:
    """Return the refusal of a body of more than LARGEST bytes."""
    return ApiError("RequestEntityTooLarge", f"A request has {LARGEST} bytes at most.")


def cut_off() -> ApiError:
    """Return the refusal of a request that ends before its body does."""
    return ApiError("IncompleteBody", "The request was cut off.")


class Call:
    """A request, in the place of uvicorn's RequestResponseCycle and of its task: names are theirs.

    uvicorn adds to the body, says what has happened, and sets `message_event`.
    """

    disconnected = response_complete = False
    more_body = True
    _operation = UNKNOWN
    _poll: PendingRequest | None = None
    """What is withdrawn when the client goes away before it is answered."""

    def __init__(self, api: Api, connection: HttpToolsProtocol, headers: Mapping[str, str]) -> None:
        parser = connection.parser
        self.keep_alive = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        self._headers, self.body, self._began = headers, bytearray(), time.perf_counter()
        self._expects = connection.expect_100_continue
        self._api, self._connection = api, connection
        self._tasks: set[Any] = connection.tasks

    @property
    def message_event(self) -> Call:
        """What uvicorn sets."""
        return self

    async def run_asgi(self, _: object) -> None:
        """Begin, now that what came before it on its connection has been answered."""
        self.begin()

    def begin(self) -> None:
        """Take what comes in."""
        self._tasks.add(self)
        if self._expects:
            self._connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.set()

    def set(self) -> None:
        """Look at what has come in, unless it is not its turn, or it is answered."""
        if self not in self._tasks:
            return
        if self.disconnected and self.more_body:
            self.answer(cut_off())
        elif self.disconnected:
            if self._poll:
                self._poll.withdraw()
                self.answer({})
        elif len(self.body) > LARGEST:
            self.answer(too_large())
        elif self.more_body:
            self._connection.flow.resume_reading()
        else:
            self._ask()

    def _ask(self) -> None:
        try:
            self._operation = protocol.operation_of(self._headers["x-amz-target"])
            act = self._api.read(self._operation, self._headers, bytes(self.body))
        except Exception as problem:  # noqa: BLE001  it is an answer as well
            self.answer(problem)
            return
        pending = self._api.bring(act, self.answer)
        if self._operation in _LONG_POLLS:
            self._poll = pending

    def cancel(self, msg: str) -> None:
        """Answer soon that the server ends: a shutdown has waited long enough."""
        self._connection.loop.call_soon(self.answer, Unavailable())

    def answer(self, outcome: Any) -> None:
        """Answer, if nothing has answered it yet."""
        if self.response_complete:
            return
        self.response_complete, connection = True, self._connection
        self._tasks.discard(self)
        status, headers, body = self._api.answer(self._operation, outcome, self._began)
        if self.disconnected:
            return
        headers["Content-Length"] = str(len(body))
        if not self.keep_alive:
            headers["Connection"] = "close"
        lines = [b"%b: %b\r\n" % line for line in connection.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()]
        connection.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()
