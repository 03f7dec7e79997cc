"""Days and weeks of the calendar, and the pictures that name them: ``[Y0001]-[M01]-[D01]``.

Times are epoch milliseconds in UTC, the calendar is the proleptic Gregorian one. Pictures:
https://docs.jsonata.org/date-time, as of https://www.w3.org/TR/xpath-functions-31/#date-picture-string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from ..errors import JSONataError
from .integers import IntegerPicture, integer_picture

DAY: Final = 86_400_000

_MONTHS = "January February March April May June July August September October November December"
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
MONTHS: Final = _MONTHS.split()
DAYS: Final = _DAYS.split()


def days_to(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01; months and days may run over, as in Date.UTC."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    years = year - (month <= 2)
    era, of_era = divmod(years, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Return year, month and day."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    day_of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def first_week(year: int, month: int) -> int:
    """Return the Monday of the first week of a month: the one that holds its first Thursday."""
    first = days_to(year, month, 1)
    weekday = weekday_of(first)
    return first + 8 - weekday if weekday > 4 else first - weekday + 1


def weekday_of(days: int) -> int:
    """Return 1 for Monday to 7 for Sunday."""
    return (days + 3) % 7 + 1


def week(days: int, start: int, following: int, previous: int) -> int:
    """Return the number of a week in a year or month that starts at ``start``."""
    number = (days - start) // 7 + 1
    if days >= following:
        return 1
    return number if number >= 1 else (days - previous) // 7 + 1


def component(millis: int, letter: str) -> int | str:
    """Return what a letter of a date picture stands for; '' for one that stands for nothing."""
    days, time = divmod(millis, DAY)
    year, month, day = date_of(days)
    if letter in ("W", "X"):
        return _of_year(days, year, letter)
    if letter in ("w", "x"):
        return _of_month(days, year, month, letter)
    parts: dict[str, int | str] = {
        "Y": year,
        "M": month,
        "D": day,
        "d": days - days_to(year, 1, 1) + 1,
        "F": weekday_of(days),
        "H": time // 3_600_000,
        "h": (time // 3_600_000 - 1) % 12 + 1,
        "P": "pm" if time >= DAY // 2 else "am",
        "m": time // 60_000 % 60,
        "s": time // 1000 % 60,
        "f": time % 1000,
        "C": "ISO",
        "E": "ISO",
    }
    return parts.get(letter, "")


def _of_year(days: int, year: int, letter: str) -> int:
    """Return the ISO week of the year (W), or the year that the week belongs to (X)."""
    start, following = first_week(year, 1), first_week(year + 1, 1)
    if letter == "W":
        return week(days, start, following, first_week(year - 1, 1))
    return year - 1 if days < start else year + 1 if days >= following else year


def _of_month(days: int, year: int, month: int, letter: str) -> int:
    """Return the week of the month (w), or the month that the week belongs to (x)."""
    start, following = first_week(year, month), first_week(year, month + 1)
    if letter == "w":
        return week(days, start, following, first_week(year, month - 1))
    shift = -1 if days < start else int(days >= following)
    return (month + shift - 1) % 12 + 1


# -- pictures

ISO_8601: Final = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"

_DEFAULT_MODIFIERS: Final = {
    **dict.fromkeys("YMDdWwXxHhf", "1"),
    **dict.fromkeys("ms", "01"),
    **dict.fromkeys("FPCE", "n"),
    **dict.fromkeys("Zz", "01:01"),
}
_INTEGERS: Final = "YMDdFWwXxHhmsf"

NameCase = Literal["lower", "upper", "title"]


@dataclass(frozen=True, slots=True)
class Marker:
    """``[…]`` in a picture.

    ``names``: print a name in this case; ``digits``: how many of a year, month or day are printed
    and read, -1 for all; ``width``: how long a name may be.
    """

    letter: str
    names: NameCase | None = None
    integer: IntegerPicture | None = None
    digits: int = -1
    width: int | None = None
    zulu: bool = False
    """Whether a time zone of no offset is printed as Z."""


Part = str | Marker


@lru_cache(maxsize=256)
def date_picture(picture: str) -> tuple[Part, ...]:
    """Return literal texts and markers; raise D3135 (no closing bracket) or D3132."""
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
        return replace(marker, integer=integer_picture(first))
    if letter not in _INTEGERS:
        return marker
    picture = integer_picture(f"{first};{second}" if second else first)
    return _with_width(marker, picture, _width(least), _width(most))


def _case(modifier: str) -> NameCase:
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
