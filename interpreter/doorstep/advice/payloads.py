"""Advice on data: what grows, what nobody reads, what takes more states than it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..model import State, Workflow
from ..validation.variables import variable_references
from .loops import loops_of, scopes_of

_CHAIN = 3
"""Pass states in a row that are worth a remark."""
_APPEND = re.compile(r"\$append\(\s*(\$states\.input(?:\.\w+)+|\$\w+)\s*,")
_JOIN = re.compile(r"\{%\s*\[?\s*(\$states\.input(?:\.\w+)+|\$\w+)\s*[&,]")
"""`[$all, …]` and `$all & …`."""
_ARRAY = re.compile(r"States\.Array\(\s*(\$(?:\.\w+)+)\s*,")
_FORMAT = re.compile(r"States\.Format\([^)]*?,\s*(\$(?:\.\w+)+)")


def growing(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield states of loops that put a value together with what they already have of it."""
    for scope in scopes_of(tree.scope):
        for loop in loops_of(scope):
            for state in loop:
                if name := _grown(state):
                    yield state.pointer, f"'{state.name}' adds to {name} in each round"


def _grown(state: State) -> str | None:
    """Return the value that a state makes longer: its own former value is part of the new one."""
    for name, text in _texts(state.fields):
        for found in (*_APPEND.finditer(text), *_JOIN.finditer(text)):
            if found[1].rpartition(".")[2].lstrip("$") == name:
                return found[1]
        for pattern in (_ARRAY, _FORMAT):
            found_path = pattern.search(text)
            result = str(state.fields.get("ResultPath", "$"))
            if found_path and found_path[1] in (result, f"{result}.{name}"):
                return found_path[1]
    return None


def _texts(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, str):
            yield name.removesuffix(".$"), value
        elif isinstance(value, dict) and name not in ("ItemProcessor", "Iterator"):
            yield from _texts(value)


def chains(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield the first of several Pass states in a row that compute something in JSONPath."""
    for scope in scopes_of(tree.scope):
        entered = {one.target for state in scope.states.values() for one in state.transitions()}
        follows = {one.next for one in scope.states.values() if _computes(one)}
        for state in scope.states.values():
            if not _computes(state) or (state.name in follows and state.name in entered):
                continue
            row = [state]
            while (following := scope.states.get(row[-1].next or "")) and _computes(following):
                if following in row:
                    break
                row.append(following)
            if len(row) >= _CHAIN:
                names = ", ".join(f"'{one.name}'" for one in row)
                yield state.pointer, f"{names} only work on data"


def _computes(state: State) -> bool:
    """Return whether a Pass state works on data; one with constants is often a placeholder."""
    moves = any(
        state.fields.get(name, "$") not in ("$", None) for name in ("InputPath", "OutputPath")
    )
    works = moves or _has_path(state.fields.get("Parameters"))
    return state.type == "Pass" and not state.jsonata and works


def _has_path(template: Any) -> bool:
    if isinstance(template, list):
        return any(map(_has_path, template))
    return isinstance(template, dict) and any(
        name.endswith(".$") or _has_path(value) for name, value in template.items()
    )


def unused_variables(tree: Workflow, kind: str | None) -> Iterator[tuple[str, str]]:
    """Yield states that assign variables which no state reads."""
    read = {name for names in variable_references(tree.source).values() for name in names}
    for state in tree.scope.walk():
        for owner in (state.fields, *(one.fields for one in (*state.rules, *state.catchers))):
            for name in owner.get("Assign") or {}:
                if name.removesuffix(".$") not in read:
                    yield state.pointer, f"'{state.name}' assigns ${name.removesuffix('.$')}"
