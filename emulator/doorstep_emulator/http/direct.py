"""The short way of requests to the AWS API, past Starlette.

A client asks it hundreds of times a second, and makes the same headers each time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from .origins import refusal

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""
_TARGET = "AWSStepFunctions."


class Direct:
    """An ASGI application that answers `POST /` of Step Functions; another one answers the rest."""

    def __init__(
        self, app: ASGIApp, answer: Callable[[Mapping[str, str], Receive], Awaitable[Answer]]
    ) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        headers = _headers(scope) if scope["type"] == "http" and scope["path"] == "/" else None
        if headers is None or refusal(scope, headers):
            await self._app(scope, receive, send)
            return
        status, named, body = await self._answer(headers, receive)
        written = [
            (name.lower().encode(), value.encode("latin-1")) for name, value in named.items()
        ]
        written.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": written})
        await send({"type": "http.response.body", "body": body})


def _headers(scope: Scope) -> dict[str, str] | None:
    """Return the headers of a request of Step Functions; None of another one."""
    if scope["method"] != "POST":
        return None
    # The first of a name counts, as for Starlette.
    pairs = reversed(scope["headers"])
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    return headers if headers.get("x-amz-target", "").startswith(_TARGET) else None
