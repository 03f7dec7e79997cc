"""Histories in files that the commands are given; `-` is standard input."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from doorstep import recorded
from doorstep.recorded import Entry

from .options import read_text

HISTORY = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


def read_history(path: Path) -> list[Entry]:
    """The events of a file in the order of their ids; an InputError for other files."""
    return recorded.entries(read_events(path), str(path))


def pages(paths: Iterable[Path]) -> list[Any]:
    """The events of the files that hold the pages of one history."""
    return [event for path in paths for event in read_events(path)]


def read_events(path: Path) -> list[Any]:
    """The events of a file in GetExecutionHistory's shape, some at least."""
    return recorded.read_events(read_text(path, "history"), str(path))
