"""Handlers that workers load: from this file, or by their import path."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any


def double(event: int) -> int:
    return event * 2


def pick(event: int) -> int:
    if event % 3 == 1:
        raise ValueError(f"no {event}")
    return event


def use_pipes(event: int) -> int:
    """Read and write as programs do that know nothing of the worker's own pipes."""
    os.write(1, b"raw\n")
    said = subprocess.run(["cat"], check=True)
    return event + said.returncode + len(os.read(0, 1))


def die_once(event: dict[str, Any]) -> str:
    """Kill the worker that runs it, the first time."""
    marker = Path(event["marker"])
    if event["dies"] and not marker.exists():
        marker.write_text("died")
        os.kill(os.getpid(), signal.SIGKILL)
    return str(event["number"])


def die(event: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
