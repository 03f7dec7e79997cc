"""The history over HTTP is the history in process, and the AWS CLI reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.history.aws_json import as_aws

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/DoorstepRole"
HANDLERS = """
def parity(event):
    return {"even": event % 2 == 0}

def broken(event):
    raise doorstep.fail("Broken", "as always")

import doorstep
"""


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + name, **fields}


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


EACH = {"Type": "Map", "ItemProcessor": chain(Item=task("parity", End=True)), "MaxConcurrency": 1}
CAUGHT = [{"ErrorEquals": ["Broken"], "Next": "Rescue", "ResultPath": "$.error"}]
RETRIED = [{"ErrorEquals": ["Broken"], "IntervalSeconds": 1, "MaxAttempts": 0}]
MACHINES = {
    "map": chain(Each={**EACH, "End": True}),
    "catch": chain(
        Try=task("broken", Retry=RETRIED, Catch=CAUGHT, End=True), Rescue={"Type": "Succeed"}
    ),
    "fails": chain(Try=task("broken", End=True)),
    "choice": chain(
        Which={
            "Type": "Choice",
            "Choices": [{"Variable": "$[0]", "NumericEquals": 1, "Next": "One"}],
        },
        One={"Type": "Pass", "Result": {"é": "𝄞"}, "End": True},
    ),
    "jsonata": {
        "QueryLanguage": "JSONata",
        **chain(Sum={"Type": "Pass", "Output": "{% $sum($states.input) %}", "End": True}),
    },
}


@pytest.fixture(scope="module")
def client(aws: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    file: Path = tmp_path_factory.mktemp("handlers") / "handlers.py"
    file.write_text(HANDLERS)
    return aws(handlers=str(file))


def untimed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in e.items() if name != "timestamp"} for e in events]


@pytest.mark.parametrize("name", MACHINES)
def test_the_history_over_http_is_that_in_process(
    client: Any, name: str, tmp_path: Path, end_of: Callable[..., Any]
) -> None:
    definition = MACHINES[name]
    file = tmp_path / "handlers.py"
    file.write_text(HANDLERS)
    here = doorstep.run(definition, [1, 2, 3], str(file), state_machine_name=name)
    machine = client.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    arn = client.start_execution(stateMachineArn=machine, input="[1,2,3]")["executionArn"]
    told = end_of(client, arn)
    events = client.get_execution_history(executionArn=arn)["events"]
    assert untimed(events) == untimed([as_aws(event) for event in here.events])
    assert all(isinstance(event["timestamp"], datetime) for event in events)
    assert told["status"] == here.status
