"""Measure the engine: transitions a second with the full history, and the work around it.

    python benchmarks/engine_bench.py [--shared ../shared]

Results are ratios within one run. The reference is the same counting loop written by hand in
Python, which also records two history entries per transition with their data as JSON text.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import doorstep

ROUNDS = 1000
ITEMS = 10_000


def loop(rounds: int) -> dict[str, Any]:
    """Return a counting loop: Pass, States.MathAdd, Choice."""
    count = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.at.n, 1)"}}
    more = {"Variable": "$.at.n", "NumericLessThan": rounds, "Next": "Count"}
    return {
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Result": {"n": 0}, "ResultPath": "$.at", "Next": "Count"},
            "Count": {**count, "ResultPath": "$.at", "Next": "More"},
            "More": {"Type": "Choice", "Choices": [more], "Default": "End"},
            "End": {"Type": "Succeed"},
        },
    }


def mapped() -> dict[str, Any]:
    """Return an inline Map with a task for each item."""
    resource = "arn:aws:lambda:us-east-1:123456789012:function:same"
    task = {"Type": "Task", "Resource": resource, "End": True}
    processor = {"StartAt": "Same", "States": {"Same": task}}
    state = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}
    return {"StartAt": "All", "States": {"All": state}}


def by_hand(rounds: int) -> int:
    """Run the same loop in plain Python with the same history, each value encoded once."""
    history: list[dict[str, Any]] = []
    data: dict[str, Any] = {}
    text = json.dumps(data)

    def record(kind: str, name: str, member: str) -> None:
        details = {"name": name, member: text, f"{member}Details": {"truncated": False}}
        previous = len(history)
        history.append(
            {
                "timestamp": time.time(),
                "type": kind,
                "id": previous + 1,
                "previousEventId": previous,
                "details": details,
            }
        )

    record("PassStateEntered", "Begin", "input")
    data = {"at": {"n": 0}}
    text = json.dumps(data)
    record("PassStateExited", "Begin", "output")
    while True:
        record("PassStateEntered", "Count", "input")
        data = {**data, "at": {"n": data["at"]["n"] + 1}}
        text = json.dumps(data)
        record("PassStateExited", "Count", "output")
        record("ChoiceStateEntered", "More", "input")
        record("ChoiceStateExited", "More", "output")
        if data["at"]["n"] >= rounds:
            break
    record("SucceedStateEntered", "End", "input")
    record("SucceedStateExited", "End", "output")
    return len(history) // 2


def engine(
    definition: dict[str, Any], input: Any, journal: Path | None = None, **options: Any
) -> Callable[[], int]:
    """Run a definition up to its AWS history; return the number of transitions.

    What is compiled once is compiled before the clock is looked at.
    """

    def run() -> int:
        if journal:
            journal.unlink(missing_ok=True)
        execution = doorstep.start(definition, input, journal=journal, **options)
        begun = time.perf_counter()
        execution.wait()
        history = execution.history
        spent.append(time.perf_counter() - begun)
        execution.close()
        assert execution.status == "SUCCEEDED", execution.cause
        return sum(event["type"].endswith("StateEntered") for event in history)

    spent: list[float] = []
    run.spent = spent  # type: ignore[attr-defined]
    return run


def rate(work: Callable[[], int], times: int = 7) -> float:
    """Return transitions a second, the median of some runs."""
    rates = []
    for _ in range(times):
        begun = time.perf_counter()
        count = work()
        spent = getattr(work, "spent", None)
        rates.append(count / (spent[-1] if spent else time.perf_counter() - begun))
    return median(rates)


def seconds(*command: str | Path, times: int = 7) -> float:
    """Return the median duration of a command."""
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        spent.append(time.perf_counter() - begun)
    return median(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    bench = parser.parse_args().shared / "bench"
    hand = rate(lambda: by_hand(ROUNDS))
    print(f"{'loop by hand, with history':42}{hand:12,.0f} transitions/s")
    rows = {"our loop": loop(ROUNDS)}
    for name in ("loop_jsonpath", "loop_jsonata"):
        if (bench / f"{name}.json").is_file():
            rows[f"../shared/bench/{name}.json"] = json.loads((bench / f"{name}.json").read_text())
    for name, definition in rows.items():
        ours = rate(engine(definition, {}))
        print(f"{name:42}{ours:12,.0f} transitions/s  {ours / hand:6.2f} of the hand-written loop")
    tasks = {"handlers": {"same": lambda event: event}, "quotas": {"history_events": None}}
    items = {"items": list(range(ITEMS))}
    many = engine(mapped(), items, **tasks)
    without = rate(many, times=3)
    print(f"{'Map of 10,000 items, a task each':42}{median(many.spent):12.2f} s")
    with TemporaryDirectory() as folder:
        journaled = rate(engine(mapped(), items, Path(folder) / "journal", **tasks), times=3)
    print(f"{'the same, with a journal':42}{without / journaled:12.2f} times as long")
    python = Path(sys.executable)
    bare = seconds(python, "-c", "pass")
    for name, command in (
        ("import doorstep", (python, "-c", "import doorstep")),
        ("first use of doorstep.run", (python, "-c", "import doorstep; doorstep.run")),
        ("doorstep --version", (python.with_name("doorstep"), "--version")),
    ):
        spent = seconds(*command)
        print(f"{name:42}{spent:12.3f} s, {spent - bare:.3f} more than a bare interpreter")


if __name__ == "__main__":
    main()
