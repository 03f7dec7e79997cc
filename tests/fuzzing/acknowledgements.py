"""What a server has acknowledged has happened, what it has refused has not: also after restarts.

Requests come one after another; the server's thread, its timers and its calls run meanwhile. The
law holds however they interleave. Time passes so fast that limits are over at once, or while the
server is down, or so slowly that none ever is, or it jumps.
"""

from __future__ import annotations

import http.client
import json
import logging
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

from doorstep import Answer
from doorstep_emulator import Options, running

PREFIX = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/any"
CLOCKS = {"fast": "1000000", "brisk": "20", "frozen": "0.000001", "virtual": "virtual"}
CALLBACK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
    "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    "End": True,
}
SLOW = {**CALLBACK, "Parameters": {"FunctionName": "slow", "Payload": {}}}
HANDLERS = """
import pathlib, time

def slow(event):
    while not pathlib.Path(__file__).with_name("open").exists():
        time.sleep(0.002)
"""
"""A request that is not answered until there is a file; the task's end may come before."""
PATIENCE = 20.0
"""Seconds for what waits for such an answer."""


def one(state: dict[str, Any], name: str = "A") -> dict[str, Any]:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


def after(state: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    states = {"A": {**state, "Next": "B"}, "B": {**then, "End": True}}
    del states["A"]["End"]
    return {"StartAt": "A", "States": states}


MACHINES = {
    "asks": one(CALLBACK),
    "asks-briefly": one({**CALLBACK, "TimeoutSeconds": 1}),
    "beats": one({**CALLBACK, "HeartbeatSeconds": 1, "TimeoutSeconds": 900}),
    "asks-slowly": one(SLOW),
    "asks-slowly-and-briefly": one({**SLOW, "TimeoutSeconds": 1}),
    "asks-twice": one({"Type": "Parallel", "Branches": [one(CALLBACK, "L"), one(CALLBACK, "R")]}),
    "waits": after(CALLBACK, {"Type": "Wait", "Seconds": 3600}),
    "maps": one(
        {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                **one(CALLBACK, "Item"),
            },
        }
    ),
}
INPUTS = ['{"items":[1,2,3]}', '{"items":[4]}']
chosen = st.integers(0, 9)
steps = st.one_of(
    st.tuples(st.just("start"), st.sampled_from(list(MACHINES)), st.integers(0, 3), st.booleans()),
    st.tuples(st.sampled_from(["success", "failure", "heartbeat"]), chosen),
    st.tuples(st.sampled_from(["success", "failure", "heartbeat"]), chosen),
    st.tuples(st.sampled_from(["stop", "redrive"]), chosen),
    st.tuples(st.just("update"), chosen, st.integers(1, 9)),
    st.tuples(st.sampled_from(["settle", "settle", "restart", "open"])),
)
acknowledgements = st.fixed_dictionaries(
    {
        "clock": st.sampled_from(list(CLOCKS)),
        "steps": st.lists(steps.map(list), min_size=4, max_size=25),
    }
)


class World:
    """A server that is started again and again on one file, and what it has acknowledged."""

    def __init__(self, file: Path, clock: str) -> None:
        self.tokens: dict[str, str] = {}
        """Of the calls that were made: the execution of each token."""
        self.started: dict[str, str] = {}
        """Input by ARN of what was acknowledged."""
        self.ends: dict[str, list[str]] = {}
        """By token, the markers of the ends that were acknowledged."""
        self.refused: list[str] = []
        """Markers that no history may have."""
        self.redriven: dict[str, int] = {}
        file.with_name("handlers.py").write_text(HANDLERS)
        self._gate = file.with_name("open")
        self._options = Options(
            db=str(file),
            port=0,
            clock=CLOCKS[clock],
            grace=0,
            respond=self._respond,
            handlers=str(file.with_name("handlers.py")),
        )
        self._server = ExitStack()
        self._numbers = iter(range(1_000_000))
        self.open()

    def _respond(self, execution: Any, invoke: Any) -> Answer | None:
        self.tokens.setdefault(invoke.token, execution.arn)
        return None if "slowly" in execution.arn else Answer(response={})

    def open(self) -> None:
        url = self._server.enter_context(running(self._options))
        self._address = urlsplit(url).netloc

    def close(self) -> None:
        self._server.close()

    def ask(self, operation: str, **members: Any) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._address, timeout=30)
        target = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
        connection.request("POST", "/", json.dumps(members), target)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        assert answer.status in (200, 400), (operation, members, found)
        return answer.status, found

    def read(self, operation: str, **members: Any) -> Any:
        status, found = self.ask(operation, **members)
        assert status == 200, (operation, members, found)
        return found

    def marker(self) -> str:
        return f"marker-{next(self._numbers)}-"

    # Steps ---------------------------------------------------------------------------------------

    def start(self, machine: str, number: int, other: bool) -> None:
        arn = f"{PREFIX}:execution:{machine}:run-{number}"
        text = INPUTS[other]
        status, found = self.ask(
            "StartExecution",
            stateMachineArn=f"{PREFIX}:stateMachine:{machine}",
            name=f"run-{number}",
            input=text,
        )
        if status == 200:
            assert found["executionArn"] == arn
            assert self.started.setdefault(arn, text) == text
            described = self.read("DescribeExecution", executionArn=arn)
            assert described["startDate"] == found["startDate"]
        else:
            assert arn in self.started, found

    def end(self, kind: str, number: int) -> None:
        """Send an end of a task, or a heartbeat."""
        if not self.tokens:
            return
        token = list(self.tokens)[-1 - number % len(self.tokens)]
        marker = self.marker()
        operation, members = {
            "success": ("SendTaskSuccess", {"output": json.dumps(marker)}),
            "failure": ("SendTaskFailure", {"error": marker}),
            "heartbeat": ("SendTaskHeartbeat", {}),
        }[kind]
        status, found = self.ask(operation, taskToken=token, **members)
        ends = self.ends.setdefault(token, [])
        if status == 200:
            assert not ends, f"{kind} was acknowledged after an end of its task"
            if kind != "heartbeat":
                ends.append(marker)
                held = "slowly" in self.tokens[token]
                assert held or marker in self.history(self.tokens[token]), f"{kind} has no effect"
        else:
            assert found["__type"] == "TaskTimedOut", found
            self.refused.append(marker)

    def stop(self, number: int) -> None:
        if arn := self.pick(number):
            before = self.read("DescribeExecution", executionArn=arn)["status"]
            marker = self.marker()
            found = self.read("StopExecution", executionArn=arn, cause=marker)
            described = self.read("DescribeExecution", executionArn=arn)
            assert described["stopDate"] == found["stopDate"]
            if before != "RUNNING" or described["status"] != "ABORTED":
                self.refused.append(marker)
            else:
                assert described["cause"] == marker

    def redrive(self, number: int) -> None:
        if arn := self.pick(number):
            status, found = self.ask("RedriveExecution", executionArn=arn)
            self.redriven[arn] = self.redriven.get(arn, 0) + (status == 200)
            described = self.read("DescribeExecution", executionArn=arn)
            assert described["redriveCount"] == self.redriven[arn], (status, found)
            if status == 200:
                assert described["redriveDate"] == found["redriveDate"]

    def update(self, number: int, concurrency: int) -> None:
        if arn := self.pick(number):
            for run in self.read("ListMapRuns", executionArn=arn)["mapRuns"]:
                name = run["mapRunArn"]
                before = self.read("DescribeMapRun", mapRunArn=name)["maxConcurrency"]
                limit = {"mapRunArn": name, "maxConcurrency": concurrency}
                status, _ = self.ask("UpdateMapRun", **limit)
                now = self.read("DescribeMapRun", mapRunArn=name)["maxConcurrency"]
                assert now == (concurrency if status == 200 else before)

    def pick(self, number: int) -> str | None:
        return list(self.started)[number % len(self.started)] if self.started else None

    def take(self, step: list[Any]) -> None:
        match step:
            case "start", machine, number, other:
                self.start(machine, number, other)
            case ("success" | "failure" | "heartbeat") as kind, number:
                self.end(kind, number)
            case "stop", number:
                self.stop(number)
            case "redrive", number:
                self.redrive(number)
            case "update", number, concurrency:
                self.update(number, concurrency)
            case ["settle"]:
                self.read("ListActivities")
            case ["open"]:
                self._gate.touch()
            case ["restart"]:
                self.close()
                self.open()

    # In the end ----------------------------------------------------------------------------------

    def history(self, arn: str) -> str:
        found = self.read("GetExecutionHistory", executionArn=arn, maxResults=1000)
        return json.dumps(found["events"])

    def wait_for(self, marker: str, arn: str) -> None:
        """Wait until an acknowledged end has its effect: the answer to its task's request comes
        before it. A stop may come before that.
        """
        end = time.monotonic() + PATIENCE
        while marker not in (history := self.history(arn)):
            if "ExecutionAborted" in history and "TaskSubmitted" not in history:
                return
            assert time.monotonic() < end, f"{marker} was acknowledged and has no effect: {history}"
            time.sleep(0.005)

    def check(self) -> None:
        """Compare all that was acknowledged and refused with the histories."""
        for token, markers in self.ends.items():
            for marker in markers:
                self.wait_for(marker, self.tokens[token])
        for arn, text in self.started.items():
            described = self.read("DescribeExecution", executionArn=arn)
            assert described["input"] == text
            assert described["redriveCount"] == self.redriven.get(arn, 0)
        arns = {*self.started, *self.tokens.values()}
        histories = {arn: self.history(arn) for arn in arns}
        everything = "".join(histories.values())
        wrong = [marker for marker in self.refused if marker in everything]
        assert not wrong, f"refused, with an effect: {wrong}"


def have_their_effects(clock: str, steps: list[list[Any]]) -> None:
    """Take the steps; an AssertionError for an acknowledgement without its effect."""
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        world = World(Path(folder) / "doorstep.db", clock)
        try:
            for name, definition in MACHINES.items():
                text = json.dumps(definition)
                world.read("CreateStateMachine", name=name, definition=text, roleArn=ROLE)
            for step in steps:
                world.take(step)
            world.take(["restart"])
            world.take(["open"])
            world.check()
        finally:
            world.take(["open"])
            world.close()
            logging.disable(logging.NOTSET)
