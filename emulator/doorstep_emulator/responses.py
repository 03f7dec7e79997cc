"""Executions and their events in the members that AWS shows: in answers, notices and log lines."""

from __future__ import annotations

from typing import Any

from doorstep.engine.messages import Event

from .store.store import Row

_DAY = 86_400.0
_REDRIVABLE, _LONGEST = 14 * _DAY, 365 * _DAY
"""Seconds from its end, and from its start, within which an execution can be redriven."""
_MOST_EVENTS = 24_999
"""ExecutionRedriven and one more have to find room (API reference, RedriveExecution)."""

_DATA = (
    *("input", "inputDetails", "output", "outputDetails", "parameters"),
    *("assignedVariables", "assignedVariablesDetails"),
)


def summary(row: Row) -> dict[str, Any]:
    """An execution without its data; times in epoch seconds."""
    members = {
        "executionArn": row.arn,
        "stateMachineArn": row.machine,
        "name": row.name,
        "status": row.status,
        "startDate": row.started,
        "stopDate": row.stopped,
        "mapRunArn": row.map_run,
        "stateMachineVersionArn": row.version,
        "stateMachineAliasArn": row.alias,
        "redriveCount": row.redrives,
        "redriveDate": row.redriven,
    }
    return {name: value for name, value in members.items() if value is not None}


def why_not_redrivable(row: Row, events: int, now: float, *, deleting: bool = False) -> str | None:
    """Why an execution with so many events can't be redriven, in AWS's words; None if it can.

    `deleting`: its state machine is, or is gone.
    """
    if row.status in ("RUNNING", "SUCCEEDED"):
        return f"Execution is {row.status} and cannot be redriven"
    stopped = now if row.stopped is None else row.stopped
    reasons = {
        "State machine is in DELETING status": deleting,
        "Execution history event limit exceeded": events >= _MOST_EVENTS,
        "Execution has exceeded the max execution time": now - row.started > _LONGEST,
        "Execution redrivable period exceeded": now - stopped > _REDRIVABLE,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def redrive_status(row: Row, why_not: str | None) -> dict[str, str]:
    """Whether an execution can be redriven, and if not, why."""
    if why_not is not None:
        return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": why_not}
    return {"redriveStatus": "REDRIVABLE_BY_MAP_RUN" if row.map_run else "REDRIVABLE"}


def details(event: Event, row: Row, whole: bool) -> dict[str, Any]:
    """An event's details, with the version and the alias that were started; `whole`: with data."""
    found = event.details or {}
    if event.type == "ExecutionStarted":
        arns = {"stateMachineAliasArn": row.alias, "stateMachineVersionArn": row.version}
        found = found | {name: arn for name, arn in arns.items() if arn is not None}
    if whole:
        return found
    return {name: member for name, member in found.items() if name not in _DATA}
