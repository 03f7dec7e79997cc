"""`doorstep test --against` of tests with mocks: each visit of a state, asked of TestState.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("boto3", reason="doorstep[aws] is not installed")
from botocore.stub import Stubber

from doorstep.against.account import Account
from doorstep.against.executions import run_against
from doorstep.against.target import NEEDS, Target
from doorstep.testing.suites.files import read
from doorstep_cli.main import cli
from doorstep_emulator import Options, running

ROOT = Path(__file__).parents[2]
INVOKE = "arn:aws:states:::lambda:invoke"
ORDER = {
    "StartAt": "Count",
    "States": {
        "Count": {"Type": "Pass", "Assign": {"tries.$": "$.tries"}, "Next": "Charge"},
        "Charge": {
            "Type": "Task",
            "Resource": INVOKE,
            "Parameters": {"FunctionName": "charge", "Payload.$": "$"},
            "ResultSelector": {
                "paid.$": "$.Payload",
                "retries.$": "$$.State.RetryCount",
                "name.$": "$$.Execution.Name",
            },
            "ResultPath": "$.charge",
            "Assign": {"paid.$": "$.Payload"},
            "Retry": [
                {"ErrorEquals": ["Slow"], "MaxAttempts": 1},
                {"ErrorEquals": ["Busy"], "MaxAttempts": 2},
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Refund"}],
            "Next": "Enough",
        },
        "Refund": {"Type": "Fail", "Error": "Refunded", "CausePath": "$.failure.Error"},
        "Enough": {
            "Type": "Choice",
            "Choices": [{"Variable": "$paid", "NumericGreaterThan": 5, "Next": "Parts"}],
            "Default": "Charge",
        },
        "Parts": {
            "Type": "Map",
            "ItemsPath": "$.parts",
            "ItemProcessor": {
                "StartAt": "Pack",
                "States": {
                    "Pack": {
                        "Type": "Task",
                        "Resource": INVOKE,
                        "Parameters": {"FunctionName": "pack", "Payload.$": "$"},
                        "OutputPath": "$.Payload",
                        "End": True,
                    }
                },
            },
            "Next": "Approve",
        },
        "Approve": {
            "Type": "Task",
            "Resource": f"{INVOKE}.waitForTaskToken",
            "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
            "End": True,
        },
    },
}
SUITE = """
definition: order.asl.json
tests:
  - name: paid in the end
    input: {tries: 1, parts: [{a: 1}, {b: 2}]}
    mocks:
      - {state: Charge, invocation: 0, fail: {error: Busy, cause: later}}
      - {state: Charge, invocation: 1, fail: {error: Slow, cause: slow}}
      - {state: Charge, invocation: 2, fail: {error: Busy, cause: later}}
      - {state: Charge, invocation: 3, answer: 3}
      - {state: Charge, invocation: 4, answer: 7}
      - {state: Pack, answer: packed}
      - {state: Approve, answer: {ok: true}}
    expect: {status: SUCCEEDED}
  - name: refused
    input: {tries: 1}
    mocks: [{state: Charge, fail: {error: "No", cause: never}}]
    expect: {error: Refunded, cause: "No"}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the suite and its definition, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    (tmp_path / "order.asl.json").write_text(json.dumps(ORDER))
    (tmp_path / "order.doorstep.yaml").write_text(SUITE)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["test", *map(str, arguments)])


def test_each_visit_and_attempt_is_compared_and_what_cant_be_is_named(folder: Path) -> None:
    with running(Options(port=0)) as url:
        result = run("--against", url, "--format", "json")
    report = json.loads(result.stdout)
    paid, refused = report["tests"]
    assert [paid["outcome"], refused["outcome"]] == ["passed", "passed"], report
    # Count, Charge four times, Enough, Charge, Enough, two times Pack.
    assert paid["remarks"] == [
        "answers of TestState compared: 10",
        "not compared with TestState: Parts: a Map as a whole (the states in it are compared)",
        "not compared with TestState: Approve: it waits for a task token",
    ]
    assert refused["remarks"] == ["answers of TestState compared: 3"]


# A fault in a copy of the engine ------------------------------------------------------------------


@contextmanager
def copied(folder: Path, file: str, right: str, wrong: str) -> Iterator[str]:
    """Serve a copy of the project in which one line is wrong; yield its URL."""
    for package in ("interpreter", "emulator", "cli", "conformance"):
        left_out = shutil.ignore_patterns("__pycache__", "cases")
        shutil.copytree(ROOT / package, folder / "copy" / package, ignore=left_out)
    changed = folder / "copy" / "interpreter" / "doorstep" / file
    text = changed.read_text("utf-8")
    assert text.count(right) == 1
    changed.write_text(text.replace(right, wrong), "utf-8")
    packages = os.pathsep.join(str(folder / "copy" / one) for one in os.listdir(folder / "copy"))
    code = (
        "import sys; from doorstep_emulator import Options, running\n"
        "with running(Options(port=0)) as url: print(url, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": packages},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()


@pytest.mark.parametrize(
    ("file", "right", "wrong", "differing"),
    [
        (
            "asl/data_flow.py",
            'put = _compile_put(fields.get("ResultPath", "$"))',
            'put = _compile_put("$")',
            ["Charge, visit 1, attempt 4, output", "Charge, visit 2, output"],
        ),
        (
            "single_state/trial.py",
            "self.test.retries >= retrier.max_attempts",
            "self.test.retries + 1 >= retrier.max_attempts",
            ["Charge, visit 1, attempt 2, status", "Charge, visit 1, attempt 3, status"],
        ),
    ],
)
def test_a_fault_in_a_copy_of_the_engine_is_found(
    folder: Path, file: str, right: str, wrong: str, differing: list[str]
) -> None:
    with copied(folder, file, right, wrong) as url:
        result = run("--against", url, "-k", "paid")
    lines = [line for line in result.stdout.splitlines() if "a fault of Doorstep" in line]
    assert result.exit_code == 1
    places = {line.split(": ")[1] for line in lines}
    for place in differing:
        assert any(one.startswith(place) for one in places), result.stdout


# As AWS answers -----------------------------------------------------------------------------------


@pytest.fixture
def target(stubbed: tuple[Any, Stubber]) -> tuple[Target, Stubber]:
    """An account that the stubber stands for; nothing is waited for."""
    client, stub = stubbed
    return Target(Account(client, NEEDS), "aws", 1.0, sleep=lambda _: None), stub


def test_each_member_that_aws_answers_otherwise_is_listed(
    folder: Path, target: tuple[Target, Stubber]
) -> None:
    there, stub = target
    count = {"status": "SUCCEEDED", "output": '{"tries":2}', "nextState": "Refund"}
    stub.add_response("test_state", {**count, "inspectionData": {"variables": '{"tries":"1"}'}})
    stub.add_client_error("test_state", "ValidationException", "no such member")
    stub.add_response("test_state", {"status": "FAILED", "error": "Refunded", "cause": "Other"})
    result = run_against(read(folder / "order.doorstep.yaml").tests[1], there)
    assert result.outcome == "failed"
    differing = [(one.what.partition(": ")[0], one.expected, one.found) for one in result.unmet]
    assert differing[:3] == [
        ("Count, visit 1, output.tries", 1, 2),
        ("Count, visit 1, nextState", "Charge", "Refund"),
        ("Count, visit 1, variables.tries", 1, "1"),
    ]
    refused = result.unmet[3]
    assert refused.what.startswith("Charge, visit 1, request: Doorstep's own execution (expected)")
    assert refused.found == "ValidationException: no such member"
    assert result.unmet[4].what.startswith("Refund, visit 1, cause")
    stub.assert_no_pending_responses()


def test_a_missing_permission_is_named(folder: Path, target: tuple[Target, Stubber]) -> None:
    there, stub = target
    denied = "not authorized to perform: states:TestState"
    stub.add_client_error("test_state", "AccessDeniedException", denied)
    result = run_against(read(folder / "order.doorstep.yaml").tests[1], there)
    assert result.problem == f"AccessDeniedException: {denied}; the role needs {NEEDS}"
