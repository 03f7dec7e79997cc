"""What tests used of a state machine, as marks on its drawing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..definition import machine
from ..drawing import Mark, draw, svg
from ..drawing.graph import Colour
from .items import Item, Parts, told
from .suite import Covered


def picture(covered: Covered, place: str) -> Iterator[str]:
    """The lines of an SVG; a click on a state goes to `place` followed by its line's number."""
    marks = dict(_marks(covered, place))
    return svg(draw(machine(covered.coverage.definition), covered.name, marks))


def _marks(covered: Covered, place: str) -> Iterator[tuple[str, Mark]]:
    hits = covered.coverage.hits
    for parts in covered.coverage.parts.values():
        number = covered.document.locate(parts.state.pointer)[0]
        whole = [parts.entered, *parts.sizes, *parts.timeouts.values()]
        yield parts.state.pointer, _mark(whole, hits, f"#{place}{number}")
        for item in _ways(parts):
            yield item.pointer, _mark([item], hits)


def _ways(parts: Parts) -> Iterator[Item]:
    """The later of two items at one place is the one that counts there: the rule, the catcher."""
    yield from parts.transitions.values()
    yield from (item for _, item in parts.rules)
    yield from (item for _, item in parts.retriers)
    yield from (catcher.item for catcher in parts.catchers)


def _mark(items: Sequence[Item], hits: Mapping[Item, int], link: str = "") -> Mark:
    used = sum(1 for item in items if hits[item])
    colour: Colour = (
        "covered" if used == len(items) else "partly covered" if used else "not covered"
    )
    return Mark(colour, hits[items[0]], told(items, hits), link)
