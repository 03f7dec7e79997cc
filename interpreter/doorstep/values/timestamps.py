"""Times in milliseconds, as AWS has them, and as text: RFC 3339, uppercase T and Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil, floor

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) + _DAY).timestamp()
_LAST = (datetime.max.replace(tzinfo=UTC) - _DAY).timestamp()
"""With a day to spare, as a time is shown in any zone."""
_SHAPE = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,9}))?)?"
    r"(Z|[+-](?:0\d|1[0-7]):[0-5]\d(?::[0-5]\d)?|[+-]18:00(?::00)?)",
    re.ASCII,
)
"""An offset is at most 18 hours (java.time.ZoneOffset; fact 268)."""

_ROUNDING = 0.01
"""Milliseconds: epoch seconds as a float are exact to a fortieth of that."""


def in_milliseconds(at: float) -> float:
    """Return a time, read off a clock, in whole milliseconds: all that AWS has of one (fact 344).

    Whoever reads a clock calls it, so that a time is the same wherever it is written.
    """
    return floor(at * 1000 + _ROUNDING) / 1000


def not_before(at: float) -> float:
    """Return the first whole millisecond that is not before a time."""
    return ceil(at * 1000 - _ROUNDING) / 1000


def parse_timestamp(text: str, *, any_case: bool = False) -> tuple[int, int] | None:
    """Return epoch seconds and nanoseconds, or None when the text is no such timestamp.

    `any_case`: t and z will do, as in JSONata states (fact 145).

    Facts 17 and 260; https://states-language.net/spec.html#timestamps
    """
    shape = _SHAPE.fullmatch(text.upper() if any_case else text)
    if shape is None:
        return None
    minute, second, fraction, zone = shape.groups()
    try:
        whole = datetime.fromisoformat(f"{minute}{second or ''}{zone.replace('Z', '+00:00')}")
    except ValueError:
        return None
    return (whole - _EPOCH) // timedelta(seconds=1), int((fraction or "").ljust(9, "0"))


def format_timestamp(at: float) -> str:
    """Return epoch seconds as the context object shows them: milliseconds, left out when zero.

    Fact 343.
    """
    return in_utc(at).isoformat(timespec="milliseconds")[:-6].removesuffix(".000") + "Z"


@lru_cache(maxsize=1024)
def isoformat(at: float) -> str:
    """Return epoch seconds as the AWS CLI prints a history's timestamps."""
    return in_utc(at).isoformat(timespec="milliseconds")


def epoch_seconds(timestamp: str | float) -> float:
    """Return epoch seconds of an event's time: ISO 8601, or the seconds that AWS CLI 1 prints.

    Raises ValueError for other texts and for times outside of the calendar, TypeError for values
    of other types.
    """
    if isinstance(timestamp, str):
        read = datetime.fromisoformat(timestamp)
        at = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    elif isinstance(timestamp, bool) or not isinstance(timestamp, int | float):
        raise TypeError(f"a timestamp can't be a {type(timestamp).__name__}")
    else:
        at = timestamp
    if not _FIRST <= at <= _LAST:
        raise ValueError("a timestamp is outside of the calendar, the years 1 to 9999")
    return at if isinstance(timestamp, str) else (_EPOCH + timedelta(seconds=at)).timestamp()


def in_utc(at: float) -> datetime:
    """Return epoch seconds as a time of the calendar, to the millisecond.

    Windows' own functions, which `datetime.fromtimestamp` calls, know the years 1970 to 3000 alone.
    """
    return _EPOCH + timedelta(milliseconds=round(at * 1000))
