"""What is wrong with a text, each with the offsets to underline, and how it can be fixed."""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from doorstep import DefinitionError, Diagnostic, InputError
from doorstep.advice import CHECKS, LAMBDA_RETRY, advice_on
from doorstep.definitions import Document, load
from doorstep.definitions.documents import read_traced
from doorstep.definitions.substitution import Traced
from doorstep.definitions.templates import machine_in
from doorstep.jsonata import JSONataError
from doorstep.jsonata import compile as compile_expression
from doorstep.jsonata.parser import parse
from doorstep.model import TERMINAL
from doorstep.validation import MachineType
from doorstep.validation.jsonata import references
from doorstep.validation.revisions import Revision

from ..definitions import DefinitionFile, diagnostics_of, line_and_column, unsupported_field
from .edits import Edit, added_member
from .functions import JSONATA
from .machines import Machine, Place, State
from .shapes import Accepted
from .text_tree import Node, comments

_SIMILAR = re.compile(r"did you mean '(.*)'\?", re.DOTALL)
_BARE = re.compile(r"\{%.*?%\}", re.DOTALL)
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


@dataclass(slots=True)
class Findings:
    """What one version of a text passes on to the next, by machine."""

    sources: dict[str, tuple[DefinitionFile, list[Diagnostic]]] = field(default_factory=dict)
    """The last definitions that could be read, and what AWS would say about them."""
    accepted: dict[str, Accepted] = field(default_factory=dict)
    """The last definitions that AWS would have accepted."""


def check(
    text: str,
    found: Sequence[Machine],
    findings: Findings | None = None,
    *,
    yaml: bool | None = None,
) -> list[Problem]:
    """Return what AWS would say about each machine of a text.

    What `findings` has of the version before is not looked for again, and this version's is put
    there. `yaml`: whether the text is; its first character decides where nobody knows.
    """
    findings = Findings() if findings is None else findings
    lines = [0, *(one.end() for one in re.finditer("\n", text))]
    problems: list[Problem] = []
    whole: Document | None = None
    for machine in found:
        try:
            whole = whole or _load(text, yaml)
            source = _source(whole, machine, findings)
        except DefinitionError as refused:
            said = refused.diagnostics
            problems += [_underlined(one, text, lines, None, machine) for one in said]
        except InputError as problem:
            reason = Diagnostic("UNUSABLE_DEFINITION", str(problem))
            start = machine.root.start
            problems.append(Problem(reason, start, _end_of_line(text, start), machine.name))
        else:
            said = _said(source, machine.name, findings)
            problems += [_underlined(one, text, lines, source.document, machine) for one in said]
        if whole is None:
            break
        problems += _duplicates(machine.root, machine)
    return problems


def _duplicates(node: Node, machine: Machine) -> Iterator[Problem]:
    """Yield the members of whose names there is a later one, which alone is read."""
    last = {member.name: member for member in node.members}
    for member in node.members:
        if last[member.name] is not member and member.name != "<<":
            said = f"There are two members '{member.name}' here: the last one counts"
            problem = Diagnostic("DUPLICATE_MEMBER", said, severity="WARNING")
            yield Problem(problem, member.start, member.end, machine.name)
        if member.value is not None:
            yield from _duplicates(member.value, machine)
    for item in node.items:
        yield from _duplicates(item, machine)


def _load(text: str, yaml: bool | None) -> Document:
    """Return a text as a document without a file: nothing beside it is read."""
    if yaml is None:
        return load(text)
    name = Path("text.yaml" if yaml else "text.json")
    return replace(read_traced(Traced.of(text), text, name), path=None)


def _source(whole: Document, machine: Machine, findings: Findings) -> DefinitionFile:
    """Return a machine's definition, as a revision of the one that was read before."""
    kind: MachineType = "STANDARD"
    if machine.name:
        one = machine_in(whole, machine.name)
        whole, kind = one.document, one.type
    before, _ = findings.sources.get(machine.name, (None, ()))
    former = before.document.definition if before else None
    definition = Revision.of(whole.definition, former if isinstance(former, Revision) else None)
    return DefinitionFile("", machine.name, kind, replace(whole, definition=definition))


def _said(source: DefinitionFile, name: str, findings: Findings) -> list[Diagnostic]:
    """Return what AWS would say, and advice on what it accepts."""
    before, said = findings.sources.get(name, (None, []))
    if before is None or not _equal(before, source):
        said = diagnostics_of(source)
        definition = source.document.definition
        if not any(one.severity == "ERROR" for one in said):
            findings.accepted[name] = Accepted(definition)
            said += advice_on(definition, source.type if name else None)
    findings.sources[name] = source, said
    return said


def _equal(one: DefinitionFile, other: DefinitionFile) -> bool:
    return one.document.definition is other.document.definition and (
        (one.type, one.document.yaml, one.document.base)
        == (other.type, other.document.yaml, other.document.base)
    )


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
    if unsupported_field(diagnostic):
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
        if machine.yaml and (bare := _BARE.match(text, problem.start)):
            quoted = "'" + bare[0].replace("'", "''") + "'"
            edits = [Edit(*bare.span(), quoted)]
            yield Fix("Put the expression in quotation marks", edits, problem, safe=True)
        if not machine.yaml and text.startswith("/", problem.start):
            end = max(problem.end, machine.root.end)
            edits = [Edit(*span, "") for span in comments(text, problem.start, end)]
            yield Fix("Remove the comments", edits, problem)
        if missing := _MISSING.fullmatch(diagnostic.message):
            target = next((one for one in machine.targets if one.node.start == problem.start), None)
            if target and (states := target.scope.get("States")) and states.members:
                edit = added_member(text, machine, states, missing[1], {"Type": "Succeed"})
                yield Fix(f"Add the state '{missing[1]}'", [edit], problem)
        state = next((one for one in machine.states if one.member.start == problem.start), None)
        if state is None or not state.node.members:
            continue
        if diagnostic.code == "RETRY_LAMBDA" and state.node.get("Retry") is None:
            edit = added_member(text, machine, state.node, "Retry", [LAMBDA_RETRY])
            yield Fix("Add a retry for Lambda's errors", [edit], problem)
        if _goes_nowhere(state):
            edit = added_member(text, machine, state.node, "End", True)
            yield Fix('Add "End": true', [edit], problem)


def _written_like(text: str, problem: Problem, name: str) -> str:
    quote = text[problem.start]
    return f"{quote}{name}{quote}" if quote in "\"'" else name


def _goes_nowhere(state: State) -> bool:
    led = state.node.get("Next") or state.node.get("End")
    return not led and state.type not in (*TERMINAL, "Choice", "")


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
