"""Members of a Task's Parameters that a service takes as texts only, by its action.

A number or truth value there does not start the task (fact 146, reported for `batch:submitJob` and
DynamoDB's `S`). Which members are texts is said by the models of the APIs; here stand the actions
that workflows put computed values into. `aws-sdk:` actions have the same members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .resource import Integration

_SDK = "aws-sdk:"
_ATTRIBUTE = "@"
"""In a path: one of DynamoDB's attribute values. `*` is each member of an object or array."""
_ATTRIBUTE_TEXTS = ("S", "N", "B")
_KEYED = ("TableName", "Key.*.@", "ExpressionAttributeValues.*.@", "ConditionExpression")
_SEARCHED = ("TableName", "ExpressionAttributeValues.*.@", "FilterExpression")
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "athena:startQueryExecution": ("QueryString", "WorkGroup"),
    "batch:submitJob": (
        *("JobName", "JobQueue", "JobDefinition", "Parameters.*"),
        *("ContainerOverrides.Environment.*.Name", "ContainerOverrides.Environment.*.Value"),
        "ContainerOverrides.Command.*",
    ),
    "codebuild:startBuild": ("ProjectName", "EnvironmentVariablesOverride.*.Value"),
    "dynamodb:deleteItem": _KEYED,
    "dynamodb:getItem": ("TableName", "Key.*.@"),
    "dynamodb:putItem": ("Item.*.@", *_KEYED),
    "dynamodb:query": ("KeyConditionExpression", *_SEARCHED),
    "dynamodb:scan": _SEARCHED,
    "dynamodb:updateItem": ("UpdateExpression", *_KEYED),
    "ecs:runTask": (
        *("Cluster", "TaskDefinition"),
        *(f"Overrides.ContainerOverrides.*.Environment.*.{name}" for name in ("Name", "Value")),
        "Overrides.ContainerOverrides.*.Command.*",
    ),
    "events:putEvents": ("Entries.*.Source", "Entries.*.DetailType", "Entries.*.EventBusName"),
    "glue:startJobRun": ("JobName", "Arguments.*"),
    "lambda:invoke": ("FunctionName", "Qualifier", "InvocationType", "ClientContext"),
    "sns:publish": ("TopicArn", "TargetArn", "PhoneNumber", "Subject", "MessageGroupId"),
    "sqs:sendMessage": ("QueueUrl", "MessageGroupId", "MessageDeduplicationId"),
    "aws-sdk:sns:publish": ("Message",),
    "aws-sdk:sqs:sendMessage": ("MessageBody",),
}


def mistyped(called: Integration, arguments: Any) -> list[str]:
    """Return which members are no texts and have to be, in AWS's words."""
    action = called.action
    paths = _TEXTS.get(action.removeprefix(_SDK), ())
    if action.startswith(_SDK):
        paths += _TEXTS.get(action, ())
    names = [name for path in paths for name in _no_texts("", arguments, path.split("."))]
    return [f"The value for the field '{name}' must be a STRING" for name in names]


def _no_texts(name: str, value: Any, path: list[str]) -> Iterator[str]:
    """Yield the names of the members at a path that are no texts."""
    if not path:
        if not isinstance(value, str | None):
            yield name
        return
    step, *rest = path
    if step == _ATTRIBUTE:
        yield from _attribute(value)
    elif step != "*":
        if isinstance(value, dict) and step in value:
            yield from _no_texts(step, value[step], rest)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _no_texts(key, member, rest)
    elif isinstance(value, list):
        for item in value:
            yield from _no_texts(name, item, rest)


def _attribute(value: Any) -> Iterator[str]:
    """Yield what is no text in an attribute value, and in those of its map or list."""
    if not isinstance(value, dict):
        return
    for kind, inner in value.items():
        if kind in _ATTRIBUTE_TEXTS:
            yield from _no_texts(kind, inner, [])
        elif kind in ("M", "L"):
            yield from _no_texts(kind, inner, ["*", _ATTRIBUTE])
