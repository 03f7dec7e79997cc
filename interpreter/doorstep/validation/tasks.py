"""Task: its resource, what that resource needs, and its credentials and time limits.

The services with their actions and patterns are those of AWS's page of optimized integrations; the
required parameters and the texts were measured (asl-facts 1.5, recordings test_invalid_integration,
test_illegal_callbacks, test_illegal_activity_task, test_invalid_credentials_field).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..definitions.documents import has_placeholder
from ..errors import Diagnostic
from ..model.resource import Integration, integration
from .findings import Found, Place, Rule, error

# Service: action with the patterns it has besides request and response.
# s: .sync; 2: .sync:2; t: .waitForTaskToken. A service that is not listed is not judged.
_JOB, _CALLBACK, _ALL = "s", "t", "st"
SERVICES: Mapping[str, Mapping[str, str]] = {
    "apigateway": {"invoke": _CALLBACK},
    "athena": {
        "startQueryExecution": _JOB,
        **dict.fromkeys(("stopQueryExecution", "getQueryExecution", "getQueryResults"), ""),
    },
    "batch": {"submitJob": _JOB},
    "codebuild": {
        **dict.fromkeys(("startBuild", "startBuildBatch", "retryBuild", "retryBuildBatch"), _JOB),
        **dict.fromkeys(
            (
                "stopBuild",
                "stopBuildBatch",
                "batchDeleteBuilds",
                "batchGetReports",
                "deleteBuildBatch",
            ),
            "",
        ),
    },
    "databrew": {"startJobRun": _JOB},
    "dynamodb": dict.fromkeys(("getItem", "putItem", "updateItem", "deleteItem"), ""),
    "ecs": {"runTask": _ALL},
    "events": {"putEvents": _CALLBACK},
    "glue": {"startJobRun": _JOB},
    "lambda": {"invoke": _CALLBACK},
    "mediaconvert": {"createJob": _JOB},
    "sns": {"publish": _CALLBACK},
    "sqs": {"sendMessage": _CALLBACK},
    "states": {"startExecution": "s2t"},
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "dynamodb:getItem": ("TableName", "Key"),
    "dynamodb:putItem": ("TableName", "Item"),
    "ecs:runTask": ("TaskDefinition",),
    "events:putEvents": ("Entries",),
    "glue:startJobRun": ("JobName",),
    "lambda:invoke": ("FunctionName",),
    "sns:publish": ("Message",),
    "sqs:sendMessage": ("QueueUrl", "MessageBody"),
    "states:startExecution": ("StateMachineArn",),
}
_PATTERNS = {"sync": "s", "sync:2": "2", "waitForTaskToken": "t"}


def _resource(fields: Mapping[str, Any], place: Place) -> Found:
    """An ARN of a function, of an activity, or of an integration that there is."""
    resource = fields.get("Resource")
    if not isinstance(resource, str) or has_placeholder(resource):
        return
    place = place.member("Resource")
    if not resource.startswith("arn:"):
        if not place.machine.resource_names:
            yield error("Value is not a valid resource ARN", place)
    elif not _recognized(resource):
        text = (
            f"The resource provided {resource} is not recognized. The value is not a valid "
            "resource ARN, or the resource is not available in this region."
        )
        yield error(text, place)


def _recognized(resource: str) -> bool:
    parts = resource.split(":")
    if parts[2:3] != ["states"]:
        return True
    found = integration(resource)
    if found.kind != "service":
        return found.kind == "activity"
    if found.pattern and found.pattern not in _PATTERNS:
        return False
    if found.resource_type.startswith("aws-sdk:"):
        return found.resource[:1].islower() and found.pattern in ("", "waitForTaskToken")
    actions = SERVICES.get(found.resource_type)
    if actions is None:
        return found.pattern != "sync:2"
    patterns = actions.get(found.action.partition(":")[2])
    return patterns is not None and _PATTERNS.get(found.pattern, "") in patterns


def _express(fields: Mapping[str, Any], place: Place) -> Found:
    """An Express machine can't wait for jobs, callbacks or activities (recorded)."""
    resource = fields.get("Resource")
    if not place.machine.express or not isinstance(resource, str):
        return
    found, place = integration(resource), place.member("Resource")
    refused = "Express state machine does not support"
    if found.kind == "activity":
        yield error(f"{refused} Activity ARN", place)
    elif found.pattern.startswith("sync"):
        yield error(f"{refused} '.sync' service integration", place)
    elif found.pattern == "waitForTaskToken":
        # The blank at the end is AWS's.
        yield error(f"{refused} '.waitForTaskToken' service integration ", place)


def _parameters(fields: Mapping[str, Any], place: Place) -> Found:
    """What an integration can't do without."""
    found = _service(fields)
    if found is None:
        return
    name = "Arguments" if place.jsonata else "Parameters"
    if name not in fields:
        text = f"{name} field is required for resource ARN: {fields['Resource']}"
        yield error(text, place.member("Resource"))
    elif isinstance(given := fields[name], Mapping):
        for field in REQUIRED.get(found.action, ()):
            if field not in given and f"{field}.$" not in given:
                yield _missing(field, place.member(name))


def _service(fields: Mapping[str, Any]) -> Integration | None:
    resource = fields.get("Resource")
    if not isinstance(resource, str) or has_placeholder(resource):
        return None
    found = integration(resource)
    return found if found.kind == "service" else None


def _credentials(fields: Mapping[str, Any], place: Place) -> Found:
    """A role to assume; activities can't have one."""
    credentials = fields.get("Credentials")
    if not isinstance(credentials, Mapping):
        return
    place = place.member("Credentials")
    if "RoleArn" not in credentials and "RoleArn.$" not in credentials:
        yield _missing("RoleArn", place)
    resource = fields.get("Resource")
    if isinstance(resource, str) and integration(resource).kind == "activity":
        yield error("The field 'Credentials' is not supported for activities", place)


def _heartbeat(fields: Mapping[str, Any], place: Place) -> Found:
    """A heartbeat that can't be missed before the task's time is over is a mistake."""
    beat, limit = fields.get("HeartbeatSeconds"), fields.get("TimeoutSeconds")
    if isinstance(beat, int) and isinstance(limit, int) and beat >= limit:
        yield error("HeartbeatSeconds must be smaller than TimeoutSeconds", place)


def _missing(name: str, place: Place) -> Diagnostic:
    return error(f"The field '{name}' is required but was missing", place)


TASK_RULES: Mapping[str, tuple[Rule, ...]] = {
    "Task": (_resource, _express, _parameters, _credentials, _heartbeat),
}
