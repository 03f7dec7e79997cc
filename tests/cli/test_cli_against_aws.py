"""`doorstep conformance against-aws`: cases run on an account, beside Doorstep's own answers.

The server is `doorstep serve` in this process; what only AWS does is answered by botocore's
stubber. The operations:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("boto3", reason="doorstep[aws] is not installed")
from botocore.stub import ANY, Stubber

import doorstep
from doorstep.against.account import Account
from doorstep.against.target import Target
from doorstep.errors import AccountError
from doorstep_cli.commands.remote import Remote
from doorstep_cli.main import cli
from doorstep_conformance import Case, check
from doorstep_conformance.on_account import NEEDS, PREFIX, OnAccount, Plan, plan
from doorstep_emulator import Options, running

ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:created"
STARTED = "arn:aws:states:us-east-1:123456789012:execution:created:x"
PASS = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
LONG = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": 600, "End": True}}}
TASK = {
    "StartAt": "Pay",
    "States": {
        "Pay": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "pay"},
            "End": True,
        }
    },
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, without_aws: None) -> None:
    monkeypatch.setattr("doorstep.against.target._FIRST", 0.01)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(Options(port=0, clock="virtual")) as url:
        yield url


def against(*arguments: object) -> Result:
    command = ["conformance", "against-aws", "--role", ROLE, *map(str, arguments)]
    return CliRunner().invoke(cli, command)


def machines(url: str) -> list[str]:
    listed = Remote(url).ask("ListStateMachines")["stateMachines"]
    return [one["name"] for one in listed]


def write(folder: Path, **cases: dict[str, Any]) -> Path:
    for name, case in cases.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps({"id": name, **case}))
    return folder


def test_our_own_cases_of_each_kind_are_answered_there_as_here(server: str, tmp_path: Path) -> None:
    into = tmp_path / "recorded"
    chosen = ("wait/*", "validate/n*", "create/*", "sync/*", "retry/back-off", "map-run/caught")
    result = against(*chosen, "--endpoint", server, "--yes", "--record", into, "--format", "json")
    assert result.exit_code == 0, result.output
    cases = {one["id"]: one for one in json.loads(result.stdout)["cases"]}
    assert {one["outcome"] for one in cases.values()} == {"same"}
    assert cases["wait/seconds-path"]["grade"] == "exact"
    assert cases["retry/back-off"]["recorded"] == [f"retry/back-off/{n}" for n in (1, 2, 3)]
    assert machines(server) == []
    report = check(into)
    assert report.missed == []
    assert set(report.as_recorded()) == {
        "create_error",
        "history",
        "sync",
        "test_state",
        "validate",
    }
    source = json.loads((into / "wait" / "seconds-path.json").read_text())["source"]
    assert source.startswith(f"recorded at {server}, 20")


def test_what_a_case_leaves_open_is_no_difference_and_stays_open_in_the_recording(
    server: str, tmp_path: Path
) -> None:
    state = {"Type": "Pass", "Parameters": {"n.$": "States.MathRandom(1, 999999)"}, "End": True}
    definition = {"StartAt": "Throw", "States": {"Throw": state}}
    events = doorstep.run(definition, {}).history
    for event in events[2:]:
        for details in (value for value in event.values() if isinstance(value, dict)):
            details["output"] = {"n": "<number>"}
    recorded = {"events": [{**event, "timestamp": "<time>"} for event in events]}
    case = {"kind": "history", "definition": definition, "input": {}, "recorded": recorded}
    folder = write(tmp_path / "cases", thrown=case)
    into = tmp_path / "recorded"
    result = against("--cases", folder, "--endpoint", server, "--yes", "--record", into)
    assert result.exit_code == 0, result.output
    last = json.loads((into / "thrown.json").read_text())["recorded"]["events"][-1]
    assert last["executionSucceededEventDetails"]["output"] == {"n": "<number>"}
    assert check(into).missed == []


def test_it_says_first_what_it_will_do_and_asks(server: str) -> None:
    result = against("wait/seconds", "retry/back-off", "services/*", "--endpoint", server)
    assert result.exit_code == 2
    assert (
        "state machines doorstep-conformance-UUID, tagged doorstep:conformance: 1 cr"
        in result.stderr
    )
    # Two states, 0.025 dollars for a thousand.
    assert "state transitions: 2, Express executions: 0; about $0.0001" in result.stderr
    assert "requests of TestState: about 3;" in result.stderr
    assert "not run, 12: its tasks call Python functions of this machine" in result.stderr
    assert "standard input is no terminal to ask at; --yes goes ahead" in result.stderr
    assert result.stdout == ""
    assert machines(server) == []


@pytest.mark.parametrize(("said", "code"), [("n\n", 2), ("y\n", 0)])
def test_at_a_terminal_it_goes_ahead_when_it_is_told_to(
    server: str, monkeypatch: pytest.MonkeyPatch, said: str, code: int
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    command = ["conformance", "against-aws", "wait/seconds", "--role", ROLE, "--endpoint", server]
    result = CliRunner().invoke(cli, command, input=said)
    assert result.exit_code == code, result.output
    assert "Go ahead? [y/N]" in result.stderr
    assert ("nothing was created at" in result.stderr) == (code == 2)
    assert ("wait/seconds" in result.stdout) == (code == 0)


def test_machines_that_are_kept_are_named_with_the_command_to_delete_them() -> None:
    with running(Options(port=0, clock="virtual")) as url:
        result = against("wait/seconds", "--endpoint", url, "--yes", "--keep")
        [machine] = Remote(url).ask("ListStateMachines")["stateMachines"]
        arn = machine["stateMachineArn"]
        tags = Remote(url).ask("ListTagsForResource", resourceArn=arn)["tags"]
    assert result.exit_code == 0
    assert machine["name"].startswith(PREFIX)
    assert tags == [{"key": "doorstep:conformance", "value": "wait/seconds"}]
    command = f"aws stepfunctions delete-state-machine --region us-east-1 --endpoint-url {url} "
    assert f"{command}--state-machine-arn {arn}" in result.stderr


def test_nothing_that_was_recorded_is_overwritten(server: str, tmp_path: Path) -> None:
    write(tmp_path / "wait", seconds={})
    result = against("wait/*", "--endpoint", server, "--yes", "--record", tmp_path)
    assert result.exit_code == 2
    assert f"--record: {tmp_path}/wait/seconds.json exists" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nosuch/*",), "is called nosuch/*; `*` stands for any text"),
        (("--time-limit", "long"), "--time-limit: 'long' is not a duration"),
        (("--role", "me"), "me is not the ARN of a role"),
        ((), "configuration can't be used: You must specify a region"),
    ],
)
def test_options_that_cant_be_used_are_explained(arguments: tuple[str, ...], message: str) -> None:
    where = ("--endpoint", "http://127.0.0.1:1") if arguments else ()
    command = ["conformance", "against-aws", *where]
    command += [] if "--role" in arguments else ["--role", ROLE]
    result = CliRunner().invoke(cli, [*command, *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


# A fault put in by hand --------------------------------------------------------------------------


@contextmanager
def altered(server: str, change: Callable[[str, bytes], bytes]) -> Iterator[str]:
    """A server that passes requests on and changes the answers: `change(operation, body)`."""

    class Between(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers["X-Amz-Target"]
            headers = {"X-Amz-Target": target, "Content-Type": self.headers["Content-Type"]}
            with urlopen(Request(server, body, headers)) as reply:
                content = change(target.partition(".")[2], reply.read())
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    between = ThreadingHTTPServer(("127.0.0.1", 0), Between)
    thread = Thread(target=between.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{between.server_port}"
    between.shutdown()
    thread.join()
    between.server_close()


def test_a_fault_in_one_event_is_found_with_its_case_event_member_and_values(server: str) -> None:
    def change(operation: str, body: bytes) -> bytes:
        if operation != "GetExecutionHistory":
            return body
        reply = json.loads(body)
        for event in reply["events"]:
            if event["type"] == "WaitStateExited":
                event["stateExitedEventDetails"]["output"] = '{"rest":4}'
        return json.dumps(reply).encode()

    with altered(server, change) as url:
        result = against("wait/seconds-path", "--endpoint", url, "--yes")
        machine_read = against("wait/seconds-path", "--endpoint", url, "--yes", "--format", "json")
    assert result.exit_code == 1
    assert [line.strip() for line in result.stdout.splitlines()[:4]] == [
        "differs  wait/seconds-path",
        (
            "event 3 (WaitStateExited), stateExitedEventDetails.output.rest: "
            "Doorstep's own answer (expected) differs, possibly a fault of Doorstep"
        ),
        "Doorstep                3",
        f"{url}  4",
    ]
    [case] = json.loads(machine_read.stdout)["cases"]
    assert case["differences"] == [
        {
            "place": "event 3 (WaitStateExited)",
            "member": "stateExitedEventDetails.output.rest",
            "doorstep": 3,
            "account": 4,
        }
    ]
    assert machines(server) == []


def test_a_fault_in_a_validation_and_in_a_single_state_are_found(server: str) -> None:
    def change(operation: str, body: bytes) -> bytes:
        return body.replace(b'"OK"', b'"FAIL"').replace(b'"RETRIABLE"', b'"FAILED"')

    with altered(server, change) as url:
        chosen = ("validate/nothing-wrong", "retry/back-off")
        result = against(*chosen, "--endpoint", url, "--yes", "--format", "json")
    assert result.exit_code == 1
    found = {one["id"]: one["differences"] for one in json.loads(result.stdout)["cases"]}
    assert [one["member"] for one in found["validate/nothing-wrong"]] == ["result"]
    assert found["retry/back-off"][0]["account"] == "FAILED"


# How a case is run -------------------------------------------------------------------------------


def history(definition: dict[str, Any], **fields: Any) -> Case:
    return Case(id="x", kind="history", definition=definition, input={}, **fields)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (history(PASS, type="EXPRESS"), "Express executions have no history"),
        (history(LONG), "it takes 10m; --time-limit waits longer"),
        (history(PASS, handlers=[]), "its tasks call Python functions of this machine"),
        (history(PASS, objects=[]), ""),
        (history({"StartAt": "A", "States": {}}), "Doorstep can't run it: Invalid State Machine"),
        (
            Case(id="x", kind="test_state", request={"definition": TASK["States"]["Pay"]}),
            "its task would be called",
        ),
    ],
)
def test_what_cant_be_run_there_is_explained(case: Case, reason: str) -> None:
    found = plan(case, 300.0)
    assert found.reason.startswith(reason)
    assert (found.way is None) == bool(reason)


def test_a_definition_with_tasks_is_never_started_as_they_could_call_what_is_there() -> None:
    assert plan(history(TASK), 300.0).way == "states"
    assert plan(history(PASS), 300.0).way == "execution"


# As AWS answers ----------------------------------------------------------------------------------


@pytest.fixture
def aws(stubbed: tuple[Any, Stubber]) -> tuple[OnAccount, Stubber]:
    """An account whose clock moves only while it is waited for."""
    client, stub = stubbed
    slept = [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds

    target = Target(Account(client, NEEDS), "aws", 1.0, sleep=sleep, now=lambda: slept[0])
    return OnAccount(target, ROLE), stub


def planned(definition: dict[str, Any] = PASS) -> Plan:
    return Plan(history(definition), "execution")


def create(stub: Stubber) -> None:
    request = {
        "name": ANY,
        "definition": ANY,
        "roleArn": ROLE,
        "type": "STANDARD",
        "tags": [{"key": "doorstep:conformance", "value": "x"}],
    }
    stub.add_response(
        "create_state_machine", {"stateMachineArn": MACHINE, "creationDate": 1}, request
    )


def start(stub: Stubber) -> None:
    request = {"stateMachineArn": MACHINE, "name": ANY, "input": "{}"}
    stub.add_response("start_execution", {"executionArn": STARTED, "startDate": 1}, request)


def describe(stub: Stubber, status: str) -> None:
    answer = {"executionArn": STARTED, "stateMachineArn": MACHINE, "startDate": 1, "status": status}
    stub.add_response("describe_execution", answer, {"executionArn": STARTED})


def delete(stub: Stubber, arn: Any = MACHINE) -> None:
    stub.add_response("delete_state_machine", {}, {"stateMachineArn": arn})


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    name = f"{kind[0].lower()}{kind[1:]}EventDetails"
    if kind.startswith("PassState"):
        name = f"state{kind.removeprefix('PassState')}EventDetails"
    return {
        "id": number,
        "previousEventId": max(number - 1, 0) if number != 2 else 0,
        "type": kind,
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
        name: details,
    }


WHOLE = {"truncated": False}
EVENTS = [
    event(1, "ExecutionStarted", input="{}", inputDetails=WHOLE, roleArn=ROLE),
    event(2, "PassStateEntered", name="Done", input="{}", inputDetails=WHOLE),
    event(3, "PassStateExited", name="Done", output="{}", outputDetails=WHOLE),
    event(4, "ExecutionSucceeded", output="{}", outputDetails=WHOLE),
]


def test_what_is_not_seen_at_once_is_asked_for_again_and_pages_are_joined(
    aws: tuple[OnAccount, Stubber],
) -> None:
    account, stub = aws
    create(stub)
    stub.add_client_error("start_execution", "StateMachineDoesNotExist", "not yet")
    start(stub)
    stub.add_client_error("describe_execution", "ExecutionDoesNotExist", "not yet")
    describe(stub, "RUNNING")
    describe(stub, "SUCCEEDED")
    request = {"executionArn": STARTED, "maxResults": 1_000}
    first = {"events": EVENTS[:2], "nextToken": "more"}
    stub.add_response("get_execution_history", first, request)
    second = {**request, "nextToken": "more"}
    stub.add_response("get_execution_history", {"events": EVENTS[2:]}, second)
    delete(stub)
    compared = account.compare(planned())
    assert (compared.outcome, compared.grade, account.left) == ("same", "exact", {})
    [content] = compared.contents
    assert content["source"] == "recorded on AWS, 2026-01-01"
    stub.assert_no_pending_responses()


def test_a_machine_that_somebody_else_deletes_is_an_error_of_its_case(
    aws: tuple[OnAccount, Stubber],
) -> None:
    account, stub = aws
    create(stub)
    stub.add_client_error("start_execution", "StateMachineDeleting", "it is being deleted")
    delete(stub)
    compared = account.compare(planned())
    assert compared.outcome == "error"
    assert compared.reason.startswith("StateMachineDeleting: it is being deleted")
    assert account.left == {}


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "states:CreateStateMachine, states:TagResource"),
        ("ThrottlingException", "try again later"),
        ("StateMachineLimitExceeded", "StateMachineLimitExceeded: no"),
    ],
)
def test_what_stands_in_the_way_of_every_case_ends_the_run(
    aws: tuple[OnAccount, Stubber], code: str, hint: str
) -> None:
    account, stub = aws
    stub.add_client_error("create_state_machine", code, "no")
    with pytest.raises(AccountError, match=hint):
        account.compare(planned())
    assert account.left == {}


def test_a_definition_that_only_doorstep_takes_is_a_difference(
    aws: tuple[OnAccount, Stubber],
) -> None:
    account, stub = aws
    stub.add_client_error("create_state_machine", "InvalidDefinition", "no such thing")
    compared = account.compare(planned())
    assert [(one.member, one.own is not None) for one in compared.differences] == [("Error", True)]
    assert compared.differences[0].there == {
        "Code": "InvalidDefinition",
        "Message": "no such thing",
    }
    assert compared.contents[0]["kind"] == "create_error"


def test_a_missing_permission_of_the_role_is_no_difference(aws: tuple[OnAccount, Stubber]) -> None:
    account, stub = aws
    create(stub)
    start(stub)
    describe(stub, "FAILED")
    failed = event(
        2, "ExecutionFailed", error="States.Permissions", cause="may not start a map run"
    )
    stub.add_response("get_execution_history", {"events": [EVENTS[0], failed]})
    delete(stub)
    compared = account.compare(planned())
    assert compared.outcome == "not run"
    assert compared.reason == "the role lacks a permission: may not start a map run"


def test_an_execution_that_does_not_end_is_stopped_and_its_machine_deleted(
    aws: tuple[OnAccount, Stubber],
) -> None:
    account, stub = aws
    create(stub)
    start(stub)
    describe(stub, "RUNNING")
    stub.add_response("stop_execution", {"stopDate": 1}, {"executionArn": STARTED})
    delete(stub)
    account.target.limit = 0.0
    compared = account.compare(planned())
    assert compared.outcome == "error"
    assert compared.reason == "it has not ended after 0s; --time-limit waits longer"
    assert account.left == {}
    stub.assert_no_pending_responses()


def test_a_machine_that_cant_be_deleted_is_named_and_the_case_still_counts(
    aws: tuple[OnAccount, Stubber],
) -> None:
    account, stub = aws
    create(stub)
    start(stub)
    describe(stub, "SUCCEEDED")
    stub.add_response("get_execution_history", {"events": EVENTS})
    stub.add_client_error("delete_state_machine", "AccessDeniedException", "not you")
    assert account.compare(planned()).outcome == "same"
    assert account.left[MACHINE].startswith("AccessDeniedException: not you; the role needs")


def test_ctrl_c_stops_the_execution_and_deletes_the_machine(
    aws: tuple[OnAccount, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, stub = aws

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(account.target, "sleep", interrupted)
    create(stub)
    start(stub)
    describe(stub, "RUNNING")
    stub.add_response("stop_execution", {"stopDate": 1}, {"executionArn": STARTED})
    delete(stub)
    with pytest.raises(KeyboardInterrupt):
        account.compare(planned())
    assert account.left == {}
    stub.assert_no_pending_responses()


def test_ctrl_c_before_the_answer_deletes_the_machine_by_the_name_that_it_was_given(
    aws: tuple[OnAccount, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, stub = aws
    names: list[str] = []

    def interrupted(**request: Any) -> None:
        names.append(request["name"])
        delete(stub, MACHINE.replace("created", request["name"]))
        raise KeyboardInterrupt

    monkeypatch.setattr(account.target.account.client, "create_state_machine", interrupted)
    with pytest.raises(KeyboardInterrupt):
        account.compare(planned())
    assert names[0].startswith(PREFIX)
    assert account.left == {}
    stub.assert_no_pending_responses()


def test_a_second_ctrl_c_leaves_the_machine_and_names_it(
    aws: tuple[OnAccount, Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    account, stub = aws

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    create(stub)
    monkeypatch.setattr(account.target.account.client, "start_execution", interrupted)
    monkeypatch.setattr(account.target.account.client, "delete_state_machine", interrupted)
    with pytest.raises(KeyboardInterrupt):
        account.compare(planned())
    assert account.left == {MACHINE: "interrupted"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_job_that_is_ended_deletes_what_it_has_created(tmp_path: Path) -> None:
    case = {"kind": "history", "definition": LONG, "input": {}}
    folder = write(tmp_path / "cases", long=case)
    with running(Options(port=0)) as url:
        command = [sys.executable, "-c", "from doorstep_cli.main import entry; entry()"]
        command += ["conformance", "against-aws", "--cases"]
        command += [str(folder), "--role", ROLE, "--endpoint", url, "--yes", "--time-limit", "1h"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ)) as process:
            until = time.monotonic() + 30
            while not machines(url) and time.monotonic() < until:
                time.sleep(0.05)
            assert machines(url) != []
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        assert (process.returncode, machines(url)) == (130, []), said
