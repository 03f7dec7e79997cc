"""Read the calls of tasks in a recorded history as the outcomes of a case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from doorstep.errors import InputError
from doorstep.history import Visit
from doorstep.history.recorded import Entry
from doorstep.model.definition import scopes_in, states_of
from doorstep.replayer import Recording
from doorstep.values.json_values import loads

EnclosingGroups = tuple[str | int, ...]
"""Groups around a state, from the outside in: the name of a Map, the number of a branch."""

_CALL = re.compile(r"(LambdaFunction|Activity|Task)Scheduled")


class TaskCalls:
    """The calls of tasks in a recording, and how each one ended."""

    def __init__(self, recording: Recording, definition: Mapping[str, Any]) -> None:
        self.recording = recording
        self.around = _surroundings(definition)
        for visit in recording.visits.all:
            if visit.name not in self.around:
                raise InputError(
                    f"the history enters {visit.name!r}, which is not a state of the definition."
                )

    def outcomes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield for each call, in order, the state and its outcome in a case file."""
        for entry in self.recording.events:
            if scheduled := _CALL.fullmatch(entry.type):
                visit = self.recording.visit(entry.id)
                if visit is None:
                    raise InputError(f"event {entry.id} belongs to no state.")
                place = self._place(visit)
                placed = {"place": list(place)} if place else {}
                yield visit.name, self._outcome(entry, scheduled[1]) | placed

    def _place(self, visit: Visit) -> tuple[int, ...]:
        """Return the number of the branch or iteration in each group around a state."""
        iterations = {one.parent.name: one.index for one in visit.outward() if one.parent}
        return tuple(
            group if isinstance(group, int) else _iteration(iterations, group)
            for group in self.around[visit.name]
        )

    def _outcome(self, scheduled: Entry, family: str) -> dict[str, Any]:
        outcome: dict[str, Any] = {}
        begun = entry = scheduled
        while entry := self._next(entry, family):
            match entry.type.removeprefix(family):
                case "Started":
                    begun = entry
                case "Submitted":
                    outcome["submitted"] = _output(entry)
                case "Succeeded":
                    return outcome | {"output": _output(entry)} | _after(scheduled, begun, entry)
                case "TimedOut":
                    return outcome | {"timed_out": entry.details.get("error")}
                case _:
                    failed = {**entry.why, "failed_as": entry.type}
                    return outcome | failed | _after(scheduled, begun, entry)
        return outcome

    def _next(self, entry: Entry, family: str) -> Any:
        """Return the next event of the same call; a Scheduled event begins another call."""
        for after in self.recording.following.get(entry.id, ()):
            ours = after.type.startswith(family) and "State" not in after.type
            if ours and not _CALL.fullmatch(after.type):
                return after
        return None


def _surroundings(
    scope: Mapping[str, Any], groups: EnclosingGroups = ()
) -> dict[str, EnclosingGroups]:
    """Return for every state the groups around it."""
    surroundings: dict[str, EnclosingGroups] = {}
    for name, state in states_of(scope).items():
        surroundings[name] = groups
        for steps, inner in scopes_in(state):
            group = steps[-1] if state["Type"] == "Parallel" else name
            surroundings |= _surroundings(inner, (*groups, group))
    return surroundings


def _iteration(iterations: Mapping[str, int | None], name: str) -> int:
    index = iterations.get(name)
    if index is None:
        raise InputError(f"a task in the Map {name!r} was called outside of an iteration.")
    return index


def _output(entry: Entry) -> Any:
    """Return the output as a value; a string stays JSON, or it would be read twice."""
    text = entry.text("output")
    value = loads(text)
    return text if isinstance(value, str) else value


def _after(scheduled: Entry, begun: Entry, ended: Entry) -> dict[str, float]:
    """Return how long a call took; {} if it has heartbeats, which leave no events."""
    duration = round(ended.at - begun.at, 3)
    limit = scheduled.details.get("timeoutInSeconds", duration + 1)
    fits = 0 < duration < limit and "heartbeatInSeconds" not in scheduled.details
    return {"after": duration} if fits else {}
