"""The history as AWS returns it: the members and texts of GetExecutionHistory's JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from ..engine import Event, details_member
from ..values.json_values import encoded
from ..values.timestamps import isoformat


class HistoryEvent(Protocol):
    """An event of ours or of a recorded history."""

    @property
    def id(self) -> int: ...
    @property
    # Fact 400: the event that caused this one, not the one before.
    def previous(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def details(self) -> dict[str, Any] | None: ...


def aws_events(
    events: Iterable[HistoryEvent], timestamp_of: Callable[[float], Any] = isoformat
) -> Iterator[dict[str, Any]]:
    """Yield events as GetExecutionHistory has them.

    {"timestamp": ISO 8601, "type": …, "id": …, "previousEventId": …, details}; `timestamp_of`
    makes the timestamp of a time in epoch seconds.

    Facts 106 and 400.
    """
    at = timestamp = None
    for event in events:
        if event.at != at:
            # Most have the time of the one before.
            at = event.at
            timestamp = timestamp_of(at)
        kind = event.type
        aws_event: dict[str, Any] = {
            "timestamp": timestamp,
            "type": kind,
            "id": event.id,
            "previousEventId": event.previous,
        }
        member = details_member(kind)
        if member is not None:
            aws_event[member] = event.details or {}
        yield aws_event


def as_aws(event: HistoryEvent) -> dict[str, Any]:
    """Return one event as `aws_events` does."""
    return next(aws_events((event,)))


def history_lines(events: Sequence[Event]) -> Iterator[str]:
    """Return GetExecutionHistory's answer as the AWS CLI prints it, an event a line."""
    yield '{"events": ['
    for number, event in enumerate(aws_events(events), start=1):
        yield encoded(event).decode() + ("," if number < len(events) else "")
    yield "]}"
