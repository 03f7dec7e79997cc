"""The report of an exploration: findings, what was reached, and a script that succeeds.

| kind | severity | is |
|---|---|---|
| missing | error, warning | a state reads data that is missing on some path to it |
| broken | error, note | a state fails with all data; a note when it comes from outside |
| endless | error, warning | a loop changes nothing; a warning when other answers end it |
| no-rule | warning | a Choice without Default whose rules may all fail to match |
| uncaught | warning, note | errors end the execution; a note when there is no Catch at all |
| twice | warning, note | tasks that may run twice, and can't recognize the repetition |
| unreachable | warning | rules, retriers and catchers that nothing can reach |
| unreached | note | parts that no run reached, with the reason as far as it is known |
| needs | note | data that states read without checking for it |
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .script import Script, as_mock

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_LAST = 999_999
"""A MockConfigFile.json answers ranges of calls: the last answer's ends here, beyond any run."""


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """A part of the definition (a JSON Pointer) that a finding is about, and its description."""

    pointer: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding; `script` and `path` are those of the run that shows it, if one does."""

    kind: str
    severity: Severity
    message: str
    places: Sequence[FindingPlace]
    advice: str = ""
    script: Script | None = None
    path: Sequence[str] = ()
    """The states entered, in order."""
    called: Sequence[str] = ()
    """The tasks called."""

    def as_json(self) -> dict[str, Any]:
        """Return {"kind", "severity", "message", "places": [{"pointer", "text"}], "advice"?,
        "path"?, "script"?: {"input", "answers", "items"?}}.
        """
        members: dict[str, Any] = {
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "places": [{"pointer": one.pointer, "text": one.text} for one in self.places],
        }
        if self.advice:
            members["advice"] = self.advice
        if self.script:
            members |= {"path": list(self.path), "script": self.script.as_json()}
        return members


@dataclass(frozen=True, slots=True)
class Exploration:
    """The report."""

    findings: Sequence[Finding]
    kinds: Mapping[str, tuple[int, int]]
    """By kind of part (state, transition, rule, …; see `coverage`): reached, and how many."""
    runs: int
    cut_short: bool
    """Whether a limit was reached before everything was tried."""
    example: Script | None
    """A script with which the execution succeeds; None when no run did."""

    @property
    def reached(self) -> int:
        """How many parts were reached."""
        return sum(reached for reached, _ in self.kinds.values())

    @property
    def parts(self) -> int:
        """How many parts the definition has."""
        return sum(parts for _, parts in self.kinds.values())

    @property
    def ok(self) -> bool:
        """Whether there are no errors and no warnings; notes don't count."""
        return all(one.severity == "note" for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return {"ok", "runs", "cutShort", "reached", "parts", "kinds", "findings", "example"}."""
        return {
            "ok": self.ok,
            "runs": self.runs,
            "cutShort": self.cut_short,
            "reached": self.reached,
            "parts": self.parts,
            "kinds": {kind: {"reached": a, "parts": b} for kind, (a, b) in self.kinds.items()},
            "findings": [one.as_json() for one in self.findings],
            "example": self.example.as_json() if self.example else None,
        }


def case_names(findings: Sequence[Finding]) -> list[str]:
    """Return a unique name for each finding: its kind and its first place."""
    names: list[str] = []
    for finding in findings:
        word = re.sub(r"\W+", "-", finding.places[0].text).strip("-")
        name = f"{finding.kind}-{word}"
        names.append(name if name not in names else f"{name}-{len(names)}")
    return names


def mock_config(findings: Sequence[Finding], machine: str) -> dict[str, Any]:
    """Return a MockConfigFile.json's content, a test case for each finding that a run shows."""
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
    numbered = {str(call): as_mock(script.reply(state, call)) for call in range(last)}
    return numbered | {f"{last}-{_LAST}": as_mock(script.reply(state, last))}
