"""What a Task's Resource says: which kind of task, which events it leaves, whether it waits.

| Resource | kind | events |
|---|---|---|
| arn:P:lambda:R:A:function:NAME | lambda | LambdaFunctionScheduled, … |
| arn:P:states:R:A:activity:NAME | activity | ActivityScheduled, … |
| arn:P:states:::SERVICE:ACTION[.PATTERN] | service | TaskScheduled, … |
| arn:P:states:::aws-sdk:SERVICE:ACTION[.PATTERN] | service | TaskScheduled, … |

Patterns: none (request and response), `.sync` and `.sync:2` (run a job), `.waitForTaskToken`
(callback). A Resource that is none of these is a name or placeholder (`${ChargeFunctionArn}`): of
an activity if it says so, else of a function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TaskKind = Literal["lambda", "activity", "service"]
_PREFIXES: dict[TaskKind, str] = {
    "lambda": "LambdaFunction",
    "activity": "Activity",
    "service": "Task",
}
_STEPS = ("Scheduled", "Started", "Submitted", "Succeeded", "Failed", "TimedOut")
TASK_EVENTS = {kind: {step: name + step for step in _STEPS} for kind, name in _PREFIXES.items()}
"""The types of a task's events: by its kind, and by what happened."""

HTTP_REQUESTS = ("http:invoke", "apigateway:invoke")
"""The actions that are a request by HTTP, with its Method."""


@dataclass(frozen=True, slots=True)
class Integration:
    """A Resource taken apart."""

    kind: TaskKind
    resource: str
    """ACTION.PATTERN of a service, else the Resource as written."""
    name: str
    """What DataLimitExceeded calls the task: the service's name, or the whole ARN."""
    resource_type: str = ""
    """SERVICE or aws-sdk:SERVICE; empty for functions and activities."""
    action: str = ""
    """SERVICE:ACTION without the pattern; empty for functions and activities."""
    pattern: str = ""
    """"", "sync", "sync:2" or "waitForTaskToken"."""
    details: dict[str, str] = field(default_factory=dict, hash=False)
    """What every event of a service's task repeats."""


def integration(resource: str) -> Integration:
    """Take a Resource apart (fact 230)."""
    parts = resource.split(":")
    if len(parts) > 6 and parts[2] == "states" and parts[5] == "activity":
        return Integration("activity", resource, resource)
    sdk = parts[5:6] == ["aws-sdk"]
    # Fact 243: those of deployed machines may name a Region and an account.
    if len(parts) > 6 and parts[2] == "states" and (sdk or parts[3] == parts[4] == ""):
        words = 2 if sdk else 1
        return _service(":".join(parts[5 : 5 + words]), ":".join(parts[5 + words :]))
    kind: TaskKind = (
        "activity" if parts[0] != "arn" and "activity" in resource.lower() else "lambda"
    )
    return Integration(kind, resource, resource)


def _service(service: str, resource: str) -> Integration:
    action, _, pattern = resource.partition(".")
    return Integration(
        "service",
        resource,
        service,
        resource_type=service,
        action=f"{service}:{action}",
        pattern=pattern,
        details={"resourceType": service, "resource": resource},
    )


def function_name(resource: str) -> str:
    """Return NAME of a function's ARN (without version or alias), of NAME:VERSION, or of NAME."""
    parts = resource.split(":")
    if "function" in parts[:-1]:
        return parts[parts.index("function") + 1]
    return parts[0]
