"""The tree of a regular expression, and the sets of characters that have names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


class RegexError(ValueError):
    """The pattern is not a regular expression."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set: ranges of code points, the ends included."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other; none matches the empty string."""

    items: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first of the options that leads to a match."""

    options: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group, counted from 1."""

    number: int
    body: Regex


@dataclass(frozen=True, slots=True)
class Repeat:
    """``most`` None: without end."""

    body: Regex
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Look:
    """A look ahead or behind."""

    body: Regex
    ahead: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """``^ $ \\b \\B``."""

    kind: Literal["^", "$", "b", "B"]


@dataclass(frozen=True, slots=True)
class Back:
    """What a group has matched; nothing if it took no part."""

    number: int


Regex = Characters | Chain | Choice | Group | Repeat | Look | Edge | Back

LAST: Final = 0x10FFFF
DIGITS: Final = ((0x30, 0x39),)
WORD_CHARACTERS: Final = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACES: Final = (
    (0x9, 0xD),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
LINE_END_CHARACTERS: Final = ((0xA, 0xA), (0xD, 0xD), (0x2028, 0x2029))

Ranges = tuple[tuple[int, int], ...]


def negate(ranges: Ranges) -> Ranges:
    """All other characters."""
    result, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            result.append((start, low - 1))
        start = max(start, high + 1)
    if start <= LAST:
        result.append((start, LAST))
    return tuple(result)
