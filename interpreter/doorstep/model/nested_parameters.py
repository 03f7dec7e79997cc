"""What lies within the parameters of the optimized integrations that workflows use most.

Names are judged by botocore's models (`parameters.py`); this table stands in for them where
botocore is not installed (fact 242). Written from the services' API references (botocore 1.44).

    Name(A B)   an object with these members
    Name{A B}   an object with any names, each holding such an object
    Name[A B]   an array of such objects
    @           DynamoDB's attribute value, which may hold others
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_ATTRIBUTE = "S N B SS NS BS M{@} L[@] NULL BOOL"
_EXPECTED = "Value(@) Exists ComparisonOperator AttributeValueList[@]"
_RESOURCES = "Environment[Name Value] ResourceRequirements[Value Type]"
_CONTAINER = f"ContainerOverrides(Vcpus Memory Command InstanceType {_RESOURCES})"
_TABLE = {
    "athena:startQueryExecution": """QueryExecutionContext(Database Catalog)
        ResultConfiguration(OutputLocation EncryptionConfiguration(EncryptionOption KmsKey)
        ExpectedBucketOwner AclConfiguration(S3AclOption))
        ResultReuseConfiguration(ResultReuseByAgeConfiguration(Enabled MaxAgeInMinutes))""",
    "batch:submitJob": f"""ArrayProperties(Size) DependsOn[JobId Type] {_CONTAINER}
        RetryStrategy(Attempts EvaluateOnExit[OnStatusReason OnReason OnExitCode Action])
        Timeout(AttemptDurationSeconds)""",
    "dynamodb:deleteItem": f"Key{{@}} Expected{{{_EXPECTED}}} ExpressionAttributeValues{{@}}",
    "dynamodb:getItem": "Key{@}",
    "dynamodb:putItem": f"Item{{@}} Expected{{{_EXPECTED}}} ExpressionAttributeValues{{@}}",
    "dynamodb:updateItem": f"""Key{{@}} AttributeUpdates{{Value(@) Action}}
        Expected{{{_EXPECTED}}} ExpressionAttributeValues{{@}}""",
    "ecs:runTask": """CapacityProviderStrategy[CapacityProvider Weight Base]
        NetworkConfiguration(AwsvpcConfiguration(Subnets SecurityGroups AssignPublicIp))
        Overrides(ContainerOverrides[Name Command Environment[Name Value]
        EnvironmentFiles[Value Type] Cpu Memory MemoryReservation
        ResourceRequirements[Value Type SharingStrategy]] Cpu
        InferenceAcceleratorOverrides[DeviceName DeviceType] ExecutionRoleArn Memory TaskRoleArn
        EphemeralStorage(SizeInGiB)) PlacementConstraints[Type Expression]
        PlacementStrategy[Type Field] Tags[Key Value]""",
    "events:putEvents": "Entries[Time Source Resources DetailType Detail EventBusName TraceHeader]",
    "glue:startJobRun": "NotificationProperty(NotifyDelayAfter)",
    "sns:publish": "MessageAttributes{DataType StringValue BinaryValue}",
    "sqs:sendMessage": """MessageAttributes{StringValue BinaryValue StringListValues
        BinaryListValues DataType}""",
}
_TOKEN = re.compile(r"[A-Za-z0-9]+|[@(){}\[\]]")
_WITHIN = {"(": ("structure", ""), "{": ("map", "value"), "[": ("list", "member")}
_ANY, _VALUE, INPUT = "any", "AttributeValue", "input"

Shapes = dict[str, Mapping[str, Any]]


@lru_cache(maxsize=1)
def tables() -> Mapping[str, Shapes]:
    """Return the shapes of each action's parameters as botocore's models have them.

    The shape `INPUT` is that of all parameters.
    """
    return {action: _shapes(text) for action, text in _TABLE.items()}


def _shapes(text: str) -> Shapes:
    shapes: Shapes = {_ANY: {"type": "any"}}
    shapes[_VALUE] = shapes[_read(_tokens(_ATTRIBUTE), shapes)]
    shapes[INPUT] = shapes[_read(_tokens(text), shapes)]
    return shapes


def _tokens(text: str) -> Iterator[str]:
    return iter(_TOKEN.findall(f"{text})"))


def _read(tokens: Iterator[str], shapes: Shapes) -> str:
    """Read an object up to the bracket that closes it; return the name of its shape."""
    members: dict[str, dict[str, str]] = {}
    last, shape = "", f"structure{len(shapes)}"
    shapes[shape] = {"type": "structure", "members": members}
    for token in tokens:
        if token in ")}]":
            break
        if token == "@":
            shape = _VALUE
        elif token in _WITHIN:
            members[last] = {"shape": _within(token, _read(tokens, shapes), shapes)}
        else:
            last = token
            members[last] = {"shape": _ANY}
    return shape


def _within(bracket: str, inner: str, shapes: Shapes) -> str:
    """Return the name of the shape of what a bracket opens: the object, or several of them."""
    kind, holder = _WITHIN[bracket]
    if not holder:
        return inner
    shapes[f"{kind} of {inner}"] = {"type": kind, holder: {"shape": inner}}
    return f"{kind} of {inner}"
