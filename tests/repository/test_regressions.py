"""Cases that once broke a law of `tests/fuzzing`, a file each in `tests/regressions`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CASES = sorted((TESTS / "regressions").glob("*.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_what_once_broke_a_law_does_so_no_more(case: Path) -> None:
    command = [sys.executable, TESTS / "fuzzing", "--case", case]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
