"""Causes as people read them: of a function's error report or an execution's end, what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..errors import shortened

_SHOWN = 4_000
"""Characters of a cause to show; the history has all of it."""


def execution_arn(answer: Any) -> str | None:
    """Return the ARN in an answer of StartExecution or DescribeExecution; None in others."""
    arn = answer.get("ExecutionArn") if isinstance(answer, dict) else None
    return arn if isinstance(arn, str) else None


def cause_lines(cause: str, *, frames: bool = True) -> Iterator[str]:
    """Yield the lines of a cause.

    Of a function's error report its message and, with `frames`, its stack trace; of an execution
    that a task started and that failed (fact 135) which one it is, its error and its cause.
    """
    try:
        report = json.loads(cause)
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict):
        report = {}
    if arn := execution_arn(report):
        end = report.get("Error") or "no error name"
        yield f"{arn} {report.get('Status', 'failed')}: {end}"
        inner = cause_lines(str(report.get("Cause") or ""), frames=frames)
        yield from (f"  {line}" for line in inner)
        return
    trace = report.get("stackTrace")
    lines = [report.get("errorMessage", cause)]
    if frames and isinstance(trace, list):
        lines += trace
    yield from shortened("\n".join(str(line).rstrip() for line in lines), _SHOWN).splitlines()
