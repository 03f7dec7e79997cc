"""docs/reliability.md names the test that holds each promise."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text()


def test_every_promise_names_tests_that_are_there() -> None:
    promises = PAGE.partition("## Promises")[2].partition("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        tests = re.findall(r"`(tests/[\w/.]+\.py)`", row.rpartition(" | ")[2])
        assert tests, row
        assert [test for test in tests if not (ROOT / test).is_file()] == []


def test_every_script_to_try_is_there() -> None:
    scripts = re.findall(r"`python ((?:benchmarks|tests)/[\w.]+)", PAGE)
    assert len(scripts) == 6
    assert [script for script in scripts if not (ROOT / script).exists()] == []
