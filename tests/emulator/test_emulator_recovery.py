"""What a server finds when it starts: stopped in order here; killed in test_emulator_kill."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_emulator import StoreError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
EndOf = Callable[[Any, str], Any]
ROLE = "arn:aws:iam::123456789012:role/doorstep"
HANDLERS = """
import pathlib, time
import doorstep

FOLDER = pathlib.Path(__file__).parent

def note(context):
    with open(FOLDER / "calls", "a") as file:
        file.write(context.idempotency_key + "\\n")

def stuck(event, context):
    note(context)
    while not (FOLDER / "open").exists():
        time.sleep(0.01)
    return "done"

def ask(event, context):
    note(context)
    (FOLDER / "token").write_text(event["token"])

def ask_slowly(event, context):
    ask(event, context)
    stuck(event, context)

@doorstep.handler("glue:startJobRun")
def job(event, context):
    note(context)
    return doorstep.answer("finished", after=1)

def fails(event, context):
    if not (FOLDER / "open").exists():
        raise ValueError("closed")
    return event
"""


@pytest.fixture
def servers(servers_with: Callable[..., Any]) -> Any:
    return servers_with(HANDLERS)


def start(client: Any, state: dict[str, Any], input: str = "{}", **more: Any) -> str:
    definition = json.dumps({"StartAt": "Only", "States": {"Only": {**state, "End": True}}})
    given = {"name": "machine", "definition": definition, "roleArn": ROLE, **more}
    machine = client.create_state_machine(**given)["stateMachineArn"]
    arn: str = client.start_execution(stateMachineArn=machine, name="run", input=input)[
        "executionArn"
    ]
    return arn


def types(client: Any, arn: str) -> list[str]:
    return [e["type"] for e in client.get_execution_history(executionArn=arn)["events"]]


def test_a_call_that_was_running_is_made_again_under_its_key(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any]
) -> None:
    with servers.started() as client:
        arn = start(client, {"Type": "Task", "Resource": FUNCTION + "stuck"})
        eventually(servers.calls)
    with servers.started() as client:
        eventually(lambda: len(servers.calls()) == 2)
        servers.create("open")
        assert end_of(client, arn)["output"] == '"done"'
        assert types(client, arn).count("LambdaFunctionScheduled") == 1
    first, second = servers.calls()
    assert first == second


def test_a_task_token_stays_valid_and_its_call_is_not_made_again(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any]
) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    }
    with servers.started() as client:
        arn = start(client, state)
        eventually(lambda: "TaskSubmitted" in types(client, arn))
    with servers.started() as client:
        token = (servers.folder / "token").read_text()
        client.send_task_success(taskToken=token, output='"yes"')
        assert end_of(client, arn)["output"] == '"yes"'
        with pytest.raises(client.exceptions.TaskTimedOut):
            client.send_task_success(taskToken=token, output='"yes"')
    assert len(servers.calls()) == 1
    with servers.started() as client, pytest.raises(client.exceptions.TaskTimedOut):
        client.send_task_success(taskToken=token, output='"yes"')


@pytest.mark.parametrize("killed", [False, True], ids=["one server", "two servers"])
def test_an_end_that_comes_before_the_request_is_answered_waits_for_that(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any], killed: bool
) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask_slowly", "Payload": {"token.$": "$$.Task.Token"}},
    }
    with servers.started() as client:
        arn = start(client, state)
        eventually((servers.folder / "token").exists)
        token = eventually((servers.folder / "token").read_text)
        client.send_task_success(taskToken=token, output='"yes"')
        if not killed:
            servers.create("open")
            assert end_of(client, arn)["output"] == '"yes"'
    servers.create("open")
    with servers.started() as client:
        assert end_of(client, arn)["output"] == '"yes"'
        # Recorded: TaskSubmitted stands before every end of such a task.
        assert types(client, arn)[4:6] == ["TaskSubmitted", "TaskSucceeded"]


def test_an_answer_that_was_scheduled_comes_without_another_call(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any]
) -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync"}
    with servers.started() as client:
        arn = start(client, {**state, "Parameters": {"JobName": "nightly"}})
        eventually(lambda: "TaskSubmitted" in types(client, arn))
    with servers.started() as client:
        assert end_of(client, arn)["output"] == '"finished"'
        assert types(client, arn).count("TaskSubmitted") == 1
    assert len(servers.calls()) == 1


def test_a_wait_keeps_its_deadline(servers: Any, end_of: EndOf) -> None:
    with servers.started() as client:
        arn = start(client, {"Type": "Wait", "Seconds": 1})
    stopped = datetime.now(UTC)
    with servers.started() as client:
        again = datetime.now(UTC)
        end_of(client, arn)
        events = client.get_execution_history(executionArn=arn)["events"]
    entered, left = events[1]["timestamp"], events[2]["timestamp"]
    assert left - entered >= timedelta(seconds=0.999)
    # One that began anew would last a second from here; a server that took so long to start says
    # nothing about that.
    assert left < stopped + timedelta(seconds=1) or again > stopped + timedelta(seconds=0.5)


def test_tasks_of_activities_stay_queued_and_picked_up_ones_may_be_answered(
    servers: Any,
    end_of: EndOf,
) -> None:
    with servers.started() as client:
        activity = client.create_activity(name="work")["activityArn"]
        branch = {"Type": "Task", "Resource": activity, "End": True}
        branches = [{"StartAt": name, "States": {name: branch}} for name in ("A", "B")]
        arn = start(client, {"Type": "Parallel", "Branches": branches})
        tokens = [client.get_activity_task(activityArn=activity)["taskToken"]]
    with servers.started() as client:
        tokens.append(client.get_activity_task(activityArn=activity)["taskToken"])
        for number, token in enumerate(tokens):
            client.send_task_success(taskToken=token, output=str(number))
        assert end_of(client, arn)["output"] == "[0,1]"
        assert types(client, arn).count("ActivityStarted") == 2


def test_express_executions_are_reported_as_lost(
    servers: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with servers.started() as client:
        wait = {"Type": "Wait", "Seconds": 200}
        arn = start(client, wait, type="EXPRESS")
    with caplog.at_level(logging.WARNING, "doorstep"), servers.started() as client:
        client.list_activities()
    assert f"lost, as Express executions are when the server ends: {arn}" in caplog.messages
    caplog.clear()
    with caplog.at_level(logging.WARNING, "doorstep"), servers.started() as client:
        client.list_activities()
    assert caplog.messages == []


def test_what_ended_is_there_and_can_be_redriven(
    servers: Any, end_of: EndOf, eventually: Callable[..., Any]
) -> None:
    items = {
        "Type": "Map",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Item",
            "States": {"Item": {"Type": "Task", "Resource": FUNCTION + "fails", "End": True}},
        },
        "ToleratedFailurePercentage": 0,
        "MaxConcurrency": 1,
    }
    with servers.started() as client:
        arn = start(client, items, "[1, 2, 3]")
        eventually(lambda: client.describe_execution(executionArn=arn)["status"] == "FAILED")
        before = client.get_execution_history(executionArn=arn)["events"]
    servers.create("open")
    with servers.started() as client:
        assert client.get_execution_history(executionArn=arn)["events"] == before
        first = client.redrive_execution(executionArn=arn, clientToken="once")
        assert end_of(client, arn)["output"] == "[1,2,3]"
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        told = client.describe_map_run(mapRunArn=run["mapRunArn"])
        assert (told["status"], told["redriveCount"]) == ("SUCCEEDED", 1)
        assert told["itemCounts"]["succeeded"] == 3
    with servers.started() as client:
        again = client.redrive_execution(executionArn=arn, clientToken="once")
        assert again["redriveDate"] == first["redriveDate"]


def later(servers: Any, days: float) -> None:
    """Let days pass while no server runs."""
    with sqlite3.connect(servers.folder / "doorstep.db") as file:
        moved = [f"{name} = {name} - {days * 86400}" for name in ("started", "stopped")]
        # Without a checksum, as the rows of older files are.
        file.execute(f"UPDATE executions SET checksum = -1, {', '.join(moved)}")
    file.close()


@pytest.mark.sqlite
def test_two_weeks_after_its_end_an_execution_is_not_redriven(
    servers: Any, eventually: Callable[..., Any], refusal: Callable[..., tuple[str, str]]
) -> None:
    why = "Execution redrivable period exceeded"
    with servers.started() as client:
        arn = start(client, {"Type": "Task", "Resource": FUNCTION + "fails"})
        eventually(lambda: client.describe_execution(executionArn=arn)["status"] == "FAILED")
    later(servers, 13.9)
    with servers.started() as client:
        told = client.describe_execution(executionArn=arn)
        assert told["redriveStatus"] == "REDRIVABLE"
    later(servers, 0.2)
    with servers.started() as client:
        told = client.describe_execution(executionArn=arn)
        assert (told["redriveStatus"], told["redriveStatusReason"]) == ("NOT_REDRIVABLE", why)
        told = refusal(client, "redrive_execution", executionArn=arn)
        assert told == ("ExecutionNotRedrivable", f"{why}: '{arn}'")


@pytest.mark.sqlite
def test_a_name_is_free_again_90_days_after_the_end(
    servers: Any, end_of: EndOf, refusal: Callable[..., tuple[str, str]]
) -> None:
    with servers.started() as client:
        processor = {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "Item",
            "States": {"Item": {"Type": "Pass", "End": True}},
        }
        arn = start(client, {"Type": "Map", "ItemProcessor": processor}, "[1]")
        end_of(client, arn)
        (before,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    again = {"stateMachineArn": arn.replace(":execution:", ":stateMachine:")[:-4], "name": "run"}
    later(servers, 89.9)
    with servers.started() as client:
        code, _ = refusal(client, "start_execution", **again, input="[2]")
        assert code == "ExecutionAlreadyExists"
    later(servers, 0.2)
    with servers.started() as client:
        assert client.start_execution(**again, input="[2]")["executionArn"] == arn
        assert end_of(client, arn)["output"] == "[2]"
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        assert run["mapRunArn"] != before["mapRunArn"]
    with servers.started() as client:
        assert types(client, arn).count("ExecutionStarted") == 1
        machine = again["stateMachineArn"]
        (listed,) = client.list_executions(stateMachineArn=machine)["executions"]
        assert listed["executionArn"] == arn


def test_machines_versions_aliases_and_tags_are_there_again(servers: Any) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    given = {"name": "m", "definition": definition, "roleArn": ROLE, "publish": True}
    with servers.started() as client:
        arn = client.create_state_machine(**given, tags=[{"key": "k", "value": "v"}])[
            "stateMachineArn"
        ]
        route = {"stateMachineVersionArn": f"{arn}:1", "weight": 100}
        client.create_state_machine_alias(name="live", routingConfiguration=[route])
        described = client.describe_state_machine(stateMachineArn=arn)
    with servers.started() as client:
        again = client.describe_state_machine(stateMachineArn=arn)
        del described["ResponseMetadata"], again["ResponseMetadata"]
        assert again == described
        alias = client.describe_state_machine_alias(stateMachineAliasArn=f"{arn}:live")
        assert alias["routingConfiguration"] == [route]
        assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [
            {"key": "k", "value": "v"}
        ]
        assert client.create_state_machine(**given)["stateMachineArn"] == arn


@pytest.mark.sqlite
def test_a_server_on_a_store_that_is_used_is_refused(servers: Any) -> None:
    with servers.started(), pytest.raises(StoreError, match="another program uses"):
        servers.started().__enter__()


def test_handlers_are_read_again_when_their_file_changed(servers: Any, end_of: EndOf) -> None:
    file = servers.folder / "handlers.py"
    file.write_text("def work(event):\n    return 'old'\n")
    with servers.started() as client:
        arn = start(client, {"Type": "Task", "Resource": FUNCTION + "work"})
        assert end_of(client, arn)["output"] == '"old"'
        file.write_text("def work(event):\n    return 'newer'\n")
        machine = arn.replace("execution", "stateMachine").rpartition(":")[0]
        arn = client.start_execution(stateMachineArn=machine)["executionArn"]
        assert end_of(client, arn)["output"] == '"newer"'
