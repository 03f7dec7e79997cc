"""Compiled regular expressions, for whoever counts steps: JSONata, and the filters of JSONPath.

Python's ``re`` is fast, but nothing can stop it: a pattern may run there only on texts so short
that its worst case is bounded, and only if both languages mean the same by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any, Final

from ..values import UNDEFINED
from .program import RegexProgram, Spans, Tick, match, search
from .syntax import (
    Alternation,
    Assertion,
    BackReference,
    CapturingGroup,
    Characters,
    Concatenation,
    Lookaround,
    Regex,
    Repetition,
    class_of,
    parse,
)

_MOST_STEPS: Final = 100_000
"""What the worst case of a search may cost, in characters looked at: half a millisecond."""

Cost = tuple[float, int]
"""(factor, degree): a search in n characters takes at most factor × n**degree steps."""


def longest_text(tree: Regex) -> tuple[int, Cost]:
    """Return up to which length ``re`` may search texts (0: never), and what that costs."""
    cost = _cost(tree)
    if cost is None or cost[0] > _MOST_STEPS:
        return 0, (0, 0)
    factor, degree = cost
    return int((_MOST_STEPS / factor) ** (1 / (degree + 1))), (factor, degree + 1)


def _cost(tree: Regex) -> Cost | None:
    """Return None where ``re`` could take exponential time, or would give another answer."""
    match tree:
        case Characters() | Assertion():
            return 1, 0
        case Concatenation(items=parts) | Alternation(options=parts):
            costs = [cost for part in parts if (cost := _cost(part)) is not None]
            factors, degrees = [factor for factor, _ in costs], [degree for _, degree in costs]
            if len(costs) < len(parts):
                return None
            if isinstance(tree, Alternation):
                return sum(factors), max(degrees)
            return prod(factors), sum(degrees)
        case CapturingGroup(body=body):
            return _cost(body)
        case Repetition():
            return _of_repeat(tree)
    return None  # looks and back references


def _of_repeat(tree: Repetition) -> Cost | None:
    if tree.most == 1:
        inner = _cost(tree.body)
        return None if inner is None else (inner[0] + 1, inner[1])
    if not _is_fixed(tree.body):
        return None
    return (1, 1) if tree.most is None else (tree.most - tree.least + 1, 0)


def _is_fixed(tree: Regex) -> bool:
    """Return whether there is only one way to match: no choice, no repetition."""
    match tree:
        case Characters():
            return True
        case Concatenation(items=items):
            return bool(items) and all(map(_is_fixed, items))
        case CapturingGroup(body=body):
            return _is_fixed(body)
    return False


def to_python(tree: Regex, flags: str) -> re.Pattern[str]:
    """Return the pattern for ``re``."""
    edges = _EDGES_OF_LINES if "m" in flags else _EDGES
    return re.compile(_text(tree, edges), re.IGNORECASE if "i" in flags else re.NOFLAG)


def _text(tree: Regex, edges: Mapping[str, str]) -> str:
    def text(inner: Regex) -> str:
        return _text(inner, edges)

    match tree:
        case Characters(ranges=ranges):
            return class_of(ranges)
        case Concatenation(items=items):
            return "".join(map(text, items))
        case Alternation(options=options):
            return "(?:" + "|".join(map(text, options)) + ")"
        case CapturingGroup(body=body):
            return f"({text(body)})"
        case Repetition(body=body, least=least, most=most, greedy=greedy):
            count = f"{{{least},{'' if most is None else most}}}"
            return f"(?:{text(body)}){count}" + ("" if greedy else "?")
        case Assertion(kind=kind):
            return edges[kind]
        case Lookaround() | BackReference():
            raise AssertionError("never run on re")


_WORD_EDGE: Final = "(?:(?<![A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<=[A-Za-z0-9_])(?![A-Za-z0-9_]))"
_EDGES: Final = {"^": r"\A", "$": r"\Z", "b": _WORD_EDGE, "B": f"(?!{_WORD_EDGE})"}
_EDGES_OF_LINES: Final = {
    **_EDGES,
    "^": "(?<![^\n\r\u2028\u2029])",
    "$": "(?![^\n\r\u2028\u2029])",
}


_CHARACTERS_A_STEP: Final = 512
"""How many ``re`` looks at in a step."""


@dataclass(frozen=True, slots=True)
class Match:
    """What matched, and where; a group that took no part is UNDEFINED.

    ``units``: from where to where it is in UTF-16 units, which is what an expression sees.
    """

    text: str
    start: int
    end: int
    groups: list[Any]
    units: tuple[int, int]


class Pattern:
    """A compiled pattern: on ``re`` where that is sure to end soon, else on our own machine."""

    def __init__(self, source: str, flags: str, *, whole: bool = False) -> None:
        self.source = source
        self.flags = flags
        tree, groups = parse(source, flags)
        self._program = RegexProgram(tree, groups, flags, whole=whole)
        self._longest, (self._factor, self._degree) = longest_text(tree)
        self._python = to_python(tree, flags) if self._longest else None

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
        return Match(match.group(), match.start(), match.end(), groups, match.span())

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
    return Match(text[low:high], low, high, groups, (low, high))


@lru_cache(maxsize=256)
def compile_pattern(source: str, flags: str) -> Pattern:
    """Return a pattern with the flags ``i`` and ``m``, or ``syntax.parse``'s; RegexError: none."""
    return Pattern(source, flags)
