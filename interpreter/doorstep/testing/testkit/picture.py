"""What happened in an execution, as text: what a failed test shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ...history import Visit, of_execution
from ...runtime import Execution

_LINES = 60
_CHARACTERS = 200
_LONGEST_CAUSE = 2_000
"""It may say what to do."""


def picture(execution: Execution) -> str:
    """A line for each state that was entered: when, how it ended, its retries and errors.

    What is inside of a Parallel or Map stands beneath it, in the order of time.
    """
    if not execution.events:
        return f"{execution.name}: not started"
    begun, ended = execution.events[0].at, execution.events[-1].at
    told = f": {execution.error}" if execution.error else ""
    cause = f": {_short(execution.cause, _LONGEST_CAUSE)}" if execution.cause else ""
    lines = [f"{execution.status} after {_after(ended - begun)}{told}{cause}"]
    visits = of_execution(execution.events).all
    left_out = len(visits) - _LINES
    if left_out > 0:
        lines.append(f"… {left_out:,} states before these")
    for visit in sorted(visits[max(0, left_out) :], key=_inward):
        lines += _visit(visit, begun)
    if execution.status == "SUCCEEDED":
        lines.append(f"output {_short((execution.events[-1].details or {}).get('output', ''))}")
    return "\n".join(lines)


def _inward(visit: Visit) -> list[int]:
    return [visit.entered.id for visit in visit.outward()][::-1]


def _visit(visit: Visit, begun: float) -> Iterator[str]:
    margin = "  " * len(list(visit.outward()))
    when = _after(visit.entered.at - begun)
    notes = [visit.name + visit.iteration]
    if visit.retries:
        notes.append(f"retries: {len(visit.retries)}")
    notes += visit.errors
    yield f"{when:>16}  {visit.outcome:<11}{margin}{', '.join(notes)}"
    if visit.outcome in ("failed", "in progress"):
        text = str(visit.entered.details.get("input", ""))
        yield f"{'':29}{margin}  input {_short(text)}"


def _after(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _short(text: str, characters: int = _CHARACTERS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[:characters]}…"
