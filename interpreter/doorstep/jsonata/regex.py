"""Regular expressions as function values of the language."""

from __future__ import annotations

from collections.abc import Iterator

from .callables import Native
from .errors import JSONataError
from .lexer import RegexLiteral
from .regex_nodes import RegexError
from .regex_pattern import Match, Pattern, compile_pattern
from .run import Run
from .values import UNDEFINED, Value


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
        found = self._pattern.search(text, 0, run.tick)
        while found is not None:
            yield found
            found = self._after(run, text, found)

    def _after(self, run: Run, text: str, found: Match) -> Match | None:
        if found.end >= len(text):
            return None
        following = self._pattern.search(text, found.end, run.tick)
        if following is not None and not following.text:
            raise JSONataError("D1004", self._position, value=self._pattern.source)
        return following

    def call(self, run: Run, arguments: list[Value]) -> Value:
        """``{match, start, end, groups, next}``, or UNDEFINED."""
        text = arguments[0] if arguments else UNDEFINED
        if type(text) is not str:
            return UNDEFINED
        return self._as_object(run, text, self._pattern.search(text, 0, run.tick))

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
