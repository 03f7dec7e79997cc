"""Turn a history from a user's own account into a case.

GetExecutionHistory has all that a case needs, except for what happens outside of the execution: the
children of a distributed Map, and a stop or redrive. Histories with these are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from doorstep.errors import InputError
from doorstep.history.aws_json import as_aws
from doorstep.history.recorded import Entry
from doorstep.replayer import Recording, read_recording
from doorstep.values.json_values import dumps, loads
from doorstep.values.timestamps import isoformat

from .calls import TaskCalls
from .values import unfolded

_OUTSIDE = {
    "ExecutionAborted": "the execution was stopped; a case cannot say when",
    "ExecutionRedriven": "the execution was redriven; a case cannot say when",
    "MapRunStarted": "the children of a map run have histories of their own, which this one lacks",
}
_NAMES_THE_RUN = ("stateMachineAliasArn", "stateMachineVersionArn", "workerName")
_OF_THE_RUN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # UUID
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+"  # time
    r"|arn:[\w-]+:(?:iam|states):[^:]*:\d{12}:[^\s\"']+"  # role, execution, map run
    r"|A[AQ][A-Za-z0-9+/=]{60,}"  # task token
)


def recorded_case(
    events: Sequence[Any], definition: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return the content of a case file that expects this history.

    `events`: those of all pages of GetExecutionHistory, in either order. Raises InputError for a
    history that is incomplete, does not fit the definition, or that a case cannot express.
    """
    recording = read_recording(events)
    _check(recording)
    started = recording.events[0]
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for state, outcome in TaskCalls(recording, definition).outcomes():
        outcomes.setdefault(state, []).append(outcome)
    request = {"input": loads(started.text("input")), "task_outcomes": outcomes}
    recorded = [_lasting(entry) for entry in recording.events]
    return {
        "id": name,
        "source": f"recorded on AWS, {isoformat(started.at)[:10]}",
        "kind": "history",
        "definition": definition,
        **request,
        "recorded": {"events": recorded},
        "wildcards": _wildcards(recorded, dumps([definition, request])),
    }


def _check(recording: Recording) -> None:
    for entry in recording.events:
        if why := _OUTSIDE.get(entry.type):
            raise InputError(f"event {entry.id}: {why}.")
        for name in ("input", "output"):
            if name in entry.details:
                entry.text(name)
    if not recording.ended:
        raise InputError("the history is incomplete: wait until the execution ends.")


# What was AWS's answer ---------------------------------------------------------------------------


def _lasting(entry: Entry) -> dict[str, Any]:
    """Return an event without what differs from run to run of a state machine."""
    return {
        name: {key: member for key, member in value.items() if key not in _NAMES_THE_RUN}
        if isinstance(value, Mapping)
        else value
        for name, value in as_aws(entry).items()
        if name != "timestamp"
    }


def _wildcards(recorded: list[dict[str, Any]], request: str) -> list[str]:
    """Return the strings with an id, time, ARN or token that is not in the run's input."""
    return sorted(
        text
        for text in set(_strings(recorded))
        if any(match[0] not in request for match in _OF_THE_RUN.finditer(text))
    )


def _strings(value: Any) -> Iterator[str]:
    """Yield all strings in a value, those in its JSON texts included."""
    match value if not isinstance(value, str) else unfolded(value):
        case str() as text:
            yield text
        case dict() as members:
            yield from chain.from_iterable(map(_strings, members.values()))
        case list() as items:
            yield from chain.from_iterable(map(_strings, items))
