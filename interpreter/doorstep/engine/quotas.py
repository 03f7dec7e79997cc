"""AWS's limits as data (Step Functions quotas page; figures in bytes, seconds and counts)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from ..errors import InputError
from ..model.aws_model import PAYLOAD_BYTES

DAY = 86_400
MOST_BYTES = 4 * 2**20
"""Of what an evaluation writes on its way, whatever the quota of payloads is: sixteen of them."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """What an execution may use; `None` lifts a limit that AWS has.

    Facts 99, 274, 333, 520, 521 and 526.
    """

    payload_bytes: int | None = PAYLOAD_BYTES
    """262,144 UTF-8 bytes of an input or output; `Fiber.encode` looks at each."""
    assign_bytes: int | None = PAYLOAD_BYTES
    """All that one Assign assigns, so that no variable has more either."""
    variables_bytes: int | None = 10 * 2**20
    """All variables that can be read at one place."""
    history_events: int | None = 25_000
    execution_seconds: int = 365 * DAY
    inline_concurrency: int = 40
    """What MaxConcurrency 0 means for an inline Map."""
    distributed_concurrency: int = 10_000
    wait_seconds: int = 2**31 - 1
    """A Wait of this length or more fails the execution: "Wait state delay is too long."."""
    error_characters: int = 256
    cause_characters: int = 32_768
    """What is left of a task's error and cause when they are longer."""
    loop_events: int = 500_000
    """Our own: an Express execution that gets here without letting time pass is timed out."""

    @property
    def last_event(self) -> int:
        """How many events a history has at the most."""
        return self.history_events or self.loop_events

    def but(self, changes: dict[str, Any]) -> Quotas:
        """Return these quotas with some replaced; raise InputError for an unknown one."""
        known = {field.name: field for field in fields(self)}
        for name, limit in changes.items():
            if name not in known:
                raise InputError(f"there is no quota {name!r}; there are {', '.join(known)}")
            liftable = "None" in str(known[name].type)
            if limit is None and liftable:
                continue
            if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
                lifted = ", or None to lift it" if liftable else ""
                raise InputError(f"the quota {name} must be a positive integer{lifted}: {limit!r}")
        return replace(self, **changes)


STANDARD = Quotas()
EXPRESS = Quotas(history_events=None, execution_seconds=5 * 60)


def quotas_of(execution_type: str) -> Quotas:
    """Return AWS's limits of STANDARD or EXPRESS executions."""
    return EXPRESS if execution_type == "EXPRESS" else STANDARD
