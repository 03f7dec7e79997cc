"""Cases read from files, answered, and counted."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorstep.errors import InputError
from doorstep_conformance import Case, answer, check, load_case, load_cases, run_cases

QUEUE = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
HISTORY = {"id": "a/b", "kind": "history", "definition": PASS, "input": {}}


def write(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def task(outcomes: list[Any], **fields: Any) -> list[dict[str, Any]]:
    """The history of a callback that is answered so."""
    message = {"QueueUrl": "queue", "MessageBody.$": "$$.Task.Token"}
    state = {"Type": "Task", "Resource": QUEUE, "Parameters": message, "End": True, **fields}
    definition = {"StartAt": "Ask", "States": {"Ask": state}}
    case = Case(id="x", kind="history", definition=definition, task_outcomes={"Ask": outcomes})
    events: list[dict[str, Any]] = answer(case)["events"]
    return events


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events][4:]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not valid JSON"),
        ([], "a case is a JSON object"),
        ({"kind": "history", "definition": {}}, "'id' is missing"),
        ({"id": "x", "definition": {}}, "'kind' is missing"),
        ({"id": "x", "kind": "history"}, "'definition' is missing"),
        ({"id": "x", "kind": "validate"}, "'request' is missing"),
        ({"id": "x", "kind": "other"}, "'kind' must be one of history, sync"),
        ({"id": "x", "kind": "sync", "definition": {}, "type": "FAST"}, "STANDARD, EXPRESS"),
        (HISTORY | {"wildcards": "x"}, "'wildcards' must be of type list"),
        (HISTORY | {"task_outcomes": {"A": {}}}, "'A' must be a list of objects"),
        (HISTORY | {"task_outcomes": {"A": [{"result": 1}]}}, "cannot have a member 'result'"),
        (HISTORY | {"task_outcomes": {"A": [{"after": "5s"}]}}, "'after' of an outcome of 'A'"),
    ],
)
def test_a_file_that_is_no_case_is_refused_by_name(tmp_path: Path, content: Any, told: str) -> None:
    path = write(tmp_path, "broken.json", content)
    with pytest.raises(InputError, match=told) as refused:
        load_case(path)
    assert str(path) in str(refused.value)


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No cases"):
        list(load_cases(tmp_path))


def test_answers_come_sorted_by_id(tmp_path: Path) -> None:
    for name, case_id in (("1.json", "b"), ("deep/2.json", "a")):
        write(tmp_path, name, HISTORY | {"id": case_id})
    assert [given["id"] for given in run_cases(tmp_path)] == ["a", "b"]


def test_what_was_recorded_is_not_looked_at_for_the_answer(tmp_path: Path) -> None:
    bare = load_case(write(tmp_path, "1.json", HISTORY))
    lying = load_case(write(tmp_path, "2.json", HISTORY | {"recorded": {"events": []}}))
    assert answer(bare) == answer(lying)


def test_the_area_of_a_case_is_its_folder_or_its_suite() -> None:
    assert Case(id="map/empty", kind="history").area == "map"
    assert Case(id="wait--test_base--history", kind="history").area == "wait"


def test_outcomes_are_given_in_the_order_of_the_calls_and_then_nobody_answers() -> None:
    failed = {"error": "Jam", "cause": "stuck"}
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 5}]
    events = task([failed, {"submitted": {}, "output": 1}], Retry=retry)
    assert types(events)[:1] == ["TaskFailed"]
    assert events[-1]["executionSucceededEventDetails"]["output"] == "1"
    endless = task([failed], Retry=retry, TimeoutSeconds=3)
    assert [kind for kind in types(endless) if kind.endswith("TimedOut")] == ["TaskTimedOut"] * 5


def test_an_outcome_with_a_place_is_for_the_call_that_is_made_there() -> None:
    press = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:press"}
    branch = {"StartAt": "Press", "States": {"Press": press | {"End": True}}}
    each = {"Type": "Map", "ItemProcessor": branch, "End": True}
    definition = {"StartAt": "Each", "States": {"Each": each}}
    outcomes = [{"output": "second", "place": [1]}, {"output": "any"}]
    case = Case(id="x", kind="history", definition=definition, input=[1, 2])
    events = answer(replace(case, task_outcomes={"Press": outcomes}))["events"]
    assert events[-1]["executionSucceededEventDetails"]["output"] == '["any","second"]'


def test_an_outcome_comes_after_the_time_that_it_took() -> None:
    ended = task([{"submitted": {}, "output": 1, "after": 2.5}])[-1]
    assert ended["timestamp"] == "2025-01-01T00:00:02.500+00:00"


def test_a_refused_request_is_not_submitted_and_a_refused_callback_is() -> None:
    refused = {"error": "Jam", "cause": None}
    assert types(task([refused]))[:1] == ["TaskFailed"]
    assert types(task([{"submitted": {}, **refused}]))[:2] == ["TaskSubmitted", "TaskFailed"]


def test_a_cause_that_is_an_object_stands_for_its_text() -> None:
    failed = task([{"error": "Jam", "cause": {"why": "stuck"}}])[-1]
    assert failed["executionFailedEventDetails"]["cause"] == '{"why":"stuck"}'


def test_a_text_as_output_is_the_json_in_it() -> None:
    events = task([{"submitted": {}, "output": '"seven"'}])
    assert events[-1]["executionSucceededEventDetails"]["output"] == '"seven"'


def test_a_definition_that_is_refused_is_a_crash_of_a_history_case() -> None:
    given = answer(Case(id="x", kind="history", definition={"StartAt": "A"}))
    assert given["crash"].startswith("DefinitionError: Invalid State Machine Definition")


def test_an_object_outside_its_bucket_is_refused() -> None:
    stored = {"bucket": "b", "key": "../../escaped", "body": ""}
    given = answer(Case(id="x", kind="history", definition=PASS, objects=[stored]))
    assert "outside its bucket" in given["crash"]


def test_validation_stops_at_max_results() -> None:
    request = {"definition": '{"States": {"A": {}, "B": {}}}', "maxResults": 1}
    given = answer(Case(id="x", kind="validate", request=request))
    assert (given["result"], len(given["diagnostics"]), given["truncated"]) == ("FAIL", 1, True)


def test_a_definition_with_nothing_wrong_gives_no_refusal() -> None:
    request = {"name": "x", "roleArn": "role", "definition": PASS}
    assert answer(Case(id="x", kind="create_error", request=request)) == {}


def test_the_report_counts_by_kind_and_by_area_and_emits_the_answers(tmp_path: Path) -> None:
    validate = {"kind": "validate", "request": {"definition": json.dumps(PASS)}}
    good = {"recorded": {"result": "OK", "diagnostics": [], "truncated": False}}
    write(tmp_path, "1.json", {"id": "v/good", **validate, **good})
    write(tmp_path, "2.json", {"id": "v/bad", **validate, "recorded": {"result": "FAIL"}})
    write(tmp_path, "3.json", HISTORY | {"recorded": {"events": []}})
    write(tmp_path, "4.json", HISTORY | {"id": "a/unrecorded"})
    emitted = io.StringIO()
    report = check(tmp_path, emitted)
    assert report.as_recorded() == {"history": 0, "validate": 1}
    assert report.as_recorded("area") == {"a": 0, "v": 1}
    assert [one.case.id for one in report.missed] == ["a/b", "v/bad"]
    assert str(report).splitlines()[-1] == "1 of 3 as AWS recorded them (33.3 %)"
    ids = [json.loads(line)["id"] for line in emitted.getvalue().splitlines()]
    assert ids == ["a/b", "a/unrecorded", "v/bad", "v/good"]
