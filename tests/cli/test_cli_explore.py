"""`doorstep explore`: a report that is short, points into the file, and can be run again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep_cli.commands.explore import ExplorationProgress
from doorstep_cli.main import cli

CHARGE = """{
  "StartAt": "Charge",
  "States": {
    "Charge": {
      "Type": "Task",
      "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:charge",
      "Parameters": { "orderId.$": "$.orderId" },
      "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Tell" }],
      "End": true
    },
    "Tell": {
      "Type": "Task",
      "Resource": "arn:aws:states:::sns:publish",
      "Parameters": { "Message.$": "$.orderId" },
      "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Failed" }],
      "Next": "Failed"
    },
    "Failed": { "Type": "Fail" }
  }
}
"""
GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
HANDLERS = """
calls = []

def charge(event):
    calls.append(event)
    return {"charge": len(calls)}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with definitions, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    texts = {"charge.asl.json": CHARGE, "good.json": GOOD, "handlers.py": HANDLERS}
    for name, text in {**texts, "bad.json": '{"StartAt": "A"}'}.items():
        Path(name).write_text(text, "utf-8")


def explore(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explore", *arguments])


def test_nothing_found_exits_with_0() -> None:
    result = explore("good.json")
    assert result.exit_code == 0
    assert result.stdout.endswith("good.json: nothing found in 1 run\n")


def test_a_finding_says_where_how_and_what_to_do() -> None:
    result = explore("charge.asl.json")
    assert result.exit_code == 1
    assert (
        """
error missing: Tell reads $.orderId, which is missing on this path
  charge.asl.json:14:7: Parameters of Tell
  hint: preserve it on this path with ResultPath, or check for it with a Choice (IsPresent)
  path: Charge → Tell
  input: {"orderId":"some orderId"}
  Charge: fails with Unexpected
"""
        in result.stdout
    )


def test_notes_alone_exit_with_0() -> None:
    text = CHARGE.replace('"Next": "Tell" }', '"ResultPath": "$.why", "Next": "Tell" }')
    Path("fixed.asl.json").write_text(text, "utf-8")
    result = explore("fixed.asl.json")
    assert "note needs" in result.stdout
    assert result.exit_code == 0


def test_the_table_has_what_was_reached() -> None:
    lines = explore("charge.asl.json").stdout.splitlines()
    assert lines[0].split() == ["Part", "Reached"]
    # Tell always fails, so that Failed is never entered.
    assert lines[1].split() == ["state", "2", "of", "3"]


def test_a_definition_that_can_not_be_used_exits_with_2() -> None:
    result = explore("bad.json")
    assert result.exit_code == 2
    assert "AWS would not accept the definition" in result.stderr


def report(*arguments: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(explore(*arguments, "--format", "json").stdout)
    return value


def test_json_has_the_pointer_and_the_script() -> None:
    found = report("charge.asl.json")
    assert found["ok"] is False
    [finding] = [one for one in found["findings"] if one["severity"] == "error"]
    assert finding["kind"] == "missing"
    assert finding["places"][0]["pointer"] == "/States/Tell/Parameters"
    assert finding["script"]["input"] == {"orderId": "some orderId"}


def test_a_finding_written_as_a_test_case_fails_as_it_says() -> None:
    lines = explore("charge.asl.json", "--write-mocks", "found.json").stdout.splitlines()
    command = next(line.removeprefix("  run: ") for line in lines if line.startswith("  run: "))
    program, *arguments = shlex.split(command)
    result = CliRunner().invoke(cli, arguments)
    assert program == "doorstep"
    assert result.exit_code == 1
    assert "'$.orderId'" in result.stderr


def test_a_case_written_for_a_timeout_has_its_error() -> None:
    text = CHARGE.replace('"End": true', '"TimeoutSeconds": 5, "End": true', 1)
    text = text.replace("States.ALL", "States.TaskFailed", 1)
    Path("late.asl.json").write_text(text, "utf-8")
    explore("late.asl.json", "--write-mocks", "found.json")
    mocks = json.loads(Path("found.json").read_text("utf-8"))
    case = mocks["StateMachines"]["late"]["TestCases"]["uncaught-Charge"]
    assert mocks["MockedResponses"][case["Charge"]] == {
        "0-999999": {"Throw": {"Error": "States.Timeout"}}
    }


def test_a_command_has_the_type_that_was_asked_for() -> None:
    arguments = ("charge.asl.json", "--type", "express", "--write-mocks", "found.json")
    assert "run charge.asl.json --type express --input" in explore(*arguments).stdout


def test_answers_that_the_service_would_not_give_can_be_run() -> None:
    resource = "arn:aws:states:::aws-sdk:redshiftdata:describeStatement"
    text = CHARGE.replace("arn:aws:lambda:eu-west-1:123456789012:function:charge", resource)
    text = text.replace('"orderId.$":', '"Id.$":')
    Path("redshift.asl.json").write_text(text, "utf-8")
    lines = explore("redshift.asl.json", "--write-mocks", "found.json").stdout.splitlines()
    commands = [line.removeprefix("  run: ") for line in lines if line.startswith("  run: ")]
    for command in commands:
        assert "MockInvalid" not in CliRunner().invoke(cli, shlex.split(command)[1:]).stderr
    assert commands


def test_handlers_are_called_twice() -> None:
    arguments = ("charge.asl.json", "--handlers", "handlers.py", "--input", '{"orderId": "7"}')
    [finding] = [one for one in report(*arguments)["findings"] if one["kind"] == "twice"]
    message = 'Charge returns {"charge":2} when it runs again; the first time it returns'
    assert finding["message"].startswith(message)


def test_handlers_that_do_not_load_exit_with_2() -> None:
    result = explore("charge.asl.json", "--handlers", "nowhere.py")
    assert result.exit_code == 2
    assert "there is no handler file nowhere.py" in result.stderr


def test_what_handlers_print_does_not_stand_in_the_report() -> None:
    Path("handlers.py").write_text("def charge(event):\n    print('charging')\n", "utf-8")
    result = explore("charge.asl.json", "--handlers", "handlers.py", "--format", "json")
    assert "charging" in result.stderr
    assert json.loads(result.stdout)


def test_a_line_on_the_terminal_says_how_far_it_has_come() -> None:
    line = ExplorationProgress()
    doorstep.explore(json.loads(GOOD), on_run=line.on_run)
    assert str(line) == "1 run · 2 of 2 parts reached"


def test_too_little_time_is_reported() -> None:
    result = explore("charge.asl.json", "--seconds", "0.000001")
    assert "the time limit was reached" in result.stderr
