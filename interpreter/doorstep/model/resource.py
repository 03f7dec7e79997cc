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

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TaskKind = Literal["lambda", "activity", "service"]
_PREFIX: dict[TaskKind, str] = {
    "lambda": "LambdaFunction",
    "activity": "Activity",
    "service": "Task",
}


@dataclass(frozen=True, slots=True)
class Integration:
    """A Resource taken apart."""

    kind: TaskKind
    resource: str
    """ACTION.PATTERN of a service, else the Resource as written."""
    resource_type: str = ""
    """SERVICE or aws-sdk:SERVICE; empty for functions and activities."""
    action: str = ""
    """SERVICE:ACTION without the pattern; empty for functions and activities."""
    pattern: str = ""
    """"", "sync", "sync:2" or "waitForTaskToken"."""
    details: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What every event of a service's task repeats."""

    @property
    def name(self) -> str:
        """What DataLimitExceeded calls the task: the service's name, or the whole ARN."""
        return self.resource_type or self.resource

    def event(self, what: str) -> str:
        """Return an event's type; `what`: Scheduled, Started, Succeeded, Failed or TimedOut."""
        return _PREFIX[self.kind] + what


def integration(resource: str) -> Integration:
    """Take a Resource apart (fact 230)."""
    parts = resource.split(":")
    if len(parts) > 6 and parts[2] == "states" and parts[5] == "activity":
        return Integration("activity", resource)
    if len(parts) > 6 and parts[2] == "states" and parts[3] == parts[4] == "":
        words = 2 if parts[5] == "aws-sdk" else 1
        return _service(":".join(parts[5 : 5 + words]), ":".join(parts[5 + words :]))
    kind: TaskKind = (
        "activity" if parts[0] != "arn" and "activity" in resource.lower() else "lambda"
    )
    return Integration(kind, resource)


def _service(service: str, resource: str) -> Integration:
    action, _, pattern = resource.partition(".")
    return Integration(
        "service",
        resource,
        resource_type=service,
        action=f"{service}:{action}",
        pattern=pattern,
        details={"resourceType": service, "resource": resource},
    )


_TEXTS = {
    "states:startExecution": ("StateMachineArn", "Name", "TraceHeader"),
    "aws-sdk:sfn:startExecution": ("StateMachineArn", "Name", "TraceHeader"),
    "aws-sdk:sfn:sendTaskSuccess": ("TaskToken",),
    "aws-sdk:sfn:sendTaskFailure": ("TaskToken", "Error", "Cause"),
    "aws-sdk:sfn:sendTaskHeartbeat": ("TaskToken",),
}
"""Members of the services that Doorstep answers itself which have to be texts (the API's model)."""


def unfit(called: Integration, arguments: Any) -> list[str]:
    """Return what keeps the Parameters from starting the task, in AWS's words.

    Recorded for the formats (test_invoke_with_headers); the types of members as users of AWS
    quoted them (ASFHyP3/hyp3#2585, aws-cdk#9181).
    """
    if not isinstance(arguments, dict):
        return []
    if called.action == "apigateway:invoke":
        return [
            f"The value of the field '{name}' has an invalid format"
            for name in ("Headers", "QueryParameters")
            if not _lists_only(arguments.get(name) or {})
        ]
    return [
        f"The value for the field '{name}' must be a STRING"
        for name in _TEXTS.get(called.action, ())
        if not isinstance(arguments.get(name, ""), str | None)
    ]


def _lists_only(fields: Any) -> bool:
    return isinstance(fields, dict) and all(isinstance(value, list) for value in fields.values())


def function_name(resource: str) -> str:
    """Return NAME of a function's ARN (without version or alias), of NAME:VERSION, or of NAME."""
    parts = resource.split(":")
    if "function" in parts[:-1]:
        return parts[parts.index("function") + 1]
    return parts[0]
