"""Days and weeks of the proleptic Gregorian calendar, on epoch milliseconds, in UTC."""

from __future__ import annotations

from typing import Final

DAY: Final = 86_400_000

MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def days_to(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01; months and days may run over, as in JavaScript's Date.UTC."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    years = year - (month <= 2)
    era, of_era = divmod(years, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + day_of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """Year, month and day."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    day_of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def first_week(year: int, month: int) -> int:
    """The Monday of the first week of a month: the one that holds its first Thursday."""
    first = days_to(year, month, 1)
    weekday = weekday_of(first)
    return first + 8 - weekday if weekday > 4 else first - weekday + 1


def weekday_of(days: int) -> int:
    """1 for Monday to 7 for Sunday."""
    return (days + 3) % 7 + 1


def week(days: int, start: int, following: int, previous: int) -> int:
    """The number of a week in a year or month that starts at ``start``."""
    number = (days - start) // 7 + 1
    if days >= following:
        return 1
    return number if number >= 1 else (days - previous) // 7 + 1


def component(millis: int, letter: str) -> int | str:
    """What a letter of a date picture stands for; '' for one that stands for nothing."""
    days, time = divmod(millis, DAY)
    year, month, day = date_of(days)
    match letter:
        case "Y":
            return year
        case "M":
            return month
        case "D":
            return day
        case "d":
            return days - days_to(year, 1, 1) + 1
        case "F":
            return weekday_of(days)
        case "W" | "X":
            return _of_year(days, year, letter)
        case "w" | "x":
            return _of_month(days, year, month, letter)
        case "H":
            return time // 3_600_000
        case "h":
            return (time // 3_600_000 - 1) % 12 + 1
        case "P":
            return "pm" if time >= DAY // 2 else "am"
        case "m":
            return time // 60_000 % 60
        case "s":
            return time // 1000 % 60
        case "f":
            return time % 1000
        case "C" | "E":
            return "ISO"
    return ""


def _of_year(days: int, year: int, letter: str) -> int:
    """ISO week of the year (W), or the year that the week belongs to (X)."""
    start, following = first_week(year, 1), first_week(year + 1, 1)
    if letter == "W":
        return week(days, start, following, first_week(year - 1, 1))
    return year - 1 if days < start else year + 1 if days >= following else year


def _of_month(days: int, year: int, month: int, letter: str) -> int:
    """Week of the month (w), or the month that the week belongs to (x)."""
    start, following = first_week(year, month), first_week(year, month + 1)
    if letter == "w":
        return week(days, start, following, first_week(year, month - 1))
    shift = -1 if days < start else int(days >= following)
    return (month + shift - 1) % 12 + 1
