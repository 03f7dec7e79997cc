"""Children of a distributed Map here, in processes and on a local Dask cluster, in one run.

    python benchmarks/executors_bench.py                   # 100,000 items of 5 ms: half an hour
    python benchmarks/executors_bench.py --items 5000      # two minutes
    python benchmarks/executors_bench.py --where local:2   # only this beside inline

Seconds are those of a clock, so leave the machine alone meanwhile. Exits with 1 when workers are
not as much faster as `--least` says, when their results, failures or manifest differ from those of
this process, or when a Map that exceeds its tolerance is not ended within two seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from map_rows import definition
from verdict import as_expected, expect

import doorstep

LEAST = 1.7
MOST_SECONDS = 2.0
HANDLERS = """
import os


def work(event):
    total = 0
    for number in range(event["rounds"]):
        total += number * number
    if event["n"] % 97 == 96 or event.get("fails"):
        os.close(os.open({began!r}, os.O_CREAT | os.O_WRONLY)) if event.get("fails") else None
        raise ValueError("as asked")
    return {{"n": event["n"], "total": total}}
"""
"""About one in a hundred fails, so that failures are compared as well."""


def rounds_of(milliseconds: float) -> int:
    """Return how often the handler has to go round to compute for so long."""
    count, total = 200_000, 0
    begun = time.perf_counter()
    for number in range(count):
        total += number * number
    return int(count * milliseconds / 1000 / (time.perf_counter() - begun))


class Case:
    """A folder with items and handlers."""

    def __init__(self, root: Path, items: list[dict[str, Any]]) -> None:
        self.root = root
        self.began = root / "began"
        (root / "in").mkdir()
        lines = "".join(json.dumps(item) + "\n" for item in items)
        (root / "in" / "items.jsonl").write_text(lines)
        (root / "handlers.py").write_text(HANDLERS.format(began=str(self.began)))

    def run(self, executor: str, **fields: Any) -> tuple[float, doorstep.Execution]:
        """Run it; return the seconds and the execution."""
        begun = time.perf_counter()
        execution = doorstep.run(
            definition(**fields),
            {},
            self.root / "handlers.py",
            s3_root=self.root,
            seed=1,
            executor=executor,
        )
        return time.perf_counter() - begun, execution

    def results(self) -> dict[str, bytes]:
        """Return the files that it wrote, and forget them."""
        found = {}
        for path in sorted((self.root / "out").rglob("*")):
            if path.is_file():
                found[str(path.relative_to(self.root))] = path.read_bytes()
                path.unlink()
        return found


def faster(options: argparse.Namespace, rounds: int) -> None:
    """Run the same items everywhere, and compare."""
    items = [{"n": number, "rounds": rounds} for number in range(options.items)]
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Path(folder), items)
        tolerant = {"ToleratedFailurePercentage": 100}
        here, inline = case.run("inline", **tolerant)
        written = case.results()
        print(f"inline: {here:.1f} s, {here / options.items * 1000:.2f} ms an item", flush=True)
        for where in options.where:
            there, execution = case.run(where, **tolerant)
            ratio = here / there
            print(f"{where}: {there:.1f} s, {ratio:.2f} times as fast", flush=True)
            expect("status and output are equal", execution.output == inline.output)
            expect("results, failures and manifest are equal", case.results() == written)
            expect(f"at least {options.least} times as fast", ratio >= options.least)


def cancelled(options: argparse.Namespace, rounds: int) -> None:
    """Exceed the tolerance early in a long Map; measure from the last tolerated failure's call."""
    count = 5_000
    items = [{"n": n, "rounds": rounds, "fails": n == count // 10} for n in range(count)]
    for where in options.where:
        with tempfile.TemporaryDirectory() as folder:
            case = Case(Path(folder), items)
            tolerated = sum(n % 97 == 96 for n in range(count // 10))
            _, execution = case.run(where, ToleratedFailureCount=tolerated)
            late = time.time() - case.began.stat().st_mtime
            print(f"{where}: ended {late:.2f} s after the failure that was one too many")
            expect("failed for its tolerance", "Tolerated" in (execution.error or ""))
            expect(f"within {MOST_SECONDS:g} s", late <= MOST_SECONDS)


def main() -> int:
    """Run all; return 1 if something was not as expected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--milliseconds", type=float, default=5.0, help="that a handler computes")
    parser.add_argument("--where", action="append", help="executors: local:2 and processes:2")
    parser.add_argument("--least", type=float, default=LEAST)
    options = parser.parse_args()
    options.where = options.where or ["local:2", "processes:2"]
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    rounds = rounds_of(options.milliseconds)
    cancelled(options, rounds)
    faster(options, rounds)
    return as_expected()


if __name__ == "__main__":
    sys.exit(main())
