"""Whether two events say the same, the recorded one and ours, member by member, and in time.

JSON texts are the same when their values are. What belongs to a run is not compared: see
`OF_THE_RUN`, the moments near one another, and what `Learned` takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.messages import Event
from ..history.recorded import Entry, truncated
from ..values.json_values import ABSENT, JsonDifference, differences, value_of
from ..values.timestamps import parse_timestamp

OF_THE_RUN = frozenset(
    (
        "inputDetails",
        "outputDetails",
        "assignedVariablesDetails",
        "mapRunArn",
        "region",
        "roleArn",
        "stateMachineAliasArn",
        "stateMachineVersionArn",
        "workerName",
    )
)
"""Members of an event's details that say nothing of what a definition does."""

NEAR = 5.0
"""Seconds: an event's consequences take AWS some time, and us none."""

EARLY = 1.0
"""Seconds by which a timer may seem early: histories have milliseconds, delays whole seconds."""
LATE = 10.0
"""Seconds by which AWS may be late; a tenth of the time for those who wait longer."""

ALIASES = {
    "ActivityScheduleFailed": "ActivityFailed",
    "LambdaFunctionScheduleFailed": "LambdaFunctionFailed",
    "LambdaFunctionStartFailed": "LambdaFunctionFailed",
    "TaskStartFailed": "TaskFailed",
    "TaskSubmitFailed": "TaskFailed",
}
"""Failures of a call before its work began, and how we record them."""

_TEXTS = ("input", "output", "parameters", "cause")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)")
_ENTERED = re.compile(r"\(entered at the event id #\d+\)")
_MILLISECONDS = 1e12
"""Numbers above it are taken for epoch milliseconds: 2001 and later."""

Tolerate = Callable[[Any, Any], bool]
"""(recorded, ours) → whether two values that differ are the same all the same."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the comparison is made."""

    same: Tolerate
    """Values that differ and are the same all the same: (recorded, ours)."""
    times: bool = True
    """Whether the lengths of waits and of the execution are compared."""
    before: int | None = None
    """Facts from this event on are not taken from the recording."""


def kind_of(event: Event | Entry) -> tuple[str, Any, Any]:
    """Type, name and index: what an event has in common with its counterpart."""
    details = event.details or {}
    return ALIASES.get(event.type, event.type), details.get("name"), details.get("index")


def unlike(recorded: Entry, ours: Event, same: Tolerate) -> JsonDifference | None:
    """The first difference of two events of one kind that `same` does not take."""
    for found in _details(recorded.details, ours.details or {}):
        if not (_within_the_run(found.first, found.second) or same(found.first, found.second)):
            return found
    return None


def _details(recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[JsonDifference]:
    names = (*recorded, *(name for name in ours if name not in recorded))
    for name in names:
        if name in OF_THE_RUN or truncated(recorded, name):
            continue
        theirs, own = recorded.get(name, ABSENT), ours.get(name, ABSENT)
        if name in _TEXTS:
            theirs, own = value_of(theirs), value_of(own)
        elif name == "assignedVariables":
            theirs, own = ({key: value_of(v) for key, v in one.items()} if isinstance(one, dict)
                           else one for one in (theirs, own))  # fmt: skip
        yield from differences(name, theirs, own)


def _within_the_run(recorded: Any, ours: Any) -> bool:
    """Whether two values are the same but for the time that passed and the ids of events."""
    match recorded, ours:
        case str(), str():
            plain = [_ENTERED.sub("", _MOMENT.sub("", text)) for text in (recorded, ours)]
            moments = [_MOMENT.findall(text) for text in (recorded, ours)]
            return (
                plain[0] == plain[1]
                and len(moments[0]) == len(moments[1])
                and all(_near(*pair) for pair in zip(*moments, strict=True))
            )
        case int() | float(), int() | float() if min(recorded, ours) > _MILLISECONDS:
            return abs(recorded - ours) <= NEAR * 1000
    return False


def _near(recorded: str, ours: str) -> bool:
    first, second = parse_timestamp(recorded), parse_timestamp(ours)
    if first is None or second is None:
        return recorded == ours
    return abs(first[0] + first[1] / 1e9 - second[0] - second[1] / 1e9) <= NEAR


# Lengths ----------------------------------------------------------------------------------------


def other_length(ended: float, due: float, began: float, begins: float) -> str | None:
    """How a wait that `began` and `ended` then, and `begins` and is `due` now, has another length.

    None where it has not, as far as can be told: a moment may be meant, or a length from when AWS
    came so far.
    """
    length = due - begins
    if _on_time(due, ended, length) or _on_time(began + length, ended, length):
        return None
    return f"it lasted {ended - began:.0f} s in the recording, {length:.0f} s now"


def other_limit(entry: Entry, due: float, started: float) -> str | None:
    """How the execution's time limit, `due` now, does not go with what was recorded next."""
    length = due - started
    if entry.type != "ExecutionTimedOut":
        over = entry.at - due > LATE
        return f"the execution times out after {length:.0f} s" if over else None
    if _on_time(due, entry.at, length):
        return None
    lasted = entry.at - started
    return f"the execution timed out after {lasted:.0f} s, now after {length:.0f} s"


def _on_time(planned: float, actual: float, length: float) -> bool:
    return -EARLY <= actual - planned <= max(LATE, length / 10)
