"""One evaluation: its bounds and its environments.

A compiled expression is a function ``f(context, env)``. An environment is a dict of the variables
of one block or call. Three keys that no variable can have lead on from it: OUTER to the environment
around it, GLOBALS to the caller's bindings, RUN to what the evaluation may use up.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .errors import OUT_OF_MEMORY, STACK_OVERFLOW, TIMEOUT, JSONataError
from .values import Value

Env = dict[str, Any]
Compiled = Callable[[Value, Env], Value]

OUTER: Final = "(outer)"
GLOBALS: Final = "(globals)"
RUN: Final = "(run)"

_TICKS: Final = 256
"""Rounds between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use; beyond it, it ends with U1001.

    ``depth``: nested expressions and calls, as jsonata-js counts them. ``seconds``: of real time.
    ``memory``: bytes of any one value that is built, 8 an item and 1 a character.
    """

    depth: int = 400
    seconds: float = 10.0
    memory: int = 128 * 2**20


DEFAULT_LIMITS: Final = Limits()


class Run:
    """The state of one evaluation; never shared."""

    __slots__ = ("_deadline", "_now", "_random", "_ticks", "depth", "limits", "max_depth")

    def __init__(
        self,
        limits: Limits,
        now: float | None,
        source: Callable[[], float] | None,
    ) -> None:
        self.limits = limits
        self.max_depth = limits.depth
        self.depth = 0
        self._ticks = _TICKS
        self._deadline = time.monotonic() + limits.seconds
        self._now = now
        self._random = source

    @property
    def now(self) -> int:
        """Epoch milliseconds: the same for the whole evaluation."""
        if self._now is None:
            self._now = time.time_ns() // 1_000_000
        return int(self._now)

    def random(self) -> float:
        """The next random number, from 0 up to 1."""
        if self._random is None:
            self._random = random.random
        return self._random()

    def tick(self, count: int = 1) -> None:
        """Called wherever an expression could go on for long, with the number of rounds."""
        self._ticks -= count
        if self._ticks < 0:
            self._ticks = _TICKS
            if time.monotonic() > self._deadline:
                raise JSONataError("U1001", message=TIMEOUT)

    def deepen(self, levels: int) -> None:
        """Go down by so many levels."""
        self.depth += levels
        if self.depth >= self.max_depth:
            raise too_deep(self.limits)

    @property
    def most_items(self) -> int:
        """Of any list."""
        return self.limits.memory // 8

    def allocate(self, size: int) -> None:
        """Called before a value of that many bytes is built."""
        if size > self.limits.memory:
            raise JSONataError("U1001", message=OUT_OF_MEMORY)


class _Unmetered(Run):
    """For expressions so simple that there is nothing to measure; shared by all of them."""

    __slots__ = ()

    def tick(self, count: int = 1) -> None:
        pass

    def allocate(self, size: int) -> None:
        pass


UNMETERED: Final = _Unmetered(DEFAULT_LIMITS, None, None)


def too_deep(limits: Limits) -> JSONataError:
    """The error of an expression that nests deeper than allowed."""
    return JSONataError(
        "U1001", message=f"{STACK_OVERFLOW} Depth={limits.depth + 1} max={limits.depth}"
    )
