"""Which box stands above which: layers, the cells in them, and their order from left to right.

After Sugiyama: an edge that leads back is turned round for the time being, a box stands below all
that lead to it (longest path), an edge that passes a layer has a cell of its own there, and so has
its label. Lines then run from layer to layer only, and never through a box.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import fsum, inf

from .graph import Edge

_SWEEPS = 24
_PASSES, _LAST, _ROUNDS = 60, 20, 8
_APART = 26
"""Pixels between two boxes; lines may be nearer to one another."""
_LINES_APART = 14
_GAP, _LABEL_GAP, _WIDEST_GAP = 34, 20, 90


@dataclass(slots=True, eq=False)
class Cell:
    """What takes room in a layer: a box, the label of an edge, or the passing of an edge."""

    width: float = 0
    height: float = 0
    is_box: bool = False
    pull: int = 16
    """How much it matters that lines through it are straight."""
    x: float = 0
    """Its centre."""
    top: float = 0
    bottom: float = 0
    """Of its layer."""
    above: list[Cell] = field(default_factory=list)
    below: list[Cell] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """The cells that an edge passes, from the upper box to the lower; `upward`: it leads back."""

    edge: Edge
    cells: list[Cell]
    upward: bool
    label: Cell | None = None


def layered(
    boxes: Mapping[str, Cell], edges: Sequence[Edge], labels: Mapping[Edge, tuple[float, float]]
) -> tuple[list[list[Cell]], list[Route]]:
    """Return the layers from top to bottom, and the routes of edges between two boxes.

    `labels`: width and height of those that there are.
    """
    back = _leading_back(boxes, edges)
    downward = [(e.end, e.start) if e in back else (e.start, e.end) for e in edges]
    # Boxes stand on even ranks, labels on the odd ones between them.
    ranks = {name: 2 * rank for name, rank in _ranks(boxes, downward).items()}
    labelled = {
        edge: ranks[edge.start] + (-1 if edge in back else 1) for edge in edges if edge in labels
    }
    used = sorted({*ranks.values(), *labelled.values()})
    layers: dict[int, list[Cell]] = {rank: [] for rank in used}
    for name, cell in boxes.items():
        layers[ranks[name]].append(cell)
    routes = []
    for edge, (upper, lower) in zip(edges, downward, strict=True):
        pull = 1 if edge.caught or edge in back else 16
        between = {rank: Cell(pull=pull) for rank in used if ranks[upper] < rank < ranks[lower]}
        label = between.get(labelled.get(edge, -1))
        if label:
            label.width, label.height = labels[edge]
        for rank, cell in between.items():
            layers[rank].append(cell)
        cells = [boxes[upper], *between.values(), boxes[lower]]
        for one, other in pairwise(cells):
            one.below.append(other)
            other.above.append(one)
        routes.append(Route(edge, cells, edge in back, label))
    return _ordered(list(layers.values())), routes


def _leading_back(names: Iterable[str], edges: Iterable[Edge]) -> set[Edge]:
    """Return the edges that close a cycle, going depth first from the start."""
    leaving: dict[str, list[Edge]] = {name: [] for name in names}
    for edge in edges:
        leaving[edge.start].append(edge)
    backward: set[Edge] = set()
    done: set[str] = set()
    for name, edges_of_name in leaving.items():
        path = {name: iter(edges_of_name)} if name not in done else {}
        while path:
            last = next(reversed(path))
            following = next(path[last], None)
            if following is None:
                path.popitem()
                done.add(last)
            elif following.end in path:
                backward.add(following)
            elif following.end not in done:
                path[following.end] = iter(leaving[following.end])
    return backward


def _ranks(names: Iterable[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the length of the longest path to each."""
    following: dict[str, list[str]] = {name: [] for name in names}
    missing = dict.fromkeys(following, 0)
    for upper, lower in pairs:
        following[upper].append(lower)
        missing[lower] += 1
    ranks = dict.fromkeys(following, 0)
    ready = [name for name, number in missing.items() if number == 0]
    for name in ready:
        for lower in following[name]:
            ranks[lower] = max(ranks[lower], ranks[name] + 1)
            missing[lower] -= 1
            if missing[lower] == 0:
                ready.append(lower)
    return ranks


# From left to right ------------------------------------------------------------------------------


def _ordered(layers: list[list[Cell]]) -> list[list[Cell]]:
    """Return the order with the fewest crossings among those that sweeping down and up finds."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        for index in range(1, len(layers)) if down else reversed(range(len(layers) - 1)):
            layers[index] = _by_neighbours(layers[index], layers[index + (-1 if down else 1)], down)
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _by_neighbours(layer: list[Cell], beside: list[Cell], down: bool) -> list[Cell]:
    """Return a layer sorted by its cells' barycentres; cells without neighbours hardly move."""
    place = {cell: index for index, cell in enumerate(beside)}
    centre = {
        cell: Fraction(sum(places), len(places)) if places else Fraction(index)
        for index, cell in enumerate(layer)
        for places in [[place[one] for one in (cell.above if down else cell.below)]]
    }
    return sorted(layer, key=centre.__getitem__)


def _crossings(layers: Sequence[Sequence[Cell]]) -> int:
    """Return how many pairs of lines cross between the layers."""
    return sum(map(_inversions, map(_ends, layers, layers[1:])))


def _ends(upper: Sequence[Cell], lower: Sequence[Cell]) -> Iterator[int]:
    place = {cell: index for index, cell in enumerate(lower)}
    for cell in upper:
        yield from sorted(place[one] for one in cell.below)


def _inversions(numbers: Iterable[int]) -> int:
    seen: list[int] = []
    crossings = 0
    for number in numbers:
        crossings += len(seen) - bisect_right(seen, number)
        insort(seen, number)
    return crossings


# Coordinates ------------------------------------------------------------------------------------


def place(layers: Sequence[Sequence[Cell]], routes: Sequence[Route]) -> tuple[int, int]:
    """Give every cell its place; the width and height of all together."""
    for layer in layers:
        _settle(layer, [0] * len(layer))
    for sweep in range(_PASSES):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _settle(layer, [_wanted(cell, down, sweep >= _PASSES - _LAST) for cell in layer])
    rooms = _Rooms(layers)
    for _ in range(_ROUNDS):
        for route in routes:
            rooms.straighten(route.cells[1:-1])
    cells = [cell for layer in layers for cell in layer]
    left = min(cell.x - cell.width / 2 for cell in cells)
    for cell in cells:
        cell.x = round(cell.x - left)
    return round(max(cell.x + cell.width / 2 for cell in cells)), _stack(layers)


def _wanted(cell: Cell, down: bool, both: bool) -> float:
    """Return the best position: amid its neighbours, lines of one edge straight."""
    near = [*cell.above, *cell.below] if both else cell.above if down else cell.below
    if not near:
        return cell.x
    pulls = [
        (one.x, min(cell.pull, one.pull) * (1 if cell.is_box or one.is_box else 2)) for one in near
    ]
    return fsum(x * weight for x, weight in pulls) / sum(weight for _, weight in pulls)


def _settle(layer: Sequence[Cell], wanted: Sequence[float]) -> None:
    if len(layer) == 1:
        layer[0].x = wanted[0]
        return
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + _apart(left, right))
    weights = [cell.pull * (1 if cell.is_box else 3) for cell in layer]
    for cell, x in zip(layer, nearest(wanted, offsets, weights), strict=True):
        cell.x = x


def nearest(
    wanted: Sequence[float], offsets: Sequence[float], weights: Sequence[int]
) -> list[float]:
    """Return the positions nearest to those wanted with order and (`offsets`) distances preserved.

    Pool adjacent violators: those that are in each other's way move as one block.
    """
    blocks: list[tuple[float, int, int]] = []
    for x, offset, weight in zip(wanted, offsets, weights, strict=True):
        blocks.append(((x - offset) * weight, weight, 1))
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            last, before = blocks.pop(), blocks.pop()
            blocks.append((last[0] + before[0], last[1] + before[1], last[2] + before[2]))
    places = [_mean(block) for block in blocks for _ in range(block[2])]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _apart(left: Cell, right: Cell) -> float:
    """Return how far apart the centres of two cells side by side have to be."""
    gap = _APART if left.width and right.width else _LINES_APART
    return (left.width + right.width) / 2 + gap


def _mean(block: tuple[float, int, int]) -> float:
    total, weight, _ = block
    return total / weight


class _Rooms:
    """The neighbours of each cell, for lines that look for a position where they run straight."""

    def __init__(self, layers: Sequence[Sequence[Cell]]) -> None:
        pairs = [pair for layer in layers for pair in pairwise(layer)]
        self._right: Mapping[Cell, Cell] = dict(pairs)
        self._left: Mapping[Cell, Cell] = {right: left for left, right in pairs}

    def straighten(self, cells: Sequence[Cell]) -> None:
        """Bring as many as possible of the cells that a line passes one above the other."""
        run: list[Cell] = []
        for cell in cells:
            least, most = self._room([*run, cell])
            if least > most:
                self._align(run)
                run = []
            run.append(cell)
        self._align(run)

    def _align(self, run: Sequence[Cell]) -> None:
        if run:
            least, most = self._room(run)
            x = min(max(fsum(cell.x for cell in run) / len(run), least), most)
            for cell in run:
                cell.x = x

    def _room(self, run: Sequence[Cell]) -> tuple[float, float]:
        """Return between which positions all can stand with their neighbours where they are."""
        left, right = self._left, self._right
        least = [left[cell].x + _apart(left[cell], cell) for cell in run if cell in left]
        most = [right[cell].x - _apart(cell, right[cell]) for cell in run if cell in right]
        return max(least, default=-inf), min(most, default=inf)


def _stack(layers: Sequence[Sequence[Cell]]) -> int:
    """Set the layers one below the other; lines that go far to a side get more height for it."""
    top = 0
    for number, layer in enumerate(layers):
        height = max(cell.height for cell in layer)
        for cell in layer:
            cell.top, cell.bottom = top, top + height
        far = max((abs(cell.x - one.x) for cell in layer for one in cell.below), default=0)
        labels = [layer, *layers[number + 1 : number + 2]]
        narrow = any(all(not cell.is_box for cell in one) for one in labels)
        gap = min(_WIDEST_GAP, max(_LABEL_GAP if narrow else _GAP, round(far / 8)))
        top = round(top + height + (gap if number + 1 < len(layers) else 0))
    return top
