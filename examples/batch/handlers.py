"""AWS Batch, as the workflow sees it: a job that ends some time after it was submitted."""

from __future__ import annotations

import json
from typing import Any

import doorstep

BROKEN_DAY = "2025-02-29"
LONG_DAY = "2025-12-31"


@doorstep.handler("batch:submitJob")
def run_job(
    request: dict[str, Any], context: doorstep.Context
) -> doorstep.Answer | doorstep.TaskFailed:
    """Answers with what DescribeJobs would say of the job in the end."""
    job = {
        "JobId": context.idempotency_key,
        "JobName": request["JobName"],
        "JobQueue": request["JobQueue"],
    }
    day = request["Parameters"]["day"]
    if day == BROKEN_DAY:
        return broken(job, "Essential container in task exited", after="2m")
    if day == LONG_DAY:
        return doorstep.answer({**job, "Status": "SUCCEEDED"}, after="6h")
    if context.attempt == 0:
        return broken(job, "Host EC2 (instance i-0a1b2c) terminated.", after="25m")
    return doorstep.answer({**job, "Status": "SUCCEEDED"}, after="40m")


def broken(job: dict[str, Any], reason: str, after: str) -> doorstep.TaskFailed:
    cause = json.dumps({**job, "Status": "FAILED", "StatusReason": reason})
    return doorstep.fail("States.TaskFailed", cause, after=after)


def publish_report(event: dict[str, Any]) -> dict[str, Any]:
    return {"url": f"https://reports.example.com/{event['day']}"}
