"""Check histories and calls, however often the server was killed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Any

from served import Call

Event = dict[str, Any]
History = list[Event]
Note = dict[str, Any]

JOINS = ("ParallelStateSucceeded", "ParallelStateExited", "MapStateSucceeded", "MapStateExited")
"""They follow whichever branch or iteration ended last, as does the iteration that comes next."""


def history(call: Call, arn: str) -> History:
    """Return all events of an execution."""
    events: History = []
    more: dict[str, str] = {}
    while True:
        page = call("GetExecutionHistory", executionArn=arn, maxResults=1000, **more)
        events += page["events"]
        if "nextToken" not in page:
            return events
        more = {"nextToken": page["nextToken"]}


def descendants(call: Call, arn: str, events: History) -> list[History]:
    """Yield the histories of executions that it started, then of its map runs' children."""
    submitted = (event.get("taskSubmittedEventDetails") for event in events)
    arns = [
        json.loads(details["output"])["ExecutionArn"]
        for details in submitted
        if details and details["resourceType"] == "states"
    ]
    for run in call("ListMapRuns", executionArn=arn)["mapRuns"]:
        children = call("ListExecutions", mapRunArn=run["mapRunArn"])["executions"]
        arns += sorted(child["executionArn"] for child in children)
    return [history(call, one) for one in arns]


def chains(events: History) -> Counter[tuple[str, ...]]:
    """Return the history without timing: for every event the types that led to it."""
    by_id = {event["id"]: event for event in events}

    def led_to(event: Event | None) -> Iterator[str]:
        while event is not None:
            yield event["type"]
            joins = event["type"] in (*JOINS, "MapIterationStarted")
            event = None if joins else by_id.get(event["previousEventId"])

    return Counter(tuple(led_to(event)) for event in events)


_OWN = re.compile(
    r"main-(real|virtual|60)|(?<=:)run-+\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|AQC\w{20,}|Date[^,}]+"
)
"""In an event what each execution has of its own: its machine's clock, names, tokens, dates."""


def details(events: History) -> Counter[str]:
    """Return the events' contents without what differs between executions."""
    apart = ("id", "previousEventId", "timestamp")
    said = ({key: value for key, value in event.items() if key not in apart} for event in events)
    return Counter(_OWN.sub("…", json.dumps(one)) for one in said)


def wrong_history(arn: str, found: list[History], expected: list[History]) -> Iterator[str]:
    """Yield what is wrong with an execution's history and those of its descendants."""
    if len(found) != len(expected):
        yield f"{arn}: {len(found) - 1} descendants, not {len(expected) - 1}"
    for number, (events, wanted) in enumerate(zip_longest(found, expected, fillvalue=[])):
        of = f"descendant {number} of {arn}" if number else arn
        yield from _wrong_order(of, events)
        differing = chains(events) - chains(wanted), chains(wanted) - chains(events)
        if any(differing):
            yield f"{of}: too much of {differing[0]}, too little of {differing[1]}"
    # Of all together: the names of children, by which they are sorted, are random.
    said, expected_details = (details([*chain(*each)]) for each in (found, expected))
    if said != expected_details:
        yield f"{arn}: says {said - expected_details}, not {expected_details - said}"
    if _output(found[0]) != _output(expected[0]):
        yield f"{arn}: the output is {_output(found[0])}"


def _wrong_order(of: str, events: History) -> Iterator[str]:
    times = [event["timestamp"] for event in events]
    if [event["id"] for event in events] != list(range(1, len(events) + 1)):
        yield f"{of}: ids have gaps"
    if times != sorted(times):
        yield f"{of}: time goes back"


def _output(events: History) -> Any:
    return events[-1].get("executionSucceededEventDetails")


def wrong_calls(notes: list[Note], expected: int) -> Iterator[str]:
    """Yield calls with unexpected keys, and calls repeated by the same server."""
    if len(once(notes)) != expected:
        yield f"calls under {len(once(notes))} keys, not {expected}"
    by_server = Counter((note["key"], note["attempt"], note["server"]) for note in notes)
    for (key, attempt, _), times in by_server.items():
        if times > 1:
            yield f"{key}: attempt {attempt} was called {times} times by one server"


def wrong_status_changes(call: Call, published: list[Event]) -> Iterator[str]:
    """Yield status changes that were published twice or do not match the execution."""
    if len({one["id"] for one in published}) < len(published) or not published:
        yield f"{len(published)} status changes were published, some of them twice"
    for detail in (one["detail"] for one in published):
        there = call("DescribeExecution", executionArn=detail["executionArn"])
        facts = {"startDate": round(there["startDate"] * 1000)}
        if detail["status"] != "RUNNING":
            facts |= {"status": there["status"], "stopDate": round(there["stopDate"] * 1000)}
        if detail != detail | facts:
            yield f"{detail['executionArn']}: the published status differs: {facts}"


def once(notes: list[Note]) -> set[tuple[str, int]]:
    """Return each call once; a retrier's attempts share their key."""
    return {(note["key"], note["attempt"]) for note in notes}
