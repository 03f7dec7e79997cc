"""Whether the tests notice a fault: `python benchmarks/mutants.py [--count 200] [--seed 11]`.

Changes one place of the product's code at a time (a comparison turned round, a condition negated,
a number moved by one, an argument left out of a sum …) in a copy of the tree, runs the tests that
execute that line, and counts the changes that a test notices. The places are drawn at random with
a fixed seed, from all code but types, docstrings and what only words a `repr`.

Needs `pip install coverage pytest-cov` beside the development environment: which tests execute
which line is measured once (some minutes) and kept in `build/mutants.coverage` until `--measure`.
Prints a line for each survivor, and the rate; ends with 1 if the rate is below `--least`.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["interpreter", "cli", "emulator", "conformance"]
MEASURED = ROOT / "build" / "mutants.coverage"
FIRST, MOST = 60, 400
"""Tests that are run first, and in all, for a mutant: the rest executes the line by the way."""
PATIENCE = 240.0
"""Seconds after which a mutant's tests count as hanging: that is noticed too."""

OPPOSITES: Mapping[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
NEITHER = (ast.Raise, ast.JoinedStr, ast.Assert)
"""Within these only the wording of a message would change."""
UNSEEN = {"__repr__", "__str__", "__hash__"}


@dataclass(frozen=True)
class Mutant:
    """One change: the file, its line, the text from `start` to `end` and what takes its place."""

    path: Path
    line: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before!r} -> {self.after!r}"


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the changed forms of one node, each with one change."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            yield changed(node, ops=[OPPOSITES[type(operator)]()])
        case ast.BoolOp(op=operator):
            yield changed(node, op=OPPOSITES[type(operator)]())
            for index in range(len(node.values)):
                rest = [value for at, value in enumerate(node.values) if at != index]
                yield rest[0] if len(rest) == 1 else changed(node, values=rest)
        case ast.BinOp(op=operator) if type(operator) in OPPOSITES and not of_text(node):
            yield changed(node, op=OPPOSITES[type(operator)]())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield ast.Constant(value + 1)
        case ast.IfExp(test=test):
            yield changed(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.If(test=test) | ast.While(test=test):
            yield changed(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=value) if value is not None and not empty(value):
            yield changed(node, value=None)
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()


def changed(node: ast.AST, **fields: object) -> ast.AST:
    duplicate = copy.copy(node)
    for name, value in fields.items():
        setattr(duplicate, name, value)
    return duplicate


def of_text(node: ast.BinOp) -> bool:
    """Whether texts or types are joined: `-` there fails at once, which says nothing of tests."""
    return any(
        isinstance(one, ast.JoinedStr)
        or (isinstance(one, ast.Constant) and one.value is None)
        or (isinstance(one, ast.Constant) and isinstance(one.value, str))
        for one in ast.walk(node)
    )


def empty(value: ast.expr) -> bool:
    """Return whether a caller that looks at the truth of it sees no difference to None."""
    return isinstance(value, ast.Constant) and not value.value


def places(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module that run and that a caller can see."""
    for name, inner in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        if isinstance(node, ast.ClassDef) and name == "keywords":
            continue
        for child in inner if isinstance(inner, list) else [inner]:
            if not isinstance(child, ast.AST) or isinstance(child, NEITHER):
                continue
            if isinstance(child, ast.FunctionDef) and child.name in UNSEEN:
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            yield child
            yield from places(child)


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change of one file."""
    text = path.read_text("utf-8")
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    raw = text.encode()
    for node in places(ast.parse(text)):
        for variant in variants(node):
            part = node.test if isinstance(node, ast.If | ast.While) else node
            new = variant.test if isinstance(variant, ast.If | ast.While) else variant
            start = starts[part.lineno - 1] + part.col_offset  # type: ignore[attr-defined]
            end = starts[part.end_lineno - 1] + part.end_col_offset  # type: ignore[attr-defined]
            after = ast.unparse(ast.fix_missing_locations(new))
            after = f"({after})" if isinstance(new, ast.expr) else after
            line = part.lineno  # type: ignore[attr-defined]
            relative = path.relative_to(ROOT)
            yield Mutant(relative, line, start, end, raw[start:end].decode(), after)


def measure() -> None:
    """Run the whole suite once and record which tests execute which line."""
    MEASURED.parent.mkdir(exist_ok=True)
    for old in MEASURED.parent.glob(MEASURED.name + "*"):
        old.unlink()
    settings = MEASURED.with_suffix(".ini")
    settings.write_text(f"[run]\ndata_file = {MEASURED}\nsource = {', '.join(SOURCES)}\n")
    options = ["--cov", "--cov-report=", "--cov-context=test", f"--cov-config={settings}"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *options]
    subprocess.run(command, cwd=ROOT, env=environment(ROOT), check=False)


class Tests:
    """Which tests to run for a line: those that execute it, the most particular first."""

    def __init__(self, measured: Path) -> None:
        """Read what `measure` recorded."""
        from coverage import CoverageData

        data = CoverageData(str(measured))
        data.read()
        self._lines: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._files: dict[str, set[str]] = defaultdict(set)
        self._breadth: dict[str, int] = defaultdict(int)
        for file in data.measured_files():
            name = str(Path(file).relative_to(ROOT))
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in contexts:
                    self._add(name, line, context.rpartition("|")[0])

    def _add(self, name: str, line: int, test: str) -> None:
        tests = self._lines[name, line]
        if test:
            tests.add(test)
            self._files[name].add(test)
            self._breadth[test] += 1

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests of the mutant's line.

        A line that no test executes, but the import of its module does (a constant, a table): the
        tests of the module.
        """
        name = str(mutant.path)
        tests = self._lines.get((name, mutant.line))
        if tests is not None and not tests:
            tests = self._files[name]
        return sorted(tests or (), key=lambda test: (self._breadth[test], test))


def environment(tree: Path) -> dict[str, str]:
    paths = os.pathsep.join(str(tree / source) for source in SOURCES)
    more = os.environ.get("PYTHONPATH", "")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([paths, more]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def noticed(tree: Path, tests: Sequence[str]) -> bool:
    """Whether one of the tests fails, or hangs, with the tree as it is."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--tb=no"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=environment(tree),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(PATIENCE) != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def copy_of_tree(folder: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    tree = folder / ROOT.name
    for name in listed.stdout.decode().splitlines():
        if (ROOT / name).is_file():
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    (folder / "shared").symlink_to(ROOT.parent / "shared")
    return tree


def survives(tree: Path, mutant: Mutant, tests: Sequence[str]) -> bool:
    path = tree / mutant.path
    raw = path.read_bytes()
    path.write_bytes(raw[: mutant.start] + mutant.after.encode() + raw[mutant.end :])
    try:
        if not tests:
            return True
        return not any(noticed(tree, part) for part in (tests[:FIRST], tests[FIRST:MOST]) if part)
    finally:
        path.write_bytes(raw)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--least", type=float, default=0.9, help="the lowest rate that passes")
    parser.add_argument("--only", default="", help="only files whose path contains this text")
    parser.add_argument("--measure", action="store_true", help="measure the lines again")
    chosen = parser.parse_args()
    if chosen.measure or not MEASURED.exists():
        measure()
    every_test = Tests(MEASURED)
    paths = [path for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]
    every = [mutant for path in paths if chosen.only in str(path) for mutant in mutants(path)]
    drawn = random.Random(chosen.seed).sample(every, min(chosen.count, len(every)))
    print(f"{len(every)} mutants in {len(paths)} files, {len(drawn)} drawn", flush=True)
    trees: Queue[Path] = Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for index in range(chosen.jobs):
            trees.put(copy_of_tree(Path(folder) / str(index)))
        survivors = 0

        def judge(mutant: Mutant) -> tuple[Mutant, bool, int, float]:
            tree, began = trees.get(), time.monotonic()
            tests = every_test.of(mutant)
            try:
                return mutant, survives(tree, mutant, tests), len(tests), time.monotonic() - began
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(chosen.jobs) as pool:
            for done, (mutant, survived, tests, took) in enumerate(pool.map(judge, drawn), 1):
                survivors += survived
                if survived:
                    print(f"{done:4} survived ({tests} tests, {took:.0f} s)  {mutant}", flush=True)
    rate = 1 - survivors / len(drawn)
    print(f"{len(drawn) - survivors} of {len(drawn)} noticed: {rate:.1%}")
    return 0 if rate >= chosen.least else 1


if __name__ == "__main__":
    sys.exit(main())
