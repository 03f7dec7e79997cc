"""kill -9 at random moments: every Standard execution ends with the history it would have had."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import BotoCoreError  # noqa: E402

KILLS, EXECUTIONS = map(int, os.environ.get("DOORSTEP_KILL_TEST", "6x10").split("x"))
"""KILLSxEXECUTIONS: 50x1000 in the environment is the size of the issue."""

PATIENCE = 40.0
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
HANDLERS = """
import json, pathlib, time

FOLDER = pathlib.Path(__file__).parent

def note(name, context, **more):
    with open(FOLDER / name, "a") as file:
        file.write(json.dumps({"key": context.idempotency_key, **more}) + "\\n")

def slow(event, context):
    note("calls", context, attempt=context.attempt)
    time.sleep(0.05)
    return event

def flaky(event, context):
    note("calls", context, attempt=context.attempt)
    if context.attempt < 2:
        raise ValueError("not yet")
    return {"attempts": context.attempt}

def ask(event, context):
    note("tokens", context, token=event["token"])

def later(event, context):
    import doorstep
    note("calls", context, attempt=context.attempt)
    return doorstep.answer("later", after=0.3)
"""


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + name, **fields}


def single(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


CHILD = {
    "StartAt": "Rest",
    "States": {"Rest": {"Type": "Wait", "Seconds": 1, "Next": "Do"}, "Do": task("slow", End=True)},
}
RETRY = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "BackoffRate": 1}]
BRANCHES = [
    single("Rest", {"Type": "Wait", "Seconds": 1}),
    single("Flaky", task("flaky", Retry=RETRY)),
    single("Later", task("later")),
    single(
        "Ask",
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
        },
    ),
    single(
        "Nested",
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {
                "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:child",
                "Input": {"nested": True},
            },
            "ResultSelector": {"output.$": "$.Output"},
        },
    ),
    single(
        "Run",
        {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                **single("Child", task("slow")),
            },
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
        },
    ),
]
DEFINITION = {
    "StartAt": "All",
    "States": {
        "All": {"Type": "Parallel", "Branches": BRANCHES, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemProcessor": single("Item", task("slow")),
            "ItemsPath": "$[5]",
            "MaxConcurrency": 2,
            "Next": "Last",
        },
        "Last": task("slow", End=True),
    },
}


class Served:
    """A server in a process of its own, killed and started again on the same store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "handlers.py").write_text(HANDLERS)
        self.url = ""
        self.process: subprocess.Popen[str]
        self.start(port=0)

    def start(self, port: int) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", "from doorstep_cli.main import entry; entry()", "serve"),
                *("--port", str(port), "--db", str(self.folder / "doorstep.db")),
                *("--handlers", str(self.folder / "handlers.py")),
                *("--events", str(self.folder / "events")),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, line
        self.url = found[0]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def kill_and_restart(self) -> None:
        port = int(self.url.rpartition(":")[2])
        self.kill()
        self.start(port)

    def client(self) -> Any:
        config = Config(retries={"max_attempts": 10, "mode": "standard"}, read_timeout=10)
        return boto3.client(
            "stepfunctions",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=config,
        )

    def notes(self, name: str) -> list[dict[str, Any]]:
        file = self.folder / name
        # A line that the kill cut off is not a call that began.
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = Served(tmp_path)
    yield server
    server.kill()


def eventually(act: Callable[[], Any]) -> Any:
    """What an act gives once it gives something, however often the server dies meanwhile."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if result := act():
                return result
        except BotoCoreError:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def answer_tokens(served: Served, stop: threading.Event) -> None:
    client, answered = served.client(), set[str]()
    while not stop.is_set():
        for note in served.notes("tokens"):
            if note["token"] in answered:
                continue
            try:
                client.send_task_success(taskToken=note["token"], output='"approved"')
            except client.exceptions.TaskTimedOut:
                # Answered before the kill, though the answer's answer was lost.
                pass
            except BotoCoreError:
                continue
            answered.add(note["token"])
        stop.wait(0.05)


JOINS = ("ParallelStateSucceeded", "ParallelStateExited", "MapStateSucceeded", "MapStateExited")
"""They follow whichever branch or iteration ended last, as does the iteration that comes next."""


def chains(events: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    """The history without what time decides: for every event the types that led to it."""
    by_id = {event["id"]: event for event in events}

    def chain(event: dict[str, Any] | None) -> Iterator[str]:
        while event is not None:
            yield event["type"]
            joins = event["type"] in (*JOINS, "MapIterationStarted")
            event = None if joins else by_id.get(event["previousEventId"])

    return Counter(tuple(chain(event)) for event in events)


def history(client: Any, arn: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def test_every_execution_ends_as_if_nobody_had_killed_the_server(served: Served) -> None:
    random.seed(7)
    client = served.client()
    for name, definition in (("child", CHILD), ("main", DEFINITION)):
        client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:main"
    stop = threading.Event()
    answering = threading.Thread(target=answer_tokens, args=(served, stop), daemon=True)
    answering.start()
    given = json.dumps({"items": [1, 2, 3]})

    def start(name: str) -> Any:
        return lambda: client.start_execution(stateMachineArn=machine, name=name, input=given)

    def ended(arn: str) -> Any:
        return lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING"

    undisturbed = eventually(start("undisturbed"))["executionArn"]
    eventually(ended(undisturbed))
    arns = []
    kills = 0
    for number in range(EXECUTIONS):
        arns.append(eventually(start(f"run-{number}"))["executionArn"])
        if kills < KILLS and number >= EXECUTIONS - KILLS:
            time.sleep(random.uniform(0.0, 0.5))
            served.kill_and_restart()
            kills += 1
    for arn in arns:
        eventually(ended(arn))
    stop.set()
    answering.join()

    expected = history(client, undisturbed)
    assert expected[-1]["type"] == "ExecutionSucceeded"
    for arn in arns:
        events = history(client, arn)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        assert [event["timestamp"] for event in events] == sorted(e["timestamp"] for e in events)
        assert Counter(e["type"] for e in events) == Counter(e["type"] for e in expected)
        assert chains(events) == chains(expected)
        output = client.describe_execution(executionArn=arn)["output"]
        assert output == client.describe_execution(executionArn=undisturbed)["output"]
    assert kills == KILLS
    # A call is repeated under its own key only: as many keys as without a kill.
    keys = {note["key"] for note in served.notes("calls")}
    of_one = {key for key in keys if ":undisturbed#" in key}
    assert of_one
    for arn in arns:
        assert len({key for key in keys if key.startswith(f"{arn}#")}) == len(of_one)
    check_what_was_told(client, served.notes("events"))


def check_what_was_told(client: Any, told: list[dict[str, Any]]) -> None:
    """No status change twice, and none that a kill has undone."""
    assert len({one["id"] for one in told}) == len(told) > 0
    for detail in (one["detail"] for one in told):
        there = client.describe_execution(executionArn=detail["executionArn"])
        assert detail["startDate"] == pytest.approx(milliseconds(there["startDate"]), abs=1)
        if detail["status"] != "RUNNING":
            assert detail["status"] == there["status"]
            assert detail["stopDate"] == pytest.approx(milliseconds(there["stopDate"]), abs=1)


def milliseconds(date: Any) -> float:
    # boto3 cuts off what is less than a microsecond: half a millisecond may round either way.
    return float(date.timestamp() * 1000)
