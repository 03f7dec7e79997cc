"""What may stand in a Task's Parameters or Arguments, by the service that it calls.

The names are judged twice, as on AWS: those in objects when a machine is created, all of them when
the task starts (fact 242). The table of the optimized integrations knows all of its parameters;
what lies within them, and `aws-sdk:` integrations, are judged by the installed models of the APIs.
Without botocore another table has what lies within the commonest parameters.
Those may be older than AWS: a name that is not close to one they have is not certainly wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, NamedTuple

from ..values.did_you_mean import closest
from .api_models import api_model, api_operation, java, pascal
from .integrations import action_of
from .nested_parameters import INPUT, tables
from .resource import Integration

_OTHER_OPERATIONS = {"elasticmapreduce:createCluster": "runJobFlow"}
"""Optimized actions that the API has by another name."""
_OTHER_SERVICES = {"bedrock:invokeModel": "bedrockruntime"}
"""And services of which another API has the action."""
_RESERVED = frozenset(("default", "equals", "class", "return", "public", "abstract", "enum"))
"""Words of Java's: a member that is one of them is called `EqualsValue`."""
_VERY_CLOSE = 0.93
_TEXTS = {
    "states:startExecution": ("StateMachineArn", "Name", "TraceHeader"),
    "aws-sdk:sfn:startExecution": ("StateMachineArn", "Name", "TraceHeader"),
    "aws-sdk:sfn:sendTaskSuccess": ("TaskToken",),
    "aws-sdk:sfn:sendTaskFailure": ("TaskToken", "Error", "Cause"),
    "aws-sdk:sfn:sendTaskHeartbeat": ("TaskToken",),
}
"""Members of the services that Doorstep answers itself which have to be texts (the API's model)."""


class UnknownName(NamedTuple):
    """A name that a service does not have."""

    name: str
    suggestion: str | None
    """A name that it has, and that is close."""
    certain: bool
    """AWS refuses it too; otherwise the installed models may be too old to know it."""

    def __str__(self) -> str:
        return f'The field "{self.name}" is not supported by Step Functions'


def unfit(called: Integration, arguments: Any) -> list[str]:
    """Return what keeps the Parameters from starting the task, in AWS's words.

    Recorded for the formats (test_invoke_with_headers); the types of members as users of AWS
    quoted them (ASFHyP3/hyp3#2585, aws-cdk#9181). Fact 242: unknown names.
    """
    if called.kind != "service" or not isinstance(arguments, dict):
        return []
    reasons = []
    if called.action == "apigateway:invoke":
        reasons = [
            f"The value of the field '{name}' has an invalid format"
            for name in ("Headers", "QueryParameters")
            if not _lists_only(arguments.get(name) or {})
        ]
    reasons += [
        f"The value for the field '{name}' must be a STRING"
        for name in _TEXTS.get(called.action, ())
        if not isinstance(arguments.get(name, ""), str | None)
    ]
    names = unknown_names(called, arguments, written=False)
    unknown = [str(one) for one in names if one.certain]
    # A misspelt name is missing too: one report is enough.
    missing = [] if unknown else missing_names(called, arguments.keys())
    return reasons + unknown + [required_but_missing(name) for name in missing]


def _lists_only(fields: Any) -> bool:
    return isinstance(fields, dict) and all(isinstance(value, list) for value in fields.values())


def unknown_names(
    called: Integration, arguments: Mapping[str, Any], *, written: bool
) -> Iterator[UnknownName]:
    """Yield the names in Parameters or Arguments that a service does not have.

    `written`: the arguments are those of a definition, of which only objects are looked into, and
    in which a name may end in `.$` or hold a placeholder.
    """
    optimized = action_of(called)
    if optimized is not None:
        for name in arguments:
            plain = _plain(name) if written else name
            if plain not in optimized.parameters and "${" not in plain:
                yield UnknownName(plain, closest(plain, optimized.parameters), certain=True)
        inner = {
            name: value
            for name, value in arguments.items()
            if isinstance(value, dict | list) and name in optimized.parameters - optimized.opaque
        }
        if not inner:
            return
        arguments = inner
    shapes = _input(called)
    if shapes is not None:
        yield from shapes.unknown(arguments, shapes.root, written)
    elif optimized is None:
        yield from _camel_case(arguments, written)


def _plain(name: str) -> str:
    return name.removesuffix(".$")


def _camel_case(arguments: Mapping[str, Any], written: bool) -> Iterator[UnknownName]:
    """Yield what is wrong whatever the API is: the names at the top are in PascalCase."""
    for name in arguments:
        plain = _plain(name) if written else name
        if plain[:1].islower():
            yield UnknownName(plain, pascal(plain), certain=True)


class _Input:
    """An operation's input, with its members by the names that Step Functions has for them."""

    def __init__(self, shapes: Mapping[str, Any], root: str, *, sdk: bool) -> None:
        self.root = root
        self._shapes = shapes
        self._sdk = sdk
        self._members: dict[str, dict[str, str]] = {}
        self._all: set[str] = set()

    def unknown(self, value: Any, name: str, written: bool) -> Iterator[UnknownName]:
        """Yield the unknown names in a value of a shape."""
        shape = self._shapes[name]
        match shape["type"]:
            case "structure" if isinstance(value, dict) and not shape.get("document"):
                members = self._names(name)
                for key, inner in value.items():
                    plain = _plain(key) if written else key
                    if plain not in members:
                        if "${" not in plain:
                            yield self._judged(plain, members)
                    elif isinstance(inner, dict | list) and plain == key:
                        yield from self.unknown(inner, members[key], written)
            case "map" if isinstance(value, dict):
                for inner in value.values():
                    yield from self.unknown(inner, shape["value"]["shape"], written)
            case "list" if isinstance(value, list) and not written:
                for inner in value:
                    yield from self.unknown(inner, shape["member"]["shape"], written)

    def missing(self, names: AbstractSet[str]) -> list[str]:
        """Return the required members of the input that are not among some names."""
        root = self._shapes[self.root]
        return [
            java(name) if self._sdk else pascal(name)
            for name in root.get("required", ())
            if not root["members"][name].get("idempotencyToken")
            and names.isdisjoint(self._spellings(name, self.root))
        ]

    def tokens(self) -> list[str]:
        """Return the members of the input by which the service knows a call again."""
        return [
            java(name) if self._sdk else pascal(name)
            for name, member in self._shapes[self.root]["members"].items()
            if member.get("idempotencyToken")
        ]

    def _names(self, shape: str) -> dict[str, str]:
        """Return a structure's members, each with its shape."""
        members = self._members.get(shape)
        if members is None:
            members = self._members[shape] = {
                spelling: member["shape"]
                for name, member in self._shapes[shape]["members"].items()
                for spelling in self._spellings(name, shape)
            }
        return members

    def _spellings(self, name: str, shape: str) -> dict[str, None]:
        spelt = java(name) if self._sdk else pascal(name)
        names = {spelt: None}
        if self._sdk and name.lower() in _RESERVED:
            names[f"{spelt}Value"] = None
        if shape == "AttributeValue":
            # DynamoDB's `BOOL`, `NULL` at the top, `Bool` and `Nul` further in (boto3#4253).
            names |= {pascal(name): None, java(name): None}
        return names

    def _judged(self, name: str, members: Mapping[str, str]) -> UnknownName:
        suggestion = closest(name, members)
        if suggestion is None:
            suggestion = closest(name, self._everywhere() - {name}, _VERY_CLOSE)
        return UnknownName(name, suggestion, certain=suggestion is not None)

    def _everywhere(self) -> set[str]:
        """Return all names of the input, at any depth."""
        shapes, ahead = set[str](), [self.root]
        while ahead and not self._all:
            name = ahead.pop()
            if name in shapes:
                continue
            shapes.add(name)
            shape = self._shapes[name]
            inner = [shape[part]["shape"] for part in ("member", "value") if part in shape]
            inner += self._names(name).values() if shape["type"] == "structure" else ()
            ahead += inner
        self._all |= {member for one in self._members.values() for member in one}
        return self._all


def required_but_missing(name: str) -> str:
    """Return what AWS says of a parameter that is not there."""
    return f"The field '{name}' is required but was missing"


def missing_names(called: Integration, names: AbstractSet[str]) -> list[str]:
    """Return what a service requires and is not among the names of its Parameters or Arguments.

    Fact 241. A token against repetition, which Java's SDK makes itself, may be left out.
    """
    action = action_of(called)
    if action is not None:
        return action.missing(names)
    shapes = _input(called)
    return shapes.missing(names) if shapes else []


def repetition_tokens(called: Integration) -> list[str]:
    """Return the parameters by which a service knows a call again, as its API's model marks them.

    Java's SDK makes one for each call that has none: the attempts of a Retry then have different
    ones. https://smithy.io/2.0/spec/behavior-traits.html#idempotencytoken-trait
    """
    shapes = _input(called)
    return shapes.tokens() if shapes else []


@lru_cache(maxsize=64)
def _input_of(service: str, action: str, sdk: bool) -> _Input | None:
    operation = api_operation(service, action)
    if operation is not None and "input" in operation:
        return _Input(api_model(service)["shapes"], operation["input"]["shape"], sdk=sdk)
    shapes = None if sdk else tables().get(f"{service}:{action}")
    return _Input(shapes, INPUT, sdk=False) if shapes else None


def _input(called: Integration) -> _Input | None:
    service = called.resource_type.removeprefix("aws-sdk:")
    sdk = service != called.resource_type
    action = called.resource.partition(".")[0]
    if not sdk:
        action = _OTHER_OPERATIONS.get(called.action, action)
        service = _OTHER_SERVICES.get(called.action, service)
    return _input_of(service, action, sdk)
