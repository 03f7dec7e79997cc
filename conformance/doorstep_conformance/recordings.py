"""A history of a user's own account as a case: what was started, what each call of a task gave.

GetExecutionHistory holds all that a case needs, but for what runs outside of it: the children of a
distributed Map, and whoever stopped or redrove the execution. Such a history is refused.
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

from .calls import Calls
from .values import unfolded

_OUTSIDE = {
    "ExecutionAborted": "the execution was stopped, and a case can't say when",
    "ExecutionRedriven": "the execution was redriven, and a case can't say when",
    "MapRunStarted": "what the children of a map run did is in their own histories, not in this",
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
    """The content of a case file that asks Doorstep for this history.

    `events`: GetExecutionHistory's, all pages, in either order. Raises InputError for a history
    that is not whole, that is not of this definition, or that a case can't hold.
    """
    recording = read_recording(events)
    _check(recording)
    started = recording.events[0]
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for state, outcome in Calls(recording, definition).outcomes():
        outcomes.setdefault(state, []).append(outcome)
    given = {"input": loads(started.text("input")), "task_outcomes": outcomes}
    recorded = [_lasting(entry) for entry in recording.events]
    return {
        "id": name,
        "source": f"recorded on AWS, {isoformat(started.at)[:10]}",
        "kind": "history",
        "definition": definition,
        **given,
        "recorded": {"events": recorded},
        "wildcards": _wildcards(recorded, dumps([definition, given])),
    }


def _check(recording: Recording) -> None:
    for entry in recording.events:
        if why := _OUTSIDE.get(entry.type):
            raise InputError(f"event {entry.id}: {why}.")
        for name in ("input", "output"):
            if name in entry.details:
                entry.text(name)
    if not recording.ended:
        raise InputError("the history has no end: wait until the execution is over.")


# What was AWS's answer ---------------------------------------------------------------------------


def _lasting(entry: Entry) -> dict[str, Any]:
    """An event without what another run of the same machine would have otherwise."""
    return {
        name: {key: said for key, said in value.items() if key not in _NAMES_THE_RUN}
        if isinstance(value, Mapping)
        else value
        for name, value in as_aws(entry).items()
        if name != "timestamp"
    }


def _wildcards(recorded: list[dict[str, Any]], given: str) -> list[str]:
    """The strings that hold an id, a time, an ARN or a token that was not given to the run."""
    return sorted(
        text
        for text in set(_strings(recorded))
        if any(found[0] not in given for found in _OF_THE_RUN.finditer(text))
    )


def _strings(value: Any) -> Iterator[str]:
    """All strings in a value, those in its JSON texts included."""
    match value if not isinstance(value, str) else unfolded(value):
        case str() as text:
            yield text
        case dict() as members:
            yield from chain.from_iterable(map(_strings, members.values()))
        case list() as items:
            yield from chain.from_iterable(map(_strings, items))
