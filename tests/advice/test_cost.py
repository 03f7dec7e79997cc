"""What executions cost, against calculations by hand.

Prices and rules: https://aws.amazon.com/step-functions/pricing/ (us-east-1): $0.025 for 1,000
transitions after 4,000 a month; $1 for a million Express requests, and $0.06, $0.03, $0.01642 for a
gigabyte-hour up to 1,000, the next 4,000, and above.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep import InputError, run
from doorstep.advice.cost import Prices, Usage, read_prices, verdict
from doorstep.history import entries
from doorstep_cli.main import cli


def history(*events: tuple[str, dict[str, Any]], seconds: float = 1.0) -> list[dict[str, Any]]:
    """A history with these events between start and end; the end comes after some seconds."""
    started = ("ExecutionStarted", {"executionStartedEventDetails": {"input": "{}"}})
    ended = ("ExecutionSucceeded", {"executionSucceededEventDetails": {"output": "{}"}})
    all_of_them = [started, *events, ended]
    return [
        {
            "id": number,
            "previousEventId": number - 1,
            "type": kind,
            "timestamp": 1_700_000_000 + (seconds if number == len(all_of_them) else 0),
            **details,
        }
        for number, (kind, details) in enumerate(all_of_them, 1)
    ]


def entered(kind: str, name: str, data: str = "{}") -> tuple[str, dict[str, Any]]:
    return (f"{kind}StateEntered", {"stateEnteredEventDetails": {"name": name, "input": data}})


def left(kind: str, name: str) -> tuple[str, dict[str, Any]]:
    return (f"{kind}StateExited", {"stateExitedEventDetails": {"name": name, "output": "{}"}})


def visited(kind: str, *names: str) -> list[tuple[str, dict[str, Any]]]:
    return [event for name in names for event in (entered(kind, name), left(kind, name))]


def used(*histories: list[dict[str, Any]], definition_bytes: int = 0) -> Usage:
    usage = Usage()
    for one in histories:
        usage.add(entries(one, "test"), definition_bytes)
    return usage


FAILED = ("LambdaFunctionFailed", {"lambdaFunctionFailedEventDetails": {"error": "E"}})
SCHEDULED = ("LambdaFunctionScheduled", {"lambdaFunctionScheduledEventDetails": {"resource": "r"}})
STARTED: tuple[str, dict[str, Any]] = ("LambdaFunctionStarted", {})
SUCCEEDED = ("LambdaFunctionSucceeded", {"lambdaFunctionSucceededEventDetails": {"output": "{}"}})


@pytest.mark.parametrize(
    ("events", "transitions", "dollars"),
    [
        # 1,000,000 x 3 - 4,000 = 2,996,000 transitions
        (visited("Pass", "A", "B", "C"), 3, 74.9),
        # a retry is one more: 1,000,000 x 2 - 4,000
        (
            [
                entered("Task", "T"),
                *(SCHEDULED, STARTED, FAILED),
                *(SCHEDULED, STARTED, SUCCEEDED),
                left("Task", "T"),
            ],
            2,
            49.9,
        ),
        # a loop counts each time: 1,000,000 x 5 - 4,000 transitions
        (visited("Choice", "More?", "More?", "More?", "More?", "More?"), 5, 124.9),
    ],
)
def test_standard_costs_its_transitions_after_the_free_ones(
    events: list[tuple[str, dict[str, Any]]], transitions: int, dollars: float
) -> None:
    usage = used(history(*events))
    assert usage.transitions_each == transitions
    assert usage.standard(1_000_000) == pytest.approx(dollars)
    assert usage.standard(4_000 // transitions) == 0


@pytest.mark.parametrize(
    ("seconds", "executions", "dollars"),
    [
        # 1.21 s are billed as 1.3 s: 1.3 x 64 / 1,024 / 3,600 x 1,000,000 = 22.57 GB-hours
        (1.21, 1_000_000, 1 + 22.5694 * 0.06),
        # the example of AWS's page: 17,361.11 GB-hours
        (10, 100_000_000, 100 + 60 + 120 + 12_361.111 * 0.01642),
        # at least 100 ms: 1.736 GB-hours
        (0.001, 1_000_000, 1 + 1.7361 * 0.06),
    ],
)
def test_express_costs_requests_and_time_by_memory(
    seconds: float, executions: int, dollars: float
) -> None:
    usage = used(history(*visited("Pass", "A"), seconds=seconds))
    assert usage.express(executions) == pytest.approx(dollars, rel=1e-4)


def test_memory_is_definition_and_payload_times_iterations_in_steps_of_64_megabytes() -> None:
    """AWS's example: 50 MB + 50 KB + 400 x 32 KB is 62.5 MB (62.85 there, in thousands): 64 MB."""
    iteration = ("MapIterationStarted", {"mapIterationStartedEventDetails": {"name": "M"}})
    payload = json.dumps("x" * (32 * 1_024 - 2))
    events = [entered("Map", "M", payload), *[iteration] * 400]
    assert used(history(*events), definition_bytes=50 * 1_024).billed == [(1.0, 64)]
    assert used(history(entered("Map", "M", payload), *[iteration] * 500)).billed == [(1.0, 128)]


def test_memory_counts_the_branches_of_a_parallel_state() -> None:
    """AWS's formula, "Number of Parallel or Map Steps": 50 MB + 20 x 800 KB is 65.6 MB: 128 MB."""
    pass_state = {"Type": "Pass", "Output": 1, "End": True}
    branches = [{"StartAt": f"B{at}", "States": {f"B{at}": pass_state}} for at in range(20)]
    both = {"Type": "Parallel", "Branches": branches, "End": True}
    machine = {"QueryLanguage": "JSONata", "StartAt": "P", "States": {"P": both}}
    for size, megabytes in ((200, 64), (800, 128)):
        events = run(machine, {}).history
        events[0]["executionStartedEventDetails"]["input"] = json.dumps("x" * (size * 1_024))
        assert used(events).billed == [(0.1, megabytes)]


REDRIVEN = ("ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": 1}})
ENDED = ("ExecutionFailed", {"executionFailedEventDetails": {"error": "E"}})


def test_a_state_that_a_redrive_runs_again_is_a_transition_and_no_retry() -> None:
    """A once; T once, retried, run again by the redrive and retried once more: 5 in all.

    1,000,000 x 5 - 4,000 = 4,996,000 transitions at $0.000025 are $124.90.
    """
    usage = used(
        history(
            *visited("Pass", "A"),
            entered("Task", "T"),
            *(SCHEDULED, STARTED, FAILED, SCHEDULED, STARTED, FAILED, ENDED, REDRIVEN),
            *(SCHEDULED, STARTED, FAILED, SCHEDULED, STARTED, SUCCEEDED, left("Task", "T")),
        )
    )
    assert usage.transitions == {"A": 1, "T": 4}
    assert (usage.retries["T"], usage.redrives["T"]) == (2, 1)
    assert usage.standard(1_000_000) == pytest.approx(124.9)
    assert verdict(usage, 10) == ["STANDARD fits: it has a redrive, which Express has not"]


def test_a_redriven_branch_does_not_count_its_parallel_state_again() -> None:
    """Both, A and B are entered, B fails and is run again, End is entered: 5 transitions."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    task["Parameters"] = {"FunctionName": "f"}
    branches = [{"StartAt": name, "States": {name: task}} for name in ("A", "B")]
    both = {"Type": "Parallel", "Branches": branches, "Next": "End"}
    machine = {"StartAt": "Both", "States": {"Both": both, "End": {"Type": "Succeed"}}}
    failures = [OSError("once")]

    def fail_once(event: Any) -> dict[str, Any]:
        if failures:
            raise failures.pop()
        return {}

    execution = run(machine, {}, {"A": lambda event: {}, "B": fail_once})
    assert execution.status == "FAILED"
    execution.redrive()
    assert execution.wait().status == "SUCCEEDED"
    usage = used(execution.history)
    assert usage.transitions == {"Both": 1, "A": 1, "B": 2, "End": 1}
    assert +usage.redrives == {"B": 1}
    assert +usage.retries == {}


def test_the_time_until_a_redrive_is_not_the_executions() -> None:
    """One second, a day without work, one second: 2 s are billed, not 86,402."""
    events = history(*visited("Pass", "A"), ENDED, REDRIVEN, *visited("Pass", "B"))
    for event in events:
        event["timestamp"] = 1_700_000_000 + (event["id"] >= 4) + 86_400 * (event["id"] >= 5)
    events[-1]["timestamp"] += 1
    assert used(events).billed == [(2.0, 64)]


def test_several_executions_are_their_average() -> None:
    usage = used(history(*visited("Pass", "A")), history(*visited("Pass", "A", "B", "C")))
    assert usage.transitions_each == 2
    assert usage.transitions == {"A": 2, "B": 1, "C": 1}


def test_what_express_has_not_decides() -> None:
    long = used(history(*visited("Wait", "W"), seconds=301))
    assert verdict(long, 10) == ["STANDARD fits: it takes 301 s, and Express ends after 300 s"]
    callback = used(history(entered("Task", "T"), ("TaskSubmitted", {}), left("Task", "T")))
    assert "a callback or a job" in verdict(callback, 10)[0]
    short = used(history(*visited("Pass", "A")))
    assert verdict(short, 1_000_000)[0].startswith("EXPRESS is 12.2 times cheaper")


def test_other_prices_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"region": "sa-east-1", "transition": 0.0000375, "gb_hours": [[null, 0.1]]}')
    prices = read_prices(file)
    assert prices == Prices("sa-east-1", prices.date, 3.75e-5, 4_000, 1e-6, ((float("inf"), 0.1),))
    file.write_text("[]")
    with pytest.raises(InputError, match="expected an object with region"):
        read_prices(file)


@pytest.mark.parametrize(
    "table",
    [
        *('{"transition": -1}', '{"transition": NaN}', '{"request": true}', '{"request": "1"}'),
        *('{"transitions": 0.1}', '{"free_transitions": 1e400}', '{"gb_hours": []}'),
        *('{"gb_hours": [[10, 0.1]]}', '{"gb_hours": [[null, 0.1], [5, 0.2]]}'),
    ],
)
def test_a_table_of_prices_with_a_mistake_is_refused(table: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(table)
    with pytest.raises(InputError, match="no table of prices"):
        read_prices(file)


def test_the_command_takes_histories_and_definitions(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(json.dumps({"events": history(*visited("Pass", "A", "B"))}))
    result = CliRunner().invoke(cli, ["cost", str(file), "--format", "json"])
    answer = json.loads(result.stdout)
    assert (answer["transitions"], answer["standard"]) == (2, pytest.approx(49.9))
    file.write_text(json.dumps({"events": history(*visited("Pass", "A"))[:-1]}))
    running = CliRunner().invoke(cli, ["cost", str(file)])
    assert "this execution has not ended" in running.stderr
    definition = tmp_path / "two.asl.json"
    definition.write_text(
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}'
    )
    table = CliRunner().invoke(cli, ["cost", str(definition)])
    assert table.exit_code == 0
    assert "STANDARD  $49.90 for 1,000,000 executions a month" in table.stdout


@pytest.mark.parametrize("total", [2, 3])
def test_the_children_of_a_map_run_count_as_far_as_their_histories_are_there(
    total: int, tmp_path: Path
) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:mapRun:m/M:run-1"
    run_started = ("MapRunStarted", {"mapRunStartedEventDetails": {"mapRunArn": arn}})
    file = tmp_path / "history.json"
    file.write_text(json.dumps({"events": history(entered("Map", "M"), run_started)}))
    command = ["cost", str(file), "--executions", "10000"]
    without = CliRunner().invoke(cli, command)
    assert "without the children of M" in without.stderr
    assert "STANDARD  $0.15 for 10,000 executions a month: 1 transitions each" in without.stdout
    (tmp_path / "children" / "run-1").mkdir(parents=True)
    for name in ("a", "b"):
        child = json.dumps({"events": history(*visited("Pass", "A", "B"))})
        (tmp_path / "children" / "run-1" / f"{name}.json").write_text(child)
    counts = {"total": total, "failed": 0, "timedOut": 0, "aborted": 0}
    (tmp_path / "about.json").write_text(json.dumps({"arn": "", "mapRuns": {arn: counts}}))
    result = CliRunner().invoke(cli, command)
    # 5 transitions of each of 10,000 executions, less 4,000, at $0.000025.
    assert "STANDARD  $1.15 for 10,000 executions a month: 5 transitions each" in result.stdout
    note = "with the 2 children of M" if total == 2 else "without 1 of 3 children of M"
    assert note in result.stderr
