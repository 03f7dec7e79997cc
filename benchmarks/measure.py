"""What a module of benchmarks yields: rows to compare, and growths that have a bound.

`python benchmarks` calls `rows()` and `growths()` of each module that `__main__` lists. All costs
are processor time, as other work of the machine then counts least; ratios of one run are what to
look at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import repeat
from typing import NamedTuple

Work = Callable[[], float]
"""Do something once; return what it cost, in the row's unit."""

_SHORTEST = 0.05
"""Seconds: what takes less is repeated, until a clock's steps do not matter."""


class Row(NamedTuple):
    """One thing that is measured: ours, the same written by hand, and other tools' (all optional).

    `peers` has those that are installed here, by name; `goal` is in words.
    """

    name: str
    unit: str
    ours: Work
    floor: Work | None = None
    peers: Mapping[str, Work] = {}
    goal: str = ""


class Growth(NamedTuple):
    """How a cost grows: `prepare(size)` returns what is measured, at the first and last size.

    The exponent is 1 for what is linear; above `bound` a short run fails. A bound leaves room for
    the noise of a machine with other work: what is quadratic is far beyond it.
    """

    name: str
    sizes: tuple[int, int]
    prepare: Callable[[int], Callable[[], object]]
    bound: float = 1.25


def cost(run: Callable[[], object], unit: str, per: int = 1) -> Work:
    """Return what measures `run`, which does `per` of what the unit counts ("µs an event")."""
    scale = {"s": 1.0, "ms": 1e3, "µs": 1e6}[unit.partition(" ")[0]] / per

    def work() -> float:
        times, spent = 0, 0.0
        while spent < _SHORTEST:
            # Twice as often each time: reading the clock takes as long as a small expression.
            times = times * 2 or 1
            begun = time.process_time()
            for _ in repeat(None, times):
                run()
            spent = time.process_time() - begun
        return spent / times * scale

    return work
