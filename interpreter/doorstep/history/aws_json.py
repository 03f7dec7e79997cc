"""The history as AWS returns it: the members and texts of GetExecutionHistory's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


def as_aws(event: HistoryEvent, timestamp: float | None = None) -> dict[str, Any]:
    """Return an event: {"timestamp": ISO 8601, "type": …, "id": …, "previousEventId": …, details}.

    `timestamp`: in place of that text.

    Facts 106 and 400.
    """
    aws_event: dict[str, Any] = {
        "timestamp": isoformat(event.at) if timestamp is None else timestamp,
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
    }
    member = details_member(event.type)
    if member is not None:
        aws_event[member] = event.details or {}
    return aws_event


def execution_history(events: Iterable[Event]) -> dict[str, Any]:
    """Return GetExecutionHistory's answer as the AWS CLI prints it: {"events": […]}."""
    return {"events": [as_aws(event) for event in events]}


def history_lines(events: Sequence[Event]) -> Iterator[str]:
    """Return the same as text, an event a line."""
    yield '{"events": ['
    for number, event in enumerate(events, start=1):
        yield encoded(as_aws(event)).decode() + ("," if number < len(events) else "")
    yield "]}"
