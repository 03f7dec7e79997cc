"""What an evaluation of a path returns where nothing is, and how many steps it may take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import runtime
from ..jsonata.evaluation import MOST_STEPS

Get = Callable[[Any], Any]
ABSENT: Any = object()


class PathMeter:
    """Counts the steps of one evaluation of a path: what it finds, what its filters compare."""

    __slots__ = ("left", "most", "path")

    def __init__(self, path: str, most: int | None = None) -> None:
        self.path = path
        self.left = self.most = MOST_STEPS if most is None else min(most, MOST_STEPS)

    @property
    def spent(self) -> int:
        """The steps so far."""
        return self.most - self.left

    def tick(self, count: int = 1) -> None:
        """Count steps; raise States.Runtime when there are too many."""
        self.left -= count
        if self.left < 0:
            raise runtime(
                f"Invalid path '{self.path}' : its evaluation takes more than {self.most:,} steps."
            )


Reach = Callable[[Any, PathMeter], Any]
"""A Get that counts its steps."""
