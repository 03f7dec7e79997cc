"""Exploring: a state machine driven by itself through its choices, errors, timeouts and sizes.

| module | |
|---|---|
| explorer | `doorstep.explore`: search, then findings, each with the smallest script for it |
| search | the loop: run a script, see what it used, derive scripts for what no run has used yet |
| choices | data with which a given rule of a Choice matches |
| data_repair | states that failed over their data: where it came from, scripts that repair it |
| run | the definition, compiled once, and what happened in a run of a script in virtual time |
| flow | where a value comes from: the algebra |
| flow_jsonata, flow_states | read off expressions, and off the fields of a state |
| verdicts | what the runs showed, and the findings that follow |
| repetition | tasks that may run twice, read off the definition or tried on handlers |
| findings | scripts (an input and all answers), and the report, as JSON and MockConfigFile.json |
"""

from __future__ import annotations

from .explorer import explore
from .findings import Exploration, Finding, FindingPlace

__all__ = ["Exploration", "Finding", "FindingPlace", "explore"]
