"""Compare values that contain JSON texts, placeholders and wildcards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from doorstep.errors import InputError
from doorstep.values.json_values import ABSENT, loads

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


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer is not as it was recorded."""

    at: str
    """The members that lead there: `.stateExitedEventDetails.output.items[2]`."""
    expected: Any
    """As recorded; ABSENT when nothing is there."""
    actual: Any
    """As answered; ABSENT when nothing is there."""
    event: str = ""
    """Of a history: `event 4 (PassStateExited, got FailStateEntered)`."""

    def __str__(self) -> str:
        if self.actual is ABSENT:
            said = f"missing, expected {_shown(self.expected)}"
        elif self.expected is ABSENT:
            said = f"unexpected {_shown(self.actual)}"
        else:
            said = f"expected {_shown(self.expected)}, got {_shown(self.actual)}"
        return f"{self.event}{self.at}: {said}"


def differences(
    expected: Any, actual: Any, wildcards: AbstractSet[str] = frozenset(), at: str = ""
) -> Iterator[Difference]:
    """Yield where two values differ.

    An expected text that is in `wildcards` matches any value. Within an expected text `<…>` matches
    one segment, without `:` and `/`, unless its name says more (`<task_token:1>`, `<time>`), and
    111111111111 any account number.
    """
    match expected, actual:
        case str(), _ if expected in wildcards:
            return
        case str(), _ if _PLACEHOLDER.search(expected):
            text = actual if isinstance(actual, str) else json.dumps(actual)
            same = _pattern(expected).fullmatch(text) is not None
        case dict(), dict():
            for name in [*expected, *sorted(actual.keys() - expected.keys())]:
                theirs, ours = expected.get(name, ABSENT), actual.get(name, ABSENT)
                if theirs is ABSENT or ours is ABSENT:
                    yield Difference(f"{at}.{name}", theirs, ours)
                else:
                    yield from differences(theirs, ours, wildcards, f"{at}.{name}")
            return
        case list(), list() if len(expected) == len(actual):
            for index, (theirs, ours) in enumerate(zip(expected, actual, strict=True)):
                yield from differences(theirs, ours, wildcards, f"{at}[{index}]")
            return
        case _:
            same = type(expected) is type(actual) and bool(expected == actual)
    if not same:
        yield Difference(at, expected, actual)


def same(expected: Any, actual: Any, wildcards: AbstractSet[str] = frozenset()) -> bool:
    """Return whether two values have no differences."""
    return next(differences(expected, actual, wildcards), None) is None


def left_open(mask: Any, value: Any, wildcards: AbstractSet[str] = frozenset()) -> Any:
    """Return a value with the wildcards and placeholders of a mask where they match it."""
    match mask, value:
        case str(), _ if mask in wildcards or (_PLACEHOLDER.search(mask) and same(mask, value)):
            return mask
        case dict(), dict():
            return {
                name: left_open(mask[name], member, wildcards) if name in mask else member
                for name, member in value.items()
            }
        case list(), list() if len(mask) == len(value):
            pairs = zip(mask, value, strict=True)
            return [left_open(one, item, wildcards) for one, item in pairs]
    return value


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
