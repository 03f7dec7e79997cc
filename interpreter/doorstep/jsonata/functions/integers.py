"""``$formatInteger`` and ``$parseInteger``: XPath's pictures of integers, also used in dates.

https://docs.jsonata.org/numeric-functions; the pictures are those of
https://www.w3.org/TR/xpath-functions-31/#formatting-integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import floor, gcd, isfinite, log10, nan
from typing import Final, Literal

from ..errors import JSONataError
from ..evaluation import Evaluation
from ..values import UNDEFINED, Value, number, print_number, required

_DECIMAL_ZEROS: Final = "0٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀႐០᠐᥆᧐᪀᪐᭐᮰᱀᱐꘠꣐꤀꧐꧰꩐꯰０"


@dataclass(frozen=True, slots=True)
class IntegerPicture:
    """What a picture asks for; ``separators`` are (digits to the right, character)."""

    kind: Literal["decimal", "letters", "roman", "words", "sequence"]
    text: str
    upper: bool = False
    title: bool = False
    ordinal: bool = False
    zero: str = "0"
    digits: int = 0
    optional: int = 0
    separators: tuple[tuple[int, str], ...] = ()
    every: int = 0
    """Where separators stand at regular intervals: how many digits there are between two."""


_STEPS: Final = {"decimal": 10, "letters": 60, "roman": 10, "words": 100, "sequence": 1}
"""To show a number by a picture of each kind, however large it is."""

_NAMED: Final[dict[str, IntegerPicture]] = {
    "A": IntegerPicture("letters", "A", upper=True),
    "a": IntegerPicture("letters", "a"),
    "I": IntegerPicture("roman", "I", upper=True),
    "i": IntegerPicture("roman", "i"),
    "W": IntegerPicture("words", "W", upper=True),
    "Ww": IntegerPicture("words", "Ww", title=True),
    "w": IntegerPicture("words", "w"),
}


@lru_cache(maxsize=256)
def integer_picture(picture: str) -> IntegerPicture:
    """Return the meaning of a picture; D3131 if it mixes digits of different scripts."""
    primary, semicolon, modifier = picture.rpartition(";")
    if not semicolon:
        primary, modifier = picture, ""
    ordinal = modifier.startswith("o")
    if primary in _NAMED:
        return replace(_NAMED[primary], ordinal=ordinal)
    zeros, digits, optional = set(), 0, 0
    separators: list[tuple[int, str]] = []
    for character in reversed(primary):
        zero = zero_of(character)
        if zero is not None:
            zeros.add(zero)
            digits += 1
        elif character == "#":
            optional += 1
        else:
            separators.append((digits + optional, character))
    if len(zeros) > 1:
        raise JSONataError("D3131")
    if not digits:
        return IntegerPicture("sequence", primary)
    return IntegerPicture(
        "decimal",
        primary,
        ordinal=ordinal,
        zero=zeros.pop(),
        digits=digits,
        optional=optional,
        separators=tuple(separators),
        every=_interval(separators),
    )


def zero_of(character: str) -> str | None:
    """Return the zero of the script that a digit belongs to."""
    for zero in _DECIMAL_ZEROS:
        if 0 <= ord(character) - ord(zero) <= 9:
            return zero
    return None


def _interval(separators: list[tuple[int, str]]) -> int:
    """Return the distance between separators that are all alike and equally far apart; else 0."""
    if not separators or len({character for _, character in separators}) > 1:
        return 0
    return regular_interval([position for position, _ in separators])


def regular_interval(positions: list[int]) -> int:
    """Return the n of which the positions are n, 2n, 3n …; 0 if they are irregular."""
    step = gcd(*positions)
    expected = {step * count for count in range(1, len(positions) + 1)}
    return step if expected == set(positions) and len(positions) == len(expected) else 0


def format_integer(run: Evaluation, value: Value, picture: Value = UNDEFINED) -> Value:
    """``$formatInteger``."""
    run.tick(8 * len(required(picture, 2)))
    return show_integer(run, value, integer_picture(picture))


def show_integer(run: Evaluation, value: float, picture: IntegerPicture) -> str:
    """Print a number, rounded down, by a picture; raise D3130 for unknown pictures."""
    run.tick(_STEPS[picture.kind])
    run.allocate(picture.digits)
    value = floor(value) if isfinite(value) else value
    size = abs(value)
    match picture.kind:
        case "letters":
            text = to_letters(int(size), "A" if picture.upper else "a")
        case "roman":
            run.allocate(int(size) // 1000)
            text = to_roman(int(size))
            text = text.upper() if picture.upper else text
        case "words":
            text = to_words(float(size), ordinal=picture.ordinal)
            text = text.upper() if picture.upper else text if picture.title else text.lower()
        case "decimal":
            text = _decimal(size, picture)
        case _:
            raise JSONataError("D3130", value=picture.text)
    return "-" + text if value < 0 else text


def _decimal(size: float, picture: IntegerPicture) -> str:
    digits = print_number(number(size)).rjust(picture.digits, "0")
    ordinal = _ordinal(digits) if picture.ordinal else ""
    if picture.zero != "0":
        shift = ord(picture.zero) - ord("0")
        digits = "".join(chr(ord(digit) + shift) for digit in digits)
    separators = picture.separators
    if picture.every:
        mark = separators[0][1]
        separators = tuple((at, mark) for at in range(picture.every, len(digits), picture.every))
    return insert_marks(digits, separators) + ordinal


def insert_marks(digits: str, marks: Iterable[tuple[int, str]]) -> str:
    """Return the digits with each mark in front of so many of the last of them."""
    pieces, end = [], len(digits)
    for position, mark in sorted(marks):
        at = max(len(digits) - position, 0)
        pieces += [digits[at:end], mark]
        end = at
    return "".join([*reversed([*pieces, digits[:end]])])


def _ordinal(digits: str) -> str:
    if digits[-2:-1] == "1":
        return "th"
    return {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th")


def parse_integer(run: Evaluation, text: Value, picture: Value = UNDEFINED) -> Value:
    """``$parseInteger``."""
    run.tick(8 * len(required(picture, 2)) + len(text))
    value = read_integer(text, integer_picture(picture))
    return number(value) if isfinite(value) else value


LEADING_INTEGER: Final = re.compile(r"\s*([-+]?[0-9]+)")


def read_integer(text: str, picture: IntegerPicture) -> float:
    """Return the number that a text shows by a picture; NaN if it doesn't."""
    match picture.kind:
        case "letters":
            return from_letters(text, "A" if picture.upper else "a")
        case "roman":
            return from_roman(text)
        case "words":
            return from_words(text)
        case "sequence":
            raise JSONataError("D3130", value=picture.text)
    digits = text[:-2] if picture.ordinal else text
    for mark in {mark for _, mark in picture.separators}:
        digits = digits.replace("," if picture.every else mark, "")
    if picture.zero != "0":
        shift = ord(picture.zero) - ord("0")
        digits = "".join(chr(max(ord(digit) - shift, 0)) for digit in digits)
    match = LEADING_INTEGER.match(digits)
    return number(float(match.group(1))) if match else nan


def pattern_of(picture: IntegerPicture, width: int) -> str:
    """Return a regular expression for the texts of a picture; ``width`` digits if positive."""
    match picture.kind:
        case "letters":
            return "[A-Z]+" if picture.upper else "[a-z]+"
        case "roman":
            return "[MDCLXVI]+" if picture.upper else "[mdclxvi]+"
        case "words":
            words = "|".join((*WORD_VALUES, "and", "[-, ]"))
            return f"(?:{words})+"
        case "sequence":
            raise JSONataError("D3130", value=picture.text)
    least = max(width - picture.optional, 0)
    count = f"{{{least},{width}}}" if width > 0 else "+"
    return f"[0-9]{count}" + ("(?:th|st|nd|rd)" if picture.ordinal else "")


# -- words, Roman numerals and letters

_CARDINALS: Final = (
    "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen "
    "Sixteen Seventeen Eighteen Nineteen"
)
_ORDINALS: Final = (
    "Zeroth First Second Third Fourth Fifth Sixth Seventh Eighth Ninth Tenth Eleventh Twelfth "
    "Thirteenth Fourteenth Fifteenth Sixteenth Seventeenth Eighteenth Nineteenth"
)
_FEW: Final = {False: _CARDINALS.split(), True: _ORDINALS.split()}
"""Words for the numbers below 20, whether ordinal."""
_DECADES: Final = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"]
_MAGNITUDES: Final = ["Thousand", "Million", "Billion", "Trillion"]


def to_words(value: float, *, ordinal: bool) -> str:
    """``1234`` as "One Thousand, Two Hundred and Thirty-Four"; beyond, "… Trillion Trillion"."""
    if value < 20:
        return _FEW[ordinal][int(value)]
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
    for words in _FEW.values():
        values |= {word.lower(): value for value, word in enumerate(words)}
    for tens, word in enumerate(_DECADES, 2):
        values[word.lower()] = values[word[:-1].lower() + "ieth"] = 10 * tens
    for power, word in ((2, "hundred"), *((3 * n, m) for n, m in enumerate(_MAGNITUDES, 1))):
        values[word.lower()] = values[word.lower() + "th"] = 10**power
    return values


WORD_VALUES: Final = _word_values()
_BETWEEN_WORDS: Final = re.compile(r",\s|\sand\s|[\s\\-]")


def from_words(text: str) -> float:
    """Return the other way; NaN if a word isn't known."""
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


_ROMAN: Final = dict(
    zip(
        ["m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"],
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        strict=True,
    )
)
_ROMAN_VALUES: Final = {numeral: value for numeral, value in _ROMAN.items() if len(numeral) == 1}


def to_roman(value: int) -> str:
    """Return lower-case numerals; nothing for zero."""
    pieces = []
    for numeral, unit in _ROMAN.items():
        count, value = divmod(value, unit)
        pieces.append(numeral * count)
    return "".join(pieces)


def from_roman(text: str) -> float:
    """Read numerals in either case; NaN if a letter isn't one of the seven."""
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
    """Return a, b, … z, aa, ab, …; nothing for zero."""
    letters = ""
    while value > 0:
        value, letter = divmod(value - 1, 26)
        letters = chr(ord(first) + letter) + letters
    return letters


def from_letters(text: str, first: str) -> float:
    """Return the other way."""
    value = 0.0
    for letter in text:
        value = value * 26 + ord(letter) - ord(first) + 1
    return number(value)
