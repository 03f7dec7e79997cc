"""Services that Doorstep answers itself: executions of other local machines, and task tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine import FactKind, Header, Identity, Invoke, is_name
from ..errors import ApiError, Failure, InputError
from ..model.aws_errors import (
    execution_exists,
    invalid_input,
    invalid_name,
    invalid_output,
    invalid_token,
    task_timed_out,
)
from ..model.aws_model import check_member
from ..values.json_values import dumps, loads
from .clocks import AT_ONCE
from .invocation import metadata

if TYPE_CHECKING:
    from .running import Delivery, Running, Startable


DEEPEST = 1_000
"""How many executions may wait for one another, each for the one that it started: our own bound."""
_TOO_DEEP = Failure(
    "States.Runtime",
    f"{DEEPEST:,} executions wait for one another, each for the one that it started. "
    "Doorstep starts no more: does a state machine start itself?",
)


def native(driver: Delivery, execution: Running, invoke: Invoke) -> bool:
    """Answer the task here, if this is one of those services; False leaves it to a handler."""
    answer = _SERVICES.get(invoke.integration.action)
    return bool(answer and isinstance(invoke.arguments, dict) and answer(driver, execution, invoke))


def watch_again(driver: Delivery, execution: Running, invoke: Invoke) -> None:
    """Wait again, after a crash, for the execution that a job started, or for somebody outside."""
    called = invoke.integration
    job = called.action == "states:startExecution" and called.pattern.startswith("sync")
    if job and (machine := _machine(driver, invoke)):
        _watch(driver, execution, invoke, _child(driver, execution, invoke, machine))
    else:
        driver.leave_open(execution, invoke)


def _start_execution(driver: Delivery, execution: Running, invoke: Invoke) -> bool:
    # Facts 115 and 136: what request and response, a job and a callback return; a name that is
    # taken fails.
    machine = _machine(driver, invoke)
    if machine is None:
        return False
    try:
        _check_request(invoke)
    except ApiError as error:
        driver.later(execution, "failed", invoke.key, _refused(invoke, error))
        return True
    if invoke.integration.pattern and execution.identity.nesting >= DEEPEST:
        _fail_as_too_deep(driver, execution, invoke)
        return True
    child = _child(driver, execution, invoke, machine)
    if child.identity.seed != _seed(execution, invoke) and not _same(child, invoke):
        refused = _refused(invoke, execution_exists(child.arn))
        driver.later(execution, "failed", invoke.key, refused)
        return True
    request_id = execution.identity.uuid(f"request/{invoke.key}")
    started = {
        "ExecutionArn": child.arn,
        **metadata(request_id, "application/x-amz-json-1.0"),
        "StartDate": round(execution.clock.now() * 1000),
    }
    pattern = invoke.integration.pattern
    if not pattern:
        driver.later(execution, "succeeded", invoke.key, started)
        return True
    driver.later(execution, "submitted", invoke.key, started)
    if pattern == "waitForTaskToken":
        driver.leave_open(execution, invoke)
    else:
        _watch(driver, execution, invoke, child)
    return True


def _check_request(invoke: Invoke) -> None:
    """Raise ApiError for arguments that StartExecution refuses (facts 451, 453 and 455)."""
    name = invoke.arguments.get("Name")
    if name is not None:
        check_member("StartExecution", "name", name)
        if not is_name(name):
            raise invalid_name(name)
    try:
        loads(input_text(invoke))
    except InputError as problem:
        raise invalid_input(str(problem)) from None


def _fail_as_too_deep(driver: Delivery, execution: Running, invoke: Invoke) -> None:
    driver.later(execution, "failed", invoke.key, {**asdict(_TOO_DEEP), "final": True})


def _machine(driver: Delivery, invoke: Invoke) -> Startable | None:
    arn = str(invoke.arguments.get("StateMachineArn"))
    return driver.machines.get(arn) or driver.machines.get(arn.rpartition(":")[2])


def _child(driver: Delivery, execution: Running, invoke: Invoke, machine: Startable) -> Running:
    """Return the execution that the call starts; after a crash it may be there already."""
    name = invoke.arguments.get("Name") or execution.identity.uuid(f"child/{invoke.key}")
    identity = Identity(
        name=name,
        seed=_seed(execution, invoke),
        machine=machine.name,
        type=machine.type,
        account=execution.identity.account,
        region=execution.identity.region,
        role=machine.role,
        nesting=execution.identity.nesting + 1 if invoke.integration.pattern else 0,
    )
    return driver.find(identity.arn) or driver.start(
        machine.program,
        Header.of(machine.definition, identity),
        input_text(invoke),
        execution.clock,
    )


def _seed(execution: Running, invoke: Invoke) -> str:
    return f"{execution.identity.seed}/{invoke.key}"


def _same(child: Running, invoke: Invoke) -> bool:
    """Return whether StartExecution would take a name for another call with the same intention.

    Fact 111: the same input, while it runs.
    """
    return not child.ended and child.engine.input == loads(input_text(invoke))


def starts_execution(invoke: Invoke) -> bool:
    """Return whether a call asks for StartExecution."""
    return _SERVICES.get(invoke.integration.action) is _start_execution


def input_text(invoke: Invoke) -> str:
    """Return the input that such a call starts an execution with."""
    given = invoke.arguments.get("Input")
    return given if isinstance(given, str) else dumps({} if given is None else given)


def _watch(driver: Delivery, execution: Running, invoke: Invoke, child: Running) -> None:
    ended = partial(_job_ended, driver, execution, invoke)
    if child.ended:
        ended(child)
    else:
        child.when_ended = partial(driver.guard, execution, ended)


def _job_ended(driver: Delivery, parent: Running, invoke: Invoke, child: Running) -> None:
    # Facts 115 and 135: texts for `.sync`, values for `.sync:2`; a child that failed is
    # States.TaskFailed.
    if child.failure == _TOO_DEEP:
        # The whole chain fails: retriers along it would double the work at every level.
        _fail_as_too_deep(driver, parent, invoke)
        return
    described_child = described(child)
    if child.status != "SUCCEEDED":
        failure = {"error": "States.TaskFailed", "cause": dumps(described_child)}
        driver.later(parent, "failed", invoke.key, failure)
        return
    if invoke.integration.pattern == "sync:2":
        described_child["Input"] = loads(described_child["Input"])
        described_child["Output"] = loads(described_child["Output"])
    driver.later(parent, "succeeded", invoke.key, described_child)


def described(execution: Running) -> dict[str, Any]:
    """Return what DescribeExecution does, in the PascalCase of the SDK integrations.

    Fact 135 has the members in alphabetical order, and more of them: not done yet.
    """
    first, last = execution.events[0], execution.events[-1]
    details = last.details or {}
    members = {
        "ExecutionArn": execution.arn,
        "Input": (first.details or {}).get("input"),
        "InputDetails": {"Included": True},
        "Name": execution.name,
        "Output": details.get("output"),
        "OutputDetails": {"Included": True} if "output" in details else None,
        "Error": execution.error,
        "Cause": execution.cause,
        "StartDate": round(first.at * 1000),
        "StateMachineArn": execution.identity.machine_arn,
        "Status": execution.status,
        "StopDate": round(last.at * 1000),
    }
    return {name: value for name, value in members.items() if value is not None}


def _send(kind: FactKind) -> Callable[[Delivery, Running, Invoke], bool]:
    def answer(driver: Delivery, execution: Running, invoke: Invoke) -> None:
        try:
            _hand_over(driver, kind, invoke.arguments)
        except ApiError as error:
            driver.later(execution, "failed", invoke.key, _refused(invoke, error))
        else:
            driver.later(execution, "succeeded", invoke.key, {})

    def send(driver: Delivery, execution: Running, invoke: Invoke) -> bool:
        # After what is being done: the token may be one of this very execution.
        send_now = partial(driver.guard, execution, answer, driver, execution, invoke)
        execution.clock.call_at(AT_ONCE, send_now)
        return True

    return send


def _hand_over(driver: Delivery, kind: FactKind, arguments: Mapping[str, Any]) -> None:
    """Send to the task with the token; raise ApiError when that can't be (fact 468)."""
    try:
        sent = driver.send(str(arguments.get("TaskToken")), kind, _sent(kind, arguments))
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
            given = arguments.get("Output")
            return loads(given) if isinstance(given, str) else given
        case "failed":
            return {"error": arguments.get("Error"), "cause": arguments.get("Cause")}
    return None


def _refused(invoke: Invoke, error: ApiError) -> dict[str, str]:
    """Return what the optimized or the SDK integration makes of an error of the API.

    Facts 86, 136 and 147: how each integration names an error.
    """
    code, text = error.code, str(error)
    exception = code if code.endswith("Exception") else f"{code}Exception"
    if invoke.integration.resource_type == "states":
        details = f"Service: AWSStepFunctions; Status Code: 400; Error Code: {code}"
        return {
            "error": f"StepFunctions.{exception}",
            "cause": f"{text} ({details}; Request ID: local; Proxy: null)",
        }
    return {
        "error": f"Sfn.{exception}",
        "cause": f"{text} (Service: Sfn, Status Code: 400, Request ID: local) "
        "(SDK Attempt Count: 1)",
    }


_SERVICES: dict[str, Callable[[Delivery, Running, Invoke], bool]] = {
    "states:startExecution": _start_execution,
    "aws-sdk:sfn:startExecution": _start_execution,
    "aws-sdk:sfn:sendTaskSuccess": _send("succeeded"),
    "aws-sdk:sfn:sendTaskFailure": _send("failed"),
    "aws-sdk:sfn:sendTaskHeartbeat": _send("heartbeat"),
}
