"""Children in batches on workers, in place of this process.

    remote_executor("processes:4", handlers)     ->  what `MapRun` takes as `executor`

A batch is as large as takes a quarter of a second, by what those before took; twice as many are
under way as there are workers. On the virtual clock time stands still while any is: a child's end
comes at the time that its own clock had then. What can't run elsewhere runs here: children that
wait for somebody, and those that were begun before a crash.
"""

from __future__ import annotations

import logging
import queue
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from itertools import islice
from typing import Any

from ..engine import Event, Fact, Journal, JournalEntry, header_line, read_all, replay
from ..errors import InputError, crashed
from ..model import State, integration, workflow
from ..runtime import InMemory, Running, Source, VirtualClock
from ..values.json_values import STORED_DEPTH, dumps, loads
from .executors import Child, ChildrenOwner, InlineExecutor, NewExecutor
from .pools import DaskPool, Pool, ProcessPool
from .shipping import shipped

log = logging.getLogger("doorstep")
INLINE = "inline"
_SECONDS = 0.25
_FIRST, _MOST = 10, 500
"""Children of the first batch, and of the largest."""
_AHEAD = 2
"""Batches under way for each worker."""
_ADDRESS = re.compile(r"//[\w.\-\[\]:]+:\d+/?")
_OURS = ("states:startExecution", "aws-sdk:sfn:")


def answered_here(run: ChildrenOwner) -> str | None:
    """Return why this process has to answer the tasks of a map run's children, if it has."""
    if run.driver.respond or run.driver.elsewhere:
        return "mocks or workers of this process answer their tasks"
    return None


def executor_named(
    named: str | Mapping[str, str],
    handlers: Source | None,
    why_here: Callable[[ChildrenOwner], str | None] = answered_here,
) -> NewExecutor:
    """Return the executor of a name: `inline`, `processes[:N]`, `dask`, `local:N`, `dask://H:P`.

    Or by the names of Maps, `*` for all others; those that are not among them run inline.
    `why_here`: returns why the children of a map run can't run elsewhere, whatever its definition
    says.

    Raises InputError for another name, and for handlers that workers can't load.
    """
    if not isinstance(named, str):
        by_state = {state: executor_named(one, handlers, why_here) for state, one in named.items()}
        others = by_state.get("*", InlineExecutor)
        return lambda run: by_state.get(run.state, others)(run)
    if named == INLINE:
        return InlineExecutor
    make = _pool(named)
    shipped(handlers)  # refuses at once what workers can't load

    def executor(run: ChildrenOwner) -> RemoteExecutor:
        # Read for each run: those of a server may have changed.
        why = why_here(run) or _why_here(run)
        return RemoteExecutor(run, make, [] if why else shipped(handlers), why)

    return executor


def _pool(named: str) -> Callable[[], Pool]:
    kind, _, rest = named.partition(":")
    if rest and not rest.startswith("//") and not (rest.isdecimal() and int(rest)):
        raise InputError(f"executor {named!r}: {rest!r} is no number of workers")
    workers = int(rest) if rest.isdecimal() else None
    match kind:
        case "processes":
            return partial(ProcessPool, workers)
        case "dask" if _ADDRESS.fullmatch(rest):
            return partial(DaskPool, rest.strip("/"))
        case "dask" | "local" if not rest or workers:
            return partial(DaskPool, None, workers)
    raise InputError(
        f"executor {named!r}: there are inline, processes, processes:N, dask, local:N and "
        "dask://HOST:PORT"
    )


class RemoteExecutor:
    """Runs the children of one map run on a pool of workers."""

    def __init__(
        self,
        run: ChildrenOwner,
        make: Callable[[], Pool],
        handlers: list[list[Any]],
        why_here: str | None = None,
    ) -> None:
        self._run = run
        self._driver = run.driver
        self._here = InlineExecutor(run)
        self._make = make
        self._pool: Pool | None = None
        self._handlers = handlers
        self._making: object = None
        """Stands for the pool that is being made."""
        self._problem: BaseException | None = None
        """Why there is no pool."""
        self._watched = bool(self._driver.on_event) or type(run.driver.persistence) is not InMemory
        """Whether somebody stores the children, or looks at their events."""
        self._why_here = why_here
        self._under_way: dict[int, Child] = {}
        self._batches = 0
        self._size = _FIRST
        self._answers: queue.SimpleQueue[tuple[Sequence[Child], str | BaseException]] = (
            queue.SimpleQueue()
        )
        self._collecting = False
        if self._why_here:
            log.warning("%s: its children run in this process: %s", run.state, self._why_here)

    def room(self) -> int:
        """Return how many fit into the batches that are still to be made."""
        if self._why_here:
            return self._here.room()
        if self._problem:
            problem, self._problem = self._problem, None
            raise problem
        if self._pool is None:
            if self._making is None:
                self._making = made = object()
                # It may take seconds to reach a cluster.
                self._run.parent.clock.invoke(self._make, partial(self._made, made), None)
            return 0
        return max(self._pool.workers * _AHEAD - self._batches, 0) * self._size

    def _made(self, made: object, pool: Any) -> None:
        if made is not self._making:
            # The run has ended meanwhile.
            if not isinstance(pool, BaseException):
                pool.close()
            return
        self._making = None
        if isinstance(pool, BaseException):
            self._problem = pool
        else:
            self._pool = pool
        self._driver.guard(self._run.parent, self._run.fill)

    def submit(self, children: Sequence[Child]) -> None:
        """Send children in batches."""
        if self._why_here or self._pool is None:
            self._here.submit(children)
            return
        remaining = iter(children)
        while batch := list(islice(remaining, self._size)):
            self._batches += 1
            self._under_way |= {child.number: child for child in batch}
            self._pool.submit(self._text(batch), partial(self._came, batch))
        self._collect()

    def adopt(self, index: int, child: Running) -> None:
        """Take over a child of before: it goes on here."""
        self._here.adopt(index, child)

    def cancel(self) -> list[int]:
        """End the workers; what they had not answered ends as ABORTED."""
        withdrawn = self._here.cancel()
        if self._pool:
            self._pool.close()
            self._pool, self._batches = None, 0
            # Whoever waits for an answer of theirs waits no more.
            self._answers.put(((), ""))
            self._answers = queue.SimpleQueue()
        self._making = None
        left, self._under_way = list(self._under_way.values()), {}
        for child in left:
            self._end(child, self._cut_short(child, "stopped", {"error": None, "cause": None}))
        return withdrawn

    def release(self) -> None:
        """End the workers; what they had not answered is run again."""
        self._making = None
        if self._pool:
            self._pool.close()
            self._pool.wait()
            self._pool, self._batches = None, 0
            self._answers.put(((), ""))

    # To workers and back -------------------------------------------------------------------------

    def _text(self, batch: Sequence[Child]) -> str:
        clock = self._run.parent.clock
        return dumps(
            {
                "definition": self._definition,
                "state": self._run.state,
                "handlers": self._handlers,
                "clock": "virtual" if isinstance(clock, VirtualClock) else "real",
                "now": clock.now(),
                "whole": self._watched,
                "children": [
                    [
                        child.number,
                        header_line(child.header, inherited=True),
                        child.input,
                        [*child.facts],
                    ]
                    for child in batch
                ],
            },
            STORED_DEPTH,
        )

    @cached_property
    def _definition(self) -> str:
        """The definition's text, which every batch has."""
        return dumps(self._run.parent.journal.header.definition, STORED_DEPTH)

    def _came(self, batch: Sequence[Child], answer: str | BaseException) -> None:
        """Take an answer, in whichever thread."""
        self._answers.put((batch, answer))

    def _collect(self) -> None:
        """Wait for answers, while any is to come: on the virtual clock nothing else passes."""
        if not self._collecting and self._batches:
            self._collecting = True
            clock = self._run.parent.clock
            clock.call_at(0.0, partial(clock.invoke, self._answers.get, self._collected, None))

    def _collected(self, answered: Any) -> None:
        self._collecting = False
        self._driver.guard(self._run.parent, self._take, answered)

    def _take(self, answered: Any) -> None:
        if isinstance(answered, BaseException):
            raise answered
        batch, answer = answered
        if self._pool is None or not batch or batch[0].number not in self._under_way:
            self._collect()
            return
        self._batches -= 1
        for child, entries in self._answered(batch, answer):
            self._ended_at(child, entries)
        self._run.fill()
        self._collect()

    def _answered(
        self, batch: Sequence[Child], answer: str | BaseException
    ) -> Iterable[tuple[Child, Journal]]:
        """Yield the children of a batch with their journals."""
        done: Mapping[str, Any] = (
            {"problem": str(answer) or type(answer).__name__, "worker": "a worker"}
            if isinstance(answer, BaseException)
            else loads(answer, STORED_DEPTH)
        )
        if "problem" in done:
            problem = RuntimeError(f"{done['worker']}: {done['problem']}")
            for child in batch:
                yield child, self._cut_short(child, "crashed", asdict(crashed(problem)))
            return
        each = max(done["seconds"] / len(batch), 1e-6)
        self._size = min(max(round(_SECONDS / each), 1), _MOST)
        by_number = {child.number: child for child in batch}
        for number, lines in done["children"]:
            child = by_number[number]
            header = header_line(child.header, inherited=True)
            (journal,) = read_all([header, *lines]).values()
            yield child, Journal(child.header, journal.entries)

    def _cut_short(self, child: Child, kind: Any, data: Any) -> Journal:
        """Return the journal of a child that begins, and is ended by a fact; nothing is called."""
        now = self._run.parent.clock.now()
        facts = [*child.facts] or [Fact("started", now, "", child.input)]
        engine = replay(child.program, Journal(child.header, list(facts)))
        before: list[JournalEntry] = []
        if child.facts:
            before, facts = [*facts, *engine.history], [Fact("redriven", now, "", None)]
            engine.receive(facts[0])
        last = Fact(kind, now, "", data)
        engine.receive(last)
        new = engine.history[sum(isinstance(one, Event) for one in before) :]
        return Journal(child.header, [*before, *facts, last, *new])

    def _ended_at(self, child: Child, journal: Journal) -> None:
        if journal.status == "RUNNING":
            return  # nobody answers it, as it would be here
        end = partial(self._driver.guard, self._run.parent, self._arrived, child, journal)
        if journal.end.at <= self._run.parent.clock.now():
            end()
        else:
            self._run.parent.clock.call_at(journal.end.at, end)

    def _arrived(self, child: Child, journal: Journal) -> None:
        if self._under_way.pop(child.number, None):
            self._end(child, journal)

    def _end(self, child: Child, journal: Journal) -> None:
        if self._watched:
            execution, entries = _as_it_ended(child, journal, self._run)
            self._driver.persistence.journaled(execution, entries)
            if listen := self._driver.on_event:
                for entry in entries:
                    if isinstance(entry, Event):
                        listen(execution, entry)
        self._run.ended(child.number, journal)


def _as_it_ended(
    child: Child, journal: Journal, run: ChildrenOwner
) -> tuple[Running, list[JournalEntry]]:
    """Return a child that has ended, for those who store it or look at it, and what is new of it.

    Its own journal has what was there before: of one that is redriven.
    """
    engine, entries = replay(child.program, journal), journal.entries
    redrives = (
        place
        for place, one in enumerate(entries)
        if isinstance(one, Fact) and one.kind == "redriven"
    )
    new = max(redrives) if child.facts else 0
    before = Journal(child.header, entries[:new])
    clock = run.parent.clock
    return Running(child.program, child.header, clock, engine=engine, journal=before), entries[new:]


def _why_here(run: ChildrenOwner) -> str | None:
    """Return why children can't run on workers by their definition; None when they can."""
    tree = workflow(run.parent.journal.header.definition)
    for state in tree.scope.walk():
        if state.name == run.state and state.scopes:
            reasons = (_waits(one) for one in state.scopes[0].walk())
            return next((reason for reason in reasons if reason), None)
    return "the definition does not name the state"


def _waits(state: State) -> str | None:
    if state.distributed:
        return f"'{state.name}' has a map run of its own"
    if state.type != "Task":
        return None
    called = integration(str(state.fields["Resource"]))
    if called.pattern == "waitForTaskToken" or called.kind == "activity":
        return f"'{state.name}' waits for an answer from outside"
    ours = called.action.startswith(_OURS)
    return f"'{state.name}' starts or answers executions" if ours else None
