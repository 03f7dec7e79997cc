"""What a stand-in of AWS answers otherwise, code that calls services, and real requests.

Sources: recorded on AWS for the texts of SQS, SNS, DynamoDB, EventBridge and S3, for the names of
headers and for apigateway:invoke; reported for SSM, Secrets Manager and DynamoDB's nested values;
AWS's pages for http:invoke. By analogy: the null members of other JSON services.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import doorstep
from doorstep.errors import InputError
from doorstep.services import AtWork, HttpCalls, services_at_work

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")


def task(resource: str, parameters: Any, **more: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "End": True}
    return {"StartAt": "T", "States": {"T": state | {"Parameters": parameters} | more}}


@pytest.fixture(scope="module")
def services() -> Iterator[AtWork]:
    with services_at_work() as at_work:
        dynamodb = at_work.client("dynamodb")
        dynamodb.create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        at_work.client("s3").create_bucket(Bucket="bills")
        at_work.client("kms").create_key()
        yield at_work


@pytest.fixture
def queue(services: AtWork) -> str:
    return str(services.client("sqs").create_queue(QueueName="jobs")["QueueUrl"])


def output(services: AtWork, resource: str, parameters: Any, **more: Any) -> Any:
    execution = doorstep.run(task(resource, parameters, **more), services=services)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output


def failure(services: AtWork, resource: str, parameters: Any) -> tuple[str | None, str]:
    execution = doorstep.run(task(resource, parameters), services=services)
    assert execution.status == "FAILED"
    return execution.error, re.sub(r"Request ID: [^;)]*", "Request ID: R", execution.cause or "")


def opt(service: str, code: str, status: int = 400) -> str:
    numbers = f"Status Code: {status}; Error Code: {code}; Request ID: R"
    return f"(Service: {service}; {numbers}; Proxy: null)"


def sdk(service: str, status: int = 400) -> str:
    return f"(Service: {service}, Status Code: {status}, Request ID: R)"


TOPIC = "arn:aws:sns:us-east-1:123456789012:none"
KEY = {"id": {"S": "1"}}
NULL_ITEM = (
    "1 validation error detected: Value null at 'item' failed to satisfy constraint: "
    "Member must not be null "
)
REFUSED = [
    (
        "dynamodb:putItem",
        {"TableName": "orders", "Item": None},
        "DynamoDB.AmazonDynamoDBException",
        NULL_ITEM + opt("AmazonDynamoDBv2", "ValidationException"),
    ),
    (
        "aws-sdk:dynamodb:putItem",
        {"TableName": "orders", "Item": None},
        "DynamoDb.DynamoDbException",
        NULL_ITEM + sdk("DynamoDb"),
    ),
    (
        "dynamodb:getItem",
        {"TableName": "/t", "Key": KEY},
        "DynamoDB.AmazonDynamoDBException",
        "1 validation error detected: Value '/t' at 'tableName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+ "
        + opt("AmazonDynamoDBv2", "ValidationException"),
    ),
    (
        "sns:publish",
        {"TopicArn": TOPIC, "Message": "m"},
        "SNS.NotFoundException",
        f"Topic does not exist {opt('AmazonSNS', 'NotFound', 404)}",
    ),
    (
        "sns:publish",
        {"TopicArn": f"{TOPIC}.fifo", "Message": "m"},
        "SNS.InvalidParameterException",
        "Invalid parameter: The MessageGroupId parameter is required for FIFO topics "
        + opt("AmazonSNS", "InvalidParameter"),
    ),
    (
        "aws-sdk:secretsmanager:getSecretValue",
        {"SecretId": "none"},
        "SecretsManager.ResourceNotFoundException",
        "Secrets Manager can't find the specified secret. " + sdk("SecretsManager"),
    ),
    (
        "aws-sdk:ssm:getParameter",
        {"Name": "none"},
        "Ssm.ParameterNotFoundException",
        "Service returned error code ParameterNotFound " + sdk("Ssm"),
    ),
    (
        "aws-sdk:s3:getObject",
        {"Bucket": "none", "Key": "k"},
        "S3.NoSuchBucketException",
        "The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: R)",
    ),
    (
        "aws-sdk:kms:describeKey",
        {"KeyId": None},
        "Kms.KmsException",
        NULL_ITEM.replace("item", "keyId") + sdk("Kms"),
    ),
]


@pytest.mark.parametrize(("resource", "parameters", "error", "cause"), REFUSED)
def test_what_aws_refuses_is_refused_in_its_words(
    services: AtWork, resource: str, parameters: Any, error: str, cause: str
) -> None:
    assert failure(services, resource, parameters) == (error, cause)


@pytest.mark.parametrize("body", [None, ""])
def test_a_message_without_a_body_is_refused(services: AtWork, queue: str, body: Any) -> None:
    parameters = {"QueueUrl": queue, "MessageBody": body}
    text = "The request must contain the parameter MessageBody."
    assert failure(services, "sqs:sendMessage", parameters) == (
        "SQS.AmazonSQSException",
        f"{text} {opt('AmazonSQS', 'MissingParameter')}",
    )
    assert failure(services, "aws-sdk:sqs:sendMessage", parameters) == (
        "Sqs.SqsException",
        f"{text} (Service: Sqs, Status Code: 400, Request ID: R)",
    )


def test_the_optimized_queue_knows_one_error(services: AtWork) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/none"
    error, _ = failure(services, "sqs:sendMessage", {"QueueUrl": url, "MessageBody": "m"})
    assert error == "SQS.AmazonSQSException"
    error, _ = failure(services, "aws-sdk:sqs:sendMessage", {"QueueUrl": url, "MessageBody": "m"})
    assert error == "Sqs.QueueDoesNotExistException"


def test_headers_have_the_services_own_spelling(services: AtWork, queue: str) -> None:
    sent = output(services, "sqs:sendMessage", {"QueueUrl": queue, "MessageBody": "m"})
    names = set(sent["SdkHttpMetadata"]["HttpHeaders"])
    assert {"x-amzn-RequestId", "Content-Type", "Date"} <= names
    put = output(services, "dynamodb:putItem", {"TableName": "orders", "Item": KEY})
    assert {"Server", "x-amz-crc32"} <= set(put["SdkHttpMetadata"]["HttpHeaders"])


def test_nested_attribute_values_are_spelled_as_java_does_in_sdk_results(services: AtWork) -> None:
    inner = {"L": [{"BOOL": True}, {"M": {"BOOL": {"NULL": True}, "set": {"SS": ["a"]}}}]}
    item = {**KEY, "top": {"BOOL": False}, "in": inner}
    output(services, "dynamodb:putItem", {"TableName": "orders", "Item": item})
    got = output(services, "aws-sdk:dynamodb:getItem", {"TableName": "orders", "Key": KEY})
    assert got["Item"]["top"] == {"BOOL": False}
    nested = {"BOOL": {"Nul": True}, "set": {"Ss": ["a"]}}
    assert got["Item"]["in"] == {"L": [{"Bool": True}, {"M": nested}]}
    optimized = output(services, "dynamodb:getItem", {"TableName": "orders", "Key": KEY})
    assert optimized["Item"] == item


def test_an_update_shows_no_capacity_that_nobody_asked_for(services: AtWork) -> None:
    parameters = {
        "TableName": "orders",
        "Key": {"id": {"S": "u"}},
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    }
    assert output(services, "aws-sdk:dynamodb:updateItem", parameters) == {}
    put = {"Put": {"TableName": "orders", "Item": KEY}}
    written = output(services, "aws-sdk:dynamodb:transactWriteItems", {"TransactItems": [put]})
    assert written == {}


def test_an_object_of_s3_has_the_members_that_aws_sends(services: AtWork) -> None:
    put = output(services, "aws-sdk:s3:putObject", {"Bucket": "bills", "Key": "k", "Body": 1})
    assert (put["ChecksumType"], put["ServerSideEncryption"]) == ("FULL_OBJECT", "AES256")
    got = output(services, "aws-sdk:s3:getObject", {"Bucket": "bills", "Key": "k"})
    assert got["ServerSideEncryption"] == "AES256"
    assert not any(name.startswith("Checksum") for name in got)


@pytest.mark.parametrize(
    ("entry", "code"),
    [({"Detail": "[1]"}, "MalformedDetail"), ({"Source": "aws.ec2"}, "NotAuthorizedForSource")],
)
def test_an_entry_that_eventbridge_refuses_fails_and_the_others_are_sent(
    services: AtWork, entry: dict[str, str], code: str
) -> None:
    good = {"Source": "shop", "DetailType": "d", "Detail": {"n": 1}}
    parameters = {"Entries": [good, {**good, **entry}, good]}
    error, cause = failure(services, "events:putEvents", parameters)
    assert error == "EventBridge.FailedEntry"
    first, refused, last = json.loads(cause)["Entries"]
    assert refused["ErrorCode"] == code
    assert {*first, *last} == {"EventId"}
    answer = output(services, "aws-sdk:eventbridge:putEvents", parameters)
    assert (answer["FailedEntryCount"], answer["Entries"][1]["ErrorCode"]) == (1, code)


def test_a_job_without_a_name_of_its_own_gets_it_from_the_request(services: AtWork) -> None:
    role = "arn:aws:iam::123456789012:role/r"
    services.client("glue").create_job(Name="etl", Role=role, Command={"Name": "glueetl"})
    started = output(services, "glue:startJobRun", {"JobName": "etl"})
    assert started["JobName"] == "etl"
    run = output(services, "glue:startJobRun.sync", {"JobName": "etl"})
    assert (run["JobRunState"], run["JobName"]) == ("SUCCEEDED", "etl")


def test_what_the_target_lacks_is_caught_by_nothing(services: AtWork) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}]
    definition = task("aws-sdk:polly:startSpeechSynthesisStream", {}, Catch=catch)
    definition["States"]["Sorry"] = {"Type": "Pass", "End": True}
    definition["States"]["T"]["Resource"] = "arn:aws:states:::aws-sdk:rekognition:detectFaces"
    definition["States"]["T"]["Parameters"] = {"Image": {}}
    execution = doorstep.run(definition, services=services)
    assert execution.error == "Doorstep.ServiceNotAnswered"
    assert "moto" in (execution.cause or "")


def test_a_function_that_nothing_answers_is_named(services: AtWork) -> None:
    execution = doorstep.run(task("lambda:invoke", {"FunctionName": "price"}), services=services)
    assert execution.error == "Doorstep.HandlerNotFound"
    assert "the function price" in (execution.cause or "")


# The caller's own code ----------------------------------------------------------------------------


def test_code_in_handlers_starts_and_answers_the_same_machines(services: AtWork) -> None:
    import boto3

    child = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}

    def start(event: Any) -> Any:
        sfn = boto3.client("stepfunctions", "us-east-1")
        arn = "arn:aws:states:us-east-1:123456789012:stateMachine:child"
        started = sfn.start_execution(stateMachineArn=arn, name="c1", input='{"n": 1}')
        (one,) = [m for m in sfn.list_state_machines()["stateMachines"] if m["name"] == "child"]
        assert one["stateMachineArn"] == arn
        with pytest.raises(sfn.exceptions.InvalidToken):
            sfn.send_task_success(taskToken="none", output="{}")
        return started["executionArn"]

    with doorstep.start(
        task("lambda:invoke", {"FunctionName": "start"}),
        handlers={"start": start},
        state_machines={"child": child},
        services=services,
    ) as execution:
        execution.wait()
        execution.advance(1)
        sfn = boto3.client("stepfunctions", "us-east-1")
        described = sfn.describe_execution(executionArn=execution.output["Payload"])
    assert (described["status"], described["output"]) == ("SUCCEEDED", '{"n":1}')


def test_a_worker_answers_a_token_after_five_modelled_hours(services: AtWork, queue: str) -> None:
    import boto3

    body = {"token.$": "$$.Task.Token"}
    definition = task("sqs:sendMessage.waitForTaskToken", {"QueueUrl": queue, "MessageBody": body})
    services.client("sqs").purge_queue(QueueUrl=queue)
    with doorstep.start(definition, services=services) as execution:
        execution.advance("5h")
        (message,) = boto3.client("sqs", "us-east-1").receive_message(QueueUrl=queue)["Messages"]
        token = json.loads(message["Body"])["token"]
        sfn = boto3.client("stepfunctions", "us-east-1")
        sfn.send_task_success(taskToken=token, output='{"paid": true}')
        execution.wait()
        with pytest.raises(sfn.exceptions.TaskTimedOut):
            sfn.send_task_failure(taskToken=token)
    assert execution.output == {"paid": True}
    assert execution.took.total_seconds() == 5 * 3600


def test_code_in_handlers_invokes_functions(services: AtWork) -> None:
    import boto3

    def outer(event: Any) -> Any:
        client = boto3.client("lambda", "us-east-1")
        answer = client.invoke(FunctionName="inner", Payload=json.dumps({"n": event["n"]}))
        broken = client.invoke(FunctionName="inner", Payload=b'{"n": "x"}')
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName="none")
        error = json.load(broken["Payload"])
        return [json.load(answer["Payload"]), broken["FunctionError"], error["errorType"]]

    handlers = {"outer": outer, "inner": lambda event: event["n"] - 1}
    parameters = {"FunctionName": "outer", "Payload": {"n": 3}}
    definition = task("lambda:invoke", parameters)
    execution = doorstep.run(definition, handlers=handlers, services=services)
    assert execution.output["Payload"] == [2, "Unhandled", "TypeError"]


def test_an_event_starts_the_machine_whose_rule_matches(services: AtWork) -> None:
    events = services.client("events")
    events.put_rule(Name="paid", EventPattern=json.dumps({"source": ["till"]}))
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:book"
    target = {"Id": "1", "Arn": arn, "RoleArn": "arn:aws:iam::123456789012:role/r"}
    events.put_targets(Rule="paid", Targets=[{**target, "InputPath": "$.detail"}])
    booked: list[Any] = []
    book = task("lambda:invoke", {"FunctionName": "book", "Payload.$": "$"})
    entry = {"Source": "till", "DetailType": "d", "Detail": {"sum": 5}}
    definition = task("events:putEvents", {"Entries": [entry]})
    with doorstep.start(
        definition,
        handlers={"book": booked.append},
        state_machines={"book": book},
        services=services,
    ) as execution:
        execution.wait()
        execution.advance(1)
    assert booked == [{"sum": 5}]


def test_services_named_by_a_text_are_for_run_only() -> None:
    definition = task("aws-sdk:kms:listKeys", {})
    assert doorstep.run(definition, services="moto").output["Truncated"] is False
    with pytest.raises(InputError, match="services_at_work"):
        doorstep.start(definition, services="moto")


def test_a_semaphore_in_dynamodb_lets_ten_of_a_hundred_in_at_a_time(services: AtWork) -> None:
    take = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:updateItem",
        "Parameters": {
            "TableName": "orders",
            "Key": {"id": {"S": "lock"}},
            "UpdateExpression": "ADD taken :one",
            "ConditionExpression": "attribute_not_exists(taken) OR taken < :most",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": "10"}},
        },
        "Retry": [
            {
                "ErrorEquals": ["DynamoDB.ConditionalCheckFailedException"],
                "IntervalSeconds": 5,
                "BackoffRate": 1,
                "MaxAttempts": 50,
            }
        ],
        "Next": "Work",
    }
    give = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:updateItem",
        "Parameters": {
            "TableName": "orders",
            "Key": {"id": {"S": "lock"}},
            "UpdateExpression": "ADD taken :less",
            "ExpressionAttributeValues": {":less": {"N": "-1"}},
        },
        "End": True,
    }
    states = {"Take": take, "Work": {"Type": "Wait", "Seconds": 60, "Next": "Give"}, "Give": give}
    each = {"Type": "Map", "ItemsPath": "$", "ItemProcessor": {"StartAt": "Take", "States": states}}
    definition = {"StartAt": "M", "States": {"M": {**each, "ResultSelector": {}, "End": True}}}
    execution = doorstep.run(definition, list(range(100)), services=services)
    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.took.total_seconds() == 10 * 60
    item = services.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "lock"}})
    assert item["Item"]["taken"] == {"N": "0"}


# Requests -----------------------------------------------------------------------------------------


class Shop(BaseHTTPRequestHandler):
    """Answers with what it was asked, and with the status that the path ends in."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        status = int(self.path.partition("?")[0].rpartition("/")[2] or 200)
        seen = {"path": self.path, "body": body, "key": self.headers.get("x-key")}
        answer = json.dumps({**seen, "type": self.headers.get("content-type")}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


CONNECTION = "arn:aws:events:us-east-1:123456789012:connection/till/8a7b"


@pytest.fixture
def http() -> Iterator[AtWork]:
    connections = {"till": {"headers": {"X-Key": "secret"}, "query": {"own": "1"}}}
    with services_at_work(http=HttpCalls(connections=connections)) as at_work:
        yield at_work


def request(shop: str, **more: Any) -> dict[str, Any]:
    authentication = {"Authentication": {"ConnectionArn": CONNECTION}}
    return {"ApiEndpoint": f"http://{shop}/200", "Method": "POST", **authentication, **more}


def test_http_invoke_makes_a_real_request(http: AtWork, shop: str) -> None:
    more = {"RequestBody": {"a": [1]}, "QueryParameters": {"q": ["x", "y"]}}
    answer = output(http, "http:invoke", request(shop, **more))
    assert (answer["StatusCode"], answer["StatusText"]) == (200, "OK")
    assert answer["Headers"]["content-type"] == ["application/json"]
    assert answer["ResponseBody"] == {
        "path": "/200?q=x&q=y&own=1",
        "body": '{"a":[1]}',
        "key": "secret",
        "type": "application/json",
    }


@pytest.mark.parametrize(
    ("arrays", "body"),
    [
        ("INDICES", "a%5B0%5D=1&a%5B1%5D=2&b%5Bc%5D=x"),
        ("REPEAT", "a=1&a=2&b%5Bc%5D=x"),
        ("COMMAS", "a=1%2C2&b%5Bc%5D=x"),
        ("BRACKETS", "a%5B%5D=1&a%5B%5D=2&b%5Bc%5D=x"),
    ],
)
def test_a_form_is_encoded_as_asked(http: AtWork, shop: str, arrays: str, body: str) -> None:
    transform = {
        "RequestBodyEncoding": "URL_ENCODED",
        "RequestEncodingOptions": {"ArrayFormat": arrays},
    }
    sent = request(shop, RequestBody={"a": [1, 2], "b": {"c": "x"}}, Transform=transform)
    answer = output(http, "http:invoke", sent)["ResponseBody"]
    assert (answer["body"], answer["type"]) == (body, "application/x-www-form-urlencoded")


def test_other_statuses_fail_by_their_number(http: AtWork, shop: str) -> None:
    sent = {**request(shop), "ApiEndpoint": f"http://{shop}/503"}
    error, cause = failure(http, "http:invoke", sent)
    assert error == "States.Http.StatusCode.503"
    assert json.loads(cause)["key"] == "secret"
    parameters = {"ApiEndpoint": shop, "Method": "GET", "Stage": "dev", "Path": "orders/403"}
    error, cause = failure(http, "apigateway:invoke", parameters)
    assert (error, json.loads(cause)["path"]) == ("ApiGateway.403", "/dev/orders/403")


def test_nobody_there_is_an_error_of_the_socket(http: AtWork) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error, _ = failure(http, "http:invoke", request(f"127.0.0.1:{port}"))
    assert error == "States.Http.Socket"


def test_an_api_gets_a_text_as_json_and_its_headers_as_lists(http: AtWork, shop: str) -> None:
    parameters = {"ApiEndpoint": shop, "Method": "POST", "Path": "200", "RequestBody": "Hello"}
    answer = output(http, "apigateway:invoke", {**parameters, "Headers": {"x-key": ["k"]}})
    assert (answer["ResponseBody"]["body"], answer["ResponseBody"]["key"]) == ('"Hello"', "k")
    assert set(answer) == {"Headers", "ResponseBody", "StatusCode", "StatusText"}
    error, cause = failure(http, "apigateway:invoke", {**parameters, "Headers": {"x-key": "k"}})
    assert error == "States.Runtime"
    assert "The value of the field 'Headers' has an invalid format" in cause


def test_a_host_that_is_not_allowed_is_not_asked(http: AtWork) -> None:
    error, cause = failure(http, "http:invoke", request("api.example.com"))
    assert error == "Doorstep.HostNotAllowed"
    assert "--allow-host" in cause
