"""XPath's pictures of dates and times, taken apart: ``[Y0001]-[M01]-[D01]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from . import integer_pictures
from .errors import JSONataError
from .integer_pictures import IntegerPicture

ISO_8601: Final = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"

_DEFAULT_MODIFIERS: Final = {
    **dict.fromkeys("YMDdWwXxHhf", "1"),
    **dict.fromkeys("ms", "01"),
    **dict.fromkeys("FPCE", "n"),
    **dict.fromkeys("Zz", "01:01"),
}
_INTEGERS: Final = "YMDdFWwXxHhmsf"

Case = Literal["lower", "upper", "title"]


@dataclass(frozen=True, slots=True)
class Marker:
    """``[…]`` in a picture. ``names``: shown as a name in this case; ``digits``: how many of a
    year, month or day are shown and read, -1 for all; ``width``: how long a name may be.
    """

    letter: str
    names: Case | None = None
    integer: IntegerPicture | None = None
    digits: int = -1
    width: int | None = None
    zulu: bool = False
    """Whether a time zone of no offset is shown as Z."""


Part = str | Marker


@lru_cache(maxsize=256)
def analyse(picture: str) -> tuple[Part, ...]:
    """Literal texts and markers; D3135 without a closing bracket, D3132 for unknown letters."""
    parts: list[Part] = []
    start = at = 0
    while (opening := picture.find("[", at)) >= 0:
        _add_literal(parts, picture[start:opening])
        if picture.startswith("[[", opening):
            parts.append("[")
            start = at = opening + 2
            continue
        closing = picture.find("]", opening)
        if closing < 0:
            raise JSONataError("D3135")
        parts.append(_marker(re.sub(r"\s+", "", picture[opening + 1 : closing])))
        start = at = closing + 1
    _add_literal(parts, picture[start:])
    return tuple(parts)


def _add_literal(parts: list[Part], text: str) -> None:
    if text:
        parts.append(text.replace("]]", "]"))


def _marker(text: str) -> Marker:
    letter = text[:1]
    modifier, comma, width = text[1:].rpartition(",")
    if not comma:
        modifier, width = text[1:], ""
    second = ""
    if len(modifier) > 1 and modifier[-1] in "atco":
        modifier, second = modifier[:-1], modifier[-1]
    first = modifier or _DEFAULT_MODIFIERS.get(letter)
    if first is None:
        raise JSONataError("D3132", value=letter)
    least, _, most = width.partition("-")
    marker = Marker(letter, width=_width(most), zulu=second == "t")
    if first[0] in "nN":
        return replace(marker, names=_case(first))
    if letter in ("Z", "z"):
        return replace(marker, integer=integer_pictures.analyse(first))
    if letter not in _INTEGERS:
        return marker
    picture = integer_pictures.analyse(f"{first};{second}" if second else first)
    return _with_width(marker, picture, _width(least), _width(most))


def _case(modifier: str) -> Case:
    if modifier[0] == "n":
        return "lower"
    return "title" if modifier[1:2] == "n" else "upper"


def _width(text: str) -> int | None:
    match = re.match(r"[0-9]+", text)
    return int(float(match.group()[:9])) if match else None


def _with_width(
    marker: Marker, picture: IntegerPicture, least: int | None, most: int | None
) -> Marker:
    if least is not None and picture.kind == "decimal":
        picture = replace(picture, digits=max(picture.digits, least))
    digits = -1
    if marker.letter in "YMD":
        if most is not None:
            digits = most
            picture = replace(picture, digits=most)
        elif picture.digits + picture.optional >= 2:
            digits = picture.digits + picture.optional
    return replace(marker, integer=picture, digits=digits)
