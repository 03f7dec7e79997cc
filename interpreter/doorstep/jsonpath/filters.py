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

from ..jsonata.regex.pattern import Pattern
from ..jsonata.regex.syntax import RegexError
from .grammar import OPERAND_NAME, Filter, PathSyntaxError, Step, definite, read_steps
from .operators import NUMBER, OPERATORS, Test, read_number
from .scanner import Scanner
from .steps import ABSENT, Meter, Reach

Predicate = Callable[[Any, Any, Meter], bool]
"""Asked of an item and the root of the path."""
Operand = Callable[[Any, Any, Meter], Any]
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


def compile_filter(source: Filter, follow: Follow) -> Predicate:
    """The predicate of a filter step. Raises PathSyntaxError."""
    scanner = Scanner(source.text, PathSyntaxError, source.start)
    predicate = _either(scanner, follow, 0)
    if scanner.position != source.end:
        raise scanner.refused("Could not compile inline filter: expected '&&', '||' or ')'")
    return predicate


def _either(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    options = [_both(scanner, follow, depth)]
    while _logical(scanner, "||"):
        options.append(_both(scanner, follow, depth))
    if len(options) == 1:
        return options[0]
    return lambda item, root, meter: any(holds(item, root, meter) for holds in options)


def _both(scanner: Scanner, follow: Follow, depth: int) -> Predicate:
    parts = [_negated(scanner, follow, depth)]
    while _logical(scanner, "&&"):
        parts.append(_negated(scanner, follow, depth))
    if len(parts) == 1:
        return parts[0]
    return lambda item, root, meter: all(holds(item, root, meter) for holds in parts)


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

    def holds(item: Any, root: Any, meter: Meter) -> bool:
        meter.tick()
        return test(left(item, root, meter), right(item, root, meter), meter)

    return holds


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
    return lambda value, meter: reach(value, meter) or ABSENT


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


def _pattern(scanner: Scanner) -> Pattern:
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
