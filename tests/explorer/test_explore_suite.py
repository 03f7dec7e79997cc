"""What exploration knows becomes tests: one command from a bare definition to a green suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from doorstep_cli.main import cli

EXAMPLES = Path(__file__).parents[2] / "examples"
CHARGE = {
    "StartAt": "Charge",
    "States": {
        "Charge": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "charge", "Payload.$": "$"},
            "ResultSelector": {"cents.$": "$.Payload.cents"},
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
            "Next": "Big",
        },
        "Big": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.cents", "NumericGreaterThan": 100, "Next": "Ask"}],
            "Default": "Done",
        },
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Parameters": {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "big"},
            "End": True,
        },
        "Done": {"Type": "Succeed"},
    },
}


def explored(definition: Path, suite: Path, *options: str) -> dict[str, Any]:
    arguments = ["explore", str(definition), "--write-suite", str(suite), "-q", *options]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code in (0, 1), result.stderr
    written: dict[str, Any] = yaml.safe_load(suite.read_text("utf-8"))
    return written


def test_the_suite_of_a_bare_definition_is_green_at_once(tmp_path: Path) -> None:
    definition = tmp_path / "charge.asl.json"
    definition.write_text(json.dumps(CHARGE))
    suite = explored(definition, tmp_path / "charge.doorstep.yaml")
    assert suite["definition"] == "charge.asl.json"
    first, *others = suite["tests"]
    assert "output" in first["expect"]
    assert {"error": "Unexpected"} in [one["expect"] for one in others]
    assert (tmp_path / "charge.mocks.json").is_file()
    result = CliRunner().invoke(cli, ["test", str(tmp_path / "charge.doorstep.yaml")])
    assert (result.exit_code, "failed" in result.stdout) == (0, False), result.stdout


def test_each_end_of_the_workflow_has_a_test(tmp_path: Path) -> None:
    changed = json.loads(json.dumps(CHARGE))
    changed["States"]["Charge"]["Catch"] = [{"ErrorEquals": ["Declined"], "Next": "No"}]
    changed["States"]["No"] = {"Type": "Fail", "Error": "NoMoney"}
    definition = tmp_path / "charge.asl.json"
    definition.write_text(json.dumps(changed))
    suite = explored(definition, tmp_path / "charge.doorstep.yaml")
    names = [one["name"] for one in suite["tests"]]
    ends = [one for one in names if one.startswith("the whole workflow: ")]
    assert len(ends) == 3
    assert "the whole workflow: succeeds" in ends
    assert "the whole workflow: ends at No" in ends
    [no] = [one for one in suite["tests"] if one["name"].endswith("ends at No")]
    assert no["expect"] == {"error": "NoMoney"}
    result = CliRunner().invoke(cli, ["test", str(tmp_path / "charge.doorstep.yaml")])
    assert result.exit_code == 0, result.stdout


def test_a_valid_input_stays_whole_in_the_run_that_succeeds(tmp_path: Path) -> None:
    definition = tmp_path / "charge.asl.json"
    definition.write_text(json.dumps(CHARGE))
    order = {"id": "7", "customer": {"name": "Ada"}, "lines": [1, 2]}
    options = ["--input", json.dumps(order)]
    suite = explored(definition, tmp_path / "charge.doorstep.yaml", *options)
    assert suite["tests"][0]["input"] == order
    assert suite["tests"][1]["input"] == order


def test_the_suite_fails_when_the_workflow_changes(tmp_path: Path) -> None:
    definition = tmp_path / "charge.asl.json"
    definition.write_text(json.dumps(CHARGE))
    explored(definition, tmp_path / "charge.doorstep.yaml")
    changed = json.loads(json.dumps(CHARGE))
    changed["States"]["Charge"]["ResultSelector"] = {"cents.$": "$.Payload.euros"}
    definition.write_text(json.dumps(changed))
    result = CliRunner().invoke(cli, ["test", str(tmp_path / "charge.doorstep.yaml")])
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "name", ["order/order.asl.json", "approval/approval.asl.json", "batch/batch.asl.json"]
)
def test_the_suites_of_the_examples_are_green(tmp_path: Path, name: str) -> None:
    folder = (EXAMPLES / name).parent
    given = folder / "input.json"
    options = ["--input", f"@{given}"] if given.exists() else []
    suite = tmp_path / "found.doorstep.yaml"
    assert explored(EXAMPLES / name, suite, *options)["tests"]
    result = CliRunner().invoke(cli, ["test", str(suite)])
    assert result.exit_code == 0, result.stdout


def test_a_suite_of_the_users_is_not_overwritten(tmp_path: Path) -> None:
    definition, suite = tmp_path / "charge.asl.json", tmp_path / "charge.doorstep.yaml"
    definition.write_text(json.dumps(CHARGE))
    suite.write_text("# mine")
    arguments = ["explore", str(definition), "--write-suite", str(suite), "-q"]
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, "exists" in result.stderr) == (2, True)
    assert suite.read_text() == "# mine"


def test_the_suite_of_a_template_names_the_template(tmp_path: Path) -> None:
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": CHARGE}}
    parameters = {"Stage": {"Type": "String"}}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Parameters": parameters, "Resources": {"Flow": machine}}))
    suite = explored(template, tmp_path / "t.doorstep.yaml", "--param", "Stage=test")
    assert (suite["definition"], suite["resource"]) == ("template.json", "Flow")
    assert suite["parameters"] == {"Stage": "test"}
    result = CliRunner().invoke(cli, ["test", str(tmp_path / "t.doorstep.yaml")])
    assert result.exit_code == 0, result.stdout
