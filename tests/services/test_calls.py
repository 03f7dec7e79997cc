"""Twenty-two calls of ten services on moto, each once well and once refused.

What is expected is AWS's, by the numbered facts of docs/facts/services.md and docs/facts/tasks.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

import doorstep
from doorstep.services import AtWork, services_at_work

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")

METADATA = {"SdkHttpMetadata", "SdkResponseMetadata"}
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012"
TOPIC = "arn:aws:sns:us-east-1:123456789012"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine"
KEY, NONE = {"id": {"S": "1"}}, {"id": {"S": "none"}}
SET = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "5"}}}
NEW, THERE = "attribute_not_exists(id)", "attribute_exists(id)"
WHERE = {
    "KeyConditionExpression": "id = :id",
    "ExpressionAttributeValues": {":id": {"S": "1"}},
}
DDB, SDK = "DynamoDB.", "DynamoDb."
MISSING, FAILED = "ResourceNotFoundException", "ConditionalCheckFailedException"
ENTRY = {"Source": "shop", "DetailType": "d", "Detail": {"n": 1}}


def of(table: str, **more: Any) -> dict[str, Any]:
    return {"TableName": table, **more}


# resource, parameters, members of the result; parameters, error: with the facts
CALLS: list[tuple[str, str, Any, set[str], Any, str]] = [
    ("560 567 570", "dynamodb:getItem", of("t", Key=KEY), METADATA | {"Item"},
     of("none", Key=KEY), DDB + MISSING),
    ("560 567 570", "dynamodb:putItem", of("t", Item=KEY), METADATA,
     of("t", Item=KEY, ConditionExpression=NEW), DDB + FAILED),
    ("560 570", "dynamodb:updateItem", of("t", Key=KEY, ReturnValues="ALL_NEW", **SET),
     METADATA | {"Attributes"}, of("t", Key=NONE, ConditionExpression=THERE, **SET), DDB + FAILED),
    ("561 565", "dynamodb:deleteItem", of("t", Key=KEY), METADATA,
     of("t", Key=None), DDB + "AmazonDynamoDBException"),
    ("560 570", "aws-sdk:dynamodb:query", of("t", **WHERE), {"Count", "Items", "ScannedCount"},
     of("none", **WHERE), SDK + MISSING),
    ("560 575", "aws-sdk:dynamodb:transactWriteItems",
     {"TransactItems": [{"Put": of("t", Item=KEY)}]}, set(),
     {"TransactItems": [{"ConditionCheck": of("t", Key=NONE, ConditionExpression=THERE)}]},
     SDK + "TransactionCanceledException"),
    ("561 563 567", "sqs:sendMessage", {"QueueUrl": f"{QUEUE}/q", "MessageBody": {"n": 1}},
     METADATA | {"MD5OfMessageBody", "MessageId"},
     {"QueueUrl": f"{QUEUE}/q", "MessageBody": None}, "SQS.AmazonSQSException"),
    ("569 575", "aws-sdk:sqs:sendMessage", {"QueueUrl": f"{QUEUE}/q", "MessageBody": "m"},
     {"Md5OfMessageBody", "MessageId"},
     {"QueueUrl": f"{QUEUE}/none", "MessageBody": "m"}, "Sqs.QueueDoesNotExistException"),
    ("575", "aws-sdk:sqs:receiveMessage", {"QueueUrl": f"{QUEUE}/full"}, {"Messages"},
     {"QueueUrl": f"{QUEUE}/none"}, "Sqs.QueueDoesNotExistException"),
    ("563 567 571", "sns:publish", {"TopicArn": f"{TOPIC}:n", "Message": {"n": 1}},
     METADATA | {"MessageId"},
     {"TopicArn": f"{TOPIC}:none", "Message": "m"}, "SNS.NotFoundException"),
    ("566 567", "events:putEvents", {"Entries": [ENTRY]}, {"Entries", "FailedEntryCount"},
     {"Entries": [{**ENTRY, "Detail": '"text"'}]}, "EventBridge.FailedEntry"),
    ("564", "aws-sdk:s3:putObject", {"Bucket": "bills", "Key": "k", "Body": "b"}, {"ETag"},
     {"Bucket": "none", "Key": "k", "Body": "b"}, "S3.NoSuchBucketException"),
    ("572", "aws-sdk:s3:getObject", {"Bucket": "bills", "Key": "there"}, {"Body", "ETag"},
     {"Bucket": "bills", "Key": "none"}, "S3.NoSuchKeyException"),
    ("572", "aws-sdk:s3:listObjectsV2", {"Bucket": "bills"}, {"Contents", "KeyCount"},
     {"Bucket": "none"}, "S3.NoSuchBucketException"),
    ("569 573", "aws-sdk:secretsmanager:getSecretValue", {"SecretId": "s"},
     {"Arn", "CreatedDate", "Name", "SecretString", "VersionId", "VersionStages"},
     {"SecretId": "none"}, "SecretsManager.ResourceNotFoundException"),
    ("561", "aws-sdk:secretsmanager:createSecret", {"Name": "new", "SecretString": "x"},
     {"Arn", "Name", "VersionId"},
     {"Name": "a name", "SecretString": "x"}, "SecretsManager.SecretsManagerException"),
    ("573", "aws-sdk:ssm:getParameter", {"Name": "stage"}, {"Parameter"},
     {"Name": "none"}, "Ssm.ParameterNotFoundException"),
    ("575", "aws-sdk:kms:describeKey", {"KeyId": "alias/k"}, {"KeyMetadata"},
     {"KeyId": "alias/none"}, "Kms.NotFoundException"),
    ("575", "aws-sdk:kms:encrypt", {"KeyId": "alias/k", "Plaintext": "text"},
     {"CiphertextBlob", "KeyId"},
     {"KeyId": "alias/none", "Plaintext": "text"}, "Kms.NotFoundException"),
    ("136 560", "states:startExecution", {"StateMachineArn": f"{MACHINE}:Own", "Input": {"n": 1}},
     METADATA | {"ExecutionArn", "StartDate"},
     {"StateMachineArn": f"{MACHINE}:None"}, "StepFunctions.StateMachineDoesNotExistException"),
    ("136 575", "aws-sdk:sfn:startExecution", {"StateMachineArn": f"{MACHINE}:Own"},
     {"ExecutionArn", "StartDate"},
     {"StateMachineArn": f"{MACHINE}:None"}, "Sfn.StateMachineDoesNotExistException"),
    ("85", "lambda:invoke", {"FunctionName": "f", "Payload": {"n": 1}},
     METADATA | {"ExecutedVersion", "Payload", "StatusCode"},
     {"FunctionName": "f", "Payload": {"fail": True}}, "KeyError"),
]  # fmt: skip


@pytest.fixture
def services() -> Iterator[AtWork]:
    def function(event: Any) -> Any:
        if "fail" in event:
            raise KeyError("fail")
        return event

    machines = {"Own": {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}}
    with services_at_work("moto", functions=[{"f": function}], state_machines=machines) as services:
        client = services.client
        client("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client("dynamodb").put_item(TableName="t", Item=KEY)
        client("sqs").create_queue(QueueName="q")
        full = client("sqs").create_queue(QueueName="full")["QueueUrl"]
        client("sqs").send_message(QueueUrl=full, MessageBody="m")
        client("sns").create_topic(Name="n")
        client("s3").create_bucket(Bucket="bills")
        client("s3").put_object(Bucket="bills", Key="there", Body=b"x")
        client("secretsmanager").create_secret(Name="s", SecretString="x")
        client("ssm").put_parameter(Name="stage", Value="dev", Type="String")
        key = client("kms").create_key()["KeyMetadata"]["KeyId"]
        client("kms").create_alias(AliasName="alias/k", TargetKeyId=key)
        yield services


def run(services: AtWork, resource: str, parameters: Any) -> doorstep.Execution:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True}
    definition = {"StartAt": "T", "States": {"T": {**state, "Parameters": parameters}}}
    return doorstep.run(definition, services=services)


def test_there_are_twenty_two() -> None:
    assert len({call[1] for call in CALLS}) == 22


@pytest.mark.parametrize("call", CALLS, ids=[f"{one[1]} fact {one[0]}" for one in CALLS])
def test_a_call_shows_what_aws_shows(call: Any, services: AtWork) -> None:
    _, resource, parameters, members, refused, error = call
    answered = run(services, resource, parameters)
    assert answered.status == "SUCCEEDED", (answered.error, answered.cause)
    shown = set(answered.output)
    exact = resource.startswith(("dynamodb:", "sqs:", "sns:", "events:", "aws-sdk:dynamodb"))
    assert shown == members if exact else members <= shown
    assert not METADATA & (shown - members)
    failed = run(services, resource, refused)
    assert failed.error == error, failed.cause
    service = re.search(r"\(Service: (\w+)", failed.cause or "")
    assert service or error in ("EventBridge.FailedEntry", "KeyError"), failed.cause
