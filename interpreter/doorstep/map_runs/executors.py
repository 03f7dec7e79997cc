"""Where the children of a map run run: the seam, and the executor that runs them right here.

A child is a function of its program, its header (definition, identity with its seed, quotas), its
facts and the handlers; what comes back is its journal, of which the facts and the last event are
enough. So another executor may run children in other processes or on other machines:

    room() -> how many it takes          submit(children)          cancel()
    run.ended(index, journal), in the order of the ends            run.fill() when it has room again

A map run calls an executor, and is called by it, in the thread of the main clock alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..engine import Fact, Header, Journal, Program
from ..runtime import Clock, Handle, Running
from ..runtime.persistence import restore

if TYPE_CHECKING:
    from ..runtime import Driver


class Child(NamedTuple):
    """A child to run: a new one with its input's JSON text, or one that is redriven."""

    number: int
    program: Program
    header: Header
    input: str
    facts: Sequence[Fact] = ()
    """What had reached it before it failed; it is redriven then, and has its input from there."""


class ChildrenOwner(Protocol):
    """A map run, to its executor."""

    driver: Driver
    parent: Running

    @property
    def state(self) -> str:
        """The name of the Map."""

    def ended(self, index: int, journal: Journal) -> None:
        """Take in that a child has ended."""

    def fill(self) -> None:
        """Submit children as long as there is room."""


class Executor(Protocol):
    """Runs children."""

    def room(self) -> int:
        """Return how many more children it takes now; it calls `fill` when there is room again."""

    def submit(self, children: Sequence[Child]) -> None:
        """Begin children, in their order; each one's end is reported by `ended`."""

    def adopt(self, index: int, child: Running) -> None:
        """Take over a child that was begun before a crash: it continues, or may be redriven."""

    def cancel(self) -> list[int]:
        """Stop what runs: each ends with status ABORTED. It may be submitted to again after that.

        Return the numbers of those that have not begun: as if they never had been submitted.
        """

    def release(self) -> None:
        """Leave the children to whoever continues the map run after this process."""


NewExecutor = Callable[[ChildrenOwner], Executor]


class InlineExecutor:
    """Runs children in this process, on their parent's clock (fact 282: each is an execution).

    The next one begins once all others had a turn and a handler could be called at once: children
    that wait, for a time or somebody's answer, hold up nobody, and there are no more of them than
    can do something.
    """

    def __init__(self, run: ChildrenOwner) -> None:
        self._run = run
        self._driver = run.driver
        self._running: dict[int, Running] = {}
        self._ended_runs: dict[int, Running] = {}
        """Children that failed and have map runs of their own: a redrive continues those as well.
        Of others the facts are enough."""
        self._turn = partial(run.driver.guard, run.parent, self._had_turn)
        self._next: Handle | None = None
        self._busy = False

    def room(self) -> int:
        """Return 1 when the last child had its first turn."""
        return 0 if self._busy else 1

    def submit(self, children: Sequence[Child]) -> None:
        """Begin children, or continue those that are redriven."""
        clock = self._run.parent.clock
        self._busy = True
        for child in children:
            # Unpacked, as each member that is asked for by its name takes as long as all of them.
            number, program, header, text, facts = child
            if facts:
                execution = self._ended_runs.pop(number, None) or restored(child, clock)
                self._watch(number, execution)
                self._driver.redrive(execution)
            else:
                self._watch(number, self._driver.start(program, header, text, clock))
        self._next = clock.when_free(self._turn)

    def adopt(self, index: int, child: Running) -> None:
        """Take over a child of before."""
        if child.ended:
            self._ended_runs[index] = child
        else:
            self._watch(index, child)

    def _watch(self, index: int, child: Running) -> None:
        self._running[index] = child
        child.when_ended = partial(self._driver.guard, self._run.parent, self._ended, index)

    def cancel(self) -> list[int]:
        """Stop the children; forget those that have not begun."""
        if self._next:
            self._next.cancel()
        self._busy = False
        withdrawn = []
        for index, child in list(self._running.items()):
            if self._driver.withdraw(child):
                del self._running[index]
                withdrawn.append(index)
            else:
                self._driver.stop(child)
        return withdrawn

    def release(self) -> None:
        """Do nothing: there is nothing but this process."""

    def _had_turn(self) -> None:
        self._busy = False
        self._run.fill()

    def _ended(self, index: int, child: Running) -> None:
        del self._running[index]
        self._driver.forget(child)
        if child.map_runs and child.status != "SUCCEEDED":
            self._ended_runs[index] = child
        elif child.status != "SUCCEEDED":
            child.engine.dismiss()
        self._run.ended(index, child.journal)


def restored(child: Child, clock: Clock) -> Running:
    """Return a child as it was when it failed, ready to be redriven."""
    execution = restore(child.program, Journal(child.header, list(child.facts)), clock)
    execution.journal.entries.extend(execution.events)
    return execution
