"""What differs from system to system is used in one place each, which knows the others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    file
    for folder in ("interpreter", "cli", "emulator", "conformance")
    for file in sorted((ROOT / folder).rglob("*.py"))
]
HOMES = {
    "import fcntl": {"values/file_locks.py"},  # not on Windows
    "import msvcrt": {"values/file_locks.py"},
    "import resource": {"http/connections.py"},
    "import termios": {"views/moment.py"},
    "import tty": {"views/moment.py"},
    "import select": {"functions/processes.py"},  # sockets alone on Windows
    "fork": set[str](),
    "killpg": set(),
    "SIGKILL": set(),
    "SIGHUP": set(),
    "add_signal_handler": set(),
    "add_reader": set(),  # not in Windows' event loop
    "AF_UNIX": set(),
    "symlink_to": set(),
    "relpath": {"values/file_names.py"},  # fails between drives
    "fromtimestamp": set(),  # 1970 to 3000 alone on Windows: values.timestamps.in_utc
    "NamedTemporaryFile": set(),  # nobody else can open it on Windows
    "SO_REUSEADDR": {"doorstep_emulator/serving.py"},  # means another thing on Windows
}
"""Names of modules, functions and constants, and the files that may use them."""


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (f"import {alias.name}" for alias in node.names)
            case ast.ImportFrom():
                yield from (alias.name for alias in node.names)
            case ast.Attribute():
                yield node.attr


@pytest.fixture(scope="module")
def used() -> dict[str, set[str]]:
    return {
        "/".join(file.parts[-2:]): set(names(ast.parse(file.read_text("utf-8"))))
        for file in SOURCES
    }


@pytest.mark.parametrize("name", HOMES)
def test_what_not_every_system_has_stays_in_its_place(name: str, used: dict[str, set[str]]) -> None:
    assert {file for file, names in used.items() if name in names} == HOMES[name]


def test_texts_are_written_in_utf_8() -> None:
    calls = [
        (file.name, node.lineno)
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("write_text", "read_text")
        and len(node.args) < (2 if node.func.attr == "write_text" else 1)
        and "encoding" not in [keyword.arg for keyword in node.keywords]
    ]
    assert calls == []
