"""Facts 82 to 103 (docs/facts): errors, Retry, Catch and time limits.

Expected values are those of the facts and of the recordings that they name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import doorstep

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Work"
INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:Pack"
START = datetime(2024, 1, 1, tzinfo=UTC)
TASK: dict[str, Any] = {"Type": "Task", "Resource": FUNCTION}
INVOKING = {
    "Type": "Task",
    "Resource": INVOKE,
    "Parameters": {"FunctionName": "Work", "Payload.$": "$"},
}
ASKING = {
    "Type": "Task",
    "Resource": CALLBACK,
    "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
}
PASS = {"Type": "Pass"}


class Calls:
    """A handler that fails with these errors in turn, then succeeds; it keeps its events."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.events: list[Any] = []

    def __call__(self, event: Any) -> Any:
        self.events.append(event)
        if self.errors:
            raise doorstep.fail(self.errors.pop(0), "why")
        return "done"


def silence(event: Any) -> Any:
    return doorstep.no_answer()


def catching(name: str, following: str = "Caught") -> dict[str, Any]:
    return {"Catch": [{"ErrorEquals": [name], "Next": following}]}


def types(execution: doorstep.Execution) -> list[str]:
    return [event["type"] for event in execution.history]


def ended_after(execution: doorstep.Execution) -> float:
    """Seconds from the start to the end."""
    return execution.events[-1].at - execution.events[0].at


def delays(execution: doorstep.Execution, failed: str, again: str) -> list[float]:
    """Seconds between each failure and the attempt that follows it."""
    of_id = {event.id: event for event in execution.events}
    attempts = (event for event in execution.events if event.type == again)
    pairs = ((of_id.get(event.previous), event) for event in attempts)
    return [
        round(event.at - before.at, 6)
        for before, event in pairs
        if before and before.type == failed
    ]


def explode(event: Any) -> Any:
    raise ValueError("no stock")


@pytest.mark.parametrize(("task", "separator"), [(TASK, ": "), (INVOKING, ":")])
def test_behaviour_82_a_function_that_raises_fails_under_the_name_of_its_error(
    chain, task: dict[str, Any], separator: str
) -> None:
    """Recorded for both: test_raise_exception. The direct ARN keeps the spacing of the payload,
    lambda:invoke writes it anew."""
    execution = doorstep.run(chain({"T": task}), {}, {"Work": explode})
    assert execution.error == "ValueError"
    report = json.loads(str(execution.cause))
    assert list(report) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (report["errorMessage"], report["errorType"]) == ("no stock", "ValueError")
    assert str(execution.cause).startswith(f'{{"errorMessage"{separator}"no stock"')


def test_behaviour_82_an_error_of_the_function_is_none_of_the_lambda_service(chain) -> None:
    calls = Calls("ValueError", "ValueError")
    retry = [{"ErrorEquals": ["Lambda.AWSLambdaException"], "MaxAttempts": 5}]
    execution = doorstep.run(chain({"T": {**TASK, "Retry": retry}}), {}, {"Work": calls})
    assert (execution.error, len(calls.events)) == ("ValueError", 1)


def test_behaviour_83_an_exception_without_arguments_fails_at_once(chain) -> None:
    """Recorded: test_raise_custom_exception."""

    class CustomException(Exception):  # noqa: N818  the recording's name
        pass

    def work(event: Any) -> Any:
        raise CustomException

    execution = doorstep.run(chain({"T": TASK}), {}, {"Work": work})
    assert execution.error == "CustomException"
    assert json.loads(str(execution.cause))["errorMessage"] == ""
    assert ended_after(execution) == 0


@pytest.mark.parametrize("name", ["Lambda.SdkClientException", "States.TaskFailed"])
def test_behaviour_84_a_failed_transport_has_a_name_of_lambda_and_is_a_task_failure(
    chain, name: str
) -> None:
    calls = Calls("Lambda.SdkClientException")
    states = {"T": {**INVOKING, **catching(name)}, "Caught": PASS}
    execution = doorstep.run(chain(states), {}, {"Work": calls})
    assert execution.output == {"Error": "Lambda.SdkClientException", "Cause": "why"}


def test_behaviour_85_lambda_invoke_wraps_the_payload_and_a_bare_arn_does_not(chain) -> None:
    handlers = {"Work": lambda event: {"got": event}}
    assert doorstep.run(chain({"T": TASK}), 7, handlers).output == {"got": 7}
    wrapped = doorstep.run(chain({"T": INVOKING}), 7, handlers).output
    assert sorted(wrapped) == [
        "ExecutedVersion",
        "Payload",
        "SdkHttpMetadata",
        "SdkResponseMetadata",
        "StatusCode",
    ]
    assert (wrapped["Payload"], wrapped["StatusCode"]) == ({"got": 7}, 200)
    assert wrapped["ExecutedVersion"] == "$LATEST"


def test_behaviour_86_errors_of_the_sdk_are_exceptions_of_their_service(chain) -> None:
    """Recorded: test_sfn_send_task_outcome_with_no_such_token."""
    parameters = {"TaskToken": "none", "Output": "1"}
    resource = "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess"
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters}
    execution = doorstep.run(chain({"T": task}))
    assert execution.error == "Sfn.InvalidTokenException"
    assert str(execution.cause).startswith(
        "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: "
    )
    assert str(execution.cause).endswith(") (SDK Attempt Count: 1)")


def test_behaviour_86_the_error_of_a_service_keeps_its_name(chain) -> None:
    resource = "arn:aws:states:::aws-sdk:secretsmanager:createSecret"
    task = {"Type": "Task", "Resource": resource, "Parameters": {"Name": "n"}}
    name = "SecretsManager.ResourceExistsException"
    states = {"T": {**task, **catching(name)}, "Caught": PASS}
    execution = doorstep.run(chain(states), {}, {"T": Calls(name)})
    assert execution.output == {"Error": name, "Cause": "why"}


def test_behaviour_87_a_branch_fails_the_parallel_with_its_own_error(chain) -> None:
    """Recorded: test_parallel_state_fail."""
    failing = chain({"F": {"Type": "Fail", "Error": "FailureType", "Cause": "Cause description"}})
    state = {"Type": "Parallel", "Branches": [chain({"P": PASS}), failing]}
    execution = doorstep.run(chain({"All": state}))
    assert (execution.error, execution.cause) == ("FailureType", "Cause description")
    assert types(execution)[-3:] == ["FailStateEntered", "ParallelStateFailed", "ExecutionFailed"]


def test_behaviour_88_a_failed_iteration_fails_the_map_and_later_ones_do_not_start(
    chain, each
) -> None:
    seen = []

    def work(event: Any) -> Any:
        seen.append(event)
        if event == 1:
            raise doorstep.fail("Boom", "why")

    state = each({"T": TASK}, MaxConcurrency=1)
    execution = doorstep.run(chain({"All": state}), [0, 1, 2, 3], {"Work": work})
    assert (execution.error, execution.cause) == ("Boom", "why")
    assert seen == [0, 1]
    assert types(execution).count("MapIterationStarted") == 2


def composite(kind: str, chain: Callable[..., Any], each: Callable[..., Any]) -> dict[str, Any]:
    if kind == "Map":
        return each({"T": TASK}, ItemsPath="$.items")
    return {"Type": "Parallel", "Branches": [chain({"T": TASK})]}


@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_behaviour_89_parallel_and_map_are_retried_with_the_defaults(
    chain, each, kind: str
) -> None:
    state = composite(kind, chain, each) | {"Retry": [{"ErrorEquals": ["States.ALL"]}]}
    calls = Calls("A", "B", "C")
    execution = doorstep.run(chain({"All": state}), {"items": [1]}, {"Work": calls})
    assert execution.output == ["done"]
    assert ended_after(execution) == 1 + 2 + 4
    calls = Calls("A", "B", "C", "D", "E")
    execution = doorstep.run(chain({"All": state}), {"items": [1]}, {"Work": calls})
    assert (execution.error, len(calls.events)) == ("D", 4)


def test_behaviour_89_each_retrier_counts_for_itself(chain) -> None:
    retry = [{"ErrorEquals": ["A"], "MaxAttempts": 2}, {"ErrorEquals": ["B"], "MaxAttempts": 1}]
    calls = Calls("A", "B", "A", "B")
    execution = doorstep.run(chain({"T": {**TASK, "Retry": retry}}), {}, {"Work": calls})
    assert (execution.error, len(calls.events)) == ("B", 4)


def backing_off(chain: Callable[..., Any], **retrier: Any) -> list[float]:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 9, **retrier}]
    calls = Calls(*"ABCDEF")
    execution = doorstep.run(chain({"T": {**TASK, "Retry": retry}}), {}, {"Work": calls}, seed=3)
    assert execution.status == "SUCCEEDED"
    return delays(execution, "LambdaFunctionFailed", "LambdaFunctionScheduled")


def test_behaviour_89_delays_grow_to_the_longest_one(chain) -> None:
    assert backing_off(chain) == [1, 2, 4, 8, 16, 32]
    grown = backing_off(chain, IntervalSeconds=2, BackoffRate=1.5, MaxDelaySeconds=5)
    assert grown == [2, 3, 4.5, 5, 5, 5]


def test_behaviour_89_jitter_is_drawn_after_the_cap(chain) -> None:
    drawn = backing_off(
        chain, IntervalSeconds=1000, BackoffRate=10, MaxDelaySeconds=8, JitterStrategy="FULL"
    )
    assert all(0 <= delay <= 8 for delay in drawn)
    assert len(set(drawn)) == len(drawn)
    assert min(drawn) < 6


def test_behaviour_89_the_retry_count_is_seen_by_each_attempt(chain) -> None:
    task = {
        **TASK,
        "Parameters": {"attempt.$": "$$.State.RetryCount"},
        "Retry": [{"ErrorEquals": ["A"]}, {"ErrorEquals": ["B"]}],
    }
    calls = Calls("A", "B", "A")
    doorstep.run(chain({"T": task}), {}, {"Work": calls})
    assert [event["attempt"] for event in calls.events] == [0, 1, 2, 3]


def test_behaviour_90_retry_is_asked_before_catch(chain) -> None:
    task = {**TASK, "Retry": [{"ErrorEquals": ["A"], "MaxAttempts": 1}], **catching("States.ALL")}
    calls = Calls("A")
    definition = chain({"T": {**task, "Next": "End"}, "Caught": PASS, "End": PASS})
    assert doorstep.run(definition, {}, {"Work": calls}).output == "done"
    calls = Calls("A", "A")
    assert doorstep.run(definition, {}, {"Work": calls}).output == {"Error": "A", "Cause": "why"}
    assert len(calls.events) == 2


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        ("Anything", True),
        ("Lambda.Unknown", True),
        ("States.Permissions", True),
        ("States.Timeout", False),
        ("States.DataLimitExceeded", True),
        ("States.QueryEvaluationError", False),
    ],
)
def test_behaviour_91_task_failed_matches_all_but_timeouts(chain, error: str, taken: bool) -> None:
    """Fact 138 of the last two, measured for fields and results of the Task itself."""
    states = {"T": {**TASK, **catching("States.TaskFailed")}, "Caught": PASS}
    execution = doorstep.run(chain(states), {}, {"Work": Calls(error)})
    assert execution.status == ("SUCCEEDED" if taken else "FAILED")


def querying(**fields: Any) -> dict[str, Any]:
    return {**TASK, "QueryLanguage": "JSONata", **fields}


@pytest.mark.parametrize(
    "field",
    [
        {"Arguments": "{% 'ten' - 1 %}"},
        {"Output": {"left": "{% $states.result.nothing %}"}},
        {"Assign": {"left": "{% $number('x') %}"}},
        {"TimeoutSeconds": "{% 2.5 %}"},
    ],
    ids=lambda field: next(iter(field)),
)
def test_a_query_that_fails_in_a_task_is_no_task_failure(chain, field: dict[str, Any]) -> None:
    """Fact 138: neither caught nor retried as one; States.ALL does both."""
    ends = {}
    for name in ("States.TaskFailed", "States.ALL"):
        handlers = [{"ErrorEquals": [name], "Next": "Caught"}]
        retriers = [{"ErrorEquals": [name], "MaxAttempts": 1}]
        calls = Calls()
        states = {"T": querying(**field, Catch=handlers, Retry=retriers), "Caught": PASS}
        execution = doorstep.run(chain(states), {}, {"Work": calls})
        evaluations = [e for e in execution.history if e["type"] == "EvaluationFailed"]
        ends[name] = execution.status, execution.error, len(evaluations)
    assert ends == {
        "States.TaskFailed": ("FAILED", "States.QueryEvaluationError", 1),
        "States.ALL": ("SUCCEEDED", None, 2),
    }


@pytest.mark.parametrize("name", ["States.ALL", "States.Runtime"])
@pytest.mark.parametrize("field", ["Parameters", "ResultSelector"])
def test_behaviour_91_nothing_catches_or_retries_states_runtime(
    chain, name: str, field: str
) -> None:
    """Recorded: test_catch_states_runtime, where even a catcher that names it does not take it."""
    task = {**TASK, field: {"v.$": "$.no.such"}, **catching(name)}
    task["Retry"] = [{"ErrorEquals": [name]}]
    execution = doorstep.run(chain({"T": task, "Caught": PASS}), {}, {"Work": Calls()})
    assert execution.error == "States.Runtime"
    assert ended_after(execution) == 0


def test_behaviour_91_states_all_catches_data_limit_exceeded(chain) -> None:
    """The entry, after AWS's guide, has it uncaught; it was recorded as caught:
    test_task_lambda_catch_state_all_data_limit_exceeded_on_large_utf8_response."""
    states = {"T": {**TASK, **catching("States.ALL")}, "Caught": PASS}
    execution = doorstep.run(chain(states), {}, {"Work": lambda event: "x" * 262_144})
    assert execution.output == {
        "Error": "States.DataLimitExceeded",
        "Cause": f"The state/task '{FUNCTION}' returned a result with a size exceeding "
        "the maximum number of bytes service limit.",
    }


def test_behaviour_92_fail_needs_neither_error_nor_cause(chain) -> None:
    """Recorded: test_state_fail_empty."""
    execution = doorstep.run(chain({"F": {"Type": "Fail"}}))
    assert execution.history[-1]["executionFailedEventDetails"] == {}
    only = doorstep.run(chain({"F": {"Type": "Fail", "Cause": "c"}}))
    assert only.history[-1]["executionFailedEventDetails"] == {"cause": "c"}


def test_behaviour_93_a_callback_that_fails_without_error_is_caught_with_nulls(chain) -> None:
    """Recorded: test_sqs_failure_in_wait_for_task_tok_no_error_field."""

    def work(event: Any, context: doorstep.Context) -> Any:
        context.send_task_failure(context.task_token, after=1)

    states = {"T": {**ASKING, **catching("States.ALL")}, "Caught": PASS}
    execution = doorstep.run(chain(states), {}, {"T": work})
    assert execution.output == {"Error": None, "Cause": None}
    (failed,) = (event for event in execution.history if event["type"] == "TaskFailed")
    assert failed["taskFailedEventDetails"] == {
        "resource": "sendMessage.waitForTaskToken",
        "resourceType": "sqs",
    }


def test_behaviour_94_an_execution_times_out_exactly_after_its_seconds(chain) -> None:
    definition = chain({"W": {"Type": "Wait", "Seconds": 100}}, TimeoutSeconds=7)
    execution = doorstep.run(definition, start_time=START)
    assert execution.status == "TIMED_OUT"
    assert execution.history[-1] == {
        "timestamp": "2024-01-01T00:00:07.000+00:00",
        "type": "ExecutionTimedOut",
        "id": 3,
        "previousEventId": 0,
        "executionTimedOutEventDetails": {"error": "States.Timeout"},
    }


BLOCKING: dict[str, dict[str, Any]] = {
    "callback": ASKING,
    "function": TASK,
    "activity": {"Type": "Task", "Resource": ACTIVITY},
    "nested": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:Child"},
    },
    "job": {
        "Type": "Task",
        "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Parameters": {"Cluster": "c", "TaskDefinition": "t"},
    },
    "wait": {"Type": "Wait", "Seconds": 100},
}


@pytest.mark.parametrize("where", ["alone", "Parallel", "Map"])
@pytest.mark.parametrize("what", BLOCKING)
def test_behaviour_95_the_time_of_an_execution_ends_whatever_it_waits_for(
    chain, each, what: str, where: str
) -> None:
    state = BLOCKING[what]
    if where == "Parallel":
        state = {"Type": "Parallel", "Branches": [chain({"S": state}), chain({"P": PASS})]}
    elif where == "Map":
        state = each({"S": state}, ItemsPath="$.items")
    execution = doorstep.run(
        chain({"First": state}, TimeoutSeconds=7),
        {"items": [1, 2]},
        {"*": silence},
        state_machines={"Child": chain({"W": {"Type": "Wait", "Seconds": 100}})},
    )
    assert (execution.status, ended_after(execution)) == ("TIMED_OUT", 7)


def test_an_activitys_time_runs_from_when_it_is_scheduled(chain) -> None:
    """Fact 151, which is open.

    One measurement reads "TimeoutSeconds 5: FAILED States.Timeout at 9.230 s" of an activity that
    nobody answers, and takes the four seconds for those until a worker took it. The guide reads "to
    avoid [waiting for a response that will never come], specify a reasonable timeout": from the
    worker on it would not help where there is none. So the measurement is not followed.
    """
    task = {"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 5}
    execution = doorstep.run(chain({"T": task}), {}, {"Pack": silence})
    assert (execution.error, ended_after(execution)) == ("States.Timeout", 5)


def test_behaviour_96_an_activity_times_out(chain) -> None:
    task = {"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": 5}
    execution = doorstep.run(chain({"T": task}), {}, {"Pack": silence})
    assert types(execution)[2:] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivityTimedOut",
        "ExecutionFailed",
    ]
    assert execution.status == "FAILED"
    assert execution.history[-1]["executionFailedEventDetails"] == {"error": "States.Timeout"}


def test_behaviour_97_a_missed_heartbeat_is_a_states_timeout(chain) -> None:
    """Recorded: test_heartbeat_timeout."""
    task = {**ASKING, "HeartbeatSeconds": 5, "TimeoutSeconds": 600}
    execution = doorstep.run(chain({"T": task}), {}, {"T": silence})
    timed_out, ended = execution.history[-2:]
    assert timed_out["taskTimedOutEventDetails"] == {
        "error": "States.Timeout",
        "resource": "sendMessage.waitForTaskToken",
        "resourceType": "sqs",
    }
    assert ended["executionFailedEventDetails"] == {"error": "States.Timeout"}
    assert ended_after(execution) == 5


@pytest.mark.parametrize(("beats", "status"), [((8, 16, 24), "SUCCEEDED"), ((8, 19), "FAILED")])
def test_behaviour_98_the_heartbeat_is_a_gap_and_not_the_whole(
    chain, beats: tuple[int, ...], status: str
) -> None:
    def work(event: Any, context: doorstep.Context) -> Any:
        for after in beats:
            context.send_task_heartbeat(context.task_token, after=after)
        return doorstep.answer("done", after=30)

    execution = doorstep.run(chain({"T": {**ASKING, "HeartbeatSeconds": 10}}), {}, {"T": work})
    assert execution.status == status


LOOP = {
    "A": {"Type": "Pass", "Next": "B"},
    "B": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "C"}],
        "Default": "A",
    },
    "C": PASS,
}


def test_behaviour_99_the_last_of_25000_events_is_the_failure(chain) -> None:
    execution = doorstep.run(chain(LOOP))
    before, last = execution.history[-2:]
    assert before["id"] == 24_999
    assert before["type"] in ("PassStateEntered", "PassStateExited", "ChoiceStateEntered")
    assert (last["id"], last["type"]) == (25_000, "ExecutionFailed")
    assert last["executionFailedEventDetails"] == {
        "error": "States.Runtime",
        "cause": "The execution reached the maximum number of history events (25000).",
    }


def test_behaviour_99_children_of_a_map_run_have_a_history_of_their_own(chain, each) -> None:
    state = each({"P": PASS}, distributed=True)
    execution = doorstep.run(chain({"All": state}), list(range(20)), quotas={"history_events": 12})
    assert execution.status == "SUCCEEDED"
    inline = doorstep.run(
        chain({"All": each({"P": PASS})}), list(range(20)), quotas={"history_events": 12}
    )
    assert (inline.error, len(inline.history)) == ("States.Runtime", 12)


@pytest.mark.parametrize(
    "told", [{}, {"error": "Stopped"}, {"error": "Stopped", "cause": "by hand"}]
)
def test_behaviour_100_a_stopped_execution_is_aborted_and_does_not_go_on(
    chain, told: dict[str, str]
) -> None:
    calls = Calls()
    definition = chain({"W": {"Type": "Wait", "Seconds": 100}, "T": TASK})
    execution = doorstep.start(definition, {}, {"Work": calls})
    clock = execution._driver.clock
    clock.call_at(clock.now() + 5, lambda: execution.stop(**told))
    execution.wait()
    clock.run(lambda: False)
    assert (execution.status, ended_after(execution)) == ("ABORTED", 5)
    assert calls.events == []
    last = execution.history[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionAborted", 0)
    assert last["executionAbortedEventDetails"] == told
    assert (execution.error, execution.cause) == (told.get("error"), told.get("cause"))


def test_behaviour_101_a_callback_without_token_waits_and_times_out(chain) -> None:
    """Recorded: test_sqs_wait_for_task_token_no_token_parameter."""
    parameters = {"QueueUrl": "q", "MessageBody": "no token"}
    task = {**ASKING, "Parameters": parameters, "TimeoutSeconds": 5}
    execution = doorstep.run(chain({"T": task}), {}, {"T": lambda event: {"MessageId": "m"}})
    assert types(execution)[2:] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskTimedOut",
        "ExecutionFailed",
    ]
    assert (execution.error, ended_after(execution)) == ("States.Timeout", 5)


def test_behaviour_102_a_function_asked_for_a_callback_gets_its_payload_only(chain) -> None:
    seen = []

    def work(event: Any) -> Any:
        seen.append(event)
        return doorstep.answer("called back", after=1)

    payload = {"n": 1, "token.$": "$$.Task.Token"}
    task = {
        "Type": "Task",
        "Resource": f"{INVOKE}.waitForTaskToken",
        "Parameters": {"FunctionName": "Work", "Payload": payload},
    }
    execution = doorstep.run(chain({"T": task}), {}, {"Work": work})
    assert execution.output == "called back"
    ((given),) = seen
    assert sorted(given) == ["n", "token"]


@pytest.mark.parametrize("resource", ["sqs:nosuch", "lambda:call", "nosuch:action"])
def test_behaviour_103_an_unknown_action_is_refused(chain, resource: str) -> None:
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": {}}
    with pytest.raises(doorstep.DefinitionError, match="is not recognized"):
        doorstep.run(chain({"T": task}), {"echo": "me"})


@pytest.mark.parametrize("resource", ["sqs:sendMessage", "aws-sdk:sqs:sendMessage"])
def test_behaviour_103_an_integration_that_nobody_answers_fails(chain, resource: str) -> None:
    parameters = {"QueueUrl": "q", "MessageBody": "b"}
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}
    states = {"T": {**task, **catching("States.ALL")}, "Caught": PASS}
    execution = doorstep.run(chain(states), {"echo": "me"})
    assert (execution.status, execution.output) == ("FAILED", None)
    assert resource in str(execution.cause)
