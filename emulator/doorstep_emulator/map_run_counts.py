"""A map run as a document: what DescribeMapRun and ListMapRuns show of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from doorstep.map_runs.run import MapRun

_MEMBER = {"FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}
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


def new_document(run: MapRun, now: float) -> dict[str, Any]:
    """A map run that begins."""
    return {
        "arn": run.command.arn,
        "execution": run.parent.arn,
        "machine": run.parent.identity.machine_arn,
        "label": run.command.label,
        "batched": run.command.batch is not None,
        "started": now,
        "redrives": 0,
    }


def brought_up_to_date(document: dict[str, Any], run: MapRun, now: float) -> dict[str, Any]:
    """The document of a map run as it stands."""
    command = run.command
    changed = {
        "status": run.status,
        "stopped": None if run.status == "RUNNING" else now,
        "limits": {
            "concurrency": command.concurrency,
            "tolerated_count": command.tolerated_count,
            "tolerated_percentage": command.tolerated_percentage,
        },
        "counts": counted(run),
    }
    if command.redrives != document["redrives"]:
        changed |= {"redrives": command.redrives, "redriven": now}
    return document | changed


def counted(run: MapRun) -> dict[str, dict[str, int]]:
    """itemCounts and executionCounts."""
    items, executions = Counter[str](), Counter[str]()
    states = dict.fromkeys(run.running, "running") | dict.fromkeys(run.succeeded, "succeeded")
    states |= {index: _MEMBER[child.status] for index, child in run.unsuccessful.items()}
    for index, state in states.items():
        executions[state] += 1
        items[state] += run.sizes[index]
    executions["total"] = executions.total()
    known = items.total()
    items["total"] = max(known, len(run.command.items or ()))
    items["pending"] = items["total"] - known
    for index, child in run.unsuccessful.items():
        if not child.engine.redrivable:
            executions["failuresNotRedrivable"] += 1
            items["failuresNotRedrivable"] += run.sizes[index]
    written = run.command.writer is not None and run.command.writer.bucket is not None
    for counter in (items, executions):
        counter["resultsWritten"] = counter["succeeded"] if written else 0
    return {
        "itemCounts": {name: items[name] for name in _COUNTS},
        "executionCounts": {name: executions[name] for name in _COUNTS},
    }
