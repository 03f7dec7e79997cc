"""HTTP: the AWS API at `/`, callbacks at `/callback/TOKEN`, `/health`."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from doorstep import __version__
from doorstep.errors import ApiError

from . import protocol
from .api import OPERATIONS
from .arns import Caller
from .server import Server
from .validation import validate

_LARGEST = 8 * 1024 * 1024
"""Bytes of a request: a definition of 1 MiB may take six times as much in escapes."""

_ABOUT = f"""Doorstep {__version__}: AWS Step Functions on this machine.

For AWS's clients this is the endpoint: AWS_ENDPOINT_URL_SFN={{url}}
Its executions: doorstep ps --endpoint {{url}}
How it is: {{url}}/health
"""

_LONG_POLLS = ("GetActivityTask",)


def application(server: Server, default: Caller) -> Starlette:
    """The ASGI application; `default`: account and region of requests that name none."""
    http = Http(server, default)
    return Starlette(
        routes=[
            Route("/", http.aws, methods=["POST"]),
            Route("/", http.about),
            Route("/callback/{token}", http.callback, methods=["POST"]),
            Route("/health", http.health),
        ]
    )


class Http:
    """The endpoints of one server."""

    def __init__(self, server: Server, default: Caller) -> None:
        self._server = server
        self._default = default

    async def aws(self, request: Request) -> Response:
        """An operation of the AWS API."""
        try:
            operation = protocol.operation_of(request.headers.get("x-amz-target"))
            caller = protocol.caller_of(request.headers, self._default)
            given = protocol.read(operation, await _body(request))
        except ApiError as refused:
            return _response(refused)
        polling = request if operation in _LONG_POLLS else None
        return _response(await self._ask(operation, caller, given, polling))

    async def about(self, request: Request) -> Response:
        """What a browser is told."""
        return PlainTextResponse(_ABOUT.format(url=str(request.base_url).rstrip("/")))

    async def callback(self, request: Request) -> Response:
        """SendTaskSuccess with the body as output; `?error=` or `?cause=`: SendTaskFailure;
        `?heartbeat`: SendTaskHeartbeat.
        """
        given: dict[str, Any] = {"taskToken": request.path_params["token"]}
        query = request.query_params
        try:
            if "error" in query or "cause" in query:
                operation = "SendTaskFailure"
                given |= {name: query[name] for name in ("error", "cause") if name in query}
            elif "heartbeat" in query:
                operation = "SendTaskHeartbeat"
            else:
                operation = "SendTaskSuccess"
                given["output"] = (await _body(request)).decode("utf-8", "replace") or "{}"
            valid = validate(operation, given)
        except ApiError as refused:
            return _response(refused)
        return _response(await self._ask(operation, self._default, valid, None))

    async def health(self, request: Request) -> Response:
        """200 when all is well; 503 and why when nothing can be written."""
        keeper = self._server.keeper
        told = {
            "status": "trouble" if keeper.trouble else "ok",
            "version": __version__,
            "running": len(keeper.rows),
            "lost": self._server.lost,
        }
        if keeper.trouble:
            told["trouble"] = keeper.trouble
        return JSONResponse(told, status_code=503 if keeper.trouble else 200)

    async def _ask(
        self, operation: str, caller: Caller, given: dict[str, Any], polling: Request | None
    ) -> Any:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Any] = loop.create_future()

        def settle(outcome: Any) -> None:
            if not answered.done():
                answered.set_result(outcome)

        question = self._server.ask(
            lambda: OPERATIONS[operation](self._server, caller, given),
            lambda outcome: _in_loop(loop, lambda: settle(outcome)),
        )
        if polling is not None:
            gone = asyncio.ensure_future(_disconnected(polling))
            await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not answered.done():
                question.withdraw()
                return {}
        return await answered


def _in_loop(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    length = 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > _LARGEST:
                raise ApiError("RequestEntityTooLarge", f"A request has {_LARGEST} bytes at most.")
            chunks.append(chunk)
    except ClientDisconnect:
        raise ApiError("IncompleteBody", "The request was cut off.") from None
    return b"".join(chunks)


def _response(outcome: Any) -> Response:
    status, body = protocol.written(outcome)
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    if status != 200:
        headers["x-amzn-ErrorType"] = getattr(outcome, "code", "InternalServerError")
    return Response(body, status, headers, protocol.CONTENT_TYPE)
