"""Integers as English words, Roman numerals and letters, both ways."""

from __future__ import annotations

import re
from math import floor, log10, nan
from typing import Final

from .values import number

_FEW: Final = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
]
_ORDINALS: Final = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
]
_DECADES: Final = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"]
_MAGNITUDES: Final = ["Thousand", "Million", "Billion", "Trillion"]


def to_words(value: float, *, ordinal: bool) -> str:
    """``1234`` as "One Thousand, Two Hundred and Thirty-Four"; beyond, "… Trillion Trillion"."""
    if value < 20:
        return (_ORDINALS if ordinal else _FEW)[int(value)]
    if value < 100:
        return _decade(int(value), ordinal=ordinal)
    if value < 1000:
        unit, name = 100.0, "Hundred"
    else:
        size = min(floor(log10(value) / 3), len(_MAGNITUDES))
        unit, name = 10.0 ** (3 * size), _MAGNITUDES[size - 1]
    count = float(value // unit)
    rest = value - count * unit
    words = f"{to_words(count, ordinal=False)} {name}"
    if rest > 0:
        joint = " and " if rest < 100 else ", "
        return words + joint + to_words(rest, ordinal=ordinal)
    return words + "th" if ordinal else words


def _decade(value: int, *, ordinal: bool) -> str:
    tens, rest = divmod(value, 10)
    word = _DECADES[tens - 2]
    if rest:
        return f"{word}-{to_words(rest, ordinal=ordinal)}"
    return f"{word[:-1]}ieth" if ordinal else word


def _word_values() -> dict[str, int]:
    values: dict[str, int] = {}
    for words in (_FEW, _ORDINALS):
        values |= {word.lower(): value for value, word in enumerate(words)}
    for tens, word in enumerate(_DECADES, 2):
        values[word.lower()] = values[word[:-1].lower() + "ieth"] = 10 * tens
    for power, word in ((2, "hundred"), *((3 * n, m) for n, m in enumerate(_MAGNITUDES, 1))):
        values[word.lower()] = values[word.lower() + "th"] = 10**power
    return values


WORD_VALUES: Final = _word_values()
_BETWEEN_WORDS: Final = re.compile(r",\s|\sand\s|[\s\\-]")


def from_words(text: str) -> float:
    """The other way; NaN if a word isn't known."""
    sums = [0.0]
    for word in _BETWEEN_WORDS.split(text.lower()):
        value = WORD_VALUES.get(word)
        if value is None:
            return nan
        if value >= 100:
            sums[-1] *= value
        elif sums[-1] >= 1000:
            sums.append(value)
        else:
            sums[-1] += value
    return sum(sums)


_ROMAN: Final = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
_ROMAN_VALUES: Final = {numeral: value for value, numeral in _ROMAN if len(numeral) == 1}


def to_roman(value: int) -> str:
    """Lower case; nothing for zero."""
    pieces = []
    for unit, numeral in _ROMAN:
        count, value = divmod(value, unit)
        pieces.append(numeral * count)
    return "".join(pieces)


def from_roman(text: str) -> float:
    """In either case; NaN if a letter isn't one of the seven."""
    total, largest = 0, 1
    for numeral in reversed(text.lower()):
        value = _ROMAN_VALUES.get(numeral)
        if value is None:
            return nan
        if value < largest:
            total -= value
        else:
            largest = value
            total += value
    return total


def to_letters(value: int, first: str) -> str:
    """a, b, … z, aa, ab, …; nothing for zero."""
    letters = ""
    while value > 0:
        value, letter = divmod(value - 1, 26)
        letters = chr(ord(first) + letter) + letters
    return letters


def from_letters(text: str, first: str) -> float:
    """The other way."""
    value = 0.0
    for letter in text:
        value = value * 26 + ord(letter) - ord(first) + 1
    return number(value)
