"""RFC 3339 timestamps as the Amazon States Language wants them: uppercase T and Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)",
    re.ASCII,
)


def parse_timestamp(text: str) -> tuple[int, int] | None:
    """Epoch seconds and nanoseconds, or None when the text is no such timestamp."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    minute, second, fraction, zone = shape.groups()
    try:
        whole = datetime.fromisoformat(f"{minute}{second or ''}{zone.replace('Z', '+00:00')}")
    except ValueError:
        return None
    return (whole - _EPOCH) // timedelta(seconds=1), int((fraction or "").ljust(9, "0"))


def format_timestamp(at: float) -> str:
    """Epoch seconds as the context object shows them: milliseconds, left out when zero."""
    return _moment(at).isoformat(timespec="milliseconds")[:-6].removesuffix(".000") + "Z"


@lru_cache(maxsize=1024)
def isoformat(at: float) -> str:
    """Epoch seconds as the AWS CLI prints a history's timestamps."""
    return _moment(at).isoformat(timespec="milliseconds")


def epoch_seconds(timestamp: str | float) -> float:
    """Epoch seconds of an event as the AWS CLI prints it: ISO 8601, or seconds in its version 1.

    Raises ValueError, TypeError or OverflowError for other values.
    """
    if isinstance(timestamp, str):
        read = datetime.fromisoformat(timestamp)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return datetime.fromtimestamp(timestamp, UTC).timestamp()


def _moment(at: float) -> datetime:
    return _EPOCH + timedelta(milliseconds=round(at * 1000))
