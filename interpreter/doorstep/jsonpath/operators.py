"""The operators of JSONPath filters, as the library that AWS uses has them (Jayway JsonPath 2).

A number equals a text that spells it, an absent value equals nothing, values of different types
have no order, and ``=~`` must match the whole text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from ..jsonata.regex.pattern import Pattern
from ..jsonata.values import equal
from ..values.java import text_of
from .steps import ABSENT, Meter

Test = Callable[[Any, Any, Meter], bool]

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-])")


def read_number(text: str) -> int | float:
    """The number that a match of `NUMBER` spells."""
    return int(text) if text.lstrip("-").isdigit() and len(text) < 400 else float(text)


def _equal(left: Any, right: Any, meter: Meter) -> bool:
    if isinstance(left, str) and _is_number(right):
        return _spells(left, right)
    if isinstance(right, str) and _is_number(left):
        return _spells(right, left)
    return left is not ABSENT and right is not ABSENT and equal(left, right, meter)


def _spells(text: str, number: float) -> bool:
    return NUMBER.fullmatch(text) is not None and read_number(text) == number


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same_type(left: Any, right: Any, meter: Meter) -> bool:
    return isinstance(left, str) == isinstance(right, str) and _equal(left, right, meter)


def _ordered(test: Callable[[Any, Any], bool]) -> Test:
    def compare(left: Any, right: Any, _meter: Meter) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        return _is_number(left) and _is_number(right) and test(left, right)

    return compare


def _matches(left: Any, right: Any, meter: Meter) -> bool:
    if isinstance(left, Pattern):
        left, right = right, left
    if not isinstance(right, Pattern):
        return False
    if isinstance(left, list):
        meter.tick(len(left))
        return any(_matches(item, right, meter) for item in left)
    text = "" if left is ABSENT or left is None else text_of(left)
    meter.tick(len(text) >> 4 if isinstance(left, dict) else 0)
    return right.matches(text, meter.tick)


def _among(value: Any, items: Any, meter: Meter) -> bool:
    if not isinstance(items, list):
        return False
    meter.tick(len(items))
    return any(_equal(item, value, meter) for item in items)


def _contains(left: Any, right: Any, meter: Meter) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        meter.tick(len(left) >> 9)
        return right in left
    return _among(right, left, meter)


def _size(left: Any, right: Any, _meter: Meter) -> bool:
    return isinstance(left, (str, list)) and _is_number(right) and len(left) == int(right)


def _empty(left: Any, right: Any, _meter: Meter) -> bool:
    return isinstance(left, (str, list, dict)) and (not left) is right


def _overlap(left: Any, right: Any, meter: Meter) -> bool:
    return isinstance(left, list) and any(_among(item, right, meter) for item in left)


def _subset(left: Any, right: Any, meter: Meter) -> bool:
    return isinstance(left, list) and all(_among(item, right, meter) for item in left)


def _not(test: Test) -> Test:
    return lambda left, right, meter: not test(left, right, meter)


OPERATORS: dict[str, Test] = {
    "==": _equal,
    "!=": _not(_equal),
    "===": _same_type,
    "!==": _not(_same_type),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "=~": _matches,
    "in": _among,
    "nin": _not(_among),
    "contains": _contains,
    "all": lambda left, right, meter: _subset(right, left, meter),
    "subsetof": _subset,
    "anyof": _overlap,
    "noneof": lambda left, right, meter: (
        isinstance(left, list) and not _overlap(left, right, meter)
    ),
    "size": _size,
    "empty": _empty,
}
