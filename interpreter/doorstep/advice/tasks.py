"""Advice on tasks: retries, effects that repeat, waits without an end, throttled services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model import Clause, Integration, State, Workflow, integration

TRANSIENT = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
"""https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html, "Handle transient
Lambda service exceptions"."""
LAMBDA_RETRY = {
    "ErrorEquals": [*TRANSIENT],
    "IntervalSeconds": 1,
    "MaxAttempts": 3,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}
"""The retrier that Workflow Studio puts in, with the jitter that the same page advises."""
_ANY = {"States.ALL", "States.TaskFailed"}

_KEYS = {
    "athena:startQueryExecution": "ClientRequestToken",
    "codebuild:startBuild": "IdempotencyToken",
    "codebuild:startBuildBatch": "IdempotencyToken",
    "ecs:runTask": "ClientToken",
    "emr-containers:startJobRun": "ClientToken",
    "emr-serverless:startJobRun": "ClientToken",
    "mediaconvert:createJob": "ClientRequestToken",
    "states:startExecution": "Name",
    "aws-sdk:ec2:runInstances": "ClientToken",
    "aws-sdk:sfn:startExecution": "Name",
}
"""Parameters by which a service knows a call again: the page of each API's operation."""
_FIFO = {"sqs:sendMessage": ("QueueUrl",), "sns:publish": ("TopicArn", "TargetArn")}
_NO_KEY = ("batch:submitJob", "glue:startJobRun")
"""Calls that start something, for which the services have no such parameter."""
_LOW = {
    **dict.fromkeys(("athena", "bedrock", "codebuild", "comprehend", "databrew"), 20),
    **dict.fromkeys(("ecs", "eks", "elasticmapreduce", "emr-serverless", "glue"), 20),
    **dict.fromkeys(("mediaconvert", "rekognition", "sagemaker", "ses", "textract"), 20),
    **dict.fromkeys(("transcribe", "translate", "cloudformation", "organizations"), 20),
}
"""Services whose default quotas are tens of calls a second or fewer (Service Quotas)."""


def _tasks(tree: Workflow) -> Iterator[tuple[State, Integration]]:
    for state in tree.scope.walk():
        if state.type == "Task":
            yield state, integration(str(state.fields["Resource"]))


def _is_lambda(called: Integration) -> bool:
    named = called.kind == "lambda" and ":function:" in called.resource
    return named or called.action in ("lambda:invoke", "aws-sdk:lambda:invoke")


def _retries(state: State, errors: set[str]) -> list[Clause]:
    return [
        one
        for one in state.retriers
        if errors & {*one.errors} and one.fields.get("MaxAttempts", 3) != 0
    ]


def without_lambda_retry(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield tasks that call a function and have no retrier for the first of Lambda's errors."""
    for state, called in _tasks(tree):
        if _is_lambda(called) and not _retries(state, {*TRANSIENT, *_ANY}):
            yield state.pointer, f"'{state.name}' calls Lambda without a retry for Lambda's errors"


def repeated_effects(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield tasks with an effect that a retry, or Express, may bring about a second time."""
    for state, called in _tasks(tree):
        retried = _retries(state, {*_ANY, "States.Timeout"})
        arguments = state.fields.get("Arguments" if state.jsonata else "Parameters")
        lacking = _lacks(called.action, arguments)
        if lacking and (retried or kind == "EXPRESS"):
            why = "its Retry" if retried else "an Express workflow"
            yield state.pointer, f"{why} may run '{state.name}' ({called.action}) twice {lacking}"


def _lacks(action: str, arguments: Any) -> str | None:
    """Return what a call lacks to be known again; None for one that may be repeated."""
    if not isinstance(arguments, dict):
        return None
    names = {name.removesuffix(".$") for name in arguments}
    if key := _KEYS.get(action):
        return None if key in names else f"without {key}"
    if action in _FIFO:
        target = next((str(arguments[name]) for name in _FIFO[action] if name in arguments), "")
        lacks = target.endswith(".fifo") and "MessageDeduplicationId" not in names
        return "without MessageDeduplicationId" if lacks else None
    if action in _NO_KEY:
        return "and the service has no key for it"
    if action.removeprefix("aws-sdk:") == "dynamodb:updateItem":
        update = str(arguments.get("UpdateExpression", ""))
        adds = any(sign in update for sign in ("+", " - ", "list_append", "ADD ", "add "))
        return None if not adds or "ConditionExpression" in names else "without ConditionExpression"
    return None


def without_time_limit(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield callbacks and activities that nothing ends but an answer."""
    for state, called in _tasks(tree):
        waits = called.pattern == "waitForTaskToken" or called.kind == "activity"
        if waits and not state.time_limits and tree.timeout is None:
            whom = "a worker" if called.kind == "activity" else "a task token"
            yield state.pointer, f"'{state.name}' waits for {whom} without any limit of time"


def unlimited_maps(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield Maps that may run all iterations at once, with a task of a service with a low quota."""
    for state in tree.scope.walk():
        limits = ("MaxConcurrency", "MaxConcurrencyPath")
        if state.type != "Map" or any(state.fields.get(name) for name in limits):
            continue
        for inner in (one for scope in state.scopes for one in scope.walk()):
            called = integration(str(inner.fields.get("Resource", "")))
            service = called.resource_type.removeprefix("aws-sdk:")
            if service in _LOW and called.kind == "service":
                said = f"'{state.name}' runs '{inner.name}' ({called.action}) for all items at once"
                yield state.pointer, said
                break
