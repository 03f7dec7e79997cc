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
from doorstep.events import TERMINAL
from doorstep.jsontext import dumps, loads
from doorstep.recorded import truncated
from doorstep.timestamps import epoch_seconds, isoformat

from .calls import Calls, Event, details_of, text_of
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
    events: Sequence[Event], definition: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """The content of a case file that asks Doorstep for this history.

    `events`: GetExecutionHistory's, all pages, in either order. Raises InputError for a history
    that is not whole, that is not of this definition, or that a case can't hold.
    """
    events = sorted(events, key=_id)
    _check_whole(events)
    calls = Calls(events, definition)
    text = text_of(events[0], "input")
    outcomes: dict[str, list[dict[str, Any]]] = {}
    for state, outcome in calls.outcomes():
        outcomes.setdefault(state, []).append(outcome)
    given = {"input": loads(text), "task_outcomes": outcomes}
    recorded = [_lasting(event) for event in events]
    return {
        "id": name,
        "source": f"recorded on AWS, {isoformat(epoch_seconds(events[0]['timestamp']))[:10]}",
        "kind": "history",
        "definition": definition,
        **given,
        "recorded": {"events": recorded},
        "wildcards": _wildcards(recorded, dumps([definition, given])),
    }


# What is no case ---------------------------------------------------------------------------------


def _id(event: Event) -> int:
    try:
        number = event["id"]
        for name, kind in (("type", str), ("previousEventId", int), ("id", int)):
            if not isinstance(event[name], kind):
                raise TypeError(f"{name} can't be {event[name]!r}")
        epoch_seconds(event["timestamp"])
    except (KeyError, TypeError, ValueError, OverflowError) as problem:
        told = f"{problem} is missing" if isinstance(problem, KeyError) else str(problem)
        raise InputError(f"this is not an event of GetExecutionHistory: {told}") from None
    return int(number)


def _check_whole(events: Sequence[Event]) -> None:
    for number, event in enumerate(events, start=1):
        if event["id"] != number:
            raise InputError(
                f"the history has no event {number}: it takes all its pages, as `aws stepfunctions "
                "get-execution-history` gives them without --max-items and --no-paginate."
            )
        if why := _OUTSIDE.get(event["type"]):
            raise InputError(f"event {number}: {why}.")
        if any(truncated(details_of(event), name) for name in ("input", "output")):
            raise InputError(f"event {number} is truncated: a case takes the whole text.")
    if events[0]["type"] != "ExecutionStarted" or events[-1]["type"] not in TERMINAL:
        raise InputError("the history has no end: wait until the execution is over.")


# What was AWS's answer ---------------------------------------------------------------------------


def _lasting(event: Event) -> dict[str, Any]:
    """An event without what another run of the same machine would have otherwise."""
    return {
        name: {key: said for key, said in value.items() if key not in _NAMES_THE_RUN}
        if isinstance(value, Mapping)
        else value
        for name, value in event.items()
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
