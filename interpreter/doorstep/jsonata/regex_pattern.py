"""Compiled regular expressions, wherever they may run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .regex_machine import Spans, Tick, search
from .regex_program import Program
from .regex_python import longest_text, to_python
from .regex_syntax import parse
from .values import UNDEFINED


@dataclass(frozen=True, slots=True)
class Match:
    """What was found where; a group that took no part is UNDEFINED."""

    text: str
    start: int
    end: int
    groups: list[Any]


class Pattern:
    """A compiled pattern: on ``re`` where that is sure to end soon, else on our own machine."""

    def __init__(self, source: str, flags: str) -> None:
        self.source = source
        tree, groups = parse(source)
        ignore_case, multiline = "i" in flags, "m" in flags
        self._longest = longest_text(tree)
        self._python = (
            to_python(tree, ignore_case=ignore_case, multiline=multiline) if self._longest else None
        )
        self._program = Program(tree, groups, ignore_case=ignore_case, multiline=multiline)

    def search(self, text: str, start: int, tick: Tick) -> Match | None:
        """The first match from an offset on."""
        if self._python is None or len(text) > self._longest:
            spans = search(self._program, text, start, tick)
            return None if spans is None else _match(text, spans)
        found = self._python.search(text, start)
        if found is None:
            return None
        groups = [UNDEFINED if group is None else group for group in found.groups()]
        return Match(found.group(), found.start(), found.end(), groups)


def _match(text: str, spans: Spans) -> Match:
    low, high, *caught = spans
    pairs = zip(caught[::2], caught[1::2], strict=True)
    groups = [text[first:last] if last >= 0 else UNDEFINED for first, last in pairs]
    return Match(text[low:high], low, high, groups)


@lru_cache(maxsize=256)
def compile_pattern(source: str, flags: str) -> Pattern:
    """A pattern with the flags ``i`` and ``m``; RegexError if it is none."""
    return Pattern(source, flags)
