"""`doorstep failures`, and what `doorstep history` says of iterations and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep_cli.main import cli
from doorstep_cli.views.ended import describe

Chain = Callable[..., dict[str, Any]]
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
ITEMS = [{"rows": [{"shelf": s, "row": r} for r in range(2)]} for s in range(3)]


def count(event: Any) -> Any:
    if (event["shelf"], event["row"]) == (2, 1):
        raise doorstep.fail("Broken", "row 1 of shelf 2")
    raise doorstep.fail("Busy", "later")


@pytest.fixture
def definition(chain: Chain, each: Chain) -> dict[str, Any]:
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 9}]
    task = {"Type": "Task", "Resource": f"{LAMBDA}count", "Retry": retry}
    rows = each({"Count": task}, ItemsPath="$.rows")
    return chain({"Shelves": each({"Rows": rows})})


@pytest.fixture
def file(tmp_path: Path, definition: dict[str, Any]) -> Path:
    run = doorstep.run(definition, ITEMS, {"count": count}, start_time=0.0)
    file = tmp_path / "history.json"
    file.write_text(json.dumps(run.history), "utf-8")
    (tmp_path / "shelves.asl.json").write_text(json.dumps(definition), "utf-8")
    return file


def doorstep_cli(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def test_the_table_begins_with_what_ended_the_execution(file: Path) -> None:
    result = doorstep_cli("failures", file)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == ["FAILED in Shelves[2] > Rows[1] > Count: Broken", "  row 1 of shelf 2"]
    assert lines[2].split()[:3] == ["State", "Iteration", "Attempts"]
    assert lines[3].split()[5:9] == ["[2][1]", "1", "failed", "Broken"]
    assert "5 of 6: [0][0] [0][1] [1][0] …" in lines[4]
    assert lines[4].split()[-4:-2] == ["aborted", "Busy"]
    assert len(lines) == 5


def test_each_visit_has_a_row_with_all(file: Path) -> None:
    lines = doorstep_cli("failures", file, "--all").stdout.splitlines()
    assert [line for line in lines if "Busy" in line and "[1][0]" in line]
    assert sum("Busy" in line for line in lines) == 5


def test_programs_get_the_end_and_the_rows(file: Path) -> None:
    found = json.loads(doorstep_cli("failures", file, "--format", "json").stdout)
    assert (found["status"], found["error"], found["place"]) == (
        "FAILED",
        "Broken",
        "Shelves[2] > Rows[1] > Count",
    )
    first, second = found["failures"]
    assert (first["ended"], first["iterations"], first["cause"]) == (
        True,
        [[2, 1]],
        "row 1 of shelf 2",
    )
    assert (second["visits"], second["ofVisits"], second["outcome"]) == (5, 6, "aborted")
    at = doorstep_cli("debug", file, "--at", first["event"]).stdout
    assert "error: Broken" in at


def test_an_execution_without_failures_has_no_table(tmp_path: Path, chain: Chain) -> None:
    file = tmp_path / "history.json"
    file.write_text(json.dumps(doorstep.run(chain({"A": {"Type": "Pass"}})).history), "utf-8")
    result = doorstep_cli("failures", file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing failed: the execution is SUCCEEDED" in result.stderr


def test_a_retry_that_helped_is_listed_and_is_no_failure(tmp_path: Path, chain: Chain) -> None:
    retry = [{"ErrorEquals": ["States.ALL"]}]
    calls = iter([doorstep.fail("Busy"), 1])
    task = {"Type": "Task", "Resource": f"{LAMBDA}count", "Retry": retry}
    file = tmp_path / "history.json"
    run = doorstep.run(chain({"Count": task}), {}, {"count": lambda _: next(calls)})
    file.write_text(json.dumps(run.history), "utf-8")
    result = doorstep_cli("failures", file)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[:4] == ["Count", "2", "succeeded", "Busy"]


def test_with_the_definition_a_redriven_history_is_exact(
    file: Path, tmp_path: Path, definition: dict[str, Any]
) -> None:
    second = doorstep.resume(file, definition, {"count": lambda event: event})
    redriven = tmp_path / "redriven.json"
    redriven.write_text(json.dumps(second.history), "utf-8")
    result = doorstep_cli(
        "failures", redriven, "--definition", tmp_path / "shelves.asl.json", "--all"
    )
    assert result.exit_code == 0
    assert sum("succeeded" in line for line in result.stdout.splitlines()) == 6


def test_what_is_no_history_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.json"
    file.write_text("{}", "utf-8")
    assert doorstep_cli("failures", file).exit_code == 2


# The columns of `history` -------------------------------------------------------------------------


def rows(result: Result) -> list[Any]:
    assert result.exit_code == 0
    rows: list[Any] = json.loads(result.stdout)
    return rows


def test_the_history_has_columns_for_iteration_and_error(file: Path) -> None:
    header, *lines = doorstep_cli("history", file, "--failed").stdout.splitlines()
    assert "Iteration" in header
    assert "Error" in header
    assert next(line.split()[3:5] for line in lines if "Broken" in line) == ["[2][1]", "Broken"]
    assert all("Failed" in line for line in lines)


def test_an_iteration_is_selected_with_all_within_it(file: Path) -> None:
    inner = rows(doorstep_cli("history", file, "--iteration", "2.1", "--format", "json"))
    outer = rows(doorstep_cli("history", file, "--iteration", "[2]", "--format", "json"))
    assert {tuple(row["iterations"]) for row in inner} == {(2, 1)}
    assert {row["iterations"][0] for row in outer} == {2}
    assert {row["id"] for row in inner} < {row["id"] for row in outer}
    # What was aborted elsewhere follows the failure in this iteration, and is not of it.
    assert not [row for row in inner if row["type"] == "MapIterationAborted"]


def test_an_iteration_that_is_no_number_is_refused(file: Path) -> None:
    result = doorstep_cli("history", file, "--iteration", "first")
    assert result.exit_code == 2
    assert "'first' is not a number" in result.stderr


def test_a_state_that_the_history_never_enters_is_named(file: Path) -> None:
    result = doorstep_cli("history", file, "--state", "Coutn")
    assert "does not enter the state 'Coutn'; did you mean 'Count'?" in result.stderr


def test_what_failed_in_children_of_a_distributed_map_is_folded(
    tmp_path: Path, chain: Chain, each: Chain
) -> None:
    retry = [{"ErrorEquals": ["Busy"], "MaxAttempts": 1}]
    pay = {"Type": "Task", "Resource": f"{LAMBDA}pay", "Retry": retry}
    many = each({"Pay": pay}, distributed=True, ToleratedFailurePercentage=100)
    definition, handlers = tmp_path / "many.asl.json", tmp_path / "h.py"
    definition.write_text(json.dumps(chain({"Many": many})), "utf-8")
    handlers.write_text(
        "import doorstep\n\ndef pay(event, context):\n"
        "    if event == 5:\n        raise doorstep.fail('Lost', 'five')\n"
        "    if event % 2 or not context.attempt:\n        raise doorstep.fail('Busy')\n",
        "utf-8",
    )
    history, children = tmp_path / "h.json", tmp_path / "children"
    doorstep_cli(
        "run", definition, "--input", "[0, 1, 2, 3, 4, 5]", "--handlers", handlers,
        "--history", history, "--children", children,
    )  # fmt: skip
    result = doorstep_cli("failures", history, "--children", children)
    assert result.exit_code == 0, "the failures are tolerated"
    lines = result.stdout.splitlines()
    assert "children of Many: 3 of 6 failed" in lines
    rows = [line.split() for line in lines if line.startswith("Many > Pay")]
    assert [(row[3:6], row[-4], row[-3]) for row in rows] == [
        (["2", "of", "6:"], "failed", "Busy"),
        (["1", "of", "6:"], "failed", "Lost"),
        (["3", "of", "6:"], "succeeded", "Busy"),
    ]
    table = json.loads(
        doorstep_cli("failures", history, "--children", children, "--format", "json").stdout
    )
    assert sorted(one["error"] for one in table["children"] if "error" in one) == [
        "Busy", "Busy", "Lost",
    ]  # fmt: skip
    assert len(table["children"]) == 6


# What failed in children --------------------------------------------------------------------------

CHILDREN = """import doorstep

def pay(event):
    if event["n"] % 2:
        raise doorstep.fail("CardDeclined", f"row {event['n']}: declined")
"""
BATCH = "arn:aws:states:us-east-1:123456789012:stateMachine:batch"


@pytest.fixture
def bill(tmp_path: Path, chain: Chain, each: Chain) -> Path:
    """Two levels: `Bill` starts an execution, of which a distributed Map exceeds its tolerance."""
    pay = {"Type": "Task", "Resource": f"{LAMBDA}pay"}
    batch = chain({"Each": each({"Pay": pay}, distributed=True, ToleratedFailureCount=1)})
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": BATCH, "Input.$": "$"},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Report"}],
    }
    bill = chain({"Bill": start, "Report": {"Type": "Fail", "Error": "BillingFailed"}})
    for name, definition in (("batch", batch), ("bill", bill)):
        (tmp_path / f"{name}.asl.json").write_text(json.dumps(definition), "utf-8")
    (tmp_path / "h.py").write_text(CHILDREN, "utf-8")
    return tmp_path


def ran(folder: Path, name: str, *more: object) -> None:
    rows = json.dumps([{"n": n} for n in range(6)])
    machines = ("--state-machine", f"batch={folder / 'batch.asl.json'}") if name == "bill" else ()
    doorstep_cli(
        *("run", folder / f"{name}.asl.json", "--handlers", folder / "h.py", "--input", rows),
        *machines, *more,
    )  # fmt: skip


def test_children_beside_a_history_say_why_they_failed_at_all_levels(bill: Path) -> None:
    history = bill / "bill.json"
    ran(bill, "bill", "--history", history, "--children", bill / "children")
    result = doorstep_cli("failures", history)
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0] == "FAILED in Report: BillingFailed"
    assert lines[1] == "caught before, at event 6: States.TaskFailed"
    assert lines[2].startswith("CardDeclined in Bill > Each > Pay (2 children: ")
    assert lines[3] in ("row 1: declined", "row 3: declined")
    assert "children of Bill > Each: 2 of " in result.stdout
    command = next(line for line in result.stderr.splitlines() if "doorstep debug" in line)
    shown = doorstep_cli(*command.partition("doorstep ")[2].split())
    assert "error: CardDeclined" in shown.stdout
    found = json.loads(doorstep_cli("failures", history, "--format", "json").stdout)
    (reason,) = found["reasons"]
    assert (reason["place"], reason["error"]) == ("Bill > Each > Pay", "CardDeclined")
    assert [(one["state"], one["failed"]) for one in found["started"]] == [
        ("Bill", 1),
        ("Bill > Each", 2),
    ]


def test_children_in_the_journal_of_their_parent_say_why_they_failed(bill: Path) -> None:
    ran(bill, "batch", "--journal", bill / "run.journal")
    result = doorstep_cli("failures", bill / "run.journal")
    assert "  CardDeclined in Each > Pay (2 children: " in result.stdout
    debugged = doorstep_cli("debug", bill / "run.journal", "--at", "failure")
    assert "  CardDeclined in Each > Pay (2 children: " in debugged.stdout


def test_a_run_says_why_children_failed(bill: Path) -> None:
    rows = json.dumps([{"n": 1}, {"n": 3}])
    failed = doorstep_cli(
        "run", bill / "batch.asl.json", "--handlers", bill / "h.py", "--input", rows
    )
    assert "\n  CardDeclined in Each > Pay (2 children: " in failed.stderr
    assert "\n    row 1: declined\n" in failed.stderr
    assert "hint" not in failed.stderr
    execution = doorstep.run(bill / "batch.asl.json", json.loads(rows), bill / "h.py")
    assert "--history FILE and --children children" in describe(execution)


def test_without_its_children_a_map_says_how_to_fetch_them(bill: Path) -> None:
    history = bill / "batch.json"
    ran(bill, "batch", "--history", history)
    own = json.loads(history.read_text("utf-8"))["events"]
    run = next(one for one in own if one["type"] == "MapRunStarted")
    arn = run["mapRunStartedEventDetails"]["mapRunArn"]
    local = doorstep_cli("failures", history)
    assert "--children DIR" in local.stderr
    assert f"  doorstep failures {arn} --endpoint " in local.stderr
    text = history.read_text("utf-8").replace("123456789012", "210987654321")
    history.write_text(text, "utf-8")
    aws = doorstep_cli("failures", history)
    there = arn.replace("123456789012", "210987654321")
    assert f"why the children of Each failed:\n  doorstep failures {there}\n" in aws.stderr


def test_a_nested_execution_is_named_with_its_own_error_from_the_cause(bill: Path) -> None:
    history = bill / "bill.json"
    ran(bill, "bill", "--history", history)
    result = doorstep_cli("debug", history, "--at", "6")
    assert "execution:batch:" in result.stdout
    assert " FAILED: States.ExceedToleratedFailureThreshold\n" in result.stdout
    assert "why the execution of Bill failed" in doorstep_cli("failures", history).stderr


def test_a_map_that_could_not_read_its_items_has_no_children_to_fetch(
    tmp_path: Path, chain: Chain, each: Chain
) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": "b", "Key": "k"},
    }
    definition = chain({"Each": each({"A": {"Type": "Pass"}}, distributed=True, ItemReader=reader)})
    (tmp_path / "d.asl.json").write_text(json.dumps(definition), "utf-8")
    history = tmp_path / "h.json"
    doorstep_cli("run", tmp_path / "d.asl.json", "--s3-root", tmp_path, "--history", history)
    result = doorstep_cli("failures", history)
    assert "States.ItemReaderFailed" in result.stdout
    assert "doorstep failures arn:" not in result.stderr


def test_files_that_are_no_histories_beside_one_are_reported_and_left_out(bill: Path) -> None:
    history = bill / "batch.json"
    ran(bill, "batch", "--history", history)
    (bill / "children").mkdir()
    (bill / "children" / "notes.json").write_text("{}", "utf-8")
    result = doorstep_cli("failures", history)
    assert result.exit_code == 1
    assert "children that can't be read" in result.stderr


@pytest.mark.parametrize("rest", ["stateMachine:order", "execution:order-17"])
def test_an_arn_of_something_else_is_refused_with_an_example(rest: str) -> None:
    arn = f"arn:aws:states:eu-west-1:123456789012:{rest}"
    result = CliRunner().invoke(cli, ["failures", arn])
    assert result.exit_code == 2
    assert "arn:aws:states:eu-west-1:123456789012:execution:order:order-17" in result.output


def test_a_download_is_of_a_machine_by_its_arn() -> None:
    result = CliRunner().invoke(cli, ["download", "--machine", "order"])
    assert result.exit_code == 2
    assert "such as arn:aws:states:eu-west-1:123456789012:stateMachine:order" in result.stderr


def test_a_replay_without_the_children_says_what_it_can_not_know(bill: Path) -> None:
    history = bill / "batch.json"
    ran(bill, "batch", "--history", history)
    definition = json.loads((bill / "batch.asl.json").read_text("utf-8"))
    definition["States"]["Each"]["ToleratedFailureCount"] = 9
    (bill / "batch.asl.json").write_text(json.dumps(definition), "utf-8")
    replayed = doorstep_cli("replay", history, "--definition", bill / "batch.asl.json")
    assert replayed.exit_code == 0
    assert "tolerated now: add --children DIR" in replayed.stderr
