"""The shape that docs/architecture.md promises: who may import whom, and how long a module is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PACKAGES = {
    name: TOP / source / name
    for source, name in [
        ("interpreter", "doorstep"),
        ("emulator", "doorstep_emulator"),
        ("cli", "doorstep_cli"),
    ]
}
LONGEST = 400
LONGER: dict[str, int] = {}
"""Modules that may be longer, each with how long and, in a comment, why."""


def package_of(path: Path) -> list[str]:
    """The dotted name of the package that a file is in, in parts."""
    (root,) = (root for root in PACKAGES.values() if path.is_relative_to(root))
    return list(path.parent.relative_to(root.parent).parts)


def short(*parts: str) -> str:
    """A module's name here: that of the library's modules without `doorstep.`."""
    return ".".join(parts[1:] if parts[0] == "doorstep" else parts)


def names(path: Path) -> str:
    own = [] if path.stem == "__init__" else [path.stem]
    return short(*package_of(path), *own)


MODULES = {names(path): path for root in PACKAGES.values() for path in sorted(root.rglob("*.py"))}


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
    """The modules of ours that a statement imports; "" is the package `doorstep` itself."""
    if isinstance(statement, ast.Import):
        parts = [alias.name.split(".") for alias in statement.names]
        yield from (short(*part) for part in parts if part[0] in PACKAGES)
        return
    base = (statement.module or "").split(".") if statement.module else []
    if statement.level:
        package = package_of(MODULES[module])
        base = package[: len(package) - statement.level + 1] + base
    if base[0] in PACKAGES:
        for alias in statement.names:
            inner = short(*base, alias.name)
            yield inner if inner in MODULES else short(*base)


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
    assert {"doorstep_emulator.store.store", "drivers", "events"} <= imports(
        "doorstep_emulator.keeper"
    )
    assert "doorstep_cli.remote" in imports("doorstep_cli.commands.ps")


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


@pytest.mark.parametrize(
    ("package", "outer"),
    [
        ("doorstep", ("doorstep_cli", "doorstep_conformance", "doorstep_emulator")),
        ("doorstep_emulator", ("doorstep_cli", "doorstep_conformance")),
    ],
)
def test_packages_know_only_what_is_further_in(package: str, outer: tuple[str, ...]) -> None:
    for path in PACKAGES[package].rglob("*.py"):
        for statement in everywhere(ast.parse(path.read_text(encoding="utf-8"))):
            named = (
                [alias.name for alias in statement.names]
                if isinstance(statement, ast.Import)
                else [statement.module or ""]
            )
            assert not [name for name in named if name.split(".")[0] in outer], path


def test_the_emulator_s_server_knows_neither_http_nor_the_api() -> None:
    outer = ("app", "api", "protocol", "serving", "connections", "origins")
    known = reached("doorstep_emulator.server")
    assert known & {f"doorstep_emulator.{name}" for name in outer} == set()
    assert not [name for name in known if name.startswith("doorstep_emulator.api_")]


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
    assert [name for name, path in MODULES.items() if len(package_of(path)) > 2] == []


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_longer_than_it_may_be(module: str) -> None:
    length = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert length <= LONGER.get(module, LONGEST)


def test_the_exceptions_are_needed() -> None:
    for module in LONGER:
        assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) > LONGEST


@pytest.mark.parametrize("package", ["doorstep", "doorstep_emulator"])
def test_the_page_says_where_every_part_belongs(package: str) -> None:
    page = (TOP / "docs" / "architecture.md").read_text("utf-8")
    own = [one for one in PACKAGES[package].iterdir() if not one.name.startswith(("_", "py."))]
    parts = [f"{path.name}/" if path.is_dir() else path.name for path in own]
    unnamed = [part for part in parts if f"`{part}`" not in page]
    assert [part for part in unnamed if not part.startswith("api_")] == []
