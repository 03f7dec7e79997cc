"""Tasks' resources, what they need, and Express machines (facts 215 to 217, 230)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.errors import DefinitionError
from doorstep.validation import MachineType, check, validate

RESOURCE = "/States/T/Resource"


def task(resource: str, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True} | fields
    return {"StartAt": "T", "States": {"T": state}}


def said(definition: dict[str, Any], type: MachineType = "STANDARD") -> list[tuple[str, Any]]:
    return [(one.message, one.location) for one in validate(definition, type=type)]


def unknown(resource: str) -> list[tuple[str, Any]]:
    message = (
        f"The resource provided {resource} is not recognized. The value is not a valid resource "
        "ARN, or the resource is not available in this region."
    )
    return [(message, RESOURCE)]


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:name",
        "arn:aws:lambda:us-east-1:123456789012:function:name:alias",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:name",
        "arn:aws:states:us-east-1:123456789012:activity:name",
        "${Function}",
        "arn:${AWS::Partition}:states:::dynamodb:query",
    ],
)
def test_functions_activities_and_placeholders_are_resources(resource: str) -> None:
    assert said(task(resource)) == []


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::ecs:runTask.waitForTaskToken",
        "arn:aws:states:::aws-sdk:ecs:runTask",
        "arn:aws:states:::aws-sdk:ecs:runTask.waitForTaskToken",
    ],
)
def test_integrations_with_parameters_are_resources(resource: str) -> None:
    assert said(task(resource, Parameters={"TaskDefinition": "x"})) == []


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::dynamodb:query",
        "arn:aws:states:::lambda:invoke.sync",
        "arn:aws:states:::batch:submitJob.waitForTaskToken",
        "arn:aws:states:::glue:startJobRun.sync:2",
        "arn:aws:states:::sagemaker:createTrainingJob.sync:2",
        "arn:aws:states:::aws-sdk:s3:GetObject",
        "arn:aws:states:::aws-sdk:s3:getObject.sync",
        "arn:aws:states:::sqs:sendMessage.later",
        "arn:aws:states:us-east-1:123456789012:sqs:sendMessage",
        "arn:aws:states:::a-service-that-is-yet-to-come:doThings.sync",
        "arn:aws:states:::emr:createCluster",
        "arn:aws:states:::sagemaker:createTrainingJobs",
        "arn:aws:states:::apigateway:invoke.sync",
        "arn:aws:states:::bedrock:invokeModel.sync",
        "arn:aws:states:::bedrockagentcore:invokeHarness.waitForTaskToken",
        "arn:aws:states:::http:invoke.sync",
        "arn:aws:states:::aws-sdk:sts:assumeRole",
    ],
)
def test_integrations_that_there_are_none_are_not_recognized(resource: str) -> None:
    found = said(task(resource, Parameters={"QueueUrl": "q", "MessageBody": "b"}))
    assert found == unknown(resource)


def test_a_name_is_no_arn_unless_names_are_asked_for() -> None:
    definition = task("PlaceOrder")
    assert said(definition) == [("Value is not a valid resource ARN", RESOURCE)]
    with pytest.raises(DefinitionError, match="not a valid resource ARN"):
        check(definition)
    assert validate(definition, resource_names=True) == []
    check(definition, resource_names=True)


@pytest.mark.parametrize(
    ("resource", "given", "missing"),
    [
        ("lambda:invoke", {"Payload": "1"}, ["FunctionName"]),
        ("lambda:invoke", {"FunctionName.$": "$.f"}, []),
        ("sqs:sendMessage.waitForTaskToken", {}, ["QueueUrl", "MessageBody"]),
        ("dynamodb:putItem", {"TableName": "t"}, ["Item"]),
        ("states:startExecution.sync:2", {}, ["StateMachineArn"]),
        ("http:invoke", {"ApiEndpoint": "https://a.example"}, ["Method", "Authentication"]),
        ("batch:submitJob.sync", {}, ["JobName", "JobQueue", "JobDefinition"]),
    ],
)
def test_integrations_have_required_parameters(
    resource: str, given: dict[str, Any], missing: list[str]
) -> None:
    found = said(task(f"arn:aws:states:::{resource}", Parameters=given))
    assert found == [
        (f"The field '{name}' is required but was missing", "/States/T/Parameters")
        for name in missing
    ]


def test_integrations_need_parameters_or_arguments() -> None:
    resource = "arn:aws:states:::lambda:invoke"
    text = f"field is required for resource ARN: {resource}"
    assert said(task(resource)) == [(f"Parameters {text}", RESOURCE)]
    jsonata = task(resource, QueryLanguage="JSONata")
    assert said(jsonata) == [(f"Arguments {text}", RESOURCE)]
    computed = task(resource, QueryLanguage="JSONata", Arguments="{% $states.input %}")
    assert said(computed) == []


def test_express_machines_do_not_wait() -> None:
    refused = "Express state machine does not support"
    sync = task("arn:aws:states:::states:startExecution.sync", Parameters={"StateMachineArn": "x"})
    token = task("arn:aws:states:::sns:publish.waitForTaskToken", Parameters={"Message": "x"})
    activity = task("arn:aws:states:us-east-1:123456789012:activity:a")
    assert said(sync) == said(token) == said(activity) == []
    assert said(sync, "EXPRESS") == [(f"{refused} '.sync' service integration", RESOURCE)]
    # Two blanks before AWS's " at …": the first belongs to the message.
    assert said(token, "EXPRESS") == [
        (f"{refused} '.waitForTaskToken' service integration ", RESOURCE)
    ]
    assert said(activity, "EXPRESS") == [(f"{refused} Activity ARN", RESOURCE)]


def test_credentials_have_a_role() -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    missing = [("The field 'RoleArn' is required but was missing", "/States/T/Credentials")]
    assert said(task(function, Credentials={})) == missing
    assert said(task(function, Credentials={"Role": "r"})) == missing
    for role in ({"RoleArn": "r"}, {"RoleArn.$": "$.r"}, {"RoleArn.$": "States.Format('r')"}):
        assert said(task(function, Credentials=role)) == []


@pytest.mark.parametrize("credentials", ["role", 5, None, [], True, "{% $role %}"])
def test_credentials_are_an_object(credentials: Any) -> None:
    """Specification, Credentials; in JSONata it may be computed."""
    definition = task("arn:aws:lambda:us-east-1:123456789012:function:f", Credentials=credentials)
    assert said(definition) == [("Expected value of type [OBJECT]", "/States/T/Credentials")]
    computed = credentials == "{% $role %}"
    assert (said(definition | {"QueryLanguage": "JSONata"}) == []) is computed


def test_activities_have_no_credentials() -> None:
    activity = "arn:aws:states:us-east-1:123456789012:activity:a"
    assert said(task(activity, Credentials={"RoleArn": "r"})) == [
        ("The field 'Credentials' is not supported for activities", "/States/T/Credentials")
    ]


@pytest.mark.parametrize("payload", [5, -0.5, True, False])
@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_a_function_is_not_invoked_with_a_literal_number_or_boolean(
    payload: Any, language: str
) -> None:
    """Measured by sfnx (fact 143), which names no text: the words are ours."""
    field = "Arguments" if language == "JSONata" else "Parameters"
    fields = {"QueryLanguage": language, field: {"FunctionName": "f", "Payload": payload}}
    for pattern in ("", ".waitForTaskToken"):
        invoke = task(f"arn:aws:states:::lambda:invoke{pattern}", **fields)
        assert said(invoke) == [
            ("Expected value of type [OBJECT, ARRAY, STRING]", f"/States/T/{field}/Payload")
        ]


@pytest.mark.parametrize("payload", ["text", "{% 5 %}", {"n": 5}, [5], None])
def test_a_function_is_invoked_with_anything_else(payload: Any) -> None:
    arguments = {"FunctionName": "f", "Payload": payload}
    invoke = task("arn:aws:states:::lambda:invoke", QueryLanguage="JSONata", Arguments=arguments)
    assert said(invoke) == []


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_an_sdk_integration_has_parameters_although_they_may_be_empty(language: str) -> None:
    """Measured by sfnx (fact 143)."""
    resource = "arn:aws:states:::aws-sdk:sts:getCallerIdentity"
    field = "Arguments" if language == "JSONata" else "Parameters"
    assert said(task(resource, QueryLanguage=language, **{field: {}})) == []
    assert said(task(resource, QueryLanguage=language)) == [
        (f"{field} field is required for resource ARN: {resource}", RESOURCE)
    ]
