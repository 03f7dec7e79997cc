"""Executions through boto3. Texts: facts 451 to 459."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Refusal = Callable[..., tuple[str, str]]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
PASS = {"Type": "Pass", "End": True}
FOREVER = {"Type": "Wait", "Seconds": 100_000, "End": True}
HANDLERS = """
def double(event):
    return event * 2

def broken(event):
    raise KeyError("nothing there")

def stuck(event):
    import time
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def client(aws: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    file: Path = tmp_path_factory.mktemp("handlers") / "handlers.py"
    file.write_text(HANDLERS)
    return aws(handlers=str(file))


@pytest.fixture
def machine(client: Any, name: str) -> Callable[..., str]:
    """Creates a machine of one state, named after the test; gives its ARN."""

    def create(state: dict[str, Any], **more: Any) -> str:
        definition = json.dumps({"StartAt": "Only", "States": {"Only": state}})
        given = {"name": name, "definition": definition, "roleArn": ROLE, **more}
        arn: str = client.create_state_machine(**given)["stateMachineArn"]
        return arn

    return create


def test_an_execution_is_described_when_it_has_ended(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    arn = machine({"Type": "Task", "Resource": FUNCTION + "double", "End": True})
    started = client.start_execution(
        stateMachineArn=arn, name="mine", input=" 21 ", traceHeader="Root=1"
    )
    told = ended(started["executionArn"])
    assert started["executionArn"] == f"{arn.replace('stateMachine', 'execution')}:mine"
    assert (told["status"], told["output"], told["input"]) == ("SUCCEEDED", "42", " 21 ")
    assert told["inputDetails"] == told["outputDetails"] == {"included": True}
    assert (told["name"], told["stateMachineArn"]) == ("mine", arn)
    assert told["startDate"] == started["startDate"] <= told["stopDate"]
    assert told["traceHeader"] == "Root=1"
    assert told["redriveCount"] == 0
    assert told["redriveStatus"] == "NOT_REDRIVABLE"
    assert told["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    assert "error" not in told


def test_a_failed_execution_says_why(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    arn = machine({"Type": "Task", "Resource": FUNCTION + "broken", "End": True})
    told = ended(client.start_execution(stateMachineArn=arn)["executionArn"])
    assert (told["status"], told["error"]) == ("FAILED", "KeyError")
    assert json.loads(told["cause"])["errorMessage"] == "'nothing there'"
    assert told["redriveStatus"] == "REDRIVABLE"
    assert "output" not in told
    assert "outputDetails" not in told


def test_metadata_only_leaves_the_data_out(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    execution = client.start_execution(stateMachineArn=machine(PASS))["executionArn"]
    ended(execution)
    told = client.describe_execution(executionArn=execution, includedData="METADATA_ONLY")
    assert not {"input", "output"} & told.keys()


def test_behaviour_111_the_same_start_again_while_it_runs_is_the_same(
    client: Any, machine: Callable[..., str]
) -> None:
    given = {"stateMachineArn": machine(FOREVER), "name": "once", "input": '{"a": 1}'}
    first, again = client.start_execution(**given), client.start_execution(**given)
    assert first["executionArn"] == again["executionArn"]
    assert first["startDate"] == again["startDate"]


def test_a_name_is_taken_once(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any], refusal: Refusal
) -> None:
    running = {"stateMachineArn": machine(FOREVER), "name": "once"}
    arn = client.start_execution(**running)["executionArn"]
    told = "ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'"
    assert refusal(client, "start_execution", **running, input='{"other": 1}') == told
    client.stop_execution(executionArn=arn)
    assert refusal(client, "start_execution", **running) == told


def test_the_arn_of_a_distributed_map_starts_nothing(
    client: Any, machine: Callable[..., str]
) -> None:
    # API reference of StartExecution; the reason is one of the service model's.
    with pytest.raises(client.exceptions.ValidationException) as raised:
        client.start_execution(stateMachineArn=f"{machine(PASS)}/Each")
    assert raised.value.response["reason"] == "API_DOES_NOT_SUPPORT_LABELED_ARNS"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "not some json",
            (
                "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or "
                "token 'null', 'true' or 'false')"
            ),
        ),
        (
            "{'not': 'json'}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        ),
        ("", "Invalid execution input."),
    ],
    ids=["words", "quotes", "empty"],
)
def test_an_input_that_is_not_json_is_refused(
    client: Any, machine: Callable[..., str], refusal: Refusal, text: str, why: str
) -> None:
    arn = machine(PASS)
    code, message = refusal(client, "start_execution", stateMachineArn=arn, input=text)
    assert code == "InvalidExecutionInput"
    assert message == f"Invalid State Machine Execution Input: '{why}'"


def test_an_input_of_300_kib_is_refused(
    client: Any, machine: Callable[..., str], refusal: Refusal
) -> None:
    given = {"stateMachineArn": machine(PASS), "input": json.dumps("x" * 300 * 1024)}
    code, message = refusal(client, "start_execution", **given)
    assert code == "ValidationException"
    assert "Member must have length less than or equal to 262144" in message
    # So is one that is too long in bytes only.
    code, _ = refusal(client, "start_execution", **{**given, "input": f'"{"é" * 200_000}"'})
    assert code == "ValidationException"


def test_an_execution_is_stopped(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    arn = client.start_execution(stateMachineArn=machine(FOREVER))["executionArn"]
    stopped = client.stop_execution(executionArn=arn, error="Enough", cause="for today")
    told = ended(arn)
    assert (told["status"], told["error"], told["cause"]) == ("ABORTED", "Enough", "for today")
    assert told["stopDate"] == stopped["stopDate"]
    assert client.stop_execution(executionArn=arn)["stopDate"] == stopped["stopDate"]
    last = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    assert last["events"][0]["executionAbortedEventDetails"] == {
        "error": "Enough",
        "cause": "for today",
    }


def test_behaviour_100_a_stop_without_reason_leaves_none(
    client: Any, machine: Callable[..., str]
) -> None:
    arn = client.start_execution(stateMachineArn=machine(FOREVER))["executionArn"]
    client.stop_execution(executionArn=arn)
    assert not {"error", "cause"} & client.describe_execution(executionArn=arn).keys()
    events = client.get_execution_history(executionArn=arn)["events"]
    assert events[-1]["executionAbortedEventDetails"] == {}


@pytest.mark.parametrize("running", [True, False], ids=["running", "ended"])
def test_behaviour_109_a_history_is_read_in_pages_both_ways(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any], running: bool
) -> None:
    items = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": PASS}}, "End": True}
    if running:
        items["ItemProcessor"]["States"]["I"] = FOREVER
    arn = client.start_execution(stateMachineArn=machine(items), input=json.dumps(list(range(30))))[
        "executionArn"
    ]
    if not running:
        ended(arn)
    whole = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    assert [event["id"] for event in whole] == list(range(1, len(whole) + 1))
    assert len(whole) > 60
    for reverse in (False, True):
        pages = client.get_paginator("get_execution_history").paginate(
            executionArn=arn, reverseOrder=reverse, PaginationConfig={"PageSize": 7}
        )
        events = [event for page in pages for event in page["events"]]
        assert events == (whole[::-1] if reverse else whole)


def test_a_history_without_data_has_none(client: Any, machine: Callable[..., str]) -> None:
    arn = client.start_execution(stateMachineArn=machine(PASS), input="[1]")["executionArn"]
    events = client.get_execution_history(executionArn=arn, includeExecutionData=False)["events"]
    assert events[1]["stateEnteredEventDetails"] == {"name": "Only"}
    assert events[-1]["executionSucceededEventDetails"] == {}


def test_behaviour_112_executions_are_listed_the_newest_first(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    arn = machine(FOREVER)
    arns = [
        client.start_execution(stateMachineArn=arn, name=f"n{number}")["executionArn"]
        for number in range(5)
    ]
    client.stop_execution(executionArn=arns[1])

    def listed(**more: Any) -> list[str]:
        pages = client.get_paginator("list_executions").paginate(
            stateMachineArn=arn, PaginationConfig={"PageSize": 2}, **more
        )
        return [one["executionArn"] for page in pages for one in page["executions"]]

    assert listed() == arns[::-1]
    assert listed(statusFilter="ABORTED") == [arns[1]]
    assert listed(statusFilter="RUNNING") == [arns[4], arns[3], arns[2], arns[0]]
    assert listed(redriveFilter="REDRIVEN") == []
    assert len(listed(redriveFilter="NOT_REDRIVEN")) == 5


def test_a_status_that_there_is_not_is_refused(
    client: Any, machine: Callable[..., str], refusal: Refusal
) -> None:
    given = {"stateMachineArn": machine(PASS), "statusFilter": "succeeded"}
    code, message = refusal(client, "list_executions", **given)
    assert (code, message) == (
        "ValidationException",
        (
            "1 validation error detected: Value 'succeeded' at 'statusFilter' failed to satisfy "
            "constraint: Member must satisfy enum value set: [SUCCEEDED, TIMED_OUT, "
            "PENDING_REDRIVE, ABORTED, FAILED, RUNNING]"
        ),
    )


def test_running_executions_keep_their_definition(client: Any, machine: Callable[..., str]) -> None:
    arn = machine(FOREVER)
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    definition = json.dumps({"StartAt": "New", "States": {"New": PASS}})
    client.update_state_machine(stateMachineArn=arn, definition=definition)
    told = client.describe_state_machine_for_execution(executionArn=execution)
    assert "Only" in json.loads(told["definition"])["States"]
    assert told["stateMachineArn"] == arn
    assert "updateDate" in told


def test_a_redriven_execution_goes_on_where_it_failed(
    client: Any, machine: Callable[..., str], ended: Callable[[str], Any], refusal: Refusal
) -> None:
    arn = machine({"Type": "Task", "Resource": FUNCTION + "broken", "End": True})
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    ended(execution)
    first = client.redrive_execution(executionArn=execution, clientToken="t")
    told = ended(execution)
    assert (told["redriveCount"], told["status"]) == (1, "FAILED")
    assert told["redriveDate"] == first["redriveDate"]
    again = client.redrive_execution(executionArn=execution, clientToken="t")
    assert again["redriveDate"] == first["redriveDate"]
    assert ended(execution)["redriveCount"] == 1
    types = [e["type"] for e in client.get_execution_history(executionArn=execution)["events"]]
    assert types.count("ExecutionRedriven") == 1
    assert types.count("LambdaFunctionFailed") == 2
    redriven = client.list_executions(stateMachineArn=arn, redriveFilter="REDRIVEN")["executions"]
    assert [one["executionArn"] for one in redriven] == [execution]


def test_what_runs_or_succeeded_is_not_redriven(
    client: Any, machine: Callable[..., str], refusal: Refusal
) -> None:
    execution = client.start_execution(stateMachineArn=machine(FOREVER))["executionArn"]
    code, _ = refusal(client, "redrive_execution", executionArn=execution)
    assert code == "ExecutionNotRedrivable"


def test_a_handler_that_is_stuck_holds_up_nobody_beyond_its_timeout(
    aws: Callable[..., Any], tmp_path: Path, end_of: Callable[..., Any]
) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    client = aws(handlers=str(tmp_path / "handlers.py"), max_handlers=1)
    arns = []
    for name, timeout in (("stuck", 1), ("double", 30)):
        task = {"Type": "Task", "Resource": FUNCTION + name, "TimeoutSeconds": timeout}
        definition = {"StartAt": "Only", "States": {"Only": {**task, "End": True}}}
        given = {"name": name, "definition": json.dumps(definition), "roleArn": ROLE}
        machine = client.create_state_machine(**given)["stateMachineArn"]
        arns.append(client.start_execution(stateMachineArn=machine, input="2")["executionArn"])
    stuck, double = (end_of(client, arn) for arn in arns)
    assert (stuck["status"], stuck["error"]) == ("FAILED", "States.Timeout")
    assert (double["status"], double["output"]) == ("SUCCEEDED", "4")


# Express -----------------------------------------------------------------------------------------


def test_an_express_execution_is_answered_at_its_end(
    client: Any, machine: Callable[..., str]
) -> None:
    arn = machine({"Type": "Task", "Resource": FUNCTION + "double", "End": True}, type="EXPRESS")
    told = client.start_sync_execution(stateMachineArn=arn, name="sync", input="4")
    assert (told["status"], told["output"], told["input"]) == ("SUCCEEDED", "8", "4")
    prefix = f"{arn.replace('stateMachine', 'express')}:sync:"
    assert told["executionArn"].startswith(prefix)
    assert told["billingDetails"]["billedMemoryUsedInMB"] == 64
    assert told["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0
    assert told["stateMachineArn"] == arn


def test_a_failed_express_execution_has_output_details_without_output(
    client: Any, machine: Callable[..., str]
) -> None:
    arn = machine({"Type": "Fail", "Error": "No", "Cause": "never"}, type="EXPRESS")
    told = client.start_sync_execution(stateMachineArn=arn)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "No", "never")
    assert "output" not in told
    assert told["outputDetails"] == {"included": True}


def test_express_executions_have_no_history(
    client: Any, machine: Callable[..., str], refusal: Refusal
) -> None:
    arn = machine(PASS, type="EXPRESS")
    given = {"stateMachineArn": arn, "name": "same"}
    first, second = (client.start_execution(**given)["executionArn"] for _ in range(2))
    assert first != second
    told = "InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'"
    for operation in ("describe_execution", "get_execution_history", "stop_execution"):
        assert refusal(client, operation, executionArn=first) == told


def test_operations_of_the_other_type_are_refused(
    client: Any, machine: Callable[..., str], refusal: Refusal
) -> None:
    told = (
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
    standard = machine(PASS)
    express = machine(PASS, name="express-one", type="EXPRESS")
    assert refusal(client, "start_sync_execution", stateMachineArn=standard) == told
    assert refusal(client, "list_executions", stateMachineArn=express) == told
