"""The machines of executions that `doorstep.start` began, as code of the user's own calls them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ..engine import Header, Identity
from ..errors import ApiError, DoorstepError, InputError
from ..model.aws_errors import (
    execution_exists,
    invalid_input,
    invalid_output,
    invalid_token,
    task_timed_out,
)
from ..model.aws_model import check_request
from ..runtime import Driver, Handlers, OneSource, Running, Startable
from ..values.json_values import loads

log = logging.getLogger("doorstep")
_ENDS = {
    "SendTaskFailure": "failed",
    "SendTaskHeartbeat": "heartbeat",
    "SendTaskSuccess": "succeeded",
}


class OwnMachines:
    """Answers StartExecution, DescribeExecution, StopExecution and what is sent for task tokens."""

    def __init__(self, functions: Sequence[OneSource] = ()) -> None:
        """Know the functions; drivers join as their executions start."""
        self._functions = Handlers(functions)
        self._drivers: list[Driver] = []
        self._machines: dict[str, Startable] = {}

    def join(self, driver: Driver, machines: Mapping[str, Startable]) -> None:
        """Let requests reach a driver's executions, and start machines by their names."""
        self._drivers.append(driver)
        self._machines |= machines

    @property
    def handlers(self) -> Handlers:
        """What answers functions: for the execution that was started last."""
        return self._drivers[-1].handlers if self._drivers else self._functions

    def answer(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """Answer an operation; raise ApiError."""
        if operation in _ENDS:
            return self._send(operation, check_request(operation, members))
        own = {
            "DescribeExecution": self._describe,
            "ListStateMachines": self._list,
            "StartExecution": self._start,
            "StopExecution": self._stop,
        }.get(operation)
        if own is None:
            raise ApiError(
                "UnknownOperationException",
                f"{operation} is not answered by a run in this process, only StartExecution, "
                "DescribeExecution, StopExecution, ListStateMachines and SendTask…; "
                "`doorstep serve` answers all",
            )
        return own(check_request(operation, members))

    def send(self, operation: str, members: dict[str, Any]) -> None:
        """Do an operation; log a refusal, as nobody waits for the answer."""
        try:
            self.answer(operation, members)
        except ApiError as refused:
            log.warning("%s was refused: %s", operation, refused)

    def _send(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        token, data = members["taskToken"], None
        if operation == "SendTaskSuccess":
            try:
                data = loads(members["output"])
            except InputError as problem:
                raise invalid_output(problem) from None
        elif operation == "SendTaskFailure":
            data = {name: members.get(name) for name in ("error", "cause")}
        for driver in reversed(self._drivers):
            try:
                sent = driver.send(token, _ENDS[operation], data)  # type: ignore[arg-type]
            except KeyError:
                continue
            if sent:
                return {}
            raise task_timed_out()
        raise invalid_token()

    def _start(self, members: dict[str, Any]) -> dict[str, Any]:
        arn = members["stateMachineArn"]
        machine = self._machines.get(arn.rpartition(":")[2])
        if machine is None or not self._drivers:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        driver, text = self._drivers[-1], members.get("input", "{}")
        try:
            value = loads(text)
        except InputError as problem:
            raise invalid_input(str(problem)) from None
        name = members.get("name") or str(uuid.uuid4())
        identity = Identity(
            name=name, seed=name, machine=machine.name, type=machine.type, role=machine.role
        )
        there = driver.find(identity.arn)
        if there is not None:
            if there.ended or there.engine.input != value:
                raise execution_exists(identity.arn)
            return {"executionArn": identity.arn, "startDate": there.events[0].at}
        header = Header.of(machine.definition, identity)
        driver.start(machine.program, header, text)
        return {"executionArn": identity.arn, "startDate": driver.clock.now()}

    def _list(self, _members: dict[str, Any]) -> dict[str, Any]:
        def entry(one: Startable) -> dict[str, Any]:
            arn = Identity(name="n", seed="s", machine=one.name, role=one.role).machine_arn
            return {"stateMachineArn": arn, "name": one.name, "type": one.type, "creationDate": 0}

        return {"stateMachines": [entry(one) for _, one in sorted(self._machines.items())]}

    def _found(self, members: dict[str, Any]) -> tuple[Driver, Running]:
        arn = members["executionArn"]
        for driver in reversed(self._drivers):
            if execution := driver.find(arn):
                return driver, execution
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")

    def _describe(self, members: dict[str, Any]) -> dict[str, Any]:
        _, one = self._found(members)
        shown = {
            "executionArn": one.arn,
            "stateMachineArn": one.identity.machine_arn,
            "name": one.name,
            "status": "RUNNING" if one.status == "NOT_STARTED" else one.status,
            "startDate": one.events[0].at if one.events else 0,
            "stopDate": one.events[-1].at if one.ended else None,
            "input": (one.events[0].details or {}).get("input") if one.events else None,
            "output": (one.events[-1].details or {}).get("output") if one.ended else None,
            "error": one.error,
            "cause": one.cause,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def _stop(self, members: dict[str, Any]) -> dict[str, Any]:
        driver, execution = self._found(members)
        error, cause = members.get("error"), members.get("cause")

        def stop() -> bool:
            try:
                driver.stop(execution, error, cause)
            except DoorstepError:
                return False
            return True

        execution.clock.submit(stop)
        return {"stopDate": execution.clock.now()}
