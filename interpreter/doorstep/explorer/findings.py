"""What an exploration gives: findings, how much it reached, and a script that goes through.

| kind | severity | says |
|---|---|---|
| missing | error | a state reads what is not there on some way to it |
| broken | error, note | a state fails with all data; a note when these come from outside |
| endless | error, warning | a loop changes nothing; a warning when other answers end it |
| no-rule | warning | a Choice without Default whose rules may all fail to hold |
| uncaught | warning, note | errors end the execution; a note when there is no Catch at all |
| twice | warning, note | tasks carried out twice without anything that tells a repetition |
| unreachable | warning | rules, retriers and catchers that nothing can reach |
| unreached | note | parts that no run reached, with the reason as far as it is known |
| needs | note | data that states read without asking whether they are there |
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .script import Script, shown

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_LAST = 999_999
"""Calls up to here are answered by the last answer of a script."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the definition (a JSON Pointer), and what is to be said of it."""

    pointer: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found; `script` and `path` show it, where a run does."""

    kind: str
    severity: Severity
    message: str
    places: Sequence[Place]
    advice: str = ""
    script: Script | None = None
    path: Sequence[str] = ()
    """The states entered, in order."""
    called: Sequence[str] = ()
    """The tasks called."""

    def as_json(self) -> dict[str, Any]:
        """{"kind", "severity", "message", "places": [{"pointer", "text"}], "advice"?, "path"?,
        "script"?: {"input", "answers", "items"?}}.
        """
        shown: dict[str, Any] = {
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "places": [{"pointer": one.pointer, "text": one.text} for one in self.places],
        }
        if self.advice:
            shown["advice"] = self.advice
        if self.script:
            shown |= {"path": list(self.path), "script": self.script.as_json()}
        return shown


@dataclass(frozen=True, slots=True)
class Exploration:
    """The report."""

    findings: Sequence[Finding]
    kinds: Mapping[str, tuple[int, int]]
    """By kind of part (state, transition, rule, …; see `coverage`): reached, and how many."""
    runs: int
    cut_short: bool
    """The limits were reached before everything was tried."""
    example: Script | None
    """With this the execution succeeds; None when no run did."""

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
        """{"ok", "runs", "cutShort", "reached", "parts", "kinds", "findings", "example"}."""
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
    """A name for each finding: its kind and its first place, each name there once."""
    names: list[str] = []
    for finding in findings:
        word = re.sub(r"\W+", "-", finding.places[0].text).strip("-")
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
