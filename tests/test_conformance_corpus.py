"""The cases recorded on AWS, when they are there: the score may rise, never drop."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from doorstep.jsontext import dumps
from doorstep_conformance import OWN_CASES, Report, check, judge, load_cases

PROJECT = Path(__file__).resolve().parents[1]
CORPUS = PROJECT.parent / "shared" / "corpus"
UNSUPPORTED = ("test_state",)

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the recorded cases are not there ({CORPUS})"
)


def committed(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((OWN_CASES.parent / name).read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus") / "answers.jsonl"


@pytest.fixture(scope="module")
def report(emitted: Path) -> Report:
    with emitted.open("w", encoding="utf-8") as lines:
        return check(CORPUS / "cases", lines)


def test_the_score_does_not_drop(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{report}")
    counts = report.as_recorded()
    dropped = {
        kind: floor for kind, floor in committed("floor.json").items() if counts[kind] < floor
    }
    assert not dropped, f"as recorded are {counts}, committed in conformance/floor.json {dropped}"


def test_every_missed_case_is_listed_with_its_reason(report: Report) -> None:
    missed = {one.case.id for one in report.missed if one.case.kind not in UNSUPPORTED}
    listed = committed("missed.json")
    assert missed - listed.keys() == set(), "list these in conformance/missed.json"
    assert listed.keys() - missed == set(), "these are met: take them off conformance/missed.json"
    assert all(listed.values())


def test_no_case_ends_in_a_crash(report: Report) -> None:
    crashed = {
        one.case.id: one.verdict.why
        for one in report.missed
        if one.case.kind not in UNSUPPORTED and one.verdict.why.startswith("crash")
    }
    assert not crashed


# The judge that came with the recordings ---------------------------------------------------------


def reversed_order(events: list[Any]) -> None:
    events.reverse()


def first_event_lost(events: list[Any]) -> None:
    del events[0]


def chain_cut(events: list[Any]) -> None:
    events[-1]["previousEventId"] = 1


def other_end(events: list[Any]) -> None:
    events[-1]["type"] = "ExecutionAborted"


def other_name(events: list[Any]) -> None:
    for event in events:
        event.get("stateExitedEventDetails", {}).update(name="Other")


DAMAGES = (deepcopy, reversed_order, first_event_lost, chain_cut, other_end, other_name)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_the_judge_agrees_with_the_one_of_the_recordings(
    damage: Any, report: Report, emitted: Path, tmp_path: Path
) -> None:
    answers = {given["id"]: given for given in map(json.loads, emitted.read_text().splitlines())}
    for given in answers.values():
        if given.get("events"):
            damage(given["events"])
    results = tmp_path / "results.jsonl"
    results.write_text("\n".join(dumps(given) for given in answers.values()), encoding="utf-8")
    ours = {case.id: judge(case, answers[case.id]).grade for case in load_cases(CORPUS / "cases")}
    assert {name: grade for name, grade in ours.items() if grade != "exact"} == their_grades(
        results
    )


def their_grades(results: Path) -> dict[str, str]:
    """The verdicts of the corpus's own judge on the answers that are not exact."""
    command = [sys.executable, CORPUS / "compare.py", CORPUS / "cases", results, "--show", "9999"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    words = [line.split() for line in ran.stdout.splitlines() if line[:1] != " "]
    grades = ("causal", "outcome", "fail")
    return {line[1]: line[0] for line in words if len(line) == 2 and line[0] in grades}
