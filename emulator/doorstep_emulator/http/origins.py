"""Programs may ask, pages of other sites may not, though they can make a browser ask 127.0.0.1.

| what a page can do | what shows it |
|---|---|
| send a request that needs no leave (CORS), such as a POST of text | `Origin`: whose page it is |
| be read from a name of its own that then leads here (DNS rebinding) | `Host`: that name |

`Origin`, where there is one, has to be this machine's. So has `Host` when the request came over the
loopback interface: an address, or a name that nobody can register.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_SYNC = "sync-"
"""What SDKs put before the host for StartSyncExecution and TestState."""
_RESERVED = (".localhost", ".local", ".internal", ".test")


class LocalOnly:
    """An ASGI application that answers 403 in the place of another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may be asked."""
        app = self._app
        if scope["type"] == "http" and (why := refusal(scope, Headers(scope=scope))):
            app = JSONResponse({"__type": "AccessDeniedException", "message": why}, 403)
        await app(scope, receive, send)


def is_own(headers: Headers) -> bool:
    """Return whether a form was sent from a page of this very server.

    Browsers name the Origin of every form that changes something.
    """
    origin, host = headers.get("origin"), headers.get("host")
    return origin is not None and host is not None and urlsplit(origin).netloc == host


def refusal(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str | None:
    """Return why a request is refused; None for one that may be asked."""
    address, _ = scope.get("server") or ("", None)
    return _why(headers.get("origin"), headers.get("host"), address)


@lru_cache(maxsize=256)
def _why(origin: str | None, host: str | None, address: str) -> str | None:
    if origin is not None and not _is_loopback(_name(origin)):
        return f"A page of {origin!r} may not use this server."
    if host and _is_loopback(address) and not _is_private(_name(f"//{host}").removeprefix(_SYNC)):
        return f"This server is not {host!r}; ask it as 127.0.0.1 or localhost."
    return None


def _name(url: str) -> str:
    """Return the host of a URL; empty when there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    if address := _address(name):
        return address.is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _is_private(name: str) -> bool:
    """Return whether a name is an address, or one that no stranger can own."""
    return bool(_address(name)) or name.endswith(_RESERVED) or (name != "" and "." not in name)
