"""inspectionData: the data between the fields of the state that was tested.

`stages` says which members there are; all have input, and variables and errorDetails when there are
any. What failed ends the list.
"""

from __future__ import annotations

from typing import Any

from ..asl.data_flow import stages
from ..errors import StateFailed
from .trial import Trial

_NUMBERS = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")


def inspection_data(trial: Trial) -> dict[str, Any]:
    """The member `inspectionData` of the answer, for the levels DEBUG and TRACE."""
    shown: dict[str, Any] = {"input": trial.text(trial.env.raw)}
    try:
        for name, value in stages(trial.state, trial.env.twin(), trial.result, seen=trial.seen):
            shown[name] = value if name in _NUMBERS else trial.text(value)
    except StateFailed:
        pass
    if trial.variables:
        shown["variables"] = trial.text(trial.variables)
    if trial.outcome.details:
        shown["errorDetails"] = trial.outcome.details
    return shown
