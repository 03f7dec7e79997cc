"""The context object that a request may bring along: what may stand in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..asl.jsonata_fields import json_type
from ..errors import ApiError
from ..model.definition import State
from ..model.resource import integration

_MEMBERS: dict[str, dict[str, str | None]] = {
    "Execution": {
        "Id": "string",
        "Input": None,
        "Name": "string",
        "RoleArn": "string",
        "StartTime": "string",
        "RedriveCount": "number",
        "RedriveTime": "string",
    },
    "StateMachine": {"Id": "string", "Name": "string"},
    "State": {"EnteredTime": "string", "Name": "string", "RetryCount": "number"},
    "Task": {"Token": "string"},
}


def check(context: Any, state: State) -> None:
    """Raise ApiError for a context object that AWS would refuse."""
    for problem in _problems(context, state):
        raise ApiError("ValidationException", f"Invalid Context object provided: {problem}")


def _problems(context: Any, state: State) -> Iterator[str]:
    if not isinstance(context, Mapping):
        yield "Context object must be a JSON object"
        return
    for name, value in context.items():
        if name == "Map":
            yield "'Map' field is not supported when mocking a Context object"
        elif name not in _MEMBERS:
            yield f"Field '{name}' is not allowed"
        elif not isinstance(value, Mapping):
            yield f"{name} must be an object"
        else:
            yield from _inside(name, value)
    if "Task" in context and not _has_token(state):
        yield (
            "Context object contains 'Task' when state is not a Task state "
            "with a '.sync' or '.waitForTaskToken' service integration pattern"
        )


def _inside(name: str, members: Mapping[str, Any]) -> Iterator[str]:
    allowed = _MEMBERS[name]
    for inner, value in members.items():
        if inner not in allowed:
            yield f"Field '{inner}' is not allowed"
        elif (kind := allowed[inner]) and json_type(value) != kind:
            yield f"{name}.{inner} must be a {kind}"


def _has_token(state: State) -> bool:
    return state.type == "Task" and bool(integration(state.fields["Resource"]).pattern)
