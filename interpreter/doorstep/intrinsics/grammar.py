"""Calls of intrinsic functions: text to a tree.

    call     = "States." name "(" [ argument { "," argument } ] ")"
    argument = call | path | 'text' | number | true | false | null

In a text only ``\\'``, ``\\{``, ``\\}`` and ``\\\\`` are escapes; another one is refused when the
definition is created (recorded: test_illegal_escapes). The number of arguments is not looked at
then: AWS fails the call when it runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..jsonpath import PathSyntaxError, compile_path
from ..jsonpath.scanner import ExpressionSyntaxError, Scanner
from .functions import FUNCTIONS

MAX_DEPTH = 10
"""Calls inside calls (quota of AWS)."""
MAX_LENGTH = 65_536

_NAME = re.compile(r"States\.[A-Za-z0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"true|false|null")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


class IntrinsicSyntaxError(ExpressionSyntaxError):
    """Not a call of an intrinsic function."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Of a text, ``template`` is how States.Format reads it: with its escapes."""

    value: Any
    template: str | None = None


@dataclass(frozen=True, slots=True)
class PathArgument:
    """A path, to be resolved by whoever knows the data."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """``name`` is the full one, "States.Format"."""

    name: str
    arguments: tuple[Argument, ...]


Argument = Literal | PathArgument | Call


def parse_intrinsic(text: str) -> Call:
    """The tree of a call. Raises IntrinsicSyntaxError."""
    if len(text) > MAX_LENGTH:
        raise IntrinsicSyntaxError(f"A call has at most {MAX_LENGTH} characters", text[:60], 60)
    scanner = Scanner(text, IntrinsicSyntaxError)
    scanner.skip_blanks()
    call = _call(scanner, 1)
    scanner.skip_blanks()
    if not scanner.ended:
        raise scanner.refused("Nothing may follow the call")
    return call


def _call(scanner: Scanner, depth: int) -> Call:
    name = _NAME.match(scanner.text, scanner.position)
    if name is None or name[0] not in FUNCTIONS:
        raise scanner.refused("Expected an intrinsic function, such as States.Format")
    if depth > MAX_DEPTH:
        raise scanner.refused(f"Intrinsic functions nest at most {MAX_DEPTH} deep")
    scanner.position = name.end()
    scanner.expect("(", "Expected '(' after the name of the function")
    arguments: list[Argument] = []
    scanner.skip_blanks()
    if scanner.take(")"):
        return Call(name[0], ())
    while True:
        scanner.skip_blanks()
        arguments.append(_argument(scanner, depth))
        scanner.skip_blanks()
        if scanner.take(")"):
            return Call(name[0], tuple(arguments))
        scanner.expect(",", "Expected ',' or ')' after an argument")


def _argument(scanner: Scanner, depth: int) -> Argument:
    if scanner.at("States."):
        return _call(scanner, depth + 1)
    if scanner.at("$"):
        return _path(scanner)
    if scanner.take("'"):
        return _text(scanner)
    if found := _NUMBER.match(scanner.text, scanner.position):
        scanner.position = found.end()
        return Literal(float(found[0]) if found[1] or found[2] else _integer(scanner, found[0]))
    if found := _WORD.match(scanner.text, scanner.position):
        scanner.position = found.end()
        return Literal(_WORDS[found[0]])
    raise scanner.refused("Expected a text in single quotes, a number, a path or a call")


def _integer(scanner: Scanner, digits: str) -> int:
    if len(digits) > 400:
        raise scanner.refused("This number is too long")
    return int(digits)


def _text(scanner: Scanner) -> Literal:
    start = scanner.position
    raw = scanner.quoted("'", "A text must be closed by a single quote")
    for escape in _ESCAPE.finditer(raw):
        if escape[1] not in ("'", "{", "}", "\\"):
            raise scanner.refused(
                f"'{escape[0]}' is not an escape; write \\\\ for a backslash",
                start + escape.start(),
            )
    return Literal(_ESCAPE.sub(r"\1", raw), raw)


def _path(scanner: Scanner) -> PathArgument:
    start = scanner.position
    _skip_path(scanner)
    text = scanner.text[start : scanner.position].rstrip()
    try:
        compile_path(text)
    except PathSyntaxError as problem:
        raise scanner.refused(problem.reason, start + problem.position) from None
    return PathArgument(text)


def _skip_path(scanner: Scanner) -> None:
    """Read to the ',' or ')' that ends a path; both may stand inside its brackets."""
    depth = 0
    while not scanner.ended:
        character = scanner.text[scanner.position]
        if depth == 0 and character in ",)":
            return
        scanner.position += 1
        if character in "'\"" and depth:
            scanner.quoted(character, f"Expected a closing {character}")
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
