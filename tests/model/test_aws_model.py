"""The API's requests: the table against botocore's, and the words of a refusal."""

from __future__ import annotations

from typing import Any

import pytest

import doorstep
from doorstep.errors import ApiError
from doorstep.model.aws_model import (
    PAYLOAD_BYTES,
    REQUESTS,
    Flag,
    Items,
    Number,
    Shape,
    Structure,
    Text,
    check_member,
    check_request,
)

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"


def restated(shape: Shape) -> Any:
    """A shape in the form in which `in_botocore` returns one."""
    match shape:
        case Text():
            least, values = shape.least or None, frozenset(shape.values)
            return "string", least, shape.most, values, shape.pattern, shape.secret
        case Number():
            kinds = ("integer", "long") if shape.whole else ("float",)
            return kinds, shape.least, shape.most
        case Flag():
            return "boolean"
        case Items():
            return "list", restated(shape.member), shape.least or None, shape.most
        case Structure():
            members = {name: restated(member) for name, member in shape.members.items()}
            return "structure", shape.required, members


def in_botocore(shape: Any) -> Any:
    metadata = shape.metadata
    bounds = metadata.get("min"), metadata.get("max")
    match shape.type_name:
        case "string":
            values, pattern = frozenset(metadata.get("enum", ())), metadata.get("pattern")
            secret = metadata.get("sensitive", False)
            return "string", bounds[0] or None, bounds[1], values, pattern, secret
        case "integer" | "long":
            return ("integer", "long"), *bounds
        case "float":
            return ("float",), *bounds
        case "boolean":
            return "boolean"
        case "list":
            return "list", in_botocore(shape.member), bounds[0] or None, bounds[1]
    members = {name: in_botocore(member) for name, member in shape.members.items()}
    return "structure", frozenset(shape.required_members), members


def test_requests_have_the_members_and_limits_of_the_service_model() -> None:
    botocore = pytest.importorskip("botocore.session", reason="botocore is not installed")
    model = botocore.get_session().get_service_model("stepfunctions")
    assert set(REQUESTS) == set(model.operation_names)
    for operation, shape in REQUESTS.items():
        assert restated(shape) == in_botocore(model.operation_model(operation).input_shape), (
            operation
        )


def refusal(operation: str, request: Any) -> tuple[str, str]:
    with pytest.raises(ApiError) as refused:
        check_request(operation, request)
    return refused.value.code, str(refused.value)


@pytest.mark.parametrize(
    ("member", "value", "breach"),
    [
        ("name", "", "Value '' at 'name' {}: Member must have length greater than or equal to 1"),
        (
            "name",
            "x" * 81,
            f"Value '{'x' * 81}' at 'name' {{}}: Member must have length less than or equal to 80",
        ),
        (
            "traceHeader",
            "é",
            (
                "Value 'é' at 'traceHeader' {}: Member must satisfy regular expression pattern: "
                r"\p{{ASCII}}*"
            ),
        ),
        (
            "input",
            "é" * (PAYLOAD_BYTES // 2 + 1),
            "Value at 'input' {}: Member must have length less than or equal to 262144",
        ),
    ],
)
def test_a_value_outside_its_limits_is_refused_in_aws_words(
    member: str, value: str, breach: str
) -> None:
    message = breach.format("failed to satisfy constraint")
    assert refusal("StartExecution", {"stateMachineArn": MACHINE, member: value}) == (
        "ValidationException",
        f"1 validation error detected: {message}",
    )


def test_a_payload_of_exactly_256_kib_is_taken() -> None:
    text = "é" * (PAYLOAD_BYTES // 2)
    request = {"taskToken": "t", "output": text}
    assert check_request("SendTaskSuccess", request) == request


def test_all_breaches_are_named_in_the_order_of_the_members() -> None:
    code, message = refusal("StartExecution", {"name": ""})
    assert code == "ValidationException"
    assert message == (
        "2 validation errors detected: "
        "Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be null; "
        "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or "
        "equal to 1"
    )


def test_a_value_of_another_type_is_named() -> None:
    tags = [{"key": 1}]
    assert refusal("TagResource", {"resourceArn": MACHINE, "tags": tags}) == (
        "SerializationException",
        "The value of 'tags.1.member.key' must be of type string",
    )


def test_null_is_absent_and_what_the_operation_does_not_know_is_left_out() -> None:
    request = {"stateMachineArn": MACHINE, "name": None, "bogus": 1}
    assert check_request("StartExecution", request) == {"stateMachineArn": MACHINE}


NESTED = {
    "StartAt": "Start",
    "States": {
        "Start": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sfn:startExecution",
            "Parameters": {"StateMachineArn": "child", "Name": "x" * 81},
            "End": True,
        }
    },
}
CHILD = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def test_api_nested_call_and_test_state_refuse_with_one_text() -> None:
    with pytest.raises(ApiError) as refused:
        check_member("StartExecution", "name", "x" * 81)
    nested = doorstep.run(NESTED, state_machines={"child": CHILD})
    assert nested.error == "Sfn.ValidationException"
    assert nested.cause
    assert nested.cause.startswith(f"{refused.value} (Service: Sfn")
    with pytest.raises(ApiError) as refused:
        check_member("TestState", "stateName", "")
    with pytest.raises(ApiError) as by_test_state:
        doorstep.test_state({"definition": {"Type": "Succeed"}, "stateName": ""})
    assert str(by_test_state.value) == str(refused.value)
