"""How events, moments and time spans are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_COLOURS = (("Failed", "red"), ("TimedOut", "red"), ("Aborted", "yellow"), ("Succeeded", "green"))


def event_colour(event_type: str) -> str | None:
    """How a type of event is coloured."""
    return next((colour for end, colour in _COLOURS if event_type.endswith(end)), None)


def elapsed(seconds: float) -> str:
    """A time span as the console has it, days before it when there are any."""
    span = timedelta(milliseconds=round(seconds * 1000))
    hours, rest = divmod(span.seconds, 3600)
    days = f"{span.days}d " if span.days else ""
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}.{span.microseconds // 1000:03}"
    return days + clock


def timestamp(at: float) -> str:
    """A moment (epoch seconds) as the table has it."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
