"""HTTP: the AWS API at `/`, callbacks at `/callback/TOKEN`, `/skip`, `/health`, `/metrics`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive

from doorstep import __version__
from doorstep.errors import ApiError, InputError
from doorstep.model.aws_errors import invalid_request
from doorstep.model.aws_model import check_request
from doorstep.runtime import seconds

from ..api.executions import skip_ahead
from ..arns import Caller
from ..errors import Unavailable
from ..server import PendingRequest, Server
from ..store.peers import Members
from . import protocol
from .direct import Answer, Direct
from .origins import LocalOnly
from .others import OtherServices, Wsgi


def health(server: Server) -> dict[str, Any]:
    """Return {"status": "ok", …}. May be called from any thread, the server's may be busy.

    The status is "trouble" as long as something is wrong with the file, and "damaged" as long as
    this server lives when something of the file was lost.
    """
    clock, activities, store = server.clock, server.activities, server.store
    why = store.trouble or store.file_trouble()
    damage = store.damaged or store.missing or store.refused_documents
    calls = {"running": clock.calls_in_flight, "waiting": clock.calls_waiting, "most": clock.calls}
    return {
        "status": "trouble" if why else "damaged" if damage else "ok",
        "trouble": why,
        "version": __version__,
        "store": {
            "file": store.path,
            "commits": store.commits,
            "missing": store.missing,
            **store.peers.standing(),
        },
        "damaged": store.damaged.copy(),
        "refused": store.refused_documents.copy(),
        "clock": {"ahead": round(clock.ahead(), 3)},
        "handlers": server.handlers_described,
        "running": len(server.recorder.rows),
        "lost": server.lost.copy(),
        "stuck": server.recorder.stuck.copy(),
        "calls": calls,
        "activities": {"tasks": activities.open_tasks, "polls": activities.waiting_polls},
        "sinks": [
            {
                "target": sink.name,
                "delivered": sink.delivered,
                "failed": sink.failed,
                "waiting": sink.waiting,
            }
            for sink in server.sinks.all
        ],
    }


log = logging.getLogger("doorstep")
CONSOLE = "/console/"
"""Where the pages for browsers are."""
_LARGEST = 8 * 1024 * 1024
"""Bytes of a request: a definition of 1 MiB may take six times as much in escapes."""

_ABOUT = f"""Doorstep {__version__}: AWS Step Functions on this machine.

For AWS's clients this is the endpoint: AWS_ENDPOINT_URL_SFN={{url}}
Its executions: doorstep ps --endpoint {{url}}
How it is: {{url}}/health
In a browser: {{url}}/console/
"""

_LONG_POLLS = ("GetActivityTask",)
_UNKNOWN = "unknown"
"""The operation of requests that name none."""

_SOON = 0.5
"""Seconds that /health waits for the server's own thread."""
_LATE = 3.0
"""Seconds after which a server that does one thing only is in trouble."""


Lifespan = Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]


def application(
    server: Server,
    answers: Answers,
    default: Caller,
    lifespan: Lifespan | None = None,
    pages: Callable[[Http], Sequence[Route | Mount]] = lambda _: (),
    others: Wsgi | None = None,
) -> ASGIApp:
    """Return the ASGI application; `default`: account and region of requests that name none.

    `pages`: what there is for browsers; `others` answers what is no request of Step Functions, at
    the same URL.
    """
    http = Http(server, answers, default)
    middleware = [Middleware(LocalOnly)]
    if others is not None:
        middleware.append(Middleware(OtherServices, others=others))
    app = Starlette(
        routes=[
            Route("/", http.aws, methods=["POST"]),
            Route("/", http.about),
            Route("/callback/{token}", http.callback, methods=["POST"]),
            Route("/skip", http.skip, methods=["POST"]),
            Route("/health", http.health),
            Route("/metrics", http.metrics),
            *pages(http),
        ],
        middleware=middleware,
        lifespan=lifespan,
    )
    return Direct(app, http.answer)


class Answers:
    """Answers on their way from the server's thread to the loop."""

    def __init__(self) -> None:
        self._ready: list[tuple[asyncio.Future[Any], Any]] = []

    def add(self, future: asyncio.Future[Any], outcome: Any) -> None:
        """Add an answer. Called in the server's thread."""
        self._ready.append((future, outcome))

    def send(self) -> None:
        """Send all answers to the loop. Called in the server's thread, after each commit."""
        # All at once: a loop that is woken wants Python's lock.
        ready, self._ready = self._ready, []
        loop = ready[0][0].get_loop() if ready else None
        if loop and not loop.is_closed():
            loop.call_soon_threadsafe(_settle, ready)


class Http:
    """The endpoints of one server."""

    def __init__(self, server: Server, answers: Answers, default: Caller) -> None:
        self._server = server
        self._answers = answers
        self._default = default
        self._waiting: set[asyncio.Future[Any]] = set()
        """What has no answer yet."""
        self._watch: asyncio.Future[None] | None = None

    async def aws(self, request: Request) -> Response:
        """Answer an operation of the AWS API."""
        status, headers, body = await self.answer(request.headers, request.receive)
        return Response(body, status, headers)

    async def answer(self, headers: Mapping[str, str], receive: Receive) -> Answer:
        """Answer an operation of the AWS API, by its headers and where its body comes from."""
        began, operation, outcome = time.perf_counter(), _UNKNOWN, None
        try:
            operation = protocol.operation_of(headers.get("x-amz-target"))
            caller = protocol.caller_of(headers, self._default)
            members = protocol.read(operation, await body_of(receive))
            polling = receive if operation in _LONG_POLLS else None
            outcome = await self._ask(operation, caller, members, polling)
        except ApiError as refused:
            outcome = refused
        return self._answer(operation, outcome, began)

    async def about(self, request: Request) -> Response:
        """Say what this is; send a browser to the console."""
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(CONSOLE, 303)
        return PlainTextResponse(_ABOUT.format(url=str(request.base_url).rstrip("/")))

    async def callback(self, request: Request) -> Response:
        """Send SendTaskSuccess with the body as output.

        With `?error=` or `?cause=`: SendTaskFailure; with `?heartbeat`: SendTaskHeartbeat.
        """
        began, operation, outcome = time.perf_counter(), "SendTaskSuccess", None
        members: Members = {"taskToken": request.path_params["token"]}
        query = request.query_params
        try:
            if "error" in query or "cause" in query:
                operation = "SendTaskFailure"
                members |= {name: query[name] for name in ("error", "cause") if name in query}
            elif "heartbeat" in query:
                operation = "SendTaskHeartbeat"
            else:
                members["output"] = protocol.text(await body_of(request.receive)) or "{}"
            outcome = await self._ask(
                operation, self._default, check_request(operation, members), None
            )
        except ApiError as refused:
            outcome = refused
        return self._response(operation, outcome, began)

    async def skip(self, request: Request) -> Response:
        """Let the time that `?by=` names pass at once: `1d 12h`, or seconds.

        With `?execution=`, an ARN, the time until the next timer of that execution.
        """
        began, outcome = time.perf_counter(), None
        try:
            if arn := request.query_params.get("execution"):
                _, answered = self.bring(lambda: skip_ahead(self._server, arn))
                return self._response("Skip", await answered, began)
            text = request.query_params.get("by", "")
            length = seconds(float(text) if text.replace(".", "", 1).isdecimal() else text)
            _, answered = self.bring(lambda: self._skipped(length))
            outcome = await answered
        except ValueError as problem:
            outcome = invalid_request(str(problem))
        return self._response("Skip", outcome, began)

    def _skipped(self, length: float) -> Members:
        schedules = self._server.schedules
        try:
            fired = schedules.skip(length)
        except InputError as problem:
            raise invalid_request(str(problem)) from None
        return {"now": schedules.now(), "fired": [{"at": o.at, "name": o.name} for o in fired]}

    async def metrics(self, request: Request) -> Response:
        """Return the metrics for Prometheus."""
        text = self._server.metrics.text(health(self._server))
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def health(self, request: Request) -> Response:
        """Return 200 when all is well; 503 and why when nothing can be written or answered."""
        _, answered = self.bring(dict)
        await asyncio.wait({answered}, timeout=_SOON)
        state = health(self._server)
        late = time.monotonic() - self._server.turned_at
        if state["trouble"] is None and not answered.done() and late > _LATE:
            why = f"the server's own thread has been busy with one thing for {late:.0f} seconds"
            state |= {"status": "trouble", "trouble": why}
        return JSONResponse(state, status_code=503 if state["status"] == "trouble" else 200)

    def _response(self, operation: str, outcome: Any, began: float) -> Response:
        status, headers, body = self._answer(operation, outcome, began)
        return Response(body, status, headers)

    def _answer(self, operation: str, outcome: Any, began: float) -> Answer:
        status, body = protocol.written(outcome)
        headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": protocol.CONTENT_TYPE}
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

    async def _ask(
        self, operation: str, caller: Caller, members: Members, polling: Receive | None
    ) -> Any:
        pending, answered = self.bring(
            lambda: self._server.dispatch.perform(operation, caller, members)
        )
        if polling is not None:
            gone = asyncio.ensure_future(_disconnected(polling))
            await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not answered.done():
                pending.withdraw()
                return {}
        try:
            return await self._outcome(answered)
        except asyncio.CancelledError:
            # By uvicorn, when a shutdown has waited long enough.
            return Unavailable()

    async def _outcome(self, answered: asyncio.Future[Any]) -> Any:
        """Wait for an answer; of a database that can't be reached, not for long."""
        self._waiting.add(answered)
        if self._watch is None:
            self._watch = asyncio.ensure_future(self._watched())
        try:
            return await answered
        finally:
            self._waiting.discard(answered)

    async def _watched(self) -> None:
        """Answer what waits for a database that can't be reached; one look for all of it."""
        store = self._server.store
        while self._waiting:
            await asyncio.sleep(_SOON)
            if store.trouble is not None and not store.peers.alone:
                why = f"Whether this has an effect is not known: {store.trouble}"
                _settle([(one, Unavailable(why)) for one in self._waiting])
        self._watch = None

    def bring(self, act: Callable[[], Any]) -> tuple[PendingRequest, asyncio.Future[Any]]:
        """Do something in the server's thread; the result is there once all of it is durable.

        An exception that is raised is the result.
        """
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        pending = self._server.ask(act, partial(self._answers.add, answered))
        return pending, answered


def _settle(ready: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for answered, outcome in ready:
        if not answered.done():
            answered.set_result(outcome)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def body_of(receive: Receive) -> bytes:
    """Return the body; raise ApiError for one that is too large, or cut off."""
    chunks: list[bytes] = []
    length, more = 0, True
    while more:
        try:
            message = await receive()
        except asyncio.CancelledError:  # as above: a client that sends no more
            raise Unavailable from None
        if message["type"] == "http.disconnect":
            raise ApiError("IncompleteBody", "The request was cut off.")
        chunks.append(message.get("body", b""))
        length += len(chunks[-1])
        if length > _LARGEST:
            raise ApiError("RequestEntityTooLarge", f"A request has {_LARGEST} bytes at most.")
        more = message.get("more_body", False)
    return b"".join(chunks)
