"""What ended an execution, and what else failed in it: the one answer that everything gives.

What ended it is read back from its last event along `previousEventId` (fact 402). What was at work
or waited for its retry at that time was aborted; it did not fail the execution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..engine import TERMINAL
from .recorded import Entry
from .state_visits import Visits
from .visit import Visit, VisitOutcome

COLUMNS = ("State", "Iteration", "Attempts", "Outcome", "Error", "Event", "Took")
"""Titles of a failure's `cells`."""
_ORDER: tuple[VisitOutcome, ...] = ("failed", "caught", "in progress", "aborted", "succeeded")
_LISTED = 3
"""Iterations to name; the others are counted."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an execution ended that did not succeed."""

    status: str
    event: Entry
    """The failure, a Fail state's entry, or else the last event."""
    visit: Visit | None
    """The state that failed; None when the execution was stopped or timed out as a whole."""
    error: str | None
    cause: str | None
    origin: Entry | None = None
    """Of a Fail state, the failure that led to it: one that was caught on the way."""
    first_visit: Visit | None = None
    """The state of the failure to look at first."""

    @property
    def first(self) -> Entry:
        """The failure to look at first: the origin, where there is one."""
        return self.origin or self.event

    @property
    def place(self) -> str:
        """The state that failed with what is around it: `Map[3] > Charge`; else empty."""
        return self.visit.place if self.visit else ""


def ending(visits: Visits) -> Ending | None:
    """Return what ended an execution; None while it runs, or when it succeeded."""
    last = next(reversed(visits.entries.values()), None)
    status = TERMINAL.get(last.type) if last else None
    if last is None or status in (None, "SUCCEEDED"):
        return None
    event = visits.cause(last) or last
    visit = visits.failed_visit(last) if last.failed else None
    origin = _origin(event, visits) if event.type == "FailStateEntered" else None
    return Ending(
        status=str(status),
        event=event,
        visit=visit,
        error=last.details.get("error"),
        cause=last.details.get("cause"),
        origin=origin,
        first_visit=visits.of.get(origin.id) if origin else visit,
    )


def _origin(entered: Entry, visits: Visits) -> Entry | None:
    """Return the latest failure that was caught on the way to a state."""
    at: Entry | None = entered
    while at and at.type != "ExecutionRedriven":
        visit = visits.of.get(at.id)
        if visit and at is visit.exited and visit.outcome == "caught":
            return visits.cause(at)
        at = visits.entries.get(at.previous)
    return None


@dataclass(frozen=True, slots=True)
class StateFailures:
    """Visits of one state that failed alike: in other iterations, or one after the other."""

    visits: Sequence[Visit]
    among: int
    """How many visits the state has had in all."""
    errors: Sequence[str]
    """The names of the errors of a visit, in order, each once."""
    cause: str | None
    """Of the latest of these visits."""
    ended: bool
    """Whether this is what ended the execution."""

    @property
    def state(self) -> str:
        """The state with what is around it: `Map > Charge`."""
        return " > ".join(name for name, _ in self.visits[0].path)

    @property
    def outcome(self) -> VisitOutcome:
        """How the visits ended."""
        return self.visits[0].outcome

    @property
    def event(self) -> int:
        """The id of the latest failure, or of the visit's latest event."""
        events = self.visits[-1].events
        return next((one.id for one in reversed(events) if one.failed), events[-1].id)

    @property
    def seconds(self) -> float:
        """How long the longest of the visits took, until its latest event."""
        return max(one.events[-1].at - one.entered.at for one in self.visits)

    def cells(self) -> tuple[str, ...]:
        """Return the texts of a row under COLUMNS."""
        fewest, *_, most = sorted(attempts := self._attempts * 2)
        return (
            self.state,
            self._iterations(),
            "" if not any(attempts) else str(most) if fewest == most else f"{fewest}-{most}",
            self.outcome,
            ", ".join(self.errors),
            str(self.event),
            str(timedelta(seconds=round(self.seconds))),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the row for programs, which docs/cli.md describes."""
        return {
            "state": self.state,
            "iterations": [one.iterations for one in self.visits if one.iterations],
            "visits": len(self.visits),
            "ofVisits": self.among,
            "attempts": max(self._attempts),
            "outcome": self.outcome,
            "errors": list(self.errors),
            "error": self.errors[-1] if self.errors else None,
            "cause": self.cause,
            "event": self.event,
            "seconds": round(self.seconds, 3),
            "ended": self.ended,
        }

    @property
    def _attempts(self) -> list[int]:
        return [len(one.attempts) for one in self.visits]

    def _iterations(self) -> str:
        labels = [
            "".join(f"[{index}]" for _, index in one.levels if index is not None)
            for one in self.visits
        ]
        listed = " ".join(label for label in labels[:_LISTED] if label)
        if len(labels) == 1:
            return listed
        more = " …" if listed and len(labels) > _LISTED else ""
        return f"{len(labels)} of {self.among}: {listed}{more}".removesuffix(": ")


def failures(visits: Visits, *, every: bool = False) -> list[StateFailures]:
    """Return what failed: first what ended the execution, then the rest, alike visits as one.

    `every`: each visit by itself, and those that were aborted without a failure of their own.
    """
    end = ending(visits)
    among = Counter(_names(visit) for visit in visits.all)
    groups: dict[tuple[Any, ...], StateFailures] = {}
    for visit in visits.all:
        ended = end is not None and visit is end.visit
        errors = _errors(visit, end if ended else None)
        aborted = every and visit.outcome == "aborted"
        if not (errors or ended or aborted or _is_fail(visit)):
            continue
        alike = (visit,) if every else (_names(visit), visit.outcome, errors, ended)
        before = groups[alike].visits if alike in groups else ()
        cause = _cause(visit, end if ended else None)
        groups[alike] = StateFailures((*before, visit), among[_names(visit)], errors, cause, ended)
    return sorted(groups.values(), key=lambda one: (not one.ended, _ORDER.index(one.outcome)))


def failure_lines(visits: Visits) -> Iterator[str]:
    """Yield the table as text; nothing when nothing failed."""
    rows = [one.cells() for one in failures(visits)]
    yield from table_lines(COLUMNS, *rows) if rows else ()


def table_lines(*rows: Sequence[str]) -> Iterator[str]:
    """Yield a table as text: each row's cells below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _names(visit: Visit) -> tuple[str, ...]:
    return tuple(name for name, _ in visit.path)


def _is_fail(visit: Visit) -> bool:
    return visit.entered.type == "FailStateEntered"


def _errors(visit: Visit, end: Ending | None) -> tuple[str, ...]:
    """Return the errors of a visit; a Fail state's, and some of ours, only the end says."""
    own = visit.errors or ([end.error] if end and end.error else [])
    return tuple(dict.fromkeys(own))


def _cause(visit: Visit, end: Ending | None) -> str | None:
    causes = [one.details["cause"] for one in visit.events if one.failed and "cause" in one.details]
    return causes[-1] if causes else end.cause if end else None
