"""Conformance: compare Doorstep's answers with those of AWS Step Functions.

cases    case files: the request, what the tasks return, what AWS recorded
runner   Doorstep's answer to a case
compare  grades: exact, causal, outcome or fail
report   scores by kind and by area
page     `docs/conformance.md`
calls, recordings  make a case of a history from a user's own account
laws     what is true of every history
"""

from __future__ import annotations

from .cases import OWN_CASES, Case, load_case, load_cases
from .compare import Verdict, differing, judge
from .recordings import recorded_case
from .report import Judged, Report, check
from .runner import answer, run_cases
from .values import Difference

__all__ = [
    "OWN_CASES",
    "Case",
    "Difference",
    "Judged",
    "Report",
    "Verdict",
    "answer",
    "check",
    "differing",
    "judge",
    "load_case",
    "load_cases",
    "recorded_case",
    "run_cases",
]
