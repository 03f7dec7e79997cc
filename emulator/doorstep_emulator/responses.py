"""Executions, their events and map runs in AWS's members: in answers, notices and log lines."""

from __future__ import annotations

from collections import Counter
from typing import Any

from doorstep.engine.messages import Event
from doorstep.map_runs import MapRun

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
    """Return an execution without its data; times in epoch seconds."""
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
    """Return why an execution with so many events can't be redriven, in AWS's words, or None.

    The conditions: facts 500 and 507. `deleting`: its state machine is being deleted, or is gone.
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
    """Return whether an execution can be redriven, and if not, why (fact 507)."""
    if why_not is not None:
        return {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": why_not}
    return {"redriveStatus": "REDRIVABLE_BY_MAP_RUN" if row.map_run else "REDRIVABLE"}


def details(event: Event, row: Row, whole: bool) -> dict[str, Any]:
    """Return an event's details, with the version and alias that were started.

    `whole`: with inputs, outputs and the like.

    Facts 440, 442 and 444.
    """
    members = event.details or {}
    if event.type == "ExecutionStarted":
        arns = {"stateMachineAliasArn": row.alias, "stateMachineVersionArn": row.version}
        members = members | {name: arn for name, arn in arns.items() if arn is not None}
    if whole:
        return members
    return {name: member for name, member in members.items() if name not in _DATA}


_MEMBER = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timedOut",
    "ABORTED": "aborted",
    "PENDING": "pendingRedrive",
}
_WITH_RESULT = ("succeeded", "failed", "timedOut")
_COUNTS = (
    "pending",
    "running",
    "succeeded",
    "failed",
    "timedOut",
    "aborted",
    "total",
    "resultsWritten",
    "failuresNotRedrivable",
    "pendingRedrive",
)


def new_map_run(run: MapRun, now: float) -> dict[str, Any]:
    """Return the document of a map run that begins."""
    return {
        "arn": run.command.arn,
        "execution": run.parent.arn,
        "machine": run.parent.identity.machine_arn,
        "label": run.command.label,
        "batched": run.command.batch is not None,
        "started": now,
        "redrives": 0,
    }


def updated_map_run(document: dict[str, Any], run: MapRun, now: float) -> dict[str, Any]:
    """Return the document of a map run as it stands."""
    command = run.command
    changed = {
        "status": run.status,
        "stopped": None if run.status == "RUNNING" else now,
        "limits": {
            "concurrency": command.concurrency,
            "tolerated_count": command.tolerated_count,
            "tolerated_percentage": command.tolerated_percentage,
        },
        "counts": map_run_counts(run),
    }
    if command.redrives != document["redrives"]:
        changed |= {"redrives": command.redrives, "redriven": now}
    return document | changed


def map_run_counts(run: MapRun) -> dict[str, dict[str, int]]:
    """Return itemCounts and executionCounts (DescribeMapRun: facts 120, 149 and 285).

    What ended by itself has a result, failed or not, with or without a ResultWriter.
    """
    full = run.not_redrivable
    items, executions = (
        Counter({_MEMBER[status]: number for status, number in counter.items()})
        for counter in (run.counts.items, run.counts.children)
    )
    executions["total"] = executions.total()
    started = items.total()
    items["total"] = max(started, len(run.command.items or ()))
    items["pending"] = items["total"] - started
    for counter, not_redrivable in ((items, full.items), (executions, full.children)):
        counter["failuresNotRedrivable"] = sum(not_redrivable.values())
        counter["resultsWritten"] = sum(counter[name] for name in _WITH_RESULT)
    return {
        "itemCounts": {name: items[name] for name in _COUNTS},
        "executionCounts": {name: executions[name] for name in _COUNTS},
    }
