"""Error matching and back-off (States Language, "Errors"): pure functions.

What a Catch does with the error and the state's input is `states.recover`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from ..errors import StateFailed
from ..jsonata.values import as_double

LONGEST_DELAY = 99_999_999
_NO_TASK_FAILURES = frozenset(("States.Timeout", "States.QueryEvaluationError"))


def matches(names: Sequence[str], failed: StateFailed) -> bool:
    """Return whether ErrorEquals `names` takes this failure.

    States.ALL takes all that can be caught, States.DataLimitExceeded included (recorded, though
    the guide says otherwise); States.TaskFailed all but States.Timeout and a failed query.

    Facts 91, 138, 307 and 308.
    """
    if failed.final:
        return False
    return any(
        name == "States.ALL"
        or name in failed.names
        or (name == "States.TaskFailed" and _NO_TASK_FAILURES.isdisjoint(failed.names))
        for name in names
    )


@dataclass(frozen=True, slots=True)
class Retrier:
    """One entry of Retry; seconds."""

    names: tuple[str, ...]
    interval: float
    max_attempts: int
    rate: float
    max_delay: float
    jitter: bool

    def delay(self, attempt: int, random: Callable[[], Random]) -> float:
        """Return the seconds before retry `attempt` (from 0); jitter is drawn after the cap.

        Fact 300.
        """
        try:
            delay = min(self.interval * self.rate**attempt, self.max_delay)
        except OverflowError:
            delay = self.max_delay
        return random().uniform(0, delay) if self.jitter else delay


def compile_retrier(fields: Mapping[str, Any]) -> Retrier:
    """Return a retrier with AWS's defaults: 1 s, three attempts, rate 2 (fact 89)."""
    return Retrier(
        names=tuple(fields["ErrorEquals"]),
        interval=fields.get("IntervalSeconds", 1),
        max_attempts=fields.get("MaxAttempts", 3),
        rate=as_double(fields.get("BackoffRate", 2.0)),
        max_delay=fields.get("MaxDelaySeconds", LONGEST_DELAY),
        jitter=fields.get("JitterStrategy") == "FULL",
    )


def next_delay(
    used: dict[int, int],
    retriers: Sequence[Retrier],
    failed: StateFailed,
    random: Callable[[], Random],
) -> float | None:
    """Return the seconds until the next attempt; None when there is none.

    The first retrier that matches decides: when it is used up, later ones are not tried. `used`:
    how often each one has been in this visit (facts 89 and 302).

    Fact 301.
    """
    for index, retrier in enumerate(retriers):
        if matches(retrier.names, failed):
            before = used.get(index, 0)
            if before >= retrier.max_attempts:
                return None
            used[index] = before + 1
            return retrier.delay(before, random)
    return None
