"""Histories in files: what GetExecutionHistory answers, whoever wrote it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from doorstep.timestamps import epoch_seconds

from .options import read_text
from .output import Problem

HISTORY = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_EXPECTED = (
    "expected is the JSON of `doorstep run --history FILE` or of "
    "`aws stepfunctions get-execution-history`: an object with an array `events`"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of a history; `at` in epoch seconds, `details` {} for types without any."""

    id: int
    previous: int
    type: str
    at: float
    details: dict[str, Any]

    @property
    def name(self) -> str | None:
        """The state's name, in events that say it."""
        name = self.details.get("name")
        return name if isinstance(name, str) else None

    @property
    def failed(self) -> bool:
        """Whether it says that something went wrong."""
        return self.type.endswith(("Failed", "TimedOut"))


def read_history(path: Path) -> list[Entry]:
    """The events of a file (`-` is stdin) in the order of their ids; a Problem for other files."""
    return entries(read_events(path), str(path))


def read_events(path: Path) -> list[Any]:
    """The events of a file (`-` is stdin) as they stand there, some at least."""
    try:
        value = json.loads(read_text(path, "history"))
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise Problem(f"{path} is not JSON ({where}: {problem.msg}); {_EXPECTED}") from None
    except (ValueError, RecursionError) as problem:
        raise Problem(f"{path} can't be read as JSON ({problem}); {_EXPECTED}") from None
    events = value.get("events") if isinstance(value, dict) else value
    if not isinstance(events, list) or not events:
        raise Problem(f"{path} has no events; {_EXPECTED}")
    return events


def entries(events: list[Any], source: str) -> list[Entry]:
    """Events of GetExecutionHistory's shape; a Problem that names the first that is none."""
    found = []
    for number, event in enumerate(events, start=1):
        try:
            found.append(_entry(event))
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            told = f"{type(problem).__name__}: {problem}"
            raise Problem(
                f"{source}: event {number} is not an event ({told}); {_EXPECTED}"
            ) from None
    return sorted(found, key=lambda entry: entry.id)


def _entry(event: dict[str, Any]) -> Entry:
    details: dict[str, Any] = next(
        (event[key] for key in event if key.endswith("EventDetails")), {}
    )
    return Entry(
        id=int(event["id"]),
        previous=int(event.get("previousEventId", 0)),
        type=str(event["type"]),
        at=epoch_seconds(event["timestamp"]),
        details=dict(details),
    )
