"""The laws of histories: ours keep them, and each of them can be broken."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from doorstep_conformance import OWN_CASES, Case, answer, load_cases
from doorstep_conformance.laws import DETAILS, broken

CASES = [case for case in load_cases(OWN_CASES) if case.kind == "history"]
ENTERED = {"name": "Rest", "input": "{}", "inputDetails": {"truncated": False}}
EXITED = {
    "name": "Rest",
    "output": "{}",
    "outputDetails": {"truncated": False},
    "assignedVariables": {"v": "1"},
}


def event(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
    at = f"2025-01-01T00:00:0{number}.000+00:00"
    return {"timestamp": at, "type": kind, "id": number, "previousEventId": previous, **details}


def history() -> list[dict[str, Any]]:
    return [
        event(1, 0, "ExecutionStarted", executionStartedEventDetails={"input": "{}"}),
        event(2, 0, "WaitStateEntered", stateEnteredEventDetails=deepcopy(ENTERED)),
        event(3, 2, "WaitStateExited", stateExitedEventDetails=deepcopy(EXITED)),
        event(4, 3, "ParallelStateStarted"),
        event(5, 3, "ExecutionSucceeded", executionSucceededEventDetails={"output": "{}"}),
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_histories_of_our_cases_keep_the_laws(case: Case) -> None:
    assert list(broken(answer(case)["events"])) == []


def test_there_are_62_types_of_events() -> None:
    """The service's API model, HistoryEventType (fact 443)."""
    assert len(DETAILS) == 62


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda events: events.pop(1), "event 2 (WaitStateExited): the id is 3"),
        (lambda events: events[2].pop("id"), "event 3 (WaitStateExited): id is missing"),
        (lambda events: events[2].update(previousEventId=3), "event 3 (WaitStateExited): it foll"),
        (lambda events: events[2].update(type="Left"), "event 3 (Left): the type does not exist"),
        (lambda events: events[0].update(type="TaskStarted"), "the first event is not ExecutionSt"),
        (lambda events: events[3].update(type="MapRunFailed"), "event 4 (MapRunFailed): it has no"),
        (lambda events: events[3].update(x=1), "event 4 (ParallelStateStarted): it has x"),
        (lambda events: events[2]["stateExitedEventDetails"].update(x=1), "its details have x"),
        (lambda events: events[1]["stateEnteredEventDetails"].pop("name"), "details lack name"),
        (lambda events: events[1]["stateEnteredEventDetails"].update(input="{"), "input can't be"),
        (lambda events: events[1]["stateEnteredEventDetails"].update(input={}), "input can't be"),
        (
            lambda events: events[2]["stateExitedEventDetails"].update(assignedVariables={"v": 1}),
            "assignedVariables can't be",
        ),
        (
            lambda events: events[2]["stateExitedEventDetails"].update(outputDetails={}),
            "outputDetails can't be",
        ),
        (lambda events: events[4].update(timestamp="2024"), "event 5 is earlier than the one"),
        (
            lambda events: events.append(event(6, 5, "MapStateFailed")),
            "event 6 comes after the end",
        ),
        (lambda events: events[2].update(previousEventId=1), "event 3 (WaitStateExited) leaves a"),
        (
            lambda events: events[3].update(
                type="WaitStateExited", stateExitedEventDetails=deepcopy(EXITED)
            ),
            "event 4 (WaitStateExited) leaves a state that was not entered",
        ),
    ],
)
def test_a_broken_law_is_told(damage: Callable[[list[Any]], Any], told: str) -> None:
    events = history()
    assert list(broken(events)) == []
    damage(events)
    sentences = list(broken(events))
    assert any(told in sentence for sentence in sentences), sentences
