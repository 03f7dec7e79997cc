"""Distributed Maps that are too large for every test run: time, memory, a kill in the middle.

    python benchmarks/map_scale.py              # a night: a million items, a CSV file of 2 GB
    python benchmarks/map_scale.py --short      # a minute: the same with little

Each run is a process of its own, with `doorstep run`; a line for each says what was measured. Exits
with 1 when memory, growth, or the count of calls is not as promised in docs/distributed-map.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from map_rows import definition, written
from verdict import as_expected, expect

MOST_MB = 200
BOUND = 1.1
IN_FLIGHT = 3
"""Children of one task that may have begun and not ended: see `InlineExecutor`."""
COMMAND = [sys.executable, "-c", "from doorstep_cli.main import entry; entry()", "run"]
HANDLERS = """
import os
import doorstep

calls = os.open({calls!r}, os.O_APPEND | os.O_CREAT | os.O_WRONLY)


@doorstep.handler("Work")
def work(event, context):
    if {count!r}:
        os.write(calls, f"{{event['n']}} {{context.idempotency_key}}\\n".encode())
    if {fails!r} and event["n"] % 2:
        raise ValueError("odd")
    return event
"""


class Run(NamedTuple):
    """What a process took: seconds, processor time, and memory at the most."""

    seconds: float
    processor: float
    megabytes: int
    status: int


class Case:
    """A folder with a definition, handlers and items."""

    def __init__(self, root: Path, *, count: bool = False, fails: bool = False, **fields: Any):
        self.root = root
        self.calls = root / "calls"
        (root / "map.asl.json").write_text(json.dumps(definition(**fields)))
        names = {"calls": str(self.calls), "count": count, "fails": fails}
        (root / "handlers.py").write_text(HANDLERS.format(**names))

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start `doorstep run`."""
        files = [str(self.root / "map.asl.json"), "--handlers", str(self.root / "handlers.py")]
        where = ["--s3-root", str(self.root), "--seed", "1", "-q", *options]
        return subprocess.Popen([*COMMAND, *files, *where], stdout=subprocess.DEVNULL)

    def run(self, *options: str) -> Run:
        """Run it to its end."""
        begun, process = time.monotonic(), self.start(*options)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        spent = used.ru_utime + used.ru_stime
        seconds = time.monotonic() - begun
        return Run(seconds, spent, used.ru_maxrss // 1024, process.returncode)


def grow(sizes: list[int], *, fails: bool = False) -> None:
    """Run maps of these sizes; the last is expected to be linear from the first, in little room."""
    tolerance = {"ToleratedFailurePercentage": 100} if fails else {}
    costs: list[Run] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            took = Case(written(Path(folder), size), fails=fails, **tolerance).run()
        costs.append(took)
        each = took.processor / size * 1e6
        print(
            f"{size:,} items{', half fail' * fails}: {took.seconds:.0f} s, {each:.0f} µs of the "
            f"processor an item, {took.megabytes} MB",
            flush=True,
        )
        expect("ends with 0", took.status == 0)
        expect(f"under {MOST_MB} MB", took.megabytes < MOST_MB)
    if len(sizes) > 1:
        power = math.log(costs[-1].processor / costs[0].processor) / math.log(sizes[-1] / sizes[0])
        expect(f"grows with an exponent of {power:.2f}, at most {BOUND}", power <= BOUND)


def kill_and_resume(items: int) -> None:
    """Kill a journaled run in the middle; the next one calls nothing twice without its key."""
    with tempfile.TemporaryDirectory() as folder:
        case = Case(written(Path(folder), items), count=True)
        journal = str(case.root / "journal")
        process = case.start("--journal", journal)
        while process.poll() is None and lines(case.calls) < items // 2:
            time.sleep(0.05)
        process.kill()
        process.wait()
        before = lines(case.calls)
        took = case.run("--journal", journal)
        keys: defaultdict[str, list[str]] = defaultdict(list)
        for line in case.calls.read_text().splitlines():
            number, key = line.split()
            keys[number].append(key)
        twice = [one for one in keys.values() if len(one) > 1]
        print(
            f"{items:,} items, killed after {before:,}: {took.seconds:.0f} s to its end, "
            f"{took.megabytes} MB, called twice: {len(twice)}",
            flush=True,
        )
        expect("ends with 0", took.status == 0)
        expect("all items were called", len(keys) == items)
        expect("at most the calls of three children were repeated", len(twice) <= IN_FLIGHT)
        expect("none under another key", all(len(set(one)) == 1 for one in twice))
        expect(f"under {MOST_MB} MB", took.megabytes < MOST_MB)


def lines(path: Path) -> int:
    """Count the lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def large_csv(megabytes: int) -> None:
    """Map over a CSV file whose rows have a megabyte each, nearly all of it a hole."""
    with tempfile.TemporaryDirectory() as folder:
        reader = {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "Parameters": {"Bucket": "in", "Key": "large.csv"},
        }
        selector = {"n.$": "States.StringToJson($$.Map.Item.Value.n)"}
        case = Case(Path(folder), ItemReader=reader, ItemSelector=selector)
        (case.root / "in").mkdir()
        with (case.root / "in" / "large.csv").open("wb") as file:
            file.write(b"n,hole\n")
            for number in range(megabytes):
                file.write(f"{number},".encode())
                file.seek(2**20, os.SEEK_CUR)
                file.write(b"\n")
            size = file.tell()
        took = case.run()
        print(
            f"a CSV file of {size:,} bytes: {took.seconds:.0f} s, {took.megabytes} MB", flush=True
        )
        expect("ends with 0", took.status == 0)
        expect(f"under {MOST_MB} MB", took.megabytes < MOST_MB)


def main() -> int:
    """Run all; return 1 if something was not as expected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="with little: a minute")
    parser.add_argument("--items", type=int, help="of the largest run (a million)")
    options = parser.parse_args()
    most = options.items or (4_000 if options.short else 1_000_000)
    first = min(10_000, most // 4)
    grow([first, most])
    grow([most], fails=True)
    large_csv(20 if options.short else 2_048)
    # The last: what the count of the calls takes here would count as the memory of later children.
    kill_and_resume(most)
    return as_expected()


if __name__ == "__main__":
    sys.exit(main())
