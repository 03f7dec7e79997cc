"""Services that Doorstep answers itself: executions of other local machines, task tokens, the API.

`states:startExecution`, and of `aws-sdk:sfn` startExecution and sendTask*, are answered wherever
there is a driver; the other operations of `aws-sdk:sfn` where a server answers the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine import FactKind, Invoke
from ..errors import ApiError, InputError
from ..model.aws_errors import invalid_output, invalid_token, task_timed_out
from ..model.aws_model import REQUESTS, Shape, Structure, Text
from ..values.json_values import dumps, loads
from ..values.timestamps import format_timestamp
from . import nested
from .clocks import AT_ONCE
from .nested import has_handler, refused

if TYPE_CHECKING:
    from .running import Delivery, Running


def native(driver: Delivery, execution: Running, invoke: Invoke) -> bool:
    """Answer the task here, if this is one of those services; False leaves it to a handler."""
    if invoke.integration.kind == "lambda" or not isinstance(invoke.arguments, dict):
        return False
    if nested.starts_execution(invoke):
        return nested.start_execution(driver, execution, invoke)
    action = invoke.integration.action
    token = str(invoke.arguments.get("TaskToken"))
    if (kind := _SENDS.get(action)) and not driver.persistence.is_elsewhere(token):
        act = partial(_send, driver, kind)
    elif driver.api and _operation(action) in REQUESTS and not has_handler(driver, invoke):
        act = partial(_ask, driver)
    else:
        return False
    # After what is being done: the token may be one of this very execution.
    soon = partial(driver.guard, execution, act, execution, invoke)
    execution.clock.call_at(AT_ONCE, soon)
    return True


# Task tokens --------------------------------------------------------------------------------------


def _send(driver: Delivery, kind: FactKind, execution: Running, invoke: Invoke) -> None:
    try:
        _hand_over(driver, kind, invoke.arguments)
    except ApiError as error:
        driver.later(execution, "failed", invoke.key, refused(invoke, error))
    else:
        driver.later(execution, "succeeded", invoke.key, {})


def _hand_over(driver: Delivery, kind: FactKind, arguments: Mapping[str, Any]) -> None:
    """Send to the task with the token; raise ApiError when that can't be.

    Facts 239 and 468: the token is looked at before the output.
    """
    token = str(arguments.get("TaskToken"))
    try:
        if not driver.is_open(token):
            raise task_timed_out()
        sent = driver.send(token, kind, _sent(kind, arguments))
    except InputError as problem:
        raise invalid_output(problem) from None
    except KeyError:
        raise invalid_token() from None
    if not sent:
        raise task_timed_out()


def _sent(kind: FactKind, arguments: Mapping[str, Any]) -> Any:
    # Fact 93: without error and cause both are null.
    match kind:
        case "succeeded":
            output = arguments.get("Output")
            return loads(output) if isinstance(output, str) else output
        case "failed":
            return {"error": arguments.get("Error"), "cause": arguments.get("Cause")}
    return None


_SENDS: dict[str, FactKind] = {
    "aws-sdk:sfn:sendTaskSuccess": "succeeded",
    "aws-sdk:sfn:sendTaskFailure": "failed",
    "aws-sdk:sfn:sendTaskHeartbeat": "heartbeat",
}


# The API as the SDK integration has it ------------------------------------------------------------

_SDK = "aws-sdk:sfn:"
_OPEN_MAPS = ("VariableReferences",)
"""Members whose own members have names of the user's."""


def _operation(action: str) -> str:
    """Return the operation's name: the integration writes its first letter small."""
    name = action.removeprefix(_SDK)
    return name[:1].upper() + name[1:] if action.startswith(_SDK) else ""


def _ask(driver: Delivery, execution: Running, invoke: Invoke) -> None:
    """Let the server answer an operation (fact 240); some of them answer later."""

    def reply(outcome: Any) -> None:
        if isinstance(outcome, ApiError):
            driver.later(execution, "failed", invoke.key, refused(invoke, outcome))
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            driver.later(execution, "succeeded", invoke.key, _in_pascal_case(outcome))

    assert driver.api is not None
    operation = _operation(invoke.integration.action)
    request = _request(REQUESTS[operation], invoke.arguments)
    driver.leave_open(execution, invoke)
    driver.api(execution, operation, request, partial(driver.guard, execution, reply))


def _request(shape: Shape, value: Any) -> Any:
    """Return an argument as the API has it: names in camelCase, JSON texts as text.

    Recorded for an Input that is an object: it is sent as its text (fact 240).
    """
    match shape, value:
        case Structure(), dict():
            members = {name[:1].lower() + name[1:]: inner for name, inner in value.items()}
            known = shape.members
            return {
                name: _request(known[name], inner) if name in known else inner
                for name, inner in members.items()
            }
        case Text(), dict() | list():
            return dumps(value)
    if isinstance(value, list) and (member := getattr(shape, "member", None)):
        return [_request(member, item) for item in value]
    return value


def _in_pascal_case(value: Any) -> Any:
    """Return an answer as the SDK integration has it: PascalCase, dates as text (fact 149)."""
    match value:
        case dict():
            return dict(map(_member, value, value.values()))
        case list():
            return [_in_pascal_case(item) for item in value]
    return value


def _member(name: str, value: Any) -> tuple[str, Any]:
    pascal = name[:1].upper() + name[1:]
    if pascal.endswith(("Date", "Timestamp")) and isinstance(value, int | float):
        return pascal, format_timestamp(value)
    return pascal, value if pascal in _OPEN_MAPS else _in_pascal_case(value)
