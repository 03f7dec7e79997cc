"""Executions and their events in the members that AWS shows: in answers, notices and log lines."""

from __future__ import annotations

from typing import Any

from doorstep.events import Event

from .store import Row

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


def redrive_status(row: Row) -> dict[str, str]:
    """Whether an execution can be redriven, and if not, why."""
    if row.status in ("RUNNING", "SUCCEEDED"):
        return {
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": f"Execution is {row.status} and cannot be redriven",
        }
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
