"""What an evaluation of a path returns where nothing is, and how many steps it may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import runtime

Get = Callable[[Any], Any]
ABSENT: Any = object()
MOST_STEPS = 2_000_000
"""Of one evaluation, about a microsecond each: for what its steps find, and what filters compare.
AWS documents no bound."""


class Meter:
    """Counts the steps of one evaluation of a path, its filters included."""

    __slots__ = ("left", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.left = MOST_STEPS

    def tick(self, count: int = 1) -> None:
        """Count steps; raise States.Runtime when there are too many."""
        self.left -= count
        if self.left < 0:
            raise runtime(
                f"Invalid path '{self.path}' : its evaluation takes more than {MOST_STEPS:,} steps."
            )


Reach = Callable[[Any, Meter], Any]
"""A Get in a filter."""
