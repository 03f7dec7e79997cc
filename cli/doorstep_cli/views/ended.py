"""How a run ended, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from doorstep.history import Visit, ending, visits_of
from doorstep.history.causes import cause_lines, execution_arn
from doorstep.values.json_values import value_of

from ..output import style

if TYPE_CHECKING:
    from doorstep import Execution

_COLOURS = {"FAILED": "red", "TIMED_OUT": "red", "ABORTED": "yellow", "RUNNING": "yellow"}
EXCEEDED = "States.ExceedToleratedFailureThreshold"


def exit_code(execution: Execution) -> int:
    """Return 0 for SUCCEEDED, 2 when a handler is missing or does not load, else 1."""
    if execution.status == "SUCCEEDED":
        return 0
    return 2 if (execution.error or "").startswith("Doorstep.") else 1


def as_json(execution: Execution) -> dict[str, Any]:
    """Return the run with DescribeExecution's members; the output is a value, not a text."""
    events = execution.history
    members = {
        "executionArn": execution.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": events[0]["timestamp"] if events else None,
        "stopDate": events[-1]["timestamp"] if execution.ended else None,
        "error": execution.error,
        "cause": execution.cause,
        "events": len(events),
    }
    present = {name: value for name, value in members.items() if value is not None}
    return present | ({"output": execution.output} if execution.status == "SUCCEEDED" else {})


def describe(execution: Execution, why: Sequence[str] = ()) -> str:
    """Return status, state, error and cause of a run that did not succeed, and hints.

    `why`: lines that say why the executions failed that it started.
    """
    visits = visits_of(execution)
    end = ending(visits)
    status = style(execution.status, fg=_COLOURS[execution.status], bold=True)
    where = _where(end.visit) if end else ""
    headline = f"{status}{where}: {execution.error or 'no error name'}"
    quotes_child = execution_arn(value_of(execution.cause)) is not None
    cause = () if why and quotes_child else cause_lines(execution.cause or "")
    lines = [headline, *(f"  {line}" for line in cause)]
    if end and end.origin and (caught := visits.of[end.origin.id]):
        error = end.origin.details.get("error", "no error name")
        lines.append(f"  caught before:{_where(caught)}: {error}")
    lines += [f"  {line}" for line in why]
    if execution.error == EXCEEDED and not why:
        lines.append(
            "  hint: to see why its children failed, run it with --history FILE and --children "
            "children, then doorstep failures FILE"
        )
    if execution.status == "TIMED_OUT" or execution.error == "States.Timeout":
        lines += _unanswered(execution)
    return "\n".join(lines)


def interrupted(execution: Execution) -> str:
    """Return a line that says where a run was interrupted."""
    running = dict.fromkeys(
        visit.name for visit in visits_of(execution).all if visit.outcome == "in progress"
    )
    states = f" in {', '.join(map(repr, running))}" if running else ""
    return f"Interrupted{states}, after {len(execution.events):,} events."


def _where(visit: Visit | None) -> str:
    return f" in {visit.place}" if visit else ""


def _unanswered(execution: Execution, around: str = "") -> Iterator[str]:
    """Yield a hint for every state whose callback, job or activity got no answer.

    Of a job that is an execution, it is the state that this one waits in.
    """
    waiting = {v.name: v for v in visits_of(execution).all if v.waits_for and not v.over}
    for state, visit in sorted(waiting.items()):
        if child := _child(execution, visit):
            within = f"{around}'{state}' waits for {child.machine}, an execution of which "
            yield from _unanswered(child, within)
        else:
            where = f"{around}waits in '{state}', which" if around else f"'{state}'"
            yield (
                f"  hint: {where} got no answer. Its handler decides what the answer is "
                'and when it comes; for example: return doorstep.answer({"approved": True}, '
                'after="5h")'
            )


def _child(execution: Execution, visit: Visit) -> Execution | None:
    """Return the execution that a state waits for."""
    from doorstep.runtime.execution import started_by

    output = value_of(visit.waits_for.details.get("output")) if visit.waits_for else None
    arn = output.get("ExecutionArn") if isinstance(output, dict) else None
    return started_by(execution, arn) if isinstance(arn, str) else None
