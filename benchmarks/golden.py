"""Pin what must not change while code moves: `golden.py write DIR`, later `golden.py check DIR`.

There is a file for the answer and journals of every conformance case (ours, and the recordings
beside the project if they exist), for the diagnostics of every sample definition, for the public
names, and for the command line's help. `check` prints the names of files that differ, and exits
with 1 if there are any.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import doorstep
from doorstep.engine.messages import Event
from doorstep.runtime import Execution
from doorstep.values.json_values import dumps
from doorstep_conformance import OWN_CASES, Case, answer, load_cases
from doorstep_conformance.runner import execute

TOP = Path(__file__).parent.parent
SHARED = TOP.parent / "shared"


def texts() -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each pinned file."""
    for folder in (OWN_CASES, SHARED / "corpus" / "cases"):
        if folder.exists():
            for case in load_cases(folder):
                first, second = _case(case), _case(case)
                # Some hold UUIDs or the times of files.
                yield f"{folder.parent.name}-{case.id}", first if first == second else "random"
    for file in sorted((SHARED / "samples").rglob("*.json")):
        yield f"sample-{file.relative_to(SHARED)}", _diagnostics(file)
    yield "names", "\n".join(doorstep.__all__)
    yield "help", _help()


def _case(case: Case) -> str:
    lines = [dumps(answer(case))]
    if case.kind in ("history", "sync"):
        found: dict[str, Execution] = {}

        def on_event(execution: Execution, _: Event) -> None:
            found[execution.arn] = execution

        execute(case, on_event)
        for arn in sorted(found):
            lines += found[arn]._running.journal.lines()
    return "\n".join(lines)


def _diagnostics(file: Path) -> str:
    try:
        found = doorstep.validate(file, severity="WARNING")
    except doorstep.DoorstepError as problem:
        return str(problem)
    return "\n".join(dumps(one.as_aws()) for one in found)


def _help() -> str:
    def output(*words: str) -> str:
        code = "from doorstep_cli.main import entry; entry()"
        command = [sys.executable, "-c", code, *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    whole = output("--help")
    names = [
        line.split()[0] for line in whole.splitlines() if line.startswith("  ") and line.split()
    ]
    commands = [name for name in dict.fromkeys(names) if name.replace("-", "").isalpha()]
    return "\n".join([whole, *(output(name, "--help") for name in commands if name != "doorstep")])


def main() -> int:
    """Write or check; return the exit code."""
    action, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    different = []
    for name, text in texts():
        file = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"
        pinned = json.dumps({"name": name, "text": text}, indent=1)
        if action == "write":
            file.write_text(pinned)
        elif not file.exists() or file.read_text() != pinned:
            different.append(name)
    print("\n".join(different) or f"{action}: all the same" if action == "check" else "written")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
