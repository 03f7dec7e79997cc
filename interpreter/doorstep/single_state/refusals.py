"""Which tests AWS refuses: what a mock can stand for, what needs one, what a context object holds.

The sentences were recorded; the rules are facts 127 and 482 to 486 of docs/facts, after
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..asl.jsonata_fields import json_type
from ..errors import ApiError
from ..model import WORKING, State, integration
from ..model.aws_errors import invalid_request
from ..testing.service_models import problems
from .request import JSONText, StateMock, StateTest

# Facts 340 and 484: the members of a context object, and their types.
_CONTEXT: dict[str, dict[str, str | None]] = {
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


def check(test: StateTest, state: State) -> None:
    """Raise ApiError for a test that AWS would refuse.

    Facts 127 and 482 to 486.
    """
    if test.mock is None:
        _check_unmocked(test, state)
        return
    for problem in _with_mock(test, test.mock, state):
        raise invalid_request(problem)
    if test.context is not None:
        for problem in _in_context(test.context, state):
            raise invalid_request(f"Invalid Context object provided: {problem}")
    if test.mock.result:
        for problem in _with_result(test, test.mock.result, state):
            raise invalid_request(problem)


def _check_unmocked(test: StateTest, state: State) -> None:
    # Fact 127: without a mock neither Map nor Parallel, and nothing that belongs to a mock.
    for name, value in (
        ("MapIterationFailureCount", test.failed_iterations),
        ("MapItemReaderData", test.reader_data),
        ("Context", test.context),
    ):
        if value is not None:
            raise invalid_request(
                f"TestState does not support {name} when a mock is not specified."
            )
    if state.type in ("Map", "Parallel"):
        raise ApiError(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include: "
            "[Task, Wait, Pass, Succeed, Fail, Choice]",
        )
    if state.type == "Task":
        for problem in _without_mock(test, state):
            raise invalid_request(problem)


def _without_mock(test: StateTest, state: State) -> Iterator[str]:
    # Facts 127 and 486: no activity, no callback or job, and a RoleArn.
    called = integration(state.fields["Resource"])
    if called.kind == "activity":
        yield "TestState does not support Activity tasks when a mock is not specified."
    if called.pattern:
        yield f"TestState does not support .{called.pattern} when a mock is not specified."
    if test.role is None:
        yield "RoleArn must be specified when testing a Task state"


def _with_mock(test: StateTest, mock: StateMock, state: State) -> Iterator[str]:
    # Fact 127: only what does work can be mocked.
    if test.reveal_secrets:
        yield "TestState does not support RevealSecrets when a mock is specified."
    if state.type not in WORKING:
        yield f"State type '{state.type}' is not supported when a mock is specified"


def _with_result(test: StateTest, result: JSONText, state: State) -> Iterator[str]:
    # Facts 482, 483 and 485: what a result must look like for the state, and for the service.
    value = result.value
    match state.type:
        case "Map" if state.writer:
            if not isinstance(value, dict):
                yield "Mocked result must be a JSON object."
        case "Map" | "Parallel" if not isinstance(value, list):
            yield "Mocked result must be an array."
        case "Map" if (test.failed_iterations or 0) > len(value):
            yield (
                "Map iteration failure count must be less than or equal to "
                "the number of Map iterations"
            )
        case "Parallel" if len(value) != len(state.scopes):
            yield (
                "Mocked result must contain the same number of items "
                "as number of Parallel branches."
            )
        case "Task" if test.mock and (mode := test.mock.validation) != "NONE":
            called = integration(state.fields["Resource"])
            for problem in problems(called, value, required=mode == "STRICT", unknown=False):
                yield f"Mock result schema validation error: {problem}"


# The context object -----------------------------------------------------------------------------


def _in_context(context: Any, state: State) -> Iterator[str]:
    # Fact 484: what a context may have.
    if not isinstance(context, Mapping):
        yield "Context object must be a JSON object"
        return
    for name, value in context.items():
        if name == "Map":
            yield "'Map' field is not supported when mocking a Context object"
        elif name not in _CONTEXT:
            yield f"Field '{name}' is not allowed"
        elif not isinstance(value, Mapping):
            yield f"{name} must be an object"
        else:
            yield from _in_part(name, value)
    if "Task" in context and not _has_token(state):
        yield (
            "Context object contains 'Task' when state is not a Task state "
            "with a '.sync' or '.waitForTaskToken' service integration pattern"
        )


def _in_part(name: str, members: Mapping[str, Any]) -> Iterator[str]:
    allowed = _CONTEXT[name]
    for inner, value in members.items():
        if inner not in allowed:
            yield f"Field '{inner}' is not allowed"
        elif (expected := allowed[inner]) and json_type(value) != expected:
            yield f"{name}.{inner} must be a {expected}"


def _has_token(state: State) -> bool:
    # Facts 233 and 484: callback and `.sync` tasks have a token.
    return state.type == "Task" and bool(integration(state.fields["Resource"]).pattern)
