"""Answers that are known before their time: stored at once, delivered when it comes.

A callback or a job can end before the answer to its request is there: its worker was quick, or the
server was killed in between. Recorded histories have TaskSubmitted before every end, and so such an
end is held until then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..engine import EXECUTION, Fact, FactKind, Invoke, SetTimer
from ..values.json_values import ABSENT
from .answers import Answer
from .running import Running

if TYPE_CHECKING:
    from .running import Delivery


def unanswered(execution: Running, key: str) -> bool:
    """Return whether a key is that of a callback or job whose request has no answer yet."""
    call = execution.engine.open.get(key, {}).get("")
    waiting = isinstance(call, Invoke) and bool(call.integration.pattern)
    return waiting and key not in execution.submitted


def accept(
    driver: Delivery, execution: Running, kind: FactKind, key: str, data: Any, after: float
) -> bool:
    """Take a task's end, or a heartbeat, from whoever has its token; return whether it counts.

    Time limits that have passed come first, even if nothing looked at them yet: a server may have
    been down.

    Fact 468.
    """
    execution.ending.discard(key)
    _expire_due(driver, execution, key)
    if key not in execution.engine.waiting or execution.held_until(key) <= execution.clock.now():
        return False
    early = kind != "heartbeat" and unanswered(execution, key)
    if early or after:
        schedule(driver, execution, kind, key, data, after, early=early)
    else:
        # Now, not soon: the sender is answered from what it did.
        driver.deliver(execution, kind, key, data)
    return True


def expire(driver: Delivery, execution: Running, timer: SetTimer) -> None:
    """Let a timer's time come; an end that was taken before its limit stays ahead of it."""
    key, name, at = timer
    if name != "delay":
        deliver_held(driver, execution, None if key == EXECUTION else at)
    driver.deliver(execution, "due", key, name)


def deliver_held(driver: Delivery, execution: Running, limit: float | None = None) -> None:
    """Deliver the ends that are held, without an answer to their requests.

    `limit`: only those of tasks whose time limit is that moment, or one before it.
    """
    now = execution.clock.now()
    for key in list(execution.held):
        due = limit is None or any(timer.at <= limit for timer in limits(execution, key))
        if due and execution.held_until(key) <= now:
            answer = execution.held.pop(key)[0]
            driver.deliver(execution, answer.kind, key, answer.data)


def limits(execution: Running, *keys: str) -> list[SetTimer]:
    """Return the time limits of calls that are open."""
    timers = [timer for key in keys for timer in execution.engine.open.get(key, {}).values()]
    return [timer for timer in timers if isinstance(timer, SetTimer) and timer.name != "delay"]


def _expire_due(driver: Delivery, execution: Running, key: str) -> None:
    now = execution.clock.now()
    for timer in sorted(limits(execution, EXECUTION, key), key=lambda one: one.at):
        if timer.at <= now:
            expire(driver, execution, timer)


def schedule(
    driver: Delivery,
    execution: Running,
    kind: FactKind,
    key: str,
    data: Any,
    after: float,
    *,
    early: bool,
) -> None:
    """Deliver it `after` seconds from now; `early`: not before the request is answered either."""
    # What follows the answer to the request, or takes its time, is not asked for again.
    answer = Fact(kind, execution.clock.now() + after, key, data)
    driver.persistence.scheduled(execution, answer)
    if early:
        hold(execution, answer)
    else:
        deliver_at_its_time(driver, execution, answer)


def hold(execution: Running, answer: Fact) -> None:
    """Deliver it no sooner than `release` says."""
    execution.held.setdefault(answer.key, []).append(answer)


def release(driver: Delivery, execution: Running, key: str) -> None:
    """Deliver what was held: at once, or when its time comes.

    At once, as its sender was answered that the task has ended: no other end may come between.
    """
    now = execution.clock.now()
    for answer in execution.held.pop(key, ()):
        if answer.at <= now:
            driver.deliver(execution, answer.kind, key, answer.data)
        else:
            deliver_at_its_time(driver, execution, answer)


def deliver_at_its_time(driver: Delivery, execution: Running, answer: Fact) -> None:
    """Let an answer reach its execution at its time."""
    kind, at, key, data = answer
    execution.clock.call_at(at, partial(driver.deliver, execution, kind, key, data))


def take_answer(
    driver: Delivery, execution: Running, invoke: Invoke, answer: Answer | BaseException
) -> None:
    """Take what a handler or a mock answered to a call, or what the call raised unexpectedly."""
    if isinstance(answer, BaseException):
        raise answer
    key, after, pattern = invoke.key, answer.after, invoke.integration.pattern
    if answer.heartbeat:
        _beat(driver, execution, key, answer.heartbeat)
    # A callback's or a job's request is answered first; without that, a failure refuses it.
    refused = answer.failed and not after and answer.response is ABSENT
    if refused and key in execution.held:
        # Whoever ended the task was answered that it is so.
        release(driver, execution, key)
        return
    submitted = bool(pattern) and answer.accepted and not refused
    kind: FactKind = "succeeded"
    data = answer.output
    if answer.failed:
        final = {"final": True} if answer.final else {}
        kind, data = "failed", {"error": answer.error, "cause": answer.cause, **final}
    # The end of a job is stored before the answer to its request is: a crash between the two
    # then asks for both again, where it would else wait for an end that nobody knows.
    if data is ABSENT:
        if pattern and answer.response is not ABSENT:
            driver.leave_open(execution, invoke)
    elif submitted or after:
        schedule(driver, execution, kind, key, data, after, early=submitted)
    else:
        driver.deliver(execution, kind, key, data)
    if submitted:
        response = {} if answer.response is ABSENT else answer.response
        driver.deliver(execution, "submitted", key, response)


def _beat(driver: Delivery, execution: Running, key: str, every: float) -> None:
    """Send the task's heartbeats until the task is over."""

    def beat() -> None:
        if key in execution.engine.waiting:
            driver.deliver(execution, "heartbeat", key)
            _beat(driver, execution, key, every)

    execution.clock.call_at(execution.clock.now() + every, beat)
