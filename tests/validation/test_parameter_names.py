"""Names that a service does not have: refused at creation, or when the task starts (fact 242).

Where no report shows a service, its rule is by analogy with those of facts 241 and 242.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import doorstep
from doorstep.model import api_models, nested_parameters, parameters
from doorstep.validation import validate

WHERE = "/States/T/Parameters"


def task(action: str, given: Any, **fields: Any) -> dict[str, Any]:
    field = "Arguments" if fields.get("QueryLanguage") == "JSONata" else "Parameters"
    resource = f"arn:aws:states:::{action}"
    state = {"Type": "Task", "Resource": resource, field: given, "End": True, **fields}
    return {"StartAt": "T", "States": {"T": state}}


def refused(action: str, given: Any, **fields: Any) -> list[tuple[str, str | None]]:
    return [(one.message, one.location) for one in validate(task(action, given, **fields))]


def unsupported(*names: str) -> list[tuple[str, str]]:
    return [(f'The field "{name}" is not supported by Step Functions', WHERE) for name in names]


def warnings(action: str, given: Any) -> list[str]:
    found = validate(task(action, given), severity="WARNING")
    return [one.code for one in found if one.severity == "WARNING"]


@pytest.fixture
def without_botocore(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(api_models, "_folders", dict)
    caches = (api_models.api_model, api_models.api_operation, parameters._input_of)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    ("action", "given", "names"),
    [
        ("sns:publish", {"Message": "m", "Topic": "t"}, ["Topic"]),
        ("sns:publish", {"Message": "m", "topicArn.$": "$.t"}, ["topicArn"]),
        ("lambda:invoke", {"FunctionName": "f", "TaskToken.$": "$$.Task.Token"}, ["TaskToken"]),
        ("glue:startJobRun", {"JobName": "j", "A": 1, "B": 2}, ["A", "B"]),
        ("http:invoke", {"ApiEndpoint": "https://a", "Method": "GET", "Body": {}}, ["Body"]),
    ],
)
@pytest.mark.usefixtures("without_botocore")
def test_an_optimized_service_has_the_parameters_of_its_table(
    action: str, given: Any, names: list[str]
) -> None:
    found = [one for one in refused(action, given) if "required" not in one[0]]
    assert found == unsupported(*names)


@pytest.mark.parametrize(
    ("action", "given", "name"),
    [
        ("ecs:runTask", {"TaskDefinition": "d", "Overrides": {"cpu": "1"}}, "cpu"),
        ("aws-sdk:sqs:sendMessage", {"QueueURL": "q"}, "QueueURL"),
        ("aws-sdk:sns:publish", {"message": "m"}, "message"),
        ("aws-sdk:secretsmanager:getSecretValue", {"SecretID": "s"}, "SecretID"),
        ("aws-sdk:rds:deleteDBInstance", {"DBInstanceIdentifier": "d"}, "DBInstanceIdentifier"),
        ("aws-sdk:ec2:runInstances", {"Placement": {"availabilityZone": "z"}}, "availabilityZone"),
        ("aws-sdk:dynamodb:putItem", {"Item": {"key": {"s": "text"}}}, None),
    ],
)
def test_names_in_objects_are_refused_at_creation(
    action: str, given: Any, name: str | None
) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    found = [one for one in refused(action, given) if "required" not in one[0]]
    assert found == unsupported(name or "s")


def test_javas_spelling_is_the_one_that_an_sdk_integration_has() -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    assert refused("aws-sdk:rds:deleteDBInstance", {"DbInstanceIdentifier": "d"}) == []
    item = {"a": {"BOOL": True}, "b": {"M": {"c": {"Bool": True}, "d": {"Nul": True}}}}
    assert refused("aws-sdk:dynamodb:putItem", {"TableName": "t", "Item": item}) == []
    (found,) = validate(task("aws-sdk:kms:decrypt", {"KeyID": "k"}))
    assert found.hint == "did you mean 'KeyId'?"


@pytest.mark.parametrize(
    "resource",
    ["aws-sdk:sqs:sendMessages", "aws-sdk:squeue:sendMessage", "aws-sdk:sqs:sendMessage.sync"],
)
def test_an_sdk_service_has_the_actions_of_its_model(resource: str) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    ((message, location),) = refused(resource, {"QueueUrl": "q"})
    assert (location, "is not recognized" in message) == ("/States/T/Resource", True)


def test_a_service_that_the_models_no_longer_have_is_not_judged() -> None:
    assert refused("aws-sdk:lookoutvision:startModel", {"ProjectName": "p"}) == []


def test_a_name_that_the_models_may_be_too_old_for_is_a_warning() -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    message = {"QueueUrl": "q", "MessageBody": {"any": 1}}
    assert refused("aws-sdk:sqs:sendMessage", message | {"Zeal": 1}) == []
    assert warnings("aws-sdk:sqs:sendMessage", message | {"Zeal": 1}) == ["UNKNOWN_PARAMETER"]
    assert warnings("aws-sdk:sqs:sendMessage", message) == []


@pytest.mark.usefixtures("without_botocore")
def test_without_models_camel_case_is_refused_and_nothing_else() -> None:
    assert refused("aws-sdk:foo:bar", {"Baz": {"x": 1}}) == []
    assert refused("aws-sdk:foo:bar", {"baz": 1}) == unsupported("baz")


def test_a_placeholder_may_stand_for_a_name() -> None:
    assert refused("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "b", "${N}": 1}) == []


@pytest.mark.parametrize(
    ("action", "given", "name"),
    [
        ("events:putEvents", {"Entries": [{"source": "s"}]}, "source"),
        (
            "aws-sdk:batch:submitJob",
            {"JobName": "n", "JobQueue": "q", "JobDefinition": "d", "DependsOn": [{"jobId": "j"}]},
            "jobId",
        ),
        (
            "aws-sdk:sqs:sendMessage",
            {"QueueUrl": "q", "MessageBody": "b", "MessageAttributes.$": "$.attributes"},
            "dataType",
        ),
    ],
)
def test_names_in_lists_and_computed_ones_fail_the_task_as_it_starts(
    action: str, given: Any, name: str
) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    definition = task(action, given)
    definition["States"]["T"]["Catch"] = [{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}]
    definition["States"]["C"] = {"Type": "Succeed"}
    called: list[Any] = []
    data = {"attributes": {"a": {"dataType": "String"}}}
    execution = doorstep.run(definition, data, {action: called.append})
    assert execution.error == "States.Runtime"
    assert str(execution.cause).startswith(
        "An error occurred while executing the state 'T' (entered at the event id #2). "
        "The Parameters '{"
    )
    text = f'The field "{name}" is not supported by Step Functions'
    assert str(execution.cause).endswith(f"could not be used to start the Task: [{text}]")
    assert called == []
    assert not any(event["type"] == "TaskScheduled" for event in execution.history)


def test_computed_arguments_are_judged_as_the_task_starts() -> None:
    arguments = "{% {'QueueUrl': 'q', 'MessageBody': 'b', 'Delay': 1} %}"
    definition = task("sqs:sendMessage", arguments, QueryLanguage="JSONata")
    assert validate(definition) == []
    execution = doorstep.run(definition, {}, {"sqs:sendMessage": lambda arguments: {}})
    assert execution.error == "States.Runtime"
    assert 'The field "Delay" is not supported' in str(execution.cause)


def test_a_resource_of_a_deployed_machine_names_region_and_account() -> None:
    """Fact 243: accepted, with a warning (exported definitions show it)."""
    definition = task("", {"Bucket": "b", "Key": "k"})
    arn = "arn:aws:states:eu-west-1:123456789012:aws-sdk:s3:getObject"
    definition["States"]["T"]["Resource"] = arn
    assert validate(definition) == []
    (warning,) = validate(definition, severity="WARNING")
    assert (warning.code, warning.location) == ("RESOURCE_NAMES_ACCOUNT", "/States/T/Resource")
    execution = doorstep.run(definition, {}, {"aws-sdk:s3:getObject": lambda arguments: {"A": 1}})
    assert execution.output == {"A": 1}
    definition["States"]["T"]["Resource"] = f"{arn}.waitForTaskToken"
    assert validate(definition) == []
    definition["States"]["T"]["Resource"] = f"{arn}.sync"
    assert "is not recognized" in validate(definition)[0].message


@pytest.mark.parametrize(
    ("action", "given", "names"),
    [
        ("s3:getObject", {"Bucket": "b"}, ["Key"]),
        ("s3:getObject", {"Bucket.$": "$.b", "Key.$": "$.k"}, []),
        ("dynamodb:updateItem", {"Key": {}}, ["TableName"]),
        ("rds:deleteDBInstance", {}, ["DbInstanceIdentifier"]),
        ("ec2:describeInstances", {}, []),
        # A token that Java's SDK makes itself when it is left out.
        ("athena:startQueryExecution", {"QueryString": "q"}, []),
        ("backup:createBackupPlan", {}, ["BackupPlan"]),
    ],
)
@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_what_the_api_requires_is_required_of_an_sdk_integration(
    action: str, given: Any, names: list[str], language: str
) -> None:
    """By analogy with the optimized integrations (fact 241): no report shows it for these."""
    pytest.importorskip("botocore", reason="the service models come with botocore")
    field = "Arguments" if language == "JSONata" else "Parameters"
    if language == "JSONata":
        given = {name.removesuffix(".$"): "{% $states.input %}" for name in given}
    found = refused(f"aws-sdk:{action}", given, QueryLanguage=language)
    where = f"/States/T/{field}"
    assert found == [(f"The field '{name}' is required but was missing", where) for name in names]


def test_the_authentication_of_a_request_names_a_connection() -> None:
    call = {"ApiEndpoint": "https://a", "Method": "GET", "Authentication": {}}
    missing = "The field 'ConnectionArn' is required but was missing"
    assert refused("http:invoke", call) == [(missing, f"{WHERE}/Authentication")]
    named = call | {"Authentication": {"ConnectionArn.$": "$.connection"}}
    assert refused("http:invoke", named) == []


@pytest.mark.parametrize(
    ("action", "suggestion"),
    [
        ("logs:putLogEvents", "aws-sdk:cloudwatchlogs:putLogEvents"),
        ("events:putEvents", "aws-sdk:eventbridge:putEvents"),
        ("states:startExecution", "aws-sdk:sfn:startExecution"),
        ("stepfunctions:startExecution", "aws-sdk:sfn:startExecution"),
        ("cognito-idp:adminGetUser", "aws-sdk:cognitoidentityprovider:adminGetUser"),
        ("ce:getCostAndUsage", "aws-sdk:costexplorer:getCostAndUsage"),
        ("emr-serverless:startJobRun", "aws-sdk:emrserverless:startJobRun"),
        ("elasticmapreduce:addJobFlowSteps", "aws-sdk:emr:addJobFlowSteps"),
    ],
)
def test_an_sdk_service_has_the_name_of_javas_package(action: str, suggestion: str) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    (found,) = validate(task(f"aws-sdk:{action}", {}))
    assert (found.location, found.hint) == ("/States/T/Resource", f"did you mean '{suggestion}'?")


@pytest.mark.parametrize(
    "action",
    [
        "kinesis:subscribeToShard",
        "cloudwatchlogs:startLiveTail",
        "bedrockruntime:converseStream",
        "lambda:invokeWithResponseStream",
        "s3:selectObjectContent",
        "sts:assumeRole",
        "cloudsearchdomain:search",
        "mediastoredata:getObject",
        "iotjobsdata:describeJobExecution",
    ],
)
def test_streams_credentials_and_endpoints_of_ones_own_are_not_offered(action: str) -> None:
    """Fact 147."""
    pytest.importorskip("botocore", reason="the service models come with botocore")
    ((message, location),) = refused(f"aws-sdk:{action}", {})
    assert (location, "is not recognized" in message) == ("/States/T/Resource", True)


@pytest.mark.parametrize(
    ("action", "given", "name"),
    [
        (
            "sqs:sendMessage",
            {
                "QueueUrl": "q",
                "MessageBody": {"any": 1},
                "MessageAttributes": {"a": {"DataType": "String", "StringVal": "x"}},
            },
            "StringVal",
        ),
        ("dynamodb:putItem", {"TableName": "t", "Item": {"a": {"M": {"b": {"s": "x"}}}}}, "s"),
        (
            "ecs:runTask",
            {
                "TaskDefinition": "d",
                "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnet": []}},
            },
            "Subnet",
        ),
        (
            "batch:submitJob",
            {
                "JobName": "n",
                "JobQueue": "q",
                "JobDefinition": "d",
                "ContainerOverrides": {"command": []},
            },
            "command",
        ),
    ],
)
@pytest.mark.parametrize("models", ["botocore", "none"])
def test_names_within_the_commonest_parameters_are_judged_without_models(
    action: str, given: Any, name: str, models: str, request: pytest.FixtureRequest
) -> None:
    if models == "botocore":
        pytest.importorskip("botocore", reason="the service models come with botocore")
    else:
        request.getfixturevalue("without_botocore")
    assert refused(action, given) == unsupported(name)


def test_the_table_of_nested_parameters_has_the_names_of_the_models() -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    for action, shapes in nested_parameters.tables().items():
        service, _, operation = action.partition(":")
        api = api_models.api_operation(service, operation)
        assert api is not None
        models = api_models.api_model(service)["shapes"]
        alike(shapes, nested_parameters.INPUT, models, api["input"]["shape"], action)


def alike(ours: Any, own: str, models: Any, name: str, where: str, depth: int = 0) -> None:
    """Hold each name of our table against a model, as deep as our table goes."""
    shape, model = ours[own], models[name]
    if depth == 9 or shape["type"] == "any":
        return
    assert shape["type"] == model["type"], where
    holder = {"list": "member", "map": "value"}.get(shape["type"])
    if holder:
        alike(ours, shape[holder]["shape"], models, model[holder]["shape"], where, depth + 1)
        return
    members = {api_models.pascal(member): one for member, one in model["members"].items()}
    assert shape["members"].keys() <= members.keys(), where
    for member, one in shape["members"].items():
        alike(ours, one["shape"], models, members[member]["shape"], f"{where} {member}", depth + 1)


@pytest.mark.parametrize(
    ("action", "given", "reason"),
    [
        (
            "sqs:sendMessage",
            "{'QueueUrl': 'q'}",
            "The field 'MessageBody' is required but was missing",
        ),
        (
            "aws-sdk:s3:getObject",
            "{'bucket': 'b'}",
            'The field "bucket" is not supported by Step Functions',
        ),
        ("aws-sdk:s3:getObject", "{'Bucket': 'b'}", "The field 'Key' is required but was missing"),
    ],
)
def test_what_computed_arguments_lack_fails_the_task_as_it_starts(
    action: str, given: str, reason: str
) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    definition = task(action, f"{{% {given} %}}", QueryLanguage="JSONata")
    execution = doorstep.run(definition, handlers={"*": lambda event: {}})
    assert execution.error == "States.Runtime"
    assert (execution.cause or "").endswith(f"could not be used to start the Task: [{reason}]")
