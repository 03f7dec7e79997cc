"""What services answer, as their models have it: a mocked result is compared with its shape.

The shapes are those of the service models that botocore brings along (`pip install doorstep[aws]`);
without botocore, and for results that the models do not describe, nothing is compared. Members are
called as Step Functions calls them: in PascalCase, whatever the service has. Where a name begins
with several capitals, they are the API's or those of Java's SDK: AWS was seen to answer with `BOOL`
and `NULL` at the top and `Bool` and `Nul` further in (boto3#4253), so that both are taken.

TestState never refuses members that the model does not have (recorded for events:putEvents). In a
mock they are reported: most members are optional, so that a misspelt one would look like an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..asl.jsonata_fields import json_type
from ..model import Integration
from ..model.api_models import api_model, api_operation, pascal, spellings
from ..values.did_you_mean import did_you_mean

# The API whose answer is the result of `.sync`, for the jobs seen so far.
_POLLED = {"states:startExecution": "DescribeExecution"}
# Where Step Functions parses what the API has as text or bytes.
_PARSED = {
    ("lambda:invoke", ""): ("Payload",),
    ("states:startExecution", "sync:2"): ("Input", "Output"),
}
_OF_THE_SDK = ("SdkHttpMetadata", "SdkResponseMetadata")
"""What optimized integrations have beside the service's own members."""
_KINDS = {
    "blob": "a string",
    "boolean": "a boolean",
    "double": "a number",
    "float": "a number",
    "integer": "a number",
    "list": "an array",
    "long": "a number",
    "map": "an object",
    "string": "a string",
    "structure": "an object",
    "timestamp": "a string",
}


class Operation(NamedTuple):
    """Where an operation's answer is described, and what is reported of other values.

    `model`: JSON of botocore. `required`: missing members are reported; `unknown`: members
    that the shape does not have.
    """

    model: Mapping[str, Any]
    shape: str
    required: bool
    unknown: bool
    elsewhere: tuple[str, ...] = ()
    """Members that the shape does not describe."""

    def inner(self, shape: str) -> Operation:
        """Return the same for a shape within."""
        return self._replace(shape=shape, elsewhere=())


def problems(
    called: Integration, result: Any, *, required: bool = True, unknown: bool = True
) -> Iterator[str]:
    """Yield what is wrong with a Task's mocked result, in AWS's words if it has some (fact 483)."""
    operation = _operation(called, required, unknown)
    if operation is None:
        return
    if isinstance(result, dict):
        yield from _compare(result, operation)
    elif unknown:
        yield "The result must be an object"


def _compare(value: Mapping[str, Any], operation: Operation) -> Iterator[str]:
    shape = operation.model["shapes"][operation.shape]
    members = {
        spelling: member["shape"]
        for name, member in shape["members"].items()
        for spelling in spellings(name)
    }
    if operation.required:
        for name in shape.get("required", ()):
            if not any(spelling in value for spelling in spellings(name)):
                yield f"Required field '{pascal(name)}' is missing"
    for name, inner in members.items():
        if name in value and name not in operation.elsewhere:
            yield from _field(name, value[name], operation.inner(inner))
    if operation.unknown:
        yield from _strange(value, members, operation.elsewhere)


def _strange(
    value: Mapping[str, Any], members: Mapping[str, Any], elsewhere: tuple[str, ...]
) -> Iterator[str]:
    for name in value:
        if name not in members and name not in elsewhere:
            hint = did_you_mean(name, members) or f"there are {', '.join(members) or 'none'}"
            yield f"Field '{name}' is not one of the service's; {hint}"


def _field(name: str, value: Any, operation: Operation) -> Iterator[str]:
    shape = operation.model["shapes"][operation.shape]
    kind = _KINDS.get(shape["type"])
    if kind is None or shape.get("document"):
        return
    if json_type(value) != kind.split()[-1]:
        yield f"Field '{name}' must be {kind}"
        return
    match shape["type"]:
        case "structure":
            yield from _compare(value, operation)
        case "list":
            inner = operation.inner(shape["member"]["shape"])
            for item in value:
                yield from _field(name, item, inner)
        case "map":
            inner = operation.inner(shape["value"]["shape"])
            for key, item in value.items():
                yield from _field(key, item, inner)
        case _:
            yield from _limits(name, value, shape)


def _limits(name: str, value: Any, shape: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in shape and value not in shape["enum"]:
        yield f"Field '{name}' is not an expected value"
    text = isinstance(value, str)
    size = len(value) if text else value
    if size < shape.get("min", size):
        less = "smaller than the minimum length" if text else "less than the minimum value"
        yield f"Field '{name}' is {less}"
    if size > shape.get("max", size):
        yield f"Field '{name}' exceeds the maximum {'length' if text else 'value'}"


def _operation(called: Integration, required: bool, unknown: bool) -> Operation | None:
    """Return the operation whose answer a mock stands for; None when that is not known."""
    if called.kind != "service" or called.pattern == "waitForTaskToken":
        return None
    service, _, action = called.action.removeprefix("aws-sdk:").partition(":")
    name = _POLLED.get(called.action) if called.pattern else pascal(action)
    elsewhere = (*_OF_THE_SDK, *_PARSED.get((called.action, called.pattern), ()))
    operation = api_operation(service, name) if name else None
    if operation is None or "output" not in operation:
        return None
    return Operation(api_model(service), operation["output"]["shape"], required, unknown, elsewhere)
