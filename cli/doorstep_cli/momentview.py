"""A moment of an execution as rich shows it: on a whole screen, or printed once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.text import Text

from doorstep.answers import ABSENT

from .ended import cause_lines
from .history import elapsed, event_colour, timestamp
from .stepping import KEYS, PANES, Session

if TYPE_CHECKING:
    from doorstep import Moment, Moments

_PRINTED = 96
"""Characters of a line of JSON that is printed."""
_STATUS = {"SUCCEEDED": "green", "RUNNING": "blue", "ABORTED": "yellow"}
_FLOW = (
    "input", "afterInputPath", "asked", "afterParameters", "afterArguments", "result",
    "afterResultSelector", "afterResultPath", "output", "variables", "context",
)  # fmt: skip
_LIST = 44
"""Columns of the list of events."""


# A whole screen ----------------------------------------------------------------------------------


def screen(session: Session, width: int, height: int) -> RenderableType:
    """Header, the events around, what there is to see, and the keys."""
    moment = session.moments[session.index]
    header = list(_header(session.moments, moment))
    size = width - _LIST - 4, height - len(header) - 2
    whole = Layout()
    whole.split_column(
        Layout(Group(*header), size=len(header)),
        Layout(name="body"),
        Layout(_footer(session), size=2),
    )
    whole["body"].split_row(
        Layout(_events(session, size[1]), size=_LIST), Layout(_pane(session, moment, size))
    )
    return whole


def _header(moments: Moments, moment: Moment) -> Iterator[Text]:
    event = moment.event
    colour = _STATUS.get(moments.status, "red")
    arn = moments.recording.arn
    yield Text.assemble(
        (f" {arn.rpartition(':')[2] if arn else 'execution'} ", "bold reverse"),
        "  ",
        (moments.status, f"bold {colour}"),
        f"  event {event.id} of {len(moments)}",
        f"  after {elapsed(moment.after)}",
        (f"  {timestamp(event.at)}", "dim"),
    )
    yield Text.assemble(
        (f" {event.type}", event_colour(event.type) or ""), "  ", (moment.place, "bold")
    )
    if moments.difference:
        yield Text(f" the definition parts from the history at {moments.difference}", "yellow")


def _events(session: Session, room: int) -> RenderableType:
    events = session.moments.recording.events
    first = max(0, min(session.index - room // 2, len(events) - room))
    shown = range(first, min(first + room, len(events)))
    return Group(*(_event(session, index) for index in shown))


def _event(session: Session, index: int) -> Text:
    recording = session.moments.recording
    event = recording.events[index]
    visit = recording.visit(event.id)
    here = index == session.index
    inner = "  " * (len(list(visit.outward())) - 1) if visit else ""
    name = f"  {visit.name}" if visit else ""
    line = Text(f"{'▶' if here else ' '}{event.id:>4} {inner}{event.type}")
    line.stylize(event_colour(event.type) or "")
    line.append(name, "dim" if not here else "")
    line.truncate(_LIST - 2, overflow="ellipsis")
    if here:
        line.stylize("bold reverse")
    return line


def _footer(session: Session) -> RenderableType:
    if session.asking:
        question = "event number: " if session.asking == "g" else "state or type of event: "
        return Text.assemble(("\n " + question, "bold"), session.typed, ("▏", "blink"))
    keys = Text.assemble(
        *(part for key, told in _FOOTER.items() for part in ((f" {key}", "bold"), f" {told} ")),
        overflow="ellipsis",
        no_wrap=True,
    )
    return Group(Text(f" {session.message}", "yellow"), keys)


_FOOTER = {
    "n p": "event",
    "N P": "state",
    "f": "failure",
    "g": "go",
    "/": "search",
    "i a o v c": "whole",
    "d": "changes",
    "?": "keys",
    "q": "quit",
}


def _pane(session: Session, moment: Moment, size: tuple[int, int]) -> RenderableType:
    """What is asked for in the given width and height."""
    name, (width, room) = session.pane, size
    if not name:
        return _overview(moment, width, room)
    if name == "keys":
        lines = [f"{key:<9}{told}" for key, told in KEYS.items()]
    elif name == "changes":
        before = session.moments[session.index - 1] if session.index else None
        lines = list(_changes(moment, before, width))
    else:
        value = moment.data().get(name, ABSENT)
        lines = ["nothing"] if value is ABSENT else pretty(value, width)
    lines = [line[at : at + width] for line in lines for at in range(0, len(line) or 1, width)]
    key = next(key for key, pane in PANES.items() if pane == name)
    session.scrolled = min(session.scrolled, max(0, len(lines) - room + 2))
    shown = lines[session.scrolled : session.scrolled + room - 2]
    return Panel(_text(shown), title=f"{name} · {key} closes", title_align="left", height=room)


def _changes(moment: Moment, before: Moment | None, width: int) -> Iterator[str]:
    if before is None:
        yield "this is the first event"
        return
    changes = moment.changes(before)
    if not changes:
        yield f"nothing since event {before.event.id}"
    for change in changes:
        yield change.at
        for sign, value in (("-", change.first), ("+", change.second)):
            if value is not ABSENT:
                yield from (f"  {sign} {line}" for line in pretty(value, width - 4))


def _overview(moment: Moment, width: int, room: int) -> RenderableType:
    """Every section in part: the room is shared out, and what one does not need others get."""
    sections = list(_sections(moment, width))
    sizes = _shared([len(lines) for _, lines in sections], room - 2 * len(sections))
    panels = [
        Panel(
            _text(_cut(lines, size)),
            title=title,
            title_align="left",
            border_style="red" if title.startswith("error") else "dim",
        )
        for (title, lines), size in zip(sections, sizes, strict=True)
        if size
    ]
    return Group(*panels)


def _shared(wanted: list[int], room: int) -> list[int]:
    """Lines for each of the sections, a line at a time to all that want more."""
    sizes = [0] * len(wanted)
    while room > 0 and sizes != wanted:
        for index, want in enumerate(wanted):
            if sizes[index] < want and room > 0:
                sizes[index] += 1
                room -= 1
    return sizes


def _cut(lines: list[str], size: int) -> list[str]:
    left_out = len(lines) - size
    return lines if left_out <= 0 else [*lines[: size - 1], f"… {left_out + 1} more lines"]


def _text(lines: list[str]) -> Text:
    return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


# Printed once ------------------------------------------------------------------------------------


def printed(moments: Moments, index: int) -> RenderableType:
    """All that there is to see at an event."""
    moment = moments[index]
    parts: list[Text] = list(_header(moments, moment))
    for title, lines in _sections(moment, _PRINTED):
        parts.append(Text(title, "bold red" if title.startswith("error") else "bold"))
        parts += [Text(f"  {line}") for line in lines]
    return Group(*parts)


# Both --------------------------------------------------------------------------------------------


def _sections(moment: Moment, width: int) -> Iterator[tuple[str, list[str]]]:
    """Titles and lines: what went wrong, then the data in the order of its flow."""
    data = moment.data()
    if "error" in data or "cause" in data:
        cause = list(cause_lines(data.get("cause", "")))
        yield f"error: {data.get('error', 'without a name')}", cause
    for value, same in groupby(_flow(data), key=lambda one: one[1]):
        yield " = ".join(name for name, _ in same), pretty(value, width)


def _flow(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values."""
    known = {**data, **data.get("stages", {})}
    for name in _FLOW:
        if name in known and (name != "variables" or known[name]):
            yield name, known[name]


def pretty(value: Any, width: int, margin: str = "") -> list[str]:
    """A JSON value in as few lines as it takes: what fits in one is not spread over several."""
    line = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(line) <= width:
        return [f"{margin}{line}"]
    members = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    lines = [f"{margin}{opening}"]
    for name, inner in members:
        label = "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: "
        first, *more = pretty(inner, width - 2 - len(label), f"{margin}  ")
        lines += [f"{margin}  {label}{first.lstrip()}", *more]
        lines[-1] += ","
    lines[-1] = lines[-1][:-1]
    return [*lines, f"{margin}{closing}"]
