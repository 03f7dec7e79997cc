"""A definition is changed: the first event that it touches is the one that is shown."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

import doorstep

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function"
DEFINITION: dict[str, Any] = {
    "StartAt": "Load",
    "States": {
        "Load": {
            "Type": "Task",
            "Resource": f"{LAMBDA}:load",
            "TimeoutSeconds": 60,
            "ResultPath": "$.order",
            "Next": "Large?",
        },
        "Large?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.order.total", "NumericGreaterThan": 100, "Next": "Check"}],
            "Default": "Rate",
        },
        "Check": {
            "Type": "Task",
            "Resource": f"{LAMBDA}:check",
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 5, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["Refused"], "ResultPath": "$.why", "Next": "Rate"}],
            "ResultPath": None,
            "Next": "Rate",
        },
        "Rate": {"Type": "Pass", "Result": {"rate": 3}, "ResultPath": "$.rate", "Next": "Cool"},
        "Cool": {"Type": "Wait", "Seconds": 300, "Next": "Pack"},
        "Pack": {
            "Type": "Map",
            "ItemsPath": "$.order.lines",
            "ItemSelector": {"line.$": "$$.Map.Item.Value", "n.$": "$$.Map.Item.Index"},
            "ItemProcessor": {
                "StartAt": "Box",
                "States": {"Box": {"Type": "Task", "Resource": f"{LAMBDA}:box", "End": True}},
            },
            "ResultPath": "$.boxes",
            "Next": "Tell",
        },
        "Tell": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Mail", "States": {"Mail": {"Type": "Pass", "Result": 1, "End": True}}},
                {"StartAt": "Log", "States": {"Log": {"Type": "Pass", "Result": 2, "End": True}}},
            ],
            "ResultPath": "$.told",
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}


def recording() -> list[dict[str, Any]]:
    """Load; Check, which is busy once and then refuses; Rate; 300 s; two boxes; both told."""
    answers = iter([doorstep.fail("Busy", "b"), doorstep.fail("Refused", "r")])
    handlers = {
        "load": lambda _: {"total": 500, "lines": ["x", "y"]},
        "check": lambda _: next(answers),
        "box": lambda item: f"box of {item['line']}",
    }
    execution = doorstep.run(DEFINITION, {"id": 7}, handlers, seed=1)
    assert execution.status == "SUCCEEDED"
    return execution.history


RECORDED = recording()
Change = Callable[[dict[str, Any]], Any]


def set_in(*path: str | int, to: Any) -> Change:
    def change(states: Any) -> None:
        *around, last = path
        for name in around:
            states = states[name]
        states[last] = to

    return change


def rename(states: dict[str, Any]) -> None:
    states["Price"] = states.pop("Rate")
    states["Check"]["Next"] = states["Check"]["Catch"][0]["Next"] = "Price"
    states["Large?"]["Default"] = "Price"


def insert(states: dict[str, Any]) -> None:
    states["Audit"] = {"Type": "Pass", "Next": "Pack"}
    states["Cool"]["Next"] = "Audit"


def remove(states: dict[str, Any]) -> None:
    del states["Cool"]
    states["Rate"]["Next"] = "Pack"


def other_type(states: dict[str, Any]) -> None:
    states["Done"] = {"Type": "Pass", "End": True}


def first(kind: str, name: str | None = None, nth: int = 0) -> int:
    """The id of the n-th recorded event of a kind."""
    found = [
        event["id"]
        for event in RECORDED
        if event["type"] == kind
        and (name is None or any(isinstance(d, dict) and d.get("name") == name
                                 for d in event.values()))
    ]  # fmt: skip
    number: int = found[nth]
    return number


CHANGES: dict[str, tuple[Change, tuple[Any, ...], str, str | None, str | None, str]] = {
    "another path": (
        set_in("Load", "ResultPath", to="$.loaded"),
        ("TaskStateExited", "Load"), "Load", "output.order", "TaskStateExited", "unclear",
    ),
    "another items path": (
        set_in("Pack", "ItemsPath", to="$.boxes"),
        ("MapStateStarted",), "Pack", None, "ExecutionFailed", "unclear",
    ),
    "another resource": (
        set_in("Load", "Resource", to=f"{LAMBDA}:load2"),
        ("LambdaFunctionScheduled",), "Load", "resource", "LambdaFunctionScheduled", "definition",
    ),
    "a timeout": (
        set_in("Load", "TimeoutSeconds", to=90),
        ("LambdaFunctionScheduled",), "Load", "timeoutInSeconds", "LambdaFunctionScheduled",
        "definition",
    ),
    "a retrier for another error": (
        set_in("Check", "Retry", 0, "ErrorEquals", to=["Throttled"]),
        ("LambdaFunctionScheduled", None, 2), "Check", None, "ExecutionFailed", "unclear",
    ),
    "a retrier with another interval": (
        set_in("Check", "Retry", 0, "IntervalSeconds", to=60),
        ("LambdaFunctionScheduled", None, 2), "Check", "timestamp", None, "unclear",
    ),
    "one retrier more": (
        set_in("Check", "Retry", to=[
            {"ErrorEquals": ["Busy"], "IntervalSeconds": 5},
            {"ErrorEquals": ["Refused"]},
        ]),
        ("TaskStateExited", "Check"), "Check", None, "LambdaFunctionScheduled", "unclear",
    ),
    "no catcher": (
        lambda states: states["Check"].pop("Catch"),
        ("TaskStateExited", "Check"), "Check", None, "ExecutionFailed", "unclear",
    ),
    "a catcher with another path": (
        set_in("Check", "Catch", 0, "ResultPath", to="$.reason"),
        ("TaskStateExited", "Check"), "Check", "output.why", "TaskStateExited", "unclear",
    ),
    "a choice turned round": (
        set_in("Large?", "Choices", 0, "NumericGreaterThan", to=1000),
        ("TaskStateEntered", "Check"), "Check", None, "PassStateEntered", "unclear",
    ),
    "a state renamed": (
        rename, ("PassStateEntered", "Rate"), "Rate", None, "PassStateEntered", "definition",
    ),
    "a state inserted": (
        insert, ("MapStateEntered", "Pack"), "Pack", None, "PassStateEntered", "unclear",
    ),
    "a state removed": (
        remove, ("WaitStateEntered", "Cool"), "Cool", None, "MapStateEntered", "definition",
    ),
    "a state of another type": (
        other_type, ("SucceedStateEntered", "Done"), "Done", None, "PassStateEntered",
        "definition",
    ),
    "another result": (
        set_in("Rate", "Result", to={"rate": 4}),
        ("PassStateExited", "Rate"), "Rate", "output.rate.rate", "PassStateExited", "unclear",
    ),
    "a longer wait": (
        set_in("Cool", "Seconds", to=600),
        ("WaitStateExited", "Cool"), "Cool", "timestamp", None, "unclear",
    ),
    "a shorter wait": (
        set_in("Cool", "Seconds", to=30),
        ("WaitStateExited", "Cool"), "Cool", "timestamp", None, "unclear",
    ),
    "another item selector": (
        set_in("Pack", "ItemSelector", to={"line.$": "$$.Map.Item.Value", "n": 9}),
        ("TaskStateEntered", "Box"), "Box", "input.n", "TaskStateEntered", "unclear",
    ),
    "parallel branches in another order": (
        lambda states: states["Tell"]["Branches"].reverse(),
        ("ParallelStateExited", "Tell"), "Tell", "output.told[0]", "ParallelStateExited",
        "unclear",
    ),
    "one branch less": (
        lambda states: states["Tell"]["Branches"].pop(),
        ("PassStateEntered", "Log"), "Log", None, None, "definition",
    ),
    "another output": (
        set_in("Done", "OutputPath", to="$.rate"),
        ("SucceedStateExited", "Done"), "Done", "output", None, "unclear",
    ),
}  # fmt: skip


def test_unchanged_it_runs_as_it_did() -> None:
    assert doorstep.replay(RECORDED, DEFINITION).same


@pytest.mark.parametrize("name", CHANGES)
def test_the_first_event_that_a_change_touches_is_shown(name: str) -> None:
    change, event, state, at, ours, reason = CHANGES[name]
    changed = deepcopy(DEFINITION)
    change(changed["States"])
    found = doorstep.replay(RECORDED, changed).difference
    assert found is not None
    assert found.recorded is not None
    assert (found.recorded.id, found.state) == (first(*event), state)
    assert (found.at or "").startswith(at or "")
    assert (found.at is None) is (at is None)
    assert found.reason == reason
    if ours:
        assert found.ours is not None
        assert found.ours.type == ours


def test_a_comment_changes_nothing() -> None:
    changed = deepcopy(DEFINITION)
    changed["Comment"] = changed["States"]["Rate"]["Comment"] = "of 2024"
    assert doorstep.replay(RECORDED, changed).same
