"""The API's requests: their members, and what AWS answers to one outside of its limits.

The table restates the service model 2016-11-23, which botocore has as `service-2.json`; a test
compares the two. "1 validation error detected: Value 'V' at 'member' failed to satisfy constraint:
Member must …": recorded from AWS (fact 453).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import ApiError, shortened
from ..values.json_values import byte_length
from .aws_errors import invalid_arn, invalid_request, invalid_token

PAYLOAD_BYTES = 262_144
"""Of an input, an output or a result: 256 KiB of UTF-8 (fact 520)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string: its length in characters, of a payload in bytes, and which ones there are."""

    least: int = 0
    most: int | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()
    of: Literal["text", "arn", "token", "name", "data", "payload"] = "text"
    """Which characters it may have: see `_check_characters`; a name is for the operation to check,
    and JSON texts (data, payload) may have all.
    """
    secret: bool = False
    """Sensitive: its value is not repeated in messages."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number: whole or not, and its range."""

    least: float | None = None
    most: float | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Structure:
    """An object; `name` is that of its class in AWS's messages."""

    name: str
    members: Mapping[str, Shape]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    member: Shape
    least: int = 0
    most: int | None = None


Shape = Text | Number | Flag | Structure | Items


def _object(name: str = "", /, **members: Shape) -> Structure:
    """Return an object's shape; a trailing underscore marks a required member."""
    required = frozenset(key[:-1] for key in members if key.endswith("_"))
    return Structure(name, {key.rstrip("_"): shape for key, shape in members.items()}, required)


_ARN = Text(1, 256, of="arn")
_LONG_ARN = Text(1, 2000, of="arn")
_NAME = Text(1, 80, of="name")
_TOKEN = Text(1, 1024, of="token")
_PAGE = Number(0, 1000)
_ANY = Text()
_PAYLOAD = Text(most=PAYLOAD_BYTES, of="payload", secret=True)
_DEFINITION = Text(1, 1_048_576, of="data", secret=True)
_DESCRIPTION = Text(most=256, secret=True)
_TRACE = Text(0, 256, pattern=r"\p{ASCII}*")
_ERROR = Text(0, 256, of="data", secret=True)
_CAUSE = Text(0, 32_768, of="data", secret=True)
_TASK_TOKEN = Text(1, 2048, of="token", secret=True)
_TYPE = Text(values=("STANDARD", "EXPRESS"))
_DATA = Text(values=("ALL_DATA", "METADATA_ONLY"))
_ALIAS = Text(1, 80, pattern=r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$")
# In the order that AWS was recorded to list them.
_STATUS = Text(values=("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"))
_TAGS = Items(_object("Tag", key=Text(1, 128), value=Text(0, 256)))
_ENCRYPTION = _object(
    "EncryptionConfiguration",
    kmsKeyId=Text(1, 2048),
    kmsDataKeyReusePeriodSeconds=Number(60, 900),
    type_=Text(values=("AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY")),
)
_LOG_GROUP = _object("CloudWatchLogsLogGroup", logGroupArn=_ARN)
_LOGGING = _object(
    "LoggingConfiguration",
    level=Text(values=("ALL", "ERROR", "FATAL", "OFF")),
    includeExecutionData=Flag(),
    destinations=Items(_object("LogDestination", cloudWatchLogsLogGroup=_LOG_GROUP)),
)
_TRACING = _object("TracingConfiguration", enabled=Flag())
_ROUTING = Items(
    _object("RoutingConfigurationListItem", stateMachineVersionArn_=_ARN, weight_=Number(0, 100)),
    1,
    2,
)
_MOCK = _object(
    "MockInput",
    result=_PAYLOAD,
    errorOutput=_object("MockErrorOutput", error=_ERROR, cause=_CAUSE),
    fieldValidationMode=Text(values=("STRICT", "PRESENT", "NONE")),
)
_STATE_CONFIGURATION = _object(
    "TestStateConfiguration",
    retrierRetryCount=Number(0),
    errorCausedByState=Text(1, 80, secret=True),
    mapIterationFailureCount=Number(0),
    mapItemReaderData=_PAYLOAD,
)

REQUESTS: Mapping[str, Structure] = {
    "CreateActivity": _object(name_=_NAME, tags=_TAGS, encryptionConfiguration=_ENCRYPTION),
    "CreateStateMachine": _object(
        name_=_NAME,
        definition_=_DEFINITION,
        roleArn_=_ARN,
        type=_TYPE,
        loggingConfiguration=_LOGGING,
        tags=_TAGS,
        tracingConfiguration=_TRACING,
        publish=Flag(),
        versionDescription=_DESCRIPTION,
        encryptionConfiguration=_ENCRYPTION,
    ),
    "CreateStateMachineAlias": _object(
        description=_DESCRIPTION, name_=_ALIAS, routingConfiguration_=_ROUTING
    ),
    "DeleteActivity": _object(activityArn_=_ARN),
    "DeleteStateMachine": _object(stateMachineArn_=_ARN),
    "DeleteStateMachineAlias": _object(stateMachineAliasArn_=_ARN),
    "DeleteStateMachineVersion": _object(stateMachineVersionArn_=_LONG_ARN),
    "DescribeActivity": _object(activityArn_=_ARN),
    "DescribeExecution": _object(executionArn_=_ARN, includedData=_DATA),
    "DescribeMapRun": _object(mapRunArn_=_LONG_ARN),
    "DescribeStateMachine": _object(stateMachineArn_=_ARN, includedData=_DATA),
    "DescribeStateMachineAlias": _object(stateMachineAliasArn_=_ARN),
    "DescribeStateMachineForExecution": _object(executionArn_=_ARN, includedData=_DATA),
    "GetActivityTask": _object(activityArn_=_ARN, workerName=Text(1, 80)),
    "GetExecutionHistory": _object(
        executionArn_=_ARN,
        maxResults=_PAGE,
        reverseOrder=Flag(),
        nextToken=_TOKEN,
        includeExecutionData=Flag(),
    ),
    "ListActivities": _object(maxResults=_PAGE, nextToken=_TOKEN),
    "ListExecutions": _object(
        stateMachineArn=_ARN,
        statusFilter=_STATUS,
        maxResults=_PAGE,
        nextToken=Text(1, 3096, of="token"),
        mapRunArn=_LONG_ARN,
        redriveFilter=Text(values=("REDRIVEN", "NOT_REDRIVEN")),
    ),
    "ListMapRuns": _object(executionArn_=_ARN, maxResults=_PAGE, nextToken=_TOKEN),
    "ListStateMachineAliases": _object(stateMachineArn_=_ARN, nextToken=_TOKEN, maxResults=_PAGE),
    "ListStateMachineVersions": _object(stateMachineArn_=_ARN, nextToken=_TOKEN, maxResults=_PAGE),
    "ListStateMachines": _object(maxResults=_PAGE, nextToken=_TOKEN),
    "ListTagsForResource": _object(resourceArn_=_ARN),
    "PublishStateMachineVersion": _object(
        stateMachineArn_=_ARN, revisionId=_ANY, description=_DESCRIPTION
    ),
    "RedriveExecution": _object(executionArn_=_ARN, clientToken=Text(1, 64, pattern="[!-~]+")),
    "SendTaskFailure": _object(taskToken_=_TASK_TOKEN, error=_ERROR, cause=_CAUSE),
    "SendTaskHeartbeat": _object(taskToken_=_TASK_TOKEN),
    "SendTaskSuccess": _object(taskToken_=_TASK_TOKEN, output_=_PAYLOAD),
    "StartExecution": _object(
        stateMachineArn_=_ARN, name=_NAME, input=_PAYLOAD, traceHeader=_TRACE
    ),
    "StartSyncExecution": _object(
        stateMachineArn_=_ARN, name=_NAME, input=_PAYLOAD, traceHeader=_TRACE, includedData=_DATA
    ),
    "StopExecution": _object(executionArn_=_ARN, error=_ERROR, cause=_CAUSE),
    "TagResource": _object(resourceArn_=_ARN, tags_=_TAGS),
    "TestState": _object(
        definition_=_DEFINITION,
        roleArn=_ARN,
        input=_PAYLOAD,
        inspectionLevel=Text(values=("INFO", "DEBUG", "TRACE")),
        revealSecrets=Flag(),
        variables=_PAYLOAD,
        stateName=Text(1, 80, secret=True),
        mock=_MOCK,
        context=_PAYLOAD,
        stateConfiguration=_STATE_CONFIGURATION,
    ),
    "UntagResource": _object(resourceArn_=_ARN, tagKeys_=Items(Text(1, 128))),
    "UpdateMapRun": _object(
        mapRunArn_=_LONG_ARN,
        maxConcurrency=Number(0),
        toleratedFailurePercentage=Number(0, 100, whole=False),
        toleratedFailureCount=Number(0),
    ),
    "UpdateStateMachine": _object(
        stateMachineArn_=_ARN,
        definition=_DEFINITION,
        roleArn=_ARN,
        loggingConfiguration=_LOGGING,
        tracingConfiguration=_TRACING,
        publish=Flag(),
        versionDescription=_DESCRIPTION,
        encryptionConfiguration=_ENCRYPTION,
    ),
    "UpdateStateMachineAlias": _object(
        stateMachineAliasArn_=_ARN, description=_DESCRIPTION, routingConfiguration=_ROUTING
    ),
    "ValidateStateMachineDefinition": _object(
        definition_=_DEFINITION,
        type=_TYPE,
        severity=Text(values=("ERROR", "WARNING")),
        maxResults=Number(0, 100),
    ),
}

# A request against the table ---------------------------------------------------------------------

_NO_IDENTIFIER = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no ARN and no token has: they are keys of the emulator's store."""
_TEXT = r"[^\ud800-\udfff]*"
"""A text that can be sent: without half surrogate pairs. AWS's model has no pattern for these."""
_REPEATED = 4_096
"""Characters of a value that a message repeats: AWS was recorded repeating tokens of 3,097."""
_FAILED = "failed to satisfy constraint: Member must"
_LARGEST = 2**63 - 1
"""The largest whole number of AWS's model, a long."""
_TYPES: dict[type[Shape], tuple[type, str]] = {
    Text: (str, "string"),
    Number: (float, "number"),
    Flag: (bool, "boolean"),
    Structure: (dict, "object"),
    Items: (list, "list"),
}


def check_request(operation: str, request: Any) -> dict[str, Any]:
    """Return the members of a request that the operation has, null ones left out.

    Raises ApiError: SerializationException for a value of another type, InvalidArn and InvalidToken
    for characters that neither can have, ValidationException with all values outside their limits.

    Fact 453.
    """
    table = REQUESTS[operation]
    if not isinstance(request, dict):
        raise _unreadable("the request", "object")
    members = {name: value for name, value in request.items() if value is not None}
    _refuse(_breaches_of_members(table, members, ""))
    return {name: value for name, value in members.items() if name in table.members}


def check_member(operation: str, name: str, value: Any) -> None:
    """Raise ApiError for the value of one member as `check_request` does (fact 453)."""
    _refuse(_breaches(REQUESTS[operation].members[name], value, name))


def _refuse(breaches: Iterator[str]) -> None:
    if found := list(breaches):
        errors = "error" if len(found) == 1 else "errors"
        raise invalid_request(f"{len(found)} validation {errors} detected: {'; '.join(found)}")


def _breaches_of_members(table: Structure, value: dict[str, Any], at: str) -> Iterator[str]:
    for name, shape in table.members.items():
        member = value.get(name)
        if member is not None:
            yield from _breaches(shape, member, at + name)
        elif name in table.required:
            yield f"Value null at '{at}{name}' {_FAILED} not be null"


def _breaches(shape: Shape, value: Any, at: str) -> Iterator[str]:
    if not _has_type(shape, value):
        raise _unreadable(f"'{at}'", _TYPES[type(shape)][1])
    if isinstance(shape, Text):
        _check_characters(shape, value)
    if constraint := _constraint(shape, value):
        secret = isinstance(shape, Text) and shape.secret
        repeated = "" if secret else f" '{shortened(_as_java(shape, value), _REPEATED)}'"
        yield f"Value{repeated} at '{at}' {_FAILED} {constraint}"
    if isinstance(shape, Structure):
        yield from _breaches_of_members(shape, value, f"{at}.")
    if isinstance(shape, Items):
        for number, member in enumerate(value, start=1):
            yield from _breaches(shape.member, member, f"{at}.{number}.member")


def _check_characters(shape: Text, value: str) -> None:
    # Facts 451 and 452: names may not have all characters, and an ARN has its form.
    if shape.of in ("arn", "token") and _NO_IDENTIFIER.search(value):
        characters = f"Invalid characters: {shortened(value, _REPEATED)}"
        raise invalid_arn(characters) if shape.of == "arn" else invalid_token()


def _has_type(shape: Shape, value: Any) -> bool:
    if isinstance(shape, Number):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return not shape.whole or (abs(value) <= _LARGEST and int(value) == value)
    return isinstance(value, _TYPES[type(shape)][0])


def _constraint(shape: Shape, value: Any) -> str | None:
    match shape:
        case Text():
            return _text_constraint(shape, value)
        case Number():
            return _range("value", value, shape.least, shape.most)
        case Items():
            return _range("length", len(value), shape.least, shape.most)
    return None


def _text_constraint(shape: Text, value: str) -> str | None:
    if shape.values and value not in shape.values:
        return f"satisfy enum value set: [{', '.join(shape.values)}]"
    payload = shape.of == "payload"
    length = byte_length(value) if payload else len(value)
    if constraint := _range("length", length, shape.least, shape.most):
        return constraint
    pattern = shape.pattern or (_TEXT if shape.of == "text" else None)
    # Java's name of a class that Python's expressions have no name for.
    if pattern and not re.fullmatch(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), value):
        return f"satisfy regular expression pattern: {pattern}"
    return None


def _range(what: str, size: float, least: float | None, most: float | None) -> str | None:
    if least is not None and size < least:
        return f"have {what} greater than or equal to {least}"
    if most is not None and size > most:
        return f"have {what} less than or equal to {most}"
    return None


def _as_java(shape: Shape, value: Any) -> str:
    """Return a value as Java prints it: lists in brackets, objects with their classes' names."""
    match shape:
        case Items():
            return f"[{', '.join(_as_java(shape.member, member) for member in value)}]"
        case Structure():
            members = (f"{name}={member}" for name, member in value.items())
            return f"{shape.name}({', '.join(members)})"
    return str(value)


def _unreadable(what: str, wanted: str) -> ApiError:
    return ApiError("SerializationException", f"The value of {what} must be of type {wanted}")
