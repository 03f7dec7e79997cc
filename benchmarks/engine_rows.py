"""States, tasks, Map and Parallel, large values: whole executions with their histories.

The floor writes the same history by hand: a dict an event, each new value encoded once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from measure import Growth, Row, Work
from peers import peers

import doorstep

ROUNDS = 1_000
ITEMS = 10_000
BRANCHES = 100
RESOURCE = "arn:aws:lambda:us-east-1:123456789012:function:same"
UNLIMITED = {"history_events": None}

Run = Callable[[], Any]


def states(count: int, prefix: str = "S", **fields: Any) -> dict[str, Any]:
    """Return a machine of so many states, each a Pass that is made of `fields`."""
    names = [f"{prefix}{number}" for number in range(count)]
    steps = {
        name: {"Type": "Pass", **fields, "Next": following} for name, following in pairwise(names)
    }
    last = {names[-1]: {"Type": "Pass", **fields, "End": True}}
    return {"StartAt": names[0], "States": {**steps, **last}}


def loop(rounds: int) -> dict[str, Any]:
    """Return a counting loop: Pass with States.MathAdd, then Choice. Four events a round."""
    count = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.at.n, 1)"}}
    more = {"Variable": "$.at.n", "NumericLessThan": rounds, "Next": "Count"}
    return {
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Result": {"n": 0}, "ResultPath": "$.at", "Next": "Count"},
            "Count": {**count, "ResultPath": "$.at", "Next": "More"},
            "More": {"Type": "Choice", "Choices": [more], "Default": "End"},
            "End": {"Type": "Succeed"},
        },
    }


def tasks(rounds: int, **fields: Any) -> dict[str, Any]:
    """Return a loop around a task: five events of the task and two of the Choice a round."""
    more = {"Variable": "$.n", "NumericLessThan": rounds, "Next": "Work"}
    return {
        "StartAt": "Work",
        "States": {
            "Work": {"Type": "Task", "Resource": RESOURCE, **fields, "Next": "More"},
            "More": {"Type": "Choice", "Choices": [more], "Default": "End"},
            "End": {"Type": "Succeed"},
        },
    }


def mapped(state: dict[str, Any]) -> dict[str, Any]:
    """Return an inline Map with one state for each item."""
    processor = {"StartAt": "Same", "States": {"Same": {**state, "End": True}}}
    return {
        "StartAt": "All",
        "States": {
            "All": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": processor,
                "ResultPath": None,
                "End": True,
            }
        },
    }


def parallel(branches: int, length: int) -> dict[str, Any]:
    """Return a Parallel of branches, each so many Pass states long."""
    each = [states(length, f"{branch}-") for branch in range(branches)]
    state = {"Type": "Parallel", "Branches": each, "End": True}
    return {"StartAt": "Fork", "States": {"Fork": state}}


def executed(definition: dict[str, Any], data: Any = None, **options: Any) -> Run:
    """Return what runs a definition up to its history as AWS has it.

    What it returns are the seconds without what happens once: checking and compiling.
    """
    options = {"quotas": UNLIMITED, **options}

    def run() -> float:
        execution = doorstep.start(definition, data, **options)
        begun = time.process_time()
        execution.wait()
        history = execution.history
        spent = time.process_time() - begun
        assert execution.status == "SUCCEEDED", execution.cause
        run.events = len(history)  # type: ignore[attr-defined]
        return spent

    return run


def each_event(run: Run) -> Work:
    """Measure the microseconds of an event."""

    def work() -> float:
        spent: float = run()
        return spent / run.events * 1e6  # type: ignore[attr-defined]

    return work


def whole(run: Run, scale: float = 1.0) -> Work:
    """Measure all of it, in seconds times `scale`."""
    return lambda: run() * scale


class Hand:
    """A history written by hand."""

    def __init__(self) -> None:
        self.history: list[dict[str, Any]] = []

    def record(self, kind: str, details: dict[str, Any] | None, previous: int | None = None) -> int:
        """Write an event as GetExecutionHistory has it."""
        history = self.history
        number = len(history)
        history.append(
            {
                "timestamp": time.time(),
                "type": kind,
                "id": number + 1,
                "previousEventId": number if previous is None else previous,
                "details": details,
            }
        )
        return number + 1

    def state(self, kind: str, name: str, member: str, text: str, previous: int) -> int:
        """Write the entry or exit of a state."""
        details = {"name": name, member: text, f"{member}Details": {"truncated": False}}
        return self.record(kind, details, previous)


def timed(work: Callable[[Hand], object]) -> Run:
    """Return what does it with a new history, and returns the seconds."""

    def run() -> float:
        hand = Hand()
        begun = time.process_time()
        work(hand)
        spent = time.process_time() - begun
        run.events = len(hand.history)  # type: ignore[attr-defined]
        return spent

    return run


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def loop_by_hand(rounds: int) -> Callable[[Hand], None]:
    def work(hand: Hand) -> None:
        data: dict[str, Any] = {"at": {"n": 0}}
        text, last = dumps(data), 0
        while data["at"]["n"] < rounds:
            last = hand.state("PassStateEntered", "Count", "input", text, last)
            data = {**data, "at": {"n": data["at"]["n"] + 1}}
            text = dumps(data)
            last = hand.state("PassStateExited", "Count", "output", text, last)
            last = hand.state("ChoiceStateEntered", "More", "input", text, last)
            last = hand.state("ChoiceStateExited", "More", "output", text, last)

    return work


def add_one(event: dict[str, Any]) -> dict[str, Any]:
    return {"n": event["n"] + 1}


def task_by_hand(hand: Hand, name: str, data: Any, text: str, last: int, call: Any) -> Any:
    """Write a task of a function, and call that: it gets and returns a copy of its own."""
    last = hand.state("TaskStateEntered", name, "input", text, last)
    details = {"resource": RESOURCE, "input": text, "inputDetails": {"truncated": False}}
    last = hand.record("LambdaFunctionScheduled", details, last)
    last = hand.record("LambdaFunctionStarted", None, last)
    text = dumps(call(json.loads(text)))
    data = json.loads(text)
    details = {"output": text, "outputDetails": {"truncated": False}}
    last = hand.record("LambdaFunctionSucceeded", details, last)
    return data, text, hand.state("TaskStateExited", name, "output", text, last)


def tasks_by_hand(rounds: int) -> Callable[[Hand], None]:
    def work(hand: Hand) -> None:
        data, last = {"n": 0}, 0
        text = dumps(data)
        while data["n"] < rounds:
            data, text, last = task_by_hand(hand, "Work", data, text, last, add_one)
            last = hand.state("ChoiceStateEntered", "More", "input", text, last)
            last = hand.state("ChoiceStateExited", "More", "output", text, last)

    return work


def map_by_hand(items: list[Any], call: Any = None) -> Callable[[Hand], None]:
    def work(hand: Hand) -> None:
        began, outputs = hand.record("MapStateStarted", {"length": len(items)}, 0), []
        for index, item in enumerate(items):
            at = {"name": "All", "index": index}
            last, text = hand.record("MapIterationStarted", at, began), dumps(item)
            if call:
                item, text, last = task_by_hand(hand, "Same", item, text, last, call)
            else:
                last = hand.state("PassStateEntered", "Same", "input", text, last)
                last = hand.state("PassStateExited", "Same", "output", text, last)
            hand.record("MapIterationSucceeded", dict(at), last)
            outputs.append(item)
        dumps(outputs)

    return work


def parallel_by_hand(branches: int, length: int) -> Callable[[Hand], None]:
    def work(hand: Hand) -> None:
        began = hand.record("ParallelStateStarted", None, 0)
        lasts = [began] * branches
        for number in range(length):
            for branch in range(branches):
                last = hand.state("PassStateEntered", f"S{number}", "input", "{}", lasts[branch])
                lasts[branch] = hand.state("PassStateExited", f"S{number}", "output", "{}", last)
        dumps([{} for _ in range(branches)])

    return work


def large(count: int) -> dict[str, Any]:
    """Return a value of about 200 KiB for 2,000 items."""
    text = "x" * 60
    return {"items": [{"n": n, "name": f"item {n}", "text": text} for n in range(count)], "k": 1}


RESHAPED = {"Parameters": {"items.$": "$.items", "k.$": "$.k", "at": "here"}}


def large_by_hand(value: dict[str, Any], length: int) -> Callable[[Hand], None]:
    def work(hand: Hand) -> None:
        data, last, text = value, 0, dumps(value)
        for number in range(length):
            last = hand.state("PassStateEntered", f"S{number}", "input", text, last)
            data = {"at": "here", "items": data["items"], "k": data["k"]}
            text = dumps(data)
            last = hand.state("PassStateExited", f"S{number}", "output", text, last)

    return work


ATTEMPTS = 1_000


def failing() -> Run:
    """Return a task that fails a thousand times and is retried without a delay."""
    retry = {"ErrorEquals": ["States.ALL"], "MaxAttempts": ATTEMPTS, "IntervalSeconds": 1}
    caught = {"ErrorEquals": ["States.ALL"], "Next": "End"}
    definition = tasks(1, Retry=[{**retry, "BackoffRate": 1.0}], Catch=[caught])

    def broken(event: Any) -> Any:
        raise ValueError("broken")

    return executed(definition, {"n": 0}, handlers={"same": broken})


def rows() -> list[Row]:
    """Return what is measured of the engine."""
    items = {"items": list(range(ITEMS))}
    same = {"same": lambda event: event}
    task, value = {"Type": "Task", "Resource": RESOURCE}, large(2_000)
    a_pass = executed(mapped({"Type": "Pass"}), items)
    a_task = executed(mapped(task), items, handlers=same)
    return [
        Row(
            "Pass and Choice, JSONPath",
            "µs an event",
            each_event(executed(loop(ROUNDS), {})),
            each_event(timed(loop_by_hand(ROUNDS))),
            peers(loop(ROUNDS), {}, scale=1e6 / (4 * ROUNDS)),
            goal="1.4 floors",
        ),
        Row(
            "Task and Choice",
            "µs an event",
            each_event(executed(tasks(ROUNDS), {"n": 0}, handlers={"same": add_one})),
            each_event(timed(tasks_by_hand(ROUNDS))),
            goal="2.5 floors",
        ),
        Row(
            "inline Map of 10,000, a Pass each",
            "s",
            whole(a_pass),
            whole(timed(map_by_hand(items["items"]))),
            peers(mapped({"Type": "Pass"}), items),
            goal="0.2 s",
        ),
        Row(
            "inline Map of 10,000, a task each",
            "s",
            whole(a_task),
            whole(timed(map_by_hand(items["items"], same["same"]))),
            peers(mapped(task), items, tasks=("Same",)),
            goal="0.5 s",
        ),
        Row(
            "Parallel, 100 branches of 100 states",
            "ms",
            whole(executed(parallel(BRANCHES, 100), {}), 1e3),
            whole(timed(parallel_by_hand(BRANCHES, 100)), 1e3),
            peers(parallel(BRANCHES, 100), {}, scale=1e3),
            goal="45 ms",
        ),
        Row(
            "200 KiB through 100 states",
            "s",
            whole(executed(states(100, **RESHAPED), value)),
            whole(timed(large_by_hand(value, 100))),
            peers(states(100, **RESHAPED), value),
            goal="0.1 s with orjson",
        ),
        Row(
            "failing handler, retried",
            "µs an attempt",
            whole(failing(), 1e6 / ATTEMPTS),
            goal="60 µs",
        ),
    ]


def growths() -> list[Growth]:
    """Return how costs grow with states, events, items, payload and executions."""

    def several(count: int) -> Run:
        definition = states(3)
        return lambda: [doorstep.run(definition) for _ in range(count)]

    return [
        Growth("states", (100, 1_000), lambda size: lambda: doorstep.run(states(size))),
        Growth("events", (4_000, 40_000), lambda size: executed(loop(size // 4), {})),
        Growth(
            "items of an inline Map",
            (10_000, 100_000),
            lambda size: executed(
                mapped({"Type": "Pass"}),
                {"items": list(range(size))},
                quotas={**UNLIMITED, "payload_bytes": None},
            ),
        ),
        Growth("payload", (200, 2_000), lambda size: executed(states(20, **RESHAPED), large(size))),
        Growth("executions", (20, 200), several),
    ]
