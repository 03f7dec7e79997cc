"""Filters of a JSONPath, ``[?(@.price < 10 && @.tag in ['a','b'])]``, as predicates.

    or      = and { "||" and }        and = not { "&&" not }
    not     = "!" not | "(" or ")" | operand [ operator operand ]
    operand = "@" steps | "$" steps | 'text' | 12 | true | null | /pattern/i | [list] | bareword

A path alone asks whether it leads anywhere. What the operators mean: `operators`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .follow import ABSENT, Get
from .grammar import OPERAND_NAME, Filter, PathSyntaxError, Step, definite, read_steps
from .operators import NUMBER, OPERATORS, Test, read_number
from .scanner import Scanner

Predicate = Callable[[Any, Any], bool]
"""Asked of an item and the root of the path."""
Operand = Callable[[Any, Any], Any]
Follow = Callable[[tuple[Step, ...]], Get]
"""Compiles steps to a function of their root that gives ABSENT where nothing is."""

MAX_DEPTH = 50

_OPERATOR = re.compile(r"[<>=~!]+|[A-Za-z]+")
_BAREWORD = re.compile(r"[^\s()<>=~!&|,\[\]]+")
_CONSTANTS = {"true": True, "false": False, "null": None}
_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "x": re.VERBOSE}


def compile_filter(source: Filter, follow: Follow) -> Predicate:
    """The predicate of a filter step. Raises PathSyntaxError."""
    scanner = Scanner(source.text, PathSyntaxError, source.start)
    predicate = _either(scanner, follow, 0)
    if scanner.position != source.end:
        raise scanner.refused("Could not compile inline filter: expected '&&', '||' or ')'")
    return predicate


def _either(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    left = _both(scanner, follow, depth)
    while _logical(scanner, "||"):
        left = _or(left, _both(scanner, follow, depth))
    return left


def _both(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    left = _negated(scanner, follow, depth)
    while _logical(scanner, "&&"):
        left = _and(left, _negated(scanner, follow, depth))
    return left


def _logical(scanner: Scanner, token: str) -> bool:
    scanner.skip_blanks()
    return scanner.take(token)


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda item, root: left(item, root) or right(item, root)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda item, root: left(item, root) and right(item, root)


def _negated(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    if depth > MAX_DEPTH:
        raise scanner.refused(f"A filter nests at most {MAX_DEPTH} deep")
    scanner.skip_blanks()
    if scanner.take("!"):
        predicate = _negated(scanner, follow, depth + 1)
        return lambda item, root: not predicate(item, root)
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
        return lambda item, root: left(item, root) is not ABSENT
    test = _operator(scanner)
    right = _operand(scanner, follow)
    return lambda item, root: test(left(item, root), right(item, root))


def _operator(scanner: Scanner) -> Test:
    found = _OPERATOR.match(scanner.text, scanner.position)
    test = OPERATORS.get(found[0].lower()) if found else None
    if found is None or test is None:
        raise scanner.refused("Could not compile inline filter: expected an operator")
    scanner.position = found.end()
    return test


def _operand(scanner: Scanner, follow: Follow) -> Operand:
    scanner.skip_blanks()
    if scanner.take("@"):
        reach = _reach(scanner, follow)
        return lambda item, root: reach(item)
    if scanner.take("$"):
        reach = _reach(scanner, follow)
        return lambda item, root: reach(root)
    constant = _list(scanner) if scanner.take("[") else _scalar(scanner)
    return lambda item, root: constant


def _reach(scanner: Scanner, follow: Follow) -> Get:
    steps = read_steps(scanner, OPERAND_NAME)
    reach = follow(steps)
    if definite(steps):
        return reach
    return lambda value: reach(value) or ABSENT


def _scalar(scanner: Scanner) -> Any:
    scanner.skip_blanks()
    for quote in "'\"":
        if scanner.take(quote):
            return _text(scanner.quoted(quote, f"String not closed. Expected {quote}"))
    if scanner.take("/"):
        return _pattern(scanner)
    if found := NUMBER.match(scanner.text, scanner.position):
        scanner.position = found.end()
        return read_number(found[0])
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


def _pattern(scanner: Scanner) -> re.Pattern[str]:
    start = scanner.position
    body = scanner.quoted("/", "Pattern not closed. Expected /")
    flags = re.NOFLAG
    while not scanner.ended and scanner.text[scanner.position] in _FLAGS:
        flags |= _FLAGS[scanner.text[scanner.position]]
        scanner.position += 1
    try:
        return re.compile(body, flags)
    except (re.error, RecursionError, OverflowError) as problem:
        raise scanner.refused(f"Could not compile inline filter: {problem}", start) from None
