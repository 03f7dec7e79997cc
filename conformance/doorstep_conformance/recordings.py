"""Turn a history from a user's own account into a case.

GetExecutionHistory has all that a case needs, except for what happens outside of the execution: the
tasks and files of a distributed Map's children, and a stop or redrive. Histories with these are
refused. The other answers of the API are objects, recorded as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from doorstep.errors import InputError
from doorstep.history.aws_json import as_aws
from doorstep.history.recorded import Entry
from doorstep.model import State, workflow
from doorstep.replayer import Recording, read_recording
from doorstep.values.json_values import dumps, loads
from doorstep.values.timestamps import isoformat

from .calls import TaskCalls
from .cases import Case
from .compare import SYNC_MEMBERS
from .values import unfolded

ON_AWS = "on AWS"

_OUTSIDE = {
    "ExecutionAborted": "the execution was stopped; a case cannot say when",
    "ExecutionRedriven": "the execution was redriven; a case cannot say when",
    "MapRunStarted": "the children of the map run call tasks or read files, which this history "
    "lacks",
}
_NAMES_THE_RUN = ("stateMachineAliasArn", "stateMachineVersionArn", "workerName")
_OF_THE_RUN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # UUID
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+"  # time
    r"|arn:[\w-]+:(?:iam|states):[^:]*:\d{12}:[^\s\"']+"  # role, execution, map run
    r"|A[AQ][A-Za-z0-9+/=]{60,}"  # task token
)


def recorded_case(
    events: Sequence[Any], definition: Mapping[str, Any], name: str, where: str = ON_AWS
) -> dict[str, Any]:
    """Return the content of a case file that expects this history.

    `events`: those of all pages of GetExecutionHistory, in either order; `where`: what the case's
    source says about where it ran. Raises InputError for a history that is incomplete, does not fit
    the definition, or that a case cannot express.
    """
    recording = read_recording(events)
    _check(recording, definition)
    started = recording.events[0]
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for state, outcome in TaskCalls(recording, definition).outcomes():
        outcomes.setdefault(state, []).append(outcome)
    request = {"input": loads(started.text("input")), "task_outcomes": outcomes}
    recorded = [_lasting(entry) for entry in recording.events]
    return {
        "id": name,
        "source": f"recorded {where}, {isoformat(started.at)[:10]}",
        "kind": "history",
        "definition": definition,
        **request,
        "recorded": {"events": recorded},
        "wildcards": _wildcards(recorded, dumps([definition, request])),
    }


def recorded_answer(case: Case, answer: Mapping[str, Any], where: str = ON_AWS) -> dict[str, Any]:
    """Return the content of a case file that expects this answer: an object, no history."""
    recorded = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    request: dict[str, Any] = {"request": case.request}
    if case.kind == "sync":
        recorded = {name: recorded[name] for name in SYNC_MEMBERS if name in recorded}
        request = {"type": case.type, "definition": case.definition, "input": case.input}
    return {
        "id": case.id,
        "source": f"recorded {where}, {datetime.now(UTC).date()}",
        "kind": case.kind,
        **request,
        "recorded": recorded,
        "wildcards": _wildcards(recorded, dumps(request)),
    }


def _check(recording: Recording, definition: Mapping[str, Any]) -> None:
    children = any(map(_unknown_children, workflow(definition).scope.walk()))
    for entry in recording.events:
        if entry.type == "MapRunStarted" and not children:
            continue
        if why := _OUTSIDE.get(entry.type):
            raise InputError(f"event {entry.id}: {why}.")
        for name in ("input", "output"):
            if name in entry.details:
                entry.text(name)
    if not recording.ended:
        raise InputError("the history is incomplete: wait until the execution ends.")


def _unknown_children(state: State) -> bool:
    """Return whether the children of a map run depend on what its own history does not say."""
    inside = [inner for scope in state.scopes for inner in scope.walk()]
    tasks = any(inner.type == "Task" for inner in inside)
    return state.distributed and (tasks or "ItemReader" in state.fields)


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


def _wildcards(recorded: Any, request: str) -> list[str]:
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
