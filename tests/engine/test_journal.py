"""The journal: lines that come back as they were, and a replay that notices what does not fit."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

import doorstep
from doorstep.api import compile_definition
from doorstep.engine.journal import Journal, read, replay
from doorstep.engine.messages import Event
from doorstep.history.aws_json import aws_events

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
TASK = {"Type": "Task", "Resource": FUNCTION + "work", "End": True}
DEFINITION: dict[str, Any] = {
    "Comment": "naïve – café",
    "StartAt": "Make",
    "States": {
        "Make": {
            "Type": "Pass",
            "Parameters": {"id.$": "States.UUID()", "n": 1},
            "Assign": {"made": True},
            "Next": "Both",
        },
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Work", "States": {"Work": TASK}},
                {
                    "StartAt": "Rest",
                    "States": {"Rest": {"Type": "Wait", "Seconds": 5, "End": True}},
                },
            ],
            "Next": "End",
        },
        "End": {"Type": "Succeed"},
    },
}


def journal(definition: dict[str, Any] = DEFINITION, **options: Any) -> Journal:
    def work(event: Any) -> Any:
        return doorstep.answer({"was": event, "price": 1.1}, after=0.25)

    return doorstep.run(definition, {"ü": "€"}, {"work": work}, seed=1, **options)._running.journal


def test_the_lines_come_back_as_the_same_journal() -> None:
    written = journal()
    again = read(written.lines())
    assert again == written
    assert list(again.lines()) == list(written.lines())


def test_each_line_is_json_and_says_what_it_is() -> None:
    header, *entries = [json.loads(line) for line in journal().lines()]
    assert header["definition"] == DEFINITION
    assert header["semantics"] == 1
    assert entries[0][:2] == ["fact", "started"]
    assert entries[1][:2] == ["event", 1]
    assert {entry[0] for entry in entries} == {"fact", "event"}


def test_a_fact_stands_before_the_events_that_follow_from_it() -> None:
    written = journal()
    seen: list[Any] = []
    engine = replay(compile_definition(DEFINITION), Journal(written.header))
    for entry in written.entries:
        if isinstance(entry, Event):
            seen.append(entry)
        else:
            assert engine.history == seen
            engine.receive(entry)
    assert engine.history == seen


def test_a_replay_has_the_same_history_output_and_status() -> None:
    written = journal()
    engine = replay(compile_definition(DEFINITION), read(written.lines()))
    assert engine.status == "SUCCEEDED"
    assert engine.history == [entry for entry in written.entries if isinstance(entry, Event)]
    assert engine.output[0]["price"] == 1.1
    assert list(aws_events(engine.history))[-1]["type"] == "ExecutionSucceeded"


def test_a_replay_of_a_beginning_waits_where_it_was() -> None:
    written = journal()
    written.entries = written.entries[: written.entries.index(written.facts[1])]
    engine = replay(compile_definition(DEFINITION), written)
    assert engine.status == "RUNNING"
    assert len(list(engine.pending())) == 3  # the call, the wait, the execution's own timeout


def test_a_replay_of_a_fact_without_its_events_gives_them() -> None:
    written = journal()
    whole = len(written.entries) - len(written.facts)
    while isinstance(written.entries[-1], Event):
        written.entries.pop()
    engine = replay(compile_definition(DEFINITION), written)
    assert (engine.status, len(engine.history)) == ("SUCCEEDED", whole)


def renamed(definition: dict[str, Any]) -> None:
    definition["States"]["Final"] = definition["States"].pop("End")
    definition["States"]["Both"]["Next"] = "Final"


def retyped(definition: dict[str, Any]) -> None:
    definition["States"]["End"] = {"Type": "Pass", "End": True}


@pytest.mark.parametrize("change", [renamed, retyped])
def test_a_changed_definition_is_noticed_at_its_first_event(change: Any) -> None:
    written = journal()
    events = (entry for entry in written.entries if isinstance(entry, Event))
    number = next(event.id for event in events if event.type == "SucceedStateEntered")
    other = deepcopy(DEFINITION)
    change(other)
    with pytest.raises(doorstep.ReplayError, match=rf"event {number}\b.*SucceedStateEntered"):
        replay(compile_definition(other), written)


def test_a_history_that_is_shorter_now_is_noticed() -> None:
    written = journal()
    other = deepcopy(DEFINITION)
    other["States"]["Both"]["Branches"][1]["States"]["Rest"]["Seconds"] = 60
    with pytest.raises(doorstep.ReplayError, match=r"event \d+, WaitStateExited"):
        replay(compile_definition(other), written)


def test_another_detail_of_the_same_event_is_named() -> None:
    written = journal()
    other = deepcopy(DEFINITION)
    other["States"]["Make"]["Parameters"]["n"] = 2
    with pytest.raises(doorstep.ReplayError, match="event 3, PassStateExited, has another output"):
        replay(compile_definition(other), written)


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "not JSON",
        "5",
        "{}",
        "[]",
        '["fact"]',
        '["event", 1]',
        '["rumour", 1, 0, "PassStateEntered", 0.0, null]',
        '["fact", "started", 0, "", null, "too much"]',
        '["event", 1, 0, "PassStateEntered", 0, {}',
    ],
)
@pytest.mark.parametrize("number", [1, 3])
def test_a_damaged_line_is_named(damage: str, number: int) -> None:
    lines = list(journal().lines())
    lines[number - 1] = damage
    with pytest.raises(doorstep.ReplayError, match=f"line {number} of the journal is damaged"):
        read(lines)


def test_a_journal_without_lines_has_no_header() -> None:
    with pytest.raises(doorstep.ReplayError, match="empty"):
        read([])


def test_a_journal_of_other_rules_is_refused() -> None:
    header, *rest = journal().lines()
    newer = json.loads(header) | {"semantics": 99}
    with pytest.raises(doorstep.ReplayError, match="semantics 99"):
        read([json.dumps(newer), *rest])


def test_failures_and_redrives_are_kept_as_well() -> None:
    def work(event: Any) -> Any:
        raise doorstep.fail("Boom", "why")

    execution = doorstep.start(DEFINITION, {}, {"work": work}, seed=1)
    execution.wait()
    execution.redrive()
    execution.wait()
    assert execution.status == "FAILED"
    again = read(execution._running.journal.lines())
    assert again == execution._running.journal
    assert replay(compile_definition(DEFINITION), again).redrives == 1
