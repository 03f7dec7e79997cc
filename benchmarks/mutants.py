"""Whether the tests notice a fault: `python benchmarks/mutants.py [--count 200] [--seed 11]`.

Changes one place of the product's code at a time (a comparison turned round, a condition negated,
a number moved by one, an argument left out of a sum …) in a copy of the tree, runs the tests that
execute that line, and counts the changes that a test notices. The places are drawn by
their hashes with a seed.

Left out is what nobody can see: types, docstrings, asserts, the wording of messages and of a
`repr`; what a step of evaluation costs (COSTS: the bounds themselves are drawn), the sizes of
caches and how long a wait lasts that something else ends (UNSEEN_ARGUMENTS). A number of 1,000 or
more is doubled: that a limit is exact is asked by the comparison beside it.

A test counts only if it passes without the change. Those that notice one run once more in an
unchanged copy; what fails there as well (it needs the repository, or the network) is left out, and
its changes are judged again.

Needs `pip install coverage pytest-cov` beside the development environment: which tests execute
which line is measured once (some minutes) and stored in `build/mutants.coverage` until
`--measure`. Prints a line for each survivor, and the rate; ends with 1 if the rate is below
`--least`. After writing a test: `--numbers 5,18 --also tests/test_new.py` judges these again.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import importlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["interpreter", "cli", "emulator", "conformance"]
MEASURED = ROOT / "build" / "mutants.coverage"
FAILING = ROOT / "build" / "mutants.failing.json"
"""The tests that failed when the lines were measured."""
STEPS = (0, 10, 60, 400)
"""So many tests are run for a mutant at a time, and in all: the rest execute it by the way."""
PATIENCE = 240.0
"""Seconds after which a mutant's tests count as hanging: that is noticed too."""
HANGS, HUNG = -1, "(hangs)"
OPTIONS = [
    *("-q", "-rfE", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # plugins among PRELOADED
]
PRELOADED = [
    *("pytest", "hypothesis", "freezegun", "click", "rich.console", "yaml", "jsonpath_ng.ext"),
    *("starlette.applications", "uvicorn", "prometheus_client", "boto3", "httpx", "anyio"),
]
NOT_FOUND, NO_TESTS = 4, 5
"""Exit codes of pytest: an argument that names no test, and none collected."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*)$", re.MULTILINE)
LARGE = 1_000

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
COSTS = {"allocate", "spend", "tick"}
"""Calls that count steps and bytes."""
UNSEEN_ARGUMENTS = {"daemon", "max_workers", "maxsize", "stacklevel", "strict", "timeout"}


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
            yield ast.Constant(value + 1 if abs(value) < LARGE else 2 * value)
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
            if isinstance(child, ast.keyword) and child.arg in UNSEEN_ARGUMENTS:
                continue
            if isinstance(node, ast.Call) and name == "args" and called_name(node) in COSTS:
                continue
            if isinstance(child, ast.FunctionDef) and child.name in UNSEEN:
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            yield child
            yield from places(child)


def called_name(call: ast.Call) -> str:
    """Return the last part of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


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
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--cache-clear", *options]
    subprocess.run(command, cwd=ROOT, env=environment(ROOT))
    failed = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
    FAILING.write_text(failed.read_text("utf-8") if failed.exists() else "{}", "utf-8")


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
        self._hits: Counter[tuple[str, str]] = Counter()
        """How often a file of tests executes lines of a module; "": of any."""
        for file in data.measured_files():
            name = str(Path(file).relative_to(ROOT))
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in contexts:
                    self._add(name, line, context.rpartition("|")[0])

    @property
    def names(self) -> set[str]:
        """The names of all tests."""
        return set(self._breadth)

    def _add(self, name: str, line: int, test: str) -> None:
        tests = self._lines[name, line]
        if test:
            tests.add(test)
            self._files[name].add(test)
            self._breadth[test] += 1
            file = test.partition("::")[0]
            self._hits[name, file] += 1
            self._hits["", file] += 1

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests of the mutant's line.

        A line that only the import of its module executes (a constant, a table): the files of tests
        that are most about the module, as a test that reads a table executes nothing; then the
        tests of the module. One that no test executes in its own process: the files of those tests,
        as they may do so in another.
        """
        name = str(mutant.path)
        tests = self._lines.get((name, mutant.line))
        if tests is None:
            return sorted({test.partition("::")[0] for test in self._nearest(mutant.path)})
        files = [] if tests else self._about(name)
        tests = tests or self._files[name]
        return files + sorted(tests, key=lambda test: (self._breadth[test], test))

    def _about(self, name: str) -> list[str]:
        """Return the files of tests of whose execution most is this module's."""
        files = {test.partition("::")[0] for test in self._files[name]}
        return sorted(files, key=lambda file: -self._hits[name, file] / self._hits["", file])[:5]

    def _nearest(self, path: Path) -> set[str]:
        """Return the tests of the module, or of the folder around it that has some."""
        for near in (path, *path.parents):
            within = [tests for name, tests in self._files.items() if inside(name, near)]
            if any(within):
                return set().union(*within)
        return set()


def inside(name: str, folder: Path) -> bool:
    """Return whether a path is this one or below it."""
    return Path(name).is_relative_to(folder)


def environment(tree: Path) -> dict[str, str]:
    paths = os.pathsep.join(str(tree / source) for source in SOURCES)
    more = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "CI": "true", "PYTHONPATH": os.pathsep.join([paths, more])}


class Tree:
    """A copy of the tree, and a process that runs pytest in it.

    That process has imported everything but the tree itself, and forks for each run: to start a
    new one takes longer than most of the tests.
    """

    def __init__(self, folder: Path) -> None:
        self.root = copy_of_tree(folder)
        self._output = folder / "output"
        subprocess.run([sys.executable, "-m", "compileall", "-q", *SOURCES], cwd=self.root)
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--fork"],
            cwd=self.root,
            env=environment(self.root),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        if self._run(["--version"])[0]:
            raise RuntimeError(self._output.read_text("utf-8"))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def noticed(self, tests: Sequence[str]) -> str:
        """Return the test that fails first with the tree as it is; empty when none does."""
        code, output = self._run(["-x", *tests])
        if code == NOT_FOUND:  # a name that is made of the changed value: its file has the others
            files = sorted({test.partition("::")[0] for test in tests})
            code, output = self._run(["-x", *files])
        if code in (0, NO_TESTS):
            return ""
        if code == HANGS:
            return HUNG
        return next(iter(failed_among(tests, output)), f"(ends with {code})")

    def failing(self, tests: Sequence[str]) -> set[str]:
        """Return which of these tests fail with the tree as it is."""
        _, output = self._run(tests, patience=10 * PATIENCE) if tests else (0, "")
        return set(failed_among(tests, output))

    def _run(self, arguments: Sequence[str], patience: float = PATIENCE) -> tuple[int, str]:
        """Run pytest; return its exit code (HANGS if it has none) and what it printed."""
        request = [str(self._output), patience, [*OPTIONS, *arguments]]
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())
        return code, self._output.read_text("utf-8", "replace")

    @contextlib.contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Let the file hold the change meanwhile."""
        path = self.root / mutant.path
        raw = path.read_bytes()
        self._write(path, raw[: mutant.start] + mutant.after.encode() + raw[mutant.end :])
        try:
            yield
        finally:
            self._write(path, raw)

    def _write(self, path: Path, raw: bytes) -> None:
        path.write_bytes(raw)
        # The compiled file is known by the source's seconds and size, which may be the same.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def failed_among(tests: Iterable[str], output: str) -> Iterator[str]:
    """Yield the tests that failed, by their names where these are among `tests`."""
    for line in FAILED.findall(output):
        names = [test for test in tests if line == test or line.startswith(f"{test} - ")]
        yield max(names, key=len, default=line.partition(" - ")[0])


def fork_for_runs() -> None:
    """Run pytest for each line of the input, in a process that is forked for it."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
    for line in sys.stdin:
        output, patience, arguments = json.loads(line)
        process = os.fork()
        if not process:
            os.setsid()
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            code = importlib.import_module("pytest").main(arguments)
            sys.stdout.flush()
            os._exit(int(code))
        print(json.dumps(code_of(process, time.monotonic() + patience)), flush=True)


def code_of(process: int, end: float) -> int:
    """Wait for a process until a time; return its exit code, or HANGS."""
    try:
        while time.monotonic() < end:
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        return HANGS
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)


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


class Judge:
    """Says of each mutant which test notices it; several threads, each with a tree of its own."""

    def __init__(self, every_test: Tests, trees: Sequence[Tree], also: Sequence[str]) -> None:
        self._tests = every_test
        self._also = list(also)
        self._trees: Queue[Tree] = Queue()
        for tree in trees:
            self._trees.put(tree)
        self.left_out = set(json.loads(FAILING.read_text("utf-8")))
        """Tests that fail without a change."""

    def judge(self, mutant: Mutant) -> str:
        """Return the test that notices this mutant, or nothing."""
        every = [*self._also, *self._tests.of(mutant)]
        tests = [test for test in every if test not in self.left_out]
        parts = filter(None, (tests[start:end] for start, end in pairwise(STEPS)))
        with self._tree() as tree:
            for part in parts:
                with tree.changed(mutant):
                    notice = tree.noticed(part)
                # A busy machine may take as long for them without the change.
                if notice and not (notice == HUNG and tree.noticed(part) == HUNG):
                    return notice
        return ""

    def doubtful(self, tests: Iterable[str]) -> set[str]:
        """Return those of the tests that fail without a change too, and leave them out."""
        with self._tree() as tree:
            failed = tree.failing(sorted(self._tests.names & set(tests)))
        self.left_out |= failed
        return failed

    @contextlib.contextmanager
    def _tree(self) -> Iterator[Tree]:
        tree = self._trees.get()
        try:
            yield tree
        finally:
            self._trees.put(tree)


def draw(only: str, count: int, seed: int) -> list[Mutant]:
    """Draw mutants of all the product's code: those with the smallest hashes.

    So a change of the code draws others in its own place only.
    """
    paths = [path for source in SOURCES for path in sorted((ROOT / source).rglob("*.py"))]
    ranked: dict[str, Mutant] = {}
    times: Counter[str] = Counter()
    for mutant in (mutant for path in paths for mutant in mutants(path)):
        name = f"{seed} {mutant.path} {mutant.before!r} {mutant.after!r}"
        times[name] += 1
        ranked[hashlib.sha256(f"{name} {times[name]}".encode()).hexdigest()] = mutant
    every = [ranked[rank] for rank in sorted(ranked) if only in str(ranked[rank].path)]
    print(f"{len(every)} mutants in {len(paths)} files", flush=True)
    return every[:count]


def judge_all(judge: Judge, drawn: Mapping[int, Mutant], jobs: int) -> list[int]:
    """Judge the mutants; print the survivors and return their numbers."""
    notices: dict[int, str] = {}
    waiting = dict(drawn)
    with ThreadPoolExecutor(jobs) as pool:
        while waiting:
            found = zip(waiting.items(), pool.map(judge.judge, waiting.values()), strict=True)
            for (number, mutant), notice in found:
                notices[number] = notice
                print(f"{number:4} {notice or 'SURVIVED'}  {mutant}", flush=True)
            failed = judge.doubtful(notices[number] for number in waiting)
            print(f"left out, as they fail without a change: {sorted(failed) or 'none'}")
            waiting = {number: drawn[number] for number in waiting if notices[number] in failed}
    return [number for number in drawn if not notices[number]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--least", type=float, default=0.9, help="the lowest rate that passes")
    parser.add_argument("--only", default="", help="only files whose path contains this text")
    parser.add_argument("--numbers", default="", help="only these of the drawn ones: 5,18")
    parser.add_argument("--also", nargs="*", default=[], help="tests to run for each mutant")
    parser.add_argument("--list", action="store_true", help="print what is drawn, and stop")
    parser.add_argument("--measure", action="store_true", help="measure the lines again")
    parser.add_argument("--fork", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.fork:
        fork_for_runs()
        return 0
    numbers = [int(number) for number in chosen.numbers.split(",") if number]
    drawn = dict(enumerate(draw(chosen.only, chosen.count, chosen.seed), 1))
    drawn = {number: drawn[number] for number in numbers} if numbers else drawn
    if chosen.list:
        for number, mutant in drawn.items():
            print(f"{number:4} {mutant}")
        return 0
    if chosen.measure or not MEASURED.exists():
        measure()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [Tree(Path(folder) / str(index)) for index in range(chosen.jobs)]
        survivors = judge_all(Judge(Tests(MEASURED), trees, chosen.also), drawn, chosen.jobs)
        for tree in trees:
            tree.close()
    for number in survivors:
        print(f"{number:4} survived  {drawn[number]}")
    rate = 1 - len(survivors) / len(drawn)
    print(f"{len(drawn) - len(survivors)} of {len(drawn)} noticed: {rate:.1%}")
    return 0 if rate >= chosen.least else 1


if __name__ == "__main__":
    sys.exit(main())
