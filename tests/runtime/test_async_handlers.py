"""Handlers that are coroutines: awaited where handlers are called, cancelled at a time-out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

import doorstep
from doorstep.testing.mocks import Mocks, mock

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
MESSAGE = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}


def machine(resource: str = FUNCTION, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return {"StartAt": "Work", "States": {"Work": state}}


async def double(event: dict[str, int]) -> dict[str, int]:
    await asyncio.sleep(0)
    return {"n": 2 * event["n"]}


async def decline(event: Any) -> None:
    await asyncio.sleep(0)
    raise LookupError("no funds")


@pytest.mark.parametrize("clock", ["virtual", "real"])
@pytest.mark.parametrize("fields", [{}, {"TimeoutSeconds": 60}], ids=["unlimited", "limited"])
def test_what_a_coroutine_returns_is_the_task_s_result(clock: Any, fields: Any) -> None:
    execution = doorstep.run(machine(**fields), {"n": 21}, {"work": double}, clock=clock)
    assert execution.output == {"n": 42}


def test_what_a_coroutine_raises_is_reported_as_lambda_reports_it() -> None:
    execution = doorstep.run(machine(), handlers={"work": decline})
    assert execution.error == "LookupError"
    report = json.loads(execution.cause or "")
    assert report["errorMessage"] == "no funds"
    frames = report["stackTrace"]
    assert len(frames) == 1, frames
    assert "in decline" in frames[0]


def test_a_time_out_that_a_coroutine_raises_itself_is_its_own() -> None:
    async def give_up(event: Any) -> None:
        raise TimeoutError("mine")

    execution = doorstep.run(machine(TimeoutSeconds=60), handlers={"work": give_up})
    assert execution.error == "TimeoutError"


@pytest.mark.parametrize("resource", [FUNCTION, CALLBACK], ids=["function", "callback"])
@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_a_coroutine_is_cancelled_when_its_task_times_out(clock: Any, resource: str) -> None:
    cancelled = threading.Event()

    async def hang(event: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    arguments = {"Parameters": MESSAGE} if resource == CALLBACK else {}
    definition = machine(resource, TimeoutSeconds=1, **arguments)
    execution = doorstep.run(definition, handlers={"*": hang}, clock=clock)
    assert execution.error == "States.Timeout"
    assert cancelled.wait(10)
    assert "TaskSubmitted" not in [event.type for event in execution.events]


def test_an_answer_may_be_returned_or_raised_from_a_coroutine() -> None:
    async def later(event: Any) -> Any:
        return doorstep.answer("done", after="5h")

    async def broken(event: Any) -> Any:
        raise doorstep.fail("Broken", "why")

    assert doorstep.run(machine(), handlers={"work": later}).took.total_seconds() == 5 * 3600
    execution = doorstep.run(machine(), handlers={"work": broken})
    assert (execution.error, execution.cause) == ("Broken", "why")


def test_a_run_inside_of_a_running_loop_awaits_its_handlers_too() -> None:
    async def program() -> Any:
        return doorstep.run(machine(), {"n": 1}, {"work": double}).output

    assert asyncio.run(program()) == {"n": 2}


def test_every_call_has_a_loop_of_its_own() -> None:
    loops: list[Any] = []

    async def see(event: Any) -> None:
        loops.append(asyncio.get_running_loop())
        if len(loops) == 1:
            raise LookupError

    retry = [{"ErrorEquals": ["LookupError"]}]
    assert doorstep.run(machine(Retry=retry), handlers={"work": see}).status == "SUCCEEDED"
    assert loops[0] is not loops[1]
    assert loops[0].is_closed()


def test_a_mock_may_be_a_coroutine_that_ends_a_callback() -> None:
    async def answer(event: Any) -> str:
        return "called back"

    definition = machine(CALLBACK, Parameters=MESSAGE)
    execution = Mocks(mock("Work", answer), mock_validation="off").run(definition)
    assert execution.output == "called back"


def test_the_server_awaits_its_handlers(tmp_path: Any, eventually: Callable[..., Any]) -> None:
    pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
    boto3 = pytest.importorskip("boto3")
    from doorstep_emulator import Deployment, Options, running

    file = tmp_path / "handlers.py"
    file.write_text("async def work(event):\n    return event['n'] + 1\n")
    deployment = Deployment("work", json.dumps(machine()))
    with running(Options(port=0, handlers=str(file), deployments=[deployment])) as url:
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        client = boto3.client("stepfunctions", endpoint_url=url, **keys)
        [arn] = [one["stateMachineArn"] for one in client.list_state_machines()["stateMachines"]]
        started = client.start_execution(stateMachineArn=arn, input='{"n": 1}')["executionArn"]
        eventually(lambda: client.describe_execution(executionArn=started)["status"] == "SUCCEEDED")
        assert client.describe_execution(executionArn=started)["output"] == "2"
