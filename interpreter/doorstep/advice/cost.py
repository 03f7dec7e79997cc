"""What executions cost as Standard and as Express workflows, by their histories.

Standard: each state entered is a transition, each retry one more, and each state that a redrive
runs again ("Execution redrives are considered as state transitions":
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html). Express: a request,
and the time that it takes, rounded up to 100 ms, by the memory, which is 50 MB and the definition
and the largest payload times the branches and iterations, rounded up to 64 MB. Source:
https://aws.amazon.com/step-functions/pricing/, where the figures of `PRICES` are from, too.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import ceil, inf
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..history import Entry, Visit, Visits

_CHUNK_MB = 64
_BASE_MB = 50
_STEP_MS = 100
EXPRESS_SECONDS = 300
_NOT_EXPRESS = {
    "TaskSubmitted": "a callback or a job",
    "ActivityScheduled": "an activity",
    "MapRunStarted": "a distributed Map",
    "ExecutionRedriven": "a redrive",
}
"""Events of what Express has not
(https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html)."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in US dollars."""

    region: str
    date: str
    transition: float
    """Of one state transition of a Standard workflow."""
    free_transitions: int
    """A month."""
    request: float
    """Of one Express execution."""
    gb_hours: tuple[tuple[float, float], ...]
    """Tiers of Express: gigabyte-hours a month, and the price of each; the last one has no end."""


PRICES = Prices(
    region="us-east-1",
    date="2026-11",
    transition=0.025 / 1_000,
    free_transitions=4_000,
    request=1.0 / 1_000_000,
    gb_hours=((1_000, 0.06), (4_000, 0.03), (inf, 0.01642)),
)


def read_prices(path: Path) -> Prices:
    """Return the prices in a JSON file with the members of `Prices`; a tier without end is null.

    Members that it leaves out are those of `PRICES`. Raises InputError for another file.
    """
    try:
        given = json.loads(path.read_text("utf-8-sig"))
        if unknown := given.keys() - {one.name for one in fields(Prices)}:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        tiers = given.get("gb_hours", PRICES.gb_hours)
        hours = [inf if size is None else _amount(size) for size, _ in tiers]
        if inf not in hours[-1:] or inf in hours[:-1]:
            raise ValueError("only the last one of gb_hours has no end: null")
        return Prices(
            region=str(given.get("region", PRICES.region)),
            date=str(given.get("date", PRICES.date)),
            transition=_amount(given.get("transition", PRICES.transition)),
            free_transitions=int(_amount(given.get("free_transitions", PRICES.free_transitions))),
            request=_amount(given.get("request", PRICES.request)),
            gb_hours=tuple(zip(hours, (_amount(price) for _, price in tiers), strict=True)),
        )
    except (OSError, ValueError, TypeError, AttributeError, OverflowError) as problem:
        raise InputError(
            f"{path}: no table of prices ({problem}); expected an object with region, date, "
            "transition, free_transitions, request and gb_hours, such as "
            f'{{"region": "{PRICES.region}", "transition": {PRICES.transition}}}'
        ) from None


def _amount(value: Any) -> float:
    """Return a number of a table of prices; `gb_hours` of `PRICES` has infinity itself."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ValueError(f"{value!r} is no amount")
    return float(value)


@dataclass(slots=True)
class Usage:
    """What one or several executions used."""

    executions: int = 0
    transitions: Counter[str] = field(default_factory=Counter)
    """By state, retries and redrives included."""
    retries: Counter[str] = field(default_factory=Counter)
    redrives: Counter[str] = field(default_factory=Counter)
    """How often a redrive ran a state again."""
    billed: list[tuple[float, int]] = field(default_factory=list)
    """Of each execution the seconds and the megabytes that Express bills."""
    seconds: list[float] = field(default_factory=list)
    only_standard: set[str] = field(default_factory=set)
    """What was used that Express has not."""

    def add(self, events: Iterable[Entry], definition_bytes: int = 0) -> None:
        """Add an execution; `definition_bytes` is the size of its definition, where it is known."""
        visits = Visits(events)
        entries = list(visits.entries.values())
        if not entries:
            return
        self.executions += 1
        redrives = self._add_transitions(visits)
        idle = sum(entries[at].at - entries[at - 1].at for at in redrives)
        took = entries[-1].at - entries[0].at - idle
        self.seconds.append(took)
        self.billed.append((_billed_seconds(took), _billed_megabytes(entries, definition_bytes)))
        if took > EXPRESS_SECONDS:
            self.only_standard.add(f"it takes {took:,.0f} s, and Express ends after 300 s")
        for kind in {entry.type for entry in entries} & {*_NOT_EXPRESS}:
            self.only_standard.add(f"it has {_NOT_EXPRESS[kind]}, which Express has not")

    def add_child(self, events: Iterable[Entry]) -> None:
        """Add a Standard child of a distributed Map: its transitions count as its parent's."""
        self._add_transitions(Visits(events))

    def _add_transitions(self, visits: Visits) -> list[int]:
        """Add the transitions of an execution, and return where its redrives stand."""
        entries = list(visits.entries.values())
        redrives = [at for at, one in enumerate(entries) if one.type == "ExecutionRedriven"]
        starts = [entries[at].id for at in redrives]
        redriven = _redriven(visits, starts)
        for visit in visits.all:
            attempts = Counter(bisect(starts, one.id) for one in visit.attempts)
            retried, again = attempts.total() - len(attempts), len(redriven[visit])
            self.transitions[visit.name] += 1 + retried + again
            self.retries[visit.name] += retried
            self.redrives[visit.name] += again
        return redrives

    @property
    def transitions_each(self) -> float:
        """State transitions of one execution, on average."""
        return self.transitions.total() / self.executions if self.executions else 0.0

    def standard(self, executions: int, prices: Prices = PRICES) -> float:
        """Return the dollars for so many executions in one month as Standard workflows."""
        transitions = self.transitions_each * executions
        return max(transitions - prices.free_transitions, 0) * prices.transition

    def express(self, executions: int, prices: Prices = PRICES) -> float:
        """Return the dollars for so many executions in one month as Express workflows."""
        if not self.executions:
            return 0.0
        used = sum(seconds * megabytes for seconds, megabytes in self.billed) / self.executions
        hours = used / 1_024 / 3_600 * executions
        cost, below = executions * prices.request, 0.0
        for size, price in prices.gb_hours:
            part = min(max(hours - below, 0), size)
            cost, below = cost + part * price, below + size
        return cost


def _redriven(visits: Visits, starts: Sequence[int]) -> dict[Visit, set[int]]:
    """Return for each visit the redrives, by number, that ran its state again.

    A Parallel or Map whose inner states are run again is not itself entered again.
    """
    again: dict[Visit, set[int]] = {}
    for visit in visits.all:
        active = {bisect(starts, one.id) for one in visit.events}
        again[visit] = active - {bisect(starts, visit.entered.id)}
        for outer in visit.parent.outward() if visit.parent else ():
            again[outer] -= again[visit]
    return again


def _billed_seconds(took: float) -> float:
    return max(ceil(round(took * 1_000, 3) / _STEP_MS), 1) * _STEP_MS / 1_000


def _billed_megabytes(entries: Sequence[Entry], definition_bytes: int) -> int:
    largest = max((_size(entry.details) for entry in entries), default=0)
    parallels = {entry.id for entry in entries if entry.type == "ParallelStateStarted"}
    side_by_side = sum(
        entry.type == "MapIterationStarted"
        or (entry.type.endswith("StateEntered") and entry.previous in parallels)
        for entry in entries
    )
    kilobytes = (definition_bytes + largest * max(side_by_side, 1)) / 1_024
    return ceil((_BASE_MB + kilobytes / 1_024) / _CHUNK_MB) * _CHUNK_MB


def _size(details: Mapping[str, Any]) -> int:
    texts = (details.get(name) for name in ("input", "output"))
    return max((len(text.encode()) for text in texts if isinstance(text, str)), default=0)


def verdict(usage: Usage, executions: int, prices: Prices = PRICES) -> list[str]:
    """Return in three lines which type fits, why, and what has to be looked at."""
    standard, express = usage.standard(executions, prices), usage.express(executions, prices)
    if usage.only_standard:
        return [f"STANDARD fits: {one}" for one in sorted(usage.only_standard)[:3]]
    cheaper, dearer = sorted((standard, express))
    better = "EXPRESS" if express < standard else "STANDARD"
    times = f"{dearer / cheaper:,.1f} times cheaper" if cheaper else "free"
    return [
        f"{better} is {times} for {executions:,} executions a month",
        "Express may run a step twice; each effect has to bear it: `doorstep lint --type EXPRESS`",
        "Standard keeps the history for 90 days; Express leaves it in CloudWatch Logs only",
    ]
