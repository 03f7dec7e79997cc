"""What AWS recorded, replayed with the definition that ran: nothing differs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.values.json_values import dumps
from doorstep_conformance import load_cases
from doorstep_conformance.cases import Case

CASES = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "cases"
PLACEHOLDER = re.compile(r"(?:<[^<>\n]{1,60}>|111111111111)")
TEXTS = ("input", "output", "cause", "parameters")
NOT_REPLAYED = {
    "sfn_api--test_get_execution_history_reversed--get_execution_history_reverseOrder-True": (
        "a page in reverse order in a test of the API"
    ),
}

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"the recorded cases are not there ({CASES})"
)


def recorded_history(case: Case) -> list[dict[str, Any]]:
    """The recording in AWS's shape: where it has values, JSON texts; times that say nothing."""
    assert case.recorded is not None
    events = []
    for event in case.recorded["events"]:
        shown = event | {"timestamp": "2025-01-01T00:00:00+00:00"}
        for name, details in event.items():
            if name.endswith("EventDetails"):
                shown[name] = {key: _text(key, value) for key, value in details.items()}
        events.append(shown)
    events[0]["executionStartedEventDetails"]["input"] = dumps(case.input)
    return events


def _text(name: str, value: Any) -> Any:
    return dumps(value) if name in TEXTS and not isinstance(value, str) else value


def masked(case: Case) -> Any:
    """Whether a value of the recording is a mask that ours fits, or the same JSON spaced anew."""

    def same(recorded: Any, ours: Any) -> bool:
        if not isinstance(recorded, str):
            return False
        if recorded in case.wildcards or _as_value(recorded) == _as_value(ours):
            return True
        literal = [re.escape(part) for part in PLACEHOLDER.split(recorded)]
        text = ours if isinstance(ours, str) else json.dumps(ours)
        return len(literal) > 1 and bool(re.fullmatch(".*?".join(literal), text, re.DOTALL))

    return same


def _as_value(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text, "is no JSON"


def replayable() -> list[Case]:
    """The recorded histories whose order and ids were kept."""
    if not CASES.is_dir():
        return []
    return [
        case
        for case in load_cases(CASES)
        if case.kind == "history" and not case.parallel_unordered and case.id not in NOT_REPLAYED
    ]


def test_every_recorded_history_replays_without_difference() -> None:
    cases = replayable()
    found = {}
    for case in cases:
        replayed = doorstep.replay(
            recorded_history(case),
            case.definition,
            type=case.type,
            times=False,
            tolerate=masked(case),
            resource_names=True,
        )
        if not replayed.same:
            found[case.id] = str(replayed.difference)
    assert found == {}
    assert sum(1 for case in cases if case.task_outcomes) > 100


def test_those_that_are_left_out_still_need_to_be() -> None:
    (reverse,) = (case for case in load_cases(CASES) if case.id in NOT_REPLAYED)
    assert reverse.recorded is not None
    assert reverse.recorded["events"][0]["id"] > 1
