"""Children of map runs that a server runs in other processes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.errors import InputError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
EndOf = Callable[[Any, str], Any]
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


@pytest.fixture
def servers(servers_with: Callable[..., Any]) -> Any:
    return servers_with(HANDLERS, executors={"*": "processes:2"})


def begin(client: Any, kind: str, items: list[int]) -> str:
    state = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind},
            "StartAt": "Item",
            "States": {"Item": {"Type": "Task", "Resource": FUNCTION + "work", "End": True}},
        },
        "End": True,
    }
    definition = json.dumps({"StartAt": "Items", "States": {"Items": state}})
    machine = client.create_state_machine(name=kind, definition=definition, roleArn=ROLE)
    started = client.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(items)
    )
    return str(started["executionArn"])


def calls(servers: Any) -> list[list[str]]:
    """Return the item, the idempotency key and the process of each call."""
    return [line.split() for line in servers.calls()]


def map_run(client: Any, arn: str) -> Any:
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    return client.describe_map_run(mapRunArn=run["mapRunArn"])


def listed(client: Any, arn: str) -> list[Any]:
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    return list(client.list_executions(mapRunArn=run["mapRunArn"])["executions"])


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_children_run_in_other_processes(servers: Any, end_of: EndOf, kind: str) -> None:
    servers.create("open")
    servers.create("whole")
    with servers.started() as client:
        arn = begin(client, kind, [*range(40)])
        assert json.loads(end_of(client, arn)["output"]) == [n * 2 for n in range(40)]
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
    assert str(os.getpid()) not in {process for _, _, process in calls(servers)}


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_what_failed_is_redriven_after_a_restart(servers: Any, end_of: EndOf, kind: str) -> None:
    servers.create("open")
    with servers.started() as client:
        arn = begin(client, kind, [4, 5, 6])
        assert end_of(client, arn)["status"] == "FAILED"
    before = calls(servers)
    servers.create("whole")
    with servers.started() as client:
        client.redrive_execution(executionArn=arn)
        assert json.loads(end_of(client, arn)["output"]) == [8, 10, 12]
        rows = listed(client, arn)
        assert len(rows) == 3
        assert 1 in {row["redriveCount"] for row in rows}
    again = Counter((item, key) for item, key, _ in calls(servers)[len(before) :])
    succeeded = {item for item, _, _ in before} - {item for item, _ in again}
    assert "5" not in succeeded
    assert {key for _, key in again} <= {key for _, key, _ in calls(servers)}


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_server_that_ends_in_the_midst_loses_nothing(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any], kind: str
) -> None:
    servers.create("whole")
    with servers.started() as client:
        arn = begin(client, kind, [*range(40)])
        eventually(lambda: map_run(client, arn)["itemCounts"]["succeeded"] == 30)
        assert map_run(client, arn)["itemCounts"]["running"] == 10
    servers.create("open")
    with servers.started() as client:
        assert json.loads(end_of(client, arn)["output"]) == [n * 2 for n in range(40)]
        assert len(listed(client, arn)) == 40
    made = calls(servers)
    assert len({key for _, key, _ in made}) == 40
    # The batch of the one that had not ended, and no other, has run twice.
    assert {item for item, count in Counter(item for item, *_ in made).items() if count > 1} <= {
        str(n) for n in range(10)
    }


@pytest.mark.parametrize("where", ["inline", "processes:2"])
def test_stopping_an_execution_ends_its_workers(
    servers: Any, eventually: Callable[..., Any], where: str
) -> None:
    with servers.started(executors={"*": where}) as client:
        arn = begin(client, "EXPRESS", [3, 3, 3])
        eventually(servers.calls)
        client.stop_execution(executionArn=arn)
        eventually(lambda: map_run(client, arn)["itemCounts"]["running"] == 0)
        assert map_run(client, arn)["itemCounts"]["aborted"] == 3
        (worker,) = {int(process) for _, _, process in calls(servers)}
        eventually(lambda: worker == os.getpid() or not alive(worker))
        servers.create("open")
        assert {row["status"] for row in listed(client, arn)} == {"ABORTED"}


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_executor_that_is_none_is_refused(servers: Any) -> None:
    wrong = {"Items": "nowhere"}
    with (
        pytest.raises(InputError, match="there are inline, processes"),
        servers.started(executors=wrong),
    ):
        raise AssertionError
