"""`doorstep history`: the event table, from our own histories and from AWS's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep_cli.main import cli
from doorstep_cli.views.events import elapsed

DEFINITION = {
    "StartAt": "Fetch",
    "States": {
        "Fetch": {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:fetch",
            "Retry": [{"ErrorEquals": ["TimeoutError"], "IntervalSeconds": 90}],
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": True}}},
                {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": True}}},
            ],
            "End": True,
        },
    },
}
COLUMNS = ["ID", "Type", "Step", "Resource", "Error", "Started after", "Timestamp"]


def fetch(_: Any, context: doorstep.Context) -> Any:
    if context.attempt == 0:
        raise TimeoutError("no route")
    return {"rows": 3}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A history in a file, as the AWS CLI prints one."""
    events = doorstep.run(DEFINITION, handlers={"fetch": fetch}, seed=1).history
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"events": events}, indent=4), "utf-8")
    return path


def history(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["history", *map(str, arguments)], input=stdin)


def rows(file: Path, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(history(file, "--format", "json", *options).stdout)
    return found


def test_the_table_has_the_consoles_columns(file: Path) -> None:
    lines = history(file).stdout.splitlines()
    assert re.split(" {2,}", lines[0]) == COLUMNS
    assert lines[3].split() == [
        "3",
        "LambdaFunctionScheduled",
        "Fetch",
        "fetch",
        "00:00:00.000",
        "2025-01-01T00:00:00.000Z",
    ]
    assert lines[6].split()[-2:] == ["00:01:30.000", "2025-01-01T00:01:30.000Z"]


def test_every_event_is_shown_with_the_state_that_it_belongs_to(file: Path) -> None:
    assert [(row["type"], row["step"]) for row in rows(file)] == [
        ("ExecutionStarted", None),
        ("TaskStateEntered", "Fetch"),
        ("LambdaFunctionScheduled", "Fetch"),
        ("LambdaFunctionStarted", "Fetch"),
        ("LambdaFunctionFailed", "Fetch"),
        ("LambdaFunctionScheduled", "Fetch"),
        ("LambdaFunctionStarted", "Fetch"),
        ("LambdaFunctionSucceeded", "Fetch"),
        ("TaskStateExited", "Fetch"),
        ("ParallelStateEntered", "Both"),
        ("ParallelStateStarted", "Both"),
        ("PassStateEntered", "Left"),
        ("PassStateExited", "Left"),
        ("PassStateEntered", "Right"),
        ("PassStateExited", "Right"),
        ("ParallelStateSucceeded", "Both"),
        ("ParallelStateExited", "Both"),
        ("ExecutionSucceeded", None),
    ]


def test_the_events_of_nested_groups_belong_to_the_right_one(tmp_path: Path) -> None:
    inmost = {"StartAt": "Boom", "States": {"Boom": {"Type": "Fail", "Error": "E"}}}
    inner = {"Type": "Parallel", "Branches": [inmost], "End": True}
    outer = {
        "Type": "Parallel",
        "Branches": [{"StartAt": "Inner", "States": {"Inner": inner}}],
        "End": True,
    }
    run = doorstep.run({"StartAt": "Outer", "States": {"Outer": outer}})
    file = tmp_path / "history.json"
    file.write_text(json.dumps(run.history), "utf-8")
    failed = [(row["type"], row["step"]) for row in rows(file, "--type", "ParallelStateFailed")]
    assert failed == [("ParallelStateFailed", "Inner"), ("ParallelStateFailed", "Outer")]


def test_events_can_be_chosen_by_type_and_by_state(file: Path) -> None:
    assert [row["id"] for row in rows(file, "--type", "failed")] == [5]
    assert [row["id"] for row in rows(file, "--state", "Left", "--state", "Right")] == [
        12,
        13,
        14,
        15,
    ]
    assert [row["id"] for row in rows(file, "--state", "Left", "--type", "Exited")] == [13]


def test_how_many_of_the_events_are_shown_is_said_beside_the_table(file: Path) -> None:
    result = history(file, "--type", "Failed")
    assert result.stderr == "1 of 18 events\n"


def test_details_show_input_output_error_and_cause_shortened(file: Path) -> None:
    text = history(file, "--details", "--type", "LambdaFunctionFailed").stdout
    assert "error: TimeoutError\n" in text
    assert 'cause: {"errorMessage": "no route"' in text
    assert "characters)" in text
    assert "output: " not in text


def test_json_has_the_whole_details(file: Path) -> None:
    [failed] = rows(file, "--type", "LambdaFunctionFailed")
    assert json.loads(failed["details"]["cause"])["errorType"] == "TimeoutError"
    assert failed["startedAfterSeconds"] == 0
    assert failed["previousEventId"] == 4


# AWS's own files: https://docs.aws.amazon.com/cli/latest/reference/stepfunctions/ ----------------


@pytest.mark.parametrize(
    "timestamp",
    ["2024-03-01T12:00:00.250000+00:00", "2024-03-01T13:00:00.250000+01:00", 1709294400.25],
    ids=["version 2", "a zone", "version 1"],
)
def test_timestamps_of_both_versions_of_the_aws_cli_are_read(timestamp: str | float) -> None:
    event = {"timestamp": timestamp, "type": "ExecutionStarted", "id": 1, "previousEventId": 0}
    text = json.dumps({"events": [event], "nextToken": "more"})
    lines = history("-", stdin=text).stdout.splitlines()
    assert lines[1].split()[-1] == "2024-03-01T12:00:00.250Z"


def test_a_journal_has_the_same_history(tmp_path: Path) -> None:
    journal = tmp_path / "run.journal"
    run = doorstep.run(DEFINITION, handlers={"fetch": fetch}, seed=1, journal=journal)
    assert [(row["id"], row["type"]) for row in rows(journal)] == [
        (event["id"], event["type"]) for event in run.history
    ]


def test_a_history_that_does_not_end_is_remarked_on(tmp_path: Path, file: Path) -> None:
    events = json.loads(file.read_text("utf-8"))["events"]
    pages = tmp_path / "1.json", tmp_path / "2.json"
    for page, part in zip(pages, (events[:5], events[5:]), strict=True):
        page.write_text(json.dumps(part), "utf-8")
    assert "pages of its history are missing" in history(pages[0]).stderr
    whole = history(*pages)
    assert (whole.stdout, whole.stderr) == (history(file).stdout, "")


def test_a_history_in_reverse_order_is_turned_around(tmp_path: Path, file: Path) -> None:
    events = json.loads(file.read_text("utf-8"))["events"]
    turned = tmp_path / "turned.json"
    turned.write_text(json.dumps({"events": events[::-1]}), "utf-8")
    assert history(turned).stdout == history(file).stdout


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not JSON", "line 1, column 1"),
        ("", "standard input is empty"),
        ("{}", "no events"),
        ("7", "no events"),
        ('{"events": {}}', "no events"),
        ('{"events": [7]}', "event 1 is not an event"),
        (
            '{"events": [{"id": 1, "type": "X"}]}',
            "event 1 is not an event ('timestamp' is missing)",
        ),
        ('[{"id": "a", "type": "X", "timestamp": 0}]', "event 1 is not an event"),
        ('[{"id": 1, "type": "X", "timestamp": "noon"}]', "event 1 is not an event"),
        ('[{"id": 1, "type": "X", "timestamp": 1e99}]', "event 1 is not an event"),
        ("[" * 100_000, "can't be read as JSON"),
        ("9" * 10_000, "can't be read as JSON"),
    ],
    ids=range(12),
)
def test_anything_else_is_refused_with_what_was_expected(text: str, told: str) -> None:
    result = history("-", stdin=text)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "get-execution-history" in result.stderr


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    assert "does not exist" in history("none.json").stderr


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "00:00:00.000"), (3661.5, "01:01:01.500"), (2 * 86_400 + 60, "2d 00:01:00.000")],
)
def test_time_spans_are_shown_as_in_the_console(seconds: float, shown: str) -> None:
    assert elapsed(seconds) == shown
