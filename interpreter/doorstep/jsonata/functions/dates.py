"""Date and time functions (https://docs.jsonata.org/date-time-functions)."""

from __future__ import annotations

import re
from math import isnan, nan, trunc
from typing import Final

from ..errors import JSONataError
from ..evaluation import Evaluation
from ..regex.pattern import Pattern, compile_pattern
from ..values import UNDEFINED, Value
from .calendar import (
    DAY,
    DAYS,
    ISO_8601,
    MONTHS,
    Marker,
    NameCase,
    Part,
    component,
    date_picture,
    days_to,
)
from .integers import LEADING_INTEGER, integer_picture, pattern_of, read_integer, show_integer


def millis(run: Evaluation) -> Value:
    """``$millis``."""
    return run.now


def now(run: Evaluation, picture: Value = UNDEFINED, zone: Value = UNDEFINED) -> Value:
    """``$now``."""
    return from_millis(run, run.now, picture, zone)


def from_millis(
    run: Evaluation, value: Value, picture: Value = UNDEFINED, zone: Value = UNDEFINED
) -> Value:
    """``$fromMillis``: ISO 8601 without a picture, UTC without a zone such as "+0100"."""
    hours, minutes = _offset(zone)
    shifted = trunc(value) + (60 * hours + minutes) * 60_000
    picture = ISO_8601 if picture is UNDEFINED else picture
    run.tick(len(picture))
    parts = date_picture(picture)
    run.tick(4 * len(parts))
    return "".join(
        part if isinstance(part, str) else _show(run, part, shifted, hours, minutes)
        for part in parts
    )


_LONGEST_YEAR: Final = 20


def _offset(zone: Value) -> tuple[int, int]:
    """Return hours and minutes; as in jsonata-js, "-0530" is -6 hours and -30 minutes."""
    match = LEADING_INTEGER.match(zone) if zone is not UNDEFINED else None
    offset = int(float(match.group(1))) if match else 0
    minutes = abs(offset) % 100
    return offset // 100, minutes if offset >= 0 else -minutes


def _show(run: Evaluation, marker: Marker, millis: int, hours: int, minutes: int) -> str:
    if marker.letter in ("Z", "z"):
        return _show_zone(run, marker, hours, minutes)
    value = component(millis, marker.letter)
    if isinstance(value, str):
        return value.upper() if marker.letter == "P" and marker.names == "upper" else value
    if marker.letter == "Y" and 0 <= marker.digits < _LONGEST_YEAR:
        value %= 10**marker.digits
    if marker.names is not None:
        return _show_name(marker, marker.names, value)
    return show_integer(run, value, marker.integer) if marker.integer else str(value)


def _show_name(marker: Marker, case: NameCase, value: int) -> str:
    if marker.letter not in ("M", "x", "F"):
        raise JSONataError("D3133", value=marker.letter)
    name = (DAYS if marker.letter == "F" else MONTHS)[value - 1]
    return {"upper": name.upper(), "lower": name.lower(), "title": name}[case][: marker.width]


def _show_zone(run: Evaluation, marker: Marker, hours: int, minutes: int) -> str:
    picture = marker.integer
    offset = hours * 100 + minutes
    if offset == 0 and marker.zulu:
        return "Z"
    if picture is None:
        raise JSONataError("D3134")
    if picture.every or picture.digits in (3, 4):
        text = show_integer(run, offset, picture)
    elif picture.digits in (1, 2):
        text = show_integer(run, hours, picture)
        if minutes:
            text += f":{show_integer(run, minutes, integer_picture('00'))}"
    else:
        raise JSONataError("D3134", value=picture.digits)
    return ("GMT" if marker.letter == "z" else "") + ("+" if offset >= 0 else "") + text


_ISO: Final = re.compile(
    r"(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?"
    r"(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?\Z",
    re.ASCII,
)


def to_millis(run: Evaluation, text: Value, picture: Value = UNDEFINED) -> Value:
    """``$toMillis``: of ISO 8601 without a picture; D3110 if it is something else."""
    if picture is not UNDEFINED:
        return read_date(run, text, picture)
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


# -- reading a text by a picture

_ESCAPED: Final = frozenset(".*+?^${}()|[]\\/")

Components = dict[str, float]


def read_date(run: Evaluation, text: str, picture: str) -> Value:
    """Return epoch milliseconds; UNDEFINED if the text isn't of that form.

    What the text leaves out before its first component is as it is now, after its last as small as
    it can be (D3136 for gaps in between, and for dates by weeks).
    """
    run.tick(100 + 32 * len(picture))
    parts = date_picture(picture)
    match = _pattern(parts).search(text, 0, run.tick)
    if match is None:
        return UNDEFINED
    components: Components = {}
    for part, group in zip(parts, match.groups, strict=True):
        if isinstance(part, Marker):
            value = _read(part, group)
            if value is not None:
                components[part.letter] = value
    if not any(isinstance(part, Marker) for part in parts):
        return UNDEFINED
    return _millis(run, components)


def _pattern(parts: tuple[Part, ...]) -> Pattern:
    groups = "".join(f"({_part_pattern(part)})" for part in parts)
    return compile_pattern(f"^{groups}$", "i")


def _part_pattern(part: Part) -> str:
    if isinstance(part, str):
        return "".join(f"\\{c}" if c in _ESCAPED else c for c in part)
    if part.letter in ("Z", "z"):
        mark = _zone_mark(part)
        minutes = f"\\{mark}[0-9]+" if mark in _ESCAPED else f"{mark}[0-9]+" if mark else ""
        return ("GMT" if part.letter == "z" else "") + "[-+][0-9]+" + minutes
    if part.integer is not None:
        return pattern_of(part.integer, part.digits)
    if part.letter not in "MxFP":
        raise JSONataError("D3133", value=part.letter)
    return "[a-zA-Z]+"


def _zone_mark(part: Marker) -> str:
    """Return what stands between the hours and the minutes of a zone."""
    picture = part.integer
    return picture.separators[0][1] if picture is not None and picture.every else ""


def _read(part: Marker, text: Value) -> float | None:
    if part.letter in ("Z", "z"):
        return _read_zone(text[3:] if part.letter == "z" else text, _zone_mark(part))
    if part.integer is not None:
        return read_integer(text, part.integer)
    if part.letter == "P":
        return {"am": 0, "AM": 0, "pm": 1, "PM": 1}.get(text)
    names = DAYS if part.letter == "F" else MONTHS
    shortened = [name[: part.width] for name in names]
    return shortened.index(text) + 1 if text in shortened else None


def _read_zone(text: str, mark: str) -> int:
    """Return minutes; as in jsonata-js, the sign is only the hours'."""
    if mark:
        hours, _, minutes = text.partition(mark)
    elif len(text) <= 3:
        hours, minutes = text, "0"
    else:
        hours, minutes = text[:3], text[3:]
    return int(float(hours)) * 60 + int(float(minutes))


def _millis(run: Evaluation, components: Components) -> Value:
    dates, times = ({x for x in among if components.get(x)} for among in ("YXMxWwdD", "PHhmsf"))
    by_day_of_year = not _only(dates, "YMD") and _only(dates, "Yd")
    by_half_day = not _only(times, "Hmsf") and _only(times, "Phmsf")
    if _only(dates, "Xxw") or _only(dates, "XW"):
        date = "XxwF" if _only(dates, "Xxw") else "XWF"
    else:
        date = "YD" if by_day_of_year else "YMD"
    _complete(run, components, date + ("Phmsf" if by_half_day else "Hmsf"))
    if date.startswith("X"):
        raise JSONataError("D3136")
    if any(isnan(value) for value in components.values()):
        return nan
    if by_half_day:
        hour = 0 if components["h"] == 12 else components["h"]
        components["H"] = hour + (12 if components.get("P") == 1 else 0)
    day_of_year = components["d"] if by_day_of_year else None
    return _epoch(components, day_of_year)


def _only(present: set[str], letters: str) -> bool:
    """Return whether some of the letters, and no others, have a value but zero."""
    return bool(present) and present <= set(letters)


def _complete(run: Evaluation, components: Components, letters: str) -> None:
    started = ended = False
    for letter in letters:
        if letter in components:
            started = True
            if ended:
                raise JSONataError("D3136")
        elif started:
            components[letter] = 1 if letter in "MDd" else 0
            ended = True
        else:
            current = component(run.now, letter)
            components[letter] = current if isinstance(current, int) else 0


def _epoch(components: Components, day_of_year: float | None) -> int:
    year = int(components["Y"])
    year += 1900 if 0 <= year <= 99 else 0  # as JavaScript's Date.UTC
    if day_of_year is None:
        days = days_to(year, max(int(components["M"]), 1), int(components["D"]))
    else:
        days = days_to(year, 1, int(day_of_year))
    hours = int(components["H"]) * 60 + int(components["m"])
    seconds = hours * 60 + int(components["s"])
    zone = int(components.get("Z") or components.get("z") or 0)
    return days * DAY + seconds * 1000 + int(components["f"]) - zone * 60_000
