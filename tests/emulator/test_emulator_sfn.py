"""`aws-sdk:sfn`: a workflow asks the server that runs it (fact 240)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

ARN = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": "c"}}}


def ask(operation: str, arguments: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    resource = f"arn:aws:states:::aws-sdk:sfn:{operation}"
    called = {"Type": "Task", "Resource": resource, "Parameters": arguments or {}, "End": True}
    return {"StartAt": "Ask", "States": {"Ask": {**called, **fields}}}


@pytest.fixture
def create(client: Any) -> Callable[..., str]:
    def call(name: str, definition: dict[str, Any], **more: Any) -> str:
        made = client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE, **more
        )
        return str(made["stateMachineArn"])

    return call


@pytest.fixture
def run(client: Any, create: Callable[..., str], end_of: Callable[..., Any]) -> Callable[..., Any]:
    """Run a workflow of one task and return how it ended."""
    count = iter(range(1000))

    def call(definition: dict[str, Any], **more: Any) -> Any:
        number = len(client.list_state_machines(maxResults=1000)["stateMachines"])
        machine = create(f"asks-{number}-{next(count)}", definition)
        arn = client.start_execution(stateMachineArn=machine, **more)["executionArn"]
        return end_of(client, arn)

    return call


def is_date(text: str) -> bool:
    return text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None


def test_an_execution_is_described(
    client: Any, create: Callable[..., str], run: Callable[..., Any], end_of: Callable[..., Any]
) -> None:
    failing = create("described", FAIL)
    arn = client.start_execution(stateMachineArn=failing, input='{"a": 1}')["executionArn"]
    end_of(client, arn)
    output = json.loads(run(ask("describeExecution", {"ExecutionArn": arn}))["output"])
    assert is_date(output.pop("StartDate"))
    assert is_date(output.pop("StopDate"))
    assert output == {
        "ExecutionArn": arn,
        "StateMachineArn": failing,
        "Name": arn.rpartition(":")[2],
        "Status": "FAILED",
        "Error": "E",
        "Cause": "c",
        "Input": '{"a": 1}',
        "InputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "REDRIVABLE",
    }


def test_executions_are_listed_and_stopped(
    client: Any, create: Callable[..., str], run: Callable[..., Any]
) -> None:
    waiting = create(
        "listed", {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 900, "End": True}}}
    )
    arn = client.start_execution(stateMachineArn=waiting)["executionArn"]
    listed = run(ask("listExecutions", {"StateMachineArn": waiting, "StatusFilter": "RUNNING"}))
    (one,) = json.loads(listed["output"])["Executions"]
    assert (one["ExecutionArn"], one["Status"]) == (arn, "RUNNING")
    assert is_date(one["StartDate"])
    stopped = run(ask("stopExecution", {"ExecutionArn": arn, "Error": "Enough"}))
    assert list(json.loads(stopped["output"])) == ["StopDate"]
    assert client.describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_an_execution_can_stop_itself(run: Callable[..., Any]) -> None:
    ended = run(ask("stopExecution", {"ExecutionArn.$": "$$.Execution.Id"}))
    assert ended["status"] == "ABORTED"


def test_a_map_run_is_described(
    client: Any, create: Callable[..., str], run: Callable[..., Any], end_of: Callable[..., Any]
) -> None:
    """Fact 149: without MaxConcurrency 2147483647; results count without a ResultWriter too."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Which",
        "States": {
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "No"}],
                "Default": "Yes",
            },
            "Yes": {"Type": "Succeed"},
            "No": {"Type": "Fail"},
        },
    }
    each = {"Type": "Map", "ItemProcessor": processor, "ToleratedFailureCount": 1, "End": True}
    arn = create("maps", {"StartAt": "Each", "States": {"Each": each}})
    started = client.start_execution(stateMachineArn=arn, input="[1, 2, 3]")["executionArn"]
    end_of(client, started)
    (listed,) = client.list_map_runs(executionArn=started)["mapRuns"]
    output = json.loads(run(ask("describeMapRun", {"MapRunArn": listed["mapRunArn"]}))["output"])
    assert output["MaxConcurrency"] == 2147483647
    assert is_date(output["StartDate"])
    for counts in (output["ItemCounts"], output["ExecutionCounts"]):
        assert (counts["Succeeded"], counts["Failed"], counts["ResultsWritten"]) == (2, 1, 3)
        assert counts["Total"] == 3
    client.update_state_machine(stateMachineArn=arn, roleArn=ROLE)


def test_a_history_and_a_definition_keep_the_names_that_are_the_user_s(
    client: Any, create: Callable[..., str], run: Callable[..., Any]
) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "a state",
        "States": {
            "a state": {
                "Type": "Pass",
                "Assign": {"x": 1},
                "Output": "{% $states.input %}",
                "End": True,
            }
        },
    }
    arn = create("shown", definition)
    output = json.loads(run(ask("describeStateMachine", {"StateMachineArn": arn}))["output"])
    assert json.loads(output["Definition"]) == definition
    started = client.start_execution(stateMachineArn=arn)["executionArn"]
    history = json.loads(run(ask("getExecutionHistory", {"ExecutionArn": started}))["output"])
    first, second = history["Events"][:2]
    assert (first["Id"], first["PreviousEventId"], first["Type"]) == (1, 0, "ExecutionStarted")
    assert is_date(first["Timestamp"])
    assert second["StateEnteredEventDetails"]["Name"] == "a state"


@pytest.mark.parametrize(
    ("operation", "arguments", "error", "cause"),
    [
        (
            "describeExecution",
            {"ExecutionArn": f"{ARN}:execution:no:where"},
            "Sfn.ExecutionDoesNotExistException",
            f"Execution Does Not Exist: '{ARN}:execution:no:where'",
        ),
        (
            "listExecutions",
            {"StateMachineArn": f"{ARN}:stateMachine:nowhere"},
            "Sfn.StateMachineDoesNotExistException",
            f"State Machine Does Not Exist: '{ARN}:stateMachine:nowhere'",
        ),
        (
            "describeMapRun",
            {"MapRunArn": f"{ARN}:mapRun:m/l:0d21a7ee-57a7-4f33-a40d-1c7d2f1e4c11"},
            "Sfn.ResourceNotFoundException",
            "Resource not found",
        ),
        ("stopExecution", {"ExecutionArn": "nothing"}, "Sfn.InvalidArnException", "Invalid Arn: "),
        (
            "startExecution",
            {"StateMachineArn": f"{ARN}:stateMachine:nowhere"},
            "Sfn.StateMachineDoesNotExistException",
            f"State Machine Does Not Exist: '{ARN}:stateMachine:nowhere'",
        ),
        (
            "startExecution",
            {"StateMachineArn": "nothing"},
            "Sfn.InvalidArnException",
            "Invalid Arn: 'Invalid ARN prefix: nothing'",
        ),
    ],
)
def test_a_refusal_is_an_error_that_can_be_caught(
    run: Callable[..., Any], operation: str, arguments: dict[str, Any], error: str, cause: str
) -> None:
    definition = ask(operation, arguments, Catch=[{"ErrorEquals": [error], "Next": "Caught"}])
    definition["States"]["Caught"] = {"Type": "Succeed"}
    ended = run(definition)
    output = json.loads(ended["output"])
    assert output["Error"] == error
    assert output["Cause"].startswith(cause)
    assert output["Cause"].endswith("(SDK Attempt Count: 1)")


def test_what_a_workflow_starts_through_the_sdk_is_told_in_two_members(
    client: Any, create: Callable[..., str], run: Callable[..., Any], end_of: Callable[..., Any]
) -> None:
    """Fact 237."""
    arn = create("started", PASS)
    ended = run(ask("startExecution", {"StateMachineArn": arn, "Input": {"a": [1]}}))
    output = json.loads(ended["output"])
    assert list(output) == ["ExecutionArn", "StartDate"]
    assert is_date(output["StartDate"])
    assert end_of(client, output["ExecutionArn"])["output"] == '{"a":[1]}'


def test_a_synchronous_execution_that_fails_is_a_result(
    create: Callable[..., str], run: Callable[..., Any]
) -> None:
    arn = create("at-once", FAIL, type="EXPRESS")
    ended = run(ask("startSyncExecution", {"StateMachineArn": arn, "Input": {"a": 1}}))
    output = json.loads(ended["output"])
    assert (output["Status"], output["Error"], output["Cause"]) == ("FAILED", "E", "c")
    assert output["Input"] == '{"a":1}'
    assert is_date(output["StartDate"])
    assert output["BillingDetails"]["BilledMemoryUsedInMB"] == 64


def test_a_workflow_can_make_what_it_starts(client: Any, run: Callable[..., Any]) -> None:
    arguments = {
        "Name": "made",
        "Definition": PASS,
        "RoleArn": ROLE,
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    output = json.loads(run(ask("createStateMachine", arguments))["output"])
    assert is_date(output["CreationDate"])
    tags = client.list_tags_for_resource(resourceArn=output["StateMachineArn"])["tags"]
    assert tags == [{"key": "k", "value": "v"}]


def test_the_token_is_looked_at_before_the_output(run: Callable[..., Any]) -> None:
    """Fact 239."""
    sent = {"TaskToken": "AQC-unknown", "Output": "not JSON"}
    ended = run(ask("sendTaskSuccess", sent))
    assert ended["error"] == "Sfn.InvalidTokenException"
    assert ended["cause"].startswith("Invalid Token: 'Invalid token'")


def test_a_handler_comes_before_the_server(
    aws: Callable[..., Any], tmp_path: Any, end_of: Callable[..., Any]
) -> None:
    file = tmp_path / "handlers.py"
    file.write_text(
        "import doorstep\n\n\n"
        "@doorstep.handler('aws-sdk:sfn:listStateMachines')\n"
        "def answer(event):\n    return {'StateMachines': []}\n"
    )
    client = aws(handlers=str(file))
    made = client.create_state_machine(
        name="asks", definition=json.dumps(ask("listStateMachines")), roleArn=ROLE
    )
    arn = client.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
    assert end_of(client, arn)["output"] == '{"StateMachines":[]}'


REDRIVES = {
    "StartAt": "A",
    "States": {"A": {"Type": "Pass", "Parameters": {"of.$": "$$.Execution"}, "End": True}},
}


def test_an_asynchronous_express_execution_counts_its_redrives(
    aws: Callable[..., Any], tmp_path: Any
) -> None:
    """Fact 341: recorded of both; the one that is waited for has no such member."""
    file = tmp_path / "lines.jsonl"
    client = aws(logs=(str(file),))
    group = {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:g:*"}
    arn = client.create_state_machine(
        name="quick",
        definition=json.dumps(REDRIVES),
        roleArn=ROLE,
        type="EXPRESS",
        loggingConfiguration={
            "level": "ALL",
            "includeExecutionData": True,
            "destinations": [{"cloudWatchLogsLogGroup": group}],
        },
    )["stateMachineArn"]
    waited = json.loads(client.start_sync_execution(stateMachineArn=arn)["output"])["of"]
    assert "RedriveCount" not in waited
    started = client.start_execution(stateMachineArn=arn)["executionArn"]
    for _ in range(2_000):
        client.list_state_machines()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        ends = [
            one["details"]["output"]
            for one in lines
            if one["execution_arn"] == started and one["type"] == "ExecutionSucceeded"
        ]
        if ends:
            break
    assert json.loads(ends[0])["of"]["RedriveCount"] == 0
