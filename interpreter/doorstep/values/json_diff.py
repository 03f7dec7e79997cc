"""Where two JSON values differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..errors import InputError
from .absent import ABSENT
from .json_text import loads


class JsonDifference(NamedTuple):
    """A place where two values differ, `output.total`, and what stands there; ABSENT: nothing."""

    at: str
    first: Any
    second: Any


def alike(first: Any, second: Any) -> bool:
    """Whether two JSON values are the same; numbers are as in Python, booleans are no numbers."""
    return bool(first == second) and isinstance(first, bool) is isinstance(second, bool)


def differences(
    at: str,
    first: Any,
    second: Any,
    *,
    same: Callable[[Any, Any], bool] = alike,
    partial: bool = False,
) -> Iterator[JsonDifference]:
    """The innermost places where two JSON values differ.

    `partial`: the second's objects may have more members; `same` judges what has no places inside.
    """
    match first, second:
        case dict(), dict():
            more = () if partial else (name for name in second if name not in first)
            for name in (*first, *more):
                inner = f"{at}.{name}" if at else name
                pair = first.get(name, ABSENT), second.get(name, ABSENT)
                yield from differences(inner, *pair, same=same, partial=partial)
        case list(), list() if len(first) == len(second):
            for index, pair in enumerate(zip(first, second, strict=True)):
                yield from differences(f"{at}[{index}]", *pair, same=same, partial=partial)
        case _ if not same(first, second):
            yield JsonDifference(at, first, second)


def value_of(text: Any) -> Any:
    """The value of a JSON text; other things as they are."""
    try:
        return loads(text) if isinstance(text, str) else text
    except InputError:
        return text
