"""Where cells stand: sideways near their neighbours, from top to bottom layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import fsum, inf

from .layers import Cell, Route

_SWEEPS, _LAST, _ROUNDS = 60, 20, 8
_APART = 26
"""Pixels between two boxes; lines may be nearer to one another."""
_LINES_APART = 14
_GAP, _LABEL_GAP, _WIDEST_GAP = 34, 20, 90


def place(layers: Sequence[Sequence[Cell]], routes: Sequence[Route]) -> tuple[int, int]:
    """Give every cell its place; the width and height of all together."""
    for layer in layers:
        _settle(layer, [0] * len(layer))
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _settle(layer, [_wanted(cell, down, sweep >= _SWEEPS - _LAST) for cell in layer])
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
    """Where it would like to be: in the middle of its neighbours, lines of one edge straight."""
    near = [*cell.above, *cell.below] if both else cell.above if down else cell.below
    if not near:
        return cell.x
    pulls = [
        (one.x, min(cell.pull, one.pull) * (1 if cell.is_box or one.is_box else 2)) for one in near
    ]
    return fsum(x * weight for x, weight in pulls) / sum(weight for _, weight in pulls)


def _settle(layer: Sequence[Cell], wanted: Sequence[float]) -> None:
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + _apart(left, right))
    weights = [cell.pull * (1 if cell.is_box else 3) for cell in layer]
    for cell, x in zip(layer, nearest(wanted, offsets, weights), strict=True):
        cell.x = x


def nearest(
    wanted: Sequence[float], offsets: Sequence[float], weights: Sequence[int]
) -> list[float]:
    """The places nearest to those wanted that keep the order and, by `offsets`, the distances.

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
    """How far the centres of two cells side by side have to be from each other."""
    gap = _APART if left.width and right.width else _LINES_APART
    return (left.width + right.width) / 2 + gap


def _mean(block: tuple[float, int, int]) -> float:
    total, weight, _ = block
    return total / weight


class _Rooms:
    """Who stands beside whom, for lines that look for a place where they can run straight."""

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
        """Between which places all can stand with their neighbours where they are."""
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
        labels = [layers[number], *layers[number + 1 : number + 2]]
        narrow = any(all(not cell.is_box for cell in one) for one in labels)
        gap = min(_WIDEST_GAP, max(_LABEL_GAP if narrow else _GAP, round(far / 8)))
        top = round(top + height + (gap if number + 1 < len(layers) else 0))
    return top
