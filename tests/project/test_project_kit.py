"""A project under test: the fixtures, suites with tables and queues, `doorstep.yaml`, `init`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep.definitions.settings import settings_of
from doorstep.errors import InputError
from doorstep_cli.main import cli

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")
pytest_plugins = ["pytester"]

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Price:
    Type: AWS::Serverless::Function
    Properties:
      {CodeUri: price/, Runtime: python3.12, Handler: app.handler,
       Environment: {Variables: {TABLE: !Ref Orders}}}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs}}
  Bills: {Type: AWS::S3::Bucket, Properties: {BucketName: bills}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: order-flow
      DefinitionSubstitutions: {Price: !GetAtt Price.Arn, Queue: !Ref Jobs}
      Definition:
        StartAt: Price
        States:
          Price: {Type: Task, Resource: "${Price}", ResultPath: $.price, Next: Tell}
          Tell:
            Type: Task
            Resource: arn:aws:states:::sqs:sendMessage
            Parameters: {QueueUrl: "${Queue}", MessageBody: {id.$: $.id, price.$: $.price}}
            ResultPath: null
            Next: Bill
          Bill:
            Type: Task
            Resource: arn:aws:states:::aws-sdk:s3:putObject
            Parameters: {Bucket: bills, Key: last, Body.$: $.price}
            ResultPath: null
            End: true
"""
APP = """
import boto3, os
def handler(event, context):
    table = boto3.resource("dynamodb", "us-east-1").Table(os.environ["TABLE"])
    item = table.get_item(Key={"id": event["id"]}).get("Item")
    if item is None:
        raise LookupError("no such order")
    table.update_item(Key={"id": event["id"]}, UpdateExpression="SET seen = :t",
                      ExpressionAttributeValues={":t": True})
    print("pricing", event["id"])
    return int(item["pieces"] * 5)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "price").mkdir()
    (folder / "price" / "app.py").write_text(APP)


def doorstep(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


SUITE = """
project: ..
services: moto
tests:
  - name: an order is priced, told and billed
    input: {id: "7"}
    tables: {orders: [{id: "7", pieces: 3}, {id: {S: "8"}, pieces: {N: "1"}}]}
    expect:
      output: {id: "7", price: 15}
      tables: {orders: [{id: "7", pieces: 3, seen: true}, {id: "8", pieces: 1}]}
      messages: {jobs: [{id: "7", price: 15}]}
      objects: {bills/last: 15, bills/other: null}
  - name: each test begins empty
    input: {id: "7"}
    expect: {error: LookupError, tables: {orders: []}, messages: {jobs: []}}
  - name: mocks come first
    input: {id: "x"}
    mocks: [{state: Price, answer: 2}]
    objects: {bills/last: before, notes/a.txt: kept}
    expect: {output: {id: x, price: 2}, objects: {bills/last: "{% $ = 2 %}", notes/a.txt: kept}}
"""


def test_a_suite_fills_tables_and_expects_messages_and_objects(shop: Path) -> None:
    (shop / "tests").mkdir()
    (shop / "tests" / "shop.doorstep.yaml").write_text(SUITE)
    result = doorstep("test", shop)
    assert result.exit_code == 0, result.output
    assert "[Price] pricing 7" not in result.stdout
    wrong = SUITE.replace('jobs: [{id: "7", price: 15}]', 'jobs: [{id: "7", price: 16}]')
    (shop / "tests" / "shop.doorstep.yaml").write_text(wrong)
    result = doorstep("test", shop)
    assert result.exit_code == 1
    assert "messages jobs[0].price" in result.stdout


def test_expectations_of_services_need_services(shop: Path) -> None:
    suite = "project: .\ntests: [{name: t, mocks: [%s], expect: {messages: {jobs: []}}}]"
    mocks = ", ".join(f"{{state: {name}, answer: {{}}}}" for name in ("Price", "Tell", "Bill"))
    (shop / "a.doorstep.yaml").write_text(suite % mocks)
    result = doorstep("test", shop)
    assert result.exit_code == 2
    assert "services: moto" in result.output


def test_a_table_that_is_not_there_is_blamed_where_it_is_named(shop: Path) -> None:
    text = "project: .\nservices: moto\ntests:\n- {name: t, tables: {none: [{id: a}]}}"
    (shop / "a.doorstep.yaml").write_text(text)
    result = doorstep("test", shop)
    assert result.exit_code == 2
    assert "a.doorstep.yaml:4:" in result.output


TESTS = """
import boto3, json

def test_the_project_as_it_is(project):
    table = boto3.resource("dynamodb", "us-east-1").Table("orders")
    table.put_item(Item={"id": "7", "pieces": 3})
    execution = project.machine().run({"id": "7"})
    assert execution.output == {"id": "7", "price": 15}
    assert len(execution.called("Price")) == 1
    queue = project.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]
    (message,) = project.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["price"] == 15

def test_the_next_one_begins_empty(project, services):
    assert services.client("dynamodb").scan(TableName="orders")["Count"] == 0
    assert project.machine("order-flow").run({"id": "7"}).error == "LookupError"

def test_mocks_and_handlers_win(project):
    from doorstep.testing import mock
    machine = project.machine(handlers={"Price": lambda order: 1})
    assert machine.run({"id": "7"}).output["price"] == 1
    assert machine.run({"id": "7"}, mocks=[mock("Price", 9)]).output["price"] == 9

def test_services_alone(state_machine, services):
    state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:listQueues",
             "Parameters": {}, "End": True}
    machine = state_machine({"StartAt": "S", "States": {"S": state}}, services=services)
    assert len(machine.run().output["QueueUrls"]) == 1
"""


def test_the_fixtures_give_the_project_and_its_services(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    write(pytester.path)
    pytester.mkdir("tests").joinpath("test_shop.py").write_text(TESTS)
    pytester.runpytest("-p", "doorstep.pytest_plugin").assert_outcomes(passed=4)


def test_a_table_shows_who_answers_each_task(shop: Path) -> None:
    result = doorstep("project", shop)
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if " Tell " in line]
    assert line.split()[:4] == ["order-flow", "Tell", "sqs:sendMessage", "nobody:"]
    whole = json.loads(doorstep("project", shop, "--services", "moto", "--format", "json").stdout)
    assert [(one["state"], one["calls"], one["kind"]) for one in whole["tasks"]] == [
        ("Price", "Price", "function"),
        ("Tell", "sqs:sendMessage", "services"),
        ("Bill", "aws-sdk:s3:putObject", "services"),
    ]
    assert whole["tasks"][0]["by"] == "python3.12 app.handler in price"
    assert [one["name"] for one in whole["resources"][:3]] == ["orders", "jobs", "bills"]


def test_a_handler_and_a_mock_stand_in_the_table(shop: Path) -> None:
    (shop / "mine.py").write_text("def Price(event): return 1\n")
    (shop / "mocks.yaml").write_text("mocks: [{state: Tell, answer: {}}]\n")
    (shop / "doorstep.yaml").write_text("handlers: [mine.py]\nmocks: mocks.yaml\nservices: moto\n")
    result = doorstep("project", shop)
    assert result.exit_code == 0, result.output
    kinds = [line.split()[3] for line in result.stdout.splitlines()[1:4]]
    assert kinds == ["handler", "mock", "services:"]
    ran = doorstep("run", shop, "--input", '{"id": "7"}')
    assert json.loads(ran.stdout) == {"id": "7", "price": 1}


def test_init_writes_what_the_next_commands_need(shop: Path) -> None:
    assert doorstep("init", shop).exit_code == 0
    assert settings_of(shop).services == "moto"
    suite = (shop / "tests" / "first.doorstep.yaml").read_text()
    assert "resource: order-flow" in suite
    result = doorstep("test", shop)
    assert result.exit_code == 1  # of an input that has no id
    again = doorstep("init", shop)
    assert again.stdout.count("is there already") == 2


def test_settings_that_are_wrong_are_named_with_their_line(shop: Path) -> None:
    (shop / "doorstep.yaml").write_text("clock: virtual\nservice: moto\n")
    with pytest.raises(InputError, match=r"doorstep.yaml:2:1: .*service.*services"):
        settings_of(shop)
    (shop / "doorstep.yaml").write_text("# nothing yet\n")
    assert settings_of(shop).handlers == ()


def test_init_of_a_definition_by_itself_says_how_to_begin(tmp_path: Path) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    file = tmp_path / "a.asl.json"
    file.write_text(json.dumps(definition))
    printed = doorstep("init", tmp_path).stderr
    assert printed.endswith(f"doorstep explore {file} --write-suite first.doorstep.yaml\n")
