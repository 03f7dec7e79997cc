"""Findings as test cases of a MockConfigFile.json, which `doorstep run --mocks` takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .findings import Finding
from .script import Script, shown

_LAST = 999_999
"""Calls up to here are answered by the last answer of a script."""


def case_names(findings: Sequence[Finding]) -> list[str]:
    """A name for each finding: its kind and its first place, each name there once."""
    names: list[str] = []
    for finding in findings:
        word = re.sub(r"\W+", "-", finding.places[0].text.partition(" → ")[0]).strip("-")
        name = f"{finding.kind}-{word}"
        names.append(name if name not in names else f"{name}-{len(names)}")
    return names


def mock_config(findings: Sequence[Finding], machine: str) -> dict[str, Any]:
    """The content of a MockConfigFile.json with a test case for each finding that a run shows."""
    cases: dict[str, dict[str, str]] = {}
    responses: dict[str, Any] = {}
    for name, finding in zip(case_names(findings), findings, strict=True):
        if finding.script:
            cases[name] = {state: f"{name}: {state}" for state in finding.called}
            for state, key in cases[name].items():
                responses[key] = _responses(finding.script, state)
    return {"StateMachines": {machine: {"TestCases": cases}}, "MockedResponses": responses}


def _responses(script: Script, state: str) -> dict[str, Any]:
    last = max(len(script.answers.get(state, ())) - 1, 0)
    numbered = {str(call): shown(script.reply(state, call)) for call in range(last)}
    return numbered | {f"{last}-{_LAST}": shown(script.reply(state, last))}
