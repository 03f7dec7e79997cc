"""What nobody foresaw ends one execution, as a workflow's failure, and is reported.

No input is known that meets such a fault: those that were are fixed. So the faults are made here.
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
from doorstep.api import compile_definition
from doorstep.asl import states
from doorstep.engine.engine import SLICE
from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header, Journal, replay
from doorstep.engine.quotas import EXPRESS, STANDARD
from doorstep.errors import OUR_FAULT, InputError
from doorstep.map_runs import run
from doorstep.runtime import Driver, VirtualClock
from doorstep.runtime import driver as driver_module
from doorstep_cli.main import cli

pytestmark = pytest.mark.faults

Chain = Callable[..., dict[str, Any]]
LOOP = {
    "StartAt": "Again",
    "States": {
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.enough", "IsPresent": True, "Next": "Enough"}],
            "Default": "Round",
        },
        "Round": {"Type": "Pass", "Next": "Again"},
        "Enough": {"Type": "Succeed"},
    },
}


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("a mistake of ours")


@pytest.fixture
def a_fault_in_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state 'Bad' can't be left."""
    leave = states.leave

    def faulty(state: Any, fiber: Any, leaving: Any) -> Any:
        return broken() if state.name == "Bad" else leave(state, fiber, leaving)

    monkeypatch.setattr(states, "leave", faulty)


@pytest.mark.usefixtures("a_fault_in_leaving")
def test_a_fault_fails_the_state_with_a_cause_that_says_whose_it_is(
    chain: Chain, caplog: pytest.LogCaptureFixture
) -> None:
    machine = chain({"Good": {"Type": "Pass"}, "Bad": {"Type": "Pass"}})
    execution = doorstep.run(machine, seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.cause is not None
    assert execution.cause.startswith(f"{OUR_FAULT}: ZeroDivisionError: a mistake of ours (")
    assert "Please report it" in execution.cause
    assert [event["type"] for event in execution.history] == [
        *("ExecutionStarted", "PassStateEntered", "PassStateExited", "PassStateEntered"),
        "ExecutionFailed",
    ]
    # The traceback is in the log.
    [record] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert execution.arn in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.usefixtures("a_fault_in_leaving")
@pytest.mark.parametrize("debug", [False, True])
def test_the_command_line_shows_the_cause_and_on_demand_the_traceback(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    monkeypatch.setenv("DOORSTEP_DEBUG", "1" if debug else "")
    file = tmp_path / "bad.asl.json"
    file.write_text(json.dumps(chain({"Bad": {"Type": "Pass"}})))
    with monkeypatch.context() as patch:
        # pytest's own handlers would keep logging.basicConfig from doing anything.
        patch.setattr(logging.root, "handlers", [])
        result = CliRunner().invoke(cli, ["run", str(file)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "States.Runtime" in result.stderr
    assert OUR_FAULT in result.stderr
    assert ("Traceback" in result.stderr) is debug


@pytest.mark.usefixtures("a_fault_in_leaving")
def test_neither_retry_nor_catch_takes_a_fault(chain: Chain) -> None:
    everything = [{"ErrorEquals": ["States.ALL"]}]
    inner = chain({"Bad": {"Type": "Pass"}})
    outer = {
        "Type": "Parallel",
        "Branches": [inner],
        "Retry": everything,
        "Catch": [{**everything[0], "Next": "Outer"}],
    }
    execution = doorstep.run(chain({"Outer": outer}), seed=1)
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


def test_what_met_a_fault_is_redriven_from_the_state_that_met_it(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
    machine = chain({"Done": task, "Bad": {"Type": "Pass"}})
    with monkeypatch.context() as patch:
        leave = states.leave
        patch.setattr(
            states, "leave", lambda s, f, e: broken() if s.name == "Bad" else leave(s, f, e)
        )
        execution = doorstep.start(machine, handlers={"work": calls.append})
        execution.wait()
        assert execution.status == "FAILED"
    execution.redrive()
    execution.wait()
    assert execution.status == "SUCCEEDED"
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        pytest.param(Driver, "_set_timer", id="a timer that can't be set"),
        pytest.param(Driver, "_start_map_run", id="a map run that can't be started"),
        pytest.param(run.MapRun, "_child", id="a child that can't be started"),
        pytest.param(run.MapRun, "_finish", id="a result that can't be gathered"),
        pytest.param(driver_module, "take_answer", id="an answer that can't be taken"),
    ],
)
def test_a_fault_while_a_command_is_carried_out_fails_the_execution(
    chain: Chain, each: Chain, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    work = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
    states_ = {"Work": {**work, "TimeoutSeconds": 5}}
    if method not in ("_set_timer", "take_answer"):
        states_ = {"Each": each(states_, distributed=True)}
    monkeypatch.setattr(owner, method, broken)
    execution = doorstep.run(chain(states_), [1, 2], {"work": lambda event: event})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "ZeroDivisionError: a mistake of ours" in (execution.cause or "")


def test_the_failing_of_a_journal_still_reaches_the_caller(
    chain: Chain, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise InputError("can't write it: No space left on device")

    execution = doorstep.start(chain({"A": {"Type": "Pass"}}), journal=tmp_path / "journal")
    monkeypatch.setattr(execution._driver.persistence, "journaled", full)
    with pytest.raises(InputError, match="No space left"):
        execution.wait()
    execution.close()


def test_an_engine_whose_start_meets_a_fault_has_failed(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states.ScopeProgram, "run", broken)
    execution = doorstep.run(chain({"A": {"Type": "Pass"}}))
    assert [event["type"] for event in execution.history] == ["ExecutionStarted", "ExecutionFailed"]


def test_a_loop_without_end_lets_others_go_first(chain: Chain) -> None:
    driver = Driver(VirtualClock(0.0), doorstep.runtime.handlers.Handlers({}))
    express = Identity(name="loop", seed="1", type="EXPRESS")
    loop = driver.start(compile_definition(LOOP, "EXPRESS"), Header(LOOP, express, EXPRESS), "{}")
    short = chain({"A": {"Type": "Pass"}})
    other = driver.start(
        compile_definition(short), Header(short, Identity(name="other", seed="2"), STANDARD), "{}"
    )
    driver.run(other)
    assert other.status == "SUCCEEDED"
    assert loop.status == "RUNNING"
    assert len(loop.events) <= SLICE + 2
    driver.stop(loop, "Enough")
    assert loop.status == "ABORTED"


def test_a_loop_in_slices_is_the_same_when_it_is_replayed(chain: Chain) -> None:
    execution = doorstep.run(
        LOOP, quotas={"history_events": None, "loop_events": 3 * SLICE}, seed=1
    )
    assert execution.status == "TIMED_OUT"
    slices = [fact for fact in execution._running.journal.facts if fact.kind == "due"]
    assert len(slices) in (2, 3)
    again = replay(compile_definition(LOOP), execution._running.journal)
    assert again.history == execution.events


def test_a_standard_execution_with_small_data_is_one_slice() -> None:
    execution = doorstep.run(LOOP, seed=1)
    assert len(execution.events) == 25_000
    assert [fact.kind for fact in execution._running.journal.facts] == ["started"]


def test_large_texts_make_slices_shorter(chain: Chain) -> None:
    text = "x" * 200_000
    states_ = {f"P{i}": {"Type": "Pass", "Parameters": {"text.$": "$.text"}} for i in range(400)}
    execution = doorstep.run(chain(states_), {"text": text}, seed=1)
    assert execution.status == "SUCCEEDED"
    assert [fact.kind for fact in execution._running.journal.facts].count("due") >= 3


def test_what_pauses_can_be_stopped_and_redriven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorstep.engine.engine.SLICE", 10)
    execution = doorstep.start(LOOP, seed=1)
    execution._driver.clock.run(lambda: len(execution.events) > 15)
    assert execution.status == "RUNNING"
    execution.stop()
    events = len(execution.events)
    execution.redrive()
    execution._driver.clock.run(lambda: len(execution.events) > events + 10)
    assert execution.status == "RUNNING"
    assert execution.events[events].type == "ExecutionRedriven"
    # The state after the pause is entered next, none a second time.
    assert execution.events[events + 1].type == "ChoiceStateEntered"


def heavy_map(*, seconds: int, items: int = 60) -> dict[str, Any]:
    """A Map that takes 20,000 steps for each of its items, which then waits."""
    wait = {"Type": "Wait", "Seconds": seconds, "End": True}
    state = {
        "Type": "Map",
        "QueryLanguage": "JSONata",
        "Items": f"{{% [1..{items}] %}}",
        "ItemSelector": {"n": "{% $sum($map([1..5000], function($n){ $n })) %}"},
        "ItemProcessor": {"StartAt": "W", "States": {"W": wait}},
        "End": True,
    }
    return {"StartAt": "M", "States": {"M": state}}


def test_the_items_of_a_map_are_selected_in_slices_that_change_nothing() -> None:
    definition = heavy_map(seconds=10)
    execution = doorstep.run(definition, seed=1)
    assert execution.status == "SUCCEEDED"
    # 40 at a time, so twice ten seconds.
    assert execution.events[-1].at - execution.events[0].at == 20
    types = [event.type for event in execution.events]
    assert types.count("MapIterationStarted") == types.count("MapIterationSucceeded") == 60
    due = [fact.at for fact in execution._running.journal.facts if fact.kind == "due"]
    assert due.count(execution.events[0].at) > 1
    again = replay(compile_definition(definition), execution._running.journal)
    assert again.history == execution.events


def test_a_map_that_selects_its_items_can_be_stopped_and_redriven() -> None:
    execution = doorstep.start(heavy_map(seconds=1, items=30), seed=1)
    execution._driver.clock.run(lambda: len(execution.events) > 3)
    started = [event.type for event in execution.events].count("MapIterationStarted")
    assert 0 < started < 30
    execution.stop()
    execution.redrive()
    execution.wait()
    assert execution.status == "SUCCEEDED"
    again = replay(compile_definition(heavy_map(seconds=1, items=30)), execution._running.journal)
    assert again.history == execution.events


def test_the_items_of_a_map_run_are_selected_in_slices() -> None:
    definition = heavy_map(seconds=1)
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    definition["States"]["M"]["ItemProcessor"]["ProcessorConfig"] = config
    execution = doorstep.start(definition, seed=1)
    execution._driver.clock.run(lambda: bool(execution._running.map_runs))
    [run_] = execution._running.map_runs.values()
    assert 0 < run_.counts.children["RUNNING"] < 60
    execution.wait()
    assert execution.status == "SUCCEEDED"
    assert run_.counts.children["SUCCEEDED"] == 60


def test_branches_that_take_long_let_others_go_first() -> None:
    heavy = {"Type": "Pass", "QueryLanguage": "JSONata", "End": True}
    heavy["Output"] = "{% $sum($map([1..50000], function($n){ $n })) %}"
    branches = [{"StartAt": f"H{n}", "States": {f"H{n}": heavy}} for n in range(12)]
    state = {"Type": "Parallel", "Branches": branches, "End": True}
    execution = doorstep.start({"StartAt": "P", "States": {"P": state}}, seed=1)
    execution._driver.clock.run(lambda: len(execution.events) > 3)
    assert execution.status == "RUNNING"
    execution.wait()
    assert execution.output == [1250025000] * 12


def test_a_crash_is_a_fact(chain: Chain) -> None:
    wait = chain({"Wait": {"Type": "Wait", "Seconds": 60}})
    execution = doorstep.start(wait, seed=1)
    execution._driver.clock.run(lambda: len(execution.events) == 2)
    execution._driver.crash(execution._running, ZeroDivisionError("ours"))
    assert execution.status == "FAILED"
    last = execution._running.journal.facts[-1]
    assert (last.kind, last.data["error"]) == ("crashed", "States.Runtime")
    journal = Journal(execution._running.journal.header, list(execution._running.journal.entries))
    assert replay(compile_definition(wait), journal).status == "FAILED"
    execution.redrive()
    execution.wait()
    assert execution.status == "SUCCEEDED"


NESTED = "arn:aws:states:::states:startExecution"


def itself(pattern: str, **more: Any) -> dict[str, Any]:
    arguments = {"StateMachineArn": "M", "Input": {"token.$": "$$.Task.Token"}}
    if pattern != ".waitForTaskToken":
        arguments["Input"] = {}
    task = {"Type": "Task", "Resource": NESTED + pattern, "Parameters": arguments, "End": True}
    return {"StartAt": "A", "States": {"A": {**task, **more}}}


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_a_machine_that_starts_itself_and_waits_comes_to_an_end(pattern: str) -> None:
    everything = [{"ErrorEquals": ["States.ALL"]}]
    machine = itself(pattern, Retry=everything, Catch=[{**everything[0], "Next": "A"}])
    execution = doorstep.run(machine, state_machines={"M": machine}, state_machine_name="M")
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert "1,000 executions wait for one another" in (execution.cause or "")


def test_executions_that_wait_for_tokens_of_one_another_come_to_an_end() -> None:
    machine = itself(".waitForTaskToken", TimeoutSeconds=60)
    execution = doorstep.run(machine, state_machines={"M": machine}, state_machine_name="M")
    assert execution.status in ("FAILED", "TIMED_OUT")


def test_who_waits_for_nobody_may_start_itself_as_often_as_it_likes() -> None:
    # The guide's pattern against the quota of events: continue as a new execution.
    machine = itself("")
    execution = doorstep.run(machine, state_machines={"M": machine}, state_machine_name="M")
    assert execution.status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("name", "error", "cause"),
    [
        pytest.param({"a": 1}, "States.Runtime", "'Name' must be a STRING", id="an object"),
        pytest.param(5, "States.Runtime", "'Name' must be a STRING", id="a number"),
        pytest.param([], "States.Runtime", "'Name' must be a STRING", id="a list"),
        pytest.param("a/b", "StepFunctions.InvalidNameException", "Invalid Name: 'a/b'", id="a/b"),
        pytest.param(
            "n" * 500,
            "StepFunctions.ValidationException",
            "Member must have length less than or equal to 80",
            id="500 letters",
        ),
        pytest.param(
            "",
            "StepFunctions.ValidationException",
            "Member must have length greater than or equal to 1",
            id="empty",
        ),
        pytest.param("\ud83d", "StepFunctions.InvalidNameException", "Invalid Name", id="half"),
        pytest.param("a\0b", "StepFunctions.InvalidNameException", "Invalid Name", id="NUL"),
    ],
)
def test_the_name_of_a_nested_execution_is_checked_as_startexecution_does(
    name: Any, error: str, cause: str
) -> None:
    arguments = {"StateMachineArn": "child", "Name.$": "$.name"}
    task = {"Type": "Task", "Resource": NESTED, "Parameters": arguments, "End": True}
    child = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
    execution = doorstep.run(
        {"StartAt": "A", "States": {"A": task}}, {"name": name}, state_machines={"child": child}
    )
    assert (execution.status, execution.error) == ("FAILED", error)
    assert cause in (execution.cause or "")


def test_the_refusal_of_a_name_can_be_caught(chain: Chain) -> None:
    arguments = {"StateMachineArn": "child", "Name": "a b"}
    catch = [{"ErrorEquals": ["StepFunctions.InvalidNameException"], "Next": "Caught"}]
    task = {"Type": "Task", "Resource": NESTED, "Parameters": arguments, "Catch": catch}
    machine = chain({"A": task, "Caught": {"Type": "Pass"}})
    child = chain({"A": {"Type": "Pass"}})
    assert doorstep.run(machine, state_machines={"child": child}).status == "SUCCEEDED"
