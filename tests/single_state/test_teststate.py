"""TestState: what one state answers, and what inspectionData shows.

Texts and members are those of facts 78, 127 and 480 to 486.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import doorstep

LAMBDA = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
TASK = {**LAMBDA, "Parameters": {"FunctionName.$": "$.name"}}
QUERY = {**LAMBDA, "QueryLanguage": "JSONata", "Arguments": {"FunctionName": "f"}}
PASS = {"Type": "Pass", "End": True}
BRANCH = {"StartAt": "Inner", "States": {"Inner": PASS}}
PARALLEL = {"Type": "Parallel", "Branches": [BRANCH], "End": True}
DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
MAP = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": DISTRIBUTED, **BRANCH}, "End": True}
ERROR = {"errorOutput": {"error": "Broken", "cause": "It broke."}}


def ask(definition: Any, **members: Any) -> dict[str, Any]:
    return doorstep.test_state({"definition": definition, **members})


def inspect(definition: Any, **members: Any) -> dict[str, Any]:
    """inspectionData with its JSON texts read."""
    data: dict[str, Any] = ask(definition, inspectionLevel="DEBUG", **members)["inspectionData"]
    return {k: json.loads(v) if isinstance(v, str) else v for k, v in data.items()}


def mocked(result: Any) -> dict[str, Any]:
    return {"result": json.dumps(result)}


# The answer ---------------------------------------------------------------------------------------


def test_a_state_by_itself_answers_with_its_output() -> None:
    assert ask(PASS, input='{"a": 1}') == {"status": "SUCCEEDED", "output": '{"a": 1}'}


def test_without_an_input_the_state_is_given_an_empty_object() -> None:
    assert ask(PASS)["output"] == "{}"


def test_the_next_state_is_named_and_need_not_be_in_the_definition() -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "One"}],
        "Default": "Other",
    }
    assert ask(choice, input={"n": 1})["nextState"] == "One"
    assert ask(choice, input={"n": 2})["nextState"] == "Other"
    assert "nextState" not in ask(PASS)


def test_a_fail_state_answers_with_its_error_and_cause() -> None:
    fail = {"Type": "Fail", "Error": "Broken", "Cause": "It broke."}
    assert ask(fail) == {"status": "FAILED", "error": "Broken", "cause": "It broke."}


def test_a_fail_state_without_error_and_cause_leaves_them_out() -> None:
    assert ask({"Type": "Fail"}) == {"status": "FAILED"}


def test_a_state_of_a_machine_is_found_at_any_depth_in_the_machines_language() -> None:
    inner = {"Inner": {"Type": "Pass", "Output": "{% $states.input + 1 %}", "End": True}}
    machine = {
        "QueryLanguage": "JSONata",
        "StartAt": "Outer",
        "States": {"Outer": {**PARALLEL, "Branches": [{"StartAt": "Inner", "States": inner}]}},
    }
    assert ask(machine, stateName="Inner", input=41)["output"] == "42"


def test_78_variables_are_visible() -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $x + 1 %}", "End": True}
    assert ask(state, variables={"x": 1})["output"] == "2"


def test_a_mocked_result_goes_through_the_fields_behind_the_work() -> None:
    task = {**TASK, "ResultSelector": {"got.$": "$.Payload"}, "ResultPath": "$.r"}
    answer = ask(task, input={"name": "f"}, mock=mocked({"Payload": 5, "StatusCode": 200}))
    assert answer == {"status": "SUCCEEDED", "output": '{"name":"f","r":{"got":5}}'}


def test_a_mocked_result_that_nothing_changes_keeps_its_spacing() -> None:
    assert ask(PARALLEL, mock={"result": "[ 1 ]"})["output"] == "[ 1 ]"


def test_a_mocked_error_fails_the_state() -> None:
    answer = ask(QUERY, mock=ERROR)
    assert answer == {"status": "FAILED", "error": "Broken", "cause": "It broke."}


def test_a_wait_takes_no_time_and_more_than_five_minutes_are_a_timeout() -> None:
    wait = {"Type": "Wait", "Next": "After"}
    assert ask({**wait, "Seconds": 299})["status"] == "SUCCEEDED"
    assert ask({**wait, "Seconds": 301}) == {"status": "FAILED", "error": "States.Timeout"}


def test_causes_do_not_name_the_state() -> None:
    answer = ask(MAP, input=5, mock=mocked([]))
    assert answer["error"] == "States.Runtime"
    assert answer["cause"] == 'Reference path "$" must point to array.'


def test_a_path_into_the_context_object_is_shown_with_one_dollar() -> None:
    items = {**MAP, "ItemsPath": "$$.Execution.Input"}
    answer = ask(items, mock=mocked([]), context={"Execution": {"Input": "a"}})
    assert answer["cause"] == 'Reference path "$.Execution.Input" must point to array.'


def test_a_handler_answers_a_task_without_a_mock() -> None:
    request = {"definition": TASK, "input": {"name": "f"}, "roleArn": "arn:aws:iam::1:role/r"}
    answer = doorstep.test_state(request, {"f": lambda event: "done"})
    assert answer["status"] == "SUCCEEDED"
    assert json.loads(answer["output"])["Payload"] == "done"


# Retry and Catch ----------------------------------------------------------------------------------


RETRY = {"ErrorEquals": ["Broken"], "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 5}
CATCH = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Handler"}


def retried(count: int, **fields: Any) -> dict[str, Any]:
    return ask(
        {**TASK, **fields},
        input={"name": "f"},
        mock=ERROR,
        stateConfiguration={"retrierRetryCount": count},
        inspectionLevel="DEBUG",
    )


def test_after_four_retries_the_interval_has_doubled_four_times() -> None:
    answer = retried(4, Retry=[RETRY])
    assert answer["status"] == "RETRIABLE"
    assert "output" not in answer
    details = answer["inspectionData"]["errorDetails"]
    assert details == {"retryIndex": 0, "retryBackoffIntervalSeconds": 16}


def test_a_retrier_that_is_used_up_fails_the_state_and_is_named() -> None:
    answer = retried(5, Retry=[RETRY])
    assert answer["status"] == "FAILED"
    assert answer["inspectionData"]["errorDetails"] == {"retryIndex": 0}


def test_90_retry_is_consulted_before_catch() -> None:
    assert retried(0, Retry=[RETRY], Catch=[CATCH])["status"] == "RETRIABLE"


def test_a_catcher_says_where_to_go_on_and_with_what() -> None:
    other = {"ErrorEquals": ["Other"], "Next": "Elsewhere"}
    answer = retried(0, Catch=[other, CATCH])
    assert answer["status"] == "CAUGHT_ERROR"
    assert answer["nextState"] == "Handler"
    assert json.loads(answer["output"]) == {
        "name": "f",
        "e": {"Error": "Broken", "Cause": "It broke."},
    }
    assert (answer["error"], answer["cause"]) == ("Broken", "It broke.")
    assert answer["inspectionData"]["errorDetails"] == {"catchIndex": 1}


def test_a_huge_number_of_retries_is_answered_at_once() -> None:
    answer = retried(99_999_998, Retry=[{**RETRY, "MaxAttempts": 99_999_999}])
    assert answer["status"] == "RETRIABLE"


# Map ----------------------------------------------------------------------------------------------


EXCEEDED = "The specified tolerated failure threshold was exceeded"


def failing(count: int, **fields: Any) -> dict[str, Any]:
    return ask(
        {**MAP, **fields},
        input=[1, 2, 3],
        mock=mocked([1, 2, 3]),
        stateConfiguration={"mapIterationFailureCount": count},
    )


def test_more_failed_iterations_than_are_tolerated_fail_the_map() -> None:
    assert failing(1, ToleratedFailureCount=1)["status"] == "SUCCEEDED"
    assert failing(2, ToleratedFailureCount=1) == {
        "status": "FAILED",
        "error": "States.ExceedToleratedFailureThreshold",
        "cause": EXCEEDED,
    }
    assert failing(1, ToleratedFailureCount=0)["status"] == "FAILED"
    assert failing(1, ToleratedFailurePercentage=34)["status"] == "SUCCEEDED"
    assert failing(2, ToleratedFailurePercentage=34)["status"] == "FAILED"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_without_a_tolerance_failed_iterations_decide_nothing(count: int) -> None:
    """Fact 485, recorded."""
    assert failing(count)["status"] == "SUCCEEDED"
    retry = [{"ErrorEquals": ["States.ALL"]}]
    assert failing(count, Retry=retry)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    "fields", [{"ToleratedFailureCount": 1}, {"ToleratedFailureCountPath": "$.no"}]
)
def test_tolerances_of_an_inline_map_decide_nothing(fields: dict[str, Any]) -> None:
    """Fact 24."""
    assert failing(3, ItemProcessor=BRANCH, **fields)["status"] == "SUCCEEDED"


def test_an_exceeded_tolerance_can_be_caught() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Handler"}]
    answer = failing(1, ToleratedFailureCount=0, Catch=catch)
    assert (answer["status"], answer["nextState"]) == ("CAUGHT_ERROR", "Handler")


def test_a_mocked_error_of_a_map_goes_before_its_tolerance() -> None:
    configuration = {"mapIterationFailureCount": 3, "errorCausedByState": "Inner"}
    answer = ask(MAP, input=[1], mock=ERROR, stateConfiguration=configuration)
    assert answer == {"status": "FAILED", "error": "Broken", "cause": "It broke."}


def test_the_item_of_the_last_iteration_is_not_in_the_maps_own_context_object() -> None:
    fields = {
        "ItemSelector": {"n.$": "$$.Map.Item.Value"},
        "ResultSelector": {"context.$": "$$"},
    }
    answer = ask({**MAP, **fields}, input=[1, 2], mock=mocked([1, 2]))
    assert "Map" not in json.loads(answer["output"])["context"]


# inspectionData -----------------------------------------------------------------------------------


def test_info_shows_no_inspection_data() -> None:
    assert "inspectionData" not in ask(PASS, inspectionLevel="INFO")


def test_debug_and_trace_show_the_same_where_no_http_request_is_made() -> None:
    assert ask(PASS, inspectionLevel="DEBUG") == ask(PASS, inspectionLevel="TRACE")


def test_pass_shows_its_parameters_or_its_result() -> None:
    flow = {"InputPath": "$.in", "ResultPath": "$.out"}
    given = {"in": {"x": 1}}
    assert inspect({**PASS, **flow, "Parameters": {"y.$": "$.x"}}, input=given) == {
        "input": given,
        "afterInputPath": {"x": 1},
        "afterParameters": {"y": 1},
        "afterResultSelector": {"y": 1},
        "afterResultPath": {"in": {"x": 1}, "out": {"y": 1}},
    }
    assert inspect({**PASS, **flow, "Result": 7}, input=given) == {
        "input": given,
        "result": 7,
        "afterResultSelector": 7,
        "afterResultPath": {"in": {"x": 1}, "out": 7},
    }


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Succeed"},
        {"Type": "Fail"},
        {"Type": "Wait", "Seconds": 0, "End": True},
        {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "A"}]},
    ],
    ids=lambda state: state["Type"],
)
def test_states_without_a_result_show_their_effective_input(state: dict[str, Any]) -> None:
    assert inspect(state, input={"a": 1}) == {"input": {"a": 1}, "afterInputPath": {"a": 1}}
    if state["Type"] in ("Succeed", "Fail"):
        query = {**state, "QueryLanguage": "JSONata"}
        assert inspect(query, input={"a": 1}) == {"input": {"a": 1}}


def test_a_task_shows_what_goes_in_and_what_comes_out() -> None:
    result = {"Payload": 5, "StatusCode": 200}
    task = {**TASK, "ResultSelector": {"got.$": "$.Payload"}, "ResultPath": "$.r"}
    assert inspect(task, input={"name": "f"}, mock=mocked(result)) == {
        "input": {"name": "f"},
        "afterInputPath": {"name": "f"},
        "afterParameters": {"FunctionName": "f"},
        "result": result,
        "afterResultSelector": {"got": 5},
        "afterResultPath": {"name": "f", "r": {"got": 5}},
    }
    assert inspect(QUERY, mock=mocked(result)) == {
        "input": {},
        "afterArguments": {"FunctionName": "f"},
        "result": result,
    }


def test_a_task_that_failed_shows_what_went_in() -> None:
    assert inspect(QUERY, mock=ERROR) == {"input": {}, "afterArguments": {"FunctionName": "f"}}
    # Its Parameters can't be made of this input.
    assert inspect(TASK, mock=ERROR) == {"input": {}, "afterInputPath": {}}


def test_a_parallel_shows_its_results_only() -> None:
    parallel = {**PARALLEL, "InputPath": "$.in", "ResultPath": "$.r"}
    assert inspect(parallel, input={"in": 1}, mock=mocked([2])) == {
        "input": {"in": 1},
        "afterResultSelector": [2],
        "afterResultPath": {"in": 1, "r": [2]},
    }
    query = {**PARALLEL, "QueryLanguage": "JSONata", "Arguments": {"x": 1}}
    assert inspect(query, mock=mocked([2])) == {"input": {}}


def test_a_map_shows_its_limits() -> None:
    query = {**MAP, "QueryLanguage": "JSONata"}
    assert inspect(query, input=[1], mock=mocked([1])) == {"input": [1], "maxConcurrency": 0}
    tolerant = {**query, "ToleratedFailureCount": 2, "ToleratedFailurePercentage": "{% 5 %}"}
    data = inspect({**tolerant, "MaxConcurrency": 3}, input=[1], mock=mocked([1]))
    assert data == {
        "input": [1],
        "maxConcurrency": 3,
        "toleratedFailureCount": 2,
        "toleratedFailurePercentage": 5.0,
    }
    assert isinstance(data["toleratedFailurePercentage"], float)


def test_a_map_shows_what_becomes_of_its_items() -> None:
    fields = {"ItemsPath": "$.v", "ItemSelector": {"n.$": "$$.Map.Item.Value"}}
    batches = {"ItemBatcher": {"MaxItemsPerBatch": 2}}
    data = inspect({**MAP, **fields, **batches}, input={"v": [1, 2, 3]}, mock=mocked([]))
    assert data["afterItemsPath"] == [1, 2, 3]
    assert data["afterItemSelector"] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert data["afterItemBatcher"] == [{"Items": [{"n": 1}, {"n": 2}]}, {"Items": [{"n": 3}]}]


READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/rows"},
    "Parameters": {"Bucket": "b", "Key": "k"},
}


def test_the_items_of_a_reader_are_those_of_the_request() -> None:
    data = inspect(
        {**MAP, "ItemReader": READER},
        mock=mocked([]),
        stateConfiguration={"mapItemReaderData": '{"rows": [1, 2]}'},
    )
    assert data["afterItemsPointer"] == [1, 2]


def test_data_that_a_reader_can_not_read_fail_the_map() -> None:
    answer = ask(
        {**MAP, "ItemReader": READER},
        mock=mocked([]),
        stateConfiguration={"mapItemReaderData": "not JSON"},
    )
    assert (answer["status"], answer["error"]) == ("FAILED", "States.ItemReaderFailed")


def test_variables_are_shown_as_they_are_after_the_state() -> None:
    assign = {**PASS, "Assign": {"y": 2}}
    assert inspect(assign, variables={"x": 1})["variables"] == {"x": 1, "y": 2}
    assert "variables" not in inspect(PASS, variables={})


def test_what_is_random_is_the_same_throughout_the_answer() -> None:
    task = {**TASK, "ResultSelector": {"id.$": "States.UUID()"}}
    answer = ask(task, input={"name": "f"}, mock=mocked({}), inspectionLevel="DEBUG")
    shown = answer["inspectionData"]
    assert shown["afterResultSelector"] == shown["afterResultPath"] == answer["output"]


# The context object -------------------------------------------------------------------------------


def test_the_default_context_object_is_that_of_an_express_execution() -> None:
    state = {**PASS, "Parameters": {"c.$": "$$"}}
    context = json.loads(ask(state, input={"a": 1})["output"])["c"]
    assert ":express:" in context["Execution"]["Id"]
    assert context["Execution"]["Input"] == {"a": 1}
    assert context["Execution"]["RoleArn"] is None
    assert "RedriveCount" not in context["Execution"]
    assert context["State"]["Name"] == "StateName"
    assert "RetryCount" not in context["State"]


def test_the_role_of_the_request_is_that_of_the_context_object() -> None:
    state = {**PASS, "Parameters": {"role.$": "$$.Execution.RoleArn"}}
    assert (
        ask(state, roleArn="arn:aws:iam::1:role/r")["output"] == '{"role":"arn:aws:iam::1:role/r"}'
    )


def test_a_context_object_of_the_request_is_used_as_it_is() -> None:
    given: dict[str, Any] = {"Execution": {}, "State": {}, "StateMachine": {}}
    task = {**TASK, "ResultSelector": {"c.$": "$$"}}
    answer = ask(task, input={"name": "f"}, mock=mocked({}), context=given)
    assert json.loads(answer["output"]) == {"c": given}


def test_the_task_token_of_a_callback_can_be_given() -> None:
    callback = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    data = inspect(callback, mock=mocked({"any": 1}), context={"Task": {"Token": "t"}})
    assert data["afterParameters"]["MessageBody"] == {"token": "t"}


def test_the_execution_s_arn_ends_in_its_name() -> None:
    """Fact 487: that of an Express execution without an id behind it."""
    shown = {"Type": "Pass", "Parameters": {"of.$": "$$.Execution", "by.$": "$$.StateMachine"}}
    request = {"definition": {**shown, "End": True}, "input": {}}
    for more, begins in (
        ({}, "arn:aws:states:us-east-1:123456789012:"),
        (
            {"account": "999999999999", "region": "eu-west-3"},
            "arn:aws:states:eu-west-3:999999999999:",
        ),
    ):
        output = json.loads(doorstep.test_state(request, **more)["output"])
        machine, name = output["by"]["Name"], output["of"]["Name"]
        assert output["of"]["Id"] == f"{begins}express:{machine}:{name}"
        assert output["by"]["Id"] == f"{begins}stateMachine:{machine}"
        assert "RedriveCount" not in output["of"]


def test_a_map_whose_items_fail_shows_no_limits() -> None:
    """Fact 487."""
    state = {
        "Type": "Map",
        "QueryLanguage": "JSONata",
        "Items": "{% $states.input.items %}",
        "MaxConcurrency": 2,
        "ItemProcessor": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
        "End": True,
    }
    request = {"definition": state, "inspectionLevel": "DEBUG", "mock": {"result": "[1]"}}
    failed = doorstep.test_state({**request, "input": {"items": 5}})
    assert failed["status"] == "FAILED"
    assert "maxConcurrency" not in failed["inspectionData"]
    passed = doorstep.test_state({**request, "input": {"items": [5]}})
    assert passed["inspectionData"]["maxConcurrency"] == 2
