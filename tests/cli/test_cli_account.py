"""An execution's ARN in place of a file: fetched from a server, and from what AWS answers.

The server is ours (`doorstep serve`); what only AWS does (pages that are throttled, permissions
that are missing) is answered by botocore's stubber. The operations:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("boto3", reason="doorstep[aws] is not installed")
from botocore.stub import Stubber

from doorstep.against.account import Account
from doorstep.errors import AccountError
from doorstep_cli import execution_files
from doorstep_cli.commands.remote import Remote
from doorstep_cli.execution_files import arn_in, fetched, folder_of
from doorstep_cli.main import cli
from doorstep_emulator import Options, running

ROLE = "arn:aws:iam::123456789012:role/doorstep"
ARN = "arn:aws:states:us-east-1:123456789012:execution:pay:one"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pay"
CHARGED = ARN.replace("pay:one", "charge:bad")
QUICK = ARN.replace("pay:one", "quick:bad")
PAY = {
    "StartAt": "Pay",
    "States": {
        "Pay": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "pay", "Payload.$": "$"},
            "End": True,
        }
    },
}
BATCH = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "In",
                "States": {"In": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}
CHARGE = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ToleratedFailureCount": 2,
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Charge",
                "States": {
                    "Charge": {
                        "Type": "Choice",
                        "Choices": [{"Variable": "$", "NumericGreaterThan": 2, "Next": "Declined"}],
                        "Default": "Paid",
                    },
                    "Declined": {"Type": "Fail", "Error": "CardDeclined", "Cause": "no funds"},
                    "Paid": {"Type": "Succeed"},
                },
            },
            "End": True,
        }
    },
}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("handlers") / "handlers.py"
    file.write_text("def pay(event):\n    raise ValueError('card declined')\n")
    with running(Options(port=0, handlers=str(file), clock="virtual")) as url:
        remote = Remote(url)
        machines = {"pay": PAY, "batch": BATCH, "charge": CHARGE, "quick": CHARGE}
        for name, definition in machines.items():
            text = json.dumps(definition)
            if name == "quick":
                text = text.replace('"STANDARD"', '"EXPRESS"')
            remote.ask("CreateStateMachine", name=name, definition=text, roleArn=ROLE)
        remote.ask("StartExecution", stateMachineArn=MACHINE, name="one", input='{"id": 7}')
        batch = MACHINE.replace(":pay", ":batch")
        remote.ask("StartExecution", stateMachineArn=batch, name="all", input="[1, 2, 3]")
        for name in ("charge", "quick"):
            machine = MACHINE.replace(":pay", f":{name}")
            items = "[1, 2, 3, 4, 5, 6]"
            remote.ask("StartExecution", stateMachineArn=machine, name="bad", input=items)
        for arn in (ARN, ARN.replace("pay:one", "batch:all"), CHARGED, QUICK):
            while remote.ask("DescribeExecution", executionArn=arn)["status"] == "RUNNING":
                pass
        newer = json.dumps({**PAY, "Comment": "deployed since"})
        remote.ask("UpdateStateMachine", stateMachineArn=MACHINE, definition=newer)
        yield url


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_aws: None) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        (ARN, ARN),
        (
            f"https://us-east-1.console.aws.amazon.com/states/home#/v2/executions/details/{ARN}",
            ARN,
        ),
        (f"https://x.example/#/details/{ARN.replace(':', '%3A')}?tab=events", ARN),
        ("arn:aws:states:us-east-1:123456789012:stateMachine:pay", None),
        ("arn:aws:states:us-east-1:123456789012:execution:one", None),
        ("arn:aws:states:us-east-1:123456789012:execution:pay:", None),
        ("history.json", None),
    ],
)
def test_an_arn_is_found_in_the_consoles_url(text: str, arn: str | None) -> None:
    assert arn_in(text) == arn


def test_commands_take_an_arn_with_the_definition_that_ran(endpoint: str) -> None:
    failed = run("failures", ARN, "--endpoint", endpoint, "--format", "json")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["error"] == "ValueError"
    assert "events fetched into" in failed.stderr
    replayed = run("replay", ARN, "--endpoint", endpoint)
    assert replayed.exit_code == 0
    assert "as fetched at" in replayed.stderr
    assert run("history", ARN, "--endpoint", endpoint).exit_code == 0
    definition = folder_of(ARN, endpoint) / "definition.asl.json"
    assert "deployed since" not in definition.read_text()
    debugged = run("debug", ARN, "--endpoint", endpoint, "--at", "failure")
    assert debugged.stdout.startswith(" one   FAILED"), "by its name, which no history has"
    drawn = run("graph", ARN, "--endpoint", endpoint, "--format", "svg")
    assert "Pay" in drawn.stdout
    same = run("diff", ARN, ARN, "--endpoint", endpoint)
    assert same.exit_code == 0


def test_a_resumed_execution_says_what_production_needs(endpoint: str, tmp_path: Path) -> None:
    handlers = tmp_path / "handlers.py"
    handlers.write_text("def pay(event):\n    return 'paid'\n")
    result = run("resume", ARN, "--endpoint", endpoint, "--handlers", handlers)
    assert result.exit_code == 0
    assert f"{ARN} is FAILED as before" in result.stderr
    command = (
        f"redrive-execution --region us-east-1 --endpoint-url {endpoint} --execution-arn {ARN}"
    )
    assert f"  aws stepfunctions {command}\n" in result.stderr


def test_a_child_of_a_map_run_has_its_maps_processor_for_a_definition(endpoint: str) -> None:
    run("failures", CHARGED, "--endpoint", endpoint)
    about = json.loads((folder_of(CHARGED, endpoint) / "about.json").read_text())
    machine = next(iter(about["mapRuns"])).split(":")[6]
    folder = next((folder_of(CHARGED, endpoint) / "children").iterdir())
    child = ARN.replace("pay:one", f"{machine}:{next(folder.iterdir()).stem}")
    replayed = run("replay", child, "--endpoint", endpoint)
    assert (replayed.exit_code, replayed.stdout) == (0, "the same: 5 events, FAILED\n")
    own = json.loads((folder_of(child, endpoint) / "about.json").read_text())
    assert own["parent"] == CHARGED, "the execution that is redriven for it"


def test_the_children_of_a_map_run_come_along(endpoint: str) -> None:
    arn = ARN.replace("pay:one", "batch:all")
    replayed = run("replay", arn, "--endpoint", endpoint, "--format", "json")
    assert replayed.exit_code == 0
    assert "and 3 children fetched" in replayed.stderr
    files = list((folder_of(arn, endpoint) / "children").rglob("*.json"))
    assert len(files) == 3
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_of_a_map_that_failed_only_children_that_failed_are_fetched_to_say_why(
    endpoint: str,
) -> None:
    failed = run("failures", CHARGED, "--endpoint", endpoint)
    assert failed.exit_code == 1
    assert "and 3 children fetched" in failed.stderr
    lines = failed.stdout.splitlines()
    assert lines[0] == "FAILED in Each: States.ExceedToleratedFailureThreshold"
    assert lines[2].startswith("  CardDeclined in Each > Declined (3 children: ")
    assert lines[3] == "    no funds"
    # Of the six items the first two succeed; the third failure exceeds the tolerance.
    assert "children of Each: 3 of 5 failed; 3 of them looked at" in lines
    again = run("failures", CHARGED, "--endpoint", endpoint)
    assert "as fetched at" in again.stderr
    replayed = run("replay", CHARGED, "--endpoint", endpoint)
    assert "and 5 children fetched" in replayed.stderr
    assert "children: same 5" in replayed.stdout


def test_express_children_have_no_history_and_are_described(endpoint: str) -> None:
    result = run("failures", QUICK, "--endpoint", endpoint)
    lines = result.stdout.splitlines()
    assert lines[2].startswith("  CardDeclined in Each (3 children: ")
    assert lines[3] == "    no funds"
    assert "not fetched" not in result.stderr
    assert "one of these children: aws stepfunctions describe-execution" in result.stderr
    assert f"--endpoint-url {endpoint}" in result.stderr
    replayed = run("replay", QUICK, "--endpoint", endpoint)
    assert (replayed.exit_code, replayed.stdout) == (0, "the same: 7 events, FAILED\n")


def test_what_was_fetched_is_there_when_nothing_answers(endpoint: str) -> None:
    run("failures", ARN, "--endpoint", endpoint)
    folder = folder_of(ARN, endpoint)
    nowhere = "http://127.0.0.1:9"
    folder_of(ARN, nowhere).parent.mkdir(parents=True)
    folder.rename(folder_of(ARN, nowhere))
    result = run("failures", ARN, "--endpoint", nowhere)
    assert result.exit_code == 1
    assert "as fetched at" in result.stderr


def test_a_map_runs_arn_stands_for_the_execution_that_started_it(endpoint: str) -> None:
    run("failures", CHARGED, "--endpoint", endpoint)
    about = json.loads((folder_of(CHARGED, endpoint) / "about.json").read_text())
    (arn,) = about["mapRuns"]
    url = f"https://us-east-1.console.aws.amazon.com/states/home#/v2/map-runs/details/{arn}"
    for name in (arn, url):
        result = run("failures", name, "--endpoint", endpoint)
        assert result.exit_code == 1
        assert f"{CHARGED}: as fetched at" in result.stderr


def test_more_children_than_are_fetched_are_reported(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_files, "MOST_FAILED", 2)
    for _ in range(2):
        result = run("failures", CHARGED, "--endpoint", endpoint)
        assert "not fetched: children that failed after the first 2" in result.stderr
        assert "children of Each: 3 of 5 failed; 2 of them looked at" in result.stdout
    assert "as fetched at" in result.stderr


def test_many_are_downloaded_and_replayed_with_one_definition(
    endpoint: str, tmp_path: Path
) -> None:
    into = tmp_path / "yesterday"
    result = run(
        *("download", "--machine", MACHINE, "--failed", "--since", "1d"),
        *("--into", into, "--endpoint", endpoint),
    )
    assert result.exit_code == 0
    assert result.stdout == f"1 of 1 histories in {into}\n"
    assert f"doorstep replay {into} --definition {into}.asl.json" in result.stderr
    assert run("replay", into, "--definition", f"{into}.asl.json").exit_code == 0
    assert run("replay", into).exit_code == 0, "the definition beside the folder is taken"


@pytest.fixture
def night(endpoint: str, tmp_path: Path) -> Path:
    """The downloaded failures of a machine whose distributed Map has failed."""
    into = tmp_path / "night"
    machine = MACHINE.replace(":pay", ":charge")
    result = run("download", "--machine", machine, "--into", into, "--endpoint", endpoint)
    assert result.exit_code == 0, result.stderr
    return into


def test_what_failed_in_a_downloaded_folder_is_one_table(night: Path) -> None:
    result = run("failures", night)
    assert result.exit_code == 1
    first, _, row, cause = result.stdout.splitlines()
    assert first == "1 of 1 executions have failed"
    assert row.split() == ["CardDeclined", "Each", ">", "Declined", "1:", "bad"]
    assert cause.strip() == "no funds"
    assert json.loads(run("failures", night, "--format", "json").stdout) == [
        {
            "place": "Each > Declined",
            "error": "CardDeclined",
            "cause": "no funds",
            "executions": ["bad"],
        }
    ]
    refused = run("failures", night, "--all")
    assert "a folder of histories only works with --format" in refused.stderr


def test_children_that_succeeded_are_not_missing_in_a_downloaded_folder(night: Path) -> None:
    result = run("replay", night, "--format", "json")
    assert result.exit_code == 0, result.stdout
    (replayed,) = json.loads(result.stdout)
    verdicts = sorted(child["verdict"] for child in replayed["children"])
    assert verdicts == ["not given", "not given", "same", "same", "same"]


def test_handlers_are_compared_with_all_histories_of_a_folder(
    endpoint: str, tmp_path: Path
) -> None:
    into, handlers = tmp_path / "pays", tmp_path / "fixed.py"
    run("download", "--machine", MACHINE, "--into", into, "--endpoint", endpoint)
    handlers.write_text("def pay(event):\n    return 'paid'\n")
    result = run("replay", into, "--with-handlers", handlers)
    assert result.exit_code == 0
    row = next(line for line in result.stdout.splitlines() if line.startswith("one"))
    # Events, calls, fixed, different.
    assert row.split() == ["one", "same", "6", "1", "1", "0"]
    assert "in 1 of 1 a call that failed succeeds now" in result.stdout
    handlers.write_text("def pay(event):\n    raise ValueError('another')\n")
    other = run("replay", into, "--with-handlers", handlers)
    assert other.exit_code == 1
    assert "in 0 of 1 a call that failed succeeds now" in other.stdout
    assert "in 1 of 1 something else differs" in other.stdout


@pytest.mark.parametrize("since", ["yesterday", "1y", ""])
def test_a_time_that_is_none_is_refused(endpoint: str, since: str) -> None:
    result = run("download", "--machine", MACHINE, "--since", since, "--endpoint", endpoint)
    assert result.exit_code == 2
    assert "is neither a time such as" in result.stderr


def test_an_execution_that_is_not_there_is_said_so(endpoint: str) -> None:
    result = run("failures", f"{ARN}x", "--endpoint", endpoint)
    assert result.exit_code == 2
    assert "ExecutionDoesNotExist" in result.stderr
    assert "its Region, its account" in result.stderr


def test_express_executions_have_log_lines_instead() -> None:
    result = run("history", ARN.replace(":execution:", ":express:") + ":id")
    assert result.exit_code == 2
    assert "CloudWatch Logs" in result.stderr


def test_without_a_definition_of_either_kind_the_option_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text('{"events": []}')
    result = run("replay", file)
    assert result.exit_code == 2
    assert "--definition" in result.stderr


# As AWS answers ----------------------------------------------------------------------------------


def event(number: int, kind: str, **details: Any) -> dict[str, Any]:
    return {
        "id": number,
        "previousEventId": number - 1,
        "type": kind,
        "timestamp": 1_764_000_000 + number,
        **details,
    }


def described(stub: Stubber, status: str = "FAILED", **more: Any) -> None:
    answer = {"executionArn": ARN, "stateMachineArn": MACHINE, "status": status, "startDate": 1}
    stub.add_response("describe_execution", {**answer, **more}, {"executionArn": ARN})


@pytest.fixture
def account(stubbed: tuple[Any, Stubber]) -> tuple[Account, Stubber]:
    client, stub = stubbed
    return Account(client), stub


def test_all_pages_are_fetched_and_what_is_not_allowed_is_noted(
    account: tuple[Account, Stubber],
) -> None:
    reader, stub = account
    described(stub)
    asked = {"executionArn": ARN, "maxResults": 1_000}
    first = [event(1, "ExecutionStarted", executionStartedEventDetails={"input": "{}"})]
    second = [event(2, "ExecutionFailed", executionFailedEventDetails={"error": "E"})]
    stub.add_response("get_execution_history", {"events": first, "nextToken": "2"}, asked)
    stub.add_response("get_execution_history", {"events": second}, {**asked, "nextToken": "2"})
    stub.add_client_error("describe_state_machine_for_execution", "AccessDeniedException", "no")
    file = fetched(ARN, account=reader)
    assert [one["id"] for one in json.loads(file.read_text())["events"]] == [1, 2]
    about = json.loads((file.parent / "about.json").read_text())
    assert about["missing"][0].startswith(f"the definition of {ARN}: AccessDeniedException")
    stub.assert_no_pending_responses()


def test_a_running_execution_is_fetched_again(account: tuple[Account, Stubber]) -> None:
    reader, stub = account
    for number in (1, 2):
        described(stub, "RUNNING")
        events = [event(one, "ExecutionStarted") for one in range(1, number + 1)]
        stub.add_response("get_execution_history", {"events": events})
        stub.add_response(
            "describe_state_machine_for_execution",
            {
                "stateMachineArn": MACHINE,
                "name": "pay",
                "definition": f'{{"StartAt": "V{number}"}}',
                "roleArn": ROLE,
                "updateDate": 1,
            },
        )
        file = fetched(ARN, account=reader)
        assert len(json.loads(file.read_text())["events"]) == number
    assert "V2" in (file.parent / "definition.asl.json").read_text()


def test_children_that_failed_are_listed_by_status_in_pages_and_counts_may_be_refused(
    account: tuple[Account, Stubber],
) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html"""
    reader, stub = account
    run, label = MACHINE.replace("stateMachine:pay", "mapRun:pay/each:r1"), "execution:pay/each"
    described(stub)
    started = event(1, "MapRunStarted", mapRunStartedEventDetails={"mapRunArn": run})
    stub.add_response("get_execution_history", {"events": [started]})
    stub.add_client_error("describe_state_machine_for_execution", "AccessDeniedException", "no")
    asked = {"mapRunArn": run, "maxResults": 1_000}
    for status, pages in (("FAILED", (["a"], ["b"])), ("TIMED_OUT", (["c"],))):
        for number, names in enumerate(pages):
            listed = [
                {
                    "executionArn": ARN.replace("execution:pay:one", f"{label}:{name}"),
                    "stateMachineArn": MACHINE,
                    "name": name,
                    "status": status,
                    "startDate": 1,
                }
                for name in names
            ]
            more = {"nextToken": "2"} if number + 1 < len(pages) else {}
            token = {"nextToken": "2"} if number else {}
            request = {**asked, "statusFilter": status, **token}
            stub.add_response("list_executions", {"executions": listed, **more}, request)
            for _ in names:
                stub.add_response("get_execution_history", {"events": [event(1, "X")]})
    stub.add_client_error("describe_map_run", "AccessDeniedException", "no")
    file = fetched(ARN, account=reader)
    stub.assert_no_pending_responses()
    children = sorted(one.name for one in (file.parent / "children" / "r1").iterdir())
    assert children == ["a.json", "b.json", "c.json"]
    about = json.loads((file.parent / "about.json").read_text())
    assert (about["children"], about["mapRuns"], about["everyChild"]) == (3, {}, False)


@pytest.mark.parametrize(("redrives", "fetches"), [(0, 1), (1, 2)])
def test_a_failed_execution_is_fetched_again_when_it_was_redriven(
    account: tuple[Account, Stubber], redrives: int, fetches: int
) -> None:
    reader, stub = account
    machine = {"stateMachineArn": MACHINE, "name": "p", "definition": "{}", "roleArn": ROLE}
    for number in range(fetches):
        described(stub)
        stub.add_response("get_execution_history", {"events": [event(1, "ExecutionStarted")]})
        stub.add_response("describe_state_machine_for_execution", {**machine, "updateDate": 1})
        if number == 0:
            described(stub, redriveCount=redrives)
    for _ in range(2):
        fetched(ARN, account=reader)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "needs states:GetExecutionHistory"),
        ("ThrottlingException", "ThrottlingException"),
        ("ExpiredTokenException", "aws sso login"),
    ],
)
def test_what_aws_refuses_is_said_with_what_to_do(
    account: tuple[Account, Stubber], code: str, hint: str
) -> None:
    reader, stub = account
    stub.add_client_error("describe_execution", code, "refused")
    with pytest.raises(AccountError, match=hint):
        fetched(ARN, account=reader)


def test_without_credentials_the_account_cant_be_asked() -> None:
    result = run("failures", ARN)
    assert result.exit_code == 2
    assert "AWS can't be asked: Unable to locate credentials" in result.stderr


def test_a_profile_or_a_url_that_is_none_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = run("failures", ARN, "--endpoint", "localhost")
    assert wrong.exit_code == 2
    assert "localhost; expected a URL" in wrong.stderr
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    for more in ((), ("--endpoint", "http://localhost:1")):
        result = run("failures", ARN, *more)
        assert result.exit_code == 2
        assert "AWS's configuration can't be used: The config profile (nobody)" in result.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("history.json", '{"events": ['),
        ("history.json", '{"events": []}'),
        ("definition.asl.json", "{"),
        ("about.json", "{}"),
        ("about.json", json.dumps({"arn": ARN})),
    ],
)
def test_files_that_are_not_whole_are_fetched_again(endpoint: str, name: str, text: str) -> None:
    assert run("history", ARN, "--endpoint", endpoint).exit_code == 0
    folder = folder_of(ARN, endpoint)
    before = (folder / name).read_text()
    (folder / name).write_text(text)
    again = run("history", ARN, "--endpoint", endpoint)
    assert again.exit_code == 0
    assert "events fetched into" in again.stderr
    if name != "about.json":
        assert (folder / name).read_text() == before


def test_executions_whose_names_differ_in_one_sign_have_folders_of_their_own() -> None:
    names = ("a_b", "a@b", "a+b", "..", ".", "_")
    assert len({folder_of(f"{ARN}{name}", None) for name in names}) == len(names)
    assert len({folder_of(f"{MACHINE}:{name}", None) for name in names}) == len(names)


def test_a_folder_that_cant_be_written_is_said_so(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    into = tmp_path / "file" / "into"
    monkeypatch.setenv("XDG_CACHE_HOME", str(into))
    for result in (
        run("history", ARN, "--endpoint", endpoint),
        run("download", "--machine", MACHINE, "--into", into, "--endpoint", endpoint),
    ):
        assert result.exit_code == 2
        assert f"can't write {into}" in result.stderr


def test_a_download_does_not_replace_a_definition_of_ones_own(
    endpoint: str, tmp_path: Path
) -> None:
    own = tmp_path / "pay.asl.json"
    own.write_text("{}")
    download = ("download", "--machine", MACHINE, "--endpoint", endpoint, "--into")
    result = run(*download, tmp_path / "pay")
    assert result.exit_code == 2
    assert "pay.asl.json exists and differs" in result.stderr
    assert own.read_text() == "{}"
    for _ in range(2):
        assert run(*download, tmp_path / "other").exit_code == 0
