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

import doorstep
from doorstep import Answer
from doorstep.against.account import Account
from doorstep.against.executions import run_against
from doorstep.against.single_states import Comparison
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
PACK = ORDER["States"]["Parts"]["ItemProcessor"]["States"]["Pack"] | {"Next": "Done"}
del PACK["End"]
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
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_aws: None) -> Path:
    """A folder with the suite and its definition, in which the commands run."""
    monkeypatch.chdir(tmp_path)
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
    # Count, Charge four times, Enough, Charge, Enough, two times Pack, Parts, Approve.
    assert paid["remarks"] == ["answers of TestState compared: 12"]
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


# What TestState is asked --------------------------------------------------------------------------


class Asked(Account):
    """Answers as Doorstep's own TestState does, and remembers the requests."""

    def __init__(self, **error_details: Any) -> None:
        super().__init__(None)
        self.requests: list[dict[str, Any]] = []
        self.error_details = error_details

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        assert operation == "test_state"
        self.requests.append(request)
        answer = doorstep.test_state(request)
        answer["inspectionData"].get("errorDetails", {}).update(self.error_details)
        return answer

    def of(self, state: str) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["stateName"] == state]


def compared(
    definition: dict[str, Any], given: Any, respond: Any = None
) -> tuple[Asked, Comparison, list[Any]]:
    own = doorstep.run(definition, given, respond=respond, seed="x")
    account = Asked()
    comparison = Comparison(account, "here", own, lambda: None)
    return account, comparison, list(comparison.run())


def group(kind: str, **fields: Any) -> dict[str, Any]:
    """A machine with one Map or Parallel, whose first step fails when its input is 0."""
    states = {
        "Look": {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "NumericEquals": 0, "Next": "Stop"}],
            "Default": "Keep",
        },
        "Keep": {"Type": "Pass", "End": True},
        "Stop": {"Type": "Fail", "Error": "Zero", "Cause": "nothing there"},
    }
    inner = {"StartAt": "Look", "States": states}
    other = {"StartAt": "Two", "States": {"Two": {"Type": "Pass", "Result": 2, "End": True}}}
    work = {"ItemProcessor": inner} if kind == "Map" else {"Branches": [inner, other]}
    return {
        "StartAt": "All",
        "States": {
            "All": {"Type": kind, **work, **fields, "Next": "End"},
            "End": {"Type": "Pass", "End": True},
        },
    }


def test_a_map_is_asked_about_as_a_whole_with_what_its_iterations_gave() -> None:
    definition = group("Map", ItemsPath="$.xs", ResultSelector={"all.$": "$"}, ResultPath="$.ys")
    account, comparison, found = compared(definition, {"xs": [3, 1]})
    assert (found, comparison.not_compared) == ([], {})
    [request] = account.of("All")
    assert request["mock"]["result"] == "[3,1]"


def test_a_parallel_is_asked_about_with_what_its_branches_gave_in_their_order() -> None:
    account, comparison, found = compared(group("Parallel"), 7)
    assert (found, comparison.not_compared) == ([], {})
    [request] = account.of("All")
    assert request["mock"]["result"] == "[7,2]"


@pytest.mark.parametrize("kind", ["Map", "Parallel"])
def test_each_attempt_of_a_group_fails_with_the_error_of_what_failed_in_it(kind: str) -> None:
    retry = [{"ErrorEquals": ["Zero"], "MaxAttempts": 1, "IntervalSeconds": 1}]
    catch = [{"ErrorEquals": ["Zero"], "Next": "End"}]
    definition = group(kind, Retry=retry, Catch=catch)
    account, comparison, found = compared(definition, [1, 0] if kind == "Map" else 0)
    assert (found, comparison.not_compared) == ([], {})
    requests = account.of("All")
    failure = {"error": "Zero", "cause": "nothing there"}
    assert [request["mock"]["errorOutput"] for request in requests] == [failure, failure]
    counts = [request["stateConfiguration"]["retrierRetryCount"] for request in requests]
    assert counts == [0, 1]


def test_a_group_whose_failure_is_not_in_the_history_is_not_compared() -> None:
    definition = group("Parallel", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "End"}])
    stop = definition["States"]["All"]["Branches"][0]["States"]["Stop"]
    stop["ErrorPath"] = "States.Format('E{}', $)"
    del stop["Error"]
    _, comparison, found = compared(definition, 0)
    assert found == []
    reason = "the error of the state that failed in it is not in the history"
    assert comparison.not_compared["All"] == reason


def test_a_callback_is_asked_about_with_a_token_in_its_context() -> None:
    approve = {
        **ORDER["States"]["Approve"],
        "ResultSelector": {"token.$": "$$.Task.Token", "ok.$": "$.ok"},
    }
    definition = {"StartAt": "Approve", "States": {"Approve": approve}}
    respond = lambda *_: Answer(response={}, accepted=True, output={"ok": True}, after=9.0)  # noqa: E731
    account, comparison, found = compared(definition, {}, respond)
    assert (found, comparison.not_compared) == ([], {})
    [request] = account.of("Approve")
    assert request["mock"]["result"] == '{"ok":true}'
    assert set(json.loads(request["context"])["Task"]) == {"Token"}


def test_a_heartbeat_that_was_missed_is_not_taken_for_a_time_limit() -> None:
    approve = {
        **ORDER["States"]["Approve"],
        "HeartbeatSeconds": 5,
        "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Done"}],
    }
    states = {"Approve": approve, "Done": {"Type": "Succeed"}}
    respond = lambda *_: Answer(response={}, accepted=True)  # noqa: E731
    _, comparison, found = compared({"StartAt": "Approve", "States": states}, {}, respond)
    assert found == []
    reason = "the history does not tell a heartbeat that was missed from a time limit"
    assert comparison.not_compared == {"Approve": reason}


def test_the_number_of_requests_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.against.single_states.MOST_REQUESTS", 2)
    account, comparison, found = compared(group("Map"), [1, 2])
    assert found == []
    assert len(account.requests) == 2
    reason = "TestState is asked 2 times for an execution, and no more"
    assert comparison.not_compared == {"4 more visits": reason}


def test_a_random_result_is_no_difference() -> None:
    state = {"Type": "Pass", "Parameters": {"n.$": "States.MathRandom(1, 999)"}, "End": True}
    account, comparison, found = compared({"StartAt": "R", "States": {"R": state}}, {})
    assert (account.requests, found) == ([], [])
    assert comparison.not_compared == {"R": "its result is random, or the time as a number"}


def test_a_seeded_random_number_is_compared() -> None:
    state = {"Type": "Pass", "Parameters": {"n.$": "States.MathRandom(1, 999, 5)"}, "End": True}
    account, comparison, found = compared({"StartAt": "R", "States": {"R": state}}, {})
    assert (len(account.requests), found, comparison.not_compared) == (1, [], {})


def test_a_jsonata_state_without_a_mock_reads_its_context_from_a_variable() -> None:
    output = "{% $states.context.Execution.Input.a & $states.context.State.Name & $b %}"
    first = {"Type": "Pass", "Assign": {"b": "c"}, "Next": "Say"}
    say = {"Type": "Pass", "Output": output, "Next": "Stop"}
    cause = "{% $states.context.Execution.Nothing %}"
    states = {"First": first, "Say": say, "Stop": {"Type": "Fail", "Error": "E", "Cause": cause}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    account, comparison, found = compared(definition, {"a": "x"})
    assert (found, comparison.not_compared) == ([], {})
    assert comparison.own.state("Say").output == "xSayc"
    [request] = account.of("Say")
    assert "context" not in request
    assert json.loads(request["variables"])["doorstepContext"]["State"]["Name"] == "Say"


def test_a_state_that_reads_the_whole_of_states_is_not_compared() -> None:
    say = {"Type": "Pass", "Output": "{% $keys($states) %}", "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Say", "States": {"Say": say}}
    _, comparison, _ = compared(definition, {})
    reason = "it reads the context object, which TestState takes with a mock only"
    assert comparison.not_compared == {"Say": reason}


@pytest.mark.parametrize(
    ("retrier", "pauses"),
    [
        ({}, [1, 2]),
        ({"IntervalSeconds": 4, "MaxDelaySeconds": 5}, [4, 5]),
        # 1 s, and then a fraction, which TestState has as a whole number.
        ({"BackoffRate": 1.5}, [1]),
        ({"JitterStrategy": "FULL"}, []),
    ],
)
def test_the_pause_before_a_retry_is_compared(retrier: dict[str, Any], pauses: list[int]) -> None:
    """The defaults: 1 s, doubled: https://states-language.net/spec.html#retrying-after-error."""
    task = {
        **PACK,
        "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 2, **retrier}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}],
    }
    definition = {"StartAt": "Pack", "States": {"Pack": task, "Done": {"Type": "Succeed"}}}
    own = doorstep.run(
        definition, {}, respond=lambda *_: Answer(failed=True, error="Busy"), seed="x"
    )
    account = Asked(retryBackoffIntervalSeconds=99)
    found = list(Comparison(account, "here", own, lambda: None).run())
    assert [one.own for one in found] == pauses
    assert {(one.member, one.there) for one in found} <= {("retryBackoffIntervalSeconds", 99)}
