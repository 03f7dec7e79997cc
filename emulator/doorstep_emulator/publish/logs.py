"""Executions' events as CloudWatch Logs has them: a JSON object for each, a line each.

    {"id": "1", "type": "ExecutionStarted", "details": {…}, "previous_event_id": "0",
     "event_timestamp": epoch milliseconds, "execution_arn": "arn:…", "redrive_count": "0"}

A state machine's loggingConfiguration says which, and whether with data. A text that exceeds
248 KiB as a string in JSON is cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from doorstep.engine.messages import Event

from ..responses import details
from ..store.store import Row
from .status_changes import LARGEST, escaped_size

_FATAL = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")
_ERRORS = ("Failed", "TimedOut", "Aborted", "FailStateEntered")
_ENDINGS = {"ALL": ("",), "ERROR": _ERRORS, "FATAL": _FATAL, "OFF": ()}
"""How the types of the events end that are logged at each level."""


def log_lines(
    row: Row, events: Sequence[Event], configuration: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The lines for some events of an execution; `configuration`: its loggingConfiguration."""
    endings = _ENDINGS[configuration["level"]]
    whole = configuration["includeExecutionData"]
    return (_line(row, event, whole) for event in events if event.type.endswith(endings))


def _line(row: Row, event: Event, whole: bool) -> dict[str, Any]:
    return {
        "id": str(event.id),
        "type": event.type,
        "details": _cut(details(event, row, whole)),
        "previous_event_id": str(event.previous),
        "event_timestamp": str(round(event.at * 1000)),
        "execution_arn": row.arn,
        "redrive_count": str(row.redrives),
    }


def _cut(found: dict[str, Any]) -> dict[str, Any]:
    """Details whose input and output are no larger than they may be."""
    large = [
        name
        for name in ("input", "output")
        # A text has at most six bytes for a character.
        if len(found.get(name) or "") > LARGEST // 6 and escaped_size(found[name]) > LARGEST
    ]
    if not large:
        return found
    beginnings = {name: _beginning(found[name]) for name in large}
    return found | beginnings | {f"{name}Details": {"truncated": True} for name in large}


def _beginning(text: str) -> str:
    while (size := escaped_size(text)) > LARGEST:
        text = text[: len(text) * LARGEST // size]
    return text
