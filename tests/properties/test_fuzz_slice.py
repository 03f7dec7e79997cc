"""A slice of the night's fuzzing: `python tests/fuzzing`, which says what has to hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FUZZING = Path(__file__).parents[1] / "fuzzing"


def test_whatever_is_run_ends_in_a_diagnostic_or_in_a_valid_history() -> None:
    command = [sys.executable, FUZZING, "--examples", "300"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_journal_that_is_cut_off_goes_on_to_the_same_history() -> None:
    command = [sys.executable, FUZZING, "--law", "cut", "--examples", "20"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_examples_are_told() -> None:
    command = [sys.executable, FUZZING, "--examples", "2", "--seed", "7"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == ".\n2 examples; rounds that failed: none\n"
