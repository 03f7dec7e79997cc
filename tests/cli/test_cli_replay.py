"""`doorstep replay`, `resume` and `diff`: recorded executions on the command line."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep_cli.main import cli

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function"
HANDLERS = """
def reserve(event):
    return "R"

def charge(event):
    return "C"

def ship(event):
    {ship}
"""


def task(name: str, following: str | None) -> dict[str, Any]:
    end = {"Next": following} if following else {"End": True}
    return {"Type": "Task", "Resource": f"{LAMBDA}:{name}", "ResultPath": f"$.{name}", **end}


DEFINITION = {
    "StartAt": "Reserve",
    "States": {
        "Reserve": task("reserve", "Charge"),
        "Charge": task("charge", "Ship"),
        "Ship": task("ship", None),
    },
}


def invoke(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """order.asl.json, handlers that fail in Ship, handlers that don't, and the failed history."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.asl.json").write_text(json.dumps(DEFINITION))
    (tmp_path / "broken.py").write_text(HANDLERS.format(ship='raise ValueError("no stock")'))
    (tmp_path / "fixed.py").write_text(HANDLERS.format(ship='return "S"'))
    run = ("run", "order.asl.json", "--handlers", "broken.py", "-q", "--history", "failed.json")
    assert invoke(*run, "--input", '{"id": 7}').exit_code == 1
    return tmp_path


def replay(*arguments: str | Path, definition: str = "order.asl.json") -> Result:
    return invoke("replay", *arguments, "--definition", definition)


def as_the_cli_prints_it(history: Path) -> list[str]:
    """Two pages as AWS CLI 2 prints them: indented, microseconds, the local zone's offset."""
    zone = timezone(timedelta(hours=-5))
    events = json.loads(history.read_text())["events"]
    for event in events:
        moment = datetime.fromisoformat(event["timestamp"]).astimezone(zone)
        event["timestamp"] = moment.isoformat(timespec="microseconds")
    first, second = {"events": events[:9], "NextToken": "eyJ="}, {"events": events[9:]}
    return [json.dumps(page, indent=4) for page in (first, second)]


# From end to end ----------------------------------------------------------------------------------


def test_a_failure_is_replayed_fixed_and_resumed(folder: Path) -> None:
    assert replay("failed.json").stdout == "the same: 16 events, FAILED\n"
    (folder / "asked.py").write_text(
        'def reserve(event):\n    raise SystemError("asked again")\n\ncharge = reserve\n\n'
        'def ship(event):\n    return "S"\n'
    )
    resumed = invoke(
        "resume", "failed.json", "--definition", "order.asl.json",
        "--handlers", "asked.py", "--history", "whole.json",
    )  # fmt: skip
    assert resumed.exit_code == 0, resumed.stderr
    assert json.loads(resumed.stdout) == {"id": 7, "reserve": "R", "charge": "C", "ship": "S"}
    assert resumed.stderr == "written: whole.json\n"
    assert replay("whole.json").exit_code == 0


def test_pages_of_the_aws_cli_are_joined(folder: Path) -> None:
    pages = as_the_cli_prints_it(folder / "failed.json")
    for number, page in enumerate(pages):
        (folder / f"page{number}.json").write_text(page)
    (folder / "joined.json").write_text("\n".join(pages))
    for files in (("page0.json", "page1.json"), ("page1.json", "page0.json"), ("joined.json",)):
        assert replay(*files).stdout == "the same: 16 events, FAILED\n"
    assert "has no event 1: it takes all pages" in replay("page1.json").stderr
    piped = invoke("replay", "-", "--definition", "order.asl.json", stdin="".join(pages))
    assert piped.exit_code == 0


# replay -------------------------------------------------------------------------------------------


@pytest.fixture
def changed(folder: Path) -> Path:
    """The definition with another ResultPath in Charge."""
    definition = json.loads(json.dumps(DEFINITION))
    definition["States"]["Charge"]["ResultPath"] = "$.paid"
    (folder / "changed.asl.json").write_text(json.dumps(definition))
    return folder


def test_the_first_difference_is_shown_with_both_sides(changed: Path) -> None:
    result = replay("failed.json", definition="changed.asl.json")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == [
        "differs at event 11 in Charge",
        '  TaskStateExited has a different output.charge: recorded "C", now nothing',
    ]
    assert [line.split()[:2] for line in lines[2:4]] == [
        ["recorded:", "TaskStateExited"],
        ["now:", "TaskStateExited"],
    ]
    assert "please report it with the history" in lines[4]


def test_for_programs_it_is_one_object(changed: Path) -> None:
    same = json.loads(replay("failed.json", "--format", "json").stdout)
    assert same == {"same": True, "status": "FAILED", "events": 16, "difference": None}
    result = replay("failed.json", "--format", "json", definition="changed.asl.json")
    found = json.loads(result.stdout)["difference"]
    assert {name: found[name] for name in ("state", "at", "reason")} == {
        "state": "Charge",
        "at": "output.charge",
        "reason": "unclear",
    }
    assert (found["recorded"]["id"], found["now"]["type"]) == (11, "TaskStateExited")


def test_handlers_are_compared_state_by_state(folder: Path) -> None:
    same = replay("failed.json", "--with-handlers", "broken.py")
    assert same.exit_code == 0, same.stdout
    fixed = replay("failed.json", "--with-handlers", "fixed.py")
    assert fixed.exit_code == 0
    assert [line.split()[:4] for line in fixed.stdout.splitlines()[2:]] == [
        ["Reserve", "1", "1", "0"],
        ["Charge", "1", "1", "0"],
        ["Ship", "1", "0", "1"],
    ]
    (folder / "other.py").write_text('def reserve(event):\n    print("hello")\n    return "X"\n')
    other = replay("failed.json", "--with-handlers", "other.py", "--format", "json")
    assert other.exit_code == 1
    verdicts = [answer["verdict"] for answer in json.loads(other.stdout)["answers"]]
    assert verdicts == ["different", "no handler", "no handler"]
    output = replay("failed.json", "--with-handlers", "other.py").stdout
    assert "Reserve, attempt 0: the handler's answer differs at output" in output
    assert '  recorded: {"output":"R"}\n  now:      {"output":"X"}' in output


def test_handlers_that_do_not_load_are_reported(folder: Path) -> None:
    result = replay("failed.json", "--with-handlers", "nowhere.py")
    assert (result.exit_code, "--with-handlers nowhere.py" in result.stderr) == (2, True)


def test_a_folder_of_histories_gives_a_table(changed: Path) -> None:
    histories = changed / "histories"
    histories.mkdir()
    text = (changed / "failed.json").read_text()
    (histories / "a.json").write_text(text)
    until_charge = {"events": json.loads(text)["events"][:8]}
    (histories / "b.json").write_text(json.dumps(until_charge))
    result = replay(histories, definition="changed.asl.json")
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[1].split()[:5] == ["a.json", "differs", "16", "Charge", "event"]
    assert lines[2].split() == ["b.json", "same", "8"]
    assert lines[3] == "1 of 2 run the same with this definition"
    assert replay(histories).exit_code == 0

    (histories / "c.json").write_text("{}")
    assert replay(histories).exit_code == 2
    found = json.loads(replay(histories, "--format", "json").stdout)
    assert [(one["file"], one.get("same")) for one in found] == [
        ("a.json", True),
        ("b.json", True),
        ("c.json", None),
    ]
    assert "has no events" in found[2]["problem"]


def test_waits_of_another_length_can_be_let_pass(folder: Path) -> None:
    short, long = (
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": seconds, "End": True}}}
        for seconds in (60, 600)
    )
    (folder / "short.json").write_text(json.dumps(doorstep.run(short).history))
    (folder / "long.asl.json").write_text(json.dumps(long))
    result = replay("short.json", definition="long.asl.json")
    assert (result.exit_code, "60 s in the recording, 600 s now" in result.stdout) == (1, True)
    assert replay("short.json", "--ignore-times", definition="long.asl.json").exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cut.json", '{"events": [{"id": 1', "is not JSON (line 1, column"),
        ("other.json", '{"Executions": []}', "has no events"),
        ("bare.json", '[{"id": 1, "type": "ExecutionStarted", "timestamp": 0}]', "has no input"),
    ],
)
def test_damaged_files_are_reported(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content)
    for command in ("replay", "resume"):
        result = invoke(command, name, "--definition", "order.asl.json")
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
    empty = folder / "empty"
    empty.mkdir()
    assert "no histories (*.json, */history.json) found" in replay(empty).stderr


def test_a_folder_of_histories_stands_alone(folder: Path) -> None:
    for more in (["--arn", "x"], ["--children", str(folder)]):
        result = replay(folder, *more)
        assert (result.exit_code, "folder of histories alone" in result.stderr) == (2, True)


# resume -------------------------------------------------------------------------------------------


def resume(*arguments: str) -> Result:
    return invoke("resume", "failed.json", "--definition", "order.asl.json", *arguments)


def test_that_a_history_does_not_end_is_reported(folder: Path) -> None:
    events = json.loads(Path("failed.json").read_text("utf-8"))["events"]
    Path("failed.json").write_text(json.dumps(events[:3]), "utf-8")
    remark = "the history ends at event 3, while the execution was running\n"
    assert remark in resume("--handlers", "fixed.py").stderr
    assert remark not in resume("--handlers", "fixed.py", "-q").stderr


def test_it_fails_again_as_run_does(folder: Path) -> None:
    result = resume("--handlers", "broken.py")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("FAILED in Ship: ValueError\n  no stock\n")


def test_it_goes_back_to_a_state_or_an_event(folder: Path) -> None:
    for place in (("--from", "Charge"), ("--at", "8")):
        result = resume("--handlers", "fixed.py", "--format", "json", *place)
        printed = json.loads(result.stdout)
        assert (printed["status"], printed["output"]["ship"]) == ("SUCCEEDED", "S")
    assert "use either --from or --at" in resume("--from", "Charge", "--at", "8").stderr
    assert "'X': it enters Reserve, Charge, Ship" in resume("--from", "X").stderr
    assert "'charge': did you mean 'Charge'?" in resume("--from", "charge").stderr


def test_a_missing_handler_is_reported_as_run_reports_it(folder: Path) -> None:
    result = resume()
    assert (result.exit_code, "no handler answers it" in result.stderr) == (2, True)


# diff ---------------------------------------------------------------------------------------------


def test_two_histories_are_compared_state_by_state(folder: Path) -> None:
    resume("--handlers", "fixed.py", "--history", "whole.json", "-q")
    result = invoke("diff", "failed.json", "whole.json")
    assert result.exit_code == 1
    rows = [line.split()[:4] for line in result.stdout.splitlines()]
    assert rows[0] == ["Step", "What", "A", "B"]
    assert rows[1] == ["(execution)", "status", '"FAILED"', '"SUCCEEDED"']
    assert ["Ship", "calls", "1", "2"] in rows
    assert "2 of 4 visits are the same" in result.stderr


def test_for_programs_each_visit_is_an_object(folder: Path) -> None:
    resume("--handlers", "fixed.py", "--history", "whole.json", "-q")
    found = json.loads(invoke("diff", "failed.json", "whole.json", "--format", "json").stdout)
    assert [one["step"] for one in found] == ["(execution)", "Ship"]
    assert {"at": "output", "b": {"id": 7, "reserve": "R", "charge": "C", "ship": "S"}} in found[0][
        "differing"
    ]


def test_a_history_is_the_same_as_itself(folder: Path) -> None:
    result = invoke("diff", "failed.json", "failed.json")
    assert (result.exit_code, result.stdout) == (0, "")
    everything = invoke("diff", "failed.json", "failed.json", "--all").stdout.splitlines()
    assert [line.split()[0] for line in everything[1:]] == [
        "(execution)",
        "Reserve",
        "Charge",
        "Ship",
    ]
