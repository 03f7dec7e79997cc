"""jsonata-js's own cases, where they are at hand: right value, undefined, or right error code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doorstep.jsonata import UNDEFINED, JSONataError, Limits
from doorstep.jsonata import compile as compile_expression

SUITE = Path(__file__).parents[3] / "shared" / "jsonata"

pytestmark = pytest.mark.skipif(
    not SUITE.exists(), reason="../shared/jsonata (jsonata-js's cases) is not here"
)

EXCEPTIONS = {
    "coalescing-operator/": "?? came with 2.1; AWS has 2.0.6",
    "default-operator/": "?: came with 2.1; AWS has 2.0.6",
    "function-eval/": "$eval: AWS has none, and neither have we",
    "function-signatures/case038": "2.0.6 repeats the first of several arguments (`n+`)",
    "function-tomillis/case013": "2.0.6 reads [Y0000] and the month 00 as zeroes",
}
"""Cases with `aws: false` that we fail, and why: what came after 2.0.6 is no part of it."""

# A few cases have a depth so low that jsonata-js itself would fail if it were enforced.
NO_DEPTH = 20


def cases() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((SUITE / "cases.json").read_text())
    return loaded


def problem(case: dict[str, Any], datasets: dict[str, Any]) -> str | None:
    """What is wrong with our answer to a case."""
    name = case.get("dataset")
    data = datasets[name] if name else case.get("data", UNDEFINED)
    depth = case.get("depth", 0)
    limits = Limits(
        depth=depth if depth > NO_DEPTH else Limits().depth,
        steps=case.get("timelimit", 10_000) * 200,
    )
    try:
        value = compile_expression(case["expr"]).evaluate(data, case.get("bindings"), limits=limits)
    except JSONataError as error:
        expected = case.get("code") or case.get("error", {}).get("code")
        if error.code != expected:
            return f"raised {error}"
        if case.get("token") not in (None, error.token):
            return f"named the token {error.token}"
        return None
    if "result" in case:
        same = _equal(value, case["result"], unordered=case.get("unordered", False))
        return None if same else f"returned {value!r}"
    return None if case.get("undefinedResult") and value is UNDEFINED else f"returned {value!r}"


def _equal(actual: Any, expected: Any, *, unordered: bool) -> bool:
    if unordered and isinstance(actual, list) and isinstance(expected, list):
        actual, expected = sorted(actual, key=repr), sorted(expected, key=repr)
    return _typed(actual) == _typed(expected)


def _typed(value: Any) -> Any:
    """A value in which true is not 1, and 1.0 is 1."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, dict):
        return {name: _typed(member) for name, member in value.items()}
    return (isinstance(value, bool), value)


def test_every_case_of_the_version_that_aws_runs_passes() -> None:
    datasets = json.loads((SUITE / "datasets.json").read_text())
    chosen = [case for case in cases() if case["aws"]]
    failed = {case["id"]: reason for case in chosen if (reason := problem(case, datasets))}
    assert len(chosen) > 900
    assert failed == {}


def test_other_cases_fail_only_for_a_reason() -> None:
    datasets = json.loads((SUITE / "datasets.json").read_text())
    others = [case for case in cases() if not case["aws"]]
    failed = {case["id"] for case in others if problem(case, datasets)}
    unexplained = {name for name in failed if not name.startswith(tuple(EXCEPTIONS))}
    assert unexplained == set()
