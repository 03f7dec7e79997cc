"""What is published of executions beside their journals: counts, status changes, log lines.

Status changes are EventBridge's "Step Functions Execution Status Change" (facts 114 and 543):
Standard executions have them when they begin, end or are redriven. Members without a value are
null, dates are epoch milliseconds. Data that is too large is left out, by the rule of the developer
guide's page on EventBridge: the input when input and output together exceed 248 KiB as JSON texts
in JSON, the output when it does so by itself.

Log lines are those of CloudWatch Logs, a JSON object for each event (facts 540 to 542):

    {"id": "1", "type": "ExecutionStarted", "details": {…}, "previous_event_id": "0",
     "event_timestamp": epoch milliseconds, "execution_arn": "arn:…", "redrive_count": "0"}

A state machine's loggingConfiguration says which events, and whether with data. A text that exceeds
248 KiB as a string in JSON is cut.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from doorstep.engine.messages import TERMINAL, Event
from doorstep.values.json_values import encoded
from doorstep.values.timestamps import format_timestamp

from ..programs import Programs
from ..responses import details, redrive_status, summary, why_not_redrivable
from ..store.store import Row
from .metrics import Metrics
from .sinks import Sinks

LARGEST = 248 * 1024
"""Bytes of escaped data that an event or a log line carries."""

_STATUS = {"ExecutionStarted": "RUNNING", "ExecutionRedriven": "RUNNING", **TERMINAL}
_DATES = ("startDate", "stopDate", "redriveDate")
_MEMBERS = (
    *("executionArn", "stateMachineArn", "name", "status", *_DATES[:2], "input", "output"),
    *("inputDetails", "outputDetails", "stateMachineVersionArn", "stateMachineAliasArn"),
    *("redriveCount", "redriveDate", "redriveStatus", "redriveStatusReason", "error", "cause"),
)


def status_change(row: Row, first: Event, event: Event) -> dict[str, Any] | None:
    """Return EventBridge's notice of an event; None for one that changes no status.

    `first`: the ExecutionStarted of the execution, which has its input.

    Facts 114 and 543.
    """
    status = _STATUS.get(event.type)
    if status is None or row.type != "STANDARD":
        return None
    row = replace(row, status=status, stopped=event.at if event.type in TERMINAL else None)
    _, _, _, region, account, *_ = row.arn.split(":")
    return {
        "version": "0",
        # The same whenever it is sent, so that a receiver recognizes what it has had before.
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{row.arn}#{event.id}")),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": account,
        "time": format_timestamp(int(event.at)),
        "region": region,
        "resources": [row.arn],
        "detail": _detail(row, first, event),
    }


def _detail(row: Row, first: Event, event: Event) -> dict[str, Any]:
    # Fact 543: members are there even when they are null.
    why_not = why_not_redrivable(row, event.id, event.at)
    detail = summary(row) | redrive_status(row, why_not)
    detail |= {name: round(detail[name] * 1000) for name in _DATES if name in detail}
    if event.type in TERMINAL:
        detail |= {name: (event.details or {}).get(name) for name in ("output", "error", "cause")}
    text, output = (first.details or {})["input"], detail.get("output")
    sizes = escaped_size(text), 0 if output is None else escaped_size(output)
    detail |= _included("input", text, sum(sizes)) | _included("output", output, sizes[1])
    return {name: detail.get(name) for name in _MEMBERS}


def _included(name: str, text: str | None, size: int) -> dict[str, Any]:
    # Fact 543: input and output beyond 248 KiB together are left out.
    if text is None:
        return {}
    fits = size <= LARGEST
    return {name: text if fits else None, f"{name}Details": {"included": fits}}


def escaped_size(text: str) -> int:
    """Return the bytes that a text has as a JSON string, its quotes left out."""
    return len(encoded(text)) - 2


_FATAL = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")
_ERRORS = ("Failed", "TimedOut", "Aborted", "FailStateEntered")
_ENDINGS = {"ALL": ("",), "ERROR": _ERRORS, "FATAL": _FATAL, "OFF": ()}
"""How the types of the events end that are logged at each level (fact 541)."""


def log_lines(
    row: Row, events: Sequence[Event], configuration: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Return the log lines of some events; `configuration`: the loggingConfiguration.

    Facts 540 to 542.
    """
    endings = _ENDINGS[configuration["level"]]
    whole = configuration["includeExecutionData"]
    return (_line(row, event, whole) for event in events if event.type.endswith(endings))


def _line(row: Row, event: Event, whole: bool) -> dict[str, Any]:
    # Fact 540: numbers are texts.
    return {
        "id": str(event.id),
        "type": event.type,
        "details": _cut(details(event, row, whole)),
        "previous_event_id": str(event.previous),
        "event_timestamp": str(round(event.at * 1000)),
        "execution_arn": row.arn,
        "redrive_count": str(row.redrives),
    }


def _cut(members: dict[str, Any]) -> dict[str, Any]:
    """Return an event's details with input and output no larger than they may be (fact 542)."""
    large = [
        name
        for name in ("input", "output")
        # A text has at most six bytes for a character.
        if len(members.get(name) or "") > LARGEST // 6 and escaped_size(members[name]) > LARGEST
    ]
    if not large:
        return members
    beginnings = {name: _beginning(members[name]) for name in large}
    return members | beginnings | {f"{name}Details": {"truncated": True} for name in large}


def _beginning(text: str) -> str:
    while (size := escaped_size(text)) > LARGEST:
        text = text[: len(text) * LARGEST // size]
    return text


EVERYTHING = "*"
"""What is watched by those who want to know of every execution."""


class Watchers:
    """Who is called when an execution has events that are new, and durable. Used by one thread."""

    def __init__(self) -> None:
        self._of: dict[str, set[Callable[[], None]]] = {}

    def watch(self, arn: str, call: Callable[[], None]) -> None:
        """Call this for an execution, for those of a state machine, or for EVERYTHING."""
        self._of.setdefault(arn, set()).add(call)

    def leave(self, arn: str, call: Callable[[], None]) -> None:
        """Call it no more."""
        calls = self._of.get(arn, set())
        calls.discard(call)
        if not calls:
            self._of.pop(arn, None)

    def notice(self, row: Row, safely: Callable[[Callable[[], None]], None]) -> None:
        """Call those who watch an execution, with `safely`: once all is durable."""
        if self._of:
            for arn in (row.arn, row.machine, row.map_run, EVERYTHING):
                for call in self._of.get(arn or "", ()):
                    safely(call)


class Publisher:
    """Counts what happens to executions, and sends it to the sinks.

    That is sent once it is durable, and once only: a crash may lose what had not reached its
    target, but nothing is published that a crash undoes. (AWS: "best effort".)
    """

    def __init__(self, metrics: Metrics, sinks: Sinks, programs: Programs) -> None:
        self._metrics = metrics
        self._sinks = sinks
        self._programs = programs
        self.watchers = Watchers()

    def publish(
        self,
        row: Row,
        first: Event,
        events: Sequence[Event],
        safely: Callable[[Callable[[], None]], None],
    ) -> None:
        """Publish new events of an execution.

        `first`: its first event; `safely`: does something when all until now is durable.
        """
        self._metrics.count_events(row, events)
        self.watchers.notice(row, safely)
        if self._sinks.all:
            then = replace(row)
            safely(lambda: self._send(then, first, events))

    def _send(self, row: Row, first: Event, events: Sequence[Event]) -> None:
        if self._sinks.events:
            for event in events:
                if notice := status_change(row, first, event):
                    for sink in self._sinks.events:
                        sink.send(notice)
        if self._sinks.logs:
            for line in log_lines(row, events, self._programs.of(row.revision).logging):
                for sink in self._sinks.logs:
                    sink.send(line)
