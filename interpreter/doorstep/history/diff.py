"""Two histories side by side, visit by visit: aligned by state and iteration, not by line.

A visit is the same one in both when it is the n-th of its state in the same place: in the same
iteration of the same Map, in the same visit of the Parallel around it. Times, ids and the order of
what runs side by side are not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine import TERMINAL
from ..values.json_values import ABSENT, JsonDifference, differences, value_of
from .recorded import Entry
from .state_visits import Visits
from .visit import Visit

VisitPath = tuple[tuple[str, int | str | None, int], ...]
"""From the outside in: the state, the iteration that it is in, and which visit of it."""

_WHOLE: VisitPath = ()
_SHAPED = {
    "StateEntered": "input",
    "StateExited": "output",
    "Scheduled": "parameters",
}
"""Events by their ends, and the member of theirs that a visit shows."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A visit, or the execution as a whole, in both histories; None: only the other one has it."""

    place: str
    a: Mapping[str, Any] | None
    b: Mapping[str, Any] | None

    @property
    def same(self) -> bool:
        """Whether both say the same of it."""
        return not self.differing

    @property
    def differing(self) -> list[JsonDifference]:
        """Where they differ, and both values; ABSENT for what only the other side has."""
        if self.a is None or self.b is None:
            return [JsonDifference("visit", _there(self.a), _there(self.b))]
        return list(differences("", dict(self.a), dict(self.b)))


def diff(a: Visits, b: Visits) -> list[Aligned]:
    """Return the visits of both histories, in the order of the first; the execution comes first."""
    first, second = _summaries(a), _summaries(b)
    places = [*first, *(place for place in second if place not in first)]
    return [Aligned(_name(place), first.get(place), second.get(place)) for place in places]


def _summaries(visits: Visits) -> dict[VisitPath, dict[str, Any]]:
    """Return what a history says of each visit, and of the execution.

    What belongs to one of several visits, nobody knows which, stands by itself: in iteration `?`.
    """
    events = list(visits.entries.values())
    places, unsure = dict(_places(visits)), _unsure_places(visits)
    summaries: dict[VisitPath, dict[str, Any]] = {_WHOLE: _execution(events)}
    for visit, place in places.items():
        known = "not known since the redrive" if visit in unsure else visit.outcome
        if visit.entered.id < visit.unsure_from or visit not in unsure:
            summaries[place] = {"calls": 0, "outcome": known}
    summaries |= {place: {"calls": 0, "outcome": visit.outcome} for visit, place in unsure.items()}
    for event in events:
        if (owner := visits.of.get(event.id)) is not None:
            later = owner in unsure and event.id >= owner.unsure_from
            _add(summaries[(unsure if later else places)[owner]], event)
    return summaries


def _places(visits: Visits) -> Iterator[tuple[Visit, VisitPath]]:
    known: dict[Visit | None, VisitPath] = {None: ()}
    count: Counter[tuple[VisitPath, str, int | None]] = Counter()
    for visit in visits.all:
        around = known[visit.parent]
        number = count[around, visit.name, visit.map_index] = (
            count[around, visit.name, visit.map_index] + 1
        )
        known[visit] = (*around, (visit.name, visit.map_index, number))
        yield visit, known[visit]


def _unsure_places(visits: Visits) -> dict[Visit, VisitPath]:
    """Return where the visits stand that may as well be others: `?` for a number not known."""
    places: dict[Visit, VisitPath] = {}
    count: Counter[VisitPath] = Counter()
    for visit in visits.all:
        if visit.alternatives:
            path: VisitPath = tuple((name, index, 1) for name, index in visit.levels)
            count[path] += 1
            places[visit] = (*path[:-1], (*path[-1][:2], count[path]))
    return places


def _execution(events: Sequence[Entry]) -> dict[str, Any]:
    last = events[-1]
    summary = {"status": TERMINAL.get(last.type, "RUNNING"), "input": value_of(_input(events))}
    if last.type in TERMINAL:
        summary |= {name: value_of(last.details.get(name, ABSENT)) for name in _ENDS}
    return {name: value for name, value in summary.items() if value is not ABSENT}


_ENDS = ("output", "error", "cause")


def _input(events: Sequence[Entry]) -> Any:
    return events[0].details.get("input", ABSENT)


def _add(summary: dict[str, Any], event: Entry) -> None:
    details = event.details
    for end, member in _SHAPED.items():
        if event.type.endswith(end) and member in details:
            summary[member] = value_of(details[member])
    if event.type.endswith("Scheduled"):
        summary["calls"] += 1
    if "assignedVariables" in details:
        variables = details["assignedVariables"]
        summary["variables"] = {name: value_of(text) for name, text in variables.items()}
    if event.failed:
        summary |= {name: value_of(details[name]) for name in ("error", "cause") if name in details}


def _there(side: Mapping[str, Any] | None) -> Any:
    return ABSENT if side is None else side["outcome"]


def _name(place: VisitPath) -> str:
    """Return `Map[3] > Charge`; from the second visit on with its number: `Poll (2)`."""
    path = ""
    for name, index, number in place:
        iteration = "" if index is None else f"[{index}]"
        again = f" ({number})" if number > 1 else ""
        path += f"{iteration} > {name}{again}" if path else f"{name}{again}"
    return path or "(execution)"
