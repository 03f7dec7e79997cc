"""Jobs that `.sync` waits for: which API is asked for the end, and what its answer becomes.

Sources: AWS's pages of the integrations (the APIs, from their role policies); results of batch,
glue, athena and ecs as users quoted them; codebuild and sagemaker by the rule of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answered = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """One kind of job."""

    operation: str
    """The API that tells how the job is."""
    question: Callable[[Answered], dict[str, Any]]
    """Its parameters, from the answer to the first call."""
    path: tuple[str | int, ...]
    """Where in its answer the job stands."""
    status: tuple[str, ...]
    """Where in the job its status stands."""
    ended: Mapping[str, bool]
    """The statuses that end it, and whether it succeeded then."""
    wrapper: str = ""
    """The member that the result has around the job."""

    went_wrong: Callable[[Any], bool] = lambda _job: False
    """Whether a job that ended in a good status failed after all."""

    def found(self, answer: Answered) -> tuple[Any, str]:
        """Return the job, with its wrapper, and its status."""
        job: Any = answer
        for step in self.path:
            job = job[step]
        status: Any = job
        for name in self.status:
            status = status.get(name, {})
        return ({self.wrapper: job} if self.wrapper else job), str(status)

    def shape(self, client: Any) -> Any:
        """Return the shape of what `found` returns."""
        shape = client.meta.service_model.operation_model(self.operation).output_shape
        if self.wrapper == self.path[-1]:
            return shape
        for step in self.path:
            shape = shape.member if isinstance(step, int) else shape.members[step]
        return shape


def _endings(succeeded: str, *failed: str) -> dict[str, bool]:
    return {succeeded: True, **dict.fromkeys(failed, False)}


JOBS = {
    "athena:startQueryExecution": Job(
        "GetQueryExecution",
        lambda first: {"QueryExecutionId": first["QueryExecutionId"]},
        ("QueryExecution",),
        ("Status", "State"),
        _endings("SUCCEEDED", "FAILED", "CANCELLED"),
        wrapper="QueryExecution",
    ),
    "batch:submitJob": Job(
        "DescribeJobs",
        lambda first: {"Jobs": [first["jobId"]]},
        ("jobs", 0),
        ("status",),
        _endings("SUCCEEDED", "FAILED"),
    ),
    "codebuild:startBuild": Job(
        "BatchGetBuilds",
        lambda first: {"Ids": [first["build"]["id"]]},
        ("builds", 0),
        ("buildStatus",),
        _endings("SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED"),
        wrapper="build",
    ),
    "ecs:runTask": Job(
        "DescribeTasks",
        lambda first: {
            "Cluster": first["tasks"][0]["clusterArn"],
            "Tasks": [first["tasks"][0]["taskArn"]],
        },
        ("tasks", 0),
        ("lastStatus",),
        _endings("STOPPED"),
        went_wrong=lambda task: any(one.get("exitCode") for one in task.get("containers", ())),
    ),
    "glue:startJobRun": Job(
        "GetJobRun",
        lambda first: {"JobName": first["JobName"], "RunId": first["JobRunId"]},
        ("JobRun",),
        ("JobRunState",),
        _endings("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR"),
    ),
}
