"""Which events become status changes and log lines, and what of their data is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.engine.messages import Event
from doorstep_emulator.publish.publisher import log_lines, status_change
from doorstep_emulator.responses import why_not_redrivable
from doorstep_emulator.store.store import Row

KIB = 1024
DAY = 86_400.0


@pytest.mark.parametrize(
    ("given", "output", "included"),
    [
        ("x" * 100 * KIB, "x" * 148 * KIB, (True, True)),
        ("x" * 100 * KIB, "x" * 148 * KIB + "x", (False, True)),
        ("x", "x" * 248 * KIB + "x", (False, False)),
        ('"' * 124 * KIB, "", (True, True)),
        ('"' * 124 * KIB + "x", "", (False, True)),
    ],
    ids=["248 KiB", "more", "output", "escaped 248 KiB", "escaped more"],
)
def test_large_data_is_left_out(given: str, output: str, included: tuple[bool, bool]) -> None:
    """Developer guide, "EventBridge payloads": by the size of the escaped texts."""
    first = Event(1, 0, "ExecutionStarted", 0.0, {"input": given})
    last = Event(2, 1, "ExecutionSucceeded", 1.0, {"output": output})
    told = status_change(row(), first, last)
    assert told is not None
    detail = told["detail"]
    assert detail["inputDetails"] == {"included": included[0]}
    assert detail["outputDetails"] == {"included": included[1]}
    assert [detail["input"], detail["output"]] == [
        text if shown else None for text, shown in zip((given, output), included, strict=True)
    ]


def row() -> Row:
    return Row(
        id=1,
        arn="arn:aws:states:us-east-1:123456789012:execution:m:e",
        machine="arn:aws:states:us-east-1:123456789012:stateMachine:m",
        name="e",
        type="STANDARD",
        status="SUCCEEDED",
        started=0.0,
        identity="{}",
        revision="r",
    )


@pytest.mark.parametrize(
    ("fields", "events", "days", "told"),
    [
        ({}, 24_998, 13.9, None),
        ({"status": "RUNNING", "stopped": None}, 1, 0, "Execution is RUNNING and cannot"),
        ({"status": "SUCCEEDED"}, 5, 0, "Execution is SUCCEEDED and cannot"),
        ({}, 24_999, 0, "Execution history event limit exceeded"),
        ({}, 5, 14.1, "Execution redrivable period exceeded"),
        ({"started": -360 * DAY}, 5, 5.1, "Execution has exceeded the max execution time"),
    ],
)
def test_when_an_execution_can_be_redriven(
    fields: dict[str, Any], events: int, days: float, told: str | None
) -> None:
    """API reference: RedriveExecution, and redriveStatusReason of DescribeExecution."""
    stood = replace(row(), **{"status": "FAILED", "stopped": 0.0, **fields})
    why = why_not_redrivable(stood, events, days * DAY)
    assert (why is None) == (told is None)
    assert (why or "").startswith(told or "")


EVENTS = [
    Event(number, number - 1, kind, 1.0, {})
    for number, kind in enumerate(
        (
            *("ExecutionStarted", "TaskStateEntered", "TaskFailed", "TaskTimedOut"),
            *("ParallelStateAborted", "FailStateEntered", "TaskSucceeded", "ExecutionFailed"),
            *("ExecutionTimedOut", "ExecutionAborted", "ExecutionSucceeded"),
        ),
        start=1,
    )
]


@pytest.mark.parametrize(
    ("level", "ids"),
    [
        ("ALL", list(range(1, 12))),
        ("ERROR", [3, 4, 5, 6, 8, 9, 10]),
        ("FATAL", [8, 9, 10]),
        ("OFF", []),
    ],
)
def test_the_level_says_which_events_are_logged(level: str, ids: list[int]) -> None:
    found = log_lines(row(), EVENTS, {"level": level, "includeExecutionData": True})
    assert [int(line["id"]) for line in found] == ids


def test_a_text_that_is_too_large_is_cut() -> None:
    """Developer guide, "CloudWatch Logs payloads": by the size of the escaped text."""
    configuration = {"level": "ALL", "includeExecutionData": True}
    fits, large = '"' * 124 * KIB, '"' * 125 * KIB
    events = [
        Event(number, 0, "PassStateEntered", 0.0, {"name": "P", "input": text})
        for number, text in enumerate((fits, large), start=1)
    ]
    first, second = (line["details"] for line in log_lines(row(), events, configuration))
    assert first == {"name": "P", "input": fits}
    assert second["inputDetails"] == {"truncated": True}
    assert fits.startswith(second["input"])
    assert len(second["input"]) > 100 * KIB
