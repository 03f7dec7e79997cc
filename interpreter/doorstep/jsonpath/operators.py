"""The operators of JSONPath filters, as the library that AWS uses has them (Jayway JsonPath 2).

A number equals a text that spells it, an absent value equals nothing, values of different types
have no order, and ``=~`` must match the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..java import text_of
from ..jsonvalues import identity
from .follow import ABSENT

Test = Callable[[Any, Any], bool]

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-])")


def read_number(text: str) -> int | float:
    """The number that a match of `NUMBER` spells."""
    return int(text) if text.lstrip("-").isdigit() and len(text) < 400 else float(text)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and _is_number(right):
        return _spells(left, right)
    if isinstance(right, str) and _is_number(left):
        return _spells(right, left)
    return left is not ABSENT and right is not ABSENT and identity(left) == identity(right)


def _spells(text: str, number: float) -> bool:
    return NUMBER.fullmatch(text) is not None and read_number(text) == number


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same_type(left: Any, right: Any) -> bool:
    return isinstance(left, str) == isinstance(right, str) and _equal(left, right)


def _ordered(test: Test) -> Test:
    def compare(left: Any, right: Any) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        return _is_number(left) and _is_number(right) and test(left, right)

    return compare


def _matches(left: Any, right: Any) -> bool:
    if isinstance(left, re.Pattern):
        left, right = right, left
    if not isinstance(right, re.Pattern):
        return False
    if isinstance(left, list):
        return any(_matches(item, right) for item in left)
    return right.fullmatch("" if left is ABSENT or left is None else text_of(left)) is not None


def _among(value: Any, items: Any) -> bool:
    return isinstance(items, list) and any(_equal(item, value) for item in items)


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    return _among(right, left)


def _size(left: Any, right: Any) -> bool:
    return isinstance(left, (str, list)) and _is_number(right) and len(left) == int(right)


def _empty(left: Any, right: Any) -> bool:
    return isinstance(left, (str, list, dict)) and (not left) is right


def _overlap(left: Any, right: Any) -> bool:
    return isinstance(left, list) and any(_among(item, right) for item in left)


def _subset(left: Any, right: Any) -> bool:
    return isinstance(left, list) and all(_among(item, right) for item in left)


OPERATORS: dict[str, Test] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "===": _same_type,
    "!==": lambda left, right: not _same_type(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "=~": _matches,
    "in": _among,
    "nin": lambda left, right: not _among(left, right),
    "contains": _contains,
    "all": lambda left, right: _subset(right, left),
    "subsetof": _subset,
    "anyof": _overlap,
    "noneof": lambda left, right: isinstance(left, list) and not _overlap(left, right),
    "size": _size,
    "empty": _empty,
}
