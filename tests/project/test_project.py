"""A project as it lies there: its functions, its tables, one command.

Sources: AWS SAM's template reference (Globals, CodeUri, Environment), the CDK's metadata
`aws:asset:path`, CloudFormation's Code.ZipFile.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.errors import InputError
from doorstep.project import create, open_project
from doorstep.services import Target
from doorstep_cli.main import cli

needs_moto = pytest.mark.skipif(
    not shutil.which("moto_server"), reason="moto is not installed: pip install 'doorstep[local]'"
)
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")

SHOP = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.12
    Handler: app.handler
    Timeout: 7
    Environment: {Variables: {STAGE: test, TABLE: none}}
Resources:
  Price:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: price/
      FunctionName: price-of
      Environment: {Variables: {TABLE: !Ref Orders}}
  Store:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: store/, MemorySize: 512, Environment: {Variables: {TABLE: !Ref Orders}}}
  Inline:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Code: {ZipFile: "def handler(e, c): return e"}
  Image: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: x}}
  Far: {Type: AWS::Serverless::Function, Properties: {CodeUri: s3://bucket/key}}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
  Jobs: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 30}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: order-flow
      DefinitionSubstitutions:
        Price: !GetAtt Price.Arn
        Store: !GetAtt Store.Arn
        Table: !Ref Orders
      Definition:
        StartAt: Price
        States:
          Price: {Type: Task, Resource: "${Price}", ResultPath: $.price, Next: Store}
          Store: {Type: Task, Resource: "${Store}", ResultPath: $.stored, Next: Look}
          Look:
            Type: Task
            Resource: arn:aws:states:::dynamodb:getItem
            Parameters: {TableName: "${Table}", Key: {id: {S.$: $.id}}}
            OutputPath: $.Item
            End: true
"""
PRICE = """
import os
from util import factor
def handler(event, context):
    print("pricing", event["id"])
    return [factor, os.environ["STAGE"], os.environ["TABLE"]]
"""
STORE = """
import os
import boto3
from util import factor
def handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    table.put_item(Item={"id": event["id"], "n": factor})
    return context.function_name
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(SHOP)
    for name, text, factor in [("price", PRICE, 2), ("store", STORE, 3)]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text(text)
        (tmp_path / name / "util.py").write_text(f"factor = {factor}")
    return tmp_path


def doorstep(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_a_template_says_what_its_functions_are(shop: Path) -> None:
    project = open_project(shop, {})
    assert list(project.functions) == ["price-of", "Store", "Inline"]
    price, store = project.functions["price-of"], project.functions["Store"]
    assert (price.runtime, price.handler, price.timeout) == ("python3.12", "app.handler", 7.0)
    assert dict(price.environment) == {"STAGE": "test", "TABLE": "orders"}
    assert (store.memory, store.code) == (512, shop / "store")
    assert (project.functions["Inline"].code / "index.py").read_text().startswith("def handler")


def test_what_cannot_be_taken_over_is_listed_with_the_way_round(shop: Path) -> None:
    omissions = {one.name: one.reason for one in open_project(shop, {}).omissions}
    assert set(omissions) == {"Image", "Far"}
    assert "container image" in omissions["Image"]
    assert "give it a handler" in omissions["Far"]


@needs_moto
def test_a_projects_resources_are_made_in_the_target(shop: Path) -> None:
    target = Target("moto")
    with target.at_work():
        assert create(open_project(shop, {}).resources, target) == []
        assert target.client("dynamodb").list_tables()["TableNames"] == ["orders"]
        (url,) = target.client("sqs").list_queues()["QueueUrls"]
        assert url.endswith("/Jobs")


@needs_moto
def test_run_takes_a_folder_and_nothing_else(shop: Path) -> None:
    result = doorstep("run", shop, "--services", "moto", "--input", '{"id": "7"}')
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"id": {"S": "7"}, "n": {"N": "3"}}
    assert "not taken over: Image:" in result.stderr


def test_without_a_target_a_service_says_how_to_give_it_one(shop: Path) -> None:
    (shop / "store" / "app.py").write_text("def handler(event, context): return 1")
    result = doorstep("run", shop, "--input", '{"id": "7"}')
    assert result.exit_code == 2
    assert "@doorstep.handler('dynamodb:getItem')" in result.stderr
    assert "--services moto" in result.stderr


def test_a_handler_wins_over_the_functions_own_code(shop: Path) -> None:
    (shop / "mine.py").write_text(
        "import doorstep\n"
        "@doorstep.handler('dynamodb:getItem')\ndef _get(event): return {'Item': 'mine'}\n"
        "def Store(event): return 'mine'\n"
    )
    result = doorstep("run", shop, "--handlers", shop / "mine.py", "--input", '{"id": "7"}')
    assert (result.exit_code, json.loads(result.stdout)) == (0, "mine")


@needs_node
@needs_moto
def test_node_code_reaches_the_same_services(shop: Path) -> None:
    """By plain HTTP, as the SDK for JavaScript would: the endpoint is in its environment."""
    template = SHOP.replace("CodeUri: store/", "CodeUri: store/, Runtime: nodejs20.x, Handler: i.h")
    (shop / "template.yaml").write_text(template)
    (shop / "store" / "i.js").write_text("""
exports.h = async (event) => {
  const headers = {'X-Amz-Target': 'DynamoDB_20120810.PutItem',
    'Content-Type': 'application/x-amz-json-1.0',
    Authorization: 'AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/dynamodb/aws4_request'};
  const item = {id: {S: event.id}, by: {S: 'node'}};
  const body = JSON.stringify({TableName: process.env.TABLE, Item: item});
  const answer = await fetch(process.env.AWS_ENDPOINT_URL, {method: 'POST', headers, body});
  console.log('stored', answer.status);
  return answer.status;
};""")
    result = doorstep("run", shop, "--services", "moto", "--input", '{"id": "8"}')
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"id": {"S": "8"}, "by": {"S": "node"}}
    assert "[Store] stored 200" in result.stderr


def test_a_machine_is_chosen_by_its_deployed_name(tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text(
        json.dumps({"Resources": {"A": machine("one", 1), "B": machine("two", 2)}})
    )
    assert doorstep("run", tmp_path, "--machine-name", "two").stdout == "2\n"
    assert doorstep("run", tmp_path, "--machine-name", "A").stdout == "1\n"
    refused = doorstep("run", tmp_path)
    assert refused.exit_code == 2
    assert "one" in refused.stderr or "A, B" in refused.stderr


def machine(name: str, result: int) -> dict[str, Any]:
    state = {"Type": "Pass", "Result": result, "End": True}
    definition = {"StartAt": "S", "States": {"S": state}}
    properties = {"StateMachineName": name, "Definition": definition}
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}


def test_a_cloud_assembly_of_the_cdk_is_a_project(tmp_path: Path) -> None:
    out = tmp_path / "cdk.out"
    (out / "asset.1a").mkdir(parents=True)
    (out / "asset.1a" / "index.py").write_text("def handler(event, context): return {'cdk': event}")
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "1a.zip"},
        },
        "Metadata": {"aws:asset:path": "asset.1a", "aws:asset:property": "Code"},
    }
    parts = [
        '{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"',
        {"Fn::GetAtt": ["Fn1", "Arn"]},
        '","End":true}}}',
    ]
    flow = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": {"Fn::Join": ["", parts]}},
    }
    template = {"Resources": {"Fn1": function, "Flow": flow}}
    (out / "Stack.template.json").write_text(json.dumps(template))
    for path in (tmp_path, out, out / "Stack.template.json"):
        result = doorstep("run", path, "--input", '{"n": 1}')
        assert json.loads(result.stdout) == {"cdk": {"n": 1}}


def test_a_folder_without_a_project_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"looked for template\.yaml"):
        open_project(tmp_path, {})
    result = doorstep("run", tmp_path)
    assert (result.exit_code, "has no project" in result.stderr) == (2, True)
