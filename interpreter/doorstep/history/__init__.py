"""Histories as AWS writes them: written, read in every shape, and read as visits of states."""

from __future__ import annotations

from .aws_json import as_aws, aws_events, history_lines
from .failures import Ending, StateFailures, ending, failure_lines, failures
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
from .state_visits import Visits
from .view import ExecutionView, StateView, of_execution, visits_of
from .visit import ATTEMPTS, Visit, VisitOutcome

# fmt: off
__all__ = [
    "ATTEMPTS", "Ending", "Entry", "ExecutionView", "StateFailures", "StateView", "Visit",
    "VisitOutcome", "Visits", "as_aws", "aws_events", "by_execution", "ending", "entries",
    "failure_lines", "failures", "history_lines", "is_started", "of_execution", "of_one",
    "read_events", "truncated", "visits_of", "whole",
]
# fmt: on
