"""Times have milliseconds, the same wherever they are written (fact 344)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import doorstep
from doorstep.runtime.clocks import RealClock, VirtualClock
from doorstep.values.timestamps import format_timestamp, in_milliseconds, not_before

ROLE = "arn:aws:iam::123456789012:role/doorstep"


def whole(at: float) -> bool:
    return round(at * 1000) / 1000 == at


def test_a_clock_is_read_in_whole_milliseconds() -> None:
    assert whole(RealClock().now())
    assert VirtualClock(1_795_881_623.590858).now() == 1_795_881_623.59
    assert in_milliseconds(1_795_881_623.591) == 1_795_881_623.591
    assert not_before(1_795_881_623.5901) == 1_795_881_623.591
    assert not_before(1_795_881_622.591 + 1) == 1_795_881_623.591


@pytest.mark.parametrize("length", [0.0004, 0.001, 1 / 3, 1.1, 2.0005])
def test_nothing_is_done_before_its_time(length: float) -> None:
    clock, done = VirtualClock(1_795_881_623.591), list[float]()
    due = clock.now() + length
    clock.call_at(due, lambda: done.append(clock.now()))
    clock.advance(1 + length)
    (at,) = done
    assert whole(at)
    assert due - 1e-6 <= at < due + 0.001


def test_all_that_times_out_at_a_moment_times_out_together_whatever_its_fraction() -> None:
    """Fact 108, when the moment is a sum that a float can't hold."""
    call = {"Type": "Task", "Resource": "arn:aws:states:::foo:bar", "TimeoutSeconds": 3}
    call |= {"Resource": "arn:aws:states:::sqs:sendMessage", "End": True}
    call["Parameters"] = {"QueueUrl": "q", "MessageBody": "m"}
    branches = [{"StartAt": name, "States": {name: call}} for name in ("One", "Two")]
    parallel = {"Type": "Parallel", "Branches": branches, "End": True}
    for milliseconds in range(0, 1000, 37):
        execution = doorstep.run(
            {"StartAt": "Both", "States": {"Both": parallel}},
            handlers={"*": lambda event: doorstep.no_answer()},
            start_time=1_795_881_623 + milliseconds / 1000 + 0.0004,
        )
        types = [event.type for event in execution.events]
        assert types.count("TaskTimedOut") == 2
        assert execution.error == "States.Timeout"


def test_the_context_object_has_the_times_of_the_answers(client: Any) -> None:
    times = {"start.$": "$$.Execution.StartTime", "entered.$": "$$.State.EnteredTime"}
    show = {"Type": "Pass", "Parameters": times, "End": True}
    machine = client.create_state_machine(
        name="shows-times",
        definition=json.dumps({"StartAt": "Show", "States": {"Show": show}}),
        roleArn=ROLE,
    )
    for _ in range(20):
        started = client.start_execution(stateMachineArn=machine["stateMachineArn"])
        arn = started["executionArn"]
        described = client.describe_execution(executionArn=arn)
        history = client.get_execution_history(executionArn=arn)["events"]
        output = json.loads(described["output"])
        at = described["startDate"].timestamp()
        assert whole(at)
        assert described["startDate"] == started["startDate"] == history[0]["timestamp"]
        assert output["start"] == format_timestamp(at)
        assert output["entered"] == format_timestamp(history[1]["timestamp"].timestamp())
        assert all(whole(event["timestamp"].timestamp()) for event in history)


def test_what_is_created_has_its_time_in_milliseconds(
    client: Any, create: Callable[..., Any]
) -> None:
    made = create(publish=True)
    version, arn = made["stateMachineVersionArn"], made["stateMachineArn"]
    activity = client.create_activity(name="times")
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )
    updated = client.update_state_machine(stateMachineArn=arn, roleArn=ROLE)
    moments = (
        made["creationDate"],
        activity["creationDate"],
        alias["creationDate"],
        updated["updateDate"],
        client.describe_state_machine(stateMachineArn=version)["creationDate"],
    )
    assert all(whole(moment.timestamp()) for moment in moments)
