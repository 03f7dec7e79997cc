"""The limits that the API's model sets for the members of a request, and AWS's words for a breach.

A member is named by its path in the request ("mock.errorOutput.error"); null counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ApiError

_TYPES = {str: "string", int: "integer", bool: "boolean", dict: "object"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a member may be: `at_least` and `at_most` are lengths (characters) or values."""

    type: type = str
    at_least: int = 0
    at_most: int | None = None
    options: tuple[str, ...] = ()
    sensitive: bool = False
    """Its value is not repeated in a refusal."""
    required: bool = False


def check(request: Mapping[str, Any], members: Mapping[str, Limits]) -> None:
    """Raise ApiError for a request that breaks the limits of its members.

    SerializationException for a value of another type, else ValidationException with all breaches.
    """
    found = [
        f"Value {_told(value, limits)}at '{path}' failed to satisfy constraint: Member must {must}"
        for path, limits in members.items()
        for value in [member(request, path)]
        for must in _breaches(value, limits, path)
    ]
    if found:
        errors = "error" if len(found) == 1 else "errors"
        raise ApiError(
            "ValidationException", f"{len(found)} validation {errors} detected: {'; '.join(found)}"
        )


def member(request: Mapping[str, Any], path: str) -> Any:
    """What stands at a path in a request; None when nothing does."""
    found: Any = request
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _told(value: Any, limits: Limits) -> str:
    if value is None:
        return "null "
    return "" if limits.sensitive else f"'{value}' "


def _breaches(value: Any, limits: Limits, path: str) -> Iterator[str]:
    if value is None:
        if limits.required:
            yield "not be null"
        return
    fits = type(value) is limits.type
    if not fits:
        name = _TYPES[limits.type]
        raise ApiError("SerializationException", f"The value of '{path}' must be of type {name}")
    if limits.type in (str, int):
        what, size = ("length", len(value)) if limits.type is str else ("value", value)
        if size < limits.at_least:
            yield f"have {what} greater than or equal to {limits.at_least}"
        if limits.at_most is not None and size > limits.at_most:
            yield f"have {what} less than or equal to {limits.at_most}"
    if limits.options and value not in limits.options:
        yield f"satisfy enum value set: [{', '.join(limits.options)}]"
