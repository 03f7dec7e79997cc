"""What a Resource says: kind, service, action, pattern, and the names of its events."""

from __future__ import annotations

from typing import Any

import pytest

import doorstep
from doorstep.model import TASK_EVENTS, mistyped
from doorstep.model.resource import function_name, integration

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:Charge"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:Pack"


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (LAMBDA, "lambda"),
        (f"{LAMBDA}:prod", "lambda"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:Charge", "lambda"),
        (ACTIVITY, "activity"),
        ("arn:aws:states:::sqs:sendMessage", "service"),
        ("arn:aws:states:::http:invoke", "service"),
        ("${ChargeFunctionArn}", "lambda"),
        ("${PackActivityArn}", "activity"),
    ],
)
def test_the_kind_of_a_resource(resource: str, kind: str) -> None:
    assert integration(resource).kind == kind


@pytest.mark.parametrize(
    ("resource", "resource_type", "name", "action", "pattern"),
    [
        ("arn:aws:states:::sqs:sendMessage", "sqs", "sendMessage", "sqs:sendMessage", ""),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "sqs",
            "sendMessage.waitForTaskToken",
            "sqs:sendMessage",
            "waitForTaskToken",
        ),
        (
            "arn:aws:states:::states:startExecution.sync:2",
            "states",
            "startExecution.sync:2",
            "states:startExecution",
            "sync:2",
        ),
        ("arn:aws:states:::ecs:runTask.sync", "ecs", "runTask.sync", "ecs:runTask", "sync"),
        (
            "arn:aws:states:::aws-sdk:s3:getObject",
            "aws-sdk:s3",
            "getObject",
            "aws-sdk:s3:getObject",
            "",
        ),
        (
            "arn:aws:states:::aws-sdk:sfn:startExecution.waitForTaskToken",
            "aws-sdk:sfn",
            "startExecution.waitForTaskToken",
            "aws-sdk:sfn:startExecution",
            "waitForTaskToken",
        ),
    ],
)
def test_a_service_taken_apart(
    resource: str, resource_type: str, name: str, action: str, pattern: str
) -> None:
    parts = integration(resource)
    assert (parts.resource_type, parts.resource) == (resource_type, name)
    assert (parts.action, parts.pattern) == (action, pattern)
    # Every event of the task repeats these two (fact 412).
    assert parts.details == {"resourceType": resource_type, "resource": name}


@pytest.mark.parametrize(
    ("resource", "events"),
    [
        (LAMBDA, ("LambdaFunctionScheduled", "LambdaFunctionTimedOut")),
        (ACTIVITY, ("ActivityScheduled", "ActivityTimedOut")),
        ("arn:aws:states:::sqs:sendMessage", ("TaskScheduled", "TaskTimedOut")),
    ],
)
def test_the_names_of_the_events(resource: str, events: tuple[str, str]) -> None:
    of_kind = TASK_EVENTS[integration(resource).kind]
    assert (of_kind["Scheduled"], of_kind["TimedOut"]) == events


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (LAMBDA, "Charge"),
        (f"{LAMBDA}:prod", "Charge"),
        (f"{LAMBDA}:$LATEST", "Charge"),
        ("Charge", "Charge"),
        ("Charge:3", "Charge"),
        ("123456789012:function:Charge", "Charge"),
    ],
)
def test_the_name_of_a_function(resource: str, name: str) -> None:
    assert function_name(resource) == name


@pytest.mark.parametrize(
    ("resource", "named"),
    [("arn:aws:states:::lambda:invoke", "lambda"), (LAMBDA, LAMBDA)],
)
def test_what_data_limit_exceeded_calls_the_task(resource: str, named: str) -> None:
    assert integration(resource).name == named


INVOKE = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
NOT_EVALUABLE = "must be a valid JSONPath or a valid intrinsic function call"


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        ({"token.$.$": "$$.State.Name"}, ["token.$"]),
        ({"deep": [{"a.$.$": "$.n"}, {"b.$.$": "$.n"}]}, ["a.$", "b.$"]),
        ({"all.$": "$.data"}, ["x.$"]),
    ],
)
def test_a_name_that_still_ends_like_a_path_does_not_start_the_task(
    payload: dict[str, Any], names: list[str]
) -> None:
    """Fact 146, reported for a token; of names that come from data by analogy."""
    parameters = {"FunctionName": "work", "Payload": payload}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    states = {
        "T": {**INVOKE, "Parameters": parameters, "Catch": catch},
        "Caught": {"Type": "Succeed"},
    }
    data = {"n": 1, "data": {"x.$": "no path"}}
    execution = doorstep.run({"StartAt": "T", "States": states}, data, {"work": lambda event: 1})
    assert execution.error == "States.Runtime"
    reasons = ", ".join(f"The value for the field '{name}' {NOT_EVALUABLE}" for name in names)
    assert execution.cause.endswith(f"' could not be used to start the Task: [{reasons}]")
    assert execution.cause.count("The Parameters '{") == 1
    assert [e for e in execution.history if "Scheduled" in e["type"]] == []


@pytest.mark.parametrize("value", ["$.a", "$$.State.Name", "States.UUID()"])
def test_a_name_that_ends_like_a_path_may_have_one_for_its_value(value: str) -> None:
    parameters = {"FunctionName": "work", "Payload": {"all.$": "$"}}
    definition = {"StartAt": "T", "States": {"T": {**INVOKE, "Parameters": parameters}}}
    execution = doorstep.run(definition, {"x.$": value}, {"work": lambda event: event})
    assert execution.output["Payload"] == {"all": {"x.$": value}}


def test_names_are_not_looked_at_in_a_functions_input_or_in_arguments() -> None:
    plain = {"Type": "Task", "Resource": LAMBDA, "Parameters": {"a.$.$": "$.n"}, "End": True}
    definition = {"StartAt": "T", "States": {"T": plain}}
    assert doorstep.run(definition, {"n": 1}, {"T": lambda event: event}).output == {"a.$": 1}
    arguments = {"FunctionName": "work", "Payload": {"a.$": "text"}}
    state = {**INVOKE, "QueryLanguage": "JSONata", "Arguments": arguments}
    definition = {"StartAt": "T", "States": {"T": state}}
    assert doorstep.run(definition, {}, {"work": lambda event: 1}).status == "SUCCEEDED"


TABLE, JOB = {"TableName": "t"}, {"JobName": "j", "JobQueue": "q", "JobDefinition": "d"}
QUEUE = {"QueueUrl": "https://queue"}


@pytest.mark.parametrize(
    ("action", "parameters", "name"),
    [
        ("aws-sdk:dynamodb:putItem", TABLE | {"Item": {"id": {"S.$": "$.n"}}}, "S"),
        ("dynamodb:putItem", TABLE | {"Item": {"a": {"M": {"b": {"L": [{"N.$": "$.n"}]}}}}}, "N"),
        ("dynamodb:getItem", TABLE | {"Key": {"id": {"B.$": "$.yes"}}}, "B"),
        ("batch:submitJob", JOB | {"Parameters": {"frame.$": "$.n"}}, "frame"),
        ("aws-sdk:batch:submitJob", JOB | {"Parameters.$": "$.object"}, "list"),
        ("glue:startJobRun", {"JobName": "j", "Arguments": {"--day.$": "$.n"}}, "--day"),
        ("lambda:invoke", {"FunctionName.$": "$.n"}, "FunctionName"),
        (
            "sqs:sendMessage",
            QUEUE | {"MessageGroupId.$": "$.n", "MessageBody": {"an": "object"}},
            "MessageGroupId",
        ),
        ("aws-sdk:sqs:sendMessage", QUEUE | {"MessageBody.$": "$.object"}, "MessageBody"),
    ],
)
def test_a_number_where_a_service_takes_a_text_does_not_start_the_task(
    action: str, parameters: dict[str, Any], name: str
) -> None:
    """Fact 146, reported for DynamoDB's S and Parameters of batch; else by the APIs' models."""
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{action}", "Parameters": parameters}
    state |= {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}], "End": True}
    states = {"T": state, "Caught": {"Type": "Succeed"}}
    data = {"n": 7, "yes": True, "object": {"list": [1]}}
    execution = doorstep.run({"StartAt": "T", "States": states}, data, {"*": lambda event: {}})
    assert execution.error == "States.Runtime"
    assert execution.cause.endswith(
        f"could not be used to start the Task: [The value for the field '{name}' must be a STRING]"
    )


def test_the_environment_of_a_container_holds_texts() -> None:
    containers = [{"Name": "app", "Environment": [{"Name": "N", "Value": 7}], "Command": ["a", 1]}]
    arguments = {"TaskDefinition": "t", "Overrides": {"ContainerOverrides": containers}}
    names = mistyped(integration("arn:aws:states:::ecs:runTask.sync"), arguments)
    assert names == [
        "The value for the field 'Value' must be a STRING",
        "The value for the field 'Command' must be a STRING",
    ]


def test_texts_start_a_task_whatever_else_stands_beside_them() -> None:
    item = {"id": {"S": "1"}, "n": {"N": "5"}, "b": {"BOOL": True}, "x": {"NULL": True}}
    assert mistyped(integration("arn:aws:states:::dynamodb:putItem"), {"Item": item}) == []
    sns = {"Message": {"an": "object"}, "Subject": None}
    assert mistyped(integration("arn:aws:states:::sns:publish"), sns) == []
    assert mistyped(integration("arn:aws:states:::batch:submitJob"), {"Parameters": 7}) == []
    assert mistyped(integration("arn:aws:states:::foo:bar"), {"Parameters": 7}) == []
