"""Where executions are stored, and how they continue from there after a crash.

An execution is its journal. What has no answer yet is asked for again by the same commands, under
the same keys: handlers see the same idempotency key, tokens stay valid, timers keep their
deadlines. The library stores executions in memory only, or in a file (`journal_file`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine import (
    Command,
    Fact,
    Invoke,
    Journal,
    JournalEntry,
    Program,
    StartMapRun,
    replay,
)
from .clocks import Clock
from .nested import watch_again
from .pending_answers import deliver_at_its_time, hold, unanswered
from .running import Running

if TYPE_CHECKING:
    from .running import Delivery


def restore(program: Program, journal: Journal, clock: Clock) -> Running:
    """Return a journal's execution as it was; raise ReplayError if the program is another."""
    engine = replay(program, journal)
    return Running(program, journal.header, clock, engine=engine, journal=journal)


def resume_execution(driver: Delivery, execution: Running, scheduled: Iterable[Fact] = ()) -> None:
    """Carry out the commands that have no answer yet; `scheduled`: the answers known already."""
    driver.executions[execution.arn] = execution
    facts = execution.journal.facts
    picked_up = {fact.key for fact in facts if fact.kind == "picked up"}
    scheduled = list(scheduled)
    for answer in scheduled:
        if answer.kind != "heartbeat" and unanswered(execution, answer.key):
            hold(execution, answer)
    to_come = [answer for answer in scheduled if _is_to_come(execution, answer, facts)]
    answered = {answer.key for answer in to_come if answer.kind in ("succeeded", "failed")}
    for command in list(execution.engine.pending()):
        # A map run that had come to its end reports so at once, and may end what is next to it.
        if command in execution.engine.open.get(command.key, {}).values():
            ask_again = partial(_ask_again, driver, execution, command, picked_up, answered)
            driver.guard(execution, ask_again)
    for answer in to_come:
        deliver_at_its_time(driver, execution, answer)


def _is_to_come(execution: Running, answer: Fact, facts: Iterable[Fact]) -> bool:
    """Return whether an answer is still to come, and not held."""
    call = execution.engine.open.get(answer.key, {}).get("")
    if not isinstance(call, Invoke) or unanswered(execution, answer.key):
        return False
    # A heartbeat leaves its call open: it is over when it, or a later one, has come.
    kind, at, key, _ = answer
    return not any((fact.kind, fact.key) == (kind, key) and fact.at >= at for fact in facts)


def _ask_again(
    driver: Delivery,
    execution: Running,
    command: Command,
    picked_up: set[str],
    answered: set[str],
) -> None:
    if not isinstance(command, Invoke):
        driver.carry_out(execution, [command])
    elif command.key in answered:
        driver.expect(execution, command)
    elif command.key in execution.submitted:
        driver.expect(execution, command)
        watch_again(driver, execution, command)
    else:
        driver.invoke(execution, command, begun=command.key in picked_up)


class InMemory:
    """Persistence that stores nothing beyond what the executions hold themselves."""

    def journaled(self, execution: Running, entries: Sequence[JournalEntry]) -> None:
        """Do nothing: the execution's own journal has them."""

    def scheduled(self, execution: Running, fact: Fact) -> None:
        """Do nothing: the clock has it."""

    def expected(self, execution: Running, tokens: Collection[str]) -> None:
        """Do nothing: the driver has them."""

    def safely(self, act: Callable[..., None], *arguments: Any) -> None:
        """Do it now: nothing is safer later."""
        act(*arguments)

    def map_run(self, run: Any) -> None:
        """Do nothing: the parent has it."""

    def children(self, parent: Running, command: StartMapRun) -> Iterable[Running | Journal | None]:
        """Return none: a run that the parent does not hold is new."""
        return ()

    def find(self, arn: str) -> Running | None:
        """Return none: the driver holds all there are."""
        return None

    def knows_token(self, token: str) -> bool:
        """Return False: the driver holds all there are."""
        return False

    def is_elsewhere(self, token: str) -> bool:
        """Return False: there are no servers."""
        return False

    def started_as(self, execution: Running) -> Mapping[str, str]:
        """Return nothing: machines of the library have no versions."""
        return {}

    def set_aside(self, execution: Running, problem: Exception) -> None:
        """Do nothing: nothing has to be stored."""

    def close(self) -> None:
        """Do nothing: nothing was opened."""
