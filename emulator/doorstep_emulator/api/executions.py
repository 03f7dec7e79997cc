"""Executions: start, stop, redrive."""

from __future__ import annotations

import uuid
from dataclasses import replace
from secrets import token_hex
from typing import Any

from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header
from doorstep.engine.messages import Event, Fact
from doorstep.errors import ApiError, DoorstepError, InputError
from doorstep.model.aws_errors import (
    execution_exists,
    invalid_input,
    invalid_request,
    no_execution,
    wrong_type,
)
from doorstep.runtime import Running
from doorstep.values import jackson
from doorstep.values.json_values import loads

from ..arns import Caller, parse
from ..catalogue import StartTarget
from ..clock import Pace, Timeline
from ..dispatch import Operations, Waiting
from ..responses import why_not_redrivable
from ..server import Server
from ..store.peers import Members
from ..store.store import Row
from .resources import check_name

CLOCK_TAG = "doorstep:clock"
"""The tag of a state machine that says which clock its executions have."""
_NO_INPUT = "Invalid execution input."
_TOKEN_LIFE, _TOKENS = 15 * 60, 10
"""Seconds for which a clientToken counts, and how many of an execution (fact 506)."""
_RETENTION = 90 * 86_400
"""Seconds after its end for which an execution has its name (fact 522)."""


def start_execution(server: Server, caller: Caller, request: Members) -> Members | Waiting:
    """StartExecution; the same name and input again return the one that runs (facts 111, 455)."""
    target = _target(server, request)
    name, text = _name(request), _input(request)
    identity = _identity(server, target, name, asynchronous=True)
    if "name" in request and _is_taken(server, identity.arn):
        # It may be about to start: look at it when it has.
        return server.once_done(lambda: _started_again(server, target, identity.arn, text))
    execution = _start(server, caller, target, identity, text, request)
    return server.once_done(lambda: _started(server, target, execution, text))


def _started(server: Server, target: StartTarget, execution: Running, text: str) -> Members:
    if execution.set_aside and server.store.row(execution.arn):
        # Another server has begun one of the same name at the same time.
        return _started_again(server, target, execution.arn, text)
    if execution.set_aside or execution.events[0].type != "ExecutionStarted":
        raise DoorstepError(execution.cause or f"{execution.arn} could not be started")
    return {"executionArn": execution.arn, "startDate": execution.engine.started_at}


def start_sync_execution(server: Server, caller: Caller, request: Members) -> Waiting:
    """StartSyncExecution: answered when the Express execution has ended (facts 456, 457)."""
    target = _target(server, request)
    if target.machine.type != "EXPRESS":
        raise wrong_type()
    name, text = _name(request), _input(request)
    identity = _identity(server, target, name, asynchronous=False)

    def begin(reply: Any) -> None:
        execution = _start(server, caller, target, identity, text, request)
        execution.when_ended = lambda ended: reply(_ended(ended, text, request))

    return Waiting(begin)


def stop_execution(server: Server, caller: Caller, request: Members) -> Members:
    """StopExecution; for one that has ended it returns when (fact 100)."""
    row = existing(server, request)
    why = {"error": request.get("error"), "cause": request.get("cause")}
    if execution := server.driver.executions.get(row.arn):
        server.driver.stop(execution, **why)
    elif row.status == "RUNNING":
        server.recorder.abort(row, **why)
    return {"stopDate": row.stopped}


def redrive_execution(server: Server, caller: Caller, request: Members) -> Members:
    """RedriveExecution; the same clientToken again redrives nothing (facts 500, 506)."""
    row = existing(server, request)
    token, now = request.get("clientToken"), server.clock.now()
    done = server.store.get("redrives", row.arn) or {} if token is not None else {}
    if token in done and now - done[token]["asked"] < _TOKEN_LIFE:
        return {"redriveDate": done[token]["redriveDate"]}
    own = f"Execution is {row.status} and cannot be redriven"
    if why := own if row.map_run else redrive_refusal(server, row, last_event(server, row)):
        raise _not_redrivable(row, why)
    execution = server.driver.find(row.arn)
    if execution is None or not execution.engine.redrivable:
        raise _not_redrivable(row, own)
    server.driver.redrive(execution)
    redriven = execution.engine.redriven_at
    if token is not None:
        done.pop(token, None)
        done[token] = {"asked": now, "redriveDate": redriven}
        # In the transaction of the redrive itself.
        server.store.put("redrives", row.arn, dict([*done.items()][-_TOKENS:]))
    return {"redriveDate": redriven}


def skip_ahead(server: Server, arn: str) -> Members:
    """Let the time of an execution jump to its next timer; no operation of AWS's.

    Raises ApiError where its time is the machine's, a handler runs, or nothing is to come.
    """
    row = existing(server, {"executionArn": arn})
    execution = server.driver.executions.get(arn)
    if execution is None or execution.ended:
        raise invalid_request(f"Execution is {row.status}: it has no timers: '{arn}'")
    if not isinstance(execution.clock, Timeline):
        message = "its clock is real; start it with the clock virtual, or a speed such as 60"
        raise invalid_request(f"Time can't be skipped: {message}: '{arn}'")
    if not execution.clock.skip():
        message = "a handler is at work, or no timer is to come"
        raise invalid_request(f"Time can't be skipped: {message}: '{arn}'")
    return {"now": execution.clock.now(), "fired": []}


def existing(server: Server, request: Members) -> Row:
    """Return the execution that a request names; raise InvalidArn, ExecutionDoesNotExist.

    Facts 110 and 456.
    """
    arn = parse(request["executionArn"], "execution").text
    row = server.row(arn)
    if row is None:
        raise no_execution(arn)
    return row


def describable(server: Server, request: Members) -> Row:
    """Return the execution that DescribeExecution names: also an Express child of a map run.

    Fact 456. Raises as `existing` does.
    """
    row = server.row(parse(request["executionArn"], "execution", "express").text)
    return row if row and (row.durable or row.map_run) else existing(server, request)


def timeline(server: Server, request: Members) -> str | None:
    """Return the timeline of the execution that a request names, if there is one."""
    if "executionArn" not in request:
        return None
    row = server.row(parse(request["executionArn"], "execution").text)
    return row.timeline if row else None


def last_event(server: Server, row: Row) -> int:
    """Return the id of an execution's last event."""
    execution = server.driver.executions.get(row.arn)
    return len(execution.events) if execution else server.store.last_event(row.id)


def events_of(server: Server, row: Row, first: int, last: int) -> list[Event]:
    """Return the events of an execution with ids from `first` to `last`."""
    execution = server.driver.executions.get(row.arn)
    if execution is not None:
        return execution.events[first - 1 : last]
    return server.store.events(row.id, first, last)


def input_and_end(server: Server, row: Row) -> tuple[str, Event]:
    """Return the input of an execution, JSON text, and its last event."""
    execution = server.driver.executions.get(row.arn)
    if execution is not None:
        first, end = execution.events[0], execution.events[-1]
    elif row.condensable:
        # Of one that has ended, facts and the last event are stored.
        started, *_, last = server.store.journal(row.id)
        assert isinstance(started, Fact)
        assert isinstance(last, Event)
        return str(started.data), last
    else:
        first, end = server.store.ends(row.id)
    return (first.details or {})["input"], end


def redrive_refusal(server: Server, row: Row, events: int) -> str | None:
    """Return why an execution with so many events can't be redriven now; None if it can.

    Facts 500 and 507.
    """
    machine = server.catalogue.machines.get(row.machine.partition("/")[0])
    deleting = machine is None or machine.deleting
    return why_not_redrivable(row, events, server.clock.now(), deleting=deleting)


def _not_redrivable(row: Row, why: str) -> ApiError:
    return ApiError("ExecutionNotRedrivable", f"{why}: '{row.arn}'")


def _target(server: Server, request: Members) -> StartTarget:
    """Return what to start for an ARN, with the test case that stands behind a `#` (fact 126)."""
    arn, sign, test_case = request["stateMachineArn"].partition("#")
    target = server.catalogue.target(arn)
    if not sign:
        return target
    server.test_cases.prepare(target.machine.name, test_case)
    return replace(target, test_case=test_case)


def _name(request: Members) -> str:
    return check_name(request["name"]) if "name" in request else str(uuid.uuid4())


def _input(request: Members) -> str:
    # Fact 455: the input is JSON, `{}` by default.
    text: str = request.get("input", "{}")
    try:
        jackson.loads(text)
    except jackson.JSONProblem as problem:
        raise invalid_input(str(problem) if text.strip() else _NO_INPUT) from None
    except RecursionError:
        raise invalid_input(_NO_INPUT) from None
    return text


def _is_taken(server: Server, arn: str) -> bool:
    """Return whether an execution has the name; one that ended long ago is deleted for it.

    Fact 522.
    """
    row = server.row(arn)
    if row and row.stopped and server.clock.now() - row.stopped > _RETENTION:
        server.recorder.forget(row)
        return False
    return row is not None or arn in server.driver.executions


def _identity(server: Server, target: StartTarget, name: str, *, asynchronous: bool) -> Identity:
    _, _, _, region, account, *_ = target.machine.arn.split(":")
    return Identity(
        name=name,
        seed=token_hex(16),
        machine=target.machine.name,
        type=target.machine.type,
        account=account,
        region=region,
        role=server.programs.of(target.revision).role,
        asynchronous=asynchronous,
    )


def _start(
    server: Server,
    caller: Caller,
    target: StartTarget,
    identity: Identity,
    text: str,
    request: Members,
) -> Running:
    startable = server.programs.startable(target, request.get("traceHeader"))
    clock = server.timelines.clock(_pace(server, caller, target), identity.arn)
    return server.driver.start(
        startable.program,
        Header.of(startable.definition, identity),
        text,
        clock,
    )


def _pace(server: Server, caller: Caller, target: StartTarget) -> Pace:
    """Return the request's clock (X-Doorstep-Clock), else the machine's (its tag), else ours."""
    named = caller.clock or target.machine.tags.get(CLOCK_TAG)
    try:
        return server.pace if named is None else Pace.of(named)
    except InputError as problem:
        raise invalid_request(str(problem)) from None


def _started_again(server: Server, target: StartTarget, arn: str, text: str) -> Members:
    # Fact 111: the same input, while it runs.
    row = server.row(arn)
    running = row and row.status == "RUNNING" and row.test_case == target.test_case
    if row and running and loads(input_and_end(server, row)[0]) == loads(text):
        return {"executionArn": row.arn, "startDate": row.started}
    raise execution_exists(arn)


def _ended(execution: Running, text: str, request: Members) -> Members:
    # Fact 457: what a failed one leaves out, and how time is billed.
    engine, identity = execution.engine, execution.identity
    succeeded = execution.status == "SUCCEEDED"
    whole = request.get("includedData") != "METADATA_ONLY"
    milliseconds = (engine.now - engine.started_at) * 1000
    members = {
        "executionArn": execution.arn,
        "stateMachineArn": identity.machine_arn,
        "name": identity.name,
        "startDate": engine.started_at,
        "stopDate": engine.now,
        "status": execution.status,
        "error": execution.error,
        "cause": execution.cause if whole else None,
        "input": text if whole else None,
        "inputDetails": {"included": whole},
        "output": (engine.history[-1].details or {}).get("output") if whole and succeeded else None,
        "outputDetails": {"included": whole},
        "traceHeader": request.get("traceHeader"),
        "billingDetails": {
            "billedMemoryUsedInMB": 64,
            "billedDurationInMilliseconds": 100 * max(1, -int(-milliseconds // 100)),
        },
    }
    return {name: value for name, value in members.items() if value is not None}


OPERATIONS: Operations = {
    "StartExecution": start_execution,
    "StartSyncExecution": start_sync_execution,
    "StopExecution": stop_execution,
    "RedriveExecution": redrive_execution,
}
