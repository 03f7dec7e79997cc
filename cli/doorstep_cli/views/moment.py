"""A moment of an execution, drawn with rich: on a whole screen, or printed once."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.text import Text

from doorstep.values.json_values import ABSENT

from ..output import console, plain
from .events import elapsed, event_colour, pretty, sections, timestamp
from .stepping import KEYS, PANES, DebugSession

if TYPE_CHECKING:
    from doorstep import Moment, Moments

_PRINTED = 96
"""Characters of a line of JSON in print."""
_STATUS = {"SUCCEEDED": "green", "RUNNING": "blue", "ABORTED": "yellow"}
_LIST = 44
"""Columns of the list of events, if the screen is wide enough."""


# A whole screen ----------------------------------------------------------------------------------


def screen(session: DebugSession, width: int, height: int) -> RenderableType:
    """Return a whole screen: header, list of events, data, and keys."""
    moment = session.moments[session.index]
    header = list(_header(session.moments, moment))
    for line in header:
        line.no_wrap, line.overflow = True, "ellipsis"
    listed = min(_LIST, width * 2 // 5)
    size = width - listed - 4, height - len(header) - 2
    whole = Layout()
    whole.split_column(
        Layout(Group(*header), size=len(header)),
        Layout(name="body"),
        Layout(_footer(session), size=2),
    )
    whole["body"].split_row(
        Layout(_events(session, listed, size[1]), size=listed),
        Layout(_pane(session, moment, size)),
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
        (f" {event.type}", event_colour(event.type) or ""), "  ", (plain(moment.place), "bold")
    )
    if moments.difference:
        yield Text(f" the definition differs from the history at {moments.difference}", "yellow")


def _events(session: DebugSession, width: int, room: int) -> RenderableType:
    events = session.moments.recording.events
    first = max(0, min(session.index - room // 2, len(events) - room))
    visible = range(first, min(first + room, len(events)))
    return Group(*(_event(session, index, width - 2) for index in visible))


def _event(session: DebugSession, index: int, width: int) -> Text:
    recording = session.moments.recording
    event = recording.events[index]
    visit = session.moments.visits.of.get(event.id)
    here = index == session.index
    inner = "  " * (len(list(visit.outward())) - 1) if visit else ""
    name = f"  {plain(visit.name)}" if visit else ""
    line = Text(f"{'▶' if here else ' '}{event.id:>4} {inner}{event.type}")
    line.stylize(event_colour(event.type) or "")
    line.append(name, "dim" if not here else "")
    line.truncate(width, overflow="ellipsis")
    if here:
        line.stylize("bold reverse")
    return line


def _footer(session: DebugSession) -> RenderableType:
    if session.asking:
        question = "event number: " if session.asking == "g" else "state, type, error or cause: "
        return Text.assemble(("\n " + question, "bold"), session.typed, ("▏", "blink"))
    keys = Text.assemble(
        *(part for key, label in _FOOTER.items() for part in ((f" {key} ", "bold"), f"{label} ")),
        overflow="ellipsis",
        no_wrap=True,
    )
    return Group(Text(f" {session.message}", "yellow"), keys)


_FOOTER = {
    "n/p": "event",
    "NP": "state",
    "fF": "fail",
    "g": "go",
    "/": "find",
    "iaovct": "all",
    "d": "diff",
    "?": "keys",
    "q": "quit",
}


def _pane(session: DebugSession, moment: Moment, size: tuple[int, int]) -> RenderableType:
    """Return the chosen pane; `size` is its width and height."""
    name, (width, room) = session.pane, size
    if not name:
        return _overview(moment, width, room)
    if name == "keys":
        lines = [f"{key:<9}{meaning}" for key, meaning in KEYS.items()]
    elif name == "failures":
        table = (*session.moments.failure_table.splitlines(), *session.inner)
        lines = [plain(line) for line in table] or ["nothing failed"]
    elif name == "changes":
        previous = moment.event.previous
        before = session.moments[previous - 1] if previous else None
        lines = list(_changes(moment, before, width))
    else:
        value = moment.data().get(name, ABSENT)
        lines = ["nothing"] if value is ABSENT else pretty(value, width)
    lines = [line[at : at + width] for line in lines for at in range(0, len(line) or 1, width)]
    key = next(key for key, pane in PANES.items() if pane == name)
    # Limited here, where the number of lines is known.
    session.scrolled = min(session.scrolled, max(0, len(lines) - room + 2))
    visible = lines[session.scrolled : session.scrolled + room - 2]
    return Panel(_text(visible), title=f"{name} · {key} closes", title_align="left", height=room)


def _changes(moment: Moment, before: Moment | None, width: int) -> Iterator[str]:
    if before is None:
        yield "this event follows from no other"
        return
    changes = moment.changes(before)
    if not changes:
        yield f"nothing since event {before.event.id}"
    for change in changes:
        yield plain(change.at)
        for sign, value in (("-", change.first), ("+", change.second)):
            if value is not ABSENT:
                yield from (f"  {sign} {line}" for line in pretty(value, width - 4))


def _overview(moment: Moment, width: int, room: int) -> RenderableType:
    """Return part of every section; a section leaves the lines it does not need to the others."""
    titled = dict(sections(moment, width))
    context = {name: titled.pop(name) for name in ("context",) if name in titled}
    panels = _fitted(titled, room)
    # The context object is long and seldom wanted: it gets the lines that are left.
    panels |= _fitted(context, room - sum(len(lines) + 2 for lines in panels.values()))
    return Group(*(_panel(title, lines) for title, lines in panels.items()))


def _fitted(titled: Mapping[str, list[str]], room: int) -> dict[str, list[str]]:
    """Return the sections, cut to fit with their frames; sections without room are left out."""
    sizes = _shared([len(lines) for lines in titled.values()], room - 2 * len(titled))
    return {
        title: _cut(lines, size)
        for (title, lines), size in zip(titled.items(), sizes, strict=True)
        if size
    }


def _panel(title: str, lines: list[str]) -> Panel:
    style = "red" if title.startswith("error") else "dim"
    return Panel(_text(lines), title=title, title_align="left", border_style=style)


def _shared(wanted: list[int], room: int) -> list[int]:
    """Return the number of lines for each section: one at a time to all that want more."""
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
    """Return all data at an event."""
    moment = moments[index]
    parts: list[Text] = list(_header(moments, moment))
    for title, lines in sections(moment, _PRINTED):
        parts.append(Text(title, "bold red" if title.startswith("error") else "bold"))
        parts += [Text(f"  {line}") for line in lines]
    return Group(*parts)


def step(moments: Moments, inner: Sequence[str] = ()) -> None:
    """Show moments and obey keys until q, Ctrl-C or the end of the input.

    `inner`: what failed in the executions that it started, as lines of a table.
    """
    session = DebugSession(moments, moments.first_failure or 0, inner=inner)
    terminal = console(highlight=False)
    with terminal.screen() as whole, _keyboard() as keys:
        going = True
        while going:
            whole.update(screen(session, terminal.width, terminal.height))
            try:
                going = session.type(keys())
            except (EOFError, KeyboardInterrupt):
                going = False


@contextlib.contextmanager
def _keyboard() -> Iterator[Callable[[], str]]:
    """Return what waits for keys, and returns all that have arrived.

    The terminal stays in one mode all the time: changing it throws away keys that wait, as those
    of a pasted text. Windows has no such modes.
    """
    try:
        import termios
        import tty
    except ImportError:
        yield click.getchar
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def keys() -> str:
        if not (sent := os.read(terminal, 1024)):
            raise EOFError
        return sent.decode(errors="replace")

    tty.setcbreak(terminal, termios.TCSADRAIN)
    try:
        yield keys
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
