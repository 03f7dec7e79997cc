"""The Choice state's comparisons (States Language, "Choice State"): a table and its closures."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import runtime
from ..jsonpath import PathNotFound
from ..model import operator_of
from ..values.timestamps import parse_timestamp
from .context import Closure, Env

Condition = Callable[[Env], bool]


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _timestamp(value: Any) -> tuple[int, int] | None:
    return parse_timestamp(value) if isinstance(value, str) else None


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_KINDS: dict[str, tuple[Callable[[Any], Any], tuple[type, ...], tuple[str, ...]]] = {
    "String": (_string, (str,), tuple(_ORDERS)),
    "Numeric": (_number, (int, float), tuple(_ORDERS)),
    "Timestamp": (_timestamp, (), tuple(_ORDERS)),
    "Boolean": (_boolean, (bool,), ("Equals",)),
}
"""What a comparator makes of a value, the types that it leaves as they are, its orders."""
# Fact 37, of IsTimestamp fact 38.
_TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": lambda value: isinstance(value, str),
    "IsNumeric": lambda value: _number(value) is not None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: _timestamp(value) is not None,
}


_COMPARISONS = {
    f"{name}{order}": (kind, same, _ORDERS[order])
    for name, (kind, same, orders) in _KINDS.items()
    for order in orders
}


def first_that_holds(
    rules: Iterable[Mapping[str, Any]], getter: Callable[[str], Closure]
) -> Callable[[Env], int | None]:
    """Return what finds the first rule that holds, by its place. `getter` compiles the paths.

    Fact 36: any comparator but IsPresent fails on a path that finds nothing.
    """
    conditions = [compile_condition(rule, getter) for rule in rules]

    def first(env: Env) -> int | None:
        try:
            for place, holds in enumerate(conditions):
                if holds(env):
                    return place
        except PathNotFound as miss:
            raise runtime(
                f"Invalid path '{miss.path}': "
                "The choice state's condition path references an invalid value."
            ) from None
        return None

    return first


def compile_condition(rule: Mapping[str, Any], getter: Callable[[str], Closure]) -> Condition:
    """Return a rule's condition, And, Or and Not included; it may raise PathNotFound.

    Fact 250: And and Or stop at the first value that decides.
    """
    if "And" in rule:
        every = [compile_condition(inner, getter) for inner in rule["And"]]
        return lambda env: all(condition(env) for condition in every)
    if "Or" in rule:
        some = [compile_condition(inner, getter) for inner in rule["Or"]]
        return lambda env: any(condition(env) for condition in some)
    if "Not" in rule:
        inner = compile_condition(rule["Not"], getter)
        return lambda env: not inner(env)
    name = operator_of(rule)
    return _comparison(name, rule["Variable"], rule[name], getter)


def _comparison(name: str, path: str, expected: Any, getter: Callable[[str], Closure]) -> Condition:
    # Fact 37: the comparators, those that end in Path included.
    if name == "IsPresent":
        return _is_present(getter(path), expected)
    left = getter(path)
    if name in _TESTS:
        test = _TESTS[name]
        return lambda env: test(left(env)) is expected
    if name == "StringMatches":
        return _string_matches(left, expected)
    right = getter(expected) if name.endswith("Path") else None
    kind, same, order = _COMPARISONS[name.removesuffix("Path")]

    def compare(env: Env) -> bool:
        value, other = left(env), right(env) if right else expected
        if value.__class__ in same and other.__class__ in same:
            return order(value, other)
        # Fact 251: a value of another type is no match, never an error.
        value, other = kind(value), kind(other)
        return value is not None and other is not None and order(value, other)

    return compare


def _is_present(get: Closure, expected: bool) -> Condition:
    # Fact 39: a path that finds nothing is not present, a null value is.
    def is_present(env: Env) -> bool:
        try:
            get(env)
        except PathNotFound:
            return not expected
        return expected

    return is_present


def _string_matches(left: Closure, pattern: str) -> Condition:
    # Fact 252: an escape that escapes nothing fails when the rule is looked at.
    matches = wildcard(pattern)

    def string_matches(env: Env) -> bool:
        value = left(env)
        if matches is None:
            raise runtime(f"The StringMatches pattern '{pattern}' ends in an open escape.")
        return isinstance(value, str) and matches(value)

    return string_matches


def wildcard(pattern: str) -> Callable[[str], bool] | None:
    r"""StringMatches: `*` is any run of characters, `\*` and `\\` stand for themselves.

    None when a backslash at the end escapes nothing: the specification's runtime error.

    Fact 252.
    """
    pieces = [""]
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            pieces.append("")
            continue
        if character == "\\" and not (character := next(characters, "")):
            return None
        pieces[-1] += character
    return _exactly(pieces[0]) if len(pieces) == 1 else _in_order(pieces)


def _exactly(piece: str) -> Callable[[str], bool]:
    return lambda text: text == piece


def _in_order(pieces: list[str]) -> Callable[[str], bool]:
    """Return a test of a text: the first piece starts it, the last ends it, the others lie between.

    Each of the others is looked for once, as early as it can be: a later place would only leave
    less room for those behind it. So nothing is tried twice, however many stars there are.
    """
    first, *middle, last = pieces
    middle = [piece for piece in middle if piece]

    def matches(text: str) -> bool:
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in middle:
            start = text.find(piece, at, end)
            if start < 0:
                return False
            at = start + len(piece)
        return True

    return matches
