"""The calls of tasks in a recorded history: what each one gave, as a case's outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from doorstep.errors import InputError
from doorstep.jsontext import loads
from doorstep.timestamps import epoch_seconds

Event = Mapping[str, Any]
Groups = tuple[str | int, ...]
"""Around a state, from the outside in: the name of a Map, the number of a branch."""

_CALL = re.compile(r"(LambdaFunction|Activity|Task)Scheduled")


class Calls:
    """The calls of tasks in a history, and how each one ended."""

    def __init__(self, events: Sequence[Event], definition: Mapping[str, Any]) -> None:
        self.events = events
        self.around = _surroundings(definition)
        self.following: dict[int, list[Event]] = {}
        for event in events:
            self.following.setdefault(event["previousEventId"], []).append(event)
            name = details_of(event).get("name")
            if event["type"].endswith("StateEntered") and name not in self.around:
                raise InputError(
                    f"the history enters {name!r}, which is no state of the definition."
                )

    def outcomes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """For each call the state and a case's outcome, in the order in which they were made."""
        for event in self.events:
            if scheduled := _CALL.fullmatch(event["type"]):
                state = self._state(event)
                place = self._place(event, state)
                placed = {"place": list(place)} if place else {}
                yield state, self._outcome(event, scheduled[1]) | placed

    def _back(self, event: Event) -> Iterator[Event]:
        """The events that this one follows from, the nearest first."""
        while 0 < event["previousEventId"] < event["id"]:
            event = self.events[event["previousEventId"] - 1]
            yield event

    def _state(self, scheduled: Event) -> str:
        for event in self._back(scheduled):
            if event["type"] == "TaskStateEntered":
                return str(details_of(event)["name"])
        raise InputError(f"event {scheduled['id']} belongs to no state.")

    def _place(self, scheduled: Event, state: str) -> tuple[int, ...]:
        """The number of the branch or iteration in each group around the state."""
        before = self._back(scheduled)
        outwards = [
            group if isinstance(group, int) else _iteration(before, group)
            for group in reversed(self.around[state])
        ]
        return tuple(reversed(outwards))

    def _outcome(self, scheduled: Event, family: str) -> dict[str, Any]:
        outcome: dict[str, Any] = {}
        begun = event = scheduled
        while event := self._next(event, family):
            details = details_of(event)
            match event["type"].removeprefix(family):
                case "Started":
                    begun = event
                case "Submitted":
                    outcome["submitted"] = _output(event)
                case "Succeeded":
                    return outcome | {"output": _output(event)} | _after(scheduled, begun, event)
                case "TimedOut":
                    return outcome | {"timed_out": details.get("error")}
                case _:
                    told = {name: details[name] for name in ("error", "cause") if name in details}
                    failed = {**told, "failed_as": event["type"]}
                    return outcome | failed | _after(scheduled, begun, event)
        return outcome

    def _next(self, event: Event, family: str) -> Any:
        """The next event of the same call; a Scheduled is that of another one."""
        for after in self.following.get(event["id"], ()):
            ours = after["type"].startswith(family) and "State" not in after["type"]
            if ours and not _CALL.fullmatch(after["type"]):
                return after
        return None


def _surroundings(scope: Mapping[str, Any], groups: Groups = ()) -> dict[str, Groups]:
    """For every state the groups around it."""
    found: dict[str, Groups] = {}
    for name, state in scope["States"].items():
        found[name] = groups
        for number, branch in enumerate(state.get("Branches", ())):
            found |= _surroundings(branch, (*groups, number))
        if processor := state.get("ItemProcessor") or state.get("Iterator"):
            found |= _surroundings(processor, (*groups, name))
    return found


def _iteration(before: Iterator[Event], name: str) -> int:
    for event in before:
        if event["type"] == "MapIterationStarted" and details_of(event).get("name") == name:
            return int(details_of(event)["index"])
    raise InputError(f"a task in the Map {name!r} was called outside of an iteration.")


def _output(event: Event) -> Any:
    """The value, where that can't be mistaken for the text of another one."""
    text = text_of(event, "output")
    value = loads(text)
    return text if isinstance(value, str) else value


def _after(scheduled: Event, begun: Event, ended: Event) -> dict[str, float]:
    """How long it took; not where heartbeats, which leave no events, may have kept it alive."""
    details = details_of(scheduled)
    lasted = round(epoch_seconds(ended["timestamp"]) - epoch_seconds(begun["timestamp"]), 3)
    limit = details.get("timeoutInSeconds", lasted + 1)
    fits = 0 < lasted < limit and "heartbeatInSeconds" not in details
    return {"after": lasted} if fits else {}


def details_of(event: Event) -> Mapping[str, Any]:
    """An event's details, {} where it has none."""
    found = next((event[name] for name in event if name.endswith("EventDetails")), None)
    return found if isinstance(found, Mapping) else {}


def text_of(event: Event, name: str) -> str:
    """A JSON text of the details; raises InputError for a history without execution data."""
    text = details_of(event).get(name)
    if not isinstance(text, str):
        raise InputError(
            f"event {event['id']} ({event['type']}) has no {name}: the history has to be asked for "
            "with its execution data (--include-execution-data)."
        )
    return text
