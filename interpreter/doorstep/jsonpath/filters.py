"""Filters of a JSONPath, ``[?(@.price < 10 && @.tag in ['a','b'])]``, as predicates.

    or      = and { "||" and }        and = not { "&&" not }
    not     = "!" not | "(" or ")" | operand [ operator operand ]
    operand = "@" steps | "$" steps | 'text' | 12 | true | null | /pattern/i | [list] | bareword

A path alone asks whether it finds anything. The operators are those of the library that AWS uses
(https://github.com/json-path/JsonPath#filter-operators; facts 30 and 33): a number equals a text
that spells it, an absent value equals nothing, values of different types have no order, and ``=~``
must match the whole text.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from ..jsonata.regex.pattern import Pattern
from ..jsonata.regex.syntax import RegexError
from ..jsonata.values import equal
from ..values.java import text_of
from .grammar import (
    OPERAND_NAME,
    Elements,
    FilterStep,
    PathSyntaxError,
    Range,
    Scanner,
    Step,
    definite,
    read_steps,
)
from .meter import ABSENT, PathMeter, Reach

Predicate = Callable[[Any, Any, PathMeter], bool]
"""Asked of an item and the root of the path."""
Operand = Callable[[Any, Any, PathMeter], Any]
Follow = Callable[[tuple[Step, ...]], Reach]
"""Compiles steps to a function of their root that gives ABSENT where nothing is."""

MAX_DEPTH = 50

_OPERATOR = re.compile(r"[<>=~!]+|[A-Za-z]+")
_BAREWORD = re.compile(r"[^\s()<>=~!&|,\[\]]+")
_CONSTANTS = {"true": True, "false": False, "null": None}
_FLAGS = "ismx"
_FLAGS_AHEAD = re.compile(r"\(\?([ismx]+)\)")
_ESCAPED_LETTER = re.compile(r"\\(?:([A-Za-z])|.)", re.DOTALL)
_ESCAPES = "dDwWsSbBtnfrvxuck"
"""Of Java's escapes, those that the patterns of JSONata have too, with the same meaning."""


def compile_filter(source: FilterStep, follow: Follow) -> Predicate:
    """Return the predicate of a filter step. Raises PathSyntaxError (facts 30 and 33)."""
    scanner = Scanner(source.text, PathSyntaxError, source.start)
    predicate = _either(scanner, follow, 0)
    if scanner.position != source.end:
        raise scanner.refused("Could not compile inline filter: expected '&&', '||' or ')'")
    return predicate


def _either(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    options = [_both(scanner, follow, depth)]
    while _logical(scanner, "||"):
        options.append(_both(scanner, follow, depth))
    return _of_all(options, any)


def _both(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    parts = [_negated(scanner, follow, depth)]
    while _logical(scanner, "&&"):
        parts.append(_negated(scanner, follow, depth))
    return _of_all(parts, all)


def _of_all(parts: list[Predicate], hold: Callable[[Iterable[bool]], bool]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    return lambda item, root, meter: hold(holds(item, root, meter) for holds in parts)


def _logical(scanner: Scanner, token: str) -> bool:
    scanner.skip_blanks()
    return scanner.take(token)


def _negated(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    if depth > MAX_DEPTH:
        raise scanner.refused(f"A filter nests at most {MAX_DEPTH} deep")
    scanner.skip_blanks()
    if scanner.take("!"):
        predicate = _negated(scanner, follow, depth + 1)
        return lambda item, root, meter: not predicate(item, root, meter)
    if scanner.take("("):
        predicate = _either(scanner, follow, depth + 1)
        scanner.skip_blanks()
        scanner.expect(")", "Failed to parse filter. Brackets are not balanced.")
        return predicate
    return _relation(scanner, follow)


def _relation(scanner: Scanner, follow: Follow) -> Predicate:
    start = scanner.position
    is_path = scanner.at("@", "$")
    left = _operand(scanner, follow)
    scanner.skip_blanks()
    if scanner.ended or scanner.at(")", "&&", "||"):
        if not is_path:
            raise scanner.refused("Expected path node", start)
        return lambda item, root, meter: left(item, root, meter) is not ABSENT
    test = _operator(scanner)
    right = _operand(scanner, follow)

    def holds(item: Any, root: Any, meter: PathMeter) -> bool:
        meter.tick()
        return test(left(item, root, meter), right(item, root, meter), meter)

    return holds


def _operator(scanner: Scanner) -> Test:
    match = _OPERATOR.match(scanner.text, scanner.position)
    test = OPERATORS.get(match[0].lower()) if match else None
    if match is None or test is None:
        raise scanner.refused("Could not compile inline filter: expected an operator")
    scanner.position = match.end()
    return test


def _operand(scanner: Scanner, follow: Follow) -> Operand:
    scanner.skip_blanks()
    if scanner.take("@"):
        reach = _reach(scanner, follow)
        return lambda item, root, meter: reach(item, meter)
    if scanner.take("$"):
        reach = _reach(scanner, follow)
        return lambda item, root, meter: reach(root, meter)
    constant = _list(scanner) if scanner.take("[") else _scalar(scanner)
    return lambda item, root, meter: constant


def _reach(scanner: Scanner, follow: Follow) -> Reach:
    steps = read_steps(scanner, OPERAND_NAME)
    reach = follow(steps)
    if definite(steps):
        return reach
    many = next(index for index, step in enumerate(steps) if not definite((step,)))
    lead, takes = follow(steps[:many]), _TAKES.get(type(steps[many]), object)

    def matches(value: Any, meter: PathMeter) -> Any:
        # Fact 336: a list, maybe an empty one, is there as soon as what it is taken from is.
        source = lead(value, meter)
        return ABSENT if source is ABSENT or not isinstance(source, takes) else reach(value, meter)

    return matches


_TAKES: dict[type[Step], Any] = {Elements: list, Range: list, FilterStep: (list, dict)}
"""What a step needs that has many matches; the others are content with any value."""


def _scalar(scanner: Scanner) -> Any:
    scanner.skip_blanks()
    for quote in "'\"":
        if scanner.take(quote):
            return _text(scanner.quoted(quote, f"String not closed. Expected {quote}"))
    if scanner.take("/"):
        return _pattern(scanner)
    if match := NUMBER.match(scanner.text, scanner.position):
        scanner.position = match.end()
        return read_number(match[0])
    word = _BAREWORD.match(scanner.text, scanner.position)
    if word is None:
        raise scanner.refused("Could not compile inline filter: expected a value")
    scanner.position = word.end()
    return _CONSTANTS.get(word[0], word[0])


def _text(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


def _list(scanner: Scanner) -> list[Any]:
    items: list[Any] = []
    scanner.skip_blanks()
    while not scanner.take("]"):
        if items:
            scanner.expect(",", "Expected ',' or ']' in a list")
        items.append(_scalar(scanner))
        scanner.skip_blanks()
    return items


def _pattern(scanner: Scanner) -> Pattern:
    # Fact 33: `=~ /pattern/flags`.
    start = scanner.position
    body = scanner.quoted("/", "Pattern not closed. Expected /")
    flags = ""
    while not scanner.ended and scanner.text[scanner.position] in _FLAGS:
        flags += scanner.text[scanner.position]
        scanner.position += 1
    if ahead := _FLAGS_AHEAD.match(body):
        body, flags = body[ahead.end() :], flags + ahead[1]
    try:
        for escape in _ESCAPED_LETTER.finditer(body):
            if escape[1] and escape[1] not in _ESCAPES:
                raise RegexError(f"the escape {escape[0]} is not supported")
        return Pattern(body, flags, whole=True)
    except RegexError as problem:
        raise scanner.refused(f"Could not compile inline filter: {problem}", start) from None


# -- operators

Test = Callable[[Any, Any, PathMeter], bool]

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.-])")


def read_number(text: str) -> int | float:
    """Return the number that a match of `NUMBER` spells."""
    return int(text) if text.lstrip("-").isdigit() and len(text) < 400 else float(text)


def _equal(left: Any, right: Any, meter: PathMeter) -> bool:
    if isinstance(left, str) and _is_number(right):
        return _spells(left, right)
    if isinstance(right, str) and _is_number(left):
        return _spells(right, left)
    return left is not ABSENT and right is not ABSENT and equal(left, right, meter)


def _spells(text: str, number: float) -> bool:
    return NUMBER.fullmatch(text) is not None and read_number(text) == number


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same_type(left: Any, right: Any, meter: PathMeter) -> bool:
    return isinstance(left, str) == isinstance(right, str) and _equal(left, right, meter)


def _ordered(test: Callable[[Any, Any], bool]) -> Test:
    def compare(left: Any, right: Any, _meter: PathMeter) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return test(left, right)
        return _is_number(left) and _is_number(right) and test(left, right)

    return compare


def _matches(left: Any, right: Any, meter: PathMeter) -> bool:
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


def _among(value: Any, items: Any, meter: PathMeter) -> bool:
    if not isinstance(items, list):
        return False
    meter.tick(len(items))
    return any(_equal(item, value, meter) for item in items)


def _contains(left: Any, right: Any, meter: PathMeter) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        meter.tick(len(left) >> 9)
        return right in left
    return _among(right, left, meter)


def _size(left: Any, right: Any, _meter: PathMeter) -> bool:
    return isinstance(left, (str, list)) and _is_number(right) and len(left) == int(right)


def _empty(left: Any, right: Any, _meter: PathMeter) -> bool:
    return isinstance(left, (str, list, dict)) and (not left) is right


def _overlap(left: Any, right: Any, meter: PathMeter) -> bool:
    return isinstance(left, list) and any(_among(item, right, meter) for item in left)


def _subset(left: Any, right: Any, meter: PathMeter) -> bool:
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
    "nin": lambda left, right, meter: isinstance(right, list) and not _among(left, right, meter),
    "contains": _contains,
    "all": lambda left, right, meter: _subset(right, left, meter),
    "subsetof": _subset,
    "anyof": _overlap,
    "noneof": lambda left, right, meter: (
        isinstance(left, list) and isinstance(right, list) and not _overlap(left, right, meter)
    ),
    "size": _size,
    "empty": _empty,
}
