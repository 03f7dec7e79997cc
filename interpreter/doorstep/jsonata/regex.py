"""Regular expressions as function values of the language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .callables import Native
from .errors import JSONataError
from .lexer import RegexLiteral
from .regex_machine import Machine
from .regex_nodes import RegexError
from .regex_python import longest_text, to_python
from .regex_syntax import parse as parse_regex
from .run import Run
from .values import UNDEFINED, Value


@dataclass(frozen=True, slots=True)
class Match:
    """What was found where; a group that took no part is UNDEFINED."""

    text: str
    start: int
    end: int
    groups: list[Value]


class Pattern:
    """A compiled pattern: on ``re`` where that is sure to end soon, else on our own machine."""

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        tree, groups = parse_regex(source)
        ignore_case, multiline = "i" in flags, "m" in flags
        self._longest = longest_text(tree)
        self._python = (
            to_python(tree, ignore_case=ignore_case, multiline=multiline) if self._longest else None
        )
        self._machine = Machine(tree, groups, ignore_case=ignore_case, multiline=multiline)

    def search(self, run: Run, text: str, start: int) -> Match | None:
        """The first match from an offset on; U1001 if it takes too long."""
        if self._python is None or len(text) > self._longest:
            return self._search_slowly(run, text, start)
        found = self._python.search(text, start)
        if found is None:
            return None
        groups = [UNDEFINED if group is None else group for group in found.groups()]
        return Match(found.group(), found.start(), found.end(), groups)

    def _search_slowly(self, run: Run, text: str, start: int) -> Match | None:
        spans = self._machine.search(text, start, run.tick)
        if spans is None:
            return None
        low, high, *caught = spans
        pairs = zip(caught[::2], caught[1::2], strict=True)
        groups = [text[first:last] if last >= 0 else UNDEFINED for first, last in pairs]
        return Match(text[low:high], low, high, groups)


@lru_cache(maxsize=256)
def compile_pattern(source: str, flags: str) -> Pattern:
    """A pattern with the flags ``i`` and ``m``; RegexError if it is none."""
    return Pattern(source, flags)


def compile_literal(literal: RegexLiteral, position: int) -> Pattern:
    """The pattern of a literal in an expression; S0303 if it is none."""
    try:
        return compile_pattern(literal.pattern, literal.flags)
    except RegexError as error:
        raise JSONataError(
            "S0303", position, literal.pattern, value=literal.pattern, reason=str(error)
        ) from None


class Matcher(Native):
    """A regular expression: called with a string, it gives the first match as an object."""

    __slots__ = ("_pattern", "_position")
    arity = 2

    def __init__(self, pattern: Pattern, position: int) -> None:
        self._pattern = pattern
        self._position = position

    def find_all(self, run: Run, text: str) -> Iterator[Match]:
        """All matches; D1004 if one after the first is empty."""
        found = self._pattern.search(run, text, 0)
        while found is not None:
            yield found
            found = self._after(run, text, found)

    def _after(self, run: Run, text: str, found: Match) -> Match | None:
        if found.end >= len(text):
            return None
        following = self._pattern.search(run, text, found.end)
        if following is not None and not following.text:
            raise JSONataError("D1004", self._position, value=self._pattern.source)
        return following

    def call(self, run: Run, arguments: list[Value]) -> Value:
        """``{match, start, end, groups, next}``, or UNDEFINED."""
        text = arguments[0] if arguments else UNDEFINED
        if type(text) is not str:
            return UNDEFINED
        return self._as_object(run, text, self._pattern.search(run, text, 0))

    def _as_object(self, run: Run, text: str, found: Match | None) -> Value:
        if found is None:
            return UNDEFINED
        return {
            "match": found.text,
            "start": found.start,
            "end": found.end,
            "groups": found.groups,
            "next": lambda: self._as_object(run, text, self._after(run, text, found)),
        }
