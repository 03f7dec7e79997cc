"""`doorstep test --against`: a suite's tests as real executions, beside Doorstep's own.

The server is `doorstep serve` in this process; what only AWS does is answered by botocore's
stubber. The operations:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("boto3", reason="doorstep[aws] is not installed")
from botocore.stub import ANY, Stubber

from doorstep.against.account import Account
from doorstep.against.executions import run_against
from doorstep.against.target import NEEDS, Target
from doorstep.errors import AccountError
from doorstep.testing.suites.files import Test, read
from doorstep_cli.commands.remote import Remote
from doorstep_cli.main import cli
from doorstep_emulator import Options, running

ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pay"
STARTED = "arn:aws:states:us-east-1:123456789012:execution:pay:x"
PAY = {
    "StartAt": "Price",
    "States": {
        "Price": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "price", "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "Next": "Pay",
        },
        "Pay": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:pay",
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}],
            "End": True,
        },
    },
}
PASS = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
HANDLERS = """
class Busy(Exception):
    pass


def price(event):
    return {"cents": event["number"] * 100}


def pay(event):
    if event["cents"] > 1000:
        raise Busy("later")
    return {"paid": event["cents"]}
"""
SUITE = """
definition: pay.asl.json
handlers: handlers.py
tests:
  - name: a small sum is paid
    input: {number: 3}
    expect:
      output: {paid: 300}
      path: [Price, Pay]
      took: 0s
      calls: {price: [{number: 3}], pay: 1}
  - name: a large one is tried twice
    input: {number: 30}
    expect: {error: Busy, states: {Pay: {retries: 1}}, calls: {pay: 2}}
  - name: mocked
    mocks: [{state: Pay, answer: {}}]
    expect: {status: FAILED}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_aws: None) -> Path:
    """A folder with the suite, its definition and handlers, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("doorstep.against.target._FIRST", 0.0)
    (tmp_path / "pay.asl.json").write_text(json.dumps(PAY))
    (tmp_path / "handlers.py").write_text(HANDLERS)
    (tmp_path / "pay.doorstep.yaml").write_text(SUITE)
    return tmp_path


def served(folder: Path, handlers: str) -> Any:
    file = folder / "served.py"
    file.write_text(handlers)
    return running(Options(port=0, handlers=str(file), clock="virtual"))


def create(url: str, name: str, definition: dict[str, Any], type: str = "STANDARD") -> None:
    text = json.dumps(definition)
    Remote(url).ask("CreateStateMachine", name=name, definition=text, roleArn=ROLE, type=type)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["test", *map(str, arguments)])


def test_a_suite_passes_on_a_server_and_what_has_mocks_starts_nothing_there(folder: Path) -> None:
    with served(folder, HANDLERS) as url:
        create(url, "pay", PAY)
        result = run("--against", url, "--format", "json")
        started = Remote(url).ask("ListExecutions", stateMachineArn=MACHINE)["executions"]
    report = json.loads(result.stdout)
    assert [test["outcome"] for test in report["tests"]] == ["passed", "passed", "passed"], report
    assert report["tests"][0]["remarks"] == ["not checked there: took"]
    assert "answers of TestState compared: 1" in report["tests"][2]["remarks"]
    assert len(started) == 2
    assert result.exit_code == 0


def test_a_fault_in_the_servers_handler_is_found_and_listed(folder: Path) -> None:
    with served(folder, HANDLERS.replace("* 100", "* 100 + 1")) as url:
        create(url, "pay", PAY)
        result = run("--against", url, "-k", "small")
    assert result.exit_code == 1
    assert "pay.doorstep.yaml:8: output.paid" in result.stdout
    assert "          expected  300\n          found     301\n" in result.stdout
    differing = [line for line in result.stdout.splitlines() if "a fault of Doorstep" in line]
    assert [line.split(": ")[1] for line in differing] == [
        "(execution), output.paid",
        "Price, output.cents",
        "Pay, input.cents",
        "Pay, output.paid",
    ]


def test_what_differs_is_found_though_nothing_expects_it(folder: Path) -> None:
    text = SUITE.replace("output: {paid: 300}", "status: SUCCEEDED")
    (folder / "pay.doorstep.yaml").write_text(text)
    with served(folder, HANDLERS.replace('"paid": event', '"sum": event')) as url:
        create(url, "pay", PAY)
        result = run("--against", url, "-k", "small")
    assert result.exit_code == 1
    assert "(execution), output.paid: Doorstep's own execution (expected) differs" in result.stdout


def test_without_handlers_here_only_what_is_expected_counts(folder: Path) -> None:
    (folder / "pay.doorstep.yaml").write_text(SUITE.replace("handlers: handlers.py\n", ""))
    with served(folder, HANDLERS) as url:
        create(url, "pay", PAY)
        result = run("--against", url, "-k", "small")
    assert result.exit_code == 0, result.stdout
    assert "not compared with Doorstep's own execution: Doorstep." in result.stdout


def test_what_belongs_to_one_run_is_no_difference(folder: Path) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Done",
        "States": {
            "Done": {
                "Type": "Pass",
                "Output": {
                    "now": "{% $now() %}",
                    "id": "{% $uuid() %}",
                    "arn": "{% $states.context.Execution.Id %}",
                },
                "End": True,
            }
        },
    }
    (folder / "pay.asl.json").write_text(json.dumps(definition))
    (folder / "pay.doorstep.yaml").write_text(
        "definition: pay.asl.json\n"
        "tests: [{name: any, expect: {states: {Done: {took: 9h}}, took: '{% $ < 60 %}'}}]\n"
    )
    with served(folder, HANDLERS) as url:
        create(url, "pay", definition)
        result = run("--against", url)
    assert result.exit_code == 0, result.stdout
    assert "not checked there: took of Done" in result.stdout


def test_a_machine_that_is_not_deployed_is_named_with_those_that_are(folder: Path) -> None:
    with served(folder, HANDLERS) as url:
        create(url, "other", PASS)
        result = run("--against", url, "-k", "small")
    assert result.exit_code == 2
    message = f"state machine 'pay' not found at {url}; deploy it, or name another one"
    assert message in result.stdout
    assert "(there are other)" in result.stdout


def test_another_machine_is_run_when_it_is_named(folder: Path) -> None:
    with served(folder, HANDLERS) as url:
        create(url, "pay-prod", PAY)
        result = run("--against", url, "--machine", f"{MACHINE}-prod", "-k", "small")
    assert result.exit_code == 0, result.stdout


def test_express_machines_are_skipped_since_they_have_no_history(folder: Path) -> None:
    with served(folder, HANDLERS) as url:
        create(url, "pay", PAY, "EXPRESS")
        result = run("--against", url, "-k", "small", "--junit", folder / "junit.xml")
    assert result.exit_code == 0
    assert "not run there: Express executions have no history" in result.stdout
    assert 'skipped="1"' in (folder / "junit.xml").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--against", "prod"), "target prod: expected aws, or a URL such as"),
        (("--against", "aws"), "configuration can't be used: You must specify a region"),
        (("--against", "aws", "--machine", "pay"), "--machine pay: expected the ARN"),
        (("--against", "aws", "--time-limit", "long"), "--time-limit: 'long' is not a duration"),
        (("--against", "aws", "--update"), "can't be combined with --update"),
        (("--machine", MACHINE), "only apply to --against"),
    ],
)
def test_options_that_cant_be_used_are_explained(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


# As AWS answers ----------------------------------------------------------------------------------


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, stubbed: tuple[Any, Stubber]) -> tuple[Target, Stubber]:
    """A target whose clock moves only while it waits between two looks."""
    monkeypatch.setattr("doorstep.against.target._FIRST", 0.2)
    client, stub = stubbed
    slept = [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds

    account = Account(client, NEEDS)
    return Target(account, "aws", 1.0, sleep=sleep, now=lambda: slept[0]), stub


def list_machines(stub: Stubber) -> None:
    machine = {"name": "pay", "stateMachineArn": MACHINE, "type": "STANDARD", "creationDate": 1}
    stub.add_response("list_state_machines", {"stateMachines": [machine]}, {})


def start(stub: Stubber) -> None:
    request = {"stateMachineArn": MACHINE, "name": ANY, "input": '{"number":3}'}
    stub.add_response("start_execution", {"executionArn": STARTED, "startDate": 1}, request)


def describe(stub: Stubber, status: str) -> None:
    answer = {"executionArn": STARTED, "stateMachineArn": MACHINE, "startDate": 1, "status": status}
    stub.add_response("describe_execution", answer, {"executionArn": STARTED})


def first_test(folder: Path) -> Test:
    return read(folder / "pay.doorstep.yaml").tests[0]


def test_an_execution_that_does_not_end_is_reported_and_not_stopped(
    folder: Path, target: tuple[Target, Stubber]
) -> None:
    there, stub = target
    list_machines(stub)
    start(stub)
    # 0.2 s, 0.32 s and what is left of the second: four looks.
    for _ in range(4):
        describe(stub, "RUNNING")
    there.connect()
    result = run_against(first_test(folder), there)
    assert result.outcome == "error"
    assert result.problem == (
        f"{STARTED} has not ended after 1s and was not stopped; --time-limit waits longer"
    )
    stub.assert_no_pending_responses()


def test_a_history_without_its_end_yet_is_asked_for_again(
    folder: Path, target: tuple[Target, Stubber]
) -> None:
    there, stub = target
    list_machines(stub)
    start(stub)
    started = {
        "id": 1,
        "type": "ExecutionStarted",
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "executionStartedEventDetails": {"input": '{"number":3}'},
    }
    ended = {
        "id": 2,
        "previousEventId": 1,
        "type": "ExecutionAborted",
        "timestamp": datetime(2026, 1, 2, tzinfo=UTC),
        "executionAbortedEventDetails": {},
    }
    for events in ([started], [started, ended]):
        describe(stub, "ABORTED")
        stub.add_response("get_execution_history", {"events": events})
    there.connect()
    result = run_against(first_test(folder), there)
    assert result.unmet[0].what == "status"
    assert result.unmet[0].found == "ABORTED"
    stub.assert_no_pending_responses()


def test_a_missing_permission_is_named(folder: Path, target: tuple[Target, Stubber]) -> None:
    there, stub = target
    list_machines(stub)
    denied = "not authorized to perform: states:StartExecution"
    stub.add_client_error("start_execution", "AccessDeniedException", denied)
    there.connect()
    result = run_against(first_test(folder), there)
    assert result.problem == f"AccessDeniedException: {denied}; the role needs {NEEDS}"


def test_nothing_is_run_when_the_machines_cant_be_listed(target: tuple[Target, Stubber]) -> None:
    there, stub = target
    stub.add_client_error("list_state_machines", "ExpiredTokenException", "expired")
    with pytest.raises(AccountError, match="aws sso login"):
        there.connect()
