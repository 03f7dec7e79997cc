"""A suite of tests from an exploration: the run that succeeds, and each finding's least case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Unpack

from ..api import CommonOptions, run
from ..engine import Invoke
from ..runtime import Answer, Execution, Running
from ..testing.mock_files import read_test_case
from ..testing.mocks import Mocks
from ..values.json_values import dumps
from .findings import Exploration, Finding, FindingPlace, Script, case_names, mock_config

_COMPUTED = "{%"
"""A text that begins so is an expression in a suite: data that has one can't be written."""


def cases(
    report: Exploration, definition: Mapping[str, Any], **options: Unpack[CommonOptions]
) -> list[Finding]:
    """Return the runs of a report that a suite can have: one that succeeds, then each other end.

    Left out are those that need what an ItemReader reads, and input that would be an expression.
    """
    example = [_called("succeeds", report.example, definition, options)] if report.example else []
    ended = {_end(one.script, definition, options) for one in example if one.script}
    ends = [
        _called(f"ends at {name}", script, definition, options)
        for name, script in report.ends.items()
        if name not in ended
    ]
    return [
        one
        for one in (*example, *ends, *report.findings)
        if one.script and not one.script.items and _COMPUTED not in dumps(one.script.input)
    ]


def suite(
    runs: list[Finding],
    mocks: Path,
    definition: Mapping[str, Any],
    source: Mapping[str, Any],
    **options: Unpack[CommonOptions],
) -> dict[str, Any]:
    """Return the content of a `*.doorstep.yaml`: a test for each run, which says how it ends today.

    `mocks`: the MockConfigFile.json that `mock_config` made of the runs, written beside the suite.
    `source`: the members by which the suite names the definition: `definition`, `resource` …
    """
    machine = options.get("state_machine_name", "StateMachine")
    tests = []
    for case, one in zip(case_names(runs), runs, strict=True):
        assert one.script
        answers = Mocks(*read_test_case(mocks, case, machine), mock_validation="off")
        execution = answers.run(dict(definition), one.script.input, **options)
        tests.append(
            {
                "name": f"{one.places[0].text}: {one.message}".partition("\n")[0],
                "input": one.script.input,
                "mocks": f"{mocks.name}#{case}",
                "expect": _expected(execution.status, execution.error, execution.output),
            }
        )
    kind = {"type": options["type"]} if "type" in options else {}
    return {**source, **kind, "mock_validation": "off", "tests": list(_named(tests))}


def _expected(status: str, error: str | None, output: Any) -> dict[str, Any]:
    if error:
        return {"error": error}
    whole = status == "SUCCEEDED" and _COMPUTED not in dumps(output)
    return {"output": output} if whole else {"status": status}


def _named(tests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the tests with names of their own."""
    seen: Counter[str] = Counter()
    for test in tests:
        name = test["name"]
        seen[name] += 1
        yield {**test, "name": f"{name} ({seen[name]})"} if seen[name] > 1 else test


def _called(
    how: str, script: Script, definition: Mapping[str, Any], options: CommonOptions
) -> Finding:
    """Return a run as a finding, with the tasks that it calls."""
    calls, _ = _again(script, definition, options)
    called = list(dict.fromkeys([*calls, *script.answers]))
    place = FindingPlace("", "the whole workflow")
    return Finding(how.partition(" ")[0], "note", how, [place], script=script, called=called)


def _end(script: Script, definition: Mapping[str, Any], options: CommonOptions) -> str | None:
    """Return the state with which a run ends."""
    _, execution = _again(script, definition, options)
    return execution.path[-1] if execution.path else None


def _again(
    script: Script, definition: Mapping[str, Any], options: CommonOptions
) -> tuple[Counter[str], Execution]:
    """Run a script; return how often each task was called, and the execution."""
    calls: Counter[str] = Counter()

    def answer(_execution: Running, invoke: Invoke) -> Answer:
        calls[invoke.state] += 1
        return script.reply(invoke.state, calls[invoke.state] - 1)

    return calls, run(dict(definition), script.input, respond=answer, **options)


__all__ = ["cases", "mock_config", "suite"]
