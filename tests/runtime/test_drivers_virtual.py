"""Virtual time: what waits, waits on the modelled clock only; what is seeded is the same again."""

from __future__ import annotations

import itertools
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

import doorstep
from doorstep.runtime.invocation import Context

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"
START = datetime(2025, 1, 1, tzinfo=UTC)
MESSAGE = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}


def one(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"StartAt": "Work", "States": {"Work": {**state, "End": True}}, **top}


def task(resource: str = FUNCTION + "work", **fields: Any) -> dict[str, Any]:
    message = {"Parameters": MESSAGE} if resource == CALLBACK else {}
    return one({"Type": "Task", "Resource": resource, **message, **fields})


def run(definition: dict[str, Any], handlers: Any = None, **options: Any) -> doorstep.Execution:
    return doorstep.run(definition, handlers=handlers, start_time=START, **options)


def passed(execution: doorstep.Execution) -> float:
    """Seconds of modelled time from the first event to the last."""
    first, last = (
        datetime.fromisoformat(execution.history[index]["timestamp"]) for index in (0, -1)
    )
    return (last - first).total_seconds()


def types(execution: doorstep.Execution) -> list[str]:
    return [event["type"] for event in execution.history]


def test_a_wait_of_nearly_a_year_passes_in_modelled_time() -> None:
    execution = run(one({"Type": "Wait", "Seconds": 31_000_000}))
    assert execution.status == "SUCCEEDED"
    assert execution.history[0]["timestamp"] == "2025-01-01T00:00:00.000+00:00"
    assert execution.history[-1]["timestamp"] == "2025-12-25T19:06:40.000+00:00"


def test_a_standard_execution_lasts_a_year_at_the_most() -> None:
    for top in ({}, {"TimeoutSeconds": 99_999_999}):
        execution = run(one({"Type": "Wait", "Seconds": 40_000_000}, **top))
        assert execution.status == "TIMED_OUT"
        assert passed(execution) == 365 * 24 * 3600


def test_an_express_execution_lasts_five_minutes_at_the_most() -> None:
    execution = run(one({"Type": "Wait", "Seconds": 301}), type="EXPRESS")
    assert (execution.status, passed(execution)) == ("TIMED_OUT", 300)


def test_ten_back_offs_pass_in_modelled_time() -> None:
    calls = []

    def work(event: Any) -> str:
        calls.append(event)
        if len(calls) <= 10:
            raise RuntimeError
        return "at last"

    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 10, "IntervalSeconds": 60}]
    execution = run(task(Retry=retry), {"work": work})
    assert execution.output == "at last"
    # 60 s, doubled nine times.
    assert passed(execution) == 60 * (2**10 - 1)


def test_the_context_sees_modelled_time() -> None:
    states = {
        "Wait": {"Type": "Wait", "Seconds": 3600, "Next": "Look"},
        "Look": {
            "Type": "Pass",
            "Parameters": {
                "start.$": "$$.Execution.StartTime",
                "entered.$": "$$.State.EnteredTime",
            },
            "End": True,
        },
    }
    assert run({"StartAt": "Wait", "States": states}).output == {
        "start": "2025-01-01T00:00:00Z",
        "entered": "2025-01-01T01:00:00Z",
    }


def test_a_heartbeat_expires_in_modelled_time() -> None:
    definition = task(CALLBACK, HeartbeatSeconds=600, TimeoutSeconds=86_400)
    execution = run(definition, {"*": lambda event: doorstep.no_answer()})
    assert execution.error == "States.Timeout"
    assert types(execution)[-2:] == ["TaskTimedOut", "ExecutionFailed"]
    assert passed(execution) == 600


def test_a_timeout_and_a_heartbeat_at_the_same_moment_end_one_attempt_once() -> None:
    calls: list[Any] = []

    def work(event: Any, context: Context) -> Any:
        calls.append(event)
        if len(calls) > 1:
            return doorstep.answer("second time")
        context.send_task_heartbeat(context.task_token, after=4)
        return {}

    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 100}]
    definition = task(CALLBACK, TimeoutSeconds=10, HeartbeatSeconds=6, Retry=retry)
    execution = run(definition, {"*": work})
    assert types(execution).count("TaskTimedOut") == 1
    # Both are due at 10 s; the back-off of 100 s follows.
    assert (execution.output, passed(execution)) == ("second time", 110)


def test_heartbeats_that_come_keep_the_task_alive() -> None:
    def work(event: Any, context: Context) -> Any:
        for minute in (9, 18, 27):
            context.send_task_heartbeat(context.task_token, after=minute * 60)
        return doorstep.answer("done", after="36m")

    execution = run(task(CALLBACK, HeartbeatSeconds=600), {"*": work})
    assert execution.output == "done"
    assert passed(execution) == 36 * 60


def test_an_answer_comes_after_its_time() -> None:
    for resource in (FUNCTION + "work", CALLBACK):
        execution = run(task(resource), {"*": lambda e: doorstep.answer("late", after="5h")})
        assert (execution.output, passed(execution)) == ("late", 5 * 3600)


def test_a_failure_comes_after_its_time() -> None:
    execution = run(task(CALLBACK), {"*": lambda e: doorstep.fail("No", "why", after="90s")})
    assert types(execution)[3:] == ["TaskStarted", "TaskSubmitted", "TaskFailed", "ExecutionFailed"]
    assert (execution.error, execution.cause, passed(execution)) == ("No", "why", 90)


def test_an_answer_that_comes_after_the_timeout_is_too_late() -> None:
    work = {"*": lambda e: doorstep.answer("late", after=61)}
    execution = run(task(TimeoutSeconds=60), work)
    assert (execution.error, passed(execution)) == ("States.Timeout", 60)


def test_nobody_answers_and_the_execution_times_out_as_a_whole() -> None:
    definition = {**task(), "TimeoutSeconds": 7200}
    execution = run(definition, {"work": lambda e: doorstep.no_answer()})
    assert (execution.status, passed(execution)) == ("TIMED_OUT", 7200)
    assert execution.history[-1]["previousEventId"] == 0


def test_a_handler_that_never_returns_is_ended_by_its_timeout() -> None:
    release = threading.Event()
    try:
        execution = run(task(TimeoutSeconds=1), {"work": lambda event: release.wait(20)})
    finally:
        release.set()
    assert types(execution)[-2:] == ["LambdaFunctionTimedOut", "ExecutionFailed"]
    assert (execution.error, passed(execution)) == ("States.Timeout", 1)


def test_another_handler_sends_the_success_of_a_waiting_task() -> None:
    tokens: list[str] = []

    def ask(event: Any) -> Any:
        tokens.append(event["MessageBody"]["token"])
        return {"MessageId": "1"}

    def approve(event: Any, context: Context) -> str:
        context.send_task_success(tokens[0], {"approved": True}, after="3d")
        return "told"

    asking = {"Type": "Task", "Resource": CALLBACK, "Parameters": MESSAGE, "End": True}
    approving = {"Type": "Task", "Resource": FUNCTION + "approve", "End": True}
    branches = [
        {"StartAt": name, "States": {name: state}}
        for name, state in (("Ask", asking), ("Approve", approving))
    ]
    handlers = {"sqs:sendMessage": ask, "approve": approve}
    execution = run(one({"Type": "Parallel", "Branches": branches}), handlers)
    assert execution.output == [{"approved": True}, "told"]
    assert passed(execution) == 3 * 86_400


def test_a_handler_may_send_the_success_of_its_own_task() -> None:
    def ask(event: Any, context: Context) -> None:
        context.send_task_success(context.task_token, "done")

    execution = run(task(CALLBACK), {"*": ask})
    assert execution.output == "done"
    # Recorded: TaskSubmitted stands before every end of such a task.
    assert types(execution)[4:6] == ["TaskSubmitted", "TaskSucceeded"]


def test_a_success_that_was_taken_counts_though_the_handler_then_fails() -> None:
    def ask(event: Any, context: Context) -> None:
        context.send_task_success(context.task_token, "done")
        raise ValueError("too late")

    assert run(task(CALLBACK), {"*": ask}).output == "done"


def test_another_handler_sends_a_failure_without_a_name() -> None:
    def ask(event: Any, context: Context) -> None:
        context.send_task_failure(context.task_token, after=1)

    definition = task(CALLBACK, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Saved"}])
    definition["States"]["Saved"] = {"Type": "Pass", "End": True}
    # Recorded: test_callback, SendTaskFailure with neither error nor cause.
    assert run(definition, {"*": ask}).output == {"Error": None, "Cause": None}


def test_a_token_that_nobody_has_is_an_error_in_the_handler() -> None:
    def work(event: Any, context: Context) -> None:
        context.send_task_success("no such token", 1)

    execution = run(task(), {"work": work})
    assert json.loads(execution.cause or "")["errorMessage"] == (
        "no task has the token 'no such token'"
    )


CHILD = one({"Type": "Wait", "Seconds": 60})
FAILING = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "Bad", "Cause": "luck"}}}


def starting(pattern: str, machine: str = "Child", given: Any = None) -> dict[str, Any]:
    parameters = {"StateMachineArn": MACHINE + machine, "Input": given or {"n.$": "$.n"}}
    return one(
        {
            "Type": "Task",
            "Resource": f"arn:aws:states:::states:startExecution{pattern}",
            "Parameters": parameters,
        }
    )


def nested(pattern: str, child: dict[str, Any] = CHILD, given: Any = None) -> doorstep.Execution:
    return doorstep.run(
        starting(pattern, given=given), {"n": 1}, start_time=START, state_machines={"Child": child}
    )


def test_start_execution_goes_on_at_once() -> None:
    execution = nested("")
    assert passed(execution) == 0
    assert execution.output["ExecutionArn"].startswith(
        "arn:aws:states:us-east-1:123456789012:execution:Child:"
    )
    assert set(execution.output) == {
        "ExecutionArn",
        "SdkHttpMetadata",
        "SdkResponseMetadata",
        "StartDate",
    }


@pytest.mark.parametrize(("pattern", "shown"), [(".sync", '{"n":1}'), (".sync:2", {"n": 1})])
def test_a_job_waits_for_the_child_and_gives_its_description(pattern: str, shown: Any) -> None:
    execution = nested(pattern)
    assert passed(execution) == 60
    output = execution.output
    # Fact 115: text for .sync, values for .sync:2.
    assert (output["Input"], output["Output"]) == (shown, shown)
    assert (output["Status"], output["StateMachineArn"]) == ("SUCCEEDED", MACHINE + "Child")
    assert output["StopDate"] - output["StartDate"] == 60_000
    assert types(execution)[2:6] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]


def test_a_child_that_fails_fails_the_job_with_its_description() -> None:
    execution = nested(".sync:2", FAILING)
    assert execution.error == "States.TaskFailed"
    cause = json.loads(execution.cause or "")
    # Recorded: test_start_execution_sync_delegate_failure.
    assert (cause["Error"], cause["Cause"], cause["Status"]) == ("Bad", "luck", "FAILED")
    assert (cause["Input"], cause["InputDetails"]) == ('{"n":1}', {"Included": True})


def test_a_child_that_times_out_fails_the_job() -> None:
    execution = nested(".sync", {**CHILD, "TimeoutSeconds": 5})
    cause = json.loads(execution.cause or "")
    # Fact 135: its own error is in its history alone.
    assert (execution.error, cause["Status"]) == ("States.TaskFailed", "TIMED_OUT")
    assert {"Error", "Cause"}.isdisjoint(cause)


def test_the_input_of_a_child_may_be_a_json_text() -> None:
    assert nested(".sync:2", given='{"as": "text"}').output["Output"] == {"as": "text"}


def test_an_input_that_is_no_json_fails_the_task_and_not_the_run() -> None:
    execution = nested(".sync:2", given="not JSON")
    assert execution.status == "FAILED"
    assert execution.error == "StepFunctions.InvalidExecutionInputException"


def test_a_machine_that_is_not_given_needs_a_handler() -> None:
    execution = run(starting(".sync", "Other"), state_machines={"Child": CHILD})
    assert execution.status == "FAILED"
    execution = doorstep.run(
        starting(".sync", "Other"),
        {"n": 1},
        {"states:startExecution": lambda e: {"Status": "SUCCEEDED"}},
    )
    assert execution.output == {"Status": "SUCCEEDED"}


def test_a_child_answers_the_token_that_its_parent_waits_for() -> None:
    answer = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Parameters": {"TaskToken.$": "$.token", "Output": {"from": "the child"}},
    }
    execution = nested(".waitForTaskToken", one(answer), {"token.$": "$$.Task.Token"})
    assert execution.output == {"from": "the child"}


def test_a_child_that_ends_without_answering_leaves_its_parent_waiting() -> None:
    definition = starting(".waitForTaskToken", given={"token.$": "$$.Task.Token"})
    definition["States"]["Work"]["TimeoutSeconds"] = 3600
    execution = run(definition, state_machines={"Child": CHILD})
    assert (execution.error, passed(execution)) == ("States.Timeout", 3600)


def test_a_wrong_token_is_an_error_of_the_service() -> None:
    answer = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Parameters": {"TaskToken": "wrong", "Output": "1"},
    }
    execution = run(one(answer))
    # Recorded: test_sfn_send_task_outcome_with_no_such_token.
    assert execution.error == "Sfn.InvalidTokenException"
    assert (execution.cause or "").startswith(
        "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: "
    )


def test_a_token_whose_task_is_over_is_told_so() -> None:
    tokens: list[str] = []

    def ask(event: Any) -> Any:
        tokens.append(event["MessageBody"]["token"])
        return doorstep.answer("answered")

    states = {
        "Ask": {"Type": "Task", "Resource": CALLBACK, "Parameters": MESSAGE, "Next": "Token"},
        "Token": {"Type": "Task", "Resource": FUNCTION + "token", "Next": "Answer"},
        "Answer": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
            "Parameters": {"TaskToken.$": "$", "Output": "1"},
            "End": True,
        },
    }
    handlers = {"sqs:sendMessage": ask, "token": lambda event: tokens[0]}
    execution = run({"StartAt": "Ask", "States": states}, handlers)
    # Fact 468: finished or expired is not the same as never given out.
    assert execution.error == "Sfn.TaskTimedOutException"
    assert (execution.cause or "").startswith(
        "Task Timed Out: 'Provided task does not exist anymore' (Service: Sfn, "
    )


RANDOM = {
    "QueryLanguage": "JSONata",
    "StartAt": "Draw",
    "States": {
        "Draw": {
            "Type": "Pass",
            "Output": "{% [$uuid(), $random(), $string($millis())] %}",
            "Next": "Work",
        },
        "Work": {
            "Type": "Task",
            "Resource": FUNCTION + "work",
            "Retry": [{"ErrorEquals": ["States.ALL"], "JitterStrategy": "FULL"}],
            "End": True,
        },
    },
}


def lines(**options: Any) -> list[str]:
    calls: list[Any] = []

    def work(event: Any, context: Context) -> Any:
        calls.append(event)
        if len(calls) < 3:
            raise RuntimeError(context.aws_request_id)
        return [event, context.idempotency_key]

    execution = doorstep.run(RANDOM, handlers={"work": work}, **options)
    assert execution.status == "SUCCEEDED"
    return list(execution._running.journal.lines())


def test_the_same_seed_gives_the_same_journal() -> None:
    assert lines(seed=7) == lines(seed=7)
    assert '"2025-01-01T' not in lines(seed=7)[0]
    assert json.loads(lines(seed=7)[1])[2] == START.timestamp()


def test_another_seed_gives_another_journal() -> None:
    first, second = lines(seed=7), lines(seed=8)
    assert len(first) == len(second)
    assert first != second


def test_without_a_seed_no_two_runs_are_the_same() -> None:
    first, second = lines(start_time=START), lines(start_time=START)
    assert first[2:] != second[2:]


def test_every_event_is_told_in_order_children_included() -> None:
    told: list[tuple[str, int]] = []
    doorstep.run(
        starting(".sync"),
        {"n": 1},
        state_machines={"Child": CHILD},
        on_event=lambda execution, event: told.append((execution.arn, event.id)),
    )
    for arn in {arn for arn, _ in told}:
        ids = [number for told_of, number in told if told_of == arn]
        assert ids == list(range(1, len(ids) + 1))
    assert len({arn for arn, _ in told}) == 2


PASSING: dict[str, Any] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
EACH = {
    "Type": "Map",
    "ItemsPath": "$.items",
    "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **PASSING,
    },
}


@pytest.mark.parametrize("definition", [task(), starting(".sync"), one(EACH)])
def test_what_on_event_raises_reaches_the_caller_whatever_the_event_is(
    definition: dict[str, Any],
) -> None:
    def run(last: int) -> int:
        count = itertools.count(1)

        def on_event(_execution: object, _event: object) -> None:
            if next(count) == last:
                raise ZeroDivisionError

        options = {"state_machines": {"Child": CHILD}, "on_event": on_event}
        handlers = {"work": lambda event: event}
        doorstep.run(definition, {"n": 1, "items": [1]}, handlers=handlers, **options)
        return next(count)

    for last in range(1, run(0)):
        with pytest.raises(ZeroDivisionError):
            run(last)


def test_a_stopped_execution_ends_where_it_is() -> None:
    execution = doorstep.start(task(), handlers={"work": lambda e: doorstep.no_answer()})
    execution._driver.clock.run(lambda: len(execution.events) == 4)
    execution.stop("Enough", "of this")
    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Enough", "of this")
    assert execution.history[-1]["previousEventId"] == 0
