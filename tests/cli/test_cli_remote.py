"""`doorstep serve` and the commands that talk to a server."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep_cli.commands.remote import Remote
from doorstep_cli.main import cli
from doorstep_emulator import Options, running

ROLE = "arn:aws:iam::123456789012:role/doorstep"
Run = Callable[..., Result]
Launch = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("handlers") / "handlers.py"
    file.write_text(
        "import pathlib\n"
        "def ask(event):\n"
        "    (pathlib.Path(__file__).parent / 'token').write_text(event['token'])\n"
    )
    with running(Options(port=0, handlers=str(file))) as url:
        remote = Remote(url)
        states = {
            "wait": {"Type": "Wait", "Seconds": 1000, "End": True},
            "no": {"Type": "Fail", "Error": "No", "Cause": "never"},
        }
        for name, state in states.items():
            definition = json.dumps({"StartAt": "Only", "States": {"Only": state}})
            remote.ask("CreateStateMachine", name=name, definition=definition, roleArn=ROLE)
        yield url


@pytest.fixture
def run(endpoint: str) -> Run:
    """Runs a command against the server."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--endpoint", endpoint])

    return invoke


def started(endpoint: str, machine: str, name: str) -> None:
    arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{machine}"
    Remote(endpoint).ask("StartExecution", stateMachineArn=arn, name=name)


def test_machines_of_all_regions_are_found(endpoint: str, run: Run) -> None:
    key = "AWS4-HMAC-SHA256 Credential=210987654321/20250101/eu-west-1/states/aws4_request"
    headers = {"X-Amz-Target": "AWSStepFunctions.CreateStateMachine", "Authorization": key}
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    given = {"definition": definition, "roleArn": ROLE}
    for name in ("far", "both"):
        body = json.dumps({"name": name, **given}).encode()
        urlopen(Request(endpoint, body, headers)).close()
    Remote(endpoint).ask("CreateStateMachine", name="both", **given)
    far = "arn:aws:states:eu-west-1:210987654321:stateMachine:far"
    Remote(endpoint).ask("StartExecution", stateMachineArn=far, name="away")
    assert "away" in run("ps", "far").stdout
    assert "ExecutionStarted" in run("logs", "far:away").stdout
    ambiguous = run("logs", "both:any")
    assert ambiguous.exit_code == 2
    assert "stateMachine:both, arn:aws:states:" in ambiguous.stderr


def test_start_prints_the_arn_and_lets_time_pass_as_it_is_told(endpoint: str, run: Run) -> None:
    arn = run("start", "wait", "--name", "quick", "--input", "[1]", "--clock", "virtual").stdout
    assert arn.endswith(":execution:wait:quick\n")
    events = run("logs", "-f", arn.strip(), "--format", "json").stdout.splitlines()
    assert json.loads(events[-1])["executionSucceededEventDetails"]["output"] == "[1]"
    assert "real, virtual or a speed" in run("start", "wait", "--clock", "soon").stderr


def test_ps_lists_executions_by_machine_and_status(endpoint: str, run: Run) -> None:
    started(endpoint, "wait", "listed")
    started(endpoint, "no", "failed")
    table = run("ps").stdout
    assert "listed" in table
    assert "failed" in table
    found = json.loads(run("ps", "no", "--status", "FAILED", "--format", "json").stdout)
    assert [one["name"] for one in found] == ["failed"]
    assert "state machine 'nobody' not found" in run("ps", "nobody").stderr


def test_stop_aborts_and_logs_tell_of_it(endpoint: str, run: Run) -> None:
    started(endpoint, "wait", "stopped")
    assert run("stop", "wait:stopped", "--error", "Enough", "--cause", "today").exit_code == 0
    lines = run("logs", "-f", "wait:stopped").stdout.splitlines()
    assert len(lines) == 3
    assert "WaitStateEntered  Only" in lines[1]
    assert "ExecutionAborted  Enough  today" in lines[2]


def test_an_event_is_a_line_whatever_its_cause_says(endpoint: str, run: Run) -> None:
    started(endpoint, "wait", "loud")
    run("stop", "wait:loud", "--cause", "two\nlines \x1b[2J")
    lines = run("logs", "wait:loud").stdout.splitlines()
    assert len(lines) == 3
    assert lines[2].endswith("two�lines �[2J")


def test_redrive_lets_it_fail_once_more(endpoint: str, run: Run) -> None:
    started(endpoint, "no", "again")
    assert run("redrive", "no:again").exit_code == 0
    lines = run("logs", "no:again", "--format", "json").stdout.splitlines()
    types = [json.loads(line)["type"] for line in lines]
    assert types.count("ExecutionFailed") == 2
    assert "ExecutionRedriven" in types


def test_a_refusal_of_the_server_is_told(run: Run) -> None:
    result = run("callback", "success", "nobody's", "--output", "1")
    assert result.exit_code == 2
    assert "InvalidToken: Invalid Token: 'Invalid token'" in result.stderr
    assert "state machine 'nobody' not found" in run("stop", "nobody:x").stderr
    assert "is not an execution's ARN or MACHINE:NAME" in run("stop", "x").stderr


def test_an_output_that_is_no_json_is_told_by_the_name_of_its_option(run: Run) -> None:
    result = run("callback", "success", "any", "--output", "yes")
    assert result.exit_code == 2
    assert "--output: This is not valid JSON" in result.stderr


def test_a_missing_server_is_told() -> None:
    result = CliRunner().invoke(cli, ["ps", "--endpoint", "http://127.0.0.1:9"])
    assert result.exit_code == 2
    assert "start one with `doorstep serve`" in result.stderr


def test_start_asks_for_a_test_case_behind_a_hash(run: Run) -> None:
    refused = run("start", "wait#HappyPath").stderr
    assert "Test case 'HappyPath' can't be run: this server has no mocks" in refused


def test_serve_says_where_it_is_and_ends_in_order(tmp_path: Path, launch: Launch) -> None:
    server = launch("--db", str(tmp_path / "kept.db"))
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("Serving at http://127.0.0.1:")
    url = line.split()[-1]
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    Remote(url).ask("CreateStateMachine", name="a", definition=definition, roleArn=ROLE)
    server.send_signal(signal.SIGTERM)
    _, told = server.communicate(timeout=20)
    assert server.returncode == 0
    assert [line.split()[2:4] for line in told.splitlines()] == [
        ["INFO", "started"],
        ["INFO", "stopped;"],
    ]
    assert (tmp_path / "kept.db").exists()


def test_serve_has_the_machines_of_files_and_brings_them_up_to_date(
    tmp_path: Path, launch: Launch
) -> None:
    file, kept = tmp_path / "one.asl.json", str(tmp_path / "kept.db")
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:one"
    for state_type in ("Succeed", "Fail"):
        file.write_text(json.dumps({"StartAt": "A", "States": {"A": {"Type": state_type}}}))
        server = launch(str(file), "--db", kept)
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        assert server.stdout.readline().strip() == arn
        told = Remote(url).ask("DescribeStateMachine", stateMachineArn=arn)
        assert json.loads(told["definition"])["States"]["A"] == {"Type": state_type}
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)


def test_serve_has_all_machines_of_a_template(tmp_path: Path, launch: Launch) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    machine = {"Type": "AWS::Serverless::StateMachine"}
    properties = {"Definition": definition, "Type": "EXPRESS"}
    resources = {name: {**machine, "Properties": properties} for name in ("One", "Two")}
    file = tmp_path / "template.json"
    file.write_text(json.dumps({"Resources": resources}))
    server = launch(str(file), "--db", ":memory:")
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    there = Remote(url).ask("ListStateMachines")["stateMachines"]
    assert {(one["name"], one["type"]) for one in there} == {("One", "EXPRESS"), ("Two", "EXPRESS")}
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=20)


def test_a_bad_definition_hides_no_other_from_the_server(tmp_path: Path, launch: Launch) -> None:
    good, bad = ({"StartAt": name, "States": {"A": {"Type": "Succeed"}}} for name in "AB")
    kind = "AWS::Serverless::StateMachine"
    resources = {
        name: {"Type": kind, "Properties": {"Definition": definition}}
        for name, definition in [("Good", good), ("Bad", bad)]
    }
    files = {
        "template.json": json.dumps({"Resources": resources}),
        "broken.asl.json": "{",
        "wrong.asl.json": json.dumps(bad),
        "right.asl.json": json.dumps(good),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    server = launch(*(str(tmp_path / name) for name in files), "--db", ":memory:")
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    there = Remote(url).ask("ListStateMachines")["stateMachines"]
    assert [one["name"] for one in there] == ["Good", "right"]
    server.send_signal(signal.SIGTERM)
    _, said = server.communicate(timeout=20)
    assert all(part in said for part in ("template.json", "broken.asl.json", "wrong.asl.json:1:"))


def test_serve_says_what_is_wrong_with_a_definition(tmp_path: Path) -> None:
    file = tmp_path / "wrong.asl.json"
    file.write_text('{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}')
    result = CliRunner().invoke(cli, ["serve", str(file), "--db", ":memory:"])
    assert result.exit_code == 2
    assert "wrong.asl.json:1:" in result.stderr
    assert "MISSING_TRANSITION_TARGET" in result.stderr


def test_serve_says_what_is_wrong_with_its_store(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "text.db").write_text("no database " * 1000)
    server = launch("--db", str(tmp_path / "text.db"))
    _, told = server.communicate(timeout=20)
    assert server.returncode == 2
    assert "text.db can't be used" in told


def test_serve_says_what_is_wrong_with_its_handlers(tmp_path: Path, launch: Launch) -> None:
    server = launch("--db", ":memory:", "--handlers", str(tmp_path / "none.py"))
    _, told = server.communicate(timeout=20)
    assert server.returncode == 2
    assert "there is no handler file" in told


def test_serve_says_what_is_wrong_with_its_mocks(tmp_path: Path, launch: Launch) -> None:
    (tmp_path / "mocks.json").write_text("[1]")
    server = launch("--db", ":memory:", "--mocks", str(tmp_path / "mocks.json"))
    _, told = server.communicate(timeout=20)
    assert server.returncode == 2
    assert "mocks.json: the file has to be a JSON object" in told


def test_a_speed_is_of_the_real_clock() -> None:
    result = CliRunner().invoke(cli, ["serve", "--clock", "virtual", "--speed", "60"])
    assert result.exit_code == 2
    assert "--speed only applies to the real clock" in result.stderr
