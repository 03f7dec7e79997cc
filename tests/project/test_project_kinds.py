"""Projects of several tools, and the examples that are projects.

Sources: the Serverless Framework's reference of serverless.yml, serverless-step-functions,
Terraform's "JSON output format".
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.errors import InputError
from doorstep.project import open_project
from doorstep_cli.main import cli

EXAMPLES = Path(__file__).parents[2] / "examples"
needs_moto = pytest.mark.skipif(
    not shutil.which("moto_server"), reason="moto is not installed: pip install 'doorstep[local]'"
)
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")

SERVERLESS = """
service: shop
plugins: [serverless-step-functions]
provider:
  name: aws
  runtime: python3.12
  stage: ${opt:stage, 'dev'}
  environment: {STAGE: "${self:provider.stage}", WHO: "${env:NOBODY_HAS_THIS, 'none'}"}
functions:
  price: {handler: src/app.handler, timeout: 9, environment: {TABLE: "${self:custom.table}"}}
custom: {table: "orders-${self:provider.stage}"}
stepFunctions:
  stateMachines:
    orders:
      name: orders-${self:provider.stage}
      definition:
        StartAt: Price
        States:
          Price: {Type: Task, Resource: !GetAtt price.Arn, End: true}
resources:
  Resources:
    Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: "${self:custom.table}"}}
"""
APP = "import os\ndef handler(event, context): return [os.environ[n] for n in ('STAGE', 'TABLE')]\n"


def doorstep(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def answer(*arguments: str | Path) -> Any:
    result = doorstep(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_serverless_yml_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(SERVERLESS)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(APP)
    assert answer("run", tmp_path) == ["dev", "orders-dev"]
    assert answer("run", tmp_path, "--param", "stage=prod") == ["prod", "orders-prod"]
    project = open_project(tmp_path, {})
    assert list(project.functions) == ["shop-dev-price"]
    assert project.functions["shop-dev-price"].timeout == 9
    assert [one.name for one in project.resources if "Table" in one.type] == ["orders-dev"]
    assert "orders-dev" in doorstep("project", tmp_path).stdout
    assert doorstep("graph", tmp_path).exit_code == 0


def test_events_of_a_serverless_yml_are_rules(tmp_path: Path) -> None:
    events = """
      events:
        - schedule: rate(1 day)
        - schedule: {rate: [cron(0 6 * * ? *), rate(2 hours)], enabled: false, input: {by: clock}}
        - eventBridge: {eventBus: shop, pattern: {source: [till]}, inputPath: $.detail}
        - cloudwatchEvent: {event: {source: [aws.s3]}}
        - http: {path: orders, method: POST}
"""
    text = SERVERLESS.replace("      definition:\n", f"{events[1:]}      definition:\n")
    text = text.replace("timeout: 9,", "timeout: 9, events: [{schedule: rate(5 minutes)}],")
    (tmp_path / "serverless.yml").write_text(text)
    rules = [one.properties for one in open_project(tmp_path, {}).resources if "Rule" in one.type]
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:orders-dev"
    function = "arn:aws:lambda:us-east-1:123456789012:function:shop-dev-price"
    seen = [
        (
            one.get("ScheduleExpression") or one["EventPattern"],
            one["State"],
            one.get("EventBusName"),
            {name: value for name, value in one["Targets"][0].items() if name != "Id"},
        )
        for one in rules
    ]
    constant = {"Arn": machine, "Input": '{"by":"clock"}'}
    assert seen == [
        ("rate(5 minutes)", "ENABLED", None, {"Arn": function}),
        ("rate(1 day)", "ENABLED", None, {"Arn": machine}),
        ("cron(0 6 * * ? *)", "DISABLED", None, constant),
        ("rate(2 hours)", "DISABLED", None, constant),
        ({"source": ["till"]}, "ENABLED", "shop", {"Arn": machine, "InputPath": "$.detail"}),
        ({"source": ["aws.s3"]}, "ENABLED", None, {"Arn": machine}),
    ]


def test_the_fallback_of_a_variable_may_be_another_one(tmp_path: Path) -> None:
    text = SERVERLESS.replace("${opt:stage, 'dev'}", "${opt:stage, self:custom.stage}")
    text = text.replace("custom: {", "custom: {stage: alpha, ")
    (tmp_path / "serverless.yml").write_text(text)
    names = [one.name for one in open_project(tmp_path, {}).resources if "Table" in one.type]
    assert names == ["orders-alpha"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("serverless.yml", "stepFunctions: {stateMachines: {a: 5}}"),
        ("serverless.yml", "stepFunctions: {}\nfunctions: [1]"),
        ("x.tfplan.json", '{"terraform_version": "1", "values": {"root_module": 5}}'),
    ],
)
def test_a_file_of_another_form_is_refused_by_its_name(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    result = doorstep("run", tmp_path)
    assert result.exit_code == 2
    assert f"{name} is not written as its tool asks for" in result.stderr


def test_a_variable_without_a_value_is_named(tmp_path: Path) -> None:
    text = SERVERLESS.replace("${opt:stage, 'dev'}", "${opt:stage}")
    (tmp_path / "serverless.yml").write_text(text)
    with pytest.raises(InputError, match="--param stage="):
        open_project(tmp_path, {})


def plan(definition: str | None) -> dict[str, Any]:
    resources = [
        {
            "address": "aws_sfn_state_machine.orders",
            "type": "aws_sfn_state_machine",
            "values": {"name": "orders", "type": "STANDARD", "definition": definition},
        }
    ]
    inner = [
        {
            "address": "module.code.aws_lambda_function.price",
            "type": "aws_lambda_function",
            "values": {
                "function_name": "price",
                "filename": "price.zip",
                "runtime": "python3.12",
                "handler": "app.handler",
                "environment": [{"variables": {"STAGE": "tf", "TABLE": "t"}}],
            },
        },
        {
            "address": "module.code.data.archive_file.price",
            "type": "archive_file",
            "values": {"output_path": "price.zip", "source_dir": "src"},
        },
        {
            "address": "module.code.aws_dynamodb_table.t",
            "type": "aws_dynamodb_table",
            "values": {"name": "t", "hash_key": "id", "attribute": [{"name": "id", "type": "S"}]},
        },
    ]
    root = {"resources": resources, "child_modules": [{"resources": inner}]}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": root},
    }


def test_terraforms_plan_is_a_project(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:price"
    states = {"P": {"Type": "Task", "Resource": arn, "End": True}}
    definition = json.dumps({"StartAt": "P", "States": states})
    (tmp_path / "orders.tfplan.json").write_text(json.dumps(plan(definition)))
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(APP)
    assert answer("run", tmp_path) == ["tf", "t"]
    (table,) = [one for one in open_project(tmp_path, {}).resources if "Table" in one.type]
    assert table.properties["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]


def test_a_definition_that_only_the_apply_knows_is_listed(tmp_path: Path) -> None:
    (tmp_path / "orders.tfplan.json").write_text(json.dumps(plan(None)))
    omissions = {one.name: one.reason for one in open_project(tmp_path, {}).omissions}
    assert "there is no Definition, DefinitionString" in omissions["orders"]


@needs_moto
def test_the_sam_example_runs_with_nothing_else_written() -> None:
    shop = EXAMPLES / "sam-shop"
    output = answer("run", shop, "--input", f"@{shop / 'input.json'}")
    assert output["receipt"] == {"number": "R-7-2040"}
    result = doorstep("test", shop)
    assert result.exit_code == 0, result.output
    table = doorstep("project", shop)
    assert table.exit_code == 0, table.output


@needs_node
def test_the_cdk_example_runs_in_node() -> None:
    assert answer("run", EXAMPLES / "cdk-greeting", "--input", '{"name": "Ada"}') == "HELLO, ADA!"
    assert answer("run", EXAMPLES / "cdk-greeting") == "NoName"


@needs_moto
def test_the_example_of_services_alone_runs() -> None:
    arguments = ("--services", "moto", "--input", '{"text": "milk"}')
    output = answer("run", EXAMPLES / "services-alone", *arguments)
    assert output == {"note": {"text": "milk"}, "hasKey": True}


SAGA = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: nodejs20.x, CodeUri: src/}}
Resources:
  Stock:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
  Charge: {Type: AWS::Serverless::Function, Properties: {Handler: pay.charge}}
  Apologize: {Type: AWS::Serverless::Function, Properties: {Handler: pay.apologize}}
  Saga:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionSubstitutions:
        {Stock: !Ref Stock, Charge: !GetAtt Charge.Arn, Apologize: !GetAtt Apologize.Arn}
      Definition:
        StartAt: Reserve
        States:
          Reserve:
            Type: Task
            Resource: arn:aws:states:::dynamodb:updateItem
            Parameters: &Change
              TableName: "${Stock}"
              Key: {id: {S: book}}
              UpdateExpression: ADD reserved :n
              ExpressionAttributeValues: {":n": {N: "1"}}
            ResultPath: null
            Next: Charge
          Charge:
            Type: Task
            Resource: "${Charge}"
            Retry: [{ErrorEquals: [BankIsBusy], IntervalSeconds: 30, MaxAttempts: 3}]
            Catch: [{ErrorEquals: [CardDeclined], ResultPath: $.failure, Next: Release}]
            End: true
          Release:
            Type: Task
            Resource: arn:aws:states:::dynamodb:updateItem
            Parameters: {<<: *Change, ExpressionAttributeValues: {":n": {N: "-1"}}}
            ResultPath: null
            Next: Apologize
          Apologize: {Type: Task, Resource: "${Apologize}", End: true}
"""
PAY = """
class CardDeclined extends Error { constructor(m) { super(m); this.name = 'CardDeclined'; } }
class BankIsBusy extends Error { constructor(m) { super(m); this.name = 'BankIsBusy'; } }
let calls = 0;
exports.charge = async (order) => {
  if (calls++ === 0) throw new BankIsBusy('later');
  if (order.amount > 100) throw new CardDeclined(`no ${order.amount}`);
  return { charged: order.amount };
};
exports.apologize = (order, _, done) => done(null, JSON.parse(order.failure.Cause).errorMessage);
"""
SAGA_SUITE = """
project: .
services: moto
tests:
  - name: a payment that fails is compensated
    input: {amount: 700}
    expect:
      output: no 700
      path: [Reserve, Charge, Release, Apologize]
      took: 30s
      tables: {Stock: [{id: book, reserved: 0}]}
  - name: a payment that succeeds keeps what was reserved
    input: {amount: 7}
    expect: {output: {charged: 7}, tables: {Stock: [{id: book, reserved: 1}]}}
"""


@needs_moto
@needs_node
def test_a_saga_in_node_is_compensated_when_its_payment_fails(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(SAGA)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "pay.js").write_text(PAY)
    (tmp_path / "saga.doorstep.yaml").write_text(SAGA_SUITE)
    result = doorstep("test", tmp_path)
    assert "2 passed" in result.output, result.output


def test_without_the_extra_a_target_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "template.yaml").write_text(SAGA)
    (tmp_path / "src").mkdir()
    monkeypatch.setattr("doorstep.services.target.find_spec", lambda _name: None)
    result = doorstep("run", tmp_path, "--services", "moto")
    assert result.exit_code == 2
    assert "--services moto needs boto3 and moto: pip install 'doorstep[local]'" in result.stderr
    assert doorstep("project", tmp_path).exit_code == 1  # tasks have no answer, and it says so
    assert doorstep("validate", tmp_path).exit_code == 0


def test_what_uses_no_services_loads_no_client_of_them(tmp_path: Path) -> None:
    (tmp_path / "pass.asl.json").write_text(
        '{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}'
    )
    script = (
        "import sys\nfrom doorstep_cli.main import cli\n"
        "cli(['run', sys.argv[1], '--quiet'], standalone_mode=False)\n"
        "print([n for n in ('boto3', 'botocore', 'moto', 'werkzeug', 'httpx', "
        "'doorstep.services', 'doorstep.project', 'doorstep.functions') if n in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "pass.asl.json")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["{}", "[]"]
