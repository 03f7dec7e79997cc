"""kill -9 at random moments: `python benchmarks/emulator_kill.py`, which says what has to hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "emulator_kill.py"


def test_every_execution_ends_as_if_nobody_had_killed_the_server() -> None:
    command = [sys.executable, SCRIPT, "--kills", "6", "--executions", "16", "--clients", "16"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "16 executions, 16 clients, 6 kills" in ran.stdout
