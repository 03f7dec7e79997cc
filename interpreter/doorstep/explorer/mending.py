"""What was wrong with the data of a run that failed over them, and scripts that may do better."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..asl.jsonata_fields import json_type
from ..history import Visit
from ..model.state_types import WORKING
from . import flow_states
from .flow import (
    ABSENT,
    ARRAY,
    MOMENT,
    NAMED,
    Example,
    Flow,
    Key,
    Missing,
    Read,
    Unknown,
    Want,
    expression,
    wants,
)
from .run import EVENTS, Run, Seen, Trace
from .script import Origin, Script
from .tracing import origin

_BLAMED = re.compile(r"\(entered at the event id #(\d+)\)")
_TASKS = ("LambdaFunction", "Activity", "Task")
_KINDS: tuple[Any, ...] = (1, ARRAY, {}, True, MOMENT, "{}", ["a"], [1], "a")
"""What else to try when nothing is missing, and still the state fails."""


@dataclass(frozen=True, slots=True)
class Blame:
    """A state that failed over its data."""

    seen: Seen
    cause: str
    location: str = ""
    """The field to blame, where that is known."""


@dataclass(frozen=True, slots=True)
class Lack:
    """What the state reads, where it should come from, and an example of what should be there."""

    read: Flow
    place: Origin
    example: Any


@dataclass(frozen=True, slots=True)
class Broken:
    """A field reads what is not there on this way: what it reads, and the first key without."""

    field: str
    reads: tuple[str, ...]
    key: Key


def blamed(run: Run) -> Iterator[Blame]:
    """The visits that failed over their data."""
    for trace in run.traces.values():
        if found := _uncaught(run, trace):
            yield found
        for visit in trace.visits.all:
            for event in visit.events:
                if event.type == "EvaluationFailed":
                    location = str(event.details.get("location", ""))
                    place = re.sub(r"\[(\d+)\]", r"/\1", location)
                    cause = str(event.details.get("cause"))
                    named = _named(trace, cause) or visit
                    yield Blame(Seen(run, trace, named), cause, place)
            if visit.exited and _caught_silently(run, visit):
                yield Blame(Seen(run, trace, visit), "")


def _uncaught(run: Run, trace: Trace) -> Blame | None:
    """What ended an execution, unless an event tells of it."""
    execution = trace.execution
    told = execution.error == "States.QueryEvaluationError"
    if execution.status != "FAILED" or told or len(execution.events) >= EVENTS:
        return None
    cause = execution.cause or ""
    found = _named(trace, cause)
    if found is None and execution.error == "States.Runtime":
        found = _unfinished(trace)
    return Blame(Seen(run, trace, found), cause) if found else None


def _named(trace: Trace, cause: str) -> Visit | None:
    """The visit that a cause names by the event of its entry."""
    named = _BLAMED.search(cause)
    entered = int(named[1]) if named else None
    return next((one for one in trace.visits.all if one.entered.id == entered), None)


def _unfinished(trace: Trace) -> Visit | None:
    """The latest visit that was not left: a map run's failure does not name its state."""
    return next((one for one in reversed(trace.visits.all) if not one.exited), None)


def _caught_silently(run: Run, visit: Visit) -> bool:
    """Whether a catcher took a failure that is no event: of an intrinsic function, of a path."""
    state = run.subject.states[visit.name]
    left_by_catcher = state.catchers and visit.following != state.next
    return bool(left_by_catcher) and not any(event.failed for event in visit.events)


def missing(blame: Blame) -> list[Lack]:
    """What was not there, or of another kind."""
    found = []
    for _, want, place in _traced(blame):
        if isinstance(place, Origin):
            value = blame.seen.run.script.get(place)
            if value is ABSENT or not _fits(value, want.example):
                found.append(Lack(want.flow, place, example(want.example, place)))
    return found


def broken(blame: Blame) -> Broken | None:
    """What can't be there, if that is why."""
    jsonata = blame.seen.state.jsonata
    found = [
        (field, expression(want.flow, jsonata=jsonata), place.key)
        for field, want, place in _traced(blame)
        if isinstance(place, Missing) and isinstance(want.flow, Read | Missing)
        if _is_at(field, blame.location)
    ]
    if not found:
        return None
    first, _, key = found[0]
    reads = dict.fromkeys(read for field, read, _ in found if field == first)
    return Broken(first, tuple(reads), key)


def fed(blame: Blame) -> bool:
    """Whether any of what the state reads comes from outside of the definition, or is computed."""
    return any(isinstance(place, Origin | Unknown) for _, _, place in _traced(blame))


def mended(blame: Blame) -> Script | None:
    """The script with the data that were missing, if any were."""
    lacking = missing(blame)
    script = blame.seen.run.script
    for lack in lacking:
        script = script.put(lack.place, lack.example)
    return script if lacking else None


def guesses(blame: Blame) -> Iterator[Script]:
    """Scripts with other kinds of data in the place of what the state reads."""
    for _, _, place in _traced(blame):
        if isinstance(place, Origin) and place.keys:
            yield from (blame.seen.run.script.put(place, kind) for kind in _KINDS)


def _traced(blame: Blame) -> Iterator[tuple[str, Want, Origin | Flow]]:
    """What the blamed state reads, with the field that does and where it comes from."""
    for field, want in _reads(blame.seen):
        each: Iterable[int | None] = (None,)
        if field == "ItemSelector":
            each = range(_length(blame.seen))
        for index in each:
            yield field, want, origin(blame.seen, want.flow, index)


def _length(seen: Seen) -> int:
    """How many items a Map has, two at the most."""
    if seen.state.reader:
        return min(2, len(seen.run.script.found(seen.state.name) or ()))
    lengths = [event.details.get("length", 0) for event in seen.visit.attempts]
    return min(2, lengths[-1]) if lengths else 0


def _is_at(field: str, location: str) -> bool:
    """Whether a field is the one that AWS names as the location, as far as it names one."""
    return not location or location.startswith(field) or field.startswith(location)


def example(wanted: Any, place: Origin) -> Any:
    """A value of the kind that is wanted."""
    if wanted is not NAMED:
        return wanted
    names = [key for key in place.keys if isinstance(key, str)]
    return f"some {names[-1]}" if names else {}


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Example):
        return True
    return json_type(value) == json_type(wanted)


def _reads(seen: Seen) -> Iterator[tuple[str, Want]]:
    """What a state had read by then, with the field that does."""
    state, events = seen.state, seen.visit.events
    worked = state.type not in WORKING or any(e.type.endswith("Succeeded") for e in events)
    failed = any(event.failed and event.type.startswith(_TASKS) for event in events)
    for field, want in flow_states.reads(state):
        if field.startswith("Catch/"):
            read = failed
        elif field.startswith(("Output", "Assign")):
            read = worked and not failed
        else:
            read = not failed and not (worked and field == "ItemSelector")
        if read:
            yield from ((field, inner) for inner in wants(want.flow, want.example))
