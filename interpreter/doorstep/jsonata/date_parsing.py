"""``$toMillis`` with a picture: the time that a text shows."""

from __future__ import annotations

from math import isnan, nan
from typing import Final

from . import integer_pictures
from .calendar import DAY, DAYS, MONTHS, component, days_to
from .date_pictures import Marker, Part, analyse
from .errors import JSONataError
from .integer_pictures import pattern_of
from .regex_pattern import Pattern, compile_pattern
from .run import Run
from .values import UNDEFINED, Value

_ESCAPED: Final = frozenset(".*+?^${}()|[]\\/")

Components = dict[str, float]


def parse(run: Run, text: str, picture: str) -> Value:
    """Epoch milliseconds; UNDEFINED if the text isn't of that form. What the text leaves out
    before its first component is as it is now, after its last as small as it can be (D3136 for
    gaps in between, and for dates by weeks).
    """
    parts = analyse(picture)
    found = _pattern(parts).search(text, 0, run.tick)
    if found is None:
        return UNDEFINED
    components: Components = {}
    for part, shown in zip(parts, found.groups, strict=True):
        if isinstance(part, Marker):
            value = _read(part, shown)
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
    """What stands between the hours and the minutes of a zone."""
    picture = part.integer
    return picture.separators[0][1] if picture is not None and picture.every else ""


def _read(part: Marker, shown: Value) -> float | None:
    if part.letter in ("Z", "z"):
        return _read_zone(shown[3:] if part.letter == "z" else shown, _zone_mark(part))
    if part.integer is not None:
        return integer_pictures.read(shown, part.integer)
    if part.letter == "P":
        return {"am": 0, "AM": 0, "pm": 1, "PM": 1}.get(shown)
    names = DAYS if part.letter == "F" else MONTHS
    shortened = [name[: part.width] for name in names]
    return shortened.index(shown) + 1 if shown in shortened else None


def _read_zone(shown: str, mark: str) -> int:
    """Minutes; as in jsonata-js, the sign is only the hours'."""
    if mark:
        hours, _, minutes = shown.partition(mark)
    elif len(shown) <= 3:
        hours, minutes = shown, "0"
    else:
        hours, minutes = shown[:3], shown[3:]
    return int(hours) * 60 + int(minutes)


def _millis(run: Run, components: Components) -> Value:
    by_day_of_year = not _only(components, "YMD", "YXMxWwdD") and _only(
        components, "Yd", "YXMxWwdD"
    )
    if _only(components, "Xxw", "YXMxWwdD") or _only(components, "XW", "YXMxWwdD"):
        date = "XxwF" if _only(components, "Xxw", "YXMxWwdD") else "XWF"
    else:
        date = "YD" if by_day_of_year else "YMD"
    by_half_day = not _only(components, "Hmsf", "PHhmsf") and _only(components, "Phmsf", "PHhmsf")
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


def _only(components: Components, letters: str, among: str) -> bool:
    """Whether some of the letters, and no others of their kind, have a value but zero."""
    given = {letter for letter in among if components.get(letter)}
    return bool(given) and given <= set(letters)


def _complete(run: Run, components: Components, letters: str) -> None:
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
