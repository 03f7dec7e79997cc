"""Regular expressions as function values, and the string functions that take one.

A function may stand in for a regular expression (https://docs.jsonata.org/regex): it takes a
string and returns ``{match, start, end, groups, next}`` or nothing; ``next`` is a function that
returns the same for what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as replace_fields
from itertools import islice
from math import ceil

from ..callables import Native, invoke
from ..errors import JSONataError
from ..evaluation import OBJECT, Evaluation
from ..regex.pattern import Match, Pattern
from ..sequences import collapse
from ..values import (
    NUMBERS,
    UNDEFINED,
    Sequence,
    Undefined,
    Value,
    has_pairs,
    is_function,
    required,
    split_pairs,
    utf16_length,
)
from .strings import to_string


class Matcher(Native):
    """A regular expression: called with a string, it returns the first match as an object."""

    __slots__ = ("_pattern", "_position")
    arity = 2

    def __init__(self, pattern: Pattern, position: int) -> None:
        self._pattern = pattern
        self._position = position

    def find_all(self, run: Evaluation, text: str) -> Iterator[Match]:
        """Return all matches; D1004 if one after the first is empty."""
        match = self._pattern.search(text, 0, run.tick)
        wide, at, units = has_pairs(text), 0, 0
        while match is not None:
            if wide:
                units += utf16_length(text[at : match.start])
                at = match.start
                match = replace_fields(match, units=(units, units + utf16_length(match.text)))
            yield match
            match = self._after(run, text, match)

    def _after(self, run: Evaluation, text: str, match: Match) -> Match | None:
        if match.end >= len(text):
            return None
        following = self._pattern.search(text, match.end, run.tick)
        if following is not None and not following.text:
            raise JSONataError("D1004", self._position, value=self._pattern.source)
        return following

    def call(self, run: Evaluation, arguments: list[Value]) -> Value:
        """``{match, start, end, groups, next}``, or UNDEFINED."""
        text = arguments[0] if arguments else UNDEFINED
        if type(text) is not str:
            return UNDEFINED
        return self._as_object(run, text, self._pattern.search(text, 0, run.tick))

    def _as_object(self, run: Evaluation, text: str, match: Match | None) -> Value:
        if match is None:
            return UNDEFINED
        start = utf16_length(text[: match.start])
        return {
            "match": match.text,
            "start": start,
            "end": start + utf16_length(match.text),
            "groups": match.groups,
            "next": lambda: self._as_object(run, text, self._after(run, text, match)),
        }


def _matches(run: Evaluation, matcher: Value, text: str) -> Iterator[Match]:
    """Return all that a regular expression or a matcher function finds."""
    if isinstance(matcher, Matcher):
        yield from matcher.find_all(run, text)
        return
    match = _checked(invoke(matcher, [text], None, run))
    while match is not UNDEFINED:
        run.tick()
        start, end = match.get("start", 0), match.get("end", 0)
        yield Match(match.get("match", ""), start, end, match.get("groups", []), (start, end))
        match = _checked(invoke(match.get("next"), [], None, run))


def _counted(run: Evaluation, matcher: Value, text: str) -> Iterator[Match]:
    """Yield the matches, and count what it takes to hold them."""
    for match in _matches(run, matcher, text):
        run.tick(OBJECT + 2 * len(match.groups))
        run.allocate(len(match.text) * (1 + len(match.groups)))
        yield match


def _checked(match: Value) -> Value:
    """Return the match, or UNDEFINED; raise T1010 if a matcher function returns no such thing."""
    if not match:
        return UNDEFINED
    is_match = isinstance(match, dict) and (
        type(match.get("start")) in NUMBERS
        or isinstance(match.get("groups"), list)
        or is_function(match.get("next"))
    )
    if not is_match:
        raise JSONataError("T1010")
    return match


def _limit(limit: float | Undefined, code: str, index: int) -> int | None:
    """Return how many at the most; None: all."""
    if isinstance(limit, Undefined):
        return None
    if limit < 0:
        raise JSONataError(code, value=limit, index=index)
    return ceil(limit)


def contains(run: Evaluation, text: Value, token: Value = UNDEFINED) -> Value:
    """``$contains``."""
    if type(required(token, 2)) is str:
        return token in text
    return next(_matches(run, token, text), None) is not None


def match(
    run: Evaluation, text: Value, matcher: Value = UNDEFINED, limit: Value = UNDEFINED
) -> Value:
    """``$match``."""
    most = _limit(limit, "D3040", 3)
    return Sequence(
        [
            {"match": match.text, "index": match.units[0], "groups": match.groups}
            for match in islice(_counted(run, matcher, text), most)
        ]
    )


def split(
    run: Evaluation, text: Value, separator: Value = UNDEFINED, limit: Value = UNDEFINED
) -> Value:
    """``$split``: at most ``limit`` parts, the rest is dropped."""
    most = _limit(limit, "D3020", 3)
    if type(required(separator, 2)) is str:
        most = most if limit is UNDEFINED else int(limit)
        run.allocate(len(text))
        parts = text.split(separator) if separator else list(split_pairs(text))
        run.tick(len(parts))
        return parts[:most]
    parts, at = [], 0
    for match in islice(_counted(run, separator, text), most):
        parts.append(text[at : match.start])
        at = match.end
    return parts if most is not None and len(parts) >= most else [*parts, text[at:]]


def replace(
    run: Evaluation,
    text: Value,
    pattern: Value = UNDEFINED,
    replacement: Value = UNDEFINED,
    limit: Value = UNDEFINED,
) -> Value:
    """``$replace``: by a string, or by what a function makes of the match."""
    if required(pattern, 2) == "":
        raise JSONataError("D3010", value=pattern, index=2)
    most = _limit(limit, "D3011", 4)
    if type(pattern) is str:
        if pattern not in text:
            return text
        replacement = to_string(run, required(replacement, 3))
        run.allocate(len(text) + text.count(pattern) * len(replacement))
        return text.replace(pattern, replacement, -1 if most is None else most)
    pieces, at = [], 0
    for match in islice(_counted(run, pattern, text), most):
        pieces += [text[at : match.start], _replacement(run, replacement, match)]
        at = match.start + len(match.text)
        run.allocate(len(pieces[-1]))
    run.allocate(sum(map(len, pieces)))
    return "".join([*pieces, text[at:]])


def _replacement(run: Evaluation, replacement: Value, match: Match) -> str:
    if type(replacement) is str:
        return _substitute(run, replacement, match)
    argument = {
        "match": match.text,
        "start": match.units[0],
        "end": match.units[1],
        "groups": match.groups,
    }
    result = invoke(replacement, [argument], None, run)
    result = collapse(result) if isinstance(result, list) else result
    if type(result) is not str:
        raise JSONataError("D3012", value=result)
    return result


def _substitute(run: Evaluation, template: str, match: Match) -> str:
    """``$1`` … are groups, ``$0`` is the whole match, ``$$`` a dollar sign."""
    pieces, at = [], 0
    while (dollar := template.find("$", at)) >= 0:
        pieces.append(template[at:dollar])
        text, at = _reference(template, dollar + 1, match)
        run.tick()
        run.allocate(len(text))
        pieces.append(text)
    return "".join(pieces) + template[at:]


def _reference(template: str, at: int, match: Match) -> tuple[str, int]:
    """Return what the text behind a dollar sign stands for, and where it ends."""
    following = template[at : at + 1]
    if following == "$":
        return "$", at + 1
    if following == "0":
        return match.text, at + 1
    digits = template[at : at + len(str(len(match.groups) or 1))]
    while digits and not (digits.isascii() and digits.isdigit()):
        digits = digits[:-1]
    if len(digits) > 1 and int(digits) > len(match.groups):
        digits = digits[:-1]
    if not digits:
        return "$", at
    group = match.groups[int(digits) - 1] if 0 < int(digits) <= len(match.groups) else ""
    return "" if group is UNDEFINED else group, at + len(str(int(digits)))
