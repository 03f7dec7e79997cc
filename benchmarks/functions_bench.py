"""What a warm function in a process of its own costs beside the bare call, and a project's start.

    python benchmarks/functions_bench.py

Prints the median of 1,000 warm calls of a Node.js and of an isolated Python function, of the same
Python function called directly, and how long a first and a second `doorstep run` of a project take.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from doorstep.functions import Function, close, handler_of

CALLS = 1_000
SHOP = Path(__file__).parent.parent / "examples" / "sam-shop"
EVENT = {"id": "7", "items": list(range(20))}
CONTEXT: Any = SimpleNamespace(
    aws_request_id="8a7b1c34-0000-4000-8000-000000000001",
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
    state_name="f",
)
CODE = {
    "i.js": "exports.h = async (event) => event.items.length;\n",
    "i.py": "def h(event, context):\n    return len(event['items'])\n",
}


def calls(call: Callable[[], Any]) -> str:
    """Return the median and the slowest hundredth of many calls, in milliseconds."""
    call()
    taken = []
    for _ in range(CALLS):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return f"median {median(taken):6.3f} ms, p99 {sorted(taken)[-CALLS // 100]:6.3f} ms"


def functions(folder: Path) -> None:
    """Print what calls cost."""
    for name, text in CODE.items():
        (folder / name).write_text(text)
    for what, runtime, isolated in [
        ("Node.js", "nodejs20.x", False),
        ("Python, isolated", "python3.12", True),
        ("Python, in process", "python3.12", False),
    ]:
        function = Function("f", runtime, "i.h", folder, isolated=isolated)
        handler = handler_of(function, lambda *_: None)
        print(f"{what:20} {calls(lambda one=handler: one(EVENT, CONTEXT))}")
        close([handler])


def starts() -> None:
    """Print how long a project takes from a cold start, and again."""
    program = "from doorstep_cli.main import entry; entry()"
    command = [sys.executable, "-c", program, "run", str(SHOP), "--services", "moto", "--quiet"]
    for which in ("first run", "second run"):
        began = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        print(f"{which:20} {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        functions(Path(folder))
    starts()
