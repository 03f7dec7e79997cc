"""`doorstep serve PATH --services moto`: every service, the functions and machines at one URL.

Sources: Lambda's API reference, "Invoke"; EventBridge's user guide, "Amazon EventBridge targets".
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep_cli.main import cli

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'doorstep[local]'")
pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")
pytest.importorskip("a2wsgi", reason="a2wsgi is not installed: pip install 'doorstep[local]'")

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Handler: app.handler}}
Resources:
  Price: {Type: AWS::Serverless::Function, Properties: {CodeUri: price/}}
  Answer:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: answer/, Environment: {Variables: {MACHINE: !Ref Orders}}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: orders
      Events:
        Paid: {Type: EventBridgeRule, Properties: {Pattern: {source: [till]}, InputPath: $.detail}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
      DefinitionSubstitutions: {Price: !GetAtt Price.Arn, Queue: !Ref Jobs}
      Definition:
        StartAt: Price
        States:
          Price: {Type: Task, Resource: "${Price}", ResultPath: $.price, Next: Keep}
          Keep:
            Type: Task
            Resource: arn:aws:states:::dynamodb:putItem
            Parameters: {TableName: orders, Item: {id: {S.$: $.id}}}
            ResultPath: null
            Next: Ask
          Ask:
            Type: Task
            Resource: arn:aws:states:::sqs:sendMessage.waitForTaskToken
            Parameters: {QueueUrl: "${Queue}", MessageBody: {token.$: $$.Task.Token}}
            End: true
"""
PRICE = "def handler(event, context):\n    return len(event['id'])\n"
ANSWER = """
import boto3, json, os
def handler(event, context):
    sqs = boto3.client("sqs", "us-east-1")
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url).get("Messages", [])
    sfn = boto3.client("stepfunctions", "us-east-1")
    for message in messages:
        token = json.loads(message["Body"])["token"]
        sfn.send_task_success(taskToken=token, output=json.dumps(event))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)
"""
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "template.yaml").write_text(TEMPLATE)
    for name, text in [("price", PRICE), ("answer", ANSWER)]:
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(text)
    command = "from doorstep_cli.main import entry; entry()"
    arguments = ["serve", str(folder), "--services", "moto", "--port", "0", "--db", ":memory:"]
    log = folder / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as server,
    ):
        assert server.stdout
        line = server.stdout.readline()
        assert line.startswith("Serving at "), log.read_text()
        yield line.split()[-1]
        server.terminate()
    assert "not taken over" not in log.read_text()


def client(url: str, service: str) -> Any:
    keys = {"aws_access_key_id": "doorstep", "aws_secret_access_key": "doorstep"}
    return boto3.client(service, "us-east-1", endpoint_url=url, **keys)


def described(url: str, arn: str, status: str) -> Any:
    for _ in range(600):
        execution = client(url, "stepfunctions").describe_execution(executionArn=arn)
        if execution["status"] == status:
            return execution
        time.sleep(0.05)
    raise AssertionError(execution)


def test_one_url_has_machines_functions_and_services(url: str) -> None:
    sfn = client(url, "stepfunctions")
    arn = sfn.start_execution(stateMachineArn=ARN, input='{"id": "abc"}')["executionArn"]
    answered = 0
    while not answered:
        invoked = client(url, "lambda").invoke(FunctionName="Answer", Payload=b'{"paid": true}')
        answered = json.load(invoked["Payload"])
    assert json.loads(described(url, arn, "SUCCEEDED")["output"]) == {"paid": True}
    table = client(url, "dynamodb")
    assert table.get_item(TableName="orders", Key={"id": {"S": "abc"}})["Item"]


def test_buckets_are_there_too(url: str) -> None:
    s3 = client(url, "s3")
    s3.create_bucket(Bucket="bills")
    s3.put_object(Bucket="bills", Key="a/b.txt", Body=b"x" * 100_000)
    assert len(s3.get_object(Bucket="bills", Key="a/b.txt")["Body"].read()) == 100_000
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["bills"]


def test_an_event_starts_the_machine_of_its_rule(url: str) -> None:
    entry = {"Source": "till", "DetailType": "paid", "Detail": '{"id": "event"}'}
    assert client(url, "events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    sfn = client(url, "stepfunctions")
    for _ in range(600):
        inputs = [
            sfn.describe_execution(executionArn=one["executionArn"])["input"]
            for one in sfn.list_executions(stateMachineArn=ARN)["executions"]
        ]
        if '{"id":"event"}' in inputs:
            return
        time.sleep(0.05)
    raise AssertionError(inputs)


def test_an_invocation_fails_as_lambdas_does(url: str) -> None:
    functions = client(url, "lambda")
    answer = functions.invoke(FunctionName="Price", Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "KeyError"
    with pytest.raises(functions.exceptions.ResourceNotFoundException, match="not found"):
        functions.invoke(FunctionName="none")


def test_the_servers_own_pages_stay(url: str) -> None:
    with urllib.request.urlopen(f"{url}/health") as answer:
        assert json.load(answer)["status"] == "ok"
    with urllib.request.urlopen(url) as answer:
        assert b"AWS Step Functions" in answer.read()
    page = urllib.request.Request(url, headers={"Origin": "https://evil.example"}, data=b"")
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(page)
    refused.value.close()


@pytest.mark.skipif(not shutil.which("aws"), reason="the AWS CLI is not installed")
def test_the_aws_cli_finds_all_by_the_lines_of_env(url: str) -> None:
    port = url.rpartition(":")[2]
    lines = (
        CliRunner().invoke(cli, ["env", "--services", "--port", port, "--format", "dotenv"]).stdout
    )
    own = dict(line.split("=", 1) for line in lines.splitlines() if line[0] != "#")
    assert own["AWS_ENDPOINT_URL"] == url
    for command, expected in [
        ("dynamodb list-tables", "orders"),
        ("stepfunctions list-state-machines", ARN),
    ]:
        result = subprocess.run(
            ["aws", *command.split()],
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expected in result.stdout, result.stderr


def test_env_speaks_to_each_shell() -> None:
    run = CliRunner().invoke
    assert "export AWS_ENDPOINT_URL_SFN=http://127.0.0.1:8083\n" in run(cli, ["env"]).stdout
    fish = run(cli, ["env", "--format", "fish", "--host", "::1"]).stdout
    assert "set -gx AWS_ENDPOINT_URL_SFN http://[::1]:8083\n" in fish
    assert '$Env:AWS_REGION="us-east-1"' in run(cli, ["env", "--format", "powershell"]).stdout
