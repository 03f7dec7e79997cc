"""Events, times and the data at a moment of an execution, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from doorstep.history.causes import cause_lines
from doorstep.values.timestamps import in_utc

from ..output import plain

if TYPE_CHECKING:
    from doorstep import Moment

_COLOURS = (("Failed", "red"), ("TimedOut", "red"), ("Aborted", "yellow"), ("Succeeded", "green"))


def event_colour(event_type: str) -> str | None:
    """Return the colour of a type of event."""
    return next((colour for end, colour in _COLOURS if event_type.endswith(end)), None)


def elapsed(seconds: float) -> str:
    """Return a time span as the console shows it, with days in front if there are any."""
    span = timedelta(milliseconds=round(seconds * 1000))
    hours, rest = divmod(span.seconds, 3600)
    days = f"{span.days}d " if span.days else ""
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}.{span.microseconds // 1000:03}"
    return days + clock


def timestamp(at: float) -> str:
    """Return epoch seconds as an ISO 8601 text in UTC."""
    return in_utc(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FLOW = (
    "input", "afterInputPath", "asked", "afterParameters", "afterArguments", "result",
    "afterResultSelector", "afterResultPath", "output", "variables", "context",
)  # fmt: skip


def sections(moment: Moment, width: int) -> Iterator[tuple[str, list[str]]]:
    """Yield titles and lines: the error, then the data in the order of its flow."""
    data = moment.data()
    if "error" in data or "cause" in data:
        cause = [plain(line) for line in cause_lines(data.get("cause", ""))]
        yield f"error: {plain(data.get('error', 'no error name'))}", cause or ["no cause"]
    for value, same in groupby(_flow(data), key=lambda one: one[1]):
        yield " = ".join(name for name, _ in same), pretty(value, width)


def _flow(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield names and values; variables only if there are any."""
    known = {**data, **data.get("stages", {})}
    for name in _FLOW:
        if name in known and (name != "variables" or known[name]):
            yield name, known[name]


def pretty(value: Any, width: int, margin: str = "") -> list[str]:
    """Return a JSON value as lines; a value that fits in one line gets one."""
    line = plain(json.dumps(value, ensure_ascii=False))
    if not value or not isinstance(value, dict | list) or len(line) <= width:
        return [f"{margin}{line}"]
    members = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = [f"{margin}{opening}"]
    for name, inner in members:
        label = "" if name is None else f"{plain(json.dumps(name, ensure_ascii=False))}: "
        first, *more = pretty(inner, width - 2 - len(label), f"{margin}  ")
        lines += [f"{margin}  {label}{first.lstrip()}", *more]
        lines[-1] += ","
    lines[-1] = lines[-1][:-1]
    return [*lines, f"{margin}{closing}"]
