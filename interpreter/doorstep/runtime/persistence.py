"""Where executions are kept: what a driver tells before it acts, and what it may ask for again.

Nothing is done in the world before that from which it follows is kept: that is what `safely` is
for. The library keeps executions in memory only; the emulator keeps them in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..engine.commands import StartMapRun
from ..engine.events import Fact
from ..engine.journal import Entry

if TYPE_CHECKING:
    from .execution import Execution


class Keeper(Protocol):
    """Keeps executions for a driver."""

    def journaled(self, execution: Execution, entries: Sequence[Entry]) -> None:
        """A fact reached an execution, and these events followed from it."""

    def promised(self, execution: Execution, fact: Fact) -> None:
        """An answer is known already, and will reach the execution at its time."""

    def expected(self, execution: Execution, tokens: Collection[str]) -> None:
        """From now on these task tokens stand for a call of an execution."""

    def safely(self, act: Callable[[], None]) -> None:
        """Do something once all that was told before is kept."""

    def map_run(self, run: Any) -> None:
        """A map run began, went on or came to its end."""

    def children(self, parent: Execution, command: StartMapRun) -> Sequence[Execution]:
        """The children that a map run has started before, in the order of their indexes."""

    def find(self, arn: str) -> Execution | None:
        """An execution that the driver does not hold."""

    def knows_token(self, token: str) -> bool:
        """Return whether a task that the driver does not hold had this token."""

    def set_aside(self, execution: Execution, problem: Exception) -> None:
        """Note that an execution can't be stored any more: `journaled` raised the problem."""

    def close(self) -> None:
        """Nothing more is told."""


class Memory:
    """Keeps nothing beyond what the executions hold themselves."""

    def journaled(self, execution: Execution, entries: Sequence[Entry]) -> None:
        """The execution's own journal has them."""

    def promised(self, execution: Execution, fact: Fact) -> None:
        """The clock has it."""

    def expected(self, execution: Execution, tokens: Collection[str]) -> None:
        """The driver has them."""

    def safely(self, act: Callable[[], None]) -> None:
        """Nothing is safer later: do it now."""
        act()

    def map_run(self, run: Any) -> None:
        """The parent has it."""

    def children(self, parent: Execution, command: StartMapRun) -> Sequence[Execution]:
        """A run that the parent does not hold is new."""
        return ()

    def find(self, arn: str) -> Execution | None:
        """The driver holds all there are."""
        return None

    def knows_token(self, token: str) -> bool:
        """The driver holds all there are."""
        return False

    def set_aside(self, execution: Execution, problem: Exception) -> None:
        """Nothing has to be stored."""

    def close(self) -> None:
        """Nothing was opened."""
