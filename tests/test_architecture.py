"""The shape that docs/architecture.md promises: who may import whom, and how long a module is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "interpreter" / "doorstep"
LONGEST = 300
LONGER: dict[str, int] = {}
"""Modules that may be longer, each with how long and, in a comment, why."""


def names(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {names(path): path for path in sorted(ROOT.rglob("*.py"))}


def at_run_time(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a module that are made when it is imported, TYPE_CHECKING's left out."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            yield from at_run_time(statement.orelse)
        elif isinstance(statement, ast.If | ast.Try):
            yield from at_run_time([*statement.body, *statement.orelse])


def everywhere(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """All imports, those in functions and for types included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def targets(module: str, statement: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules of doorstep that a statement imports; "" is the package itself."""
    if isinstance(statement, ast.Import):
        yield from (a.name.removeprefix("doorstep").lstrip(".") for a in statement.names
                    if a.name.split(".")[0] == "doorstep")  # fmt: skip
        return
    if statement.level == 0:
        if (statement.module or "").split(".")[0] != "doorstep":
            return
        base = (statement.module or "").split(".")[1:]
    else:
        package = (
            module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
        )
        package = [part for part in package if part]
        base = package[: len(package) - statement.level + 1]
        base += (statement.module or "").split(".") if statement.module else []
    for alias in statement.names:
        inner = ".".join([*base, alias.name])
        yield inner if inner in MODULES else ".".join(base)


def imports(module: str, *, only_at_run_time: bool = False) -> set[str]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    found = at_run_time(tree.body) if only_at_run_time else everywhere(tree)
    return {target for statement in found for target in targets(module, statement)} - {module}


def reached(module: str) -> set[str]:
    """All that a module imports when it is imported, and what that imports in turn."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for target in imports(waiting.pop(), only_at_run_time=True) - found:
            found.add(target)
            waiting.append(target)
    return found


def within(found: set[str], *packages: str) -> set[str]:
    return {name for name in found if name.split(".")[0] in packages}


def test_the_modules_are_seen() -> None:
    assert {"", "engine", "fibers", "drivers.driver", "jsonata.values"} <= MODULES.keys()
    assert "events" in imports("engine")
    assert "drivers.clock" in imports("drivers.virtual")


@pytest.mark.parametrize("module", ["engine", "fibers", "events", "commands"])
def test_the_engine_knows_neither_the_world_nor_a_definition(module: str) -> None:
    world = within(reached(module) | imports(module), "drivers", "handlers", "history", "journal")
    assert world == set()
    program = ("compile", "states", "tasks", "definition", "rules", "parse", "jsonata", "jsonpath")
    assert within(reached(module) | imports(module), *program) == set()


@pytest.mark.parametrize("module", ["states", "tasks", "groups", "maps", "dataflow", "choice"])
def test_states_know_no_driver(module: str) -> None:
    world = ("drivers", "handlers", "history", "journal", "running", "calling")
    assert within(reached(module), *world) == set()


@pytest.mark.parametrize("module", ["journal", "history"])
def test_the_journal_and_the_history_know_no_driver(module: str) -> None:
    assert within(reached(module), "drivers", "handlers", "compile", "states") == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("drivers")])
def test_drivers_know_a_compiled_program_and_no_definition(module: str) -> None:
    assert within(imports(module), "compile", "states", "rules", "parse", "running") == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("jsonata")])
def test_jsonata_knows_nothing_outside_of_itself(module: str) -> None:
    assert {name for name in imports(module) if not name.startswith("jsonata")} == set()


def test_nothing_of_the_library_knows_the_command_line_or_the_conformance_suite() -> None:
    for module, path in MODULES.items():
        for statement in everywhere(ast.parse(path.read_text(encoding="utf-8"))):
            named = (
                [alias.name for alias in statement.names]
                if isinstance(statement, ast.Import)
                else [statement.module or ""]
            )
            outer = ("doorstep_cli", "doorstep_conformance", "doorstep_emulator")
            assert not [name for name in named if name.split(".")[0] in outer], module


def test_no_module_imports_itself_through_others() -> None:
    graph = {module: imports(module, only_at_run_time=True) for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" → ".join(name or "doorstep" for name in cycle.args[1]))


def test_the_engine_does_no_io() -> None:
    outside = {"time", "random", "threading", "os", "pathlib", "socket", "uuid", "datetime"}
    for module in ("engine", "events", "commands", "groups", "tasks", "states", "maps", "dataflow"):
        tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
        named = {
            name.split(".")[0]
            for statement in at_run_time(tree.body)
            for name in (
                [alias.name for alias in statement.names]
                if isinstance(statement, ast.Import)
                else [(statement.module or "") if statement.level == 0 else ""]
            )
        }
        assert named & outside == set(), module


def test_folders_are_one_level_deep() -> None:
    assert [name for name in MODULES if name.count(".") > 1] == []


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_longer_than_it_may_be(module: str) -> None:
    length = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert length <= LONGER.get(module, LONGEST)


def test_the_exceptions_are_needed() -> None:
    for module in LONGER:
        assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) > LONGEST


def test_the_page_says_where_every_part_of_the_library_belongs() -> None:
    page = (ROOT.parents[1] / "docs" / "architecture.md").read_text("utf-8")
    own = [path for path in ROOT.iterdir() if not path.name.startswith(("_", "py."))]
    parts = [f"{path.name}/" if path.is_dir() else path.name for path in own]
    assert [part for part in parts if f"`{part}`" not in page] == []
