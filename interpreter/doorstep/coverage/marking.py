"""What tests used of a state machine, as marks on its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..definition import machine
from ..drawing import Mark, draw, svg
from .items import Item, Parts
from .suite import Covered


def picture(covered: Covered, place: str) -> Iterator[str]:
    """The lines of an SVG; a click on a state goes to `place` followed by its line's number."""
    marks = dict(_marks(covered, place))
    return svg(draw(machine(covered.coverage.definition), covered.name, marks))


def _marks(covered: Covered, place: str) -> Iterator[tuple[str, Mark]]:
    for parts in covered.coverage.parts.values():
        number = covered.document.locate(parts.state.pointer)[0]
        whole = [parts.entered, *parts.sizes, *parts.timeouts.values()]
        yield parts.state.pointer, _mark(covered, whole, f"#{place}{number}")
        for item in _ways(parts):
            yield item.pointer, _mark(covered, [item])


def _ways(parts: Parts) -> Iterator[Item]:
    """The later of two items at one place is the one that counts there: the rule, the catcher."""
    yield from parts.transitions.values()
    yield from (item for _, item in parts.rules)
    yield from (item for _, item in parts.retriers)
    yield from (catcher.item for catcher in parts.catchers)


def _mark(covered: Covered, items: Sequence[Item], link: str = "") -> Mark:
    hits = covered.coverage.hits
    used = sum(1 for item in items if hits[item])
    told = covered.told(items)
    times = hits[items[0]]
    if used == len(items):
        return Mark("covered", times, told, link)
    return Mark("partly covered" if used else "not covered", times, told, link)
