"""Facts 104 to 115 (docs/facts): the history and requests about it.

Expected values are those of the facts and of the recordings that they name.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import doorstep

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Work"
CHILD = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
PASS = {"Type": "Pass"}
TASK = {"Type": "Task", "Resource": FUNCTION}


def shown(execution: doorstep.Execution) -> list[str]:
    return [f"{e['id']}<-{e['previousEventId']} {e['type']}" for e in execution.history]


def details(execution: doorstep.Execution, event_type: str) -> dict[str, Any]:
    """The details of the one event of this type."""
    (found,) = (event for event in execution.history if event["type"] == event_type)
    (members,) = (found[name] for name in found if name.endswith("EventDetails"))
    whole: dict[str, Any] = members
    return whole


def sending(**fields: Any) -> dict[str, Any]:
    parameters = {"QueueUrl": "q", "MessageBody": {"n.$": "$.n", "token.$": "$$.Task.Token"}}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **fields}


def answered(event: Any) -> Any:
    return doorstep.answer("yes", after=1, response={"MessageId": "m"})


def test_behaviour_104_a_callback_task_leaves_its_events_in_a_chain(chain) -> None:
    execution = doorstep.run(chain({"T": sending(), "P": PASS}), {"n": 1}, {"T": answered})
    assert shown(execution) == [
        "1<-0 ExecutionStarted",
        "2<-0 TaskStateEntered",
        "3<-2 TaskScheduled",
        "4<-3 TaskStarted",
        "5<-4 TaskSubmitted",
        "6<-5 TaskSucceeded",
        "7<-6 TaskStateExited",
        "8<-7 PassStateEntered",
        "9<-8 PassStateExited",
        "10<-9 ExecutionSucceeded",
    ]


def test_behaviour_104_the_scheduled_event_shows_what_was_resolved(chain) -> None:
    task = sending(TimeoutSeconds=600, HeartbeatSeconds=5)
    execution = doorstep.run(chain({"T": task}), {"n": 1}, {"T": answered})
    scheduled = details(execution, "TaskScheduled")
    parameters = json.loads(scheduled.pop("parameters"))
    assert parameters.pop("QueueUrl") == "q"
    assert parameters["MessageBody"]["n"] == 1
    assert parameters["MessageBody"]["token"]
    assert scheduled == {
        "resourceType": "sqs",
        "resource": "sendMessage.waitForTaskToken",
        "region": "us-east-1",
        "timeoutInSeconds": 600,
        "heartbeatInSeconds": 5,
    }
    pattern = {"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken"}
    assert details(execution, "TaskStarted") == pattern
    shown_whole = {"outputDetails": {"truncated": False}}
    submitted = pattern | shown_whole | {"output": '{"MessageId":"m"}'}
    assert details(execution, "TaskSubmitted") == submitted
    assert details(execution, "TaskSucceeded") == pattern | shown_whole | {"output": '"yes"'}


def test_behaviour_105_branches_share_one_list_with_ids_in_a_row(chain) -> None:
    slow, quick = ({"Type": "Wait", "Seconds": seconds} for seconds in (2, 1))
    branches = [chain({"Slow": slow}), chain({"Quick": quick})]
    state = {"Type": "Parallel", "Branches": branches}
    execution = doorstep.run(chain({"All": state}))
    assert shown(execution) == [
        "1<-0 ExecutionStarted",
        "2<-0 ParallelStateEntered",
        "3<-2 ParallelStateStarted",
        "4<-3 WaitStateEntered",
        "5<-3 WaitStateEntered",
        "6<-5 WaitStateExited",
        "7<-4 WaitStateExited",
        "8<-7 ParallelStateSucceeded",
        "9<-7 ParallelStateExited",
        "10<-9 ExecutionSucceeded",
    ]


def test_behaviour_105_iterations_share_one_list_with_ids_in_a_row(chain, each) -> None:
    """Fact 430, recorded as test_map_state_nested."""
    inner = each({"P": PASS}, MaxConcurrency=1)
    outer = each({"MapL2": inner}, MaxConcurrency=1)
    execution = doorstep.run(chain({"MapL1": outer}), [[1, 2, 3], [4]])
    assert shown(execution)[:22] == [
        "1<-0 ExecutionStarted",
        "2<-0 MapStateEntered",
        "3<-2 MapStateStarted",
        "4<-3 MapIterationStarted",
        "5<-4 MapStateEntered",
        "6<-5 MapStateStarted",
        "7<-6 MapIterationStarted",
        "8<-7 PassStateEntered",
        "9<-8 PassStateExited",
        "10<-9 MapIterationSucceeded",
        "11<-9 MapIterationStarted",
        "12<-11 PassStateEntered",
        "13<-12 PassStateExited",
        "14<-13 MapIterationSucceeded",
        "15<-13 MapIterationStarted",
        "16<-15 PassStateEntered",
        "17<-16 PassStateExited",
        "18<-17 MapIterationSucceeded",
        "19<-18 MapStateSucceeded",
        "20<-18 MapStateExited",
        "21<-20 MapIterationSucceeded",
        "22<-20 MapIterationStarted",
    ]


MEMBERS = {
    "ExecutionStarted": "executionStartedEventDetails",
    "TaskStateEntered": "stateEnteredEventDetails",
    "TaskStateExited": "stateExitedEventDetails",
    "LambdaFunctionScheduled": "lambdaFunctionScheduledEventDetails",
    "LambdaFunctionStarted": None,
    "LambdaFunctionSucceeded": "lambdaFunctionSucceededEventDetails",
    "PassStateEntered": "stateEnteredEventDetails",
    "WaitStateEntered": "stateEnteredEventDetails",
    "ChoiceStateEntered": "stateEnteredEventDetails",
    "ChoiceStateExited": "stateExitedEventDetails",
    "ParallelStateEntered": "stateEnteredEventDetails",
    "ParallelStateStarted": None,
    "ParallelStateSucceeded": None,
    "MapStateStarted": "mapStateStartedEventDetails",
    "MapIterationStarted": "mapIterationStartedEventDetails",
    "MapIterationSucceeded": "mapIterationSucceededEventDetails",
    "MapStateSucceeded": None,
    "SucceedStateExited": "stateExitedEventDetails",
    "ExecutionSucceeded": "executionSucceededEventDetails",
}


def test_behaviour_106_details_are_in_camel_case_and_shared_by_the_state_types(chain, each) -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$", "IsPresent": True, "Next": "T"}]}
    states = {
        "C": choice,
        "T": {**TASK, "ResultPath": None},
        "W": {"Type": "Wait", "Seconds": 0},
        "All": {"Type": "Parallel", "Branches": [chain({"P": PASS})]},
        "Each": each({"Q": PASS}),
        "S": {"Type": "Succeed"},
    }
    execution = doorstep.run(chain(states), {}, {"Work": lambda event: event})
    assert execution.status == "SUCCEEDED"
    of_type = {event["type"]: event for event in execution.history}
    for name, member in MEMBERS.items():
        found = set(of_type[name]) - {"timestamp", "type", "id", "previousEventId"}
        assert found == ({member} if member else set()), name


def test_behaviour_107_the_exit_of_a_distributed_map_follows_the_start_of_its_run(
    chain, each
) -> None:
    """Recorded: test_map_state_config_distributed_item_selector_parameters."""
    state = each({"P": PASS}, distributed=True, MaxConcurrency=1)
    states = {"Start": PASS, "MapState": state, "Finish": {"Type": "Succeed"}}
    assert shown(doorstep.run(chain(states), [1, 2, 3])) == [
        "1<-0 ExecutionStarted",
        "2<-0 PassStateEntered",
        "3<-2 PassStateExited",
        "4<-3 MapStateEntered",
        "5<-4 MapStateStarted",
        "6<-5 MapRunStarted",
        "7<-6 MapRunSucceeded",
        "8<-7 MapStateSucceeded",
        "9<-6 MapStateExited",
        "10<-9 SucceedStateEntered",
        "11<-10 SucceedStateExited",
        "12<-11 ExecutionSucceeded",
    ]


def test_behaviour_108_a_timeout_aborts_the_other_iterations(chain, each) -> None:
    """Recorded: test_service_lambda_map_timeout, there with four iterations."""
    invoke = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "Work"},
        "TimeoutSeconds": 5,
    }
    execution = doorstep.run(
        chain({"MapWait": each({"T": invoke})}),
        [1, 2],
        {"Work": lambda event: doorstep.no_answer()},
    )
    types = [event["type"] for event in execution.history]
    first = types.index("TaskTimedOut") + 1
    since = [(e["previousEventId"], e["type"]) for e in execution.history[first + 1 :]]
    assert types[first] == "TaskTimedOut"
    assert since == [
        (first, "MapIterationFailed"),
        (first, "TaskStateAborted"),
        (first, "MapIterationAborted"),
        (first, "TaskStateAborted"),
        (first, "MapStateFailed"),
        (len(types) - 1, "ExecutionFailed"),
    ]


def nested(chain: Any, pattern: str) -> Any:
    """The result of a Task that starts another machine."""
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    parameters = {"StateMachineArn": CHILD, "Input": {"n": 1}}
    task = {"Type": "Task", "Resource": resource, "Parameters": parameters}
    child = chain({"P": {"Type": "Pass", "Result": {"m": 2}}})
    execution = doorstep.run(chain({"T": task}), state_machines={"Child": child})
    assert execution.status == "SUCCEEDED"
    return execution.output


def test_behaviour_115_a_synchronous_child_gives_its_output_as_text(chain) -> None:
    result = nested(chain, ".sync")
    assert (result["Input"], result["Output"]) == ('{"n":1}', '{"m":2}')
    assert result["Status"] == "SUCCEEDED"


def test_behaviour_115_and_under_sync_2_as_a_value(chain) -> None:
    result = nested(chain, ".sync:2")
    assert (result["Input"], result["Output"]) == ({"n": 1}, {"m": 2})


def test_behaviour_115_a_request_gives_the_arn_and_the_start_date(chain) -> None:
    result = nested(chain, "")
    assert result["ExecutionArn"].startswith(CHILD.replace("stateMachine", "execution") + ":")
    assert isinstance(result["StartDate"], int | str)
    assert "Output" not in result


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_behaviour_115_a_child_that_fails_is_a_failed_task(chain, pattern: str) -> None:
    """Recorded: test_start_execution_sync_delegate_failure."""
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    task = {"Type": "Task", "Resource": resource, "Parameters": {"StateMachineArn": CHILD}}
    child = chain({"F": {"Type": "Fail", "Error": "SomeFailure", "Cause": "because"}})
    execution = doorstep.run(chain({"T": task}), state_machines={"Child": child})
    assert execution.error == "States.TaskFailed"
    told = json.loads(str(execution.cause))
    assert (told["Error"], told["Cause"], told["Input"]) == ("SomeFailure", "because", "{}")
    assert told["Status"] == "FAILED"
