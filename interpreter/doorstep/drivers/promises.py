"""Answers that are known before they may be told: kept at once, told at their time.

A callback or a job can end before the answer to its request is there: its worker was quick, or the
server was killed in between. Recorded histories have TaskSubmitted before every end, and so such an
end is held until then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..commands import Invoke
from ..events import Fact, FactKind
from .execution import Execution

if TYPE_CHECKING:
    from .driver import Driver


def unanswered(execution: Execution, key: str) -> bool:
    """Whether a key is that of a callback or job whose request has not been answered yet."""
    call = execution.engine.open.get(key, {}).get("")
    waiting = isinstance(call, Invoke) and bool(call.integration.pattern)
    return waiting and key not in execution.submitted


def receive(
    driver: Driver, execution: Execution, kind: FactKind, key: str, data: Any, after: float
) -> None:
    """Somebody who has the token of a task sends its end, or a heartbeat."""
    early = kind != "heartbeat" and unanswered(execution, key)
    if early or after:
        pledge(driver, execution, kind, key, data, after, early=early)
    else:
        # Now, not soon: who sends is told that it is done.
        driver.deliver(execution, kind, key, data)


def pledge(
    driver: Driver,
    execution: Execution,
    kind: FactKind,
    key: str,
    data: Any,
    after: float,
    *,
    early: bool,
) -> None:
    """Tell it `after` seconds from now; `early`: not before the request is answered either."""
    promise = Fact(kind, execution.clock.now() + after, key, data)
    # What follows the answer to the request, or takes its time, is not asked for again.
    if early or after:
        driver.keeper.promised(execution, promise)
    if early:
        hold(execution, promise)
    else:
        tell(driver, execution, promise)


def hold(execution: Execution, promise: Fact) -> None:
    """Tell it no sooner than `release` says."""
    execution.held.setdefault(promise.key, []).append(promise)


def release(driver: Driver, execution: Execution, key: str) -> None:
    """Let what was held be told, each at its time."""
    for promise in execution.held.pop(key, ()):
        tell(driver, execution, promise)


def tell(driver: Driver, execution: Execution, promise: Fact) -> None:
    """Let a promise reach its execution at its time."""
    kind, at, key, data = promise
    execution.clock.call_at(at, partial(driver.deliver, execution, kind, key, data))
