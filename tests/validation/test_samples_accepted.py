"""Definitions that AWS accepted are never refused; ../shared has them, when it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doorstep.definitions import load
from doorstep.validation import validate

SHARED = Path(__file__).parents[3] / "shared"
SAMPLES = sorted((SHARED / "samples").glob("*.json"))
CASES = sorted((SHARED / "corpus" / "cases").glob("*.json"))
# Their tasks name Region and account in integrations' ARNs, as deployed machines have them.
DEPLOYED = ("script-generator--", "word-filtering-script-generator--")


def _executed(path: Path) -> dict[str, Any] | None:
    case: dict[str, Any] = json.loads(path.read_text())
    return case if case["kind"] in ("history", "sync") else None


@pytest.mark.skipif(not SAMPLES, reason="../shared/samples is not there")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_real_definitions_are_accepted(path: Path) -> None:
    definition = load(path).definition
    assert validate(definition) == []
    warned = {one.code for one in validate(definition, severity="WARNING")}
    assert "UNKNOWN_PARAMETER" not in warned
    assert ("RESOURCE_NAMES_ACCOUNT" in warned) is path.name.startswith(DEPLOYED)


@pytest.mark.skipif(not CASES, reason="../shared/corpus is not there")
def test_definitions_that_ran_on_aws_are_accepted() -> None:
    ran = {path.name: case for path in CASES if (case := _executed(path))}
    assert ran
    # Some recordings hide an activity's ARN behind a name.
    found = {
        name: validate(case["definition"], type=case.get("type", "STANDARD"), resource_names=True)
        for name, case in ran.items()
    }
    assert {name: diagnostics for name, diagnostics in found.items() if diagnostics} == {}
