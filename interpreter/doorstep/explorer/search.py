"""The search: run a script, see what it used, derive scripts for what no run has used yet.

Scripts with missing data come first, then those for what a definition names (rules, errors,
timeouts, sizes of Maps), then errors that nothing names, then guesses: what is likely to lead on
comes first, since a limit may cut the search short. Nothing is drawn at random: the same definition
gives the same runs.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from ..coverage import Item
from ..model import State
from ..runtime import Answer, no_answer
from . import flow_states
from .choices import possible
from .data_repair import DataFailure, data_failures, guesses, origin, repaired
from .findings import DataSource, Origin, Script
from .flow import MOST_ITEMS, wants
from .run import Run, RunStep, Subject

ATTEMPTS = 12
"""Scripts that are tried for one goal. A goal is often reached on one of a few paths only, and each
run that passes its state proposes a script; but goals that can't be reached must not use up the
runs.
"""
GUESSES = 60
"""Scripts with other data that are tried for one state that fails though nothing is missing."""
_VISITS = 3
"""Visits of one state from which a run derives scripts: the first of a loop, which may have
hundreds, differ most from one another.
"""
_REPAIR, _NAMED, _OTHER, _GUESS = range(4)
"""The ranks of scripts in the queue."""
PASSED = ": passed"
UNEXPECTED = "Unexpected"
"""An error that no retrier and no catcher names."""
Goal = Item | str
"""A part of the definition; or `STATE: what`, for what a definition does not name."""
IsWanted = Callable[[Goal], bool]


class Search:
    """The scripts that have been run, and those still to be tried."""

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
        """What runs reached, each with the first script that did."""
        self.cut_short = False
        self._on_run = on_run
        self._attempts: Counter[Goal] = Counter()
        self._known: set[str] = set()
        self._serial = count()
        self._queue: list[tuple[int, int, Script, Goal | None]] = []
        """(rank, serial number, script, goal): the script to run next comes first."""
        self._add(_REPAIR, beginning, None)

    @property
    def items(self) -> list[Item]:
        """All parts of the definition that can be reached."""
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
        """Return whether a state was left by Next or End in some run."""
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
        for passed in _passed(run):
            self.reached.setdefault(passed, script)
        self._on_run(self, run)
        # A run with missing data ends early: its goals are those of the repaired one.
        if not self._repair(run):
            self._add_goals(run)

    def _repair(self, run: Run) -> bool:
        """Add scripts with the missing data; return whether there are any that are new."""
        failures = list(data_failures(run))
        scripts = [script for failure in failures if (script := repaired(failure))]
        for script in scripts:
            self._add(_REPAIR, script, None)
        for failure in failures:
            self._guess(failure, passed(failure.step.state.name))
        return any(script.key not in self._known for script in scripts)

    def _add_goals(self, run: Run) -> None:
        for wanted, other in self._goals(run):
            if other.key in self._known:
                continue
            self._attempts[wanted] += 1
            self._add(_rank(wanted), other, wanted)

    def _guess(self, failure: DataFailure, passed: Goal) -> None:
        for script in guesses(failure):
            if passed not in self.reached and self._attempts[passed] < GUESSES:
                self._attempts[passed] += 1
                self._add(_GUESS, script, passed)

    def _goals(self, run: Run) -> Iterator[tuple[Goal, Script]]:
        visits: Counter[str] = Counter()
        if run.endless:
            yield from (one for one in loop_exits(run) if self._open(one[0]))
        for step in run.steps():
            visits[step.state.name] += 1
            if visits[step.state.name] <= _VISITS:
                yield from goals(step, self._open)

    def _open(self, goal: Goal) -> bool:
        return goal not in self.reached and self._attempts[goal] < ATTEMPTS

    def _add(self, rank: int, script: Script, goal: Goal | None) -> None:
        heapq.heappush(self._queue, (rank, next(self._serial), script, goal))


def _rank(goal: Goal) -> int:
    if isinstance(goal, Item):
        return _NAMED
    # To leave a loop, or a state that always fails, opens all that comes after.
    return _REPAIR if goal.endswith(PASSED) else _OTHER


def _passed(run: Run) -> Iterator[Goal]:
    """Yield goals for the states that did their work and were left, but not by a catcher."""
    failed = [failure.step.visit for failure in data_failures(run)]
    for step in run.steps():
        state, visit = step.state, step.visit
        normally = state.type == "Choice" or visit.following == state.next
        if visit not in failed and (state.type == "Fail" or (visit.exited and normally)):
            yield passed(state.name)
    if run.execution.status == "SUCCEEDED":
        yield passed("")


# Goals --------------------------------------------------------------------------------------------

_ANY = ("States.ALL", "States.TaskFailed")
_TIMEOUTS = ("States.Timeout", "States.HeartbeatTimeout")
_SUCCESS = Answer(output={})
Propose = Callable[[RunStep, IsWanted], Iterator[tuple[Goal, Script]]]


def passed(state: str) -> str:
    """Return the goal that a state is left by Next or End; "": that the execution succeeds."""
    return f"{state}{PASSED}"


def loop_exits(run: Run) -> Iterator[tuple[Goal, Script]]:
    """Yield scripts with which an endless run might leave its loop: by other rules of a Choice."""
    known: set[str] = set()
    for step in run.steps():
        name = step.state.name
        if step.state.type == "Choice" and name not in known:
            known.add(name)
            around = run.subject.around[name]
            goal = passed(around.name if around else "")
            yield from ((goal, script) for _, script in _rules(step, bool))


def goals(step: RunStep, wanted: IsWanted) -> Iterator[tuple[Goal, Script]]:
    """Yield scripts worth trying after a visit, each with its goal, where that is wanted."""
    if step.state.type == "Task" and not step.visit.attempts:
        return
    for propose in _PROPOSALS.get(step.state.type, ()):
        yield from (one for one in propose(step, wanted) if wanted(one[0]))


def _rules(step: RunStep, wanted: IsWanted) -> Iterator[tuple[Goal, Script]]:
    """Yield scripts with which other rules of a Choice match, or none where it has no Default."""
    ways: list[Goal] = [item for _, item in step.parts.rules]
    if step.state.default is None:
        ways.append(f"{step.state.name}: no rule")
    if not any(map(wanted, ways)):
        return
    for number, changes in possible(step).by_rule.items():
        script: Script | None = step.run.script
        for read, value in changes:
            source = origin(step, read)
            script = script.put(source, value) if script and isinstance(source, Origin) else None
        if script is not None and changes:
            yield ways[number], script


def _errors(step: RunStep, _: IsWanted) -> Iterator[tuple[Goal, Script]]:
    """Yield scripts in which a task fails: for its retriers and catchers, and those around it."""
    subject, script, task, call = step.run.subject, step.run.script, step.state, step.call
    inner: State | None = task

    def throw(*replies: Answer) -> Script:
        return script.answering(task.name, call, *replies)

    yield f"{task.name}: {UNEXPECTED}", throw(_failing(UNEXPECTED))
    before = script.reply(task.name, call)
    while inner:
        parts = subject.parts[inner.name]
        for retrier, item in parts.retriers:
            for error in retrier.names:
                # The second attempt succeeds, so that the run continues after the retry.
                success = _SUCCESS if before.failed else before
                yield item, throw(_failure(task, error), success)
        for catcher in parts.catchers:
            for error in catcher.names:
                yield catcher.item, throw(_failure(task, error))
        inner = subject.around[inner.name]


def _failure(task: State, error: str) -> Answer:
    if error in _TIMEOUTS and task.time_limits:
        return no_answer()
    return _failing(UNEXPECTED if error in _ANY else error)


def _failing(error: str) -> Answer:
    return Answer(failed=True, error=error, cause="")


def _timeouts(step: RunStep, _: IsWanted) -> Iterator[tuple[Goal, Script]]:
    """Yield scripts in which nobody answers a task, or it fails with the timeout's error."""
    name, call, coverage = step.state.name, step.call, step.run.subject.coverage
    script = step.run.script.answering(name, call, no_answer())
    for limit, item in step.parts.timeouts.items():
        yield item, script
        error = "States.Timeout" if limit == "TimeoutSeconds" else "States.HeartbeatTimeout"
        yield item, step.run.script.answering(name, call, _failing(error))
        yield f"{name}: States.Timeout", script
    if coverage.timeout:
        yield coverage.timeout, script


def _sizes(step: RunStep, _: IsWanted) -> Iterator[tuple[Goal, Script]]:
    """Yield scripts in which a Map has no item, one and several."""
    state, script, parts = step.state, step.run.script, step.parts
    if state.reader:
        unread = replace(script, items={**script.items, state.name: None})
        yield from ((catcher.item, unread) for catcher in parts.catchers)
    for source, numbers in _item_sources(step, (0, 1, _several(state))):
        items = script.get(source)
        first = items[:1] if isinstance(items, list) and items else [{}]
        for item, number in zip(parts.sizes * len(numbers), numbers, strict=False):
            yield item, script.put(source, first * number)


def _item_sources(
    step: RunStep, numbers: tuple[int, ...]
) -> Iterator[tuple[Origin, tuple[int, ...]]]:
    """Yield where a Map's items come from, and the lengths to try there.

    Computed items may be fewer or more than what they are computed from (a filter, a product), so
    that one, two and three are tried as well.
    """
    flow = flow_states.items(step.state)
    if step.state.reader:
        yield Origin(DataSource("items", step.state.name)), numbers
        return
    for want in wants(flow):
        source = origin(step, want.flow)
        if isinstance(source, Origin):
            yield source, numbers if want.flow == flow else (*numbers, 1, 2, 3)


def _several(state: State) -> int:
    """Return how many items are several: one more than a batch, so that there are two children."""
    batch = (state.batcher or {}).get("MaxItemsPerBatch", 1)
    return 1 + (min(batch, MOST_ITEMS) if isinstance(batch, int) else 1)


_PROPOSALS: Mapping[str, Sequence[Propose]] = {
    "Choice": (_rules,),
    "Task": (_errors, _timeouts),
    "Map": (_sizes,),
}
