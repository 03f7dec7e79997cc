"""The search: run a script, see what it used, derive scripts for what no run has used yet.

Data that a state lacked come first, then what a definition names, then errors that nothing names,
then guesses. Nothing is drawn at random: the same definition gives the same runs.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

from ..coverage import Item
from .goals import PASSED, Goal, escapes, goals, passed
from .mending import Blame, blamed, guesses, mended
from .run import Run
from .script import Script
from .subject import Subject

ATTEMPTS = 12
"""Scripts that are tried for one goal."""
GUESSES = 60
"""Other data that are tried for one state that fails with all that it asks for."""
_VISITS = 3
"""Visits of one state that a run is judged by; a loop may have hundreds."""
_MEND, _NAMED, _OTHER, _GUESS = range(4)


class Search:
    """What has been run, and what is still to be tried."""

    def __init__(
        self,
        subject: Subject,
        beginning: Script,
        *,
        runs: int,
        seconds: float,
        on_run: Callable[[Search, Run], None],
    ) -> None:
        """`on_run` is called after each run, before anything is derived from it."""
        self.subject = subject
        self.most, self.seconds = runs, seconds
        self.runs = 0
        self.reached: dict[Goal, Script] = {}
        """What runs used, and the first script that did."""
        self.cut_short = False
        self._on_run = on_run
        self._attempts: Counter[Goal] = Counter()
        self._known: set[str] = set()
        self._serial = count()
        self._queue: list[tuple[int, int, Script, Goal | None]] = []
        """By rank, then by number; what to run, and for what."""
        self._add(_MEND, beginning, None)

    @property
    def items(self) -> list[Item]:
        """Everything there is to reach."""
        return self.subject.coverage.items

    def explore(self) -> None:
        """Run until nothing is left to try, or the limits are reached."""
        until = time.monotonic() + self.seconds
        while self._queue:
            if self.runs >= self.most or time.monotonic() > until:
                self.cut_short = True
                return
            _, _, script, goal = heapq.heappop(self._queue)
            if goal not in self.reached:
                self._try(script, goal)

    def passed(self, state: str) -> bool:
        """Whether a state was left by Next or End in some run."""
        return passed(state) in self.reached

    def _try(self, script: Script, goal: Goal | None) -> None:
        if script.key in self._known:
            return
        self._known.add(script.key)
        run = self.subject.run(script)
        self.runs += 1
        if isinstance(goal, str) and not goal.endswith(PASSED):
            self.reached[goal] = script
        for item in self.subject.used(run):
            self.reached.setdefault(item, script)
        for goal in _passed(run):
            self.reached.setdefault(goal, script)
        self._on_run(self, run)
        if not self._mend(run):
            self._add_goals(run)

    def _mend(self, run: Run) -> bool:
        """Add better data for the states that failed over theirs; whether there were any."""
        better = [script for blame in blamed(run) if (script := mended(blame))]
        for script in better:
            self._add(_MEND, script, None)
        for blame in blamed(run):
            self._guess(blame, passed(blame.seen.state.name))
        return any(script.key not in self._known for script in better)

    def _add_goals(self, run: Run) -> None:
        for wanted, other in self._goals(run):
            if other.key in self._known:
                continue
            self._attempts[wanted] += 1
            self._add(_rank(wanted), other, wanted)

    def _guess(self, blame: Blame, passed: Goal) -> None:
        for script in guesses(blame):
            if passed not in self.reached and self._attempts[passed] < GUESSES:
                self._attempts[passed] += 1
                self._add(_GUESS, script, passed)

    def _goals(self, run: Run) -> Iterator[tuple[Goal, Script]]:
        visits: Counter[str] = Counter()
        if run.endless:
            yield from (one for one in escapes(run) if self._open(one[0]))
        for seen in run.visited():
            visits[seen.state.name] += 1
            if visits[seen.state.name] <= _VISITS:
                yield from goals(seen, self._open)

    def _open(self, goal: Goal) -> bool:
        return goal not in self.reached and self._attempts[goal] < ATTEMPTS

    def _add(self, rank: int, script: Script, goal: Goal | None) -> None:
        heapq.heappush(self._queue, (rank, next(self._serial), script, goal))


def _rank(goal: Goal) -> int:
    if isinstance(goal, Item):
        return _NAMED
    return _MEND if goal.endswith(PASSED) else _OTHER


def _passed(run: Run) -> Iterator[Goal]:
    """The states that did their work, whatever way they were left by but a catcher."""
    failed = [blame.seen.visit for blame in blamed(run)]
    for seen in run.visited():
        state, visit = seen.state, seen.visit
        normally = state.type == "Choice" or visit.following == state.next
        if visit not in failed and (state.type == "Fail" or (visit.exited and normally)):
            yield passed(state.name)
    if run.execution.status == "SUCCEEDED":
        yield passed("")
