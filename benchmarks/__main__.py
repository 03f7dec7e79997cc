"""Measure Doorstep beside the same work written by hand and other tools, in turn in one run.

    python benchmarks                           # all rows and growths; prints them
    python benchmarks --only "JSONata*"         # some
    python benchmarks --against ../before       # and another checkout of Doorstep, A B A B
    python benchmarks --write                   # writes docs/performance.md
    python benchmarks --short                   # growths only; 1 if one is above its bound

Costs are processor time. A ratio is the median of the rounds, with the lowest and the highest.
"""

from __future__ import annotations

import argparse
import fnmatch
import gc
import importlib
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from measure import Growth, Row, Work
from peers import absent

TOP = Path(__file__).parent.parent
PAGE = TOP / "docs" / "performance.md"
MODULES = ("engine_rows", "jsonata_rows", "map_rows", "tools_rows", "editor_rows", "server_rows")
"""They have `rows()`, `growths()` or both."""
PACKAGES = ("interpreter", "cli", "emulator", "conformance")
PATIENCE = 4.0
"""Seconds: a peer, or the other tree, that takes longer is measured in the first round only."""
TRIES = 4
"""How often a growth is measured before it counts as above its bound."""


def collected(what: str, pattern: str) -> Iterator[Any]:
    """Yield the rows or growths of all modules whose names match."""
    for name in MODULES:
        every = getattr(importlib.import_module(name), what, list)()
        yield from (one for one in every if fnmatch.fnmatch(one.name, pattern))


class Tree:
    """A checkout: a process of its own that measures what it is sent the names of."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self._begin()

    def _begin(self) -> None:
        path = os.pathsep.join(str(self._tree / package) for package in PACKAGES)
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cost(self, row: str, contender: str) -> float | None:
        """Measure a contender of a row once; None if that ended the process, which begins anew."""
        assert self._process.stdin
        assert self._process.stdout
        print(f"{row}\t{contender}", file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if line:
            return float(line)
        self._begin()
        return None

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def serve_costs() -> None:
    """Measure what is asked for on standard input: the process behind `Tree`."""
    rows = {row.name: row for row in collected("rows", "*")}
    for line in sys.stdin:
        name, contender = line.rstrip("\n").split("\t")
        work = contenders(rows[name])[contender]
        gc.collect()
        print(work(), flush=True)


def contenders(row: Row) -> dict[str, Work]:
    """Return all that is measured of a row."""
    return {"ours": row.ours, **({"floor": row.floor} if row.floor else {}), **row.peers}


class Measured(NamedTuple):
    """The costs of a row, a list of rounds for each contender: `ours`, `before`, `floor`, peers."""

    row: Row
    costs: dict[str, list[float]]

    def ratio(self, contender: str, to: str = "ours") -> list[float]:
        """Return how many times as much as another it costs, round by round."""
        pairs = zip(self.costs[contender], self.costs[to], strict=False)
        return [one / other for one, other in pairs]


def measure(row: Row, trees: Mapping[str, Tree], rounds: int) -> Measured:
    """Measure the contenders of a row in turn.

    `trees`: ours and peers', whose objects would cost our garbage collector, and maybe before,
    which need not know all that is measured.
    """
    costs: dict[str, list[float]] = {name: [] for name in contenders(row)}
    if "before" in trees:
        costs["before"] = []
    done = set()
    for _ in range(rounds):
        for name in [name for name in costs if name not in done]:
            tree = trees["peers" if name in row.peers else "before" if name == "before" else "ours"]
            contender = "ours" if name == "before" else name
            begun = time.perf_counter()
            cost = tree.cost(row.name, contender)
            if cost is not None:
                costs[name].append(cost)
            elif name == "before":
                done.add(name)
            else:
                sys.exit(f"{row.name}: {name} can't be measured; its traceback is above")
            if name not in ("ours", "floor") and time.perf_counter() - begun > PATIENCE:
                done.add(name)
    return Measured(row, costs)


def spread(ratios: list[float]) -> str:
    """Return a median with its range."""
    low, middle, high = (f"{one:.3g}" for one in (min(ratios), median(ratios), max(ratios)))
    return f"{middle} ({low}–{high})"


def cells(one: Measured) -> list[str]:
    """Return a line of the table."""
    row, costs = one.row, one.costs

    def amount(contender: str) -> str:
        return f"{median(costs[contender]):.3g}" if costs.get(contender) else "–"

    peers = [f"{name} {amount(name)}: {spread(one.ratio(name))}" for name in row.peers]
    before = f"{amount('before')}: {spread(one.ratio('before'))}" if costs.get("before") else "–"
    return [
        row.name,
        row.unit,
        amount("ours"),
        amount("floor"),
        spread(one.ratio("ours", "floor")) if "floor" in costs else "–",
        "; ".join(peers) or "–",
        row.goal or "–",
        *([before] if "before" in costs else ()),
    ]


HEAD = [
    "what",
    "unit",
    "ours",
    "floor",
    "ours / floor",
    "peers: their cost / ours",
    "goal",
    "before: its cost / ours",
]
"""Of the table; the last with `--against` only."""


def seconds(run: Any) -> float:
    gc.collect()
    begun = time.process_time()
    run()
    return time.process_time() - begun


def exponent(growth: Growth) -> float:
    """Return with which power of the size a cost grows; noise only ever adds to a measurement."""
    runs = [growth.prepare(size) for size in growth.sizes]
    least = [math.inf, math.inf]
    for _ in range(TRIES):
        for place, run in enumerate(runs):
            least[place] = min(least[place], seconds(run), seconds(run))
        first, last = growth.sizes
        power = math.log(least[1] / least[0]) / math.log(last / first)
        if power <= growth.bound:
            break
    return power


def machine() -> str:
    """Describe where this was measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    implementation = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, {implementation}"


def commit(tree: Path) -> str:
    """Name what is checked out there."""
    show = ["git", "-C", str(tree), "show", "--no-patch", "--format=%h (%cs, “%s”)"]
    return subprocess.run(show, check=True, capture_output=True, text=True).stdout.strip()


def table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


INTRODUCTION = """# Performance

Written by `python benchmarks --write`. All costs are processor time; on a machine with other work
they swing by half, so look at the ratios: contenders are measured in turn in one run, and a ratio
is the median of {rounds} rounds with the lowest and the highest; a range of one value was measured
once.

*Floor*: the same result written by hand in Python, each history event a dict and each value encoded
once; for a program, Python that does nothing; for a server, one that always answers the same.
*Peers*: other tools that were installed, doing the same as far as they can. Not installed:
{absent}.

Measured on {machine}.
"""
BEFORE = """
*Before*: the tree of {commit}, in turn with ours; "–": it does not have what the row measures.
"""
GROWTHS = """
## Growth

The exponent with which a cost grows with its size: 1 is linear. `python benchmarks --short`, which
CI runs, fails when one is above its bound.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of rows and growths")
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout to compare")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="growths only")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve_costs()
        return 0
    if options.rounds < 1:
        parser.error("--rounds is 1 at least")
    if options.write and (options.short or options.only != "*"):
        parser.error("--write writes all rows: leave out --only and --short")
    if options.against and not all((options.against / one).is_dir() for one in PACKAGES):
        parser.error(f"{options.against} is no checkout of Doorstep")
    if not any(chain(collected("rows", options.only), collected("growths", options.only))):
        parser.error(f"no row and no growth has a name like {options.only!r}")
    lines = [] if options.short else rows_of(options)
    growths, above = growths_of(options.only)
    if options.write:
        missing = ", ".join(absent()) or "none of those that this knows"
        text = INTRODUCTION.format(rounds=options.rounds, machine=machine(), absent=missing)
        if options.against:
            text += BEFORE.format(commit=commit(options.against))
        rows = table(HEAD[: len(lines[0])], lines)
        PAGE.write_text(f"{text}\n{rows}\n{GROWTHS}\n{growths}\n", encoding="utf-8")
    if above:
        print(f"above their bounds: {', '.join(above)}")
    return 1 if above else 0


def rows_of(options: argparse.Namespace) -> list[list[str]]:
    """Measure the rows, print each when it is measured, and return the lines of the table."""
    for name, how in absent().items():
        print(f"not measured, as it is not installed: {name} ({how})", flush=True)
    trees = {"ours": Tree(TOP), "peers": Tree(TOP)}
    if options.against:
        trees["before"] = Tree(options.against.resolve())
    lines = []
    rows = list(collected("rows", options.only))
    for number, row in enumerate(rows, 1):
        print(f"{row.name} ({number} of {len(rows)})", flush=True)
        line = cells(measure(row, trees, options.rounds))
        for head, cell in zip(HEAD[1:], line[1:], strict=False):
            print(f"    {head:26}{cell}", flush=True)
        lines.append(line)
    for tree in trees.values():
        tree.close()
    return lines


def growths_of(pattern: str) -> tuple[str, list[str]]:
    """Measure the growths; return their table, and the names of those above their bounds."""
    lines, above = [], []
    for growth in collected("growths", pattern):
        power = exponent(growth)
        first, last = growth.sizes
        sizes = f"{first:,} → {last:,}"
        line = [growth.name, sizes, f"{power:.2f}", f"{growth.bound:g}"]
        print("  ".join(line), flush=True)
        lines.append(line)
        if power > growth.bound:
            above.append(growth.name)
    return table(["what", "size", "exponent", "bound"], lines), above


if __name__ == "__main__":
    sys.exit(main())
