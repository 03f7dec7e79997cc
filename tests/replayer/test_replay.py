"""A recorded history followed by an engine: what it takes from the recording, what it compares.

The recordings are written out here, in AWS's shape, or are our own with everything that belongs to
a run changed by hand: what a replay may take for granted is what stands in the history.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep import DefinitionError, InputError
from doorstep.replayer import read_recording

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:work"
WORK = {"Type": "Task", "Resource": LAMBDA}
CALLBACK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
}
ACTIVITY = {
    "Type": "Task",
    "Resource": "arn:aws:states:us-east-1:123456789012:activity:look",
    "HeartbeatSeconds": 10,
}
Chain = Callable[..., dict[str, Any]]
ARN = "arn:aws:states:eu-west-1:210987654321:execution:Orders:order-77"


def recorded(*events: tuple[Any, ...], start: float = 1_709_649_000.0) -> dict[str, Any]:
    """A history: (type, previous, details, seconds after the start)."""
    shown = []
    for number, (kind, previous, details, after) in enumerate(events, start=1):
        moment = datetime.fromtimestamp(start + after, UTC).isoformat(timespec="microseconds")
        member = re.sub(r"^\w+(?=State(Entered|Exited))", "", kind)
        member = f"{member[0].lower()}{member[1:]}EventDetails"
        shown.append(
            {"timestamp": moment, "type": kind, "id": number, "previousEventId": previous}
            | ({member: details} if details else {})
        )
    return {"events": shown}


def started(value: Any = None) -> tuple[Any, ...]:
    role = "arn:aws:iam::210987654321:role/orders"
    return (
        "ExecutionStarted",
        0,
        {"input": text({} if value is None else value), "roleArn": role},
        0,
    )


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def entered(kind: str, name: str, previous: int, value: Any, after: float = 0) -> tuple[Any, ...]:
    return f"{kind}StateEntered", previous, {"name": name, "input": text(value)}, after


def exited(kind: str, name: str, previous: int, value: Any, after: float = 0) -> tuple[Any, ...]:
    return f"{kind}StateExited", previous, {"name": name, "output": text(value)}, after


def ended(previous: int, value: Any, after: float = 0) -> tuple[Any, ...]:
    return "ExecutionSucceeded", previous, {"output": text(value)}, after


def types(history: Sequence[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in history]


# What a history is taken for ----------------------------------------------------------------------


def test_a_history_of_the_cli_is_followed_to_its_end(chain: Chain, tmp_path: Path) -> None:
    history = recorded(
        started({"n": 1}),
        entered("Task", "Work", 0, {"n": 1}, 0.05),
        ("LambdaFunctionScheduled", 2, {"resource": LAMBDA, "input": '{"n":1}'}, 0.05),
        ("LambdaFunctionStarted", 3, None, 0.1),
        ("LambdaFunctionSucceeded", 4, {"output": '{"ok": true}'}, 3.4),
        exited("Task", "Work", 5, {"ok": True}, 3.4),
        ended(6, {"ok": True}, 3.5),
    )
    file = tmp_path / "history.json"
    file.write_text(json.dumps(history, indent=4))
    definition = chain({"Work": WORK})
    for given in (history, history["events"], json.dumps(history), file):
        replayed = doorstep.replay(given, definition)
        assert (replayed.same, replayed.status, replayed.recorded) == (True, "SUCCEEDED", 7)
    assert types(replayed.history) == types(history["events"])


def test_a_history_that_is_not_over_is_followed_as_far_as_it_goes(chain: Chain) -> None:
    history = recorded(started(), entered("Task", "Work", 0, {}))
    replayed = doorstep.replay(history, chain({"Work": WORK}))
    assert (replayed.same, replayed.status) == (True, "RUNNING")


def test_a_definition_that_aws_refuses_is_no_ones_replay(chain: Chain) -> None:
    with pytest.raises(DefinitionError):
        doorstep.replay(recorded(started()), {"StartAt": "A", "States": {}})


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, 'the history has no "events"'),
        ({"events": "no"}, 'the history has no "events"'),
        ({"events": []}, "no events"),
        (Path("/nowhere/history.json"), "can't read the history /nowhere/history.json"),
    ],
)
def test_what_is_no_history_is_refused(history: Any, message: str, chain: Chain) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        doorstep.replay(history, chain({"Work": WORK}))


def test_a_history_without_execution_data_is_refused(chain: Chain) -> None:
    history = recorded(("ExecutionStarted", 0, {"roleArn": "r"}, 0))
    with pytest.raises(InputError, match="include-execution-data"):
        doorstep.replay(history, chain({"Work": WORK}))


# What came from outside ---------------------------------------------------------------------------


def run(definition: dict[str, Any], handlers: Any = None, **options: Any) -> Any:
    return doorstep.run(definition, {"n": 1}, handlers, seed=1, **options)


def test_failures_retries_and_catchers_go_by_the_recording(chain: Chain) -> None:
    task = WORK | {
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 30, "JitterStrategy": "FULL"}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Late"}],
        "Next": "Late",
    }
    definition = chain({"Work": task, "Late": {"Type": "Pass"}})
    answers = iter([doorstep.fail("Busy", "b"), doorstep.fail("Busy", "b"), doorstep.fail("Gone")])
    execution = run(definition, {"work": lambda _: next(answers)})
    assert execution.status == "SUCCEEDED"
    assert doorstep.replay(execution.history, definition).same


def test_heartbeats_leave_no_event_and_kept_the_call_alive(chain: Chain) -> None:
    wait = {"Wait": {"Type": "Wait", "Seconds": 3000}}
    branches = [chain({"Ask": CALLBACK | {"HeartbeatSeconds": 60}}), chain(wait)]
    definition = chain({"Both": {"Type": "Parallel", "Branches": branches}})

    def ask(_: Any, context: doorstep.Context) -> dict[str, str]:
        for beat in range(1, 100):
            context.send_task_heartbeat(context.task_token, after=beat * 50)
        context.send_task_success(context.task_token, {"yes": 1}, after=4990)
        return {"MessageId": "m"}

    execution = run(definition, {"sqs:sendMessage": ask})
    assert execution.status == "SUCCEEDED"
    assert doorstep.replay(execution.history, definition).same


def test_a_heartbeat_that_went_missing_late_is_a_timeout(chain: Chain) -> None:
    definition = chain({"Ask": CALLBACK | {"HeartbeatSeconds": 60, "TimeoutSeconds": 9000}})

    def ask(_: Any, context: doorstep.Context) -> dict[str, str]:
        context.send_task_heartbeat(context.task_token, after=50)
        return {"MessageId": "m"}

    execution = run(definition, {"sqs:sendMessage": ask})
    assert (execution.status, execution.events[-1].at - execution.events[0].at) == ("FAILED", 110)
    assert doorstep.replay(execution.history, definition).same


def test_an_activity_is_picked_up_by_the_recordings_worker(chain: Chain) -> None:
    history = recorded(
        started(),
        entered("Task", "Look", 0, {}),
        ("ActivityScheduled", 2, {"resource": ACTIVITY["Resource"], "input": "{}",
                                  "heartbeatInSeconds": 10}, 0),
        ("ActivityStarted", 3, {"workerName": "eve"}, 90),
        ("ActivityTimedOut", 4, {"error": "States.Timeout"}, 145),
        ("ExecutionFailed", 5, {"error": "States.Timeout"}, 145),
    )  # fmt: skip
    replayed = doorstep.replay(history, chain({"Look": ACTIVITY}))
    assert (replayed.difference, replayed.status) == (None, "FAILED")
    assert replayed.history[3]["activityStartedEventDetails"] == {"workerName": "eve"}


def test_a_call_that_did_not_even_start_is_a_failed_call(chain: Chain) -> None:
    history = recorded(
        started(),
        entered("Task", "Work", 0, {}),
        ("LambdaFunctionScheduled", 2, {"resource": LAMBDA, "input": "{}"}, 0),
        ("LambdaFunctionStartFailed", 3, {"error": "Lambda.X", "cause": "c"}, 1),
        ("ExecutionFailed", 4, {"error": "Lambda.X", "cause": "c"}, 1),
    )
    assert doorstep.replay(history, chain({"Work": WORK})).same


def test_a_stop_and_a_timeout_of_the_execution_are_facts_too(chain: Chain) -> None:
    waiting = chain({"Wait": {"Type": "Wait", "Seconds": 500}}, TimeoutSeconds=60)
    stop = ("ExecutionAborted", 0, {"error": "Stop", "cause": "enough"}, 20)
    late = ("ExecutionTimedOut", 0, {"error": "States.Timeout"}, 60.2)
    begin = (started(), entered("Wait", "Wait", 0, {}))
    stopped, timed_out = (doorstep.replay(recorded(*begin, e), waiting) for e in (stop, late))
    assert (stopped.same, stopped.status) == (True, "ABORTED")
    assert (timed_out.same, timed_out.status) == (True, "TIMED_OUT")


def test_a_redrive_is_followed_whatever_its_events_hang_on(chain: Chain) -> None:
    # What AWS lets the first event after a redrive follow from is in no recording.
    for previous in (6, 7):
        history = recorded(
            started(),
            entered("Task", "Work", 0, {}),
            ("LambdaFunctionScheduled", 2, {"resource": LAMBDA, "input": "{}"}, 0),
            ("LambdaFunctionStarted", 3, None, 0),
            ("LambdaFunctionFailed", 4, {"error": "E"}, 0),
            ("ExecutionFailed", 5, {"error": "E"}, 0),
            ("ExecutionRedriven", 6, {"redriveCount": 1}, 9),
            ("LambdaFunctionScheduled", previous, {"resource": LAMBDA, "input": "{}"}, 9),
            ("LambdaFunctionStarted", 8, None, 9),
            ("LambdaFunctionSucceeded", 9, {"output": "1"}, 9),
            exited("Task", "Work", 10, 1, 9),
            ended(11, 1, 9),
        )
        assert doorstep.replay(history, chain({"Work": WORK})).difference is None


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({}, None),
        ({"ResultPath": "$.made"}, None),
        ({"ResultPath": None}, None),
        ({"ResultSelector": {"n": 1}}, "does not have the result of the map run of 'Map'"),
    ],
)
def test_the_result_of_a_map_run_is_read_off_the_states_output(
    chain: Chain, each: Chain, shape: dict[str, Any], message: str | None
) -> None:
    state = each({"One": {"Type": "Pass"}}, distributed=True, ItemsPath="$.items", **shape)
    definition = chain({"Map": state, "After": {"Type": "Pass"}})
    execution = doorstep.run(definition, {"items": [1, 2]}, seed=1)
    if message is None:
        assert doorstep.replay(execution.history, definition).same
    else:
        with pytest.raises(InputError, match=message):
            doorstep.replay(execution.history, definition)


# What belongs to a run ----------------------------------------------------------------------------


def test_names_tokens_and_random_values_are_learned_from_the_recording(chain: Chain) -> None:
    definition = chain(
        {
            "Make": {
                "Type": "Pass",
                "Parameters": {
                    "id.$": "States.UUID()",
                    "n.$": "States.MathRandom(1, 1000000)",
                    "key.$": "States.Format('{}/{}', $$.Execution.Name, States.UUID())",
                    "arn.$": "$$.Execution.Id",
                    "machine.$": "$$.StateMachine.Name",
                    "at.$": "$$.State.EnteredTime",
                },
            },
            # Computed from them: only the same values give the same ones.
            "Hash": {
                "Type": "Pass",
                "Parameters": {"h.$": "States.Hash($.key, 'MD5')", "m.$": "States.MathAdd($.n, 1)"},
            },
            "Ask": CALLBACK,
        }
    )
    handlers = {"sqs:sendMessage": lambda _: doorstep.answer({}, response={})}
    execution = doorstep.run(
        definition, {}, handlers, seed="another", name="order-77", state_machine_name="Orders"
    )
    assert execution.status == "SUCCEEDED"
    replayed = doorstep.replay(execution.history, definition)
    assert replayed.difference is None
    assert replayed.history[7] == execution.history[7]


def test_what_is_random_in_jsonata_is_learned_too(chain: Chain) -> None:
    states = {
        "Make": {"Type": "Pass", "Output": "{% {'r': $random(), 'u': $uuid()} %}"},
        "Use": {"Type": "Pass", "Output": "{% $floor($states.input.r * 1000) %}"},
    }
    definition = chain(states, QueryLanguage="JSONata")
    execution = doorstep.run(definition, seed="another")
    assert doorstep.replay(execution.history, definition).same


def test_a_value_of_the_author_is_not_taken_for_a_random_one(chain: Chain) -> None:
    definition = chain({"Make": {"Type": "Pass", "Parameters": {"id.$": "States.UUID()"}}})
    history = doorstep.run(definition, seed="another").history
    history[2]["stateExitedEventDetails"]["output"] = '{"id":"not a UUID"}'
    found = doorstep.replay(history, definition).difference
    assert found is not None
    assert found.at == "output.id"


def test_an_arn_that_is_given_says_who_the_execution_was(chain: Chain) -> None:
    parameters = {"h.$": "States.Hash($$.Execution.Id, 'MD5')"}
    definition = chain({"Make": {"Type": "Pass", "Parameters": parameters}})
    made = {"h": md5(ARN.encode(), usedforsecurity=False).hexdigest()}
    history = recorded(
        started(), entered("Pass", "Make", 0, {}), exited("Pass", "Make", 2, made), ended(3, made)
    )
    assert doorstep.replay(history, definition, arn=ARN).same
    assert not doorstep.replay(history, definition).same


def test_moments_may_be_a_little_apart_and_no_more(chain: Chain) -> None:
    definition = chain({"Now": {"Type": "Pass", "Parameters": {"t.$": "$$.State.EnteredTime"}}})

    def recording(moment: str) -> dict[str, Any]:
        made = {"t": moment}
        return recorded(
            started(), entered("Pass", "Now", 0, {}), exited("Pass", "Now", 2, made), ended(3, made)
        )

    assert doorstep.replay(recording("2024-03-05T14:30:00.250Z"), definition).same
    assert not doorstep.replay(recording("2024-03-05T14:30:40.250Z"), definition).same


def test_log_lines_of_several_executions_need_an_arn(chain: Chain) -> None:
    def lines(arn: str, result: int) -> list[dict[str, Any]]:
        history = recorded(
            started(), entered("Pass", "P", 0, {}), exited("Pass", "P", 2, result), ended(3, result)
        )
        return [
            {
                "id": str(event["id"]),
                "type": event["type"],
                "previous_event_id": str(event["previousEventId"]),
                "event_timestamp": "1709649000000",
                "execution_arn": arn,
                "details": next(v for k, v in event.items() if k.endswith("Details")),
            }
            for event in history["events"]
        ]

    arns = [f"arn:aws:states:eu-west-1:210987654321:express:M:{name}:1" for name in "ab"]
    mixed = "\n".join(json.dumps(line) for n, arn in enumerate(arns) for line in lines(arn, n))
    definition = chain({"P": {"Type": "Pass", "Result": 1}})
    with pytest.raises(InputError, match="contains several executions; choose one"):
        read_recording(mixed)
    assert [doorstep.replay(mixed, definition, arn=arn).same for arn in arns] == [False, True]


# What is chance -----------------------------------------------------------------------------------


def both(chain: Chain) -> dict[str, Any]:
    branches = [chain({"Bad": WORK}), chain({"Slow": WORK, "Next": {"Type": "Pass"}})]
    return chain({"Both": {"Type": "Parallel", "Branches": branches}})


def call(name: str, first: int, previous: int) -> list[tuple[Any, ...]]:
    return [
        entered("Task", name, previous, {}),
        ("LambdaFunctionScheduled", first, {"resource": LAMBDA, "input": "{}"}, 0),
        ("LambdaFunctionStarted", first + 1, None, 0),
    ]


def follow(event: tuple[Any, ...], previous: int) -> tuple[Any, ...]:
    return event[0], previous, *event[2:]


def test_branches_are_compared_each_in_its_own_order(chain: Chain) -> None:
    one, two = call("Bad", 4, 3), call("Slow", 5, 3)
    # Interleaved as AWS may do it: 4 Bad, 5 Slow, 6 Slow, 7 Slow, 8 Bad, 9 Bad.
    two[1:] = [follow(two[1], 5), follow(two[2], 6)]
    one[1:] = [follow(one[1], 4), follow(one[2], 8)]
    history = recorded(
        started(), entered("Parallel", "Both", 0, {}), ("ParallelStateStarted", 2, None, 0),
        one[0], *two, *one[1:],
        ("LambdaFunctionSucceeded", 7, {"output": "2"}, 1),
        exited("Task", "Slow", 10, 2, 1),
        entered("Pass", "Next", 11, 2), exited("Pass", "Next", 12, 2),
        ("LambdaFunctionSucceeded", 9, {"output": "1"}, 2),
        exited("Task", "Bad", 14, 1, 2),
        ("ParallelStateSucceeded", 15, None, 2), exited("Parallel", "Both", 15, [1, 2], 2),
        ended(17, [1, 2], 2),
    )  # fmt: skip
    assert doorstep.replay(history, both(chain)).difference is None


def test_how_far_a_sibling_came_before_the_abort_is_no_difference(chain: Chain) -> None:
    one, two = call("Bad", 4, 3), call("Slow", 7, 3)
    history = recorded(
        started(), entered("Parallel", "Both", 0, {}), ("ParallelStateStarted", 2, None, 0),
        *one, *two,
        ("LambdaFunctionFailed", 6, {"error": "E"}, 1),
        # The sibling had its answer before the failure reached it.
        ("LambdaFunctionSucceeded", 9, {"output": "2"}, 1),
        exited("Task", "Slow", 11, 2, 1),
        ("TaskStateAborted", 10, None, 1),
        ("ParallelStateFailed", 10, None, 1), ("ExecutionFailed", 14, {"error": "E"}, 1),
    )  # fmt: skip
    assert doorstep.replay(history, both(chain)).difference is None


def test_a_branch_that_is_not_started_any_more_is_a_difference_though_its_parallel_failed(
    chain: Chain,
) -> None:
    """Other events follow from the ParallelStateStarted, so that the line was not stopped here."""
    one, two, third = call("Bad", 4, 3), call("Slow", 7, 3), call("Third", 10, 3)
    history = recorded(
        started(), entered("Parallel", "Both", 0, {}), ("ParallelStateStarted", 2, None, 0),
        *one, *two, *third,
        ("LambdaFunctionFailed", 6, {"error": "E"}, 1),
        ("ParallelStateFailed", 13, None, 1), ("ExecutionFailed", 14, {"error": "E"}, 1),
    )  # fmt: skip
    found = doorstep.replay(history, both(chain)).difference
    assert found is not None
    assert found.recorded is not None
    assert found.recorded.name == "Third"
    assert found.message.endswith("now nothing happens")


def test_an_answer_that_is_missed_where_nothing_failed_is_a_difference(chain: Chain) -> None:
    history = recorded(
        started(), *call("Work", 2, 0), ("LambdaFunctionSucceeded", 4, {"output": "1"}, 0),
        exited("Task", "Work", 5, 1), entered("Pass", "More", 6, 1), exited("Pass", "More", 7, 1),
        ended(8, 1),
    )  # fmt: skip
    found = doorstep.replay(history, chain({"Work": WORK})).difference
    assert found is not None
    assert (found.recorded and found.recorded.id, found.ours and found.ours.type) == (
        7,
        "ExecutionSucceeded",
    )


# Times --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "same"), [(30, True), (29.5, True), (28, False), (39, True), (41, False)]
)
def test_a_wait_may_be_late_but_not_early(chain: Chain, seconds: float, same: bool) -> None:
    history = recorded(
        started(), entered("Wait", "Wait", 0, {}), exited("Wait", "Wait", 2, {}, seconds),
        ended(3, {}, seconds),
    )  # fmt: skip
    definition = chain({"Wait": {"Type": "Wait", "Seconds": 30}})
    replayed = doorstep.replay(history, definition)
    assert replayed.same is same
    if replayed.difference:
        assert replayed.difference.message == f"it lasted {seconds} s in the recording, 30 s now"
    assert doorstep.replay(history, definition, times=False).same


def test_a_wait_is_measured_from_when_aws_came_there(chain: Chain) -> None:
    slow = entered("Wait", "Wait", 0, {}, 100)
    history = recorded(started(), slow, exited("Wait", "Wait", 2, {}, 130), ended(3, {}, 130))
    assert doorstep.replay(history, chain({"Wait": {"Type": "Wait", "Seconds": 30}})).same


def test_an_execution_that_would_time_out_now_differs(chain: Chain) -> None:
    history = recorded(
        started(), entered("Wait", "Wait", 0, {}), exited("Wait", "Wait", 2, {}, 300),
        ended(3, {}, 300),
    )  # fmt: skip
    states = {"Wait": {"Type": "Wait", "Seconds": 300}}
    found = doorstep.replay(history, chain(states, TimeoutSeconds=60)).difference
    assert found is not None
    assert found.message == "the execution times out after 60 s"


# Handlers -----------------------------------------------------------------------------------------


def test_handlers_are_asked_again_and_their_answers_compared(chain: Chain, each: Chain) -> None:
    definition = chain({"Map": each({"Work": WORK})})

    def then(n: Any) -> Any:
        if n == 3:
            raise ValueError("three")
        return {"n": n, "double": n * 2}

    def now(n: Any) -> Any:
        return {"n": n, "double": n * 2 if n != 2 else 5}

    history = doorstep.run(definition, [1, 2, 3], {"work": then}, seed=1).history
    replayed = doorstep.replay(history, definition, handlers={"work": now})
    assert [answer.verdict for answer in replayed.answers] == ["same", "different", "fixed"]
    assert (replayed.difference, replayed.same) == (None, False)
    different = replayed.answers[1]
    assert (different.state, different.at) == ("Work", "output.double")
    assert (different.recorded, different.now) == (
        {"output": {"n": 2, "double": 4}},
        {"output": {"n": 2, "double": 5}},
    )


def test_a_failure_with_the_same_message_is_the_same_answer(chain: Chain) -> None:
    def work(_: Any) -> Any:
        raise ValueError("three")

    definition = chain({"Work": WORK})
    history = doorstep.run(definition, handlers={"work": work}, seed=1).history
    replayed = doorstep.replay(history, definition, handlers={"work": work})
    assert [answer.verdict for answer in replayed.answers] == ["same"]


def test_what_belongs_to_a_request_is_not_compared(chain: Chain) -> None:
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "work", "Payload": {}},
    }
    definition = chain({"Work": invoke, "Other": WORK | {"Resource": f"{LAMBDA}-2"}})
    handlers = {"work": lambda _: 7, "work-2": lambda _: 8}
    history = doorstep.run(definition, handlers=handlers, seed=2).history
    replayed = doorstep.replay(history, definition, handlers={"work": lambda _: 7})
    assert [answer.verdict for answer in replayed.answers] == ["same", "no handler"]
    assert replayed.same


def test_a_replay_is_seen_as_an_execution(chain: Callable[..., Any]) -> None:
    work = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
    definition = chain({"Work": work, "Rest": {"Type": "Wait", "Seconds": 60}})
    execution = doorstep.run(definition, {"n": 1}, {"work": lambda event: event["n"] + 1}, seed=1)
    for seen in (
        execution,
        doorstep.replay(execution.history, definition),
        doorstep.moments(execution.history, definition),
    ):
        assert (seen.status, seen.input, seen.output) == ("SUCCEEDED", {"n": 1}, 2)
        assert seen.path == ["Work", "Rest"]
        assert seen.took == timedelta(seconds=60)
        assert seen.state("Work").output == 2
        assert seen.history == execution.history
        assert seen.picture == execution.picture
        with pytest.raises(LookupError, match="no state 'Wrok'; did you mean 'Work'"):
            seen.state("Wrok")
