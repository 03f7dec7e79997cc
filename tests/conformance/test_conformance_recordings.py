"""Histories of a user's own account become cases, and those that can't are refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.errors import InputError
from doorstep_conformance import (
    OWN_CASES,
    Case,
    Verdict,
    answer,
    judge,
    load_case,
    load_cases,
    recorded_case,
)

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:price"
QUEUE = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
ROLE = "arn:aws:iam::111122223333:role/orders"
TOKEN = "AQB8AAAAKgAAAAMAAAAAAAAAAc" * 8
EXAMPLES = Path(__file__).parents[2] / "examples"
EACH = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "Price",
                "States": {"Price": {"Type": "Task", "Resource": FUNCTION, "End": True}},
            },
            "End": True,
        }
    },
}
ASK = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            "Type": "Task",
            "Resource": QUEUE,
            "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2}],
            "End": True,
        }
    },
}
WHOLE = {"truncated": False}
SENT = {"resourceType": "sqs", "resource": "sendMessage.waitForTaskToken"}


def event(number: int, previous: int, at: float, kind: str, **details: Any) -> dict[str, Any]:
    """An event as version 1 of the AWS CLI prints it, with seconds since 1970."""
    shown = {"timestamp": 1714557600 + at, "type": kind, "id": number, "previousEventId": previous}
    shared = kind.removeprefix("Task").removeprefix("Map")
    name = shared if shared in ("StateEntered", "StateExited") else kind
    member = f"{name[0].lower()}{name[1:]}EventDetails"
    return shown | ({member: details} if details else {})


def iterations() -> list[dict[str, Any]]:
    """Two iterations at a time, the second of which is asked, and answered, first."""
    zero, one = {"name": "Each", "index": 0}, {"name": "Each", "index": 1}
    output = {"outputDetails": WHOLE}
    given = {"input": "[5,6]", "inputDetails": WHOLE}
    return [
        event(1, 0, 0, "ExecutionStarted", **given, roleArn=ROLE),
        event(2, 0, 0.02, "MapStateEntered", name="Each", **given),
        event(3, 2, 0.02, "MapStateStarted", length=2),
        event(4, 3, 0.03, "MapIterationStarted", **zero),
        event(5, 3, 0.03, "MapIterationStarted", **one),
        event(6, 5, 0.04, "TaskStateEntered", name="Price", input="6", inputDetails=WHOLE),
        event(7, 4, 0.04, "TaskStateEntered", name="Price", input="5", inputDetails=WHOLE),
        event(
            8, 6, 0.05, "LambdaFunctionScheduled", resource=FUNCTION, input="6", inputDetails=WHOLE
        ),
        event(
            9, 7, 0.05, "LambdaFunctionScheduled", resource=FUNCTION, input="5", inputDetails=WHOLE
        ),
        event(10, 8, 0.1, "LambdaFunctionStarted"),
        event(11, 9, 0.1, "LambdaFunctionStarted"),
        event(12, 10, 1.1, "LambdaFunctionSucceeded", output="60", **output),
        event(13, 11, 2.6, "LambdaFunctionSucceeded", output='"50"', **output),
        event(14, 12, 1.2, "TaskStateExited", name="Price", output="60", **output),
        event(15, 14, 1.2, "MapIterationSucceeded", **one),
        event(16, 13, 2.6, "TaskStateExited", name="Price", output='"50"', **output),
        event(17, 16, 2.6, "MapIterationSucceeded", **zero),
        event(18, 17, 2.6, "MapStateSucceeded"),
        event(19, 17, 2.6, "MapStateExited", name="Each", output='["50",60]', **output),
        event(20, 19, 2.6, "ExecutionSucceeded", output='["50",60]', **output),
    ]


def callback() -> list[dict[str, Any]]:
    """A request that is refused, then taken; the callback comes twenty minutes later."""
    body = {"QueueUrl": "q", "MessageBody": TOKEN}
    scheduled = {**SENT, "region": "eu-west-1", "parameters": json.dumps(body)}
    output = {"output": '{"ok": true}', "outputDetails": WHOLE}
    entered = {"name": "Ask", "input": "{}", "inputDetails": WHOLE}
    return [
        event(1, 0, 0, "ExecutionStarted", input="{}", inputDetails=WHOLE, roleArn=ROLE),
        event(2, 0, 0, "TaskStateEntered", **entered),
        event(3, 2, 0, "TaskScheduled", **scheduled),
        event(4, 3, 0.5, "TaskStarted", **SENT),
        event(5, 4, 1, "TaskFailed", **SENT, error="Busy", cause="try later"),
        event(6, 5, 3, "TaskScheduled", **scheduled),
        event(7, 6, 3, "TaskStarted", **SENT),
        event(8, 7, 3, "TaskSubmitted", **SENT, output='{"MessageId":"m1"}', outputDetails=WHOLE),
        event(9, 8, 1203, "TaskSucceeded", **SENT, **output),
        event(10, 9, 1203, "TaskStateExited", name="Ask", **output),
        event(11, 10, 1203, "ExecutionSucceeded", **output),
    ]


@pytest.fixture
def judged(tmp_path: Path) -> Callable[[dict[str, Any]], Verdict]:
    """The verdict on a case that was written to a file and read again."""

    def judged(content: dict[str, Any]) -> Verdict:
        path = tmp_path / "case.json"
        path.write_text(json.dumps(content), "utf-8")
        case = load_case(path)
        return judge(case, answer(case))

    return judged


def test_each_iteration_gets_what_it_got(judged: Callable[..., Verdict]) -> None:
    content = recorded_case(iterations(), EACH, "prices")
    assert content["task_outcomes"] == {
        "Price": [
            {"output": 60, "after": 1.0, "place": [1]},
            {"output": '"50"', "after": 2.5, "place": [0]},
        ]
    }
    assert content["source"] == "recorded on AWS, 2024-05-01"
    assert judged(content).grade == "causal"


def test_a_callback_is_submitted_and_answered_later(judged: Callable[..., Verdict]) -> None:
    content = recorded_case(callback(), ASK, "ask")
    assert content["task_outcomes"] == {
        "Ask": [
            {"error": "Busy", "cause": "try later", "failed_as": "TaskFailed", "after": 0.5},
            {"submitted": {"MessageId": "m1"}, "output": {"ok": True}, "after": 1200.0},
        ]
    }
    assert content["wildcards"] == sorted([ROLE, TOKEN])
    verdict = judged(content)
    # The history has no second token of its own: the region is what Doorstep has otherwise.
    assert verdict.why.endswith('.region: expected "eu-west-1", got "us-east-1"')


def test_the_order_of_the_events_in_the_file_does_not_matter() -> None:
    assert recorded_case(callback()[::-1], ASK, "x") == recorded_case(callback(), ASK, "x")


def test_what_was_given_to_the_run_is_compared() -> None:
    """A time or an id that came in with the input comes out again in every run."""
    given = {"order": "0b3a8a70-7d5a-4ac1-9a25-6f4f3d1a2b3c", "at": "2024-05-01T10:00:00Z"}
    made = "5e0c1f7e-1111-4222-8333-123456789abc"
    state = {"Type": "Pass", "Parameters": {"id.$": "States.UUID()", "order.$": "$.order"}}
    text, output = json.dumps(given), json.dumps({"id": made, "order": given["order"]})
    entered = {"name": "Mark", "input": text}
    events = [
        event(1, 0, 0, "ExecutionStarted", input=text, roleArn=ROLE),
        event(2, 0, 0, "TaskStateEntered", **entered),
        event(3, 2, 0, "TaskStateExited", name="Mark", output=output),
        event(4, 3, 0, "ExecutionSucceeded", output=output),
    ]
    definition = {"StartAt": "Mark", "States": {"Mark": state | {"End": True}}}
    assert recorded_case(events, definition, "x")["wildcards"] == sorted([made, ROLE])


def test_a_task_that_was_still_waiting_has_no_answer() -> None:
    events = callback()[:4]
    events.append(event(5, 0, 99, "ExecutionTimedOut", error="States.Timeout"))
    assert recorded_case(events, ASK, "x")["task_outcomes"] == {"Ask": [{}]}


def test_a_timeout_is_not_answered_and_heartbeats_leave_the_time_open() -> None:
    events = callback()[:5]
    events[2]["taskScheduledEventDetails"]["heartbeatInSeconds"] = 5
    events[4] = event(5, 4, 9, "TaskTimedOut", **SENT, error="States.Timeout")
    events.append(event(6, 5, 9, "ExecutionFailed", error="States.Timeout"))
    assert recorded_case(events, ASK, "x")["task_outcomes"] == {
        "Ask": [{"timed_out": "States.Timeout"}]
    }
    events[4] = event(5, 4, 9, "TaskFailed", **SENT, error="Late")
    assert "after" not in recorded_case(events, ASK, "x")["task_outcomes"]["Ask"][0]


def without_map_run(case: Case) -> bool:
    """Of the execution alone can be told what was done: of a history without a map run."""
    events = (case.recorded or {}).get("events", ())
    return case.kind == "history" and all(event["type"] != "MapRunStarted" for event in events)


@pytest.mark.parametrize(
    "case", list(filter(without_map_run, load_cases(OWN_CASES))), ids=lambda case: case.id
)
def test_a_history_of_our_own_comes_back_exactly(
    case: Case, judged: Callable[..., Verdict]
) -> None:
    content = recorded_case(answer(case)["events"], case.definition, case.id)
    assert judged(content) == Verdict("exact")


@pytest.mark.parametrize("name", ["approval", "enrichment", "order"])
def test_a_run_of_an_example_comes_back(name: str, judged: Callable[..., Verdict]) -> None:
    folder = EXAMPLES / name
    definition = json.loads((folder / f"{name}.asl.json").read_text("utf-8"))
    given = json.loads((folder / "input.json").read_text("utf-8"))
    execution = doorstep.run(definition, given, folder / "handlers.py")
    content = recorded_case(execution.history, definition, name)
    assert judged(content).as_recorded


def damaged(change: Callable[[list[Any]], Any]) -> list[dict[str, Any]]:
    events = callback()
    change(events)
    return events


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda events: events.pop(4), "the history has no event 5: it takes all pages"),
        (lambda events: events.pop(), "the history is incomplete"),
        (lambda events: events[3].pop("type"), "event 4 is not an event ('type' is missing)"),
        (lambda events: events[3].update(id="four"), "event 4 is not an event (invalid literal"),
        (lambda events: events[3].update(timestamp="noon"), "Invalid isoformat string: 'noon'"),
        (
            lambda events: events.__setitem__(3, "event"),
            "event 4 is not an event (it is no object)",
        ),
        (
            lambda events: events.append(event(12, 0, 1300, "ExecutionRedriven", redriveCount=1)),
            "event 12: the execution was redriven; a case cannot say when",
        ),
        (
            lambda events: events[10].update(type="ExecutionAborted"),
            "event 11: the execution was stopped",
        ),
        (
            lambda events: events[0]["executionStartedEventDetails"].pop("input"),
            "has no input: the history has to be asked for with its execution data",
        ),
        (
            lambda events: events[8]["taskSucceededEventDetails"].update(
                outputDetails={"truncated": True}
            ),
            "event 9 (TaskSucceeded) has only the beginning of its output",
        ),
        (
            lambda events: events[1]["stateEnteredEventDetails"].update(name="Beg"),
            "the history enters 'Beg', which is not a state of the definition",
        ),
        (
            lambda events: events[2].update(previousEventId=1),
            "event 3 belongs to no state",
        ),
    ],
)
def test_what_is_no_case_is_refused(change: Callable[[list[Any]], Any], told: str) -> None:
    with pytest.raises(InputError) as refused:
        recorded_case(damaged(change), ASK, "x")
    assert told in str(refused.value)


def distributed(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "One",
        "States": {"One": {**state, "End": True}},
    }
    each = {"Type": "Map", "ItemProcessor": processor, **fields, "End": True}
    return {"StartAt": "Each", "States": {"Each": each}}


def map_run() -> list[dict[str, Any]]:
    arn = "arn:aws:states:eu-west-1:111122223333:mapRun:m/Each:0b3a8a70-7d5a-4ac1-9a25-6f4f3d1a2b3c"
    output = {"output": "[1]", "outputDetails": WHOLE}
    return [
        event(1, 0, 0, "ExecutionStarted", input="[1]", inputDetails=WHOLE, roleArn=ROLE),
        event(2, 0, 0, "MapStateEntered", name="Each", input="[1]", inputDetails=WHOLE),
        event(3, 2, 0, "MapStateStarted", length=1),
        event(4, 3, 0, "MapRunStarted", mapRunArn=arn),
        event(5, 4, 1, "MapRunSucceeded"),
        event(6, 5, 1, "MapStateSucceeded"),
        event(7, 6, 1, "MapStateExited", name="Each", **output),
        event(8, 7, 1, "ExecutionSucceeded", **output),
    ]


@pytest.mark.parametrize(
    "definition",
    [
        distributed({"Type": "Task", "Resource": FUNCTION}),
        distributed({"Type": "Pass"}, ItemReader={"Resource": "arn:aws:states:::s3:getObject"}),
    ],
)
def test_a_map_run_is_refused_when_its_children_call_tasks_or_it_reads_files(
    definition: dict[str, Any],
) -> None:
    with pytest.raises(InputError, match="event 4: the children of the map run call tasks or read"):
        recorded_case(map_run(), definition, "x")


def test_a_map_run_whose_children_need_nothing_else_is_a_case(
    judged: Callable[..., Verdict],
) -> None:
    content = recorded_case(map_run(), distributed({"Type": "Pass"}), "x")
    assert judged(content).why == ""
