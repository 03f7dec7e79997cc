"""Measure what each hostile execution costs by itself: `python benchmarks/bounds.py [NAME …]`.

Each runs in a process of its own. Ends with 1 if one does not end, takes more than 200 MB beyond
what the process had before, or ends with a fault of Doorstep's. Times are of this machine.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from hostile import CATALOGUE, HANDLERS, Hostile, write_objects

import doorstep

MOST = 200.0
"""MB beyond the start."""
PATIENCE = 60.0
"""Seconds for one to end."""
SPACE = 4 << 30
"""Bytes of address space: what would take more than that must not take the machine."""
CHILD = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}


def memory() -> float:
    """Return the most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(one: Hostile) -> dict[str, Any]:
    """Run it in this process; return its result and cost."""
    handlers = ModuleType("handlers")
    exec(HANDLERS, vars(handlers))
    kind: Any = one.type
    machines: Any = {"child": CHILD}
    if one.name == "starts-itself":
        machines[one.name] = one.definition
    before, began = memory(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_objects(Path(folder) / "bucket")
        try:
            execution = doorstep.run(
                one.definition,
                input_json=one.text,
                handlers=handlers,
                state_machines=machines,
                state_machine_name=one.name,
                type=kind,
                s3_root=folder,
            )
            end, cause = execution.status, f"{execution.error} {execution.cause}"
        except (doorstep.DefinitionError, doorstep.InputError) as refusal:
            end, cause = "refused", str(refusal)
    took = time.perf_counter() - began
    return {"end": end, "cause": cause[:500], "took": took, "memory": memory() - before}


def measured(one: Hostile) -> dict[str, Any]:
    """Run it in a process of its own."""
    command = [sys.executable, __file__, "--one", one.name]
    limits = (SPACE, SPACE)
    try:
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limits),
        )
    except subprocess.TimeoutExpired:
        return {"end": "does not end", "cause": "", "took": PATIENCE, "memory": 0.0}
    if ran.returncode:
        last = ran.stderr.strip().splitlines()[-1:]
        return {"end": "traceback", "cause": " ".join(last), "took": 0.0, "memory": 0.0}
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def wrong(result: dict[str, Any]) -> bool:
    """Return whether it harmed another execution."""
    unended = result["end"] in ("does not end", "traceback", "RUNNING")
    return unended or result["memory"] > MOST or "fault of Doorstep" in result["cause"]


def main() -> int:
    if sys.argv[1:2] == ["--one"]:
        (one,) = (each for each in CATALOGUE if each.name == sys.argv[2])
        print(json.dumps(run(one)))
        return 0
    names = sys.argv[1:]
    # What only a server bears with: loops without an end, and KeyboardInterrupt, which in the main
    # thread is the user's Ctrl-C.
    skipped = {one.name for one in CATALOGUE if one.endless} | {"handler-interrupts"}
    chosen = [one for one in CATALOGUE if one.name in (names or {one.name} - skipped)]
    failed = 0
    print(f"{'case':24} {'seconds':>8} {'MB':>6}  end")
    for one in chosen:
        result = measured(one)
        failed += wrong(result)
        mark = "  <-- " + result["cause"][:160] if wrong(result) else ""
        row = f"{one.name:24} {result['took']:8.2f} {result['memory']:6.0f}  {result['end']}{mark}"
        print(row, flush=True)
    print(f"{failed} of {len(chosen)} exceed their bounds")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
