"""The requests' members and their limits: the service model 2016-11-23 (asl-facts, appendix A).

A table and nothing else; `validation` reads it. That it equals botocore's model is tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Text:
    """A string: its length, and which ones there are."""

    least: int = 0
    most: int | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()
    of: Literal["text", "arn", "token", "name", "data"] = "text"
    """Which characters it may have: `validation` knows which; a name is for the operation to check,
    and of data there are no others than JSON's.
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
class Group:
    """An object; `name` is that of its class in AWS's messages."""

    name: str
    members: Mapping[str, Limit]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    member: Limit
    least: int = 0
    most: int | None = None


Limit = Text | Number | Flag | Group | Many


def _group(name: str = "", /, **members: Limit) -> Group:
    """A group; a trailing underscore marks a required member."""
    required = frozenset(key[:-1] for key in members if key.endswith("_"))
    return Group(name, {key.rstrip("_"): limit for key, limit in members.items()}, required)


_ARN = Text(1, 256, of="arn")
_LONG_ARN = Text(1, 2000, of="arn")
_NAME = Text(1, 80, of="name")
_TOKEN = Text(1, 1024, of="token")
_PAGE = Number(0, 1000)
_ANY = Text()
_PAYLOAD = Text(most=262_144, of="data", secret=True)
_DEFINITION = Text(1, 1_048_576, of="data", secret=True)
_DESCRIPTION = Text(most=256, secret=True)
_TRACE = Text(0, 256, pattern=r"[\x00-\x7f]*")
_ERROR = Text(0, 256, of="data", secret=True)
_CAUSE = Text(0, 32_768, of="data", secret=True)
_TASK_TOKEN = Text(1, 2048, of="token", secret=True)
_TYPE = Text(values=("STANDARD", "EXPRESS"))
_DATA = Text(values=("ALL_DATA", "METADATA_ONLY"))
_ALIAS = Text(1, 80, pattern=r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$")
# In the order that AWS was recorded to list them.
_STATUS = Text(values=("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"))
_TAGS = Many(_group("Tag", key=Text(1, 128), value=Text(0, 256)))
_ENCRYPTION = _group(
    "EncryptionConfiguration",
    kmsKeyId=Text(1, 2048),
    kmsDataKeyReusePeriodSeconds=Number(60, 900),
    type_=Text(values=("AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY")),
)
_LOG_GROUP = _group("CloudWatchLogsLogGroup", logGroupArn=_ARN)
_LOGGING = _group(
    "LoggingConfiguration",
    level=Text(values=("ALL", "ERROR", "FATAL", "OFF")),
    includeExecutionData=Flag(),
    destinations=Many(_group("LogDestination", cloudWatchLogsLogGroup=_LOG_GROUP)),
)
_TRACING = _group("TracingConfiguration", enabled=Flag())
_ROUTING = Many(
    _group("RoutingConfigurationListItem", stateMachineVersionArn_=_ARN, weight_=Number(0, 100)),
    1,
    2,
)
_MOCK = _group(
    "MockInput",
    result=_PAYLOAD,
    errorOutput=_group("MockErrorOutput", error=_ERROR, cause=_CAUSE),
    fieldValidationMode=Text(values=("STRICT", "PRESENT", "NONE")),
)
_STATE_CONFIGURATION = _group(
    "TestStateConfiguration",
    retrierRetryCount=Number(0),
    errorCausedByState=Text(1, 80, secret=True),
    mapIterationFailureCount=Number(0),
    mapItemReaderData=_PAYLOAD,
)

REQUESTS: Mapping[str, Group] = {
    "CreateActivity": _group(name_=_NAME, tags=_TAGS, encryptionConfiguration=_ENCRYPTION),
    "CreateStateMachine": _group(
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
    "CreateStateMachineAlias": _group(
        description=_DESCRIPTION, name_=_ALIAS, routingConfiguration_=_ROUTING
    ),
    "DeleteActivity": _group(activityArn_=_ARN),
    "DeleteStateMachine": _group(stateMachineArn_=_ARN),
    "DeleteStateMachineAlias": _group(stateMachineAliasArn_=_ARN),
    "DeleteStateMachineVersion": _group(stateMachineVersionArn_=_LONG_ARN),
    "DescribeActivity": _group(activityArn_=_ARN),
    "DescribeExecution": _group(executionArn_=_ARN, includedData=_DATA),
    "DescribeMapRun": _group(mapRunArn_=_LONG_ARN),
    "DescribeStateMachine": _group(stateMachineArn_=_ARN, includedData=_DATA),
    "DescribeStateMachineAlias": _group(stateMachineAliasArn_=_ARN),
    "DescribeStateMachineForExecution": _group(executionArn_=_ARN, includedData=_DATA),
    "GetActivityTask": _group(activityArn_=_ARN, workerName=Text(1, 80)),
    "GetExecutionHistory": _group(
        executionArn_=_ARN,
        maxResults=_PAGE,
        reverseOrder=Flag(),
        nextToken=_TOKEN,
        includeExecutionData=Flag(),
    ),
    "ListActivities": _group(maxResults=_PAGE, nextToken=_TOKEN),
    "ListExecutions": _group(
        stateMachineArn=_ARN,
        statusFilter=_STATUS,
        maxResults=_PAGE,
        nextToken=Text(1, 3096, of="token"),
        mapRunArn=_LONG_ARN,
        redriveFilter=Text(values=("REDRIVEN", "NOT_REDRIVEN")),
    ),
    "ListMapRuns": _group(executionArn_=_ARN, maxResults=_PAGE, nextToken=_TOKEN),
    "ListStateMachineAliases": _group(stateMachineArn_=_ARN, nextToken=_TOKEN, maxResults=_PAGE),
    "ListStateMachineVersions": _group(stateMachineArn_=_ARN, nextToken=_TOKEN, maxResults=_PAGE),
    "ListStateMachines": _group(maxResults=_PAGE, nextToken=_TOKEN),
    "ListTagsForResource": _group(resourceArn_=_ARN),
    "PublishStateMachineVersion": _group(
        stateMachineArn_=_ARN, revisionId=_ANY, description=_DESCRIPTION
    ),
    "RedriveExecution": _group(executionArn_=_ARN, clientToken=Text(1, 64, pattern="[!-~]+")),
    "SendTaskFailure": _group(taskToken_=_TASK_TOKEN, error=_ERROR, cause=_CAUSE),
    "SendTaskHeartbeat": _group(taskToken_=_TASK_TOKEN),
    "SendTaskSuccess": _group(taskToken_=_TASK_TOKEN, output_=_PAYLOAD),
    "StartExecution": _group(stateMachineArn_=_ARN, name=_NAME, input=_PAYLOAD, traceHeader=_TRACE),
    "StartSyncExecution": _group(
        stateMachineArn_=_ARN, name=_NAME, input=_PAYLOAD, traceHeader=_TRACE, includedData=_DATA
    ),
    "StopExecution": _group(executionArn_=_ARN, error=_ERROR, cause=_CAUSE),
    "TagResource": _group(resourceArn_=_ARN, tags_=_TAGS),
    "TestState": _group(
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
    "UntagResource": _group(resourceArn_=_ARN, tagKeys_=Many(Text(1, 128))),
    "UpdateMapRun": _group(
        mapRunArn_=_LONG_ARN,
        maxConcurrency=Number(0),
        toleratedFailurePercentage=Number(0, 100, whole=False),
        toleratedFailureCount=Number(0),
    ),
    "UpdateStateMachine": _group(
        stateMachineArn_=_ARN,
        definition=_DEFINITION,
        roleArn=_ARN,
        loggingConfiguration=_LOGGING,
        tracingConfiguration=_TRACING,
        publish=Flag(),
        versionDescription=_DESCRIPTION,
        encryptionConfiguration=_ENCRYPTION,
    ),
    "UpdateStateMachineAlias": _group(
        stateMachineAliasArn_=_ARN, description=_DESCRIPTION, routingConfiguration=_ROUTING
    ),
    "ValidateStateMachineDefinition": _group(
        definition_=_DEFINITION,
        type=_TYPE,
        severity=Text(values=("ERROR", "WARNING")),
        maxResults=Number(0, 100),
    ),
}
