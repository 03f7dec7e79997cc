"""Children of distributed Maps on workers: the same history as in this process, whatever dies.

That a child is a function of its definition, its facts and its handlers is the engine's law; that
an item may run again is said in docs/executors.md, and that the idempotency key is the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import doorstep
from doorstep import Execution, InputError
from doorstep.map_runs.pools import DaskPool
from doorstep.map_runs.worker import run_batch
from doorstep_cli.main import cli

HANDLERS = Path(__file__).with_name("worker_handlers.py")
LAMBDA = "arn:aws:states:::lambda:invoke"
Run = Callable[..., Execution]


def batch(function: str, *after: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A distributed Map that calls a function for each item."""
    task = {
        "Type": "Task",
        "Resource": LAMBDA,
        "Parameters": {"FunctionName": function, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "End": True,
    }
    states: dict[str, Any] = {"Work": task}
    for number, state in enumerate(after):
        states[f"After{number}"] = {**state, "End": True}
        task |= {"Next": f"After{number}"}
        task.pop("End", None)
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": states,
    }
    each = {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "Each", "States": {"Each": each}}


@pytest.fixture(scope="module", params=["processes:2", "local:2"])
def where(request: pytest.FixtureRequest) -> str:
    where: str = request.param
    if where == "local:2":
        pytest.importorskip("distributed", reason="doorstep[dask] is not installed")
    return where


def both(where: str, definition: dict[str, Any], data: Any) -> tuple[Execution, Execution]:
    return tuple(  # type: ignore[return-value]
        doorstep.run(definition, data, HANDLERS, seed=7, executor=one) for one in ("inline", where)
    )


def test_results_failures_and_history_are_those_of_this_process(where: str) -> None:
    here, there = both(where, batch("pick", ToleratedFailurePercentage=50), list(range(60)))
    assert there.status == "SUCCEEDED"
    assert there.output == here.output
    assert there.history == here.history


def test_each_child_has_its_own_time_and_the_parent_the_latest() -> None:
    wait = {"Type": "Wait", "SecondsPath": "$"}
    here, there = both("processes:2", batch("double", wait), [5, 60, 1])
    assert there.history == here.history
    assert there.took == here.took
    assert there.took is not None
    assert there.took.total_seconds() == 120


def test_a_threshold_that_is_exceeded_ends_the_run_and_its_workers() -> None:
    here, there = both("processes:2", batch("pick", ToleratedFailureCount=3), list(range(2_000)))
    assert (there.status, there.error) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert there.history == here.history


def test_those_who_listen_see_the_children_as_if_they_ran_here() -> None:
    def events(where: str) -> dict[str, list[str]]:
        seen: dict[str, list[str]] = {}

        def listen(execution: Execution, event: Any) -> None:
            seen.setdefault(execution.arn, []).append(event.type)

        doorstep.run(batch("double"), [1, 2, 3], HANDLERS, seed=7, on_event=listen, executor=where)
        return seen

    assert events("processes:2") == events("inline")


def test_handlers_and_their_programs_leave_the_batches_alone() -> None:
    items = list(range(30))
    execution = doorstep.run(batch("use_pipes"), items, HANDLERS, executor="processes:2")
    assert execution.status == "SUCCEEDED"
    assert execution.output == items


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    items = [
        {"number": number, "dies": number == 17, "marker": str(tmp_path / "marker")}
        for number in range(40)
    ]
    execution = doorstep.run(batch("die_once"), items, HANDLERS, executor="processes:2")
    assert execution.status == "SUCCEEDED"
    assert execution.output == [str(number) for number in range(40)]
    assert (tmp_path / "marker").exists()


def test_a_batch_that_kills_every_worker_fails_with_a_cause_that_says_so() -> None:
    execution = doorstep.run(
        batch("die", ToleratedFailurePercentage=100), [1], HANDLERS, executor="processes:1"
    )
    assert execution.status == "SUCCEEDED"
    (child,) = [
        json.loads(one["Cause"]) if one.get("Cause", "").startswith("{") else one
        for one in execution.output
    ] or [{}]
    assert "processes ended while they ran it" in json.dumps(child)


def test_redriven_children_run_on_workers_too(tmp_path: Path) -> None:
    journal = tmp_path / "run.journal"
    definition = batch("pick")
    failed = doorstep.run(
        definition, [3, 4, 6], HANDLERS, seed=7, journal=journal, executor="processes:1"
    )
    assert failed.status == "FAILED"
    mended = tmp_path / "handlers.py"
    mended.write_text("def pick(event):\n    return -event\n")
    with doorstep.start(
        definition, [3, 4, 6], mended, seed=7, journal=journal, executor="processes:1"
    ) as execution:
        execution.redrive()
        execution.wait()
    assert execution.status == "SUCCEEDED"
    assert execution.output[1] == -4


def test_children_that_wait_for_somebody_run_here_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    definition = batch("double")
    work = definition["States"]["Each"]["ItemProcessor"]["States"]["Work"]
    work["Resource"] = f"{LAMBDA}.waitForTaskToken"
    work["Parameters"]["Payload"] = {"token.$": "$$.Task.Token"}
    del work["Parameters"]["Payload.$"], work["OutputPath"]

    with caplog.at_level(logging.WARNING, "doorstep"):
        doorstep.run(definition, [1, 2], HANDLERS, executor={"Each": "inline"})
        assert not caplog.records
        doorstep.run(definition, [1, 2], HANDLERS, executor="processes:1")
    (said,) = caplog.messages
    assert said == "Each: its children run in this process: 'Work' waits for an answer from outside"


def test_an_executor_is_chosen_by_map() -> None:
    def local(event: int) -> int:
        return event

    with pytest.raises(InputError, match="can't be imported by workers"):
        doorstep.run(batch("local"), [1], {"local": local}, executor={"Each": "processes"})
    other = doorstep.run(batch("local"), [1], {"local": local}, executor={"Other": "inline"})
    assert other.output == [1]


@pytest.mark.parametrize("name", ["proceses", "processes:0", "processes:x", "dask://", "local:-1"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        doorstep.run(batch("double"), [1], HANDLERS, executor=name)


def test_functions_are_found_by_their_import_path() -> None:
    from json import dumps

    execution = doorstep.run(batch("dumps"), [1], {"dumps": dumps}, executor="processes:1")
    assert execution.output == ["1"]


def test_a_batch_that_cant_be_run_says_why_and_where() -> None:
    answer = json.loads(run_batch("{}", "worker 7"))
    assert answer == {"worker": "worker 7", "problem": "KeyError: 'definition'"}


def test_the_command_line_and_the_project_choose_as_well(tmp_path: Path) -> None:
    (tmp_path / "batch.asl.json").write_text(json.dumps(batch("double")))
    (tmp_path / "handlers.py").write_text(HANDLERS.read_text())
    run = [
        *("run", str(tmp_path / "batch.asl.json"), "--input", "[1, 2]"),
        *("--handlers", str(tmp_path / "handlers.py")),
    ]
    for more in (["--executor", "processes:1"], ["--executor", "Each=processes:1"]):
        result = CliRunner().invoke(cli, [*run, *more])
        assert (result.exit_code, result.stdout) == (0, "[2,4]\n")
    (tmp_path / "doorstep.yaml").write_text("executors: {Each: nowhere}\n")
    refused = CliRunner().invoke(cli, run)
    assert refused.exit_code == 2
    assert "executor 'nowhere': there are inline, processes" in refused.stderr


def test_two_clusters_of_this_machine_share_no_port() -> None:
    pytest.importorskip("distributed", reason="doorstep[dask] is not installed")
    pools = [DaskPool(workers=1)]
    try:
        # A port that is taken is a warning, and so an error here.
        pools.append(DaskPool(workers=1))
    finally:
        for pool in pools:
            pool.close()
            pool.wait()
