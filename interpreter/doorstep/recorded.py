"""Histories as they are written down: by the AWS CLI, the console, Express logs and ourselves.

| shape | |
|---|---|
| GetExecutionHistory's answer | `{"events": […]}`; several pages one after the other |
| a list of its events | `[…]` |
| an execution's log lines | `{"id": "1", "type": …, "details": …, "event_timestamp": …}` |
| those lines in CloudWatch Logs' answer | `{"events": [{"message": "{…}"}]}` |

Timestamps are ISO 8601 with any offset (AWS CLI 2, Doorstep), epoch seconds (AWS CLI 1) or, in log
lines, epoch milliseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import InputError
from .events import details_member
from .timestamps import epoch_seconds

_EXPECTED = (
    "expected is the JSON of `doorstep run --history FILE` or of "
    "`aws stepfunctions get-execution-history`: an object with an array `events`"
)
_decoder = json.JSONDecoder()
_BLANK = re.compile(r"\s*")


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
                "with its execution data (--include-execution-data)"
            )
        if truncated(self.details, name):
            raise InputError(f"event {self.id} ({self.type}) has only the beginning of its {name}")
        return text


def truncated(details: Mapping[str, Any], name: str) -> bool:
    """Whether a text of an event's details was cut, as in logs above 248 KiB."""
    mark = details.get(f"{name}Details")
    return isinstance(mark, Mapping) and bool(mark.get("truncated"))


def read_events(text: str, source: str) -> list[Any]:
    """The events of a file in GetExecutionHistory's shape, all pages; at least one.

    Raises InputError, which names the `source`, for a text that is no history.
    """
    try:
        events = [event for value in _values(text) for event in _events(value)]
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise InputError(f"{source} is not JSON ({where}: {problem.msg}); {_EXPECTED}") from None
    except (ValueError, TypeError, RecursionError) as problem:
        raise InputError(f"{source} can't be read as JSON ({problem}); {_EXPECTED}") from None
    if not events:
        raise InputError(f"{source} has no events; {_EXPECTED}")
    return events


def entries(events: Iterable[Any], source: str) -> list[Entry]:
    """Events of GetExecutionHistory's shape, in the order of their ids.

    Raises InputError that names the first that is none.
    """
    found = []
    for number, event in enumerate(events, start=1):
        try:
            found.append(_entry(event))
        except (KeyError, TypeError, ValueError, OverflowError) as problem:
            told = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
            raise InputError(
                f"{source}: event {number} is not an event ({told}); {_EXPECTED}"
            ) from None
    return sorted(found, key=lambda entry: entry.id)


def whole(found: Sequence[Entry], source: str) -> list[Entry]:
    """The events without those that two pages share.

    Raises InputError when pages are missing, or when they are of several executions.
    """
    if not found:
        raise InputError(f"{source} has no events; {_EXPECTED}")
    by_id: dict[int, Entry] = {}
    for entry in found:
        if by_id.setdefault(entry.id, entry) != entry:
            raise InputError(f"{source} has two events {entry.id}: of which execution is it?")
    for number, entry in enumerate(by_id.values(), start=1):
        if entry.id != number:
            raise InputError(
                f"{source} has no event {number}: it takes all pages of the history, as `aws "
                "stepfunctions get-execution-history` gives them without --max-items and "
                "--no-paginate, and of logs the level ALL"
            )
    if found[0].type != "ExecutionStarted":
        raise InputError(f"{source}: event 1 is {found[0].type}, not ExecutionStarted")
    return list(by_id.values())


def execution_arns(events: Iterable[Any]) -> list[str]:
    """The executions that log lines name; GetExecutionHistory's events don't say whose they are."""
    named = (event.get("executionArn") for event in events if isinstance(event, Mapping))
    return sorted({str(arn) for arn in named if arn is not None})


def _values(text: str) -> Iterator[Any]:
    """The JSON values that stand one after the other in a text."""
    at = 0
    text = text.rstrip()
    while at < len(text) or at == 0:
        value, at = _decoder.raw_decode(text, _BLANK.match(text, at).end())  # type: ignore[union-attr]
        yield value


def _events(value: Any) -> Iterator[Any]:
    match value:
        case {"events": list(events)} | list(events):
            for event in events:
                yield from _events(event) if _is_message(event) else (_as_aws(event),)
        case {"message": str(message)}:
            yield _as_aws(json.loads(message))
        case {"id": _, "type": _}:
            yield _as_aws(value)


def _is_message(event: Any) -> bool:
    return isinstance(event, dict) and "message" in event and "type" not in event


def _as_aws(event: Any) -> Any:
    """A log line's event in GetExecutionHistory's shape; others as they are."""
    if not isinstance(event, dict) or "event_timestamp" not in event:
        return event
    shown = {
        "timestamp": int(event["event_timestamp"]) / 1000,
        "type": event.get("type"),
        "id": event.get("id"),
        "previousEventId": event.get("previous_event_id", 0),
        "executionArn": event.get("execution_arn"),
    }
    member = details_member(str(event.get("type")))
    return shown if member is None else shown | {member: event.get("details", {})}


def _entry(event: Any) -> Entry:
    if not isinstance(event, Mapping):
        raise TypeError("it is no object")
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
