"""Pages of a list: maxResults, and the nextToken that says where the next page begins.

A token is good for the request that gave it, whatever the size of its pages, and for 24 hours.
"""

from __future__ import annotations

import binascii
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeVar

from doorstep.model.aws_errors import invalid_token

_DEFAULT, _LIFE = 100, 24 * 3600
_LARGEST = 2**63 - 1
"""The largest number that the store can look for."""
Item = TypeVar("Item")


def size(request: Mapping[str, Any]) -> int:
    """How many results are asked for; 0 stands for the default."""
    return int(request.get("maxResults") or _DEFAULT)


Place = TypeVar("Place", int, str)


def position(operation: str, request: Mapping[str, Any], kind: type[Place]) -> Place | None:
    """Where the page begins: what `token` was given; None for the first page.

    Raises InvalidToken.
    """
    text = request.get("nextToken")
    if text is None:
        return None
    try:
        made_for, at, where = json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise invalid_token() from None
    fresh = isinstance(at, int | float) and time.time() - at <= _LIFE
    if made_for != _asked(operation, request) or not fresh or not isinstance(where, kind):
        raise invalid_token()
    if isinstance(where, int) and not 0 <= where <= _LARGEST:
        raise invalid_token()
    return where


def token(operation: str, request: Mapping[str, Any], where: int | str) -> str:
    """The token of the page that begins there."""
    told = [_asked(operation, request), time.time(), where]
    return urlsafe_b64encode(json.dumps(told).encode()).decode()


def _asked(operation: str, request: Mapping[str, Any]) -> str:
    """What has to be the same on every page."""
    members = {name: request[name] for name in request if name not in ("nextToken", "maxResults")}
    return sha256(json.dumps([operation, members], sort_keys=True).encode()).hexdigest()


def answer(
    operation: str,
    request: Mapping[str, Any],
    member: str,
    items: Sequence[Item],
    place: Callable[[Item], str],
    shown: Callable[[Item], dict[str, Any]],
) -> dict[str, Any]:
    """A page of a list that is in memory, in its order; `place` names an item for ever."""
    after = position(operation, request, str)
    places = [place(item) for item in items]
    if after is not None and after not in places:
        raise invalid_token()
    start = 0 if after is None else places.index(after) + 1
    page = items[start : start + size(request)]
    told: dict[str, Any] = {member: [shown(item) for item in page]}
    if start + len(page) < len(items):
        told["nextToken"] = token(operation, request, place(page[-1]))
    return told
