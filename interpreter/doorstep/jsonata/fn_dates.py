"""``$now``, ``$millis``, ``$fromMillis``, ``$toMillis``."""

from __future__ import annotations

import re
from math import nan, trunc
from typing import Final

from . import integer_pictures
from .calendar import DAY, DAYS, MONTHS, component, days_to
from .date_parsing import parse
from .date_pictures import ISO_8601, Case, Marker, analyse
from .errors import JSONataError
from .run import Run
from .values import UNDEFINED, Value


def millis(run: Run) -> Value:
    """``$millis``."""
    return run.now


def now(run: Run, picture: Value = UNDEFINED, zone: Value = UNDEFINED) -> Value:
    """``$now``."""
    return from_millis(run, run.now, picture, zone)


def from_millis(
    run: Run, value: Value = UNDEFINED, picture: Value = UNDEFINED, zone: Value = UNDEFINED
) -> Value:
    """``$fromMillis``: ISO 8601 without a picture, UTC without a zone such as "+0100"."""
    if value is UNDEFINED:
        return UNDEFINED
    hours, minutes = _offset(zone)
    shifted = trunc(value) + (60 * hours + minutes) * 60_000
    picture = ISO_8601 if picture is UNDEFINED else picture
    run.tick(len(picture))
    parts = analyse(picture)
    run.tick(4 * len(parts))
    return "".join(
        part if isinstance(part, str) else _show(run, part, shifted, hours, minutes)
        for part in parts
    )


_LONGEST_YEAR: Final = 20
_LEADING_INTEGER: Final = re.compile(r"\s*([-+]?[0-9]+)")


def _offset(zone: Value) -> tuple[int, int]:
    """Hours and minutes; as in jsonata-js, "-0530" is -6 hours and -30 minutes."""
    match = _LEADING_INTEGER.match(zone) if zone is not UNDEFINED else None
    offset = int(float(match.group(1))) if match else 0
    minutes = abs(offset) % 100
    return offset // 100, minutes if offset >= 0 else -minutes


def _show(run: Run, marker: Marker, millis: int, hours: int, minutes: int) -> str:
    if marker.letter in ("Z", "z"):
        return _show_zone(run, marker, hours, minutes)
    value = component(millis, marker.letter)
    if isinstance(value, str):
        return value.upper() if marker.letter == "P" and marker.names == "upper" else value
    if marker.letter == "Y" and 0 <= marker.digits < _LONGEST_YEAR:
        value %= 10**marker.digits
    if marker.names is not None:
        return _show_name(marker, marker.names, value)
    return integer_pictures.show(run, value, marker.integer) if marker.integer else str(value)


def _show_name(marker: Marker, case: Case, value: int) -> str:
    if marker.letter not in ("M", "x", "F"):
        raise JSONataError("D3133", value=marker.letter)
    name = (DAYS if marker.letter == "F" else MONTHS)[value - 1]
    return {"upper": name.upper(), "lower": name.lower(), "title": name}[case][: marker.width]


def _show_zone(run: Run, marker: Marker, hours: int, minutes: int) -> str:
    picture = marker.integer
    offset = hours * 100 + minutes
    if offset == 0 and marker.zulu:
        return "Z"
    if picture is None:
        raise JSONataError("D3134")
    if picture.every or picture.digits in (3, 4):
        text = integer_pictures.show(run, offset, picture)
    elif picture.digits in (1, 2):
        text = integer_pictures.show(run, hours, picture)
        if minutes:
            text += f":{integer_pictures.show(run, minutes, integer_pictures.analyse('00'))}"
    else:
        raise JSONataError("D3134", value=picture.digits)
    return ("GMT" if marker.letter == "z" else "") + ("+" if offset >= 0 else "") + text


_ISO: Final = re.compile(
    r"(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?"
    r"(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?\Z",
    re.ASCII,
)


def to_millis(run: Run, text: Value = UNDEFINED, picture: Value = UNDEFINED) -> Value:
    """``$toMillis``: of ISO 8601 without a picture; D3110 if it is something else."""
    if text is UNDEFINED:
        return UNDEFINED
    if picture is not UNDEFINED:
        return parse(run, text, picture)
    match = _ISO.match(text)
    if match is None:
        raise JSONataError("D3110", value=text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    days = days_to(int(year), int(month or 1), int(day or 1))
    time = (int(hour or 0) * 60 + int(minute or 0)) * 60_000 + int(second or 0) * 1000
    if not 1 <= int(month or 1) <= 12 or not 1 <= int(day or 1) <= 31 or time > DAY:
        return nan
    return days * DAY + time + int((fraction or ".")[1:4].ljust(3, "0")) - _zone_millis(zone)


def _zone_millis(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (-minutes if zone[0] == "-" else minutes) * 60_000
