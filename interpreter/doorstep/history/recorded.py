"""The events of recorded histories, whoever wrote them: see `historyfile`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError, shortened
from ..values.timestamps import epoch_seconds
from .files import EXPECTED

_LONGEST_TYPE = 100
"""Characters; AWS's longest has 35."""
_AS_IT_IS = "`doorstep debug` without --definition shows what there is"


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

    @property
    def why(self) -> dict[str, Any]:
        """Error and cause, as far as it says them."""
        return {name: self.details[name] for name in ("error", "cause") if name in self.details}

    def text(self, name: str) -> str:
        """A JSON text of the details; raises InputError where the history has no (whole) data."""
        text = self.details.get(name)
        if not isinstance(text, str):
            raise InputError(
                f"event {self.id} ({self.type}) has no {name}: the history has to be asked for "
                f"with its execution data (--include-execution-data); {_AS_IT_IS}"
            )
        if truncated(self.details, name):
            raise InputError(
                f"event {self.id} ({self.type}) has only the beginning of its {name}; {_AS_IT_IS}"
            )
        return text


def truncated(details: Mapping[str, Any], name: str) -> bool:
    """Whether a text of an event's details was cut, as in logs above 248 KiB."""
    mark = details.get(f"{name}Details")
    return isinstance(mark, Mapping) and bool(mark.get("truncated"))


def entries(events: Iterable[Any], source: str) -> list[Entry]:
    """Events of GetExecutionHistory's shape in the order of their ids, those of two pages once.

    Raises InputError that names the first that is none, or when they are of several executions.
    """
    found: dict[int, Entry] = {}
    for number, event in enumerate(events, start=1):
        try:
            entry = _entry(event)
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            told = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
            why = shortened(told)
            raise InputError(
                f"{source}: event {number} is not an event ({why}); {EXPECTED}"
            ) from None
        if found.setdefault(entry.id, entry) != entry:
            raise InputError(f"{source} has two events {entry.id}: of which execution is it?")
    return [found[number] for number in sorted(found)]


def whole(found: list[Entry], source: str) -> list[Entry]:
    """The events, when they are all there are; raises InputError when pages are missing."""
    if not found:
        raise InputError(f"{source} has no events; {EXPECTED}")
    for number, entry in enumerate(found, start=1):
        if entry.id != number:
            raise InputError(
                f"{source} has no event {number}: it takes all pages of the history, as `aws "
                "stepfunctions get-execution-history` gives them without --max-items and "
                "--no-paginate, and of logs the level ALL"
            )
    if found[0].type != "ExecutionStarted":
        raise InputError(f"{source}: event 1 is {found[0].type}, not ExecutionStarted")
    return found


def _entry(event: Any) -> Entry:
    if not isinstance(event, Mapping):
        raise TypeError("it is no object")
    details: dict[str, Any] = next(
        (event[key] for key in event if key.endswith("EventDetails")), {}
    )
    kind = event["type"]
    if not isinstance(kind, str) or len(kind) > _LONGEST_TYPE:
        raise TypeError(f"its type is not a text of at most {_LONGEST_TYPE} characters")
    return Entry(
        id=_number(event["id"]),
        previous=_number(event.get("previousEventId", 0)),
        type=kind,
        at=epoch_seconds(event["timestamp"]),
        details=dict(details),
    )


def _number(value: Any) -> int:
    """Return an id: in log lines it is a text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(f"an id can't be a {type(value).__name__}")
    return int(value)
