"""Histories in files that the commands are given; `-` is standard input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doorstep.history import recorded
from doorstep.history.recorded import Entry, entries, of_one

from .options import F, read_text

if TYPE_CHECKING:
    from doorstep.replayer import Recording

HISTORY = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
arn_option = click.option(
    "--arn", help="ARN of the execution: which one of several, or what a history does not tell."
)


def history_arguments(command: F) -> F:
    """The files that hold the pages of one history, and whose it is."""
    files = click.argument("histories", nargs=-1, required=True, type=HISTORY, metavar="HISTORY...")
    return files(arn_option(command))


def read_history(paths: Sequence[Path], arn: str | None = None) -> list[Entry]:
    """The events that there are, in the order of their ids; an InputError for other files."""
    events, _ = of_one(_pages(paths), arn, _told(paths))
    return entries(events, _told(paths))


def recording_of(paths: Sequence[Path], arn: str | None = None) -> Recording:
    """A history with all its events; an InputError where some are missing."""
    from doorstep.replayer import read_recording

    return read_recording(_pages(paths), arn, source=_told(paths))


def read_events(path: Path) -> list[Any]:
    """The events of a file in GetExecutionHistory's shape, some at least."""
    return recorded.read_events(read_text(path, "history"), _told([path]))


def _pages(paths: Sequence[Path]) -> list[Any]:
    return [event for path in paths for event in read_events(path)]


def _told(paths: Sequence[Path]) -> str:
    return ", ".join("standard input" if str(path) == "-" else str(path) for path in paths)
