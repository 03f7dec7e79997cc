"""`doorstep test-state`: TestState from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

CHARGE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "charge", "Payload.$": "$"},
    "ResultSelector": {"paid.$": "$.Payload"},
    "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
    "Catch": [{"ErrorEquals": ["Busy"], "Next": "Later"}],
    "Next": "Later",
}
MACHINE = {"StartAt": "Charge", "States": {"Charge": CHARGE, "Later": {"Type": "Succeed"}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a workflow, one state of it, and a handler."""
    monkeypatch.chdir(tmp_path)
    Path("machine.json").write_text(json.dumps(MACHINE), "utf-8")
    Path("state.json").write_text(json.dumps(CHARGE), "utf-8")
    Path("handlers.py").write_text("def charge(event):\n    print('paying')\n    return 7\n")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["test-state", *arguments])


def test_the_status_the_next_state_and_the_output_are_shown() -> None:
    result = run("machine.json", "--state", "Charge", "--mock-result", '{"Payload": 5}')
    assert (result.exit_code, result.stdout) == (0, 'SUCCEEDED → Later\noutput  {"paid":5}\n')


def test_a_file_may_hold_the_state_alone() -> None:
    result = run("state.json", "--mock-result", '{"Payload": 5}', "--format", "json")
    answer = {"status": "SUCCEEDED", "output": '{"paid":5}', "nextState": "Later"}
    assert json.loads(result.stdout) == answer


def test_debug_shows_the_data_between_the_fields() -> None:
    Path("in.json").write_text('{"n": 1}', "utf-8")
    result = run("state.json", "--mock-error", "Odd", "--input", "@in.json", "--level", "DEBUG")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "FAILED",
        "error            Odd",
        'input            {"n": 1}',
        'afterInputPath   {"n": 1}',
        'afterParameters  {"FunctionName":"charge","Payload":{"n":1}}',
    ]


@pytest.mark.parametrize(("retries", "status"), [("0", "RETRIABLE"), ("1", "CAUGHT_ERROR")])
def test_the_retries_so_far_decide_what_comes_of_an_error(retries: str, status: str) -> None:
    result = run("state.json", "--mock-error", "Busy", "--retries", retries, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (0, status)


def test_a_handler_does_the_work_where_there_is_no_mock() -> None:
    result = run("state.json", "--handlers", "handlers.py")
    assert result.stdout == 'SUCCEEDED → Later\noutput  {"paid":7}\n'
    assert "paying" in result.stderr


def test_what_aws_refuses_exits_with_2_and_says_why() -> None:
    result = run("state.json", "--mock-result", "{}", "--mock-error", "Odd")
    assert result.exit_code == 2
    assert "A test mock should have only one of the following fields" in result.stderr


def test_a_workflow_that_aws_refuses_is_shown_with_its_places() -> None:
    Path("bad.json").write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass"}}}', "utf-8")
    result = run("bad.json", "--state", "A")
    assert result.exit_code == 2
    assert "bad.json:1:" in result.stderr
