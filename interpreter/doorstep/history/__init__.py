"""Histories as AWS writes them: written, read in every shape, and read as visits of states."""

from __future__ import annotations

from .aws_json import as_aws, history_lines
from .recorded import (
    Entry,
    by_execution,
    entries,
    is_started,
    of_one,
    read_events,
    truncated,
    whole,
)
from .state_visits import Visit, VisitOutcome, Visits, of_execution
from .view import ExecutionView, StateView

# fmt: off
__all__ = [
    "Entry", "ExecutionView", "StateView", "Visit", "VisitOutcome", "Visits", "as_aws",
    "by_execution", "entries", "history_lines", "is_started", "of_execution", "of_one",
    "read_events", "truncated", "whole",
]
# fmt: on
