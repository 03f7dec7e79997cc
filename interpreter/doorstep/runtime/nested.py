"""Nested executions: what `states:startExecution` and the SDK's startExecution start and return.

| pattern | the task ends |
|---|---|
| none | when the child is started |
| .sync, .sync:2 | when the child has ended; a child that nobody waits for any more is aborted |
| .waitForTaskToken | when somebody answers with the token |
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine import TERMINAL, Fact, Header, Identity, Invoke, Journal, is_name
from ..errors import ApiError, Failure, HandlerLoadError, InputError
from ..model.aws_errors import execution_exists, invalid_input, invalid_name, no_machine
from ..model.aws_model import check_member
from ..values.json_values import dumps, loads
from ..values.timestamps import format_timestamp
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
_SUCCEEDED = "Execution is SUCCEEDED and cannot be redriven"
_FULL = "Execution history event limit exceeded"
OPTIMIZED, SDK = "states:startExecution", "aws-sdk:sfn:startExecution"


def starts_execution(invoke: Invoke) -> bool:
    """Return whether a call asks for StartExecution."""
    return invoke.integration.action in (OPTIMIZED, SDK)


def is_job(invoke: Invoke) -> bool:
    """Return whether a call waits for the end of the execution that it starts."""
    called = invoke.integration
    return called.action == OPTIMIZED and called.pattern.startswith("sync")


def start_execution(driver: Delivery, execution: Running, invoke: Invoke) -> bool:
    """Answer StartExecution; False leaves it to a handler.

    Facts 115 and 136: what request and response, a job and a callback return; a name that is taken
    fails. Fact 238: so does a machine that does not exist.
    """
    try:
        machine = _machine(driver, invoke)
        if machine is None:
            return False
        _check_request(invoke)
    except ApiError as error:
        if error.code == "StateMachineDoesNotExist" and has_handler(driver, invoke):
            return False
        driver.later(execution, "failed", invoke.key, refused(invoke, error))
        return True
    if invoke.integration.pattern and execution.identity.nesting >= DEEPEST:
        _fail_as_too_deep(driver, execution, invoke)
        return True
    child = _child(driver, execution, invoke, machine)
    if child.identity.seed != _seed(execution, invoke) and not _same(child, invoke):
        failure = refused(invoke, execution_exists(child.arn))
        driver.later(execution, "failed", invoke.key, failure)
        return True
    started = _started(execution, invoke, child)
    pattern = invoke.integration.pattern
    if not pattern:
        driver.later(execution, "succeeded", invoke.key, started)
        return True
    driver.later(execution, "submitted", invoke.key, started)
    if is_job(invoke):
        _watch(driver, execution, invoke, child)
    else:
        driver.leave_open(execution, invoke)
    return True


def watch_again(driver: Delivery, execution: Running, invoke: Invoke) -> None:
    """Wait again, after a crash, for the execution that a job started, or for somebody outside."""
    machine = _machine(driver, invoke) if is_job(invoke) else None
    if machine is None:
        driver.leave_open(execution, invoke)
    else:
        _watch(driver, execution, invoke, _child(driver, execution, invoke, machine))


def _started(execution: Running, invoke: Invoke, child: Running) -> dict[str, Any]:
    """Return the answer to the request.

    Fact 237: that of the SDK integration has no metadata, and its date is a text.
    """
    now = execution.clock.now()
    if invoke.integration.action == SDK:
        return {"ExecutionArn": child.arn, "StartDate": format_timestamp(now)}
    request_id = execution.identity.uuid(f"request/{invoke.key}")
    return {
        "ExecutionArn": child.arn,
        **metadata(request_id, "application/x-amz-json-1.0"),
        "StartDate": round(now * 1000),
    }


def has_handler(driver: Delivery, invoke: Invoke) -> bool:
    """Return whether a handler was given for a call; one that can't be loaded was."""
    try:
        return driver.handlers.find(invoke) is not None
    except HandlerLoadError:
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
    """Return what to start; None where nothing says which machines there are.

    Raises ApiError for what is none of those that there are.
    """
    arn = str(invoke.arguments.get("StateMachineArn"))
    # A machine of the library has a name only.
    name = arn.partition(":stateMachine:")[2].partition(":")[0] or arn.rpartition(":")[2]
    refusal = no_machine(arn)
    for key in (arn, name):
        try:
            return driver.machines[key]
        except KeyError as missing:
            if key == arn and isinstance(missing.__cause__, ApiError):
                refusal = missing.__cause__
    if driver.knows_machines:
        raise refusal
    return None


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
        asynchronous=True,
        job_of=execution.arn if is_job(invoke) else None,
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
    # One that runs elsewhere (it is set aside here) can't be waited for.
    waited_for = child.set_aside and is_job(invoke)
    return not child.ended and not waited_for and child.engine.input == loads(input_text(invoke))


def input_text(invoke: Invoke) -> str:
    """Return the input that such a call starts an execution with."""
    argument = invoke.arguments.get("Input")
    return argument if isinstance(argument, str) else dumps({} if argument is None else argument)


def _watch(driver: Delivery, execution: Running, invoke: Invoke, child: Running) -> None:
    ended = partial(_job_ended, driver, execution, invoke)
    if child.ended:
        ended(child)
    else:
        execution.jobs[invoke.key] = child
        child.when_ended = partial(driver.guard, execution, ended)


class Cuts:
    """Aborts the children of jobs that nobody waits for any more (fact 134)."""

    def __init__(self, driver: Delivery) -> None:
        self._driver = driver
        self._waiting: deque[tuple[Running, str]] = deque()

    def cut(self, parent: Running, key: str) -> None:
        """Abort the child of this job, if it still runs."""
        child = parent.jobs.pop(key, None)
        if child is None or child.ended:
            return
        child.when_ended = None
        self._waiting.append((child, cut_off_cause(parent.arn)))
        # Its own children follow in the same loop, however long the chain is.
        if len(self._waiting) == 1:
            while self._waiting:
                child, cause = self._waiting[0]
                self._driver.guard(child, self._driver.stop, child, None, cause)
                self._waiting.popleft()


def cut_off_cause(arn: str) -> str:
    """Return why a child was aborted that the execution with this ARN no longer waits for."""
    return (
        f"The Task state in AWS Step Functions execution [{arn}] which was managing this resource "
        "was aborted"
    )


def is_cut_off(child: Identity, parent: Journal, waiting: Collection[str]) -> bool:
    """Return whether a job's parent no longer waits for it: as `Cuts` knows, but from the journal.

    `waiting`: the keys of the parent's calls that have no answer yet. A task that was answered,
    be it by its token, does not cut its child off.
    """
    key = child.seed.removeprefix(f"{parent.header.identity.seed}/")
    answered = {fact.key for fact in parent.facts if fact.kind in ("succeeded", "failed")}
    return key not in waiting and key not in answered


def _job_ended(driver: Delivery, parent: Running, invoke: Invoke, child: Running) -> None:
    # Facts 115 and 135: texts for `.sync`, values for `.sync:2`; a child that failed is
    # States.TaskFailed.
    parent.jobs.pop(invoke.key, None)
    if child.failure == _TOO_DEEP:
        # The whole chain fails: retriers along it would double the work at every level.
        _fail_as_too_deep(driver, parent, invoke)
        return
    described_child = described(child.journal, driver.persistence.started_as(child))
    if child.status != "SUCCEEDED":
        failure = {"error": "States.TaskFailed", "cause": dumps(described_child)}
        driver.later(parent, "failed", invoke.key, failure)
        return
    if invoke.integration.pattern == "sync:2":
        described_child["Input"] = loads(described_child["Input"])
        described_child["Output"] = loads(described_child["Output"])
    driver.later(parent, "succeeded", invoke.key, described_child)


def described(journal: Journal, started_as: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an execution that has ended as DescribeExecution does, for a job's task.

    Members in PascalCase and in the order of the alphabet, dates in epoch milliseconds.
    `journal`: facts and the last event suffice. `started_as`: the version and the alias, by the
    names of their members.

    Fact 135: the error of a timeout of the execution itself is in its history alone.
    """
    identity, started = journal.header.identity, journal.entries[0]
    assert isinstance(started, Fact)
    _, _, last, stopped_at, details = journal.end
    status, details = TERMINAL[last], details or {}
    redriven = [entry.at for entry in journal.entries if entry[0] == "redriven"]
    failure, output, why_not = {}, {}, _SUCCEEDED
    if status == "SUCCEEDED":
        output = {"Output": details["output"], "OutputDetails": {"Included": True}}
    else:
        why_not = "" if journal.redrivable else _FULL
        if status != "TIMED_OUT":
            failure = {name.title(): text for name, text in sorted(details.items())}
    members: dict[str, Any] = {
        **failure,
        "ExecutionArn": identity.arn,
        "Input": started.data,
        "InputDetails": {"Included": True},
        "Name": identity.name,
        **output,
        "RedriveCount": len(redriven),
        **({"RedriveDate": round(redriven[-1] * 1000)} if redriven else {}),
        "RedriveStatus": "NOT_REDRIVABLE" if why_not else "REDRIVABLE",
        **({"RedriveStatusReason": why_not} if why_not else {}),
        "StartDate": round(started.at * 1000),
        "StateMachineArn": identity.machine_arn,
        "Status": status,
        "StopDate": round(stopped_at * 1000),
    }
    return dict(sorted({**members, **started_as}.items())) if started_as else members


def refused(invoke: Invoke, error: ApiError) -> dict[str, str]:
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
