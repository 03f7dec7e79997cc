"""TestState: the requests that AWS refuses, and how it says so.

Codes and texts are those of facts 127 and 482 to 486, recorded on AWS.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import doorstep
from doorstep import ApiError

TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f"},
    "End": True,
}
PASS = {"Type": "Pass", "End": True}
BRANCH = {"StartAt": "Inner", "States": {"Inner": PASS}}
PARALLEL = {"Type": "Parallel", "Branches": [BRANCH], "End": True}
DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
MAP = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": DISTRIBUTED, **BRANCH}, "End": True}
ERROR = {"errorOutput": {"error": "Broken", "cause": "It broke."}}


def ask(definition: Any, **members: Any) -> dict[str, Any]:
    return doorstep.test_state({"definition": definition, **members})


def refusal(definition: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ApiError) as refused:
        ask(definition, **members)
    error = refused.value.as_aws()["Error"]
    return error["Code"], error["Message"]


def invalid(definition: Any, **members: Any) -> str:
    code, message = refusal(definition, **members)
    assert code == "ValidationException"
    return message


def mocked(result: Any) -> dict[str, Any]:
    return {"result": json.dumps(result)}


@pytest.mark.parametrize("kind", ["Pass", "Succeed", "Fail"])
def test_127_states_that_do_no_work_take_no_mock(kind: str) -> None:
    state = {"Type": kind, **({"End": True} if kind == "Pass" else {})}
    message = f"State type '{kind}' is not supported when a mock is specified"
    assert invalid(state, mock=mocked({})) == message
    assert invalid(state, mock=ERROR) == message


@pytest.mark.parametrize("state", [MAP, PARALLEL], ids=["Map", "Parallel"])
def test_127_map_and_parallel_need_a_mock(state: dict[str, Any]) -> None:
    assert refusal(state) == (
        "InvalidDefinition",
        (
            "TestState API does not support Map or Parallel states. Supported state types include: "
            "[Task, Wait, Pass, Succeed, Fail, Choice]"
        ),
    )


def test_127_secrets_are_not_revealed_where_a_mock_is() -> None:
    message = "TestState does not support RevealSecrets when a mock is specified."
    assert invalid(TASK, mock=mocked({}), revealSecrets=True) == message


@pytest.mark.parametrize("mock", [{**mocked({}), **ERROR}, {}], ids=["both", "neither"])
def test_127_a_mock_is_a_result_or_an_error(mock: dict[str, Any]) -> None:
    message = "A test mock should have only one of the following fields: [result, errorOutput]."
    assert invalid(TASK, mock=mock) == message


def test_a_mocked_result_has_to_be_json() -> None:
    assert invalid(TASK, mock={"result": "not JSON"}) == "Mocked result must be valid JSON"


def test_the_mocked_result_of_a_map_is_an_array_or_with_a_writer_an_object() -> None:
    writer = {"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {}}}
    assert invalid(MAP, mock=mocked({})) == "Mocked result must be an array."
    written = {**MAP, **writer, "ResultWriter": {"WriterConfig": {"OutputType": "JSON"}}}
    assert invalid(written, mock=mocked([])) == "Mocked result must be a JSON object."


def test_the_mocked_result_of_a_parallel_has_an_item_for_each_branch() -> None:
    message = "Mocked result must contain the same number of items as number of Parallel branches."
    assert invalid(PARALLEL, mock=mocked([1, 2])) == message


def test_no_more_iterations_can_fail_than_there_are() -> None:
    message = (
        "Map iteration failure count must be less than or equal to the number of Map iterations"
    )
    configuration = {"mapIterationFailureCount": 2}
    assert invalid(MAP, mock=mocked([1]), stateConfiguration=configuration) == message


def test_failed_iterations_need_a_mock() -> None:
    message = "TestState does not support MapIterationFailureCount when a mock is not specified."
    assert invalid(MAP, stateConfiguration={"mapIterationFailureCount": 1}) == message


def test_a_task_without_a_mock_needs_a_role() -> None:
    assert invalid(TASK) == "RoleArn must be specified when testing a Task state"


def test_a_state_that_is_not_there_is_not_found() -> None:
    machine = {"StartAt": "A", "States": {"A": PASS}}
    assert invalid(machine, stateName="B") == "State not found in definition"


def test_a_state_by_itself_is_called_state_name_in_diagnostics() -> None:
    assert refusal({**PARALLEL, "Branches": []}, mock=mocked([])) == (
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Value cannot be empty "
            "at /States/StateName/Branches'"
        ),
    )


def test_a_whole_machine_is_refused_for_any_of_its_states() -> None:
    machine = {"StartAt": "A", "States": {"A": PASS, "B": {"Type": "Unknown"}}}
    code, message = refusal(machine, stateName="A")
    assert code == "InvalidDefinition"
    assert "at /States/B/Type" in message


def test_an_input_that_is_not_json_is_refused_in_the_parsers_words() -> None:
    assert refusal(PASS, input="not JSON") == (
        "InvalidExecutionInput",
        (
            "Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting "
            "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')'"
        ),
    )


def test_members_outside_their_limits_are_all_named() -> None:
    assert invalid(PASS, inspectionLevel="ALL", stateConfiguration={"retrierRetryCount": -1}) == (
        "2 validation errors detected: "
        "Value 'ALL' at 'inspectionLevel' failed to satisfy constraint: "
        "Member must satisfy enum value set: [INFO, DEBUG, TRACE]; "
        "Value '-1' at 'stateConfiguration.retrierRetryCount' failed to satisfy constraint: "
        "Member must have value greater than or equal to 0"
    )


def test_a_request_without_a_definition_is_refused() -> None:
    with pytest.raises(ApiError, match=r"at 'definition' .* Member must not be null"):
        doorstep.test_state({})


def test_an_unknown_member_and_one_of_another_type_are_refused() -> None:
    assert "no member 'mock.results'" in invalid(TASK, mock={"results": "{}"})
    assert refusal(TASK, mock="{}")[0] == "SerializationException"


# The context object -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"Pokedex": 1}, "Field 'Pokedex' is not allowed"),
        ({"Execution": {"pokemon": 1}}, "Field 'pokemon' is not allowed"),
        ({"Execution": {"Id": 1}}, "Execution.Id must be a string"),
        ({"Map": {}}, "'Map' field is not supported when mocking a Context object"),
        (
            {"Task": {"Token": "t"}},
            (
                "Context object contains 'Task' when state is not a Task state with a '.sync' or "
                "'.waitForTaskToken' service integration pattern"
            ),
        ),
    ],
)
def test_a_context_object_that_can_not_be_is_refused(context: Any, message: str) -> None:
    refusal = invalid(TASK, mock=mocked({}), context=context)
    assert refusal == f"Invalid Context object provided: {message}"


# fieldValidationMode ------------------------------------------------------------------------------


def service(resource: str, **parameters: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Parameters": parameters,
        "End": True,
    }


START = service("states:startExecution", StateMachineArn="a")
WRONG = [
    (START, {}, "Required field 'ExecutionArn' is missing"),
    (START, {"ExecutionArn": 1, "StartDate": "d"}, "Field 'ExecutionArn' must be a string"),
    (START, {"ExecutionArn": "a", "StartDate": True}, "Field 'StartDate' must be a string"),
    (service("events:putEvents", Entries=[]), {"Entries": {}}, "Field 'Entries' must be an array"),
    (
        service("events:putEvents", Entries=[]),
        {"Entries": [{"EventId": 1}]},
        "Field 'EventId' must be a string",
    ),
    (
        service("lambda:invoke", FunctionName="f"),
        {"StatusCode": "200"},
        "Field 'StatusCode' must be a number",
    ),
    (
        service("dynamodb:getItem", TableName="t", Key={}),
        {"ConsumedCapacity": {"CapacityUnits": "1"}},
        "Field 'CapacityUnits' must be a number",
    ),
    (
        service("aws-sdk:lambda:getFunction", FunctionName="f"),
        {"Configuration": {"MemorySize": 1}},
        "Field 'MemorySize' is less than the minimum value",
    ),
    (
        service("aws-sdk:lambda:getFunction", FunctionName="f"),
        {"Configuration": {"MemorySize": 1_000_000}},
        "Field 'MemorySize' exceeds the maximum value",
    ),
    (
        service("aws-sdk:kms:encrypt", KeyId="k", Plaintext="x"),
        {"CiphertextBlob": ""},
        "Field 'CiphertextBlob' is smaller than the minimum length",
    ),
    (
        service("aws-sdk:s3:getObject", Bucket="b", Key="k"),
        {"StorageClass": "CELLAR"},
        "Field 'StorageClass' is not an expected value",
    ),
]


@pytest.mark.parametrize(("state", "result", "problem"), WRONG)
def test_a_mocked_result_is_compared_with_the_services_model(
    state: dict[str, Any], result: Any, problem: str
) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    assert invalid(state, mock=mocked(result)) == f"Mock result schema validation error: {problem}"
    unchecked = {**mocked(result), "fieldValidationMode": "NONE"}
    assert ask(state, mock=unchecked)["status"] == "SUCCEEDED"


def test_present_asks_for_no_required_field_but_looks_at_those_that_are_there() -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    present = {"fieldValidationMode": "PRESENT"}
    assert ask(START, mock={**mocked({}), **present})["status"] == "SUCCEEDED"
    assert "'ExecutionArn' must be a string" in invalid(
        START, mock={**mocked({"ExecutionArn": 1}), **present}
    )


def test_what_the_model_does_not_know_is_no_problem() -> None:
    put = service("events:putEvents", Entries=[])
    assert ask(put, mock=mocked({"random": "json"}))["output"] == '{"random": "json"}'


def test_a_job_is_compared_with_what_tells_of_its_end() -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    job = service("states:startExecution.sync", StateMachineArn="a")
    started = {"ExecutionArn": "a", "StartDate": "d"}
    ended = {**started, "StateMachineArn": "a", "Status": "SUCCEEDED"}
    assert "'StateMachineArn' is missing" in invalid(job, mock=mocked(started))
    assert ask(job, mock=mocked(ended))["status"] == "SUCCEEDED"


def test_a_callback_may_answer_anything() -> None:
    callback = service("lambda:invoke.waitForTaskToken", FunctionName="f")
    assert ask(callback, mock=mocked({"StatusCode": "any"}))["status"] == "SUCCEEDED"


def test_the_payload_of_a_function_is_parsed_json_of_any_kind() -> None:
    function = service("lambda:invoke", FunctionName="f")
    mock = mocked({"StatusCode": 200, "Payload": {"any": [1]}})
    assert ask(function, mock=mock)["status"] == "SUCCEEDED"
