"""The judge: it finds what differs, and takes for the same what AWS's recordings leave open."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.errors import InputError
from doorstep_conformance import Case, Verdict, differing, judge
from doorstep_conformance.compare import causally_same, masked
from doorstep_conformance.values import differences, left_open, same, unfolded

ENTERED = {"name": "Rest", "input": "{}", "inputDetails": {"truncated": False}}


def event(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
    return {"id": number, "previousEventId": previous, "type": kind, "timestamp": "now", **details}


def forked() -> list[dict[str, Any]]:
    """Two lines of events that hang off the second."""
    return [
        event(1, 0, "ExecutionStarted"),
        event(2, 0, "ParallelStateStarted"),
        event(3, 2, "PassStateEntered", stateEnteredEventDetails={"name": "A"}),
        event(4, 3, "PassStateExited", stateExitedEventDetails={"name": "A"}),
        event(5, 2, "PassStateEntered", stateEnteredEventDetails={"name": "B"}),
        event(6, 5, "PassStateExited", stateExitedEventDetails={"name": "B"}),
        event(7, 6, "ExecutionSucceeded", executionSucceededEventDetails={"output": "1"}),
    ]


def reordered() -> list[dict[str, Any]]:
    """The same with the two lines interleaved: both are entered before one is left."""
    events = forked()
    a_in, a_out, b_in, b_out = events[2:6]
    a_in["id"], b_in["id"], a_out["id"], b_out["id"] = 3, 4, 5, 6
    a_out["previousEventId"], b_out["previousEventId"] = 3, 4
    return [*events[:2], a_in, b_in, a_out, b_out, events[6]]


def graded(recorded: list[Any], events: list[Any], **fields: Any) -> Verdict:
    case = Case(id="x", kind="history", recorded={"events": recorded}, **fields)
    return judge(case, {"id": "x", "events": events})


def answered(kind: Any, recorded: dict[str, Any], answer: dict[str, Any] | None) -> Verdict:
    return judge(Case(id="x", kind=kind, recorded=recorded), answer)


def test_the_same_history_is_exact() -> None:
    recorded = [{name: value for name, value in e.items() if name != "timestamp"} for e in forked()]
    assert graded(recorded, forked()) == Verdict("exact")


def test_another_interleaving_is_causal() -> None:
    verdict = graded(forked(), reordered(), wildcards=frozenset({"now"}))
    assert verdict.grade == "causal"
    assert verdict.why.startswith("event 4 (PassStateExited, got PassStateEntered)")


def test_an_event_that_hangs_off_another_is_not_causal() -> None:
    changed = reordered()
    changed[4]["previousEventId"] = 4
    assert graded(forked(), changed).grade == "outcome"


def test_lines_that_say_the_same_are_told_apart_by_what_follows_from_them() -> None:
    recorded, ours = forked(), forked()
    for events in (recorded, ours):
        for entered in (events[2], events[4]):
            entered["stateEnteredEventDetails"] = {"name": "Twin"}
    first, second = ours[3], ours[5]
    first["previousEventId"], second["previousEventId"] = 5, 3
    assert causally_same(recorded, ours, frozenset())


def test_the_same_end_after_another_way_is_an_outcome() -> None:
    assert graded(forked(), [*forked()[:2], *forked()[4:]]).grade == "outcome"


def test_another_end_is_a_failure() -> None:
    changed = forked()
    changed[-1]["executionSucceededEventDetails"] = {"output": "2"}
    verdict = graded(forked(), changed)
    assert verdict.grade == "fail"
    assert verdict.why == (
        "event 7 (ExecutionSucceeded).executionSucceededEventDetails.output: expected 1, got 2"
    )


def test_missing_and_further_events_are_counted() -> None:
    assert graded(forked(), forked()[:-1]).why == "number of events: expected 7, got 6"
    assert graded(forked()[:-1], forked()).why == "number of events: expected 6, got 7"


def test_a_timestamp_is_compared_where_the_recording_has_one() -> None:
    recorded = [event(1, 0, "ExecutionStarted") | {"timestamp": "2025-01-01T00:00:05.000+00:00"}]
    late = [recorded[0] | {"timestamp": "2025-01-01T00:00:06.000+00:00"}]
    assert graded(recorded, recorded).grade == "exact"
    assert graded(recorded, late).grade == "fail"


@pytest.mark.parametrize("grade", ["MapRunSucceeded", "PassStateExited"])
def test_a_map_state_may_be_left_after_either_event_of_its_run(grade: str) -> None:
    recorded = [event(1, 0, grade), event(2, 1, "MapStateExited"), event(3, 2, "ExecutionFailed")]
    ours = [*recorded[:1], recorded[1] | {"previousEventId": 0}, recorded[2]]
    assert (graded(recorded, ours).grade == "exact") == (grade == "MapRunSucceeded")


def test_a_crash_and_no_answer_are_failures() -> None:
    assert answered("history", {"events": forked()}, {"crash": "boom"}).why == "crash: boom"
    assert answered("history", {"events": forked()}, {"events": []}).grade == "fail"
    assert answered("history", {"events": forked()}, None) == Verdict("fail", "no answer")


def test_a_case_without_a_recording_cannot_be_judged() -> None:
    with pytest.raises(InputError, match="no recorded answer"):
        judge(Case(id="x", kind="validate", request={}), {})


def test_of_a_sync_answer_status_output_error_and_cause_count() -> None:
    recorded = {"status": "SUCCEEDED", "output": {"n": 1}}
    given = {"status": "SUCCEEDED", "output": '{"n": 1}', "executionArn": "arn"}
    assert answered("sync", recorded, given).grade == "exact"
    assert answered("sync", recorded, given | {"output": "[]"}).grade == "fail"
    assert answered("sync", recorded, given | {"cause": "odd"}).grade == "outcome"


def test_of_a_refusal_the_code_is_the_outcome() -> None:
    recorded = {"Error": {"Code": "InvalidDefinition", "Message": "this"}}
    other = {"Error": {"Code": "InvalidDefinition", "Message": "that"}}
    assert answered("create_error", recorded, other).grade == "outcome"
    assert answered("create_error", recorded, {}).grade == "fail"


def test_masked_parallel_events_are_a_set() -> None:
    parallel = [
        event(1, 0, "ParallelStateStarted"),
        event(2, 1, "PassStateEntered", stateEnteredEventDetails={"name": "A"}),
        event(3, 1, "PassStateEntered", stateEnteredEventDetails={"name": "B"}),
        event(4, 3, "ParallelStateSucceeded"),
        event(5, 3, "ParallelStateExited"),
    ]
    recorded = masked(parallel)
    assert [one["type"] for one in recorded][-1] == "ParallelStateExited"
    assert [one["id"] for one in recorded] == [1, [0], [0], 5]
    swapped = [parallel[0], parallel[2], parallel[1], *parallel[3:]]
    assert graded(recorded, swapped, parallel_unordered=True).grade == "exact"
    twice = [parallel[0], parallel[1], parallel[1], *parallel[3:]]
    assert graded(recorded, twice, parallel_unordered=True).grade == "outcome"


def test_a_placeholder_stands_for_any_text_in_its_place() -> None:
    arn = "arn:aws:states:us-east-1:111111111111:execution:<machine>:<name>"
    given = "arn:aws:states:us-east-1:123456789012:execution:shop:one"
    assert same(arn, given)
    assert not same(arn, given.replace("execution", "express"))
    assert same("<number>", 7)


def test_a_wildcard_stands_for_any_value() -> None:
    assert same({"a": "any"}, {"a": [1]}, frozenset({"any"}))
    assert not same({"a": "any"}, {"a": [1]})


def test_texts_are_shown_as_they_are_read() -> None:
    [difference] = differences("grün", "grau, 3 €")
    assert str(difference) == ': expected "grün", got "grau, 3 €"'


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        ({"a": {"b": 1}}, {"a": {}}, ".a.b: missing, expected 1"),
        ({"a": 1}, {"a": 1, "b": 2}, ".b: unexpected 2"),
        ([1, 2], [1, 3], "[1]: expected 2, got 3"),
        ([1], [1, 2], ": expected [1], got [1, 2]"),
        (1, True, ": expected 1, got true"),
        (1, 1.0, ": expected 1, got 1.0"),
        ("a", None, ': expected "a", got null'),
    ],
)
def test_a_difference_is_told(expected: Any, actual: Any, told: str) -> None:
    assert [str(one) for one in differences(expected, actual)] == [told]


def test_every_difference_of_a_history_is_told_until_its_events_no_longer_correspond() -> None:
    case = Case(id="x", kind="history", recorded={"events": forked()})
    changed = forked()
    changed[2]["stateEnteredEventDetails"] = {"name": "Z"}
    del changed[4]
    changed[3]["previousEventId"] = 2
    assert [(one.event, one.at) for one in differing(case, {"events": changed})] == [
        ("event 3 (PassStateEntered)", ".stateEnteredEventDetails.name"),
        ("event 4 (PassStateExited)", ".previousEventId"),
        ("event 5 (PassStateEntered, got PassStateExited)", ".id"),
        ("event 5 (PassStateEntered, got PassStateExited)", ".previousEventId"),
        ("event 5 (PassStateEntered, got PassStateExited)", ".type"),
        ("event 5 (PassStateEntered, got PassStateExited)", ".stateEnteredEventDetails"),
        ("event 5 (PassStateEntered, got PassStateExited)", ".stateExitedEventDetails"),
        ("", "number of events"),
    ]


def test_texts_are_compared_as_the_json_in_them() -> None:
    assert unfolded({"cause": '{"b": ["[1]"]}'}) == {"cause": {"b": [[1]]}}
    assert unfolded({"output": "1.50", "cause": "1.50"}) == {"output": 1.5, "cause": "1.50"}
    assert unfolded({"input": '"text"', "x": "{no json"}) == {"input": "text", "x": "{no json"}
    assert unfolded({"ResponseMetadata": {}, "a": 1}) == {"a": 1}


@pytest.mark.parametrize(
    ("expected", "actual", "stands"),
    [
        ("states:<region>:111111111111:a:<name>", "states:eu-west-1:123456789012:a:b", True),
        ("execution:<resource:1>:<resource:2>", "execution:m:e", True),
        ("execution:<resource:1>", "execution:m:e", False),
        ("mapRun:<map>/<label>:<uuid:1>", "mapRun:m/L:1-2", True),
        ("mapRun:<map>:<uuid:1>", "mapRun:m/L:1-2", False),
        ("<uuid:1>", "<uuid:1>", True),
        ("<task_token:1>", "AQ:with/all=", True),
        ("at <time>", "at 2025-01-01T00:00:00Z", True),
        ("111111111111", "12345678901", False),
    ],
)  # fmt: skip
def test_a_placeholder_stands_for_one_segment_unless_its_name_says_more(
    expected: str, actual: str, stands: bool
) -> None:
    assert same(expected, actual) == stands


@pytest.mark.parametrize(
    ("mask", "value", "left"),
    [
        ({"n": "<number>", "m": 1}, {"n": 7, "m": 2}, {"n": "<number>", "m": 2}),
        ({"role": "any"}, {"role": "arn", "more": 1}, {"role": "any", "more": 1}),
        (["<name>:x"], ["a:x"], ["<name>:x"]),
        (["<name>:x"], ["a:y"], ["a:y"]),
        (["<name>"], ["a", "b"], ["a", "b"]),
    ],
)
def test_what_a_mask_leaves_open_stays_open_where_it_matches(
    mask: Any, value: Any, left: Any
) -> None:
    assert left_open(mask, value, frozenset({"any"})) == left
