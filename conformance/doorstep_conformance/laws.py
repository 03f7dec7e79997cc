"""Laws: what is true of every history that GetExecutionHistory returns.

Sources: facts 400 to 403 (ids, chain, ends) and the service's API model (the members of each
type's details, fact 443). Recorded histories keep them; generated ones have to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from doorstep.engine.messages import STATE_TYPES, TERMINAL
from doorstep.errors import InputError
from doorstep.values.json_values import loads

HistoryEvent = Mapping[str, Any]
Violations = Iterator[str]

_ENVELOPE = {"timestamp", "type", "id", "previousEventId"}
_WHY = "error cause"
_TASK = "resourceType* resource*"
_OUTPUT = "output outputDetails"
_SCHEDULED = "resource* input inputDetails timeoutInSeconds"
_ENTERED = "name* input inputDetails"
_EXITED = f"name* {_OUTPUT} assignedVariables assignedVariablesDetails"
DETAILS: Mapping[str, str] = {
    **dict.fromkeys((f"{state}StateEntered" for state in STATE_TYPES), _ENTERED),
    **dict.fromkeys((f"{state}StateExited" for state in STATE_TYPES if state != "Fail"), _EXITED),
    "ExecutionStarted": "input inputDetails roleArn stateMachineAliasArn stateMachineVersionArn",
    "ExecutionSucceeded": _OUTPUT,
    **dict.fromkeys(("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"), _WHY),
    "ExecutionRedriven": "redriveCount",
    "EvaluationFailed": f"{_WHY} location state*",
    "LambdaFunctionScheduled": f"{_SCHEDULED} taskCredentials",
    "LambdaFunctionScheduleFailed": _WHY,
    "LambdaFunctionStarted": "",
    "LambdaFunctionStartFailed": _WHY,
    "LambdaFunctionSucceeded": _OUTPUT,
    **dict.fromkeys(("LambdaFunctionFailed", "LambdaFunctionTimedOut"), _WHY),
    "ActivityScheduled": f"{_SCHEDULED} heartbeatInSeconds",
    "ActivityScheduleFailed": _WHY,
    "ActivityStarted": "workerName",
    "ActivitySucceeded": _OUTPUT,
    **dict.fromkeys(("ActivityFailed", "ActivityTimedOut"), _WHY),
    "TaskScheduled": f"{_TASK} region* parameters* "
    "timeoutInSeconds heartbeatInSeconds taskCredentials",
    "TaskStarted": _TASK,
    **dict.fromkeys(("TaskSubmitted", "TaskSucceeded"), f"{_TASK} {_OUTPUT}"),
    **dict.fromkeys(
        ("TaskStartFailed", "TaskSubmitFailed", "TaskFailed", "TaskTimedOut"), f"{_TASK} {_WHY}"
    ),
    **dict.fromkeys((f"{state}StateAborted" for state in ("Task", "Wait", "Parallel", "Map")), ""),
    **dict.fromkeys((f"ParallelState{how}" for how in ("Started", "Succeeded", "Failed")), ""),
    "MapStateStarted": "length",
    **dict.fromkeys(("MapStateSucceeded", "MapStateFailed"), ""),
    **dict.fromkeys(
        (f"MapIteration{how}" for how in ("Started", "Succeeded", "Failed", "Aborted")),
        "name index",
    ),
    "MapRunStarted": "mapRunArn",
    "MapRunRedriven": "mapRunArn redriveCount",
    "MapRunFailed": _WHY,
    **dict.fromkeys(("MapRunSucceeded", "MapRunAborted"), ""),
}
"""The members of each event type's details; * marks those that are always present."""


def broken(events: Sequence[HistoryEvent]) -> Violations:
    """Yield a sentence for every law that a history breaks."""
    each = [
        f"event {number} ({event.get('type')}): {violation}"
        for number, event in enumerate(events, start=1)
        for violation in (*_envelope(event, number), *_details(event))
    ]
    yield from each
    yield from _order(events)
    # Which entry an exit belongs to is only known if the events themselves are right.
    if not each:
        yield from _exits(events)


def _envelope(event: HistoryEvent, number: int) -> Violations:
    if missing := _ENVELOPE - event.keys():
        yield f"{min(missing)} is missing"
        return
    if event["id"] != number:
        yield f"the id is {event['id']}"
    if not 0 <= event["previousEventId"] < number:
        yield f"it follows from event {event['previousEventId']}"


def _order(events: Sequence[HistoryEvent]) -> Violations:
    if events and events[0].get("type") != "ExecutionStarted":
        yield "the first event is not ExecutionStarted"
    for before, event in pairwise(events):
        if before.get("type") in TERMINAL and event.get("type") != "ExecutionRedriven":
            yield f"event {event.get('id')} comes after the end of the execution"
        if str(event.get("timestamp")) < str(before.get("timestamp")):
            yield f"event {event.get('id')} is earlier than the one before it"


def _details(event: HistoryEvent) -> Violations:
    kind = str(event.get("type"))
    if kind not in DETAILS:
        yield "the type does not exist"
        return
    members = [name for name in event if name not in _ENVELOPE]
    allowed = DETAILS[kind].split()
    if members != ([_member(kind)] if allowed else []):
        yield f"it has {', '.join(members) or 'no details'}"
        return
    if not allowed:
        return
    details = event[members[0]]
    names = {name.rstrip("*") for name in allowed}
    required = {name.rstrip("*") for name in allowed if name.endswith("*")}
    yield from (f"its details have {name}" for name in sorted(details.keys() - names))
    yield from (f"its details lack {name}" for name in sorted(required - details.keys()))
    for name, value in details.items():
        if not _CHECKS.get(name, _is_text)(value):
            yield f"{name} can't be {value!r}"


def _member(kind: str) -> str:
    for shared in ("StateEntered", "StateExited"):
        if kind.endswith(shared):
            return f"s{shared[1:]}EventDetails"
    return f"{kind[0].lower()}{kind[1:]}EventDetails"


def _exits(events: Sequence[HistoryEvent]) -> Violations:
    """Check that every exit follows from an entry of its own."""
    by_id = {event["id"]: event for event in events}
    left: set[Any] = set()
    for event in events:
        if event["type"].endswith("StateExited"):
            entry = _entry(event, by_id)
            if entry is None or entry in left:
                yield f"event {event['id']} ({event['type']}) leaves a state that was not entered"
            left.add(entry)


def _entry(exited: HistoryEvent, by_id: Mapping[Any, HistoryEvent]) -> Any:
    name = exited["stateExitedEventDetails"]["name"]
    kind = exited["type"].replace("Exited", "Entered")
    number, previous = exited["id"], exited["previousEventId"]
    while 0 < previous < number:
        event = by_id[previous]
        if event["type"] == kind and event["stateEnteredEventDetails"]["name"] == name:
            return event["id"]
        number, previous = event["id"], event["previousEventId"]
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_json(value: Any) -> bool:
    try:
        loads(value)
    except (InputError, TypeError):
        return False
    return True


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_truncation(value: Any) -> bool:
    return isinstance(value, dict) and value in ({"truncated": True}, {"truncated": False})


def _is_variables(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_json, value.values()))


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("input", "output", "parameters"), _is_json),
    **dict.fromkeys(("index", "length", "redriveCount"), _is_count),
    **dict.fromkeys(("timeoutInSeconds", "heartbeatInSeconds"), _is_count),
    **dict.fromkeys(("inputDetails", "outputDetails", "assignedVariablesDetails"), _is_truncation),
    "assignedVariables": _is_variables,
    "taskCredentials": lambda value: isinstance(value, dict),
}
