"""After a crash: an execution is its journal; what has no answer yet is asked for again.

The commands are the same, under the same keys: handlers see the same idempotency key, tokens stay
valid, timers keep their deadlines.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from ..engine.commands import Command, Invoke, Program
from ..engine.events import Fact
from ..engine.journal import Journal, replay
from .clock import Clock
from .execution import Execution
from .pending_answers import hold, tell, unanswered
from .step_functions import watch_again

if TYPE_CHECKING:
    from .ports import Delivery


def restore(program: Program, journal: Journal, clock: Clock) -> Execution:
    """The execution of a journal, as it was; raises ReplayError when it does not belong to it."""
    engine = replay(program, journal)
    return Execution(program, journal.header, clock, engine=engine, journal=journal)


def go_on(driver: Delivery, execution: Execution, promises: Iterable[Fact] = ()) -> None:
    """Carry out the commands that have no answer yet; `promises`: the answers known already."""
    driver.executions[execution.arn] = execution
    facts = execution.journal.facts
    picked_up = {fact.key for fact in facts if fact.kind == "picked up"}
    known = list(promises)
    for promise in known:
        if promise.kind != "heartbeat" and unanswered(execution, promise.key):
            hold(execution, promise)
    kept = [promise for promise in known if _holds(execution, promise, facts)]
    promised = {promise.key for promise in kept if promise.kind in ("succeeded", "failed")}
    for command in list(execution.engine.pending()):
        # A map run that had come to its end tells so at once, and may end what is next to it.
        if command in execution.engine.open.get(command.key, {}).values():
            ask_again = partial(_ask_again, driver, execution, command, picked_up, promised)
            driver.guard(execution, ask_again)
    for promise in kept:
        tell(driver, execution, promise)


def _holds(execution: Execution, promise: Fact, facts: Iterable[Fact]) -> bool:
    """Whether it is still to come, and not held."""
    call = execution.engine.open.get(promise.key, {}).get("")
    if not isinstance(call, Invoke) or unanswered(execution, promise.key):
        return False
    # A heartbeat leaves its call open: it is over when it, or a later one, has come.
    kind, at, key, _ = promise
    return not any((fact.kind, fact.key) == (kind, key) and fact.at >= at for fact in facts)


def _ask_again(
    driver: Delivery,
    execution: Execution,
    command: Command,
    picked_up: set[str],
    promised: set[str],
) -> None:
    if not isinstance(command, Invoke):
        driver.carry_out(execution, [command])
    elif command.key in promised:
        driver.expect(execution, command)
    elif command.key in execution.submitted:
        driver.expect(execution, command)
        watch_again(driver, execution, command)
    else:
        driver.invoke(execution, command, begun=command.key in picked_up)
