"""Conformance: what AWS Step Functions answers, and whether Doorstep answers the same.

cases    a case file: what was asked, what the tasks answered, what AWS recorded
runner   Doorstep's answer to a case
compare  the judge: exact, causal, outcome or fail
report   scores by kind and by area
page     `docs/conformance.md`
calls, recordings  a history of a user's own account as a case
laws     what holds of every history
"""

from __future__ import annotations

from .cases import OWN_CASES, Case, load_case, load_cases
from .compare import Verdict, judge
from .recordings import recorded_case
from .report import Judged, Report, check
from .runner import answer, run_cases

__all__ = [
    "OWN_CASES",
    "Case",
    "Judged",
    "Report",
    "Verdict",
    "answer",
    "check",
    "judge",
    "load_case",
    "load_cases",
    "recorded_case",
    "run_cases",
]
