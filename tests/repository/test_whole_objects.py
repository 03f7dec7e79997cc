"""Objects of the emulator are whole after their constructor: nobody sets their attributes later."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

EMULATOR = Path(__file__).parents[2] / "emulator" / "doorstep_emulator"
MODULES = sorted(EMULATOR.rglob("*.py"))
EXCEPTIONS = {
    "recorder.py": {"row.status", "row.stopped", "row.redrives", "row.redriven"},
    "api/machines.py": {"machine.revision", "machine.deleting"},
    "api/resources.py": {"thing.tags"},
    "api/versions.py": {"machine.last_version"},
    # The one who waits for an execution's end: a hook of the runtime, taken off when it is called.
    "api/executions.py": {"execution.when_ended"},
    # How uvicorn's Server is stopped, and how sqlite3 is set to read damaged texts.
    "serving.py": {"http.should_exit"},
    "store/database.py": {"connection.text_factory"},
}
"""What may be set from outside, by module: records, unless a comment says otherwise."""


def name_of(module: Path) -> str:
    return module.relative_to(EMULATOR).as_posix()


def set_from_outside(tree: ast.Module) -> Iterator[str]:
    """The attributes that a module assigns of anything but `self` and `cls`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls"):
                yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "setattr":
            yield ast.unparse(node)


def promised_only(tree: ast.Module) -> Iterator[str]:
    """The attributes that a class declares and leaves to others: no dataclass, no Protocol."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or node.decorator_list:
            continue
        if {"Protocol", "NamedTuple"} & {ast.unparse(base) for base in node.bases}:
            continue
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and statement.value is None:
                yield f"{node.name}.{ast.unparse(statement.target)}"


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_attribute_is_set_by_another_object(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert set(set_from_outside(tree)) == EXCEPTIONS.get(name_of(module), set()), (
        "give the constructor what the object needs, or a port that reaches it"
    )


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_no_attribute_is_left_to_others(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert list(promised_only(tree)) == []


def test_what_is_set_from_outside_is_seen() -> None:
    code = "self.keeper.driver = self.x = 1\nsetattr(server, 'y', 2)\nrow.redrives += 1"
    assert set(set_from_outside(ast.parse(code))) == {
        "self.keeper.driver",
        "setattr(server, 'y', 2)",
        "row.redrives",
    }
    assert list(promised_only(ast.parse("class A:\n    driver: Driver"))) == ["A.driver"]
