"""The cases recorded on AWS, when they are there: the score is the committed one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from doorstep.values.json_values import dumps
from doorstep_conformance import OWN_CASES, Case, Report, check, judge, load_cases, recorded_case
from doorstep_conformance.laws import broken
from doorstep_conformance.values import unfolded

PROJECT = Path(__file__).resolve().parents[2]
CORPUS = PROJECT.parent / "shared" / "corpus"

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


def test_the_scores_are_those_of_the_page(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{report}")
    assert report.table() == committed("recorded.json"), (
        "a score that is lower is a bug; for one that is higher: doorstep conformance "
        "--recordings ../shared/corpus/cases --report docs/conformance.md"
    )


def test_every_missed_case_is_listed_with_its_reason(report: Report) -> None:
    missed = {one.case.id for one in report.missed}
    listed = committed("missed.json")
    assert missed - listed.keys() == set(), "list these in conformance/missed.json"
    assert listed.keys() - missed == set(), "these are met: take them off conformance/missed.json"
    assert all(listed.values())


def test_no_case_ends_in_a_crash(report: Report) -> None:
    whys = {one.case.id: one.verdict.why for one in report.missed}
    assert {case: why for case, why in whys.items() if why.startswith("crash")} == {}


# The text of JSON --------------------------------------------------------------------------------


def test_the_members_of_every_value_stand_in_awss_order(report: Report, emitted: Path) -> None:
    answers = {given["id"]: given for given in map(json.loads, emitted.read_text().splitlines())}
    exact = [one.case for one in report.judged if one.verdict.grade == "exact"]
    other = {
        case.id
        for case in exact
        if case.kind == "history" and case.recorded and not case.parallel_unordered
        for theirs, ours in zip(case.recorded["events"], answers[case.id]["events"], strict=True)
        if not same_order(texts(theirs), texts(ours))
    }
    assert other == set()


def texts(event: dict[str, Any]) -> list[Any]:
    """The values of an event's details; only in those the recordings kept AWS's order."""
    details = next((event[name] for name in event if name.endswith("EventDetails")), {})
    return [details.get(name) for name in ("input", "output", "parameters")]


def same_order(theirs: Any, ours: Any) -> bool:
    match theirs, ours:
        case dict() | list(), str():
            return same_order(theirs, json.loads(ours))
        case dict(), dict():
            return list(theirs) == list(ours) and same_order([*theirs.values()], [*ours.values()])
        case list(), list():
            return all(map(same_order, theirs, ours))
    return True


# What is read off histories ----------------------------------------------------------------------


def as_returned(recorded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events with times, and with texts where the recordings have objects."""
    return [
        {
            name: {key: as_text(key, said) for key, said in value.items()}
            if name.endswith("EventDetails")
            else value
            for name, value in {**event, "timestamp": 0}.items()
        }
        for event in recorded
    ]


def as_text(name: str, value: Any) -> Any:
    if name == "assignedVariables":
        return {variable: as_text("output", said) for variable, said in value.items()}
    folded = name in ("input", "output", "parameters", "cause") and not isinstance(value, str)
    return dumps(value) if folded else value


def ordered_cases() -> list[Case]:
    cases = load_cases(CORPUS / "cases") if CORPUS.is_dir() else ()
    return [case for case in cases if case.kind == "history" and not case.parallel_unordered]


def without_map_run(case: Case) -> bool:
    """What the children of a map run did is in their own histories: those are refused."""
    assert case.recorded
    return all(event["type"] != "MapRunStarted" for event in case.recorded["events"])


@pytest.mark.parametrize("case", ordered_cases(), ids=lambda case: case.id)
def test_recorded_histories_keep_the_laws(case: Case) -> None:
    assert case.recorded
    events = as_returned(case.recorded["events"])
    if case.id.endswith("reverseOrder-True"):
        events.reverse()
    assert list(broken(events)) == []


@pytest.mark.parametrize(
    "case", [case for case in ordered_cases() if without_map_run(case)], ids=lambda case: case.id
)
def test_what_the_tasks_gave_is_read_off_their_history(case: Case) -> None:
    assert case.recorded
    events = as_returned(case.recorded["events"])
    read = recorded_case(events, case.definition, case.id)["task_outcomes"]
    assert bare(read) == bare(case.task_outcomes)


def bare(outcomes: Mapping[str, list[Any]]) -> Any:
    """Outcomes without their places, which the recordings' own lack, and without nulls."""
    return unfolded(
        {
            state: [
                {
                    name: value
                    for name, value in call.items()
                    if name != "place" and value is not None
                }
                for call in calls
            ]
            for state, calls in outcomes.items()
        }
    )


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
