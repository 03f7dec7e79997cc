"""HTTP: the AWS API at `/`, callbacks at `/callback/TOKEN`, `/skip`, `/health`, `/metrics`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from doorstep import __version__
from doorstep.errors import ApiError, InputError
from doorstep.model.aws_errors import invalid_request
from doorstep.model.aws_model import check_request
from doorstep.runtime import seconds

from ..api.executions import skip_ahead
from ..errors import Unavailable
from ..server import Server
from ..store.peers import Members
from . import protocol
from .direct import LARGEST, UNKNOWN, Api, cut_off, too_large
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


CONSOLE = "/console/"
"""Where the pages for browsers are."""

_ABOUT = f"""Doorstep {__version__}: AWS Step Functions on this machine.

For AWS's clients this is the endpoint: AWS_ENDPOINT_URL_SFN={{url}}
Its executions: doorstep ps --endpoint {{url}}
How it is: {{url}}/health
In a browser: {{url}}/console/
"""

_SOON = 0.5
"""Seconds that /health waits for the server's own thread."""
_LATE = 3.0
"""Seconds after which a server that does one thing only is in trouble."""


Lifespan = Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]


def application(
    http: Http,
    lifespan: Lifespan | None = None,
    pages: Callable[[Http], Sequence[Route | Mount]] = lambda _: (),
    others: Wsgi | None = None,
) -> ASGIApp:
    """Return the ASGI application, for all that does not go past it: see `direct`.

    `pages`: what there is for browsers; `others` answers what is no request of Step Functions, at
    the same URL.
    """
    middleware = [Middleware(LocalOnly)]
    if others is not None:
        middleware.append(Middleware(OtherServices, others=others))
    return Starlette(
        routes=[
            Route("/", http.unknown, methods=["POST"]),
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


class Http(Api):
    """All endpoints of one server."""

    async def unknown(self, request: Request) -> Response:
        """Refuse what names no operation of Step Functions."""
        refused = protocol.unknown_operation(request.headers.get("x-amz-target"))
        return self._response(UNKNOWN, refused, time.perf_counter())

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
                members["output"] = protocol.text(await body_of(request)) or "{}"
            members = check_request(operation, members)
            perform = partial(self._server.dispatch.perform, operation, self._default, members)
            outcome = await self.brought(perform)
        except ApiError as refused:
            outcome = refused
        except asyncio.CancelledError:
            # By uvicorn, when a shutdown has waited long enough.
            outcome = Unavailable()
        return self._response(operation, outcome, began)

    async def skip(self, request: Request) -> Response:
        """Let the time that `?by=` names pass at once: `1d 12h`, or seconds.

        With `?execution=`, an ARN, the time until the next timer of that execution.
        """
        began, outcome = time.perf_counter(), None
        try:
            if arn := request.query_params.get("execution"):
                outcome = await self.brought(lambda: skip_ahead(self._server, arn))
                return self._response("Skip", outcome, began)
            text = request.query_params.get("by", "")
            length = seconds(float(text) if text.replace(".", "", 1).isdecimal() else text)
            outcome = await self.brought(lambda: self._skipped(length))
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
        answered = self.brought(dict)
        await asyncio.wait({answered}, timeout=_SOON)
        state = health(self._server)
        late = time.monotonic() - self._server.turned_at
        if state["trouble"] is None and not answered.done() and late > _LATE:
            why = f"the server's own thread has been busy with one thing for {late:.0f} seconds"
            state |= {"status": "trouble", "trouble": why}
        return JSONResponse(state, status_code=503 if state["status"] == "trouble" else 200)

    def _response(self, operation: str, outcome: Any, began: float) -> Response:
        status, headers, body = self.answer(operation, outcome, began)
        return Response(body, status, headers)


async def body_of(request: Request) -> bytes:
    """Return the body; raise ApiError for one that is too large, or cut off."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                raise too_large()
    except ClientDisconnect:
        raise cut_off() from None
    except asyncio.CancelledError:  # as above: a client that sends no more
        raise Unavailable from None
    return bytes(body)
