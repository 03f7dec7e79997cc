"""Mocked results compared with what the service's API returns (fieldValidationMode).

The shapes are those of the service models that botocore brings along (`pip install doorstep[aws]`);
without botocore, and for results that the models do not describe, nothing is compared. Members are
called as Step Functions calls them: in PascalCase, whatever the service has.

| mode | a required member is missing | a member is of another type, too long, … |
|---|---|---|
| STRICT (default) | refused | refused |
| PRESENT | | refused |
| NONE | | |

Members that the model does not know are never refused (recorded for events:putEvents).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from ..definition import State
from ..integrations import Integration, integration
from ..queries import json_type
from .request import FieldValidation

# botocore's names, where they are not the service's name as Step Functions has it.
_MODELS = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
# The API that tells how a job ended: its answer is the result of `.sync` (where that is known).
_POLLED = {"states:startExecution": "DescribeExecution"}
# Where Step Functions parses what the API has as text or bytes.
_PARSED = {
    ("lambda:invoke", ""): ("Payload",),
    ("states:startExecution", "sync:2"): ("Input", "Output"),
}
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
    """Where an operation's answer is described: a service model (JSON of botocore) and a shape."""

    model: Mapping[str, Any]
    shape: str
    parsed: tuple[str, ...] = ()

    def inner(self, shape: str) -> Operation:
        """A shape within."""
        return Operation(self.model, shape)


def problems(state: State, result: Any, mode: FieldValidation) -> Iterator[str]:
    """What AWS would say of a Task's mocked result, in its words."""
    if mode == "NONE":
        return
    operation = _operation(integration(state.fields["Resource"]))
    if operation is not None and isinstance(result, dict):
        for problem in compare(result, operation, strict=mode == "STRICT"):
            yield f"Mock result schema validation error: {problem}"


def compare(value: Mapping[str, Any], operation: Operation, *, strict: bool) -> Iterator[str]:
    """Where an object is not of its shape."""
    shape = operation.model["shapes"][operation.shape]
    members = {_pascal(name): member["shape"] for name, member in shape["members"].items()}
    if strict:
        for name in map(_pascal, shape.get("required", ())):
            if name not in value:
                yield f"Required field '{name}' is missing"
    for name, inner in members.items():
        if name in value and name not in operation.parsed:
            yield from _field(name, value[name], operation.inner(inner), strict=strict)


def _field(name: str, value: Any, operation: Operation, *, strict: bool) -> Iterator[str]:
    shape = operation.model["shapes"][operation.shape]
    kind = _KINDS.get(shape["type"])
    if kind is None or shape.get("document"):
        return
    if json_type(value) != kind.split()[-1]:
        yield f"Field '{name}' must be {kind}"
        return
    match shape["type"]:
        case "structure":
            yield from compare(value, operation, strict=strict)
        case "list":
            inner = operation.inner(shape["member"]["shape"])
            for item in value:
                yield from _field(name, item, inner, strict=strict)
        case "map":
            inner = operation.inner(shape["value"]["shape"])
            for key, item in value.items():
                yield from _field(key, item, inner, strict=strict)
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


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _operation(called: Integration) -> Operation | None:
    """The operation whose answer a mock stands for; None when that is not known."""
    if called.kind != "service" or called.pattern == "waitForTaskToken":
        return None
    service, _, action = called.action.removeprefix("aws-sdk:").partition(":")
    name = _POLLED.get(called.action) if called.pattern else _pascal(action)
    model = _model(_MODELS.get(service, service))
    output = model.get("operations", {}).get(name, {}).get("output")
    if output is None:
        return None
    return Operation(model, output["shape"], _PARSED.get((called.action, called.pattern), ()))


@lru_cache(maxsize=16)
def _model(service: str) -> Mapping[str, Any]:
    try:
        loader = import_module("botocore.loaders").Loader()
    except ImportError:
        return {}
    if service not in loader.list_available_services("service-2"):
        return {}
    model: Mapping[str, Any] = loader.load_service_model(service, "service-2")
    return model
