"""A state that was entered once: its events, its data, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..values.json_values import value_of
from .recorded import Entry

VisitOutcome = Literal["succeeded", "caught", "failed", "in progress", "aborted"]
ATTEMPTS = (
    "LambdaFunctionScheduled",
    "ActivityScheduled",
    "TaskScheduled",
    "ParallelStateStarted",
    "MapStateStarted",
)
"""Types of events with which a state's work begins."""


@dataclass(slots=True, eq=False)
class Visit:
    """A state that was entered once, and the events that belong to it."""

    entered: Entry
    parent: Visit | None
    """That of the Parallel or Map that the state stands in."""
    index: int | None = None
    """Which iteration of the Map around it, if there is one."""
    outcome: VisitOutcome = "in progress"
    last: Entry | None = None
    """The latest event of the state itself: not of the iterations in a Map."""
    waits_for: Entry | None = None
    """The event after which somebody else has to answer: a callback, a job, an activity's task."""
    events: list[Entry] = field(default_factory=list)
    following: str | None = None
    """The state that was entered next; None at an end, or when this one was not left."""
    alternatives: Sequence[Visit] = ()
    """Those that it can be mistaken for since a redrive: the history does not say which it was."""
    unsure_from: int = 0
    """From which event on it can be."""

    @property
    def name(self) -> str:
        """The state's name."""
        return self.entered.name or ""

    @property
    def over(self) -> bool:
        """Whether the state was left."""
        return self.outcome in ("succeeded", "caught")

    @property
    def exited(self) -> Entry | None:
        """The event with which the state was left."""
        last = self.events[-1]
        return last if last.type.endswith("StateExited") else None

    @property
    def place(self) -> str:
        """Where it is from the outside in: `Map[3] > Charge`; `[?]` where that is not known."""
        return _place((self, *self.alternatives))

    def place_at(self, event: Entry) -> str:
        """Return the place as it is known at an event: before a redrive it is always known."""
        return _place((self,)) if event.id < self.unsure_from else self.place

    @property
    def levels(self) -> list[tuple[str, int | str | None]]:
        """The path, with "?" in place of the numbers that are not known since a redrive."""
        return _levels((self, *self.alternatives))

    @property
    def path(self) -> list[tuple[str, int | None]]:
        """The states from the outside in, each with the iteration of the Map directly around it."""
        return [(one.name, one.map_index) for one in reversed(list(self.outward()))]

    @property
    def iterations(self) -> list[int]:
        """The numbers of the iterations that it stands in, from the outside in."""
        return [index for _, index in self.path if index is not None]

    @property
    def map_index(self) -> int | None:
        """The iteration of the Map that it stands in directly; None elsewhere."""
        in_map = self.parent and self.parent.entered.type == "MapStateEntered"
        return self.index if in_map else None

    @property
    def iteration(self) -> str:
        """`[3]` in an iteration of the Map that it stands in directly, else nothing."""
        return "" if self.map_index is None else f"[{self.map_index}]"

    @property
    def input(self) -> Any:
        """The state's input as a value."""
        return value_of(self.entered.details.get("input"))

    @property
    def output(self) -> Any:
        """The state's output as a value; None when it was not left."""
        return value_of(self.exited.details.get("output")) if self.exited else None

    @property
    def assigned(self) -> dict[str, Any]:
        """The variables that it assigned (fact 81)."""
        texts = self.exited.details.get("assignedVariables", {}) if self.exited else {}
        return {name: value_of(text) for name, text in texts.items()}

    @property
    def attempts(self) -> list[Entry]:
        """The events with which its work began: a task scheduled, branches or items started.

        Facts 411 to 414, 422 and 431: a retry has no second entry.
        """
        return [event for event in self.events if event.type in ATTEMPTS]

    @property
    def retries(self) -> list[Entry]:
        """The attempts after the first."""
        return self.attempts[1:]

    @property
    def errors(self) -> list[str]:
        """The names of the errors in its own events."""
        return [str(e.details["error"]) for e in self.events if e.failed and "error" in e.details]

    def outward(self) -> Iterator[Visit]:
        """Yield this visit and those that enclose it."""
        visit: Visit | None = self
        while visit:
            yield visit
            visit = visit.parent


def _levels(visits: Iterable[Visit]) -> list[tuple[str, int | str | None]]:
    levels = zip(*(one.path for one in visits), strict=False)
    return [
        (name, index if all(other == index for _, other in others) else "?")
        for (name, index), *others in levels
    ]


def _place(visits: Iterable[Visit]) -> str:
    levels = _levels(visits)
    parts = ("" if index is None else f"[{index}]" for _, index in levels)
    names = (name for name, _ in levels)
    return "".join(f"{at} > {name}" for at, name in zip(parts, names, strict=True))[3:]
