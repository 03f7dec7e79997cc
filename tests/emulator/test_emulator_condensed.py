"""Express children of map runs that have ended: what is stored of them, in how few bytes."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_emulator import StoreError, serving
from doorstep_emulator.store.store import ListQuery

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
EndOf = Callable[[Any, str], Any]
ROLE = "arn:aws:iam::123456789012:role/doorstep"
HANDLERS = """
import pathlib, time

FOLDER = pathlib.Path(__file__).parent

def quick(event, context):
    return event

def work(event, context):
    with open(FOLDER / "calls", "a") as file:
        file.write(f"{event} {context.idempotency_key}\\n")
    return stuck(event) if event in (3, {"Items": [3, 4]}) else event

def stuck(event):
    while not (FOLDER / "open").exists():
        time.sleep(0.01)
    return event

def fails(event, context):
    work(event, context)
    if event % 2 and not (FOLDER / "open").exists():
        raise ValueError("closed")
    return event
"""


@pytest.fixture
def servers(servers_with: Callable[..., Any], tmp_path: Path) -> Any:
    return servers_with(HANDLERS, s3_root=tmp_path / "s3")


def begin(client: Any, function: str, items: Any, **fields: Any) -> str:
    state = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "Item",
            "States": {"Item": {"Type": "Task", "Resource": FUNCTION + function, "End": True}},
        },
        "End": True,
    }
    definition = json.dumps({"StartAt": "Items", "States": {"Items": state | fields}})
    name = f"machine-{len(client.list_state_machines()['stateMachines'])}"
    machine = client.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    started = client.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(items)
    )
    return str(started["executionArn"])


def children(client: Any, arn: str, **query: Any) -> list[Any]:
    (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    return list(client.list_executions(mapRunArn=run["mapRunArn"], **query)["executions"])


def test_children_that_ended_are_listed(servers: Any, end_of: EndOf) -> None:
    with servers.started() as client:
        items = ["a\ud800", {"b": [1.5, None]}, "ü", 0, 0]
        arn = begin(client, "quick", items, ItemBatcher={"MaxItemsPerBatch": 2})
        assert end_of(client, arn)["status"] == "SUCCEEDED"
    with servers.started() as client:
        rows = children(client, arn)
        assert [row["itemCount"] for row in rows] == [1, 2, 2]
        assert [row["status"] for row in rows] == ["SUCCEEDED"] * 3
        assert all(row["stopDate"] >= row["startDate"] for row in rows)
        page = children(client, arn, maxResults=2)
        assert page == rows[:2]
        assert children(client, arn, statusFilter="FAILED") == []


def test_children_are_described_though_executions_of_express_machines_are_not(
    servers: Any,
    end_of: EndOf,
) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html"""
    with servers.started() as client:
        arn = begin(client, "fails", [2, 1], ToleratedFailureCount=1, MaxConcurrency=1)
        assert end_of(client, arn)["status"] == "SUCCEEDED"
        while_it_served = [described(client, row) for row in children(client, arn)]
    with servers.started() as client:
        rows = [described(client, row) for row in children(client, arn)]
        assert rows == while_it_served
        failed, succeeded = sorted(rows, key=lambda row: str(row["status"]))
        assert (succeeded["input"], succeeded["output"]) == ("2", "2")
        assert (failed["input"], failed["error"]) == ("1", "ValueError")
        assert json.loads(failed["cause"])["errorMessage"] == "closed"
        name = failed["executionArn"]
        for refused in (client.get_execution_history, client.stop_execution):
            with pytest.raises(client.exceptions.InvalidArn):
                refused(executionArn=name)
        with pytest.raises(client.exceptions.InvalidArn):
            client.describe_execution(executionArn=f"{name}0")


def described(client: Any, row: Any) -> dict[str, Any]:
    answer = client.describe_execution(executionArn=row["executionArn"])
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_what_had_failed_is_redriven_and_nothing_else(servers: Any, end_of: EndOf) -> None:
    with servers.started() as client:
        arn = begin(client, "fails", [2, 1, 5, 4], ToleratedFailureCount=1, MaxConcurrency=1)
        assert end_of(client, arn)["status"] == "FAILED"
    servers.create("open")
    before = servers.calls()
    with servers.started() as client:
        client.redrive_execution(executionArn=arn)
        assert json.loads(end_of(client, arn)["output"]) == [2, 1, 5, 4]
        rows = children(client, arn)
        assert sorted(row["redriveCount"] for row in rows) == [0, 0, 1, 1]
        assert len(children(client, arn, redriveFilter="REDRIVEN")) == 2
    again = servers.calls()[len(before) :]
    assert [call[0] for call in before] == ["2", "1", "5"]
    assert sorted(again[:2]) == sorted(before[1:])
    assert [call[0] for call in again[2:]] == ["4"]


@pytest.mark.parametrize("batch", [None, 2])
def test_a_server_that_ends_in_the_midst_loses_nothing(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any], batch: int | None
) -> None:
    size = batch or 1
    fields = {"ItemBatcher": {"MaxItemsPerBatch": batch}} if batch else {}
    inputs = [{"Items": [n, n + 1]} if batch else n for n in range(1, 21, size)]
    with servers.started() as client:
        arn = begin(client, "work", [*range(1, 21)], **fields)
        eventually(lambda: len(children(client, arn, statusFilter="SUCCEEDED")) == 20 / size - 1)
        assert [row["status"] for row in children(client, arn)].count("RUNNING") == 1
    servers.create("open")
    with servers.started() as client:
        assert json.loads(end_of(client, arn)["output"]) == inputs
        assert len(children(client, arn)) == len(inputs)
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        counts = client.describe_map_run(mapRunArn=run["mapRunArn"])
        assert counts["itemCounts"]["succeeded"] == counts["itemCounts"]["total"] == 20
    calls = servers.calls()
    assert len(set(calls)) == len(inputs)
    (again,) = (Counter(calls) - Counter(set(calls))).elements()
    assert again.startswith(f"{inputs[2 // size]} ")


def test_ids_are_not_used_again(servers: Any, end_of: EndOf) -> None:
    with servers.started() as client:
        end_of(client, begin(client, "quick", [1, 2, 3]))
    store = serving._opened(servers.options)
    (run,) = store.documents("map run")
    assert store.next_id() > max(row.id for row in store.rows(ListQuery(map_run=run["arn"])))
    store.close()


@pytest.mark.sqlite
def test_one_that_is_damaged_is_named_and_the_others_are_listed(
    servers: Any, end_of: EndOf
) -> None:
    with servers.started() as client:
        arn = begin(client, "quick", [1, 2, 3])
        end_of(client, arn)
        run = client.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    with sqlite3.connect(servers.options.db) as file:
        (number,) = file.execute("SELECT max(id) FROM children").fetchone()
        file.execute("UPDATE children SET status = 'FAILED' WHERE id = ?", [number])
    file.close()
    store = serving._opened(servers.options)
    assert len(store.rows(ListQuery(map_run=run))) == 2
    with pytest.raises(StoreError, match=f"the child execution {number} is damaged"):
        store.journal(number)
    store.close()


ITEMS = 2_000


def sizes(servers: Any, request: pytest.FixtureRequest) -> dict[str, int]:
    """Return the bytes of each table with its indexes; the file as "all" of SQLite's."""
    if request.getfixturevalue("store") == "sqlite":
        return {"all": Path(servers.options.db).stat().st_size}
    import psycopg

    url = request.getfixturevalue("schemas")(servers.options.db)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM")
        found = connection.execute(
            "SELECT relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = relnamespace WHERE relkind = 'r' "
            "AND nspname = current_setting('doorstep.schema')"
        ).fetchall()
    by_table = dict(found)
    return {"all": sum(by_table.values()), **by_table}


def test_an_item_takes_less_than_500_bytes(servers: Any, request: pytest.FixtureRequest) -> None:
    """Beyond what a map run without items takes."""
    (servers.folder / "s3" / "b").mkdir(parents=True)
    lines = (json.dumps({"number": n, "name": f"item {n}"}) for n in range(ITEMS))
    (servers.folder / "s3" / "b" / "items").write_text("\n".join(lines))
    reader: dict[str, Any] = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSONL"},
        "Parameters": {"Bucket": "b", "Key": "items"},
    }
    taken = []
    for most in (1, ITEMS):
        reader["ReaderConfig"]["MaxItems"] = most
        with servers.started() as client:
            fields = {"ItemReader": reader, "MaxConcurrency": 100, "ResultPath": None}
            arn = begin(client, "quick", {}, **fields)
            while (answer := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
                pass
            assert answer["status"] == "SUCCEEDED", answer.get("cause")
        taken.append(sizes(servers, request))
    assert (taken[1]["all"] - taken[0]["all"]) / ITEMS < 500, taken
