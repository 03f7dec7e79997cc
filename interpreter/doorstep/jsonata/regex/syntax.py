"""JavaScript's regular expressions, parsed to a tree.

The grammar is ECMAScript's, its Annex B included
(https://tc39.es/ecma262/#sec-regexp-regular-expression-objects): what Python's ``re`` reads
differently ends here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

# -- the tree


class RegexError(ValueError):
    """The pattern is not a regular expression."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set: ranges of code points, the ends included."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Concatenation:
    """One after the other; none matches the empty string."""

    items: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    """The first of the options that leads to a match."""

    options: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class CapturingGroup:
    """A capturing group, counted from 1."""

    number: int
    body: Regex


@dataclass(frozen=True, slots=True)
class Repetition:
    """``most`` None: without end."""

    body: Regex
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True, slots=True)
class Lookaround:
    """A look ahead or behind."""

    body: Regex
    ahead: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    r"""``^ $ \b \B``."""

    kind: Literal["^", "$", "b", "B"]


@dataclass(frozen=True, slots=True)
class BackReference:
    """What a group has matched; nothing if it took no part."""

    number: int


Regex = (
    Characters
    | Concatenation
    | Alternation
    | CapturingGroup
    | Repetition
    | Lookaround
    | Assertion
    | BackReference
)

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
    """Return all other characters."""
    result, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            result.append((start, low - 1))
        start = max(start, high + 1)
    if start <= LAST:
        result.append((start, LAST))
    return tuple(result)


def class_of(ranges: Ranges) -> str:
    """Return a set of characters as ``re`` writes it."""
    if not ranges:
        return "(?!)"
    return "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges) + "]"


# -- the parser

_CLASSES: Final = {"d": DIGITS, "w": WORD_CHARACTERS, "s": SPACES}
_ASCII_CLASSES: Final = {**_CLASSES, "s": SPACES[:2]}
_CONTROLS: Final = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_BLANKS: Final = re.compile(r"(?:\s|#[^\n]*)*")
_NOTHING: Final = re.compile("")
_COUNT: Final = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_NAME: Final = re.compile(r"<([A-Za-z_$][\w$]*)>")
_HEX: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
_MAX_COUNT: Final = 65_535
_MAX_NESTING: Final = 50


def parse(source: str, flags: str = "") -> tuple[Regex, int]:
    r"""Return the tree of a pattern and the number of its groups.

    Of the flags, ``s`` lets a dot stand for line ends too, ``x`` allows blanks and comments, ``a``
    makes ``\s`` the white space of ASCII, as in java.util.regex.
    """
    return _Parser(source, flags).parse()


class _Parser:
    def __init__(self, source: str, flags: str) -> None:
        self._source = source
        self._dot = ((0, LAST),) if "s" in flags else negate(LINE_END_CHARACTERS)
        self._skipped = _BLANKS if "x" in flags else _NOTHING
        self._classes = _ASCII_CLASSES if "a" in flags else _CLASSES
        self._at = 0
        self._nesting = 0
        self._groups = 0
        self._names: dict[str, int] = {}
        self._total = _count_groups(source)

    def parse(self) -> tuple[Regex, int]:
        tree = self._choice()
        if self._at < len(self._source):
            raise RegexError("Unmatched ')'")
        return tree, self._groups

    def _next_is(self, text: str) -> bool:
        if self._source.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _choice(self) -> Regex:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise RegexError("Too many nested groups")
        options = [self._chain()]
        while self._next_is("|"):
            options.append(self._chain())
        self._nesting -= 1
        return options[0] if len(options) == 1 else Alternation(tuple(options))

    def _chain(self) -> Regex:
        items: list[Regex] = []
        while self._skip() < len(self._source) and self._source[self._at] not in "|)":
            atom = self._atom()
            self._skip()
            items.append(self._quantified(atom))
        return items[0] if len(items) == 1 else Concatenation(tuple(items))

    def _skip(self) -> int:
        """Skip what means nothing here; return the place."""
        blank = self._skipped.match(self._source, self._at)
        self._at = blank.end() if blank else self._at
        return self._at

    def _quantified(self, atom: Regex) -> Regex:
        least, most = 1, None
        counted = _COUNT.match(self._source, self._at)
        if self._next_is("*"):
            least = 0
        elif self._next_is("+"):
            pass
        elif self._next_is("?"):
            least, most = 0, 1
        elif counted is not None:
            self._at = counted.end()
            low, comma, high = counted.groups()
            least = int(low)
            most = int(high) if high else None if comma else least
            self._check_counts(least, most)
        else:
            return atom
        greedy = not self._next_is("?")
        if isinstance(atom, Assertion):
            raise RegexError("Nothing to repeat")
        return Repetition(atom, least, most, greedy)

    @staticmethod
    def _check_counts(least: int, most: int | None) -> None:
        if most is not None and most < least:
            raise RegexError("numbers out of order in {} quantifier")
        if max(least, most or 0) > _MAX_COUNT:
            raise RegexError(f"more than {_MAX_COUNT} repetitions")

    def _atom(self) -> Regex:
        character = self._source[self._at]
        self._at += 1
        match character:
            case "^" | "$":
                return Assertion("^" if character == "^" else "$")
            case ".":
                return Characters(self._dot)
            case "(":
                return self._group()
            case "[":
                return self._set()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise RegexError("Nothing to repeat")
        if character == "{" and _COUNT.match(self._source, self._at - 1):
            raise RegexError("Nothing to repeat")
        return _character(ord(character))

    def _group(self) -> Regex:
        for opening, ahead, negated in (
            ("?=", True, False),
            ("?!", True, True),
            ("?<=", False, False),
            ("?<!", False, True),
        ):
            if self._next_is(opening):
                return Lookaround(self._closed(), ahead, negated)
        if self._next_is("?:"):
            return self._closed()
        if self._next_is("?"):
            name = _NAME.match(self._source, self._at)
            if name is None or name.group(1) in self._names:
                raise RegexError("Invalid group")
            self._at = name.end()
            self._names[name.group(1)] = self._groups + 1
        self._groups += 1
        number = self._groups
        return CapturingGroup(number, self._closed())

    def _closed(self) -> Regex:
        body = self._choice()
        if not self._next_is(")"):
            raise RegexError("Unterminated group")
        return body

    def _escape(self) -> Regex:
        if self._at >= len(self._source):
            raise RegexError("\\ at end of pattern")
        letter = self._source[self._at]
        if letter in "bB":
            self._at += 1
            return Assertion("b" if letter == "b" else "B")
        digits = re.compile(r"[1-9][0-9]*").match(self._source, self._at)
        if digits is not None and int(digits.group()) <= self._total:
            self._at = digits.end()
            return BackReference(int(digits.group()))
        name = _NAME.match(self._source, self._at + 1) if letter == "k" else None
        if name is not None and name.group(1) in self._names:
            self._at = name.end()
            return BackReference(self._names[name.group(1)])
        return Characters(self._class_or_code())

    def _class_or_code(self) -> Ranges:
        """Return what an escape stands for, inside a set or out of it."""
        letter = self._source[self._at]
        self._at += 1
        if letter.lower() in self._classes:
            ranges = self._classes[letter.lower()]
            return ranges if letter.islower() else negate(ranges)
        if letter in _CONTROLS:
            return ((_CONTROLS[letter], _CONTROLS[letter]),)
        code = _HEX.match(self._source, self._at - 1)
        if code is not None:
            self._at = code.end()
            value = int(code.group(1) or code.group(2), 16)
            return ((value, value),)
        if letter == "0":
            return ((0, 0),)
        if letter == "c" and self._source[self._at : self._at + 1].isalpha():
            self._at += 1
            value = ord(self._source[self._at - 1]) % 32
            return ((value, value),)
        return ((ord(letter), ord(letter)),)

    def _set(self) -> Regex:
        negated = self._next_is("^")
        ranges: list[tuple[int, int]] = []
        while not self._next_is("]"):
            low = self._set_member()
            if self._source.startswith("-", self._at) and self._source[self._at + 1 :][:1] != "]":
                self._at += 1
                ranges += _span(low, self._set_member())
            else:
                ranges += low
        return Characters(negate(tuple(ranges)) if negated else tuple(ranges))

    def _set_member(self) -> Ranges:
        if self._at >= len(self._source):
            raise RegexError("Unterminated character class")
        character = self._source[self._at]
        self._at += 1
        if character != "\\":
            return ((ord(character), ord(character)),)
        if self._next_is("b"):
            return ((8, 8),)
        if self._at >= len(self._source):
            raise RegexError("\\ at end of pattern")
        return self._class_or_code()


def _character(code: int) -> Characters:
    return Characters(((code, code),))


def _span(low: Ranges, high: Ranges) -> Ranges:
    r"""``low-high``; with a class such as ``\d`` on a side, the minus is a character."""
    if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
        return (*low, (0x2D, 0x2D), *high)
    if low[0][0] > high[0][0]:
        raise RegexError("Range out of order in character class")
    return ((low[0][0], high[0][0]),)


def _count_groups(source: str) -> int:
    """Count the groups of the whole pattern: back references may come before them."""
    plain = re.sub(r"\\.|\[(?:[^\]\\]|\\.)*\]", "", source, flags=re.DOTALL)
    return len(re.findall(r"\((?!\?)|\(\?<(?![=!])", plain))
