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

from doorstep.testing.suites.files import read
from doorstep_cli.account import Account
from doorstep_cli.against import NEEDS, Target, run_against
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
    input: {tries: 1, parts: [a, b]}
    mocks:
      - state: Charge
        answer:
          - {error: Busy, cause: later}
          - {error: Slow, cause: slow}
          - {error: Busy, cause: later}
          - {result: {Payload: 3}}
          - {result: {Payload: 7}}
      - {state: Pack, answer: {Payload: packed}}
      - {state: Approve, answer: {ok: true}}
    expect: {status: SUCCEEDED}
  - name: refused
    input: {tries: 1}
    mocks: [{state: Charge, answer: {error: No, cause: never}}]
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
