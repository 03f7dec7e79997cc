"""Tasks of AWS services on moto: parameters, results and errors as AWS has them.

Sources: recorded on AWS for dynamodb, sqs, sns, events, s3, secretsmanager; users' reports for ssm;
the spelling of members by the rule of Java's SDKs (docs/facts/services.md). What moto answers
otherwise (headers, request ids) is not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

import doorstep
from doorstep.errors import DoorstepError
from doorstep.services import Target
from doorstep.services.bridge import Services
from doorstep.services.families import Family, java

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")


def task(resource: str, parameters: Any, **more: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True}
    return {"StartAt": "T", "States": {"T": state | {"Parameters": parameters} | more}}


class World:
    """moto with one of each resource."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.services = Services(target)
        self.table = "orders"
        target.client("dynamodb").create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.queue = target.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
        self.topic = target.client("sns").create_topic(Name="news")["TopicArn"]
        target.client("s3").create_bucket(Bucket="bills")
        target.client("secretsmanager").create_secret(Name="db", SecretString='{"a":1}')
        target.client("ssm").put_parameter(Name="stage", Value="dev", Type="String")

    def run(self, resource: str, parameters: Any, **more: Any) -> doorstep.Execution:
        definition = task(resource, parameters, **more)
        return doorstep.run(definition, handlers={"*": self.services})

    def output(self, resource: str, parameters: Any, **more: Any) -> Any:
        execution = self.run(resource, parameters, **more)
        assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
        return execution.output

    def failure(self, resource: str, parameters: Any) -> tuple[str | None, str]:
        """The error, and the cause without the request's id."""
        execution = self.run(resource, parameters)
        assert execution.status == "FAILED"
        cause = re.sub(r"Request ID: [^;)]*", "Request ID: R", execution.cause or "")
        return execution.error, cause


@pytest.fixture
def world() -> Iterator[World]:
    target = Target("moto")
    with target.at_work():
        yield World(target)


METADATA = {"SdkHttpMetadata", "SdkResponseMetadata"}
KEY = {"id": {"S": "1"}}


def test_dynamodb_keeps_an_item_and_shows_its_attributes_as_they_are(world: World) -> None:
    item = {**KEY, "paid": {"BOOL": True}, "note": {"NULL": True}, "S": {"S": "a name of its own"}}
    put = world.output("dynamodb:putItem", {"TableName": "orders", "Item": item})
    assert set(put) == METADATA
    got = world.output("dynamodb:getItem", {"TableName": "orders", "Key": KEY})
    assert got["Item"] == item
    assert set(got) == METADATA | {"Item"}
    none = world.output("dynamodb:getItem", {"TableName": "orders", "Key": {"id": {"S": "2"}}})
    assert set(none) == METADATA


def test_an_sdk_integration_has_no_metadata(world: World) -> None:
    parameters = {"TableName": "orders", "Item": KEY}
    assert world.output("aws-sdk:dynamodb:putItem", parameters) == {}
    query = {
        "TableName": "orders",
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "1"}},
    }
    expected = {"Count": 1, "Items": [KEY], "ScannedCount": 1}
    assert world.output("aws-sdk:dynamodb:query", query) == expected


CONDITION = {"TableName": "orders", "Item": KEY, "ConditionExpression": "attribute_not_exists(id)"}
MISSING = {"TableName": "nowhere", "Key": KEY}
FAILURES = [
    (
        "dynamodb:getItem",
        MISSING,
        "DynamoDB.ResourceNotFoundException",
        (
            "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; "
            "Error Code: ResourceNotFoundException; Request ID: R; Proxy: null)"
        ),
    ),
    (
        "aws-sdk:dynamodb:getItem",
        MISSING,
        "DynamoDb.ResourceNotFoundException",
        "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: R)",
    ),
    ("dynamodb:putItem", CONDITION, "DynamoDB.ConditionalCheckFailedException", None),
    ("aws-sdk:dynamodb:putItem", CONDITION, "DynamoDb.ConditionalCheckFailedException", None),
    (
        "sns:publish",
        {"TopicArn": "arn:aws:sns:us-east-1:123456789012:none", "Message": "m"},
        "SNS.NotFoundException",
        None,
    ),
    (
        "aws-sdk:s3:getObject",
        {"Bucket": "bills", "Key": "none"},
        "S3.NoSuchKeyException",
        "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: R)",
    ),
    ("aws-sdk:s3:listObjectsV2", {"Bucket": "none"}, "S3.NoSuchBucketException", None),
    (
        "aws-sdk:secretsmanager:getSecretValue",
        {"SecretId": "none"},
        "SecretsManager.ResourceNotFoundException",
        None,
    ),
    ("aws-sdk:ssm:getParameter", {"Name": "none"}, "Ssm.ParameterNotFoundException", None),
    ("glue:startJobRun.sync", {"JobName": "none"}, "Glue.EntityNotFoundException", None),
]


@pytest.mark.parametrize(("resource", "parameters", "error", "cause"), FAILURES)
def test_errors_have_the_names_and_causes_of_their_family(
    world: World, resource: str, parameters: Any, error: str, cause: str | None
) -> None:
    world.output("aws-sdk:dynamodb:putItem", {"TableName": "orders", "Item": KEY})
    shown = world.failure(resource, parameters)
    assert shown[0] == error
    assert cause is None or shown[1] == cause


def test_a_catch_takes_a_services_error_by_its_name(world: World) -> None:
    catch = [{"ErrorEquals": ["DynamoDB.ResourceNotFoundException"], "Next": "Sorry"}]
    definition = task("dynamodb:getItem", MISSING, Catch=catch)
    definition["States"]["Sorry"] = {"Type": "Pass", "Result": "sorry", "End": True}
    assert doorstep.run(definition, handlers={"*": world.services}).output == "sorry"


def test_an_object_where_the_service_wants_text_is_sent_as_compact_json(world: World) -> None:
    sent = world.output(
        "sqs:sendMessage", {"QueueUrl": world.queue, "MessageBody": {"a": [1, "é"]}}
    )
    assert {"MD5OfMessageBody", "MessageId"} <= set(sent)
    sqs = world.target.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=world.queue)["Messages"]
    assert message["Body"] == '{"a":[1,"é"]}'
    sdk = world.output("aws-sdk:sqs:sendMessage", {"QueueUrl": world.queue, "MessageBody": "x"})
    assert set(sdk) == {"Md5OfMessageBody", "MessageId"}


def test_a_body_for_s3_is_written_as_json_also_when_it_is_text(world: World) -> None:
    for body, stored in [("text", '"text"'), ({"a": 1}, '{"a":1}'), (False, "false"), (0, "0")]:
        world.output("aws-sdk:s3:putObject", {"Bucket": "bills", "Key": "k", "Body": body})
        got = world.output("aws-sdk:s3:getObject", {"Bucket": "bills", "Key": "k"})
        assert (got["Body"], got["ContentLength"]) == (stored, len(stored))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", got["LastModified"])
    assert got["ContentType"] == "text/plain; charset=UTF-8"


def test_events_carry_machine_and_execution_and_a_failed_entry_fails(world: World) -> None:
    events, queue = world.target.client("events"), "arn:aws:sqs:us-east-1:123456789012:jobs"
    events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": queue}])
    entry = {"Source": "shop", "DetailType": "d", "Detail": {"n": 1}, "Resources": ["own"]}
    definition = task("events:putEvents", {"Entries": [entry]})
    execution = doorstep.run(
        definition, handlers={"*": world.services}, state_machine_name="Shop", name="run"
    )
    assert execution.output["FailedEntryCount"] == 0
    assert not METADATA & set(execution.output)
    sqs = world.target.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=world.queue)["Messages"]
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:Shop"
    assert json.loads(message["Body"])["resources"] == ["own", machine, execution.arn]
    error, cause = world.failure(
        "events:putEvents", {"Entries": [{"Detail": {}, "DetailType": "d"}]}
    )
    assert error == "EventBridge.FailedEntry"
    assert json.loads(cause)["FailedEntryCount"] == 1


def test_sdk_results_have_javas_capitals_and_moments_as_text(world: World) -> None:
    secret = world.output("aws-sdk:secretsmanager:getSecretValue", {"SecretId": "db"})
    assert secret["Arn"].startswith("arn:aws:secretsmanager:us-east-1:123456789012:secret:db-")
    assert secret["SecretString"] == '{"a":1}'
    assert secret["CreatedDate"].endswith("Z")
    parameter = world.output("aws-sdk:ssm:getParameter", {"Name": "stage"})["Parameter"]
    assert {"Arn", "LastModifiedDate"} <= set(parameter)
    assert parameter["Value"] == "dev"


def test_a_member_that_the_api_has_not_fails_the_task_before_it_is_sent(world: World) -> None:
    parameters = {"QueueUrl": world.queue, "MessageBody": "m", "Zeal": "z"}
    error, cause = world.failure("aws-sdk:sqs:sendMessage", parameters)
    assert error == "States.Runtime"
    assert 'The field "Zeal" is not supported by Step Functions' in cause


def test_a_token_is_really_sent_and_answered_from_the_queue(world: World) -> None:
    body = {"token.$": "$$.Task.Token"}
    parameters = {"QueueUrl": world.queue, "MessageBody": body}
    definition = task("sqs:sendMessage.waitForTaskToken", parameters)
    with doorstep.start(definition, handlers={"*": world.services}) as execution:
        execution.advance("5h")
        assert execution.status == "RUNNING"
        (message,) = world.target.client("sqs").receive_message(QueueUrl=world.queue)["Messages"]
        token = json.loads(message["Body"])["token"]
        execution.callbacks.send_task_success(token, {"paid": True})
        execution.wait()
    assert execution.output == {"paid": True}
    submitted = next(one for one in execution.history if one["type"] == "TaskSubmitted")
    output = json.loads(submitted["taskSubmittedEventDetails"]["output"])
    assert METADATA | {"MessageId", "MD5OfMessageBody"} <= set(output)


def test_what_the_target_does_not_have_names_the_ways_round(world: World) -> None:
    parameters = {"Cluster": "none", "TaskDefinition": "none", "LaunchType": "EC2"}
    world.target.client("ecs").create_cluster(clusterName="none")
    world.target.client("ecs").register_task_definition(family="none", containerDefinitions=[])
    error, cause = world.failure("ecs:runTask", parameters)
    assert error == "Doorstep.ServiceNotAnswered"
    assert "(ecs:runTask)" in cause
    assert "@doorstep.handler('ecs:runTask')" in cause


def test_local_targets_leave_no_way_to_a_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    with Target("http://127.0.0.1:4566").at_work():
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ACCESS_KEY_ID"] == "doorstep"
        assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert (os.environ["AWS_PROFILE"], os.environ["AWS_ACCESS_KEY_ID"]) == (
        "production",
        "AKIAREAL",
    )
    assert "AWS_ENDPOINT_URL" not in os.environ


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("moto", False),
        ("aws", True),
        ("http://localhost:4566", False),
        ("http://[::1]:1", False),
        ("https://dynamodb.eu-west-1.amazonaws.com", True),
    ],
)
def test_only_what_leaves_the_machine_is_real(name: str, real: bool) -> None:
    assert Target(name).real == real


def test_an_unknown_target_is_refused_with_the_three_that_there_are() -> None:
    with pytest.raises(DoorstepError, match=r"moto .* a URL .* aws"):
        Target("localstack")


SPELLINGS = [
    ("ARN", "Arn"),
    ("DBInstances", "DbInstances"),
    ("SNSTopicArn", "SnsTopicArn"),
    ("KMSKeyId", "KmsKeyId"),
    ("MD5OfMessageBody", "Md5OfMessageBody"),
    ("ChecksumCRC32", "ChecksumCRC32"),
    ("ETag", "ETag"),
    ("VpcId", "VpcId"),
    ("jobName", "JobName"),
]


@pytest.mark.parametrize(("name", "spelled"), SPELLINGS)
def test_names_in_sdk_results_are_spelled_as_java_does(name: str, spelled: str) -> None:
    assert java(name) == spelled
    assert Family(sdk=False, service="sqs").spell("MD5OfMessageBody") == "MD5OfMessageBody"
