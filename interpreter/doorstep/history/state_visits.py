"""What happened in each visit of a state: its attempts, their errors, and where it went on to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..engine.messages import Event
from ..values.json_values import value_of
from .recorded import Entry
from .visits import Visit, Visits

_ATTEMPTS = (
    "LambdaFunctionScheduled",
    "ActivityScheduled",
    "TaskScheduled",
    "ParallelStateStarted",
    "MapStateStarted",
)
_FAILED_GROUPS = ("ParallelStateFailed", "MapStateFailed")


@dataclass(slots=True, eq=False)
class Passage:
    """A visit and the events that belong to it."""

    visit: Visit
    around: Passage | None
    """That of the Parallel or Map that the state stands in."""
    events: list[Entry] = field(default_factory=list)
    following: str | None = None
    """The state that it went on to; None at an end, or when it was not left."""

    @property
    def name(self) -> str:
        """The state's name."""
        return self.visit.name

    @property
    def left(self) -> Entry | None:
        """The event of its exit."""
        last = self.events[-1]
        return last if last.type.endswith("StateExited") else None

    @property
    def input(self) -> Any:
        """The state's input as a value."""
        return _value(self.events[0], "input")

    @property
    def output(self) -> Any:
        """The state's output as a value; None when it was not left."""
        return _value(self.left, "output")

    @property
    def assigned(self) -> dict[str, Any]:
        """The variables that it assigned."""
        texts = self.left.details.get("assignedVariables", {}) if self.left else {}
        return {name: value_of(text) for name, text in texts.items()}

    @property
    def attempts(self) -> list[Entry]:
        """The events with which its work began: a task scheduled, branches or items started."""
        return [event for event in self.events if event.type in _ATTEMPTS]

    @property
    def retries(self) -> list[Entry]:
        """The attempts after the first."""
        return self.attempts[1:]

    @property
    def errors(self) -> list[str]:
        """The names of the errors that its own events tell of."""
        return [str(e.details["error"]) for e in self.events if e.failed and "error" in e.details]


class Passages:
    """The passages of a history in the order in which the states were entered."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = {entry.id: entry for entry in entries}
        visits = Visits(self.entries.values())
        of: dict[Visit | None, Passage] = {}
        for visit in visits.all:
            of[visit] = Passage(visit, of.get(visit.parent))
        entered = {visit.entered.previous: visit.name for visit in visits.all}
        for entry in self.entries.values():
            if passage := of.get(visits.of[entry.id]):
                passage.events.append(entry)
                if passage.left:
                    passage.following = entered.get(entry.id)
        self.all = list(of.values())

    @cached_property
    def variables(self) -> dict[int, dict[str, Any]]:
        """The variables on entry, by the id of the event that entered the state."""
        known: dict[int, dict[str, Any]] = {}
        after: dict[int, dict[str, Any]] = {}
        for passage in self.all:
            entered, around = passage.visit.entered, passage.around
            outside = known[around.visit.entered.id] if around else {}
            known[entered.id] = after.get(entered.previous, outside)
            if passage.left:
                after[passage.left.id] = {**known[entered.id], **passage.assigned}
        return known

    def cause(self, event: Entry) -> Entry | None:
        """The failure that a retry or an exit answers to: the event, or the Fail state, before it.

        A group's failure is that of the branch or iteration which failed.
        """
        before = self.entries.get(event.previous)
        while before and before.type in _FAILED_GROUPS:
            before = self.entries.get(before.previous)
        if before and (before.failed or before.type == "FailStateEntered"):
            return before
        return None


def of_execution(events: Iterable[Event]) -> Passages:
    """The passages of an execution's own events."""
    return Passages(Entry(*event[:4], event.details or {}) for event in events)


def _value(entry: Entry | None, member: str) -> Any:
    details: Mapping[str, Any] = entry.details if entry else {}
    return value_of(details.get(member))
