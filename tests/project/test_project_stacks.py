"""Projects in the forms that people have them: nested stacks, several stacks, ZIP files, aliases.

Sources: CloudFormation's template reference ("Fn::ImportValue", "AWS::CloudFormation::Stack"),
SAM's ("AWS::Serverless::Application", "AutoPublishAlias"); the form of a cloud assembly as
`cdk synth` writes it.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep.project import open_project
from doorstep_cli.main import cli


def doorstep(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def answer(*arguments: str | Path) -> Any:
    result = doorstep(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


OUTER = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Handler: shop.handlers.price.handler, Timeout: 10}}
Parameters: {Stage: {Type: String, Default: test}}
Resources:
  Price:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: src.zip, AutoPublishAlias: live}
  Inner:
    Type: AWS::Serverless::Application
    Properties: {Location: nested/template.yaml, Parameters: {Stage: !Ref Stage}}
  Far: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: "https://bucket/x.yaml"}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionSubstitutions: {Price: !Ref Price.Alias, Tell: !GetAtt Inner.Outputs.TellArn}
      Definition:
        StartAt: Price
        States:
          Price: {Type: Task, Resource: "${Price}", Next: Tell}
          Tell: {Type: Task, Resource: "${Tell}", End: true}
"""
NESTED = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String}}
Resources:
  Tell:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.12, Handler: app.handler, CodeUri: tell/,
       Environment: {Variables: {STAGE: !Ref Stage}}}
  Again: {Type: AWS::Serverless::Application, Properties: {Location: template.yaml}}
Outputs:
  TellArn: {Value: !GetAtt Tell.Arn}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(OUTER)
    with zipfile.ZipFile(tmp_path / "src.zip", "w") as archive:
        archive.writestr("shop/__init__.py", "")
        archive.writestr("shop/handlers/__init__.py", "")
        archive.writestr("shop/money.py", "RATE = 3\n")
        handler = "from ..money import RATE\ndef handler(e, c): return {'price': e['n'] * RATE}\n"
        archive.writestr("shop/handlers/price.py", handler)
    nested = tmp_path / "nested" / "tell"
    nested.mkdir(parents=True)
    (nested.parent / "template.yaml").write_text(NESTED)
    code = "import os\ndef handler(e, c): return {**e, 'stage': os.environ['STAGE']}\n"
    (nested / "app.py").write_text(code)
    return tmp_path


def test_a_nested_stacks_functions_and_outputs_count(shop: Path) -> None:
    expected = {"price": 6, "stage": "test"}
    assert answer("run", shop, "--quiet", "--input", '{"n": 2}') == expected
    rows = doorstep("project", shop).stdout
    assert "python3.12 app.handler in tell" in rows


def test_a_stack_that_is_not_here_or_nested_in_itself_is_listed(shop: Path) -> None:
    project = open_project(shop, {})
    reason = "its template is not beside this one; run that by its own path"
    assert [(one.name, one.reason) for one in project.omissions] == [
        ("Again", reason),
        ("Far", reason),
    ]


def test_what_needs_the_output_of_a_stack_that_is_not_here_says_so(shop: Path) -> None:
    (shop / "nested" / "template.yaml").unlink()
    result = doorstep("run", shop)
    assert result.exit_code == 2
    assert "the template of the nested stack Inner is not beside this one" in result.stderr


def assembly(folder: Path) -> None:
    """A cloud assembly with a stack of data and one of workflows."""
    (folder / "manifest.json").write_text("{}")
    data = {
        "Resources": {"Orders": {"Type": "AWS::DynamoDB::Table"}},
        "Outputs": {
            "ExportsOutputRefOrders": {
                "Value": {"Ref": "Orders"},
                "Export": {"Name": "Data:ExportsOutputRefOrders"},
            }
        },
    }
    (folder / "Data.template.json").write_text(json.dumps(data))
    (folder / "Flow.nested.template.json").write_text('{"Resources": {}}')
    definition = ['{"StartAt":"P","States":{"P":{"Type":"Pass","Result":"', "$", '","End":true}}}']
    imported = {"Fn::ImportValue": "Data:ExportsOutputRefOrders"}
    definition = [part if part != "$" else imported for part in definition]  # type: ignore[misc]
    flow = {
        "Resources": {
            "Flow": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"DefinitionString": {"Fn::Join": ["", definition]}},
            }
        }
    }
    (folder / "Flow.template.json").write_text(json.dumps(flow))


def test_the_stacks_of_an_assembly_are_one_project(tmp_path: Path) -> None:
    (tmp_path / "cdk.out").mkdir()
    assembly(tmp_path / "cdk.out")
    assert answer("run", tmp_path) == "Orders"
    assert [one.name for one in open_project(tmp_path, {}).resources if "Table" in one.type] == [
        "Orders"
    ]


def test_without_the_other_stack_its_export_is_asked_for(tmp_path: Path) -> None:
    assembly(tmp_path)
    (tmp_path / "Data.template.json").unlink()
    result = doorstep("run", tmp_path)
    assert result.exit_code == 2
    assert "Data:ExportsOutputRefOrders is exported by another stack" in result.stderr


NAMES = """
Resources:
  Bills: {Type: AWS::S3::Bucket}
  Jobs: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Plain: {Type: AWS::SQS::Queue, Properties: {FifoQueue: false}}
  News: {Type: AWS::SNS::Topic, Properties: {FifoTopic: true}}
"""


def test_names_that_cloudformation_makes_are_such_as_services_take(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(NAMES)
    names = [one.name for one in open_project(tmp_path, {}).resources]
    assert names == ["bills", "Jobs.fifo", "Plain", "News.fifo"]


BROKEN = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Handler: app.handler}}
Resources:
  Gone: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere/}}
  Old: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Runtime: go1.x}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: Call
        States:
          Call:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke
            Parameters: {FunctionName.$: $.f}
            Catch: [{ErrorEquals: [States.ALL], Next: Caught}]
            End: true
          Caught: {Type: Pass, End: true}
"""


@pytest.mark.parametrize(
    ("name", "reason"),
    [("Gone", "the code of Gone is not there"), ("Old", "the function Old has the runtime go1.x")],
)
def test_a_function_that_cannot_run_is_listed_and_no_catch_hides_it(
    tmp_path: Path, name: str, reason: str
) -> None:
    (tmp_path / "template.yaml").write_text(BROKEN)
    result = doorstep("run", tmp_path, "--input", json.dumps({"f": name}))
    assert result.exit_code == 2
    assert f"not taken over: {name}: {reason}" in result.stderr
    assert "Doorstep.HandlerNotFound" in result.stderr
    assert f"@doorstep.handler('{name}')" in result.stderr


def test_a_function_that_is_chosen_when_it_runs_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(BROKEN)
    result = doorstep("project", tmp_path)
    assert result.exit_code == 0
    assert "function: one that is chosen when it runs" in result.stdout


MALFORMED = """
Globals: 5
Resources:
  Lists: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: [1]}}}
  Words: {Type: AWS::Serverless::Function, Properties: {Timeout: abc, CodeUri: .}}
  Seven: {Type: AWS::Serverless::Function, Properties: 7}
  Meta: {Type: AWS::Serverless::Function, Metadata: 7, Properties: {CodeUri: .}}
  Nested: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: list.yaml}}
  Nothing: null
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Events: {A: {Type: Schedule, Properties: 3}, B: 7}
      Definition: {StartAt: P, States: {P: {Type: Pass, End: true}}}
"""


def test_what_is_written_wrongly_is_listed_and_the_rest_runs(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(MALFORMED)
    (tmp_path / "list.yaml").write_text("[1]")
    result = doorstep("run", tmp_path)
    assert (result.exit_code, result.stdout) == (0, "{}\n")
    for name in ("Lists", "Words", "Seven", "Meta", "Nested", "Flow"):
        assert f"not taken over: {name}: " in result.stderr
