"""What is wrong with a text, each with the offsets to underline, and how it can be fixed."""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from doorstep import DefinitionError, Diagnostic, InputError
from doorstep.advice import CHECKS, LAMBDA_RETRY, advice_on
from doorstep.definitions import Document, load
from doorstep.definitions.templates import load_machine
from doorstep.jsonata import JSONataError
from doorstep.jsonata import compile as compile_expression
from doorstep.jsonata.parser import parse
from doorstep.model import TERMINAL
from doorstep.validation.jsonata import references

from ..definitions import DefinitionFile, diagnostics_of, line_and_column
from .edits import Edit, added_member
from .functions import JSONATA
from .machines import Machine, Place, State
from .text_tree import Node

_SIMILAR = re.compile(r"did you mean '(.*)'\?", re.DOTALL)
_UNSUPPORTED = re.compile(r"Field '.*' is not supported", re.DOTALL)
_MISSING = re.compile(r"Missing 'Next' target: (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnostic with the offsets of the name or value that it is about."""

    diagnostic: Diagnostic
    start: int
    end: int
    machine: str
    """The machine's name in a template."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that an editor offers; `safe`: the one that is meant most probably."""

    title: str
    edits: Sequence[Edit]
    problem: Problem | None = None
    safe: bool = False


# What is wrong -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """The machines' definitions that could be read, and what is wrong with all."""

    definitions: dict[str, dict[str, Any]]
    """By machine, those that AWS would accept."""
    problems: list[Problem]


def check(text: str, found: Sequence[Machine]) -> Checked:
    """Return what AWS would say about each machine of a text."""
    checked = Checked({}, [])
    lines = [0, *(one.end() for one in re.finditer("\n", text))]
    for machine in found:
        try:
            document = load_machine(text, machine.name).document if machine.name else load(text)
        except DefinitionError as refused:
            for one in refused.diagnostics:
                checked.problems.append(_underlined(one, text, lines, None, machine))
            continue
        except InputError as problem:
            reason = Diagnostic("UNUSABLE_DEFINITION", str(problem))
            start = machine.root.start
            checked.problems.append(Problem(reason, start, _end_of_line(text, start), machine.name))
            continue
        source = DefinitionFile("", machine.name, machine.type, document)
        diagnostics = diagnostics_of(source)
        if not any(one.severity == "ERROR" for one in diagnostics):
            checked.definitions[machine.name] = document.definition
            diagnostics += advice_on(document.definition, machine.type if machine.name else None)
        for one in diagnostics:
            checked.problems.append(_underlined(one, text, lines, document, machine))
    return checked


def _underlined(
    diagnostic: Diagnostic,
    text: str,
    lines: Sequence[int],
    document: Document | None,
    machine: Machine,
) -> Problem:
    position = line_and_column(diagnostic, document)
    start = _offset(text, lines, *position[:2]) if len(position) > 1 else machine.root.start
    start, end = _token(machine.root, start) or (start, _end_of_line(text, start))
    if _UNSUPPORTED.fullmatch(diagnostic.message):
        start, end = _name_of(machine.root, start) or (start, end)
    return Problem(diagnostic, start, max(end, start + 1), machine.name)


def _name_of(node: Node, offset: int) -> tuple[int, int] | None:
    """Return where the name of the member stands whose value begins at an offset."""
    for member in node.members:
        value = member.value
        if value is not None and value.start == offset:
            return member.start, member.end
        if value is not None and value.start <= offset < value.end:
            return _name_of(value, offset)
    inside = (item for item in node.items if item.start <= offset < item.end)
    return next((_name_of(item, offset) for item in inside), None)


def _offset(text: str, lines: Sequence[int], line: int, column: int) -> int:
    """Return the offset of a line and column; `lines`: where each line begins."""
    return min(lines[min(line, len(lines)) - 1] + column - 1, len(text))


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)


def _token(node: Node, offset: int) -> tuple[int, int] | None:
    """Return the name or scalar that begins at an offset, or holds it."""
    before = bisect_right(node.members, offset, key=lambda one: one.start)
    for member in node.members[:before][-1:]:
        if offset < member.end:
            return member.start, member.end
        if member.value and member.value.start <= offset < member.value.end:
            return _token(member.value, offset)
    for item in node.items:
        if item.start <= offset < item.end:
            return _token(item, offset)
    return (node.start, node.end) if node.kind == "scalar" else None


def is_advice(diagnostic: Diagnostic) -> bool:
    """Return whether it is advice on what AWS accepts."""
    return diagnostic.code in CHECKS


# How it can be fixed ---------------------------------------------------------------------------


def fixes(text: str, found: Sequence[Machine], problems: Sequence[Problem]) -> Iterator[Fix]:
    """Yield the changes that fix some problems."""
    machines = {machine.name: machine for machine in found}
    for problem in problems:
        machine = machines[problem.machine]
        diagnostic = problem.diagnostic
        if (similar := _SIMILAR.search(diagnostic.hint or "")) and "\n" not in text[
            problem.start : problem.end
        ]:
            edit = Edit(problem.start, problem.end, _written_like(text, problem, similar[1]))
            yield Fix(f"Change to '{similar[1]}'", [edit], problem, safe=True)
        if missing := _MISSING.fullmatch(diagnostic.message):
            target = next((one for one in machine.targets if one.node.start == problem.start), None)
            if target and (states := target.scope.get("States")) and states.members:
                edit = added_member(text, machine, states, missing[1], {"Type": "Succeed"})
                yield Fix(f"Add the state '{missing[1]}'", [edit], problem)
        state = next((one for one in machine.states if one.member.start == problem.start), None)
        if state and diagnostic.code == "RETRY_LAMBDA" and state.node.get("Retry") is None:
            edit = added_member(text, machine, state.node, "Retry", [LAMBDA_RETRY])
            yield Fix("Add a retry for Lambda's errors", [edit], problem)
        if state and _goes_nowhere(state):
            edit = added_member(text, machine, state.node, "End", True)
            yield Fix('Add "End": true', [edit], problem)


def _written_like(text: str, problem: Problem, name: str) -> str:
    quote = text[problem.start]
    return f"{quote}{name}{quote}" if quote in "\"'" else name


def _goes_nowhere(state: State) -> bool:
    names = {one.name for one in state.node.members}
    ends = state.type in (*TERMINAL, "Choice", "") or names & {"Next", "End"}
    return not ends and bool(state.node.members)


# To put a part of an expression into a variable ---------------------------------------------------

_OPEN, _CLOSE = "{%", "%}"


def extraction(text: str, place: Place, start: int, end: int) -> Fix | None:
    """Return the change that names the selected part of a JSONata expression.

    `{% $sum(x) > 1 and $sum(x) < 9 %}` becomes `{% ($part := $sum(x); $part > 1 and $part < 9) %}`.
    None where the selection is no expression by itself, or means something else elsewhere.
    """
    scalar = place.scalar
    if scalar is None or not place.jsonata or not scalar.start <= start < end <= scalar.end:
        return None
    opened, closed = text.find(_OPEN, scalar.start), text.rfind(_CLOSE, 0, scalar.end)
    if not 0 <= opened < start or end > closed:
        return None
    selected = text[start:end].strip()
    whole = text[opened + len(_OPEN) : closed].strip()
    if not selected or selected == whole or not _stands_alone(selected, place):
        return None
    name = next(
        f"$part{number or ''}" for number in range(99) if f"$part{number or ''}" not in whole
    )
    changed = f"({name} := {selected}; {whole.replace(selected, name)})"
    with contextlib.suppress(JSONataError):
        parse(changed)
        edit = Edit(opened, closed + len(_CLOSE), f"{_OPEN} {changed} {_CLOSE}")
        return Fix(f"Extract to the variable {name}", [edit])
    return None


def _stands_alone(selected: str, place: Place) -> bool:
    """Return whether an expression reads but `$states` and the machine's variables."""
    try:
        tree, _ = parse(selected)
        free = set(compile_expression(selected).variables)
    except JSONataError:
        return False
    relative = any(not one.startswith("$states.") for one in references(tree))
    return not relative and free <= {"states", *place.machine.variables(), *JSONATA}
