"""Timeouts, heartbeats, back-off and waits: time comes with the facts."""

from __future__ import annotations

from typing import Any

import pytest

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:Pack"


def machine(state: dict[str, Any], **top: Any) -> dict[str, Any]:
    end = {} if state.get("Type") in ("Choice", "Succeed", "Fail") else {"Next": "Done"}
    states = {"Work": {**state, **end}, "Done": {"Type": "Pass", "End": True}}
    return {"StartAt": "Work", "States": states, **top}


def task(resource: str = FUNCTION + "Work", **fields: Any) -> dict[str, Any]:
    message = (
        {"Parameters": {"MessageBody": "hello", "QueueUrl": "https://queue"}}
        if resource == CALLBACK
        else {}
    )
    return machine({"Type": "Task", "Resource": resource, **message, **fields})


def test_a_task_that_does_not_answer_in_time_times_out(world) -> None:
    run = world(task(TimeoutSeconds=5)).start().pass_time(5)
    assert run.shown(5) == ["5<-4 LambdaFunctionTimedOut", "6<-5 ExecutionFailed"]
    assert run.events("LambdaFunctionTimedOut")[0].details == {"error": "States.Timeout"}
    assert (run.engine.failure.error, run.engine.failure.cause) == ("States.Timeout", None)


def test_tasks_that_time_out_together_all_time_out_before_the_first_aborts_the_others(
    world,
) -> None:
    each = {"Type": "Task", "Resource": FUNCTION + "Each", "TimeoutSeconds": 5, "End": True}
    processor = {"StartAt": "Each", "States": {"Each": each}}
    run = world(machine({"Type": "Map", "ItemProcessor": processor})).start([1, 2])
    run.pass_time(5)
    first = run.events("LambdaFunctionTimedOut")[0].id
    # The order of test_service_lambda_map_timeout's recording, whose failing index was 0 (facts 108
    # and 137): MapIterationFailed, what is aborted, MapStateFailed. Measured by floci, later:
    # "MapIterationAborted, then the *StateAborted of each cut iteration, before MapIterationFailed
    # and MapStateFailed". The recording goes before that.
    assert run.shown(first)[2:] == [
        f"{first + 2}<-{first} MapIterationFailed",
        f"{first + 3}<-{first} TaskStateAborted",
        f"{first + 4}<-{first} MapIterationAborted",
        f"{first + 5}<-{first} TaskStateAborted",
        f"{first + 6}<-{first} MapStateFailed",
        f"{first + 7}<-{first + 6} ExecutionFailed",
    ]
    assert run.types()[first - 1 : first + 1] == ["LambdaFunctionTimedOut"] * 2


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_time_limit_from_a_path_is_a_positive_integer(world, seconds: int) -> None:
    """Specification, Task State: the reference path selects a positive integer."""
    run = world(task(TimeoutSecondsPath="$.limit")).start({"limit": seconds})
    assert run.types()[-1] == "ExecutionFailed"
    assert run.engine.failure.error == "States.Runtime"


@pytest.mark.parametrize(
    ("seconds", "problem"),
    [
        ("-3", "{name} must be between 0 and 99999999 but was: -3"),
        ("100000000", "{name} must be between 0 and 99999999 but was: 100000000"),
        ("2.5", "The {name} field cannot be parsed as an integer: 2.5"),
        ("-0.5", "The {name} field cannot be parsed as an integer: -0.5"),
    ],
)
@pytest.mark.parametrize("name", ["TimeoutSeconds", "HeartbeatSeconds"])
def test_a_time_limit_from_an_expression_has_a_range(
    world, name: str, seconds: str, problem: str
) -> None:
    """Fact 144, recorded for TimeoutSeconds; HeartbeatSeconds by analogy."""
    limit = {name: f"{{% {seconds} %}}"}
    run = world(task(QueryLanguage="JSONata", **limit)).start()
    assert run.types()[-2:] == ["EvaluationFailed", "ExecutionFailed"]
    details = run.events("EvaluationFailed")[0].details
    assert details["location"] == name
    assert details["cause"].endswith(f"). {problem.format(name=name)}")


def test_a_time_limit_of_no_seconds_from_an_expression_passes_at_once(world) -> None:
    """Fact 144: 0 is in the range; what follows from it is not recorded."""
    run = world(task(QueryLanguage="JSONata", TimeoutSeconds="{% 0 %}")).start()
    assert run.pass_time(0).engine.failure.error == "States.Timeout"


def test_the_scheduled_event_of_a_function_has_no_heartbeat(world) -> None:
    """The service's API model, HistoryEvent: other tasks' Scheduled events have one."""
    fields = {"TimeoutSeconds": 9, "HeartbeatSeconds": 5}
    function = world(task(**fields)).start().events("LambdaFunctionScheduled")[0].details
    assert "heartbeatInSeconds" not in function
    for resource, kind in ((CALLBACK, "Task"), (ACTIVITY, "Activity")):
        scheduled = world(task(resource, **fields)).start().events(f"{kind}Scheduled")[0].details
        assert scheduled["heartbeatInSeconds"] == 5


def test_a_timeout_is_not_due_before_its_time(world) -> None:
    run = world(task(TimeoutSeconds=5)).start().pass_time(4.9)
    assert run.status == "RUNNING"
    assert run.succeed("Work", "in time").status == "SUCCEEDED"


def test_an_answer_takes_the_timers_away(world) -> None:
    run = world(task(TimeoutSeconds=5, HeartbeatSeconds=2)).start()
    (call,) = run.calls()
    run.succeed("Work")
    assert call.key in run.cancelled()
    assert run.timers() == []


def test_a_missed_heartbeat_is_recorded_as_states_timeout(world) -> None:
    run = world(task(CALLBACK, HeartbeatSeconds=10, TimeoutSeconds=600)).start()
    run.deliver("submitted", run.calls()[0].key, {}).pass_time(10)
    assert run.types()[-2:] == ["TaskTimedOut", "ExecutionFailed"]
    assert run.engine.failure.error == "States.Timeout"


@pytest.mark.parametrize("name", ["States.HeartbeatTimeout", "States.Timeout", "States.ALL"])
def test_a_missed_heartbeat_is_caught_under_both_names(world, name: str) -> None:
    catch = [{"ErrorEquals": [name], "Next": "Done"}]
    run = world(task(CALLBACK, HeartbeatSeconds=10, Catch=catch)).start().pass_time(10)
    assert run.status == "SUCCEEDED"
    assert run.output == {"Error": "States.Timeout", "Cause": ""}


def test_a_timeout_is_not_a_task_failure(world) -> None:
    catch = [{"ErrorEquals": ["States.TaskFailed"], "Next": "Done"}]
    run = world(task(TimeoutSeconds=5, Catch=catch)).start().pass_time(5)
    assert run.status == "FAILED"


def test_the_heartbeat_is_a_gap_and_not_the_whole(world) -> None:
    run = world(task(CALLBACK, HeartbeatSeconds=10)).start()
    key = run.calls()[0].key
    for _ in range(5):
        run.pass_time(9).deliver("heartbeat", key)
    assert run.status == "RUNNING"
    assert run.pass_time(10).status == "FAILED"


def test_heartbeats_leave_no_events(world) -> None:
    run = world(task(CALLBACK, HeartbeatSeconds=10)).start()
    before = run.types()
    assert run.deliver("heartbeat", run.calls()[0].key).types() == before


def test_an_activity_that_nobody_picks_up_misses_no_heartbeat(world) -> None:
    run = world(task(ACTIVITY, HeartbeatSeconds=10, TimeoutSeconds=100)).start().pass_time(50)
    assert run.status == "RUNNING"
    run.deliver("picked up", run.calls()[0].key, "worker-1").pass_time(10)
    assert run.types()[2:] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivityTimedOut",
        "ExecutionFailed",
    ]


def test_of_an_activity_that_is_not_there_no_event_tells(world) -> None:
    # Recorded: test_activity_task_on_deleted.
    run = world(task(ACTIVITY))
    run.deleted.add(ACTIVITY)
    run.start()
    assert run.shown() == ["1<-0 ExecutionStarted", "2<-0 TaskStateEntered", "3<-2 ExecutionFailed"]
    assert run.events("ExecutionFailed")[0].details == {
        "error": "States.Runtime",
        "cause": (
            "An error occurred while executing the state 'Work' (entered at the event id #2). "
            f"The activity {ACTIVITY} does not exist."
        ),
    }


def test_the_execution_times_out_as_a_whole(world) -> None:
    run = world(machine({"Type": "Wait", "Seconds": 1000}, TimeoutSeconds=60)).start()
    run.now += 60
    run.deliver("due", "execution", "timeout")
    assert run.status == "TIMED_OUT"
    assert run.shown(3) == ["3<-0 ExecutionTimedOut"]
    assert run.events("ExecutionTimedOut")[0].details == {"error": "States.Timeout"}


def test_back_off_doubles_and_stops_at_the_longest_delay(world) -> None:
    retry = [
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 3,
            "BackoffRate": 2,
            "MaxDelaySeconds": 10,
            "MaxAttempts": 4,
        }
    ]
    run = world(task(Retry=retry)).start()
    delays = []
    for _ in range(4):
        run.fail("Work")
        delays.append(run.timers()[0].at - run.now)
        run.pass_time(delays[-1])
    assert delays == [3, 6, 10, 10]
    assert run.fail("Work").status == "FAILED"


def test_a_retry_follows_the_failure_without_entering_the_state_again(world) -> None:
    run = world(task(Retry=[{"ErrorEquals": ["States.ALL"]}])).start()
    run.fail("Work").pass_time(1)
    assert run.shown(5) == [
        "5<-4 LambdaFunctionFailed",
        "6<-5 LambdaFunctionScheduled",
        "7<-6 LambdaFunctionStarted",
    ]


def test_each_retrier_counts_for_itself(world) -> None:
    retry = [
        {"ErrorEquals": ["Busy"], "MaxAttempts": 1},
        {"ErrorEquals": ["Down"], "MaxAttempts": 1},
    ]
    run = world(task(Retry=retry)).start()
    run.fail("Work", "Busy").pass_time(9)
    run.fail("Work", "Down").pass_time(9)
    assert run.status == "RUNNING"
    assert run.fail("Work", "Busy").status == "FAILED"


def test_a_used_up_retrier_hands_over_to_catch_and_not_to_the_next_retrier(world) -> None:
    retry = [
        {"ErrorEquals": ["Busy"], "MaxAttempts": 0},
        {"ErrorEquals": ["States.ALL"], "MaxAttempts": 5},
    ]
    catch = [{"ErrorEquals": ["Busy"], "Next": "Done"}]
    run = world(task(Retry=retry, Catch=catch)).start().fail("Work", "Busy", "full")
    assert run.output == {"Error": "Busy", "Cause": "full"}


def test_jitter_depends_on_the_seed_alone(world) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 100, "JitterStrategy": "FULL"}]
    one = world(task(Retry=retry)).start().fail("Work").timers()[0].at
    other = world(task(Retry=retry)).start().fail("Work").timers()[0].at
    assert one == other
    assert 1000 <= one <= 1100


def test_a_wait_for_a_moment_that_is_past_ends_at_once(world) -> None:
    state = {"Type": "Wait", "Timestamp": "1970-01-01T00:00:00Z"}
    assert world(machine(state)).start().status == "SUCCEEDED"


def test_a_wait_ends_at_its_moment(world) -> None:
    state = {"Type": "Wait", "Timestamp": "1970-01-01T01:00:00.500Z"}
    run = world(machine(state)).start()
    assert [timer.at for timer in run.timers()] == [3600.5]
    assert run.pass_time(2600.5).status == "SUCCEEDED"
    assert run.events("WaitStateExited")[0].at == 3600.5
