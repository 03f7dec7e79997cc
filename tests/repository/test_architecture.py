"""The shape that docs/architecture.md promises: who may import whom, and how long a module is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
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


def within(found: set[str], *packages: str) -> set[str]:
    return {name for name in found if name.split(".")[0] in packages}


FOLDERS = {
    "doorstep": (
        *("errors", "values", "model", "engine", "jsonata", "jsonpath", "intrinsics", "asl"),
        *("definitions", "validation", "history", "runtime", "map_runs", "functions"),
        *("services", "project", "api", "drawing", "advice"),
        *("testing", "coverage", "single_state", "against", "replayer", "explorer", "pages"),
        "pytest_plugin",
    ),
    "doorstep_emulator": (
        *("errors", "arns", "store", "catalogue", "programs", "responses", "publish"),
        *("clock", "schedules", "recorder", "handlers", "activities", "dispatch", "server", "api"),
        "requests",
        *("http", "console", "serving"),
        "reporting",
    ),
    "doorstep_cli": (
        *(
            "streams",
            "output",
            "options",
            "watching",
            "world",
            "definitions",
            "views",
            "execution_files",
            "recorded",
            "children",
            "folders",
            "runs",
            "baseline",
            "editor",
            "file_fixes",
            "commands",
            "main",
        ),
    ),
}
"""The folders, and modules that stand beside them, in their order: each imports only what stands
before it. What has to call back takes a port, a small Protocol in the lower folder.
"""


def folder(module: str) -> str:
    """The folder that a module is in, or its own name; "" for a package's face."""
    package, parts = package_name(module), module.split(".")
    inner = parts if package == "doorstep" else parts[1:]
    return inner[0] if inner else ""


def package_name(module: str) -> str:
    first = module.split(".", maxsplit=1)[0]
    return first if first in PACKAGES else "doorstep"


def test_the_modules_are_seen() -> None:
    assert {
        "",
        "engine.engine",
        "engine.fibers",
        "runtime.driver",
        "jsonata.values",
    } <= MODULES.keys()
    assert "engine.messages" in imports("engine.engine")
    assert "runtime.clocks" in imports("runtime.driver")
    inner = {"doorstep_emulator.store.store", "runtime", "engine.messages"}
    assert inner <= imports("doorstep_emulator.recorder")
    assert "doorstep_cli.options" in imports("doorstep_cli.commands.remote")


@pytest.mark.parametrize("package", FOLDERS)
def test_every_folder_has_its_place(package: str) -> None:
    own = {folder(module) for module in MODULES if package_name(module) == package} - {""}
    assert own == set(FOLDERS[package])


@pytest.mark.parametrize("module", [module for module in MODULES if folder(module)])
def test_a_folder_imports_only_what_stands_before_it(module: str) -> None:
    """Imports for types and those in functions included."""
    package = package_name(module)
    order = FOLDERS[package]
    place = order.index(folder(module))
    known = [one for one in imports(module) if package_name(one) == package and folder(one)]
    later = {one for one in known if order.index(folder(one)) > place}
    assert later == set(), "take a port (a Protocol in the lower folder), or move what is needed"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("runtime")])
def test_the_runtime_knows_a_compiled_program_and_no_definition(module: str) -> None:
    assert within(imports(module), "asl", "definitions", "validation", "api") == set()


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("jsonata")])
def test_jsonata_knows_nothing_outside_of_itself(module: str) -> None:
    assert {name for name in imports(module) if not name.startswith("jsonata")} == set()


def test_jsonata_has_one_clock_and_one_generator_for_callers_that_bring_none() -> None:
    outside = {"time", "random", "datetime"}
    users = {
        module
        for module in MODULES
        if module.startswith("jsonata")
        for statement in everywhere(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(statement, ast.Import) and outside & {alias.name for alias in statement.names}
    }
    assert users == {"jsonata.expression"}


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


def test_no_module_imports_itself_through_others() -> None:
    # A package's face imports its parts, and a part may be asked for by the face's name.
    faces = {module for module, path in MODULES.items() if path.stem == "__init__"}
    graph = {module: imports(module) - faces for module in MODULES.keys() - faces}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" → ".join(name or "doorstep" for name in cycle.args[1]))


def test_the_engine_does_no_io() -> None:
    outside = {"time", "random", "threading", "os", "pathlib", "socket", "uuid", "datetime"}
    engine = [f"engine.{name}" for name in ("engine", "messages")]
    states = ("states", "task", "map", "data_flow")
    for module in [*engine, *(f"asl.{name}" for name in states)]:
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


def test_few_modules_stand_beside_the_folders() -> None:
    top = [path for path in PACKAGES["doorstep"].glob("*.py") if path.stem != "__init__"]
    assert len(top) <= 8


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
    assert unnamed == []
