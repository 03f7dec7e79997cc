"""Every command takes a project as it is: its own functions, its services, its `doorstep.yaml`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String}}
Globals: {Function: {Runtime: python3.12, Handler: app.handler}}
Resources:
  Price:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: price/
      Environment: {Variables: {TABLE: !Ref Orders, STAGE: !Ref Stage}}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: flow
      DefinitionSubstitutions: {Price: !GetAtt Price.Arn, Table: !Ref Orders}
      Definition:
        StartAt: Price
        States:
          Price: {Type: Task, Resource: "${Price}", ResultPath: $.price, Next: Store}
          Store:
            Type: Task
            Resource: arn:aws:states:::dynamodb:putItem
            Parameters: {TableName: "${Table}", Item: {id: {S.$: $.id}}}
            ResultPath: null
            End: true
"""
APP = """
import os
def handler(event, context):
    return len(event["id"]) * (2 if os.environ["STAGE"] == "test" else 1)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    infra = tmp_path / "infra"
    (infra / "price").mkdir(parents=True)
    (infra / "template.yaml").write_text(TEMPLATE)
    (infra / "price" / "app.py").write_text(APP)
    settings = "project: infra\nservices: moto\nparameters: {Stage: test}\n"
    (tmp_path / "doorstep.yaml").write_text(settings)
    return tmp_path


def doorstep(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def recorded(shop: Path, *more: str) -> Path:
    history = shop / "history.json"
    result = doorstep("run", shop, "--input", '{"id": "abc"}', "--history", history, *more)
    assert result.exit_code in (0, 1), result.output
    return history


def test_run_takes_what_doorstep_yaml_names(shop: Path) -> None:
    result = doorstep("run", shop, "--input", '{"id": "abc"}')
    assert json.loads(result.stdout) == {"id": "abc", "price": 6}


def test_resume_continues_with_the_projects_functions_and_services(shop: Path) -> None:
    app = shop / "infra" / "price" / "app.py"
    app.write_text("def handler(event, context):\n    raise KeyError('not yet')\n")
    history = recorded(shop)
    app.write_text(APP)
    result = doorstep("resume", history, "--definition", shop)
    assert json.loads(result.stdout) == {"id": "abc", "price": 6}


def test_replay_calls_the_projects_functions_when_asked(shop: Path) -> None:
    history = recorded(shop)
    alone = doorstep("replay", history, "--definition", shop, "--format", "json")
    assert "answers" not in json.loads(alone.stdout)
    command = ("replay", history, "--definition", shop, "--with-functions", "--format", "json")
    same = json.loads(doorstep(*command).stdout)["answers"]
    assert [(one["state"], one["verdict"]) for one in same][:1] == [("Price", "same")]
    (shop / "infra" / "price" / "app.py").write_text("def handler(event, context): return 1\n")
    changed = json.loads(doorstep(*command).stdout)["answers"]
    assert changed[0]["verdict"] == "different"
    assert changed[0]["now"] == {"output": 1}


def test_explore_carries_tasks_out_twice_in_the_projects_functions(shop: Path) -> None:
    app = shop / "infra" / "price" / "app.py"
    app.write_text("n = []\ndef handler(event, context):\n    n.append(1)\n    return len(n)\n")
    plain = json.loads(doorstep("explore", shop, "--format", "json").stdout)
    assert not [one for one in plain["findings"] if one["kind"] == "twice"]
    twice = json.loads(doorstep("explore", shop, "--services", "moto", "--format", "json").stdout)
    # The item is put once more, and that is the same: only the request's id is another.
    [found] = [one for one in twice["findings"] if one["kind"] == "twice"]
    assert found["message"] == "Price returns 2 when it runs again; the first time it returns 1"


@pytest.mark.parametrize("command", ["validate", "graph", "explore"])
def test_parameters_of_doorstep_yaml_count_everywhere(shop: Path, command: str) -> None:
    template = shop / "infra" / "template.yaml"
    text = TEMPLATE.replace("Name: flow", "Name: !Sub 'flow-${Stage}'")
    template.write_text(text)
    result = doorstep(command, shop)
    assert "Stage" not in result.output
    assert result.exit_code in (0, 1), result.output


def test_debug_takes_a_folder_as_definition(shop: Path) -> None:
    history = recorded(shop)
    result = doorstep("debug", history, "--definition", shop, "--at", "2", "--format", "json")
    assert result.exit_code == 0, result.output


SUITE = """
tests:
  - name: the project is that of doorstep.yaml
    input: {id: abc}
    expect:
      output: {id: abc, price: 6}
      tables: {Orders: [{id: abc}]}
  - name: what a test says comes first
    parameters: {Stage: live}
    input: {id: abc}
    expect: {output: {id: abc, price: 3}}
"""


def test_suites_take_what_doorstep_yaml_names(shop: Path) -> None:
    (shop / "tests").mkdir()
    (shop / "tests" / "first.doorstep.yaml").write_text(SUITE)
    result = doorstep("test", shop)
    assert "2 passed" in result.output, result.output


def test_mocks_of_doorstep_yaml_count_in_suites_and_are_never_idle_there(shop: Path) -> None:
    (shop / "tests").mkdir()
    settings = shop / "doorstep.yaml"
    settings.write_text(settings.read_text() + "mocks: mocks.yaml\n")
    mocks = "- {state: Price, answer: 1}\n- {state: Elsewhere, answer: 1}\n"
    (shop / "mocks.yaml").write_text("mocks:\n" + "".join(f"  {m}\n" for m in mocks.splitlines()))
    suite = "tests: [{name: mocked, input: {id: a}, expect: {output: {id: a, price: 1}}}]\n"
    (shop / "tests" / "first.doorstep.yaml").write_text(suite)
    result = doorstep("test", shop)
    assert "1 passed" in result.output, result.output
    assert "never reached" not in result.output


def test_pytest_takes_the_settings_above_although_the_project_lies_elsewhere(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from doorstep.testing.projects import project_services

    (shop / "tests").mkdir()
    with project_services(shop / "tests") as (project, services, _):
        assert project
        assert project.functions["Price"].environment["STAGE"] == "test"
        assert services.client("dynamodb").list_tables()["TableNames"] == ["Orders"]
