"""What tests, or one execution, used of a state machine: as marks on its drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..drawing import Mark, draw, svg
from ..drawing.graph import START_AT, Colour
from ..history import Entry, VisitOutcome, Visits
from ..model import workflow
from .items import Item, StateItems, counts
from .reader import Coverage
from .suite import MachineCoverage

_STRONGEST: tuple[VisitOutcome, ...] = ("failed", "caught", "in progress", "aborted", "succeeded")


def picture(covered: MachineCoverage, place: str) -> Iterator[str]:
    """Yield the lines of an SVG; a state links to `place` followed by its line's number."""
    marks = dict(_marks(covered, place))
    return svg(draw(workflow(covered.coverage.definition), covered.name, marks))


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


def of_execution(definition: Mapping[str, Any], entries: Iterable[Entry]) -> dict[str, Mark]:
    """Return what an execution used: each state's worst outcome and visits; the ways taken."""
    visits = Visits(entries)
    coverage = Coverage(definition)
    coverage.add(visits)
    outcomes: dict[str, Counter[VisitOutcome]] = {}
    for visit in visits.all:
        outcomes.setdefault(visit.name, Counter())[visit.outcome] += 1
    marks = {START_AT: Mark("succeeded")} if outcomes else {}
    for parts in coverage.parts.values():
        pointer = parts.state.pointer
        # What ends an execution by its type has no transition: its end is as it is.
        marks[pointer] = marks[f"{pointer}/End"] = _outcome(outcomes.get(parts.state.name))
        marks |= {item.pointer: _way(item, times) for item, times in _taken(parts, coverage.hits)}
    return marks


def _taken(parts: StateItems, hits: Mapping[Item, int]) -> Iterator[tuple[Item, int]]:
    """Yield how often each way was taken; a transition includes catchers to the same state."""
    caught: Counter[Item] = Counter()
    for catcher in parts.catchers:
        caught[parts.transitions[catcher.target]] += hits[catcher.item]
    for item in _ways(parts):
        yield item, hits[item] - caught[item]


def _outcome(visits: Counter[VisitOutcome] | None) -> Mark:
    if not visits:
        return Mark("not reached")
    return Mark(next(one for one in _STRONGEST if visits[one]), visits.total())


def _way(item: Item, times: int) -> Mark:
    if not times:
        return Mark("not reached")
    taken: Colour = "caught" if item.kind in ("catcher", "retrier") else "succeeded"
    return Mark(taken, times, f"{times:,} × {item.label}")
