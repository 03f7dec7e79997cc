"""Modelled time in the emulator: what ends at once, what is waited for, what a restart keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.errors import InputError
from doorstep_emulator import Options, running
from doorstep_emulator.clock import Pace

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
NAMES = count()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HANDLERS = """
import pathlib, time
import doorstep

FOLDER = pathlib.Path(__file__).parent
failures = []

def busy(event):
    failures.append(event)
    if len(failures) % 4:
        raise doorstep.fail("Busy", "come again")
    return "done"

def stuck(event):
    while not (FOLDER / "open").exists():
        time.sleep(0.005)

def ask(event):
    (FOLDER / "token").write_text(event["token"])

@doorstep.handler("glue:startJobRun")
def job(event):
    return doorstep.answer("finished", after="2d")

@doorstep.handler("sqs:sendMessage")
def silent(event):
    return doorstep.no_answer()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clock")
    (made / "handlers.py").write_text(HANDLERS)
    return made


@pytest.fixture(scope="module")
def client(aws: Callable[..., Any], folder: Path) -> Any:
    return aws(handlers=str(folder / "handlers.py"), clock="virtual")


def moments(client: Any, arn: str) -> dict[str, datetime]:
    """When the last event of each type happened; entering and leaving with the state's name."""
    events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    found = {}
    for event in events:
        details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails")
        found[f"{event['type']} {details['name']}" if details else event["type"]] = event[
            "timestamp"
        ]
    return found


@pytest.fixture
def start(client: Any) -> Callable[..., str]:
    """Starts an execution of a definition; gives its ARN."""

    def call(definition: dict[str, Any], tags: Any = (), using: Any = client) -> str:
        machine = using.create_state_machine(
            name=f"machine-{next(NAMES)}",
            definition=json.dumps(definition),
            roleArn=ROLE,
            tags=list(tags),
        )["stateMachineArn"]
        arn: str = using.start_execution(stateMachineArn=machine)["executionArn"]
        return arn

    return call


def wait(seconds: int = 86400, **fields: Any) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, **fields}


def callback(**fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
        **fields,
    }


def service(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **fields}


@pytest.fixture
def next_token(folder: Path, eventually: Callable[..., Any]) -> Callable[[], str]:
    """What waits for the token of a task that waits for one."""

    def find() -> str:
        file = folder / "token"
        text: str = eventually(lambda: file.exists() and file.read_text())
        file.unlink()
        return text

    return find


def test_waits_and_back_offs_end_at_once(
    client: Any, start: Callable[..., str], chain: Any, end_of: Callable[..., Any]
) -> None:
    busy = {
        "Type": "Task",
        "Resource": FUNCTION + "busy",
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3600, "BackoffRate": 2}],
    }
    arn = start(chain({"Pause": wait(), "Busy": busy}))
    told = end_of(client, arn)
    assert told["status"] == "SUCCEEDED"
    assert timedelta(0) <= told["stopDate"] - told["startDate"] - DAY - 7 * HOUR < HOUR
    at = moments(client, arn)
    assert timedelta(0) <= at["WaitStateExited Pause"] - at["WaitStateEntered Pause"] - DAY < HOUR


def test_a_time_limit_is_waited_for_while_somebody_outside_may_answer(
    client: Any,
    start: Callable[..., str],
    chain: Any,
    end_of: Callable[..., Any],
    next_token: Callable[[], str],
) -> None:
    asked = callback(TimeoutSeconds=3600, HeartbeatSeconds=1800)
    arn = start(chain({"Ask": asked, "Pause": wait()}))
    token = next_token()
    client.send_task_heartbeat(taskToken=token)
    client.send_task_success(taskToken=token, output="1")
    told = end_of(client, arn)
    assert (told["status"], told["output"]) == ("SUCCEEDED", "1")
    assert timedelta(0) <= told["stopDate"] - told["startDate"] - DAY < HOUR


def test_a_wait_beside_somebody_outside_ends_at_once(
    client: Any,
    start: Callable[..., str],
    chain: Any,
    end_of: Callable[..., Any],
    eventually: Callable[..., Any],
    next_token: Callable[[], str],
) -> None:
    branches = [chain({"Ask": callback()}), chain({"Pause": wait()})]
    arn = start(chain({"Both": {"Type": "Parallel", "Branches": branches}}))
    token = next_token()
    at = eventually(
        lambda: "WaitStateExited Pause" in moments(client, arn) and moments(client, arn)
    )
    assert "TaskSucceeded" not in at
    client.send_task_success(taskToken=token, output="1")
    assert end_of(client, arn)["status"] == "SUCCEEDED"


def test_a_workers_task_is_not_timed_out_before_a_worker_comes(
    client: Any, start: Callable[..., str], chain: Any, end_of: Callable[..., Any]
) -> None:
    activity = client.create_activity(name="slowly")["activityArn"]
    task = {"Type": "Task", "Resource": activity, "TimeoutSeconds": 60}
    arn = start(chain({"Pause": wait(), "Work": task}))
    given = client.get_activity_task(activityArn=activity)
    client.send_task_success(taskToken=given["taskToken"], output="2")
    assert end_of(client, arn)["output"] == "2"


def test_time_goes_on_once_the_one_whom_somebody_might_have_answered_is_stopped(
    client: Any,
    start: Callable[..., str],
    chain: Any,
    end_of: Callable[..., Any],
    next_token: Callable[[], str],
) -> None:
    child = chain({"Ask": callback(TimeoutSeconds=3600)})
    machine = client.create_state_machine(name="asks", definition=json.dumps(child), roleArn=ROLE)[
        "stateMachineArn"
    ]
    begin = service("states:startExecution", Parameters={"StateMachineArn": machine})
    arn = start(chain({"Begin": begin, "Silent": {**SILENT, "TimeoutSeconds": 60}}))
    next_token()
    assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"
    asks = client.list_executions(stateMachineArn=machine)["executions"][0]["executionArn"]
    client.stop_execution(executionArn=asks)
    assert end_of(client, arn)["error"] == "States.Timeout"


PROMISED = service("glue:startJobRun.sync", Parameters={"JobName": "night"})
SILENT = service("sqs:sendMessage", Parameters={"QueueUrl": "https://queue", "MessageBody": "!"})


@pytest.mark.parametrize("task", [PROMISED, SILENT], ids=["promised later", "silent"])
def test_a_time_limit_that_nobody_can_meet_is_over_at_once(
    client: Any,
    start: Callable[..., str],
    chain: Any,
    task: dict[str, Any],
    end_of: Callable[..., Any],
) -> None:
    arn = start(chain({"Work": {**task, "TimeoutSeconds": 86400}}))
    told = end_of(client, arn)
    assert (told["status"], told["error"]) == ("FAILED", "States.Timeout")
    assert timedelta(0) <= told["stopDate"] - told["startDate"] - DAY < HOUR


def test_time_does_not_jump_while_a_handler_runs(
    client: Any,
    start: Callable[..., str],
    folder: Path,
    chain: Any,
    end_of: Callable[..., Any],
    eventually: Callable[..., Any],
) -> None:
    stuck = {"Type": "Task", "Resource": FUNCTION + "stuck"}
    branches = [chain({"Work": stuck}), chain({"Pause": wait()})]
    arn = start(chain({"Both": {"Type": "Parallel", "Branches": branches}}))
    eventually(lambda: "LambdaFunctionStarted" in moments(client, arn))
    assert "WaitStateExited Pause" not in moments(client, arn)
    (folder / "open").touch()
    assert end_of(client, arn)["status"] == "SUCCEEDED"
    at = moments(client, arn)
    assert at["LambdaFunctionSucceeded"] < at["WaitStateExited Pause"]


def test_nested_executions_and_map_runs_share_the_time_of_the_one_that_started_them(
    client: Any, start: Callable[..., str], chain: Any, each: Any, end_of: Callable[..., Any]
) -> None:
    items = each({"Pause": wait(3600)}, distributed=True, ItemsPath="$.items", MaxConcurrency=1)
    child = chain({"Items": {"Type": "Pass", "Result": {"items": [1, 2]}}, "Each": items})
    machine = client.create_state_machine(name="child", definition=json.dumps(child), roleArn=ROLE)[
        "stateMachineArn"
    ]
    nested = service("states:startExecution.sync:2", Parameters={"StateMachineArn": machine})
    arn = start(chain({"Pause": wait(), "Nested": nested}))
    told = end_of(client, arn)
    assert told["status"] == "SUCCEEDED"
    assert timedelta(0) <= told["stopDate"] - told["startDate"] - DAY - 2 * HOUR < HOUR
    inner = client.list_executions(stateMachineArn=machine)["executions"][0]
    assert told["startDate"] + DAY <= inner["startDate"]
    assert inner["stopDate"] <= told["stopDate"]
    assert timedelta(0) <= inner["stopDate"] - inner["startDate"] - 2 * HOUR < HOUR


def test_a_redrive_goes_on_after_the_modelled_end(
    client: Any, start: Callable[..., str], chain: Any, end_of: Callable[..., Any]
) -> None:
    arn = start(chain({"Pause": wait(), "Work": {**SILENT, "TimeoutSeconds": 60}}))
    before = end_of(client, arn)
    client.redrive_execution(executionArn=arn)
    told = end_of(client, arn)
    assert told["redriveDate"] >= before["stopDate"]
    assert told["stopDate"] - told["redriveDate"] >= timedelta(seconds=60)


def test_behaviour_94_an_execution_out_of_time_ends_to_the_second_and_has_no_error(
    client: Any, start: Callable[..., str], chain: Any, end_of: Callable[..., Any]
) -> None:
    told = end_of(client, start(chain({"Pause": wait()}, TimeoutSeconds=7)))
    assert told["status"] == "TIMED_OUT"
    assert round((told["stopDate"] - told["startDate"]).total_seconds(), 3) == 7
    assert not {"error", "cause"} & told.keys()


def with_clock(client: Any, clock: str) -> Any:
    client.meta.events.register_first(
        "before-sign.stepfunctions.StartExecution",
        lambda request, **_: request.headers.add_header("X-Doorstep-Clock", clock),
    )
    return client


def test_a_request_and_a_tag_choose_another_clock(
    aws: Callable[..., Any],
    client: Any,
    start: Callable[..., str],
    chain: Any,
    end_of: Callable[..., Any],
) -> None:
    url, definition = client.meta.endpoint_url, chain({"Pause": wait()})
    tag = [{"key": "doorstep:clock", "value": "real"}]
    tagged = start(definition, tags=tag)
    asked = start(definition, using=with_clock(aws(url), "real"))
    both = start(definition, tags=tag, using=with_clock(aws(url), "virtual"))
    assert end_of(client, both)["status"] == "SUCCEEDED"
    for arn in (tagged, asked):
        assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"
        client.stop_execution(executionArn=arn)


def test_another_word_for_a_clock_is_refused(
    aws: Callable[..., Any], client: Any, create: Callable[..., Any], refusal: Any
) -> None:
    machine = create()["stateMachineArn"]
    hasty = with_clock(aws(client.meta.endpoint_url), "fast")
    code, message = refusal(hasty, "start_execution", stateMachineArn=machine)
    assert code == "ValidationException"
    assert "real, virtual or a speed" in message


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan", "inf", "2000000"])
def test_a_clock_is_real_virtual_or_a_speed(text: str) -> None:
    with pytest.raises(InputError, match="real, virtual or a speed"):
        Pace.of(text)


def test_time_may_run_faster(
    aws: Callable[..., Any], start: Callable[..., str], chain: Any, end_of: Callable[..., Any]
) -> None:
    fast = aws(clock="36000")
    told = end_of(fast, start(chain({"Pause": wait(3600)}), using=fast))
    assert told["stopDate"] - told["startDate"] >= HOUR


def test_a_restart_keeps_the_clock_and_goes_on_from_the_modelled_moment(
    aws: Callable[..., Any],
    start: Callable[..., str],
    folder: Path,
    tmp_path: Path,
    chain: Any,
    end_of: Callable[..., Any],
    next_token: Callable[[], str],
) -> None:
    def options(clock: str) -> Options:
        handlers, db = folder / "handlers.py", tmp_path / "doorstep.db"
        return Options(port=0, handlers=str(handlers), db=str(db), clock=clock)

    states = {"Before": wait(), "Ask": callback(TimeoutSeconds=3600), "After": wait()}
    with running(options("virtual")) as url:
        arn = start(chain(states), using=aws(url))
        token = next_token()
    with running(options("real")) as url:
        client = aws(url)
        client.send_task_success(taskToken=token, output="1")
        told = end_of(client, arn)
        assert told["status"] == "SUCCEEDED"
        assert timedelta(0) <= told["stopDate"] - told["startDate"] - 2 * DAY < HOUR
        events = client.get_execution_history(executionArn=arn)["events"]
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
