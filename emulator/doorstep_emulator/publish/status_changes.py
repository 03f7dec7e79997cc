"""Status changes as EventBridge tells them: "Step Functions Execution Status Change".

Standard executions have them: when they begin, end or are redriven. Members without a value are
null, dates are epoch milliseconds. Data that is too large is left out, by the rule of the developer
guide's page on EventBridge: the input when input and output together exceed 248 KiB as JSON texts
in JSON, the output when it does so by itself.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from doorstep.engine.messages import TERMINAL, Event
from doorstep.values.json_values import encoded
from doorstep.values.timestamps import format_timestamp

from ..responses import redrive_status, summary, why_not_redrivable
from ..store.store import Row

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
    """What EventBridge is told when an event has happened; None when it changes no status.

    `first`: the ExecutionStarted of the execution, which has its input.
    """
    status = _STATUS.get(event.type)
    if status is None or row.type != "STANDARD":
        return None
    row = replace(row, status=status, stopped=event.at if event.type in TERMINAL else None)
    _, _, _, region, account, *_ = row.arn.split(":")
    return {
        "version": "0",
        # The same whenever it is told, so that a receiver knows what it has had before.
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
    why_not = why_not_redrivable(row, event.id, event.at)
    told = summary(row) | redrive_status(row, why_not)
    told |= {name: round(told[name] * 1000) for name in _DATES if name in told}
    if event.type in TERMINAL:
        told |= {name: (event.details or {}).get(name) for name in ("output", "error", "cause")}
    given, output = (first.details or {})["input"], told.get("output")
    sizes = escaped_size(given), 0 if output is None else escaped_size(output)
    told |= _included("input", given, sum(sizes)) | _included("output", output, sizes[1])
    return {name: told.get(name) for name in _MEMBERS}


def _included(name: str, text: str | None, size: int) -> dict[str, Any]:
    if text is None:
        return {}
    fits = size <= LARGEST
    return {name: text if fits else None, f"{name}Details": {"included": fits}}


def escaped_size(text: str) -> int:
    """Bytes that a text has as a JSON string, its quotes left out."""
    return len(encoded(text)) - 2
