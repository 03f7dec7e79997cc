"""Pages of a list: maxResults, and the nextToken that says where the next page begins.

A token is valid for the request that returned it, whatever the size of its pages, for 24 hours
(fact 454).
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
    """Return how many results are asked for; 0 stands for the default (fact 454)."""
    return int(request.get("maxResults") or _DEFAULT)


Position = TypeVar("Position", int, str)


def position(operation: str, request: Mapping[str, Any], kind: type[Position]) -> Position | None:
    """Return where the page begins: what `token` was called with; None for the first page.

    Raises InvalidToken.

    Fact 454.
    """
    text = request.get("nextToken")
    if text is None:
        return None
    try:
        made_for, at, where = json.loads(urlsafe_b64decode(text.encode()))
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise invalid_token() from None
    fresh = isinstance(at, int | float) and time.time() - at <= _LIFE
    if made_for != _hash(operation, request) or not fresh or not isinstance(where, kind):
        raise invalid_token()
    if isinstance(where, int) and not 0 <= where <= _LARGEST:
        raise invalid_token()
    return where


def token(operation: str, request: Mapping[str, Any], where: int | str) -> str:
    """Return the token of the page that begins there."""
    content = [_hash(operation, request), time.time(), where]
    return urlsafe_b64encode(json.dumps(content).encode()).decode()


def _hash(operation: str, request: Mapping[str, Any]) -> str:
    """Return a hash of what has to be the same on every page."""
    members = {name: request[name] for name in request if name not in ("nextToken", "maxResults")}
    return sha256(json.dumps([operation, members], sort_keys=True).encode()).hexdigest()


def answer(
    operation: str,
    request: Mapping[str, Any],
    member: str,
    items: Sequence[Item],
    place: Callable[[Item], str],
    listed: Callable[[Item], dict[str, Any]],
) -> dict[str, Any]:
    """Return a page of a list that is in memory, in its order.

    `place`: a name of an item that never changes; `listed`: its members.

    Fact 454.
    """
    after = position(operation, request, str)
    places = [place(item) for item in items]
    if after is not None and after not in places:
        raise invalid_token()
    start = 0 if after is None else places.index(after) + 1
    page = items[start : start + size(request)]
    members: dict[str, Any] = {member: [listed(item) for item in page]}
    if start + len(page) < len(items):
        members["nextToken"] = token(operation, request, place(page[-1]))
    return members
