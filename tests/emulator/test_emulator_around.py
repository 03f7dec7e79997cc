"""Status changes and log lines of a server's executions. Shapes: facts 114 and 540 to 543."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
import doorstep
from doorstep.replayer import read_recording

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
GROUP = {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:here:*"}
HANDLERS = """
def work(event):
    if event.get("broken"):
        raise ValueError("broken")
    return {"done": True}
"""
WORK = {
    "StartAt": "W",
    "States": {"W": {"Type": "Task", "Resource": FUNCTION + "work", "End": True}},
}
CAUGHT = {
    "StartAt": "W",
    "States": {
        "W": {
            "Type": "Task",
            "Resource": FUNCTION + "work",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "No"}],
            "End": True,
        },
        "No": {"Type": "Fail", "Error": "No", "Cause": "never"},
    },
}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
MEMBERS = (
    *("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate"),
    *("input", "inputDetails", "output", "outputDetails", "stateMachineVersionArn"),
    *("stateMachineAliasArn", "redriveCount", "redriveDate", "redriveStatus"),
    *("redriveStatusReason", "error", "cause"),
)
Eventually = Callable[[Callable[[], Any]], Any]


class World:
    """A server, and what its two files hold."""

    def __init__(self, aws: Callable[..., Any], folder: Path, eventually: Eventually) -> None:
        (folder / "handlers.py").write_text(HANDLERS)
        self.folder = folder
        self.wait_for = eventually
        told, logged = str(folder / "events"), str(folder / "logs")
        handlers = str(folder / "handlers.py")
        self.client = aws(handlers=handlers, events=(told,), logs=(logged,))

    def machine(
        self, name: str, definition: Any, level: str = "ALL", data: bool = True, clock: str = "real"
    ) -> Any:
        """Starts an execution of a new machine with an input; gives its ARN."""
        configuration = {
            "level": level,
            "includeExecutionData": data,
            "destinations": [{"cloudWatchLogsLogGroup": GROUP}],
        }
        express = name.startswith("express")
        machine = self.client.create_state_machine(
            name=name,
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::123456789012:role/doorstep",
            type="EXPRESS" if express else "STANDARD",
            loggingConfiguration=configuration,
            tags=[{"key": "doorstep:clock", "value": clock}],
        )["stateMachineArn"]
        start = self.client.start_sync_execution if express else self.client.start_execution
        return lambda text="{}": start(stateMachineArn=machine, input=text)["executionArn"]

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What a file holds, without a line that is just being written."""
        *lines, _ = (self.folder / name).read_text().split("\n")
        return [json.loads(line) for line in lines]

    def of(self, name: str, member: str, value: Any) -> list[dict[str, Any]]:
        return [line for line in self.lines(name) if line[member] == value]

    def told(self, arn: str, last: str) -> list[dict[str, Any]]:
        """The status changes of an execution, once there is one to the status `last`."""

        def look() -> Any:
            found = self.of("events", "resources", [arn])
            return found if found and found[-1]["detail"]["status"] == last else None

        found: list[dict[str, Any]] = self.wait_for(look)
        return found

    def logged(self, arn: str, last: str = "Execution") -> list[dict[str, Any]]:
        """The log lines of an execution, once there is one of its end."""

        def look() -> Any:
            found = self.of("logs", "execution_arn", arn)
            return found if len(found) > 1 and found[-1]["type"].startswith(last) else None

        found: list[dict[str, Any]] = self.wait_for(look)
        return found


@pytest.fixture(scope="module")
def world(
    aws: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, eventually: Eventually
) -> World:
    return World(aws, tmp_path_factory.mktemp("around"), eventually)


# Status changes ----------------------------------------------------------------------------------


def test_behaviour_114_a_status_change_is_told_as_eventbridge_does(world: World) -> None:
    arn = world.machine("passes", WORK)('{"a": 1}')
    began, ended = world.told(arn, "SUCCEEDED")
    described = world.client.describe_execution(executionArn=arn)
    for told in (began, ended):
        assert told["source"] == "aws.states"
        assert told["detail-type"] == "Step Functions Execution Status Change"
        assert (told["account"], told["region"]) == ("123456789012", "us-east-1")
        assert sorted(told["detail"]) == sorted(MEMBERS)
        assert told["detail"]["startDate"] == round(described["startDate"].timestamp() * 1000)
        assert told["detail"]["input"] == '{"a": 1}'
        assert told["detail"]["inputDetails"] == {"included": True}
    assert began["detail"]["status"] == "RUNNING"
    assert (began["detail"]["stopDate"], began["detail"]["outputDetails"]) == (None, None)
    assert ended["detail"]["stopDate"] == round(described["stopDate"].timestamp() * 1000)
    assert ended["detail"]["output"] == '{"done":true}'
    assert began["id"] != ended["id"]


def test_a_failure_and_its_redrive_are_told(world: World) -> None:
    arn = world.machine("fails", CAUGHT)('{"broken": true}')
    failed = world.told(arn, "FAILED")[-1]["detail"]
    assert (failed["error"], failed["cause"]) == ("No", "never")
    assert (failed["redriveStatus"], failed["redriveCount"]) == ("REDRIVABLE", 0)
    world.client.redrive_execution(executionArn=arn)
    changes = world.wait_for(
        lambda: found if len(found := world.told(arn, "FAILED")) == 4 else None
    )
    assert [one["detail"]["status"] for one in changes] == ["RUNNING", "FAILED"] * 2
    again = changes[2]["detail"]
    assert (again["redriveCount"], again["stopDate"], again["error"]) == (1, None, None)
    assert again["redriveDate"] >= failed["stopDate"]
    assert len({one["id"] for one in changes}) == 4


def test_an_execution_that_was_stopped_is_told_as_aborted(world: World) -> None:
    arn = world.machine("stopped", WAIT)()
    world.client.stop_execution(executionArn=arn, error="Enough")
    assert world.told(arn, "ABORTED")[-1]["detail"]["error"] == "Enough"


def test_an_execution_that_ran_out_of_time_is_told(world: World) -> None:
    arn = world.machine("late", WAIT | {"TimeoutSeconds": 9}, clock="virtual")()
    assert world.told(arn, "TIMED_OUT")[-1]["detail"]["output"] is None


def test_express_executions_are_not_told(world: World) -> None:
    world.machine("express-silent", WORK)()
    arn = world.machine("after-express", WORK)()
    world.told(arn, "SUCCEEDED")
    assert not [one for one in world.lines("events") if ":express:" in one["resources"][0]]


# Log lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["express-logged", "standard-logged"])
def test_what_is_logged_can_be_replayed(world: World, tmp_path: Path, name: str) -> None:
    arn = world.machine(name, CAUGHT)('{"broken": true, "text": "é\\ud800"}')
    file = tmp_path / "lines"
    file.write_text("".join(json.dumps(line) + "\n" for line in world.logged(arn, "ExecutionF")))
    recording = read_recording(file)
    assert recording.arn == arn
    replayed = doorstep.replay(file, CAUGHT)
    assert replayed.difference is None
    assert (replayed.status, replayed.recorded) == ("FAILED", len(recording.events))


def test_a_line_has_cloudwatchs_members(world: World) -> None:
    arn = world.machine("express-members", WORK)('{"a": 1}')
    first = world.logged(arn, "ExecutionS")[0]
    assert first == {
        "id": "1",
        "type": "ExecutionStarted",
        "details": {
            "input": '{"a": 1}',
            "inputDetails": {"truncated": False},
            "roleArn": "arn:aws:iam::123456789012:role/doorstep",
        },
        "previous_event_id": "0",
        "event_timestamp": first["event_timestamp"],
        "execution_arn": arn,
        "redrive_count": "0",
    }
    assert len(first["event_timestamp"]) == len("1700000000000")


def test_a_machine_that_logs_fatal_events_logs_its_end_alone(world: World) -> None:
    arn = world.machine("fatal", CAUGHT, "FATAL")('{"broken": true}')
    off = world.machine("off", WORK, "OFF")()
    world.told(off, "SUCCEEDED")
    lines = world.wait_for(lambda: world.of("logs", "execution_arn", arn))
    assert [line["type"] for line in lines] == ["ExecutionFailed"]
    assert world.of("logs", "execution_arn", off) == []


def test_without_execution_data_there_is_none(world: World) -> None:
    arn = world.machine("express-bare", WORK, data=False)('{"a": "secret"}')
    lines = world.logged(arn, "ExecutionS")
    assert "secret" not in json.dumps(lines)
    members = {name for line in lines for name in line["details"]}
    assert members == {"roleArn", "name", "resource"}
