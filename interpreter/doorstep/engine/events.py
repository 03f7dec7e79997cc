"""Facts come in, events come out: both in tables, with AWS's names.

A *fact* is what reached an execution from outside; its `data` is a JSON value, so that a journal
can hold it. An *event* is an entry of GetExecutionHistory.

| fact | key | data |
|---|---|---|
| started | | input's JSON text |
| looked up | command | whether the task's activity is there |
| picked up | command | name of the activity worker, or null |
| submitted | command | what the service answered to the request of a callback or job |
| heartbeat | command | |
| succeeded | command | the output as a value |
| failed | command | {"error": …, "cause": …}, either may be absent |
| due | command | which of the command's timers: delay, timeout, heartbeat |
| stopped | | {"error": …, "cause": …} |
| redriven | | |
| crashed | | {"error": …, "cause": …}: Doorstep can't do what the execution needs |
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

FactKind = Literal[
    "started",
    "looked up",
    "picked up",
    "submitted",
    "heartbeat",
    "succeeded",
    "failed",
    "due",
    "stopped",
    "redriven",
    "crashed",
]


class Fact(NamedTuple):
    """What came from outside, when (epoch seconds), and which command it answers."""

    kind: FactKind
    at: float
    key: str = ""
    data: Any = None


class Event(NamedTuple):
    """An entry of the history; `previous` follows the chain of causes, not the list."""

    id: int
    previous: int
    type: str
    at: float
    details: dict[str, Any] | None = None


WHOLE = {"truncated": False}
"""inputDetails, outputDetails: GetExecutionHistory never cuts a text."""

STATE_TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")

# The member that holds an event's details is its type's name in camel case + "EventDetails", but:
_SHARED = {f"{state}StateEntered": "stateEnteredEventDetails" for state in STATE_TYPES} | {
    f"{state}StateExited": "stateExitedEventDetails" for state in STATE_TYPES
}
_WITHOUT = (
    "LambdaFunctionStarted",
    "MapRunAborted",
    "MapRunSucceeded",
    "MapStateAborted",
    "MapStateFailed",
    "MapStateSucceeded",
    "ParallelStateAborted",
    "ParallelStateFailed",
    "ParallelStateStarted",
    "ParallelStateSucceeded",
    "TaskStateAborted",
    "WaitStateAborted",
)


def details_member(event_type: str) -> str | None:
    """Where GetExecutionHistory puts an event's details; None for types that have none."""
    if event_type in _WITHOUT:
        return None
    return _SHARED.get(event_type) or f"{event_type[0].lower()}{event_type[1:]}EventDetails"


TERMINAL = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}
"""The events that end an execution, and the status that they leave."""
