"""One execution of a run: the states that it went through, and how they hang together."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from ..drivers import Execution
from ..events import Event
from ..jsontext import dumps
from ..passages import Passage, Passages, of_execution

ROUNDS = 10
"""How often a state may be entered with the same data and variables."""


class Trace:
    """One execution of a run, the children of its map runs each having one of their own."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.children: dict[str, list[Trace]] = {}
        """Of each map run, by its ARN."""
        self.parent: tuple[Trace, int] | None = None
        """Whose child it is, and which one."""
        self._entered: Counter[tuple[str, str, str]] = Counter()
        self._variables: dict[str, str] = {}

    def again(self, event: Event) -> str | None:
        """The state, if an event enters it for the tenth time with nothing changed."""
        details = event.details or {}
        self._variables |= details.get("assignedVariables", {})
        if not event.type.endswith("StateEntered"):
            return None
        key = details["name"], details["input"], dumps(self._variables)
        self._entered[key] += 1
        return details["name"] if self._entered[key] == ROUNDS else None

    @cached_property
    def passages(self) -> Passages:
        """The states it went through."""
        return of_execution(self.execution.events)

    @cached_property
    def by_exit(self) -> dict[int, Passage]:
        """The passages by the event with which they were left."""
        return {one.left.id: one for one in self.passages.all if one.left}

    @cached_property
    def by_event(self) -> dict[int, Passage]:
        """The passages by each of their events."""
        return {event.id: one for one in self.passages.all for event in one.events}

    def started(self, child: Trace) -> Passage:
        """The passage of the Map whose run a child belongs to."""
        run = child.execution.identity.map_run
        return next(one for one in self.passages.all if run in _map_runs(one))

    def children_of(self, passage: Passage) -> list[Trace]:
        """The children of the last map run of a passage, in the order of their items."""
        runs = _map_runs(passage)
        return self.children.get(runs[-1], []) if runs else []

    def before(self, passage: Passage) -> Passage | None:
        """The one from which a transition led to this one; None at the start of its scope."""
        return self.by_exit.get(passage.visit.entered.previous)

    @cached_property
    def ranks(self) -> dict[int, int]:
        """How many attempts of the same state came before each one, by its event."""
        counts: Counter[str] = Counter()
        ranks = {}
        attempts = ((a.id, one.name) for one in self.passages.all for a in one.attempts)
        for event, name in sorted(attempts):
            ranks[event] = counts[name]
            counts[name] += 1
        return ranks


def _map_runs(passage: Passage) -> list[str]:
    return [e.details["mapRunArn"] for e in passage.events if e.type == "MapRunStarted"]
