"""Children's histories on the command line: written by `run`, read by `replay` and `resume`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"
HANDLERS = """
import doorstep

def work(event):
    if event == {unlucky}:
        raise doorstep.fail("Unlucky", str(event))
    return event * 2
"""
SUB = {"StartAt": "Add", "States": {"Add": {"Type": "Pass", "End": True}}}
START = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Parameters": {
        "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:sub",
        "Input": {"all.$": "$"},
    },
}
Chain = Callable[..., dict[str, Any]]


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain: Chain, each: Chain) -> Path:
    """A machine with a map run and a nested execution, and handlers that fail for 13 or never."""
    monkeypatch.chdir(tmp_path)
    work = {"Work": {"Type": "Task", "Resource": FUNCTION}}
    definition = chain({"Each": each(work, distributed=True, MaxConcurrency=1), "Start": START})
    Path("batch.asl.json").write_text(json.dumps(definition))
    Path("sub.asl.json").write_text(json.dumps(SUB))
    Path("broken.py").write_text(HANDLERS.format(unlucky=13))
    Path("fixed.py").write_text(HANDLERS.format(unlucky=None))
    return tmp_path


def run(text: str, *more: str) -> Result:
    return invoke(
        "run", "batch.asl.json", "--handlers", "broken.py", "--state-machine", "sub=sub.asl.json",
        "--input", text, "--history", "batch.json", "--children", "children", *more,
    )  # fmt: skip


def replay(*more: str, definition: str = "batch.asl.json") -> Result:
    return invoke(
        "replay", "batch.json", "--definition", definition, "--state-machine", "sub=sub.asl.json",
        "--children", "children", *more,
    )  # fmt: skip


def test_what_a_run_writes_is_replayed_the_same(folder: Path) -> None:
    written = run("[1, 2]")
    assert written.exit_code == 0
    assert written.stderr == "written: children (3 histories)\nwritten: batch.json\n"
    replayed = replay()
    assert replayed.stdout == "the same: 14 events, SUCCEEDED\nchildren: same 3\n"
    assert replayed.exit_code == 0


def test_a_history_of_a_child_is_one_like_any_other(folder: Path) -> None:
    run("[1]")
    (child,) = (folder / "children" / "sub").iterdir()
    assert invoke("replay", child, "--definition", "sub.asl.json").exit_code == 0


def test_a_journal_holds_the_children_too(folder: Path) -> None:
    run("[1, 2]", "--journal", "batch.journal")
    replayed = invoke(
        "replay", "batch.journal", "--children", "batch.journal",
        "--definition", "batch.asl.json", "--state-machine", "sub=sub.asl.json",
    )  # fmt: skip
    assert replayed.stdout == "the same: 14 events, SUCCEEDED\nchildren: same 3\n"


def test_children_that_differ_are_listed_in_a_table(folder: Path) -> None:
    run("[1, 2]")
    sub = SUB["States"]["Add"] | {"Result": 1}  # type: ignore[index]
    Path("sub.asl.json").write_text(json.dumps({**SUB, "States": {"Add": sub}}))
    replayed = replay()
    assert replayed.exit_code == 1
    same, header, row, counted = replayed.stdout.splitlines()
    assert same == "the same: 14 events, SUCCEEDED"
    assert header.split() == ["Child", "Execution", "Result", "State", "What", "differs"]
    assert row.startswith("Start")
    assert row.endswith(
        "differs  Add    event 3: PassStateExited has a different output: "
        'recorded {"all":[2,4]}, now 1'
    )
    assert counted == "children: same 2, differs 1"


def test_what_was_not_found_is_reported(folder: Path) -> None:
    run("[1, 2]")
    (folder / "children" / "sub").rename(folder / "children" / "other")
    replayed = replay()
    assert replayed.exit_code == 0
    assert "Start  " in replayed.stdout
    assert "no history" in replayed.stdout
    assert replayed.stderr.startswith("matches no child: other/")


def test_json_has_the_children_nested(folder: Path) -> None:
    run("[1, 2]")
    shown = json.loads(replay("--format", "json").stdout)
    assert [(child["place"], child["verdict"]) for child in shown["children"]] == [
        ("Each[0]", "same"),
        ("Each[1]", "same"),
        ("Start", "same"),
    ]


def test_handlers_are_asked_for_the_children_too(folder: Path) -> None:
    run("[1, 2]")
    replayed = replay("--with-handlers", "broken.py")
    assert replayed.exit_code == 0
    work = next(line for line in replayed.stdout.splitlines() if line.startswith("Work"))
    assert work.split() == ["Work", "2", "2", "0", "0", "0", "0"]


def test_resume_goes_on_with_the_children_that_failed(folder: Path) -> None:
    assert run("[1, 13, 3]", "-q").exit_code == 1
    Path("asked.py").write_text(HANDLERS.format(unlucky=1))
    resumed = invoke(
        "resume", "batch.json", "--definition", "batch.asl.json", "--handlers", "asked.py",
        "--state-machine", "sub=sub.asl.json", "--children", "children",
    )  # fmt: skip
    assert resumed.exit_code == 0, resumed.stderr
    assert json.loads(resumed.stdout)["Output"] == {"all": [2, 26, 6]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("replay", "batch.json", "--children", "nowhere"), "'nowhere' does not exist"),
        (("replay", "batch.json", "--children", "empty"), "no histories (*.json) found in"),
        (("replay", "children", "--children", "children"), "a folder of histories alone"),
        (("resume", "batch.json", "--children", "children", "--at", "3"), "--children continues"),
    ],
)
def test_what_can_not_be_used_is_refused(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    run("[1]")
    (folder / "empty").mkdir()
    result = invoke(*arguments, "--definition", "batch.asl.json")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_folder_that_can_not_be_made_is_reported(folder: Path) -> None:
    Path("children").mkdir()
    Path("children/sub").write_text("in the way")
    result = run("[1]")
    assert result.exit_code == 2
    assert "can't write children/sub" in result.stderr


def test_a_map_run_of_a_server_is_replayed_as_the_aws_cli_fetches_it(
    folder: Path, aws: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    client = aws(handlers="broken.py")
    for name in ("batch", "sub"):
        definition = Path(f"{name}.asl.json").read_text()
        role = "arn:aws:iam::123456789012:role/any"
        client.create_state_machine(name=name, definition=definition, roleArn=role)
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:batch"
    arn = client.start_execution(stateMachineArn=machine, input="[1, 2]")["executionArn"]
    eventually(lambda: client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")

    def fetch(execution: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        events = client.get_execution_history(executionArn=execution)["events"]
        file.write_text(json.dumps({"events": events}, default=lambda moment: moment.isoformat()))

    fetch(arn, Path("batch.json"))
    for run in client.list_map_runs(executionArn=arn)["mapRuns"]:
        for child in client.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
            group, name = run["mapRunArn"].split(":")[-1], child["name"]
            fetch(child["executionArn"], Path("children", group, f"{name}.json"))
    replayed = replay()
    assert replayed.exit_code == 0, replayed.output
    assert "children: same 2, no history 1" in replayed.stdout
