"""What a server finds when it starts: stopped in order here; killed in test_emulator_kill."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_emulator import Options, StoreError, running

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
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


class Restarted:
    """Servers one after another on one store; the handlers' notes."""

    def __init__(
        self, folder: Path, client: Callable[..., Any], eventually: Callable[..., Any]
    ) -> None:
        (folder / "handlers.py").write_text(HANDLERS)
        self.folder = folder
        self.eventually = eventually
        self._client = client

    def options(self) -> Options:
        file, handlers = self.folder / "doorstep.db", self.folder / "handlers.py"
        return Options(port=0, db=str(file), handlers=str(handlers), grace=0)

    def client(self, url: str) -> Any:
        return self._client(url)

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def open(self) -> None:
        (self.folder / "open").touch()

    def output(self, client: Any, arn: str) -> Any:
        def look() -> Any:
            told = client.describe_execution(executionArn=arn)
            return told if told["status"] != "RUNNING" else None

        return self.eventually(look)["output"]


@pytest.fixture
def restarted(tmp_path: Path, aws: Callable[..., Any], eventually: Callable[..., Any]) -> Restarted:
    return Restarted(tmp_path, aws, eventually)


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


def test_a_call_that_was_running_is_made_again_under_its_key(restarted: Restarted) -> None:
    with running(restarted.options()) as url:
        arn = start(restarted.client(url), {"Type": "Task", "Resource": FUNCTION + "stuck"})
        restarted.eventually(restarted.calls)
    with running(restarted.options()) as url:
        restarted.eventually(lambda: len(restarted.calls()) == 2)
        restarted.open()
        assert restarted.output(restarted.client(url), arn) == '"done"'
        assert types(restarted.client(url), arn).count("LambdaFunctionScheduled") == 1
    first, second = restarted.calls()
    assert first == second


def test_a_task_token_stays_valid_and_its_call_is_not_made_again(restarted: Restarted) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
    }
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = start(client, state)
        restarted.eventually(lambda: "TaskSubmitted" in types(client, arn))
    with running(restarted.options()) as url:
        client = restarted.client(url)
        token = (restarted.folder / "token").read_text()
        client.send_task_success(taskToken=token, output='"yes"')
        assert restarted.output(client, arn) == '"yes"'
        with pytest.raises(client.exceptions.TaskTimedOut):
            client.send_task_success(taskToken=token, output='"yes"')
    assert len(restarted.calls()) == 1
    with running(restarted.options()) as url:
        client = restarted.client(url)
        with pytest.raises(client.exceptions.TaskTimedOut):
            client.send_task_success(taskToken=token, output='"yes"')


@pytest.mark.parametrize("killed", [False, True], ids=["one server", "two servers"])
def test_an_end_that_comes_before_the_request_is_answered_waits_for_that(
    restarted: Restarted, killed: bool
) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask_slowly", "Payload": {"token.$": "$$.Task.Token"}},
    }
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = start(client, state)
        restarted.eventually((restarted.folder / "token").exists)
        token = restarted.eventually((restarted.folder / "token").read_text)
        client.send_task_success(taskToken=token, output='"yes"')
        if not killed:
            restarted.open()
            assert restarted.output(client, arn) == '"yes"'
    restarted.open()
    with running(restarted.options()) as url:
        client = restarted.client(url)
        assert restarted.output(client, arn) == '"yes"'
        # Recorded: TaskSubmitted stands before every end of such a task.
        assert types(client, arn)[4:6] == ["TaskSubmitted", "TaskSucceeded"]


def test_an_answer_that_was_scheduled_comes_without_another_call(restarted: Restarted) -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::glue:startJobRun.sync"}
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = start(client, {**state, "Parameters": {"JobName": "nightly"}})
        restarted.eventually(lambda: "TaskSubmitted" in types(client, arn))
    with running(restarted.options()) as url:
        client = restarted.client(url)
        assert restarted.output(client, arn) == '"finished"'
        assert types(client, arn).count("TaskSubmitted") == 1
    assert len(restarted.calls()) == 1


def test_a_wait_keeps_its_deadline(restarted: Restarted) -> None:
    with running(restarted.options()) as url:
        arn = start(restarted.client(url), {"Type": "Wait", "Seconds": 1})
    with running(restarted.options()) as url:
        client = restarted.client(url)
        restarted.output(client, arn)
        events = client.get_execution_history(executionArn=arn)["events"]
    lasted = (events[2]["timestamp"] - events[1]["timestamp"]).total_seconds()
    assert 0.99 <= lasted < 1.9


def test_tasks_of_activities_stay_queued_and_picked_up_ones_may_be_answered(
    restarted: Restarted,
) -> None:
    with running(restarted.options()) as url:
        client = restarted.client(url)
        activity = client.create_activity(name="work")["activityArn"]
        branch = {"Type": "Task", "Resource": activity, "End": True}
        branches = [{"StartAt": name, "States": {name: branch}} for name in ("A", "B")]
        arn = start(client, {"Type": "Parallel", "Branches": branches})
        tokens = [client.get_activity_task(activityArn=activity)["taskToken"]]
    with running(restarted.options()) as url:
        client = restarted.client(url)
        tokens.append(client.get_activity_task(activityArn=activity)["taskToken"])
        for number, token in enumerate(tokens):
            client.send_task_success(taskToken=token, output=str(number))
        assert restarted.output(client, arn) == "[0,1]"
        assert types(client, arn).count("ActivityStarted") == 2


def test_express_executions_are_reported_as_lost(
    restarted: Restarted, caplog: pytest.LogCaptureFixture
) -> None:
    with running(restarted.options()) as url:
        wait = {"Type": "Wait", "Seconds": 200}
        arn = start(restarted.client(url), wait, type="EXPRESS")
    with caplog.at_level(logging.WARNING, "doorstep"), running(restarted.options()) as url:
        restarted.client(url).list_activities()
    assert f"lost, as Express executions are when the server ends: {arn}" in caplog.messages
    caplog.clear()
    with caplog.at_level(logging.WARNING, "doorstep"), running(restarted.options()) as url:
        restarted.client(url).list_activities()
    assert caplog.messages == []


def test_what_ended_is_there_and_can_be_redriven(restarted: Restarted) -> None:
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
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = start(client, items, "[1, 2, 3]")
        restarted.eventually(
            lambda: client.describe_execution(executionArn=arn)["status"] == "FAILED"
        )
        before = client.get_execution_history(executionArn=arn)["events"]
    restarted.open()
    with running(restarted.options()) as url:
        client = restarted.client(url)
        assert client.get_execution_history(executionArn=arn)["events"] == before
        first = client.redrive_execution(executionArn=arn, clientToken="once")
        assert restarted.output(client, arn) == "[1,2,3]"
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        told = client.describe_map_run(mapRunArn=run["mapRunArn"])
        assert (told["status"], told["redriveCount"]) == ("SUCCEEDED", 1)
        assert told["itemCounts"]["succeeded"] == 3
    with running(restarted.options()) as url:
        again = restarted.client(url).redrive_execution(executionArn=arn, clientToken="once")
        assert again["redriveDate"] == first["redriveDate"]


def later(restarted: Restarted, days: float) -> None:
    """Let days pass while no server runs."""
    with sqlite3.connect(restarted.folder / "doorstep.db") as file:
        moved = [f"{name} = {name} - {days * 86400}" for name in ("started", "stopped")]
        # Without a checksum, as the rows of older files are.
        file.execute(f"UPDATE executions SET checksum = -1, {', '.join(moved)}")
    file.close()


@pytest.mark.sqlite
def test_two_weeks_after_its_end_an_execution_is_not_redriven(
    restarted: Restarted, refusal: Callable[..., tuple[str, str]]
) -> None:
    why = "Execution redrivable period exceeded"
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = start(client, {"Type": "Task", "Resource": FUNCTION + "fails"})
        restarted.eventually(
            lambda: client.describe_execution(executionArn=arn)["status"] == "FAILED"
        )
    later(restarted, 13.9)
    with running(restarted.options()) as url:
        told = restarted.client(url).describe_execution(executionArn=arn)
        assert told["redriveStatus"] == "REDRIVABLE"
    later(restarted, 0.2)
    with running(restarted.options()) as url:
        client = restarted.client(url)
        told = client.describe_execution(executionArn=arn)
        assert (told["redriveStatus"], told["redriveStatusReason"]) == ("NOT_REDRIVABLE", why)
        told = refusal(client, "redrive_execution", executionArn=arn)
        assert told == ("ExecutionNotRedrivable", f"{why}: '{arn}'")


@pytest.mark.sqlite
def test_a_name_is_free_again_90_days_after_the_end(
    restarted: Restarted, refusal: Callable[..., tuple[str, str]]
) -> None:
    with running(restarted.options()) as url:
        client = restarted.client(url)
        processor = {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "Item",
            "States": {"Item": {"Type": "Pass", "End": True}},
        }
        arn = start(client, {"Type": "Map", "ItemProcessor": processor}, "[1]")
        restarted.output(client, arn)
        (before,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    again = {"stateMachineArn": arn.replace(":execution:", ":stateMachine:")[:-4], "name": "run"}
    later(restarted, 89.9)
    with running(restarted.options()) as url:
        code, _ = refusal(restarted.client(url), "start_execution", **again, input="[2]")
        assert code == "ExecutionAlreadyExists"
    later(restarted, 0.2)
    with running(restarted.options()) as url:
        client = restarted.client(url)
        assert client.start_execution(**again, input="[2]")["executionArn"] == arn
        assert restarted.output(client, arn) == "[2]"
        (run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
        assert run["mapRunArn"] != before["mapRunArn"]
    with running(restarted.options()) as url:
        client = restarted.client(url)
        assert types(client, arn).count("ExecutionStarted") == 1
        machine = again["stateMachineArn"]
        (listed,) = client.list_executions(stateMachineArn=machine)["executions"]
        assert listed["executionArn"] == arn


def test_machines_versions_aliases_and_tags_are_there_again(restarted: Restarted) -> None:
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    given = {"name": "m", "definition": definition, "roleArn": ROLE, "publish": True}
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = client.create_state_machine(**given, tags=[{"key": "k", "value": "v"}])[
            "stateMachineArn"
        ]
        route = {"stateMachineVersionArn": f"{arn}:1", "weight": 100}
        client.create_state_machine_alias(name="live", routingConfiguration=[route])
        described = client.describe_state_machine(stateMachineArn=arn)
    with running(restarted.options()) as url:
        client = restarted.client(url)
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
def test_a_server_on_a_store_that_is_used_is_refused(restarted: Restarted) -> None:
    with running(restarted.options()), pytest.raises(StoreError, match="another program uses"):
        running(restarted.options()).__enter__()


def test_handlers_are_read_again_when_their_file_changed(restarted: Restarted) -> None:
    file = restarted.folder / "handlers.py"
    file.write_text("def work(event):\n    return 'old'\n")
    with running(restarted.options()) as url:
        client = restarted.client(url)
        arn = start(client, {"Type": "Task", "Resource": FUNCTION + "work"})
        assert restarted.output(client, arn) == '"old"'
        file.write_text("def work(event):\n    return 'newer'\n")
        machine = arn.replace("execution", "stateMachine").rpartition(":")[0]
        arn = client.start_execution(stateMachineArn=machine)["executionArn"]
        assert restarted.output(client, arn) == '"newer"'
