"""Our own conformance cases: what AWS shows, derived by hand from the source that each names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorstep_conformance import OWN_CASES, Case, answer, judge, load_case

FILES = sorted(OWN_CASES.rglob("*.json"))
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:press"
LIMIT = 262_144


def path_of(file: Path) -> str:
    return file.relative_to(OWN_CASES).with_suffix("").as_posix()


@pytest.mark.parametrize("file", FILES, ids=path_of)
def test_the_answer_is_the_one_that_aws_gives(file: Path) -> None:
    case = load_case(file)
    verdict = judge(case, answer(case))
    assert verdict.as_recorded, verdict.why


@pytest.mark.parametrize("file", FILES, ids=path_of)
def test_a_case_is_named_after_its_place_and_names_its_source(file: Path) -> None:
    case = load_case(file)
    assert case.id == path_of(file)
    assert case.source


def test_every_area_of_the_language_has_cases() -> None:
    areas = {path_of(file).partition("/")[0] for file in FILES}
    assert areas >= {"choice", "dataflow", "jsonata", "map", "map-run", "parallel", "task", "wait"}


def history(
    definition: dict[str, Any], task_outcomes: dict[str, list[Any]] | None = None
) -> list[dict[str, Any]]:
    """The history of a case that is too large for a file."""
    case = Case(
        id="limits",
        kind="history",
        definition=definition,
        input={},
        task_outcomes=task_outcomes or {},
    )
    events: list[dict[str, Any]] = answer(case)["events"]
    return events


def test_event_25_000_is_the_failure_of_the_execution() -> None:
    """Fact 99: event 24,999 is the last real one."""
    forever = {
        "StartAt": "Again",
        "States": {
            "Again": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.enough", "IsPresent": True, "Next": "Enough"}],
                "Default": "Turn",
            },
            "Turn": {"Type": "Pass", "Next": "Again"},
            "Enough": {"Type": "Succeed"},
        },
    }
    events = history(forever)
    assert [event["id"] for event in events] == list(range(1, 25_001))
    assert events[-2]["type"] in ("ChoiceStateEntered", "PassStateEntered", "ChoiceStateExited")
    assert events[-1]["type"] == "ExecutionFailed"
    assert events[-1]["executionFailedEventDetails"] == {
        "error": "States.Runtime",
        "cause": "The execution reached the maximum number of history events (25000).",
    }


def pressed(result: str) -> list[dict[str, Any]]:
    task = {"Type": "Task", "Resource": FUNCTION, "ResultPath": None, "End": True}
    definition = {"StartAt": "Press", "States": {"Press": task}}
    return history(definition, {"Press": [{"output": {"": result}}]})


def test_a_result_of_256_kib_is_the_largest_that_a_task_may_give() -> None:
    """Fact 315: more than 262,144 bytes of UTF-8 are too many."""
    room = LIMIT - len('{"":""}')
    assert pressed("x" * room)[-1]["type"] == "ExecutionSucceeded"
    assert pressed("é" * (room // 2))[-1]["type"] == "ExecutionSucceeded"
    assert pressed("x" * (room + 1))[-1]["type"] == "ExecutionFailed"
    assert pressed("é" * (room // 2 + 1))[-1]["type"] == "ExecutionFailed"


def test_a_result_that_is_too_large_fails_the_task_in_the_place_of_its_success() -> None:
    """Fact 315: the cause names the whole ARN of the function."""
    failed = pressed("x" * LIMIT)[4]
    assert failed["type"] == "LambdaFunctionFailed"
    assert failed["lambdaFunctionFailedEventDetails"] == {
        "error": "States.DataLimitExceeded",
        "cause": f"The state/task '{FUNCTION}' returned a result with a size exceeding "
        "the maximum number of bytes service limit.",
    }
