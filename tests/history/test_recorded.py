"""Histories as they are written down, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorstep import InputError
from doorstep.engine.identity import Identity
from doorstep.engine.journal import Header, Journal
from doorstep.engine.quotas import STANDARD
from doorstep.history.recorded import Entry, by_execution, entries, of_one, read_events, whole

CLI_PAGES = """
{
    "events": [
        {
            "timestamp": "2024-03-05T09:30:00.123000-05:00",
            "type": "ExecutionStarted",
            "id": 1,
            "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": "{}",
                "inputDetails": {"truncated": false},
                "roleArn": "arn:aws:iam::210987654321:role/R"
            }
        }
    ],
    "NextToken": "AAA"
}
{
    "events": [
        {
            "timestamp": 1709649000.5,
            "type": "PassStateEntered",
            "id": 2,
            "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "Pass", "input": "{}"}
        }
    ]
}
"""
LOG_LINES = [
    {
        "id": "1",
        "type": "ExecutionStarted",
        "details": {"input": "{}", "roleArn": "arn:aws:iam::210987654321:role/R"},
        "previous_event_id": "0",
        "event_timestamp": "1709649000123",
        "execution_arn": "arn:aws:states:eu-west-1:210987654321:express:M:n:1",
        "redrive_count": "0",
    },
    {
        "id": "2",
        "type": "LambdaFunctionStarted",
        "previous_event_id": "0",
        "event_timestamp": "1709649000124",
        "execution_arn": "arn:aws:states:eu-west-1:210987654321:express:M:n:1",
    },
]


def read(text: str) -> list[Entry]:
    return whole(entries(read_events(text, "file"), "file"), "file")


def test_pages_one_after_the_other_are_one_history() -> None:
    first, second = read(CLI_PAGES)
    assert (first.id, first.type, first.details["input"]) == (1, "ExecutionStarted", "{}")
    assert (second.id, second.name) == (2, "Pass")


def test_timestamps_are_read_with_their_offset_or_as_epoch_seconds() -> None:
    first, second = read(CLI_PAGES)
    assert (first.at, second.at) == (1709649000.123, 1709649000.5)


def test_a_list_of_events_and_reversed_order_are_taken_as_well() -> None:
    events = [event for page in (0, 1) for event in _page(page)]
    assert read(json.dumps(events[::-1])) == read(CLI_PAGES)


def test_an_event_that_two_pages_share_counts_once() -> None:
    assert len(read(json.dumps(_page(0)) + CLI_PAGES)) == 2


def test_log_lines_are_read_by_themselves_and_in_cloudwatchs_answer() -> None:
    lines = "\n".join(map(json.dumps, LOG_LINES))
    answer = json.dumps({"events": [{"message": json.dumps(line)} for line in LOG_LINES]})
    assert read(lines) == read(answer)
    started, called = read(lines)
    assert (started.at, started.details["input"]) == (1709649000.123, "{}")
    assert (called.id, called.previous, called.details) == (2, 0, {})


def test_log_lines_tell_whose_they_are() -> None:
    named = by_execution(read_events("\n".join(map(json.dumps, LOG_LINES)), "file"))
    assert list(named) == ["arn:aws:states:eu-west-1:210987654321:express:M:n:1"]


ARN = "arn:aws:states:us-east-1:123456789012:execution:"
JOURNAL = "\n".join(
    (
        *Journal(Header({}, Identity("n", "s", "M"), STANDARD)).lines(),
        '["fact","started",1709649000.5,"","{}"]',
        '["event",1,0,"ExecutionStarted",1709649000.5,{"input":"{}"}]',
        *Journal(Header({}, Identity("inner", "s", "Sub"), STANDARD)).lines(),
        '["event",1,0,"ExecutionStarted",1709649001.0,{"input":"[]"}]',
        f'["of","{ARN}M:n"]',
        '["event",2,0,"PassStateEntered",1709649000.5,{"name":"P","input":"{}"}]',
        '["event",3,2,"Pass',
    )
)


def test_of_a_journal_the_execution_is_meant_that_it_begins_with() -> None:
    events, arn = of_one(read_events(JOURNAL, "file"), None, "file")
    assert arn == f"{ARN}M:n"
    assert [(one.id, one.type, one.at) for one in entries(events, "file")] == [
        (1, "ExecutionStarted", 1709649000.5),
        (2, "PassStateEntered", 1709649000.5),
    ]


def test_another_execution_of_a_journal_has_to_be_named() -> None:
    found = read_events(JOURNAL, "file")
    events, _ = of_one(found, f"{ARN}Sub:inner", "file")
    assert [one.details for one in entries(events, "file")] == [{"input": "[]"}]
    with pytest.raises(InputError, match=f"file has no execution other; it has {ARN}M:n, "):
        of_one(found, "other", "file")


def test_events_that_tell_whose_they_are_do_not_mix_with_others() -> None:
    events = [*_page(0), *read_events("\n".join(map(json.dumps, LOG_LINES)), "file")]
    with pytest.raises(InputError, match="only some of its events name their execution"):
        of_one(events, None, "file")


def test_a_damaged_journal_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match="file: line 2 of the journal is damaged: there are no"):
        read_events(JOURNAL.replace("fact", "fct"), "file")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "file is empty; expected the"),
        ("\x00", "file is not JSON (line 1, column 1"),
        ("# no", "file is not JSON (line 1, column 1"),
        (CLI_PAGES[:200], "file is not JSON (line 9, column 13"),
        ("{}", "file has no events"),
        ("[]", "file has no events"),
        ("3", "file has no events"),
        ('{"events": 3}', "file has no events"),
        ('{"events": [3]}', "event 1 is not an event"),
        ('{"events": [{"id": 1}]}', "event 1 is not an event ('type' is missing)"),
        (
            '{"events": [{"id": 1, "type": "X", "timestamp": "now"}]}',
            "event 1 is not an event (Invalid isoformat string",
        ),
        ('{"events": [{"message": "no JSON"}]}', "file is not JSON"),
        ('{"id": 1, "type": "X", "event_timestamp": "soon"}', "file can't be read"),
        ("[" * 100_000, "file can't be read as JSON"),
    ],
)
def test_what_is_no_history_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text)
    assert told in str(refused.value)


def test_a_missing_page_is_told() -> None:
    with pytest.raises(InputError, match="file has no event 1: it takes all pages"):
        read(json.dumps(_page(1)))


def test_pages_of_two_executions_are_told_apart() -> None:
    other = [event | {"timestamp": 5} for event in _page(0)]
    with pytest.raises(InputError, match="two events 1 that differ"):
        read(json.dumps(_page(0)) + json.dumps(other))


def test_a_history_begins_with_its_start() -> None:
    events = [event | {"id": 1} for event in _page(1)]
    with pytest.raises(InputError, match="event 1 is PassStateEntered, not ExecutionStarted"):
        read(json.dumps(events))


@pytest.mark.parametrize(
    ("details", "told"),
    [
        ({}, "has to be asked for with its execution data"),
        ({"output": "[1", "outputDetails": {"truncated": True}}, "only the beginning"),
    ],
)
def test_a_text_that_is_not_there_as_a_whole_is_told(details: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Entry(7, 6, "TaskSucceeded", 0.0, details).text("output")


def _page(number: int) -> list[dict[str, Any]]:
    page = CLI_PAGES.replace("}\n{", "}\x00{").split("\x00")[number]
    events: list[dict[str, Any]] = json.loads(page)["events"]
    return events
