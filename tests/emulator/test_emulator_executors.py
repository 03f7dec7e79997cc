"""Children of map runs that a server runs in other processes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.errors import InputError
from doorstep_emulator import Options, running

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
HANDLERS = """
import os, pathlib, time

FOLDER = pathlib.Path(__file__).parent

def work(event, context):
    with open(FOLDER / "calls", "a") as file:
        file.write(f"{event} {context.idempotency_key} {os.getpid()}\\n")
    while event == 3 and not (FOLDER / "open").exists():
        time.sleep(0.01)
    if event == 5 and not (FOLDER / "whole").exists():
        raise ValueError("five")
    return event * 2
"""


class Place:
    """A store, and the servers that one after another have it."""

    def __init__(self, folder: Path, client: Callable[..., Any], until: Callable[..., Any]) -> None:
        self.folder, self.client, self.until = folder, client, until
        (folder / "handlers.py").write_text(HANDLERS)
        self.options = Options(
            port=0,
            db=str(folder / "doorstep.db"),
            handlers=str(folder / "handlers.py"),
            executors={"*": "processes:2"},
            grace=0,
        )

    def create(self, name: str) -> None:
        (self.folder / name).touch()

    def begin(self, client: Any, kind: str, items: list[int], **fields: Any) -> str:
        state = {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
                "StartAt": "Item",
                "States": {"Item": {"Type": "Task", "Resource": FUNCTION + "work", "End": True}},
            },
            "End": True,
            **fields,
        }
        definition = json.dumps({"StartAt": "Items", "States": {"Items": state}})
        machine = client.create_state_machine(name=kind, definition=definition, roleArn=ROLE)
        started = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], input=json.dumps(items)
        )
        return str(started["executionArn"])

    def ended(self, client: Any, arn: str) -> Any:
        def look() -> Any:
            answer = client.describe_execution(executionArn=arn)
            return answer if answer["status"] != "RUNNING" else None

        return self.until(look)

    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def place(tmp_path: Path, aws: Callable[..., Any], eventually: Callable[..., Any]) -> Place:
    return Place(tmp_path, aws, eventually)


def map_run(client: Any, arn: str) -> Any:
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    return client.describe_map_run(mapRunArn=run["mapRunArn"])


def listed(client: Any, arn: str) -> list[Any]:
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    return list(client.list_executions(mapRunArn=run["mapRunArn"])["executions"])


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_children_run_in_other_processes(place: Place, kind: str) -> None:
    place.create("open")
    place.create("whole")
    with running(place.options) as url:
        client = place.client(url)
        arn = place.begin(client, kind, [*range(40)])
        assert json.loads(place.ended(client, arn)["output"]) == [n * 2 for n in range(40)]
        rows = listed(client, arn)
        assert {row["status"] for row in rows} == {"SUCCEEDED"}
        assert all(row["startDate"] <= row["stopDate"] for row in rows)
        assert len(rows) == map_run(client, arn)["executionCounts"]["succeeded"] == 40
        if kind == "STANDARD":
            told = client.get_execution_history(executionArn=rows[0]["executionArn"])["events"]
            types = [event["type"] for event in told]
            assert types[0] == "ExecutionStarted"
            assert types[-3:] == [
                "LambdaFunctionSucceeded",
                "TaskStateExited",
                "ExecutionSucceeded",
            ]
    assert str(os.getpid()) not in {process for _, _, process in place.calls()}


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_what_failed_is_redriven_after_a_restart(place: Place, kind: str) -> None:
    place.create("open")
    with running(place.options) as url:
        client = place.client(url)
        arn = place.begin(client, kind, [4, 5, 6])
        assert place.ended(client, arn)["status"] == "FAILED"
    before = place.calls()
    place.create("whole")
    with running(place.options) as url:
        client = place.client(url)
        client.redrive_execution(executionArn=arn)
        assert json.loads(place.ended(client, arn)["output"]) == [8, 10, 12]
        rows = listed(client, arn)
        assert len(rows) == 3
        assert 1 in {row["redriveCount"] for row in rows}
    again = Counter((item, key) for item, key, _ in place.calls()[len(before) :])
    succeeded = {item for item, _, _ in before} - {item for item, _ in again}
    assert "5" not in succeeded
    assert {key for _, key in again} <= {key for _, key, _ in place.calls()}


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_server_that_ends_in_the_midst_loses_nothing(place: Place, kind: str) -> None:
    place.create("whole")
    with running(place.options) as url:
        client = place.client(url)
        arn = place.begin(client, kind, [*range(40)])
        place.until(lambda: map_run(client, arn)["itemCounts"]["succeeded"] == 30)
        assert map_run(client, arn)["itemCounts"]["running"] == 10
    place.create("open")
    with running(place.options) as url:
        client = place.client(url)
        assert json.loads(place.ended(client, arn)["output"]) == [n * 2 for n in range(40)]
        assert len(listed(client, arn)) == 40
    calls = place.calls()
    assert len({key for _, key, _ in calls}) == 40
    # The batch of the one that had not ended, and no other, has run twice.
    assert {item for item, count in Counter(item for item, *_ in calls).items() if count > 1} <= {
        str(n) for n in range(10)
    }


@pytest.mark.parametrize("where", ["inline", "processes:2"])
def test_stopping_an_execution_ends_its_workers(place: Place, where: str) -> None:
    with running(replace(place.options, executors={"*": where})) as url:
        client = place.client(url)
        arn = place.begin(client, "EXPRESS", [3, 3, 3])
        place.until(lambda: place.calls())
        client.stop_execution(executionArn=arn)
        place.until(lambda: map_run(client, arn)["itemCounts"]["running"] == 0)
        assert map_run(client, arn)["itemCounts"]["aborted"] == 3
        (worker,) = {int(process) for _, _, process in place.calls()}
        place.until(lambda: worker == os.getpid() or not alive(worker))
        place.create("open")
        assert {row["status"] for row in listed(client, arn)} == {"ABORTED"}


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_executor_that_is_none_is_refused(place: Place) -> None:
    wrong = replace(place.options, executors={"Items": "nowhere"})
    with pytest.raises(InputError, match="there are inline, processes"), running(wrong):
        raise AssertionError
