"""The history as AWS returns it: the members and texts of GetExecutionHistory's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.events import Event, details_member
from ..values.json_text import encoded
from ..values.timestamps import isoformat

if TYPE_CHECKING:
    from .recorded import Entry


def as_aws(event: Event | Entry) -> dict[str, Any]:
    """One event: {"timestamp": ISO 8601, "type": …, "id": …, "previousEventId": …, details}."""
    shown: dict[str, Any] = {
        "timestamp": isoformat(event.at),
        "type": event.type,
        "id": event.id,
        "previousEventId": event.previous,
    }
    member = details_member(event.type)
    if member is not None:
        shown[member] = event.details or {}
    return shown


def execution_history(events: Iterable[Event]) -> dict[str, Any]:
    """GetExecutionHistory's answer as the AWS CLI prints it: {"events": […]}."""
    return {"events": [as_aws(event) for event in events]}


def history_lines(events: Sequence[Event]) -> Iterator[str]:
    """The same as text, an event a line."""
    yield '{"events": ['
    for number, event in enumerate(events, start=1):
        yield encoded(as_aws(event)).decode() + ("," if number < len(events) else "")
    yield "]}"
