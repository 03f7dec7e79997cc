"""Hostile executions beside good ones: `python benchmarks/emulator_poison.py` says what holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "emulator_poison.py"


def test_hostile_executions_harm_no_other_and_not_the_server() -> None:
    command = [sys.executable, SCRIPT]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "20 good executions" in ran.stdout
