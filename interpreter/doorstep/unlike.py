"""Where two JSON values differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .answers import ABSENT
from .errors import InputError
from .jsontext import loads


class Unlike(NamedTuple):
    """A place where two values differ, `output.total`, and what stands there; ABSENT: nothing."""

    at: str
    first: Any
    second: Any


def differences(at: str, first: Any, second: Any) -> Iterator[Unlike]:
    """The innermost places where two JSON values differ; numbers are the same as in Python."""
    match first, second:
        case dict(), dict():
            for name in (*first, *(name for name in second if name not in first)):
                inner = f"{at}.{name}" if at else name
                yield from differences(inner, first.get(name, ABSENT), second.get(name, ABSENT))
        case list(), list() if len(first) == len(second):
            for index, pair in enumerate(zip(first, second, strict=True)):
                yield from differences(f"{at}[{index}]", *pair)
        case _ if first != second or isinstance(first, bool) is not isinstance(second, bool):
            yield Unlike(at, first, second)


def value_of(text: Any) -> Any:
    """The value of a JSON text; other things as they are."""
    try:
        return loads(text) if isinstance(text, str) else text
    except InputError:
        return text
