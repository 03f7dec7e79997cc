"""AWS's limits as data (Step Functions quotas page; figures in bytes, seconds and counts)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Quotas:
    """What an execution may use; `None` lifts a limit that AWS has."""

    payload_bytes: int | None = 262_144
    history_events: int | None = 25_000
    execution_seconds: int = 365 * DAY
    inline_concurrency: int = 40
    """What MaxConcurrency 0 means for an inline Map."""
    distributed_concurrency: int = 10_000
    wait_seconds: int = 2**31 - 1
    """A Wait of this length or more fails the execution: "Wait state delay is too long."."""
    loop_events: int = 1_000_000
    """Our own: an Express execution that gets here without letting time pass is timed out."""

    def but(self, changes: dict[str, Any]) -> Quotas:
        """These quotas with some replaced; raises ValueError for a name that is none."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        if unknown := set(changes) - set(known):
            raise ValueError(f"no quota {sorted(unknown)[0]!r}; there are {', '.join(known)}")
        return Quotas(**(known | changes))


STANDARD = Quotas()
EXPRESS = Quotas(history_events=None, execution_seconds=5 * 60)
