"""One evaluation: its bounds and its environments.

A compiled expression is a function ``f(context, env)``. An environment is a dict of the variables
of one block or call. Three keys that no variable can have lead on from it: OUTER to the environment
around it, GLOBALS to the caller's bindings, RUN to what the evaluation may use up.
"""

from __future__ import annotations

import sys
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


MOST_STEPS: Final = 2_000_000
"""Steps that one evaluation may take, of JSONata and of JSONPath alike: about two seconds.

AWS has a bound of about five seconds for JSONata (fact 69) and documents none for JSONPath. Steps
are counted, so that an expression fails at the same place on every machine.
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use; beyond it, it ends with U1001.

    ``depth``: nested expressions and calls, as jsonata-js counts them. ``steps``: about a
    microsecond each, but counted, not measured, so that an evaluation comes out the same on every
    machine: calls, items that something goes through, characters by the hundred. ``memory``: bytes
    of any one value that is built, 8 an item and 1 a character. ``total``: bytes of all of them
    together, those that were dropped included.
    """

    depth: int = 400
    steps: int = MOST_STEPS
    memory: int = 128 * 2**20
    total: int = 256 * 2**20


DEFAULT_LIMITS: Final = Limits()

_OVERHEAD: Final = 48
"""Bytes of a text or a list beside its characters or items, about."""
OBJECT: Final = 4
"""Steps for an object or a short list, since as many hold about as much as they may together."""


class Evaluation:
    """The state of one evaluation; never shared."""

    __slots__ = ("_now", "depth", "left", "limits", "max_depth", "random", "room")

    def __init__(
        self,
        limits: Limits,
        now: float | Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self.limits = limits
        self.max_depth = limits.depth
        self.depth = 0
        self.room = limits.total
        """Bytes that may still be built."""
        self.left = limits.steps
        """Steps that may still be taken: below 0, the next `tick` ends the evaluation."""
        self._now = now
        self.random = random
        """Draws the next random number, from 0 up to 1."""

    @property
    def now(self) -> int:
        """Epoch milliseconds: the same for the whole evaluation."""
        if callable(self._now):
            self._now = self._now()
        return int(self._now)

    @property
    def spent(self) -> int:
        """The steps taken so far."""
        return self.limits.steps - self.left

    def tick(self, count: int = 1) -> None:
        """Count steps, wherever an expression could take long; raise U1001 beyond the limit."""
        self.left -= count
        if self.left < 0:
            raise JSONataError("U1001", message=TIMEOUT)

    def allocate(self, size: int, whole: int = 0) -> None:
        """Account for a value, or a part of a value of ``whole`` bytes, before it is built."""
        self.room -= size + _OVERHEAD
        if self.room < 0 or size > 1023 or whole:
            if self.room < 0 or max(size, whole) > self.limits.memory:
                raise JSONataError("U1001", message=OUT_OF_MEMORY)
            self.tick(size >> 13)


class _Unmetered(Evaluation):
    """For expressions so simple that there is nothing to measure; shared by all of them."""

    __slots__ = ()

    @property
    def spent(self) -> int:
        return 0

    def tick(self, count: int = 1) -> None:
        pass

    def allocate(self, size: int, whole: int = 0) -> None:
        pass


UNMETERED: Final = _Unmetered(Limits(steps=sys.maxsize), 0, float)


def too_deep(limits: Limits) -> JSONataError:
    """Return the error of an expression that nests deeper than allowed."""
    return JSONataError(
        "U1001", message=f"{STACK_OVERFLOW} Depth={limits.depth + 1} max={limits.depth}"
    )
