"""Advice on tasks: retries, effects that repeat, waits without an end, throttled services."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..model import (
    HTTP_REQUESTS,
    Clause,
    Integration,
    State,
    Workflow,
    integration,
    repetition_tokens,
)

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
_BRINGS_ABOUT = re.compile(
    r":(?:allocate|copy|create|execute|export|import|publish|purchase|register|request|restore|run"
    r"|send|start|submit|transact)[A-Z]"
)
"""Of operations that do something more each time; what the API's model has a token for is then to
be given one. Those that ask, or leave things as they were told to, may be repeated."""
_NOT_IDEMPOTENT = ("POST", "PATCH")
"""RFC 9110, section 9.2.2; RFC 5789, section 2."""
_NAMED_KEY = re.compile(
    r'"[^"]*(?i:idempoten|dedup|request-?id|client_?(?:request_?)?token)[^"]*":'
)
_FIFO = {"sqs:sendMessage": ("QueueUrl",), "sns:publish": ("TopicArn", "TargetArn")}
_ADDS = re.compile(r"\+|\s-|-\s*:|list_append|\bADD\s", re.IGNORECASE)
"""What makes an UpdateExpression of DynamoDB change more each time."""
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
        lacking = _lacks(called, state.arguments)
        if lacking and (retried or kind == "EXPRESS"):
            why = "its Retry" if retried else "an Express workflow"
            yield state.pointer, f"{why} may run '{state.name}' ({called.action}) twice {lacking}"


def _lacks(called: Integration, arguments: Any) -> str | None:
    """Return what a call lacks to be known again; None for one that may be repeated."""
    if not isinstance(arguments, dict):
        return None
    action = called.action
    names = {name.removesuffix(".$") for name in arguments}
    keys = [_KEYS[action]] if action in _KEYS else []
    if not keys and _BRINGS_ABOUT.search(action):
        keys = repetition_tokens(called)
    if keys:
        return None if names.intersection(keys) else f"without {keys[0]}"
    if action in HTTP_REQUESTS:
        posts = arguments.get("Method") in _NOT_IDEMPOTENT and not _may_have_key(arguments)
        return f"by {arguments['Method']} without a key such as Idempotency-Key" if posts else None
    if targets := _FIFO.get(action.removeprefix("aws-sdk:")):
        target = next((str(arguments[name]) for name in targets if name in arguments), "")
        lacks = target.endswith(".fifo") and "MessageDeduplicationId" not in names
        return "without MessageDeduplicationId" if lacks else None
    if action in _NO_KEY:
        return "and the service has no key for it"
    if action.removeprefix("aws-sdk:") == "dynamodb:updateItem":
        update = str(arguments.get("UpdateExpression", ""))
        return (
            None
            if not _ADDS.search(update) or "ConditionExpression" in names
            else "without ConditionExpression"
        )
    return None


def _may_have_key(arguments: dict[str, Any]) -> bool:
    """Return whether a request names a key, or has headers or a body that are made when it runs."""
    parts = {name: arguments.get(name) for name in ("Headers", "RequestBody", "QueryParameters")}
    made = any(f"{name}.$" in arguments or isinstance(parts[name], str) for name in parts)
    return made or bool(_NAMED_KEY.search(json.dumps(parts)))


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
