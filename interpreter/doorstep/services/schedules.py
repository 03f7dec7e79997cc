"""Schedule expressions of EventBridge and its Scheduler: when they are due.

Sources: EventBridge's user guide, "Cron expressions reference" and "Rate expressions reference";
the Scheduler's user guide, "Schedule types" (`at`, time zones, daylight-saving time).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import floor
from zoneinfo import ZoneInfo, available_timezones

from ..errors import InputError
from ..values.timestamps import in_utc

Following = Callable[[float], "float | None"]
"""The first time (epoch seconds) after another; None when there is none any more."""
_KIND = re.compile(r"(rate|cron|at)\((.*)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_YEARS = (1970, 2199)
_FIELDS = ["minutes", "hours", "day-of-month", "month", "day-of-week", "year"]


def schedule(expression: str, zone: str | None = None, since: float = 0.0) -> Following:
    """Return when an expression is due: `rate(5 minutes)`, `cron(0 18 ? * MON-FRI *)`, `at(…)`.

    `since`: when the schedule was made, from which a rate counts. Raises InputError for what is no
    expression, or no time zone.
    """
    match = _KIND.fullmatch(expression.strip())
    if match is None:
        raise InputError(f"{expression!r} is no rate(…), cron(…) or at(…)")
    kind, text = match.groups()
    try:
        zone_info = ZoneInfo(zone) if zone else UTC
    except (OSError, ValueError, KeyError):
        advice = "" if available_timezones() else "; this system knows none: pip install tzdata"
        raise InputError(f"{zone!r} is no time zone{advice}") from None
    try:
        match kind:
            case "rate":
                return _rate(text, since)
            case "at":
                return _at(text, zone_info)
        return _cron(text, zone_info)
    except ValueError as problem:
        raise InputError(f"{expression!r}: {problem}") from None


def _rate(text: str, since: float) -> Following:
    number, _, unit = text.strip().partition(" ")
    length = _UNITS.get(unit.strip().removesuffix("s"), 0) * int(number)
    if length <= 0:
        raise ValueError("a rate is a number above 0 of minutes, hours or days")

    def following(after: float) -> float:
        return since + (max(0, floor((after - since) / length)) + 1) * length

    return following


def _at(text: str, zone: tzinfo) -> Following:
    moment = datetime.fromisoformat(text.strip()).replace(tzinfo=zone).timestamp()
    return lambda after: moment if moment > after else None


# cron --------------------------------------------------------------------------------------------


def _cron(text: str, zone: tzinfo) -> Following:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"cron has six fields: {', '.join(_FIELDS)}")
    minutes, hours, in_month, months, in_week, years = fields
    if (in_month == "?") == (in_week == "?"):
        raise ValueError("one of day-of-month and day-of-week is ?, and not both")
    by_minute, by_hour = _values(minutes, 0, 59), _values(hours, 0, 23)
    times = [time(hour, minute) for hour in sorted(by_hour) for minute in sorted(by_minute)]
    by_month, by_year = _values(months, 1, 12, _MONTHS), _values(years, *_YEARS)
    fits = _day_of_month(in_month) if in_week == "?" else _day_of_week(in_week)

    def days(first: date) -> Iterator[date]:
        for year in sorted(year for year in by_year if year >= first.year):
            for month in sorted(by_month):
                for day in range(1, calendar.monthrange(year, month)[1] + 1):
                    one = date(year, month, day)
                    if one >= first and fits(one):
                        yield one

    def following(after: float) -> float | None:
        start = in_utc(after).astimezone(zone)
        for day in days(start.date()):
            for one in times:
                at = datetime.combine(day, one, zone).timestamp()
                # A time that daylight saving leaves out is left out here too.
                if at > after and in_utc(at).astimezone(zone).time() == one:
                    return at
        return None

    return following


def _values(text: str, least: int, most: int, names: list[str] | None = None) -> set[int]:
    """Return the numbers that a field means: `*`, `5`, `1-5`, `1/10`, `MON-FRI`, `1,15`."""
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if span == "*":
            first, last = least, most
        else:
            start, dash, end = span.partition("-")
            first = _number(start, least, most, names)
            last = _number(end, least, most, names) if dash else most if slash else first
        # A span such as FRI-MON goes over the end.
        size = most - least + 1
        length = (last - first) % size
        each = int(step) if slash else 1
        if each < 1:
            raise ValueError(f"the step of {part!r} has to be above 0")
        values |= {least + (first - least + over) % size for over in range(0, length + 1, each)}
    return values


def _number(text: str, least: int, most: int, names: list[str] | None) -> int:
    if names and text.upper() in names:
        return names.index(text.upper()) + least
    number = int(text) if text.isdecimal() else -1
    if not least <= number <= most:
        raise ValueError(f"{text!r} is not between {least} and {most}")
    return number


def _last_of(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _day_of_month(text: str) -> Callable[[date], bool]:
    """Return whether a day fits: numbers, `L` for the last one, `3W` for the nearest weekday."""
    if text == "L":
        return lambda day: day.day == _last_of(day)
    if text.endswith("W"):
        wanted = text.removesuffix("W")
        number = 31 if wanted == "L" else _number(wanted, 1, 31, None)
        return lambda day: day == _nearest_weekday(day, number)
    numbers = _values(text, 1, 31)
    return lambda day: day.day in numbers


def _nearest_weekday(day: date, number: int) -> date:
    """Return the weekday that is nearest to a day of the month, in the same month."""
    wanted = day.replace(day=min(number, _last_of(day)))
    saturday, sunday = wanted.weekday() == 5, wanted.weekday() == 6
    if saturday:
        return wanted + timedelta(days=-1 if wanted.day > 1 else 2)
    if sunday:
        return wanted + timedelta(days=1 if wanted.day < _last_of(wanted) else -2)
    return wanted


def _day_of_week(text: str) -> Callable[[date], bool]:
    """Return whether a day fits: 1-7 or SUN-SAT, `6L` for the month's last, `3#2` for its second.

    `L` alone is the last day of the week, Saturday.
    """
    if "#" in text:
        name, _, place = text.partition("#")
        number, rank = _number(name, 1, 7, _DAYS), _number(place, 1, 5, None)
        return lambda day: _weekday(day) == number and (day.day - 1) // 7 + 1 == rank
    if text.endswith("L") and text != "L":
        number = _number(text.removesuffix("L"), 1, 7, _DAYS)
        return lambda day: _weekday(day) == number and day.day > _last_of(day) - 7
    numbers = {7} if text == "L" else _values(text, 1, 7, _DAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    """Return the day's number as EventBridge has it: 1 is Sunday."""
    return day.isoweekday() % 7 + 1


def moment(value: object) -> float | None:
    """Return a StartDate or EndDate in epoch seconds: a number, or a text in ISO 8601."""
    if value is None or isinstance(value, int | float):
        return None if value is None else float(value)
    text = str(value)
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
