"""Suites as tests of pytest, in runs of pytest inside of the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

# Imported here, as pytester forgets modules that are imported within its runs.
import freezegun  # noqa: F401
import pytest
import yaml  # noqa: F401

import doorstep.pytest_plugin
import doorstep.pytest_plugin.coverage
import doorstep.pytest_plugin.suites
import doorstep.testing.snapshots  # noqa: F401

pytest_plugins = ["pytester"]
ORDER = Path(__file__).parents[2] / "examples" / "order"
Run = Callable[..., pytest.RunResult]
GOOD = "{name: good, input_file: input.json, expect: {took: 5h}}"
BAD = "{name: bad, input_file: input.json, expect: {took: 4h}}"


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a suite of the order example's machine, with no other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for file in ("order.asl.json", "handlers.py", "input.json"):
        shutil.copy(ORDER / file, pytester.path)

    def run_suite(*tests: str, options: tuple[str, ...] = ()) -> pytest.RunResult:
        head = "definition: order.asl.json\nhandlers: handlers.py\ntests:\n"
        listed = "".join(f"  - {test}\n" for test in tests)
        (pytester.path / "order.doorstep.yaml").write_text(head + listed)
        plugins = ("-p", "doorstep.pytest_plugin", "-p", "no:cacheprovider")
        return pytester.runpytest_inprocess(*plugins, "-W", "default", *options)

    return run_suite


def test_a_suite_in_the_folder_is_collected(run: Run) -> None:
    result = run(GOOD, BAD, options=("-v",))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["order.doorstep.yaml::good PASSED*"])


def test_a_failure_is_told_without_a_traceback_and_with_what_happened(run: Run) -> None:
    result = run(BAD)
    result.stdout.fnmatch_lines(
        [
            "order.doorstep.yaml:4: took",
            'expected  "4h"',
            'found     "5h"',
            "*Execution bad-1*",
            "SUCCEEDED after 5:00:00",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    assert "runtest" not in result.stdout.str()


def test_tests_are_chosen_by_name(run: Run) -> None:
    run(GOOD, BAD, options=("-k", "good")).assert_outcomes(passed=1, deselected=1)


def test_a_file_that_cant_be_used_is_an_error_of_collection(run: Run) -> None:
    result = run("{nam: a}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*order.doorstep.yaml:4:6: there is no member 'nam' here*"])


def test_a_test_that_cant_be_used_fails(run: Run) -> None:
    result = run("{name: a, input_file: none.json}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["order.doorstep.yaml:4:27: can't read none.json: *"])


def test_mocks_that_were_not_reached_are_warned_of(run: Run) -> None:
    result = run("{name: a, input_file: input.json, mocks: [{state: RefundCard, fail: A}]}")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*mock never reached: RefundCard (order.doorstep.yaml:4)*"])


def test_coverage_counts_suites(run: Run) -> None:
    result = run(GOOD, options=("--doorstep-cov",))
    result.stdout.fnmatch_lines(["order *6/9 *"])


def test_histories_are_kept_by_the_option_of_the_plugin(run: Run) -> None:
    kept = "{name: a, input_file: input.json, expect: {history: kept.json}}"
    run(kept).assert_outcomes(failed=1)
    run(kept, options=("--doorstep-update",)).assert_outcomes(passed=1)
    run(kept).assert_outcomes(passed=1)
