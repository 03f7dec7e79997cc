"""What tests, or one execution, used of a state machine: as marks on its drawing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..drawing import Mark, draw, svg
from ..drawing.graph import START_AT, Colour
from ..history import ATTEMPTS, Entry, Visit, VisitOutcome, Visits
from ..model import workflow
from .items import Item, StateItems, counts
from .reader import Coverage
from .suite import MachineCoverage

_STRONGEST: tuple[VisitOutcome, ...] = ("failed", "caught", "in progress", "aborted", "succeeded")


def picture(covered: MachineCoverage, place: str, *, style: bool = True) -> Iterator[str]:
    """Yield the lines of an SVG; a state links to `place` followed by its line's number."""
    marks = dict(_marks(covered, place))
    return svg(draw(workflow(covered.coverage.definition), covered.name, marks), style=style)


def _marks(covered: MachineCoverage, place: str) -> Iterator[tuple[str, Mark]]:
    hits = covered.coverage.hits
    first = covered.coverage.parts[covered.coverage.definition["StartAt"]]
    yield START_AT, _mark([first.entered], hits)
    for parts in covered.coverage.parts.values():
        number = covered.document.locate(parts.state.pointer)[0]
        whole = [parts.entered, *parts.sizes, *parts.timeouts.values()]
        yield parts.state.pointer, _mark(whole, hits, f"#{place}{number}")
        yield f"{parts.state.pointer}/End", _mark([parts.entered], hits)
        for item in _ways(parts):
            yield item.pointer, _mark([item], hits)


def _ways(parts: StateItems) -> Iterator[Item]:
    """Yield items; the later of two with one pointer counts there: the rule, the catcher."""
    yield from parts.transitions.values()
    yield from (item for _, item in parts.rules)
    yield from (item for _, item in parts.retriers)
    yield from (catcher.item for catcher in parts.catchers)


def _mark(items: Sequence[Item], hits: Mapping[Item, int], link: str = "") -> Mark:
    used = sum(1 for item in items if hits[item])
    colour: Colour = (
        "covered" if used == len(items) else "partly covered" if used else "not covered"
    )
    return Mark(colour, hits[items[0]], counts(items, hits), link)


# One execution -----------------------------------------------------------------------------------


def of_execution(
    definition: Mapping[str, Any], visits: Visits, states: StateMarks | None = None
) -> dict[str, Mark]:
    """Return what an execution used: each state's worst outcome and visits; the ways taken.

    `states`: the marks of its states, where they are known.
    """
    states = states or StateMarks(visits)
    coverage = Coverage(definition)
    coverage.add(visits)
    hits = coverage.hits
    marks = {START_AT: Mark("succeeded")} if visits.all else {}
    for parts in coverage.parts.values():
        pointer = parts.state.pointer
        # What ends an execution by its type has no transition: its end is as it is.
        marks[pointer] = marks[f"{pointer}/End"] = states.mark(parts.state.name)
        marks |= {item.pointer: _way(item, times) for item, times in _taken(parts, hits)}
    return marks


def _taken(parts: StateItems, hits: Mapping[Item, int]) -> Iterator[tuple[Item, int]]:
    """Yield how often each way was taken; a transition includes catchers to the same state."""
    caught: Counter[Item] = Counter()
    for catcher in parts.catchers:
        caught[parts.transitions[catcher.target]] += hits[catcher.item]
    for item in _ways(parts):
        yield item, hits[item] - caught[item]


class StateMarks:
    """What became of each state, event by event."""

    def __init__(self, visits: Visits | None = None) -> None:
        """`visits`: those that there are; more events can be added."""
        self.visits = Visits(()) if visits is None else visits
        self._counted: dict[Visit, VisitOutcome] = {}
        self._outcomes: defaultdict[str, Counter[VisitOutcome]] = defaultdict(Counter)
        self._retries: Counter[str] = Counter()
        self._iterations: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for entry in self.visits.entries.values():
            self._read(entry)

    def add(self, entry: Entry) -> set[str]:
        """Add the next event; return the states whose mark may differ from then on."""
        self.visits.add(entry)
        return self._read(entry)

    def _read(self, entry: Entry) -> set[str]:
        visit = self.visits.of[entry.id]
        map_name = entry.name if entry.type.startswith("MapIteration") else None
        if visit is None and map_name:
            self._iterations[map_name][entry.type.removeprefix("MapIteration")] += 1
            return {map_name}
        if visit is None:
            # All that runs was stopped, or continues: an end, a redrive.
            return {one.name for one in self.visits.all if self._count(one)}
        if entry.type in ATTEMPTS and entry is not visit.attempts[0]:
            self._retries[visit.name] += 1
        if map_name:
            self._iterations[map_name][entry.type.removeprefix("MapIteration")] += 1
        before = self.visits.of.get(entry.previous)
        touched = [one for one in (visit, before, *self.visits.settled) if one]
        for one in touched:
            self._count(one)
        return {one.name for one in touched}

    def _count(self, visit: Visit) -> bool:
        """Count a visit as it stands; return whether it stood otherwise before."""
        before = self._counted.get(visit)
        if before == visit.outcome:
            return False
        outcomes = self._outcomes[visit.name]
        if before:
            outcomes[before] -= 1
        outcomes[visit.outcome] += 1
        self._counted[visit] = visit.outcome
        return True

    def mark(self, name: str) -> Mark:
        """Return the worst outcome of a state's visits, and how many there were."""
        outcomes = self._outcomes.get(name)
        if not outcomes:
            return Mark("not reached")
        return Mark(
            next(one for one in _STRONGEST if outcomes[one]),
            outcomes.total(),
            retries=self._retries[name],
            iterations=self._iterations_of(name, outcomes["in progress"] > 0),
        )

    def _iterations_of(self, name: str, running: bool) -> tuple[int, int, int] | None:
        counts = self._iterations.get(name)
        if counts is None:
            return None
        done, failed = counts["Succeeded"], counts["Failed"]
        rest = counts["Started"] - done - failed - counts["Aborted"]
        return done, failed, rest if running else 0


def _way(item: Item, times: int) -> Mark:
    if not times:
        return Mark("not reached")
    taken: Colour = "caught" if item.kind in ("catcher", "retrier") else "succeeded"
    return Mark(taken, times, f"{times:,} × {item.label}")
