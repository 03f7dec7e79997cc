"""Compiled regular expressions, for whoever counts steps: JSONata, and the filters of JSONPath."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from .errors import JSONataError
from .lexer import RegexLiteral
from .regex_machine import Spans, Tick, match, search
from .regex_nodes import RegexError
from .regex_program import Program
from .regex_python import longest_text, to_python
from .regex_syntax import parse
from .values import UNDEFINED

_CHARACTERS_A_STEP: Final = 512
"""How many ``re`` looks at in a step."""


@dataclass(frozen=True, slots=True)
class Match:
    """What was found where; a group that took no part is UNDEFINED."""

    text: str
    start: int
    end: int
    groups: list[Any]


class Pattern:
    """A compiled pattern: on ``re`` where that is sure to end soon, else on our own machine."""

    def __init__(self, source: str, flags: str, *, whole: bool = False) -> None:
        self.source = source
        tree, groups = parse(source, flags)
        ignore_case, multiline = "i" in flags, "m" in flags
        self._program = Program(
            tree, groups, ignore_case=ignore_case, multiline=multiline, whole=whole
        )
        self._longest, (self._factor, self._degree) = longest_text(tree)
        self._python = (
            to_python(tree, ignore_case=ignore_case, multiline=multiline) if self._longest else None
        )

    def search(self, text: str, start: int, tick: Tick) -> Match | None:
        """Return the first match from an offset on."""
        if self._python is None or len(text) > self._longest:
            spans = search(self._program, text, start, tick)
            return None if spans is None else _match(text, spans)
        self._tick_for_python(text, tick)
        match = self._python.search(text, start)
        if match is None:
            return None
        groups = [UNDEFINED if group is None else group for group in match.groups()]
        return Match(match.group(), match.start(), match.end(), groups)

    def matches(self, text: str, tick: Tick) -> bool:
        """Return whether the pattern, one that is ``whole``, matches the text from end to end."""
        if self._python is None or len(text) > self._longest:
            nothing = (-1,) * (2 * self._program.groups + 2)
            return match(self._program, text, 0, tick, nothing, set()) is not None
        self._tick_for_python(text, tick)
        return self._python.fullmatch(text) is not None

    def _tick_for_python(self, text: str, tick: Tick) -> None:
        """Count what the worst of texts would take: ``re`` does not say what it took."""
        tick(1 + int(self._factor * len(text) ** self._degree) // _CHARACTERS_A_STEP)


def _match(text: str, spans: Spans) -> Match:
    low, high, *caught = spans
    pairs = zip(caught[::2], caught[1::2], strict=True)
    groups = [text[first:last] if last >= 0 else UNDEFINED for first, last in pairs]
    return Match(text[low:high], low, high, groups)


@lru_cache(maxsize=256)
def compile_pattern(source: str, flags: str) -> Pattern:
    """Return a pattern with the flags ``i`` and ``m``; raise RegexError if it is none."""
    return Pattern(source, flags)


def compile_literal(literal: RegexLiteral, position: int) -> Pattern:
    """Return the pattern of a literal in an expression; raise S0303 if it is none."""
    try:
        return compile_pattern(literal.pattern, literal.flags)
    except RegexError as error:
        raise JSONataError(
            "S0303", position, literal.pattern, value=literal.pattern, reason=str(error)
        ) from None
