"""Activities, task tokens and map runs through boto3. Texts: facts 467 to 469."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

Refusal = Callable[..., tuple[str, str]]
ACCOUNT = "arn:aws:states:us-east-1:123456789012:"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
PATIENCE = 10.0
HANDLERS = """
import pathlib

def ask(event):
    (pathlib.Path(__file__).parent / event["file"]).write_text(event["token"])

def odd(event):
    if event % 2 == 0:
        raise ValueError("even")
    return event
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("handlers")
    (path / "handlers.py").write_text(HANDLERS)
    return path


@pytest.fixture(scope="module")
def client(aws: Callable[..., Any], folder: Path) -> Any:
    return aws(handlers=str(folder / "handlers.py"))


@pytest.fixture
def start(client: Any, name: str) -> Callable[..., str]:
    """Starts a machine of one state, named after the test; gives the execution's ARN."""

    def create(state: dict[str, Any], input: Any = None) -> str:
        definition = json.dumps({"StartAt": "Only", "States": {"Only": {**state, "End": True}}})
        given = {"name": name, "definition": definition, "roleArn": ROLE}
        machine = client.create_state_machine(**given)["stateMachineArn"]
        arn: str = client.start_execution(
            stateMachineArn=machine, input=json.dumps({} if input is None else input)
        )["executionArn"]
        return arn

    return create


@pytest.fixture
def asked(
    folder: Path,
    start: Callable[..., str],
    eventually: Callable[..., Any],
    request: pytest.FixtureRequest,
) -> Any:
    """An execution that waits for a callback, and the token that it was given."""
    file = f"{request.node.name}.token"
    execution = start(
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "ask",
                "Payload": {"file": file, "token.$": "$$.Task.Token"},
            },
        }
    )
    token = eventually(lambda: (folder / file).exists() and (folder / file).read_text())
    return execution, token


def history_types(client: Any, arn: str) -> list[str]:
    return [e["type"] for e in client.get_execution_history(executionArn=arn)["events"]]


def activity(client: Any, name: str) -> tuple[str, dict[str, Any]]:
    arn = client.create_activity(name=name)["activityArn"]
    return arn, {"Type": "Task", "Resource": arn}


def test_an_activity_is_created_once_described_listed_and_deleted(
    client: Any, refusal: Refusal
) -> None:
    first, again = client.create_activity(name="work"), client.create_activity(name="work")
    assert first["activityArn"] == again["activityArn"] == ACCOUNT + "activity:work"
    assert first["creationDate"] == again["creationDate"]
    assert client.describe_activity(activityArn=first["activityArn"])["name"] == "work"
    assert "work" in [one["name"] for one in client.list_activities()["activities"]]
    client.delete_activity(activityArn=first["activityArn"])
    told = refusal(client, "describe_activity", activityArn=first["activityArn"])
    assert told == (
        "ActivityDoesNotExist",
        f"Activity Does Not Exist: '{first['activityArn']}'",
    )


@pytest.mark.parametrize("name", ["activity name", "activity\x1f", "activity%name"])
def test_activities_have_names_like_machines(client: Any, refusal: Refusal, name: str) -> None:
    assert refusal(client, "create_activity", name=name) == (
        "InvalidName",
        f"Invalid Name: '{name}'",
    )


def test_a_worker_gets_the_task_and_answers_it(
    client: Any, start: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    arn, state = activity(client, "answered")
    execution = start(state, {"a": 1})
    task = client.get_activity_task(activityArn=arn, workerName="me")
    assert json.loads(task["input"]) == {"a": 1}
    client.send_task_success(taskToken=task["taskToken"], output='{"b": 2}')
    assert ended(execution)["output"] == '{"b":2}'
    # Recorded: test_activities::test_activity_task.
    events = client.get_execution_history(executionArn=execution)["events"]
    assert [event["type"] for event in events[2:5]] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
    ]
    assert events[3]["activityStartedEventDetails"] == {"workerName": "me"}


def test_a_worker_that_waits_gets_the_task_that_comes(
    client: Any, start: Callable[..., str]
) -> None:
    arn, state = activity(client, "awaited")
    tasks: list[Any] = []
    poll = threading.Thread(target=lambda: tasks.append(client.get_activity_task(activityArn=arn)))
    poll.start()
    execution = start(state)
    poll.join(PATIENCE)
    client.send_task_failure(taskToken=tasks[0]["taskToken"], error="No", cause="busy")
    told = client.describe_execution(executionArn=execution)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "No", "busy")


def test_an_activity_without_a_worker_times_out(
    client: Any, start: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    _, state = activity(client, "nobody-comes")
    told = ended(start({**state, "TimeoutSeconds": 1}))
    assert (told["status"], told["error"]) == ("FAILED", "States.Timeout")


def test_an_activity_that_was_deleted_fails_the_execution(
    client: Any, start: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    # Recorded: test_activities::test_activity_task_on_deleted.
    arn, state = activity(client, "deleted")
    client.delete_activity(activityArn=arn)
    execution = start(state)
    told = ended(execution)
    assert (told["status"], told["error"]) == ("FAILED", "States.Runtime")
    assert told["cause"] == (
        "An error occurred while executing the state 'Only' (entered at the event id #2). "
        f"The activity {arn} does not exist."
    )
    types = history_types(client, execution)
    assert types == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_a_callback_ends_the_task(client: Any, asked: Any, ended: Callable[[str], Any]) -> None:
    execution, token = asked
    client.send_task_heartbeat(taskToken=token)
    client.send_task_success(taskToken=token, output='"yes"')
    assert ended(execution)["output"] == '"yes"'


def test_a_callback_is_taken_once(client: Any, asked: Any, refusal: Refusal) -> None:
    _, token = asked
    client.send_task_success(taskToken=token, output="1")
    told = "TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"
    assert refusal(client, "send_task_success", taskToken=token, output="1") == told
    assert refusal(client, "send_task_heartbeat", taskToken=token) == told


def test_a_token_that_no_task_had_is_invalid(client: Any, refusal: Refusal) -> None:
    told = "InvalidToken", "Invalid Token: 'Invalid token'"
    assert refusal(client, "send_task_failure", taskToken="nobody's") == told


def test_an_answer_that_is_not_json_is_refused(client: Any, asked: Any, refusal: Refusal) -> None:
    code, _ = refusal(client, "send_task_success", taskToken=asked[1], output="not json")
    assert code == "InvalidOutput"


def post(client: Any, path: str, body: bytes = b"") -> int:
    try:
        with urlopen(Request(client.meta.endpoint_url + path, body, method="POST")) as answer:
            return int(answer.status)
    except HTTPError as refused:
        with refused:
            return refused.code


def test_a_callback_has_an_address_for_curl(
    client: Any, asked: Any, ended: Callable[[str], Any]
) -> None:
    execution, token = asked
    assert post(client, f"/callback/{token}?heartbeat") == 200
    assert post(client, f"/callback/{token}", b'{"by": "curl"}') == 200
    assert ended(execution)["output"] == '{"by":"curl"}'
    assert post(client, f"/callback/{token}", b"{}") == 400


def test_a_callback_by_address_may_fail_the_task(
    client: Any, asked: Any, ended: Callable[[str], Any]
) -> None:
    execution, token = asked
    assert post(client, f"/callback/{token}?error=No&cause=way") == 200
    told = ended(execution)
    assert (told["status"], told["error"], told["cause"]) == ("FAILED", "No", "way")


# Map runs ----------------------------------------------------------------------------------------


def distributed(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    states = {"StartAt": "Item", "States": {"Item": {**processor, "End": True}}}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **states}, **fields}


def test_behaviour_120_a_map_run_is_described_and_its_children_are_listed(
    client: Any, start: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    state = distributed(
        {"Type": "Task", "Resource": FUNCTION + "odd"}, ToleratedFailurePercentage=50, Label="Only"
    )
    execution = start(state, [1, 2, 3])
    first, failed, third = json.loads(ended(execution)["output"])
    assert (first, failed["Status"], third) == (1, "FAILED", 3)
    (listed,) = client.list_map_runs(executionArn=execution)["mapRuns"]
    told = client.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (told["status"], told["executionArn"]) == ("SUCCEEDED", execution)
    assert told["toleratedFailurePercentage"] == 50
    assert told["startDate"] <= told["stopDate"]
    counts = told["itemCounts"]
    assert (counts["total"], counts["succeeded"], counts["failed"]) == (3, 2, 1)
    assert (counts["pending"], counts["running"]) == (0, 0)
    children = client.list_executions(mapRunArn=listed["mapRunArn"])["executions"]
    assert sorted(one["status"] for one in children) == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    for child in children:
        told = client.describe_execution(executionArn=child["executionArn"])
        assert told["mapRunArn"] == listed["mapRunArn"]
        machine = client.describe_state_machine_for_execution(executionArn=child["executionArn"])
        assert (machine["mapRunArn"], machine["label"]) == (listed["mapRunArn"], "Only")


def test_a_child_with_a_full_history_counts_as_not_redrivable(
    client: Any, start: Callable[..., str], ended: Callable[[str], Any]
) -> None:
    state = distributed({"Type": "Pass"}, ToleratedFailureCount=1)
    endless = {"Type": "Pass", "Next": "Item"}
    state["ItemProcessor"]["States"]["Item"] = endless
    execution = start(state, [1])
    assert ended(execution)["status"] == "SUCCEEDED"
    (run,) = client.list_map_runs(executionArn=execution)["mapRuns"]
    counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]
    assert (counts["total"], counts["failed"], counts["failuresNotRedrivable"]) == (1, 1, 1)


@pytest.mark.parametrize("batch", [None, {"MaxItemsPerBatch": 2}], ids=["single", "batches"])
def test_children_of_a_map_run_are_listed_with_their_items(
    client: Any,
    start: Callable[..., str],
    ended: Callable[[str], Any],
    batch: dict[str, Any] | None,
) -> None:
    batcher = {} if batch is None else {"ItemBatcher": batch}
    execution = start(distributed({"Type": "Pass"}, **batcher), [{"Items": [1, 2]}, {}, {}])
    ended(execution)
    (run,) = client.list_map_runs(executionArn=execution)["mapRuns"]
    children = client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    assert sorted(one["itemCount"] for one in children) == ([1, 2] if batch else [1, 1, 1])
    machine = execution.rpartition(":")[0].replace("execution", "stateMachine")
    (parent,) = client.list_executions(stateMachineArn=machine)["executions"]
    assert "itemCount" not in parent


def test_a_map_run_that_runs_is_changed(
    client: Any, start: Callable[..., str], eventually: Callable[..., Any]
) -> None:
    wait = {"Type": "Wait", "Seconds": 100_000}
    execution = start(distributed(wait, MaxConcurrency=1), [1, 2, 3])
    run = eventually(lambda: client.list_map_runs(executionArn=execution)["mapRuns"])[0]
    arn = run["mapRunArn"]
    assert client.describe_map_run(mapRunArn=arn)["itemCounts"]["running"] == 1
    client.update_map_run(mapRunArn=arn, maxConcurrency=2, toleratedFailureCount=1)
    told = client.describe_map_run(mapRunArn=arn)
    assert (told["maxConcurrency"], told["toleratedFailureCount"]) == (2, 1)
    assert told["itemCounts"]["running"] == 2
    assert "stopDate" not in told


def test_a_map_run_that_is_over_is_not_changed(
    client: Any, start: Callable[..., str], ended: Callable[[str], Any], refusal: Refusal
) -> None:
    execution = start(distributed({"Type": "Pass"}), [1])
    ended(execution)
    (run,) = client.list_map_runs(executionArn=execution)["mapRuns"]
    given = {"mapRunArn": run["mapRunArn"], "maxConcurrency": 2}
    code, _ = refusal(client, "update_map_run", **given)
    assert code == "ValidationException"


def test_a_map_run_that_there_is_not_is_not_found(client: Any, refusal: Refusal) -> None:
    arn = ACCOUNT + "mapRun:m/l:00000000-0000-4000-a000-000000000000"
    for operation in ("describe_map_run", "list_executions"):
        code, _ = refusal(client, operation, mapRunArn=arn)
        assert code == "ResourceNotFound"


def test_activities_are_listed_by_name_in_pages(aws: Callable[..., Any]) -> None:
    """Fact 459."""
    client = aws()
    for name in ("b", "a", "C"):
        client.create_activity(name=name)
    first = client.list_activities(maxResults=2)
    assert [one["name"] for one in first["activities"]] == ["C", "a"]
    rest = client.list_activities(maxResults=2, nextToken=first["nextToken"])
    assert [one["name"] for one in rest["activities"]] == ["b"]


def test_the_folder_of_buckets_may_be_given_as_text(
    aws: Callable[..., Any], tmp_path: Path
) -> None:
    """What a server is given wrongly or oddly ends no execution that it has acknowledged."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "items.json").write_text("[1, 2]")
    client = aws(s3_root=str(tmp_path))
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "in", "Key": "items.json"},
    }
    each = {**distributed({"Type": "Pass"}, ItemReader=reader), "End": True}
    arn = client.create_state_machine(
        name="reads",
        definition=json.dumps({"StartAt": "Each", "States": {"Each": each}}),
        roleArn=ROLE,
    )["stateMachineArn"]
    started = client.start_execution(stateMachineArn=arn)["executionArn"]
    for _ in range(2_000):
        described = client.describe_execution(executionArn=started)
        if described["status"] != "RUNNING":
            break
    assert (described["status"], described["output"]) == ("SUCCEEDED", "[1,2]")
