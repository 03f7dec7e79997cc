"""Which tests AWS refuses: what a mock can stand for, and what can't be tested without one."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import ApiError
from ..model.definition import State
from ..model.resource import integration
from ..model.state_types import WORKING
from ..testing.service_models import problems
from . import contexts
from .request import Given, Mock, Request


def check(asked: Request, state: State) -> None:
    """Raise ApiError for a test that AWS would refuse."""
    if asked.mock is None:
        _check_unmocked(asked, state)
        return
    for problem in _with_mock(asked, asked.mock, state):
        raise _invalid(problem)
    if asked.context is not None:
        contexts.check(asked.context, state)
    if asked.mock.result:
        for problem in _with_result(asked, asked.mock.result, state):
            raise _invalid(problem)


def _check_unmocked(asked: Request, state: State) -> None:
    for name, given in (
        ("MapIterationFailureCount", asked.failed_iterations),
        ("MapItemReaderData", asked.reader_data),
        ("Context", asked.context),
    ):
        if given is not None:
            raise _invalid(f"TestState does not support {name} when a mock is not specified.")
    if state.type in ("Map", "Parallel"):
        raise ApiError(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include: "
            "[Task, Wait, Pass, Succeed, Fail, Choice]",
        )
    if state.type == "Task":
        for problem in _without_mock(asked, state):
            raise _invalid(problem)


def _without_mock(asked: Request, state: State) -> Iterator[str]:
    called = integration(state.fields["Resource"])
    if called.kind == "activity":
        yield "TestState does not support Activity tasks when a mock is not specified."
    if called.pattern:
        yield f"TestState does not support .{called.pattern} when a mock is not specified."
    if asked.role is None:
        yield "RoleArn must be specified when testing a Task state"


def _with_mock(asked: Request, mock: Mock, state: State) -> Iterator[str]:
    if asked.reveal_secrets:
        yield "TestState does not support RevealSecrets when a mock is specified."
    if state.type not in WORKING:
        yield f"State type '{state.type}' is not supported when a mock is specified"


def _with_result(asked: Request, result: Given, state: State) -> Iterator[str]:
    value = result.value
    match state.type:
        case "Map" if state.writer:
            if not isinstance(value, dict):
                yield "Mocked result must be a JSON object."
        case "Map" | "Parallel" if not isinstance(value, list):
            yield "Mocked result must be an array."
        case "Map" if (asked.failed_iterations or 0) > len(value):
            yield (
                "Map iteration failure count must be less than or equal to "
                "the number of Map iterations"
            )
        case "Parallel" if len(value) != len(state.scopes):
            yield (
                "Mocked result must contain the same number of items "
                "as number of Parallel branches."
            )
        case "Task" if asked.mock and (mode := asked.mock.validation) != "NONE":
            called = integration(state.fields["Resource"])
            for problem in problems(called, value, required=mode == "STRICT", unknown=False):
                yield f"Mock result schema validation error: {problem}"


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
