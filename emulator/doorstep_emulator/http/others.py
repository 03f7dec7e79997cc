"""AWS's other services at the same URL, as LocalStack has them: a WSGI application behind ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Wsgi = Callable[..., Iterable[bytes]]
_OWN = ("/health", "/metrics", "/skip")
_OWN_BELOW = ("/callback/", "/console/")
_STEP_FUNCTIONS = "AWSStepFunctions."
_THREADS = 16


class OtherServices:
    """An ASGI application that passes on what is not for Step Functions or for this server."""

    def __init__(self, app: ASGIApp, others: Wsgi) -> None:
        from a2wsgi import WSGIMiddleware

        self._app = app
        self._others: Any = WSGIMiddleware(others, workers=_THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by one of the two."""
        app = self._others if scope["type"] == "http" and _is_for_others(scope) else self._app
        await app(scope, receive, send)


def _is_for_others(scope: Scope) -> bool:
    headers, path = Headers(scope=scope), str(scope["path"])
    target = headers.get("x-amz-target")
    if target is not None:
        return not target.startswith(_STEP_FUNCTIONS)
    if "authorization" in headers or b"X-Amz-" in scope["query_string"]:
        return True  # signed: of a bucket, whatever it is called
    if path == "/":
        return scope["method"] not in ("GET", "HEAD")
    return path not in _OWN and not path.startswith(_OWN_BELOW)
