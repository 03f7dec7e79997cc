"""Compare values that contain JSON texts, placeholders and wildcards."""

from __future__ import annotations

import json
import re
from collections.abc import Set as AbstractSet
from typing import Any

from doorstep.errors import InputError
from doorstep.values.json_values import loads

_ACCOUNT = "111111111111"
_PLACEHOLDER = re.compile(rf"<[^<>\n]{{1,60}}>|{_ACCOUNT}")
_PLACEHOLDERS = re.compile(f"({_PLACEHOLDER.pattern})")
_LONGER = ("time", "date", "arn", "url", "uri", "token", "cause", "trace", "any")
"""Words in a placeholder's name that say that more than one segment stood there."""
_DATA = ("input", "output")
_ADDED_BY_BOTO = "ResponseMetadata"


def unfolded(value: Any, *, data: bool = False) -> Any:
    """Return a value with all JSON texts in it, at every depth, replaced by their values.

    A text counts as JSON if it begins like an object, array or string. With `data` (a member
    `input` or `output`) it may also be a number, true, false or null.
    """
    match value:
        case str() if data or value.startswith(("{", "[", '"')):
            try:
                return unfolded(loads(value), data=data)
            except InputError:
                return value
        case dict():
            return {
                name: unfolded(member, data=name in _DATA)
                for name, member in value.items()
                if name != _ADDED_BY_BOTO
            }
        case list():
            return [unfolded(item) for item in value]
    return value


def difference(
    expected: Any, actual: Any, wildcards: AbstractSet[str] = frozenset(), at: str = ""
) -> str | None:
    """Return where two values first differ, and how; None if they are the same.

    An expected text that is in `wildcards` matches any value. Within an expected text `<…>` matches
    one segment, without `:` and `/`, unless its name says more (`<task_token:1>`, `<time>`), and
    111111111111 any account number.
    """
    match expected, actual:
        case str(), _ if expected in wildcards:
            return None
        case str(), _ if _PLACEHOLDER.search(expected):
            text = actual if isinstance(actual, str) else json.dumps(actual)
            same = _pattern(expected).fullmatch(text) is not None
        case dict(), dict():
            return _object_difference(expected, actual, wildcards, at)
        case list(), list() if len(expected) == len(actual):
            pairs = enumerate(zip(expected, actual, strict=True))
            differences = (difference(e, a, wildcards, f"{at}[{index}]") for index, (e, a) in pairs)
            return next(filter(None, differences), None)
        case _:
            same = type(expected) is type(actual) and bool(expected == actual)
    return None if same else f"{at}: expected {_shown(expected)}, got {_shown(actual)}"


def _object_difference(
    expected: dict[str, Any], actual: dict[str, Any], wildcards: AbstractSet[str], at: str
) -> str | None:
    for name, value in expected.items():
        if name not in actual:
            return f"{at}.{name}: missing, expected {_shown(value)}"
        if inner := difference(value, actual[name], wildcards, f"{at}.{name}"):
            return inner
    extra = sorted(actual.keys() - expected.keys())
    return f"{at}: unexpected {', '.join(extra)}" if extra else None


def _pattern(expected: str) -> re.Pattern[str]:
    parts = _PLACEHOLDERS.split(expected)
    pattern = "".join(
        _meant(part) if odd % 2 else re.escape(part) for odd, part in enumerate(parts)
    )
    return re.compile(pattern, re.DOTALL)


def _meant(placeholder: str) -> str:
    """Return a pattern for what stood in a placeholder's place: one segment of an ARN or a path.

    Or the placeholder itself: what a task answered in the recording has it in the answer, too.
    """
    if placeholder == _ACCOUNT:
        return r"\d{12}"
    meant = ".*?" if any(word in placeholder for word in _LONGER) else "[^:/]*?"
    return f"(?:{re.escape(placeholder)}|{meant})"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:160]
