"""Definitions as the commands are given them: files, templates, and what AWS would say of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from doorstep.errors import shortened

from .options import F, standard_input
from .output import Problem, style

if TYPE_CHECKING:
    from doorstep import DefinitionError, Diagnostic
    from doorstep.definitions import Document

Type = Literal["STANDARD", "EXPRESS"]
DEFINITION = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
_COLOURS = {"ERROR": "red", "WARNING": "yellow"}
_JACKSON_PLACE = re.compile(
    r'\[Source: \(String\)".*?"(?:\[truncated \d+ chars\])?; (line: \d+, column: \d+)\]', re.DOTALL
)
_STRANGE_FIELD = re.compile(r"Field '(.*)' is not supported", re.DOTALL)
_LINE = re.compile(r"\bline:? (\d+), column:? \d+\]?$")


def definition_option(told: str, *, required: bool = True) -> Callable[[F], F]:
    """--definition, and in the help what it is."""
    return click.option(
        "--definition",
        "definition_file",
        type=DEFINITION,
        required=required,
        metavar="FILE",
        help=told,
    )


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """A definition that could be read: its file, and its name and type where a template says so."""

    file: str
    name: str
    type: Type
    document: Document


def read(path: Path, parameters: Mapping[str, str], resource: str | None = None) -> DefinitionFile:
    """The definition of a file, or one of a template.

    Raises DefinitionError or InputError; a template with several needs `resource`.
    """
    from doorstep.definitions.templates import load_any

    machine = load_any(_source(path), resource, parameters=parameters)
    file = str(machine.document.path or path)
    return DefinitionFile(file, machine.name, machine.type, machine.document)


def machine_names(path: Path) -> list[str]:
    """The logical ids of a template's state machines; none for a definition."""
    from doorstep.definitions import load
    from doorstep.definitions.templates import CLOUDFORMATION, SAM, is_template

    whole = load(_source(path)).definition
    if not is_template(whole):
        return []
    return [
        name
        for name, resource in whole["Resources"].items()
        if isinstance(resource, Mapping) and resource.get("Type") in (SAM, CLOUDFORMATION)
    ]


def _source(path: Path) -> Path | str:
    return standard_input("definition") if str(path) == "-" else path


def read_accepted(
    path: Path,
    parameters: Mapping[str, str],
    resource: str | None = None,
    machine_type: Type | None = None,
) -> DefinitionFile:
    """A definition that AWS would accept; else a Problem with every diagnostic and its place."""
    from doorstep import DefinitionError
    from doorstep.validation import check

    try:
        definition = read(path, parameters, resource)
    except DefinitionError as refused:
        raise _refusal(refused, str(path), None) from None
    try:
        check(definition.document.definition, type=machine_type or definition.type)
    except DefinitionError as refused:
        raise _refusal(refused, definition.file, definition.document) from None
    return definition


def all_accepted(path: Path, parameters: Mapping[str, str]) -> list[DefinitionFile]:
    """The definition of a file, or all of a template: see `read_accepted`."""
    from doorstep import DefinitionError

    try:
        names = machine_names(path)
    except DefinitionError as refused:
        raise _refusal(refused, str(path), None) from None
    of_template = [read_accepted(path, parameters, name) for name in names]
    return of_template or [read_accepted(path, parameters)]


def _refusal(refused: DefinitionError, file: str, document: Document | None) -> Problem:
    told = "\n".join(all_described(refused.diagnostics, file, document))
    return Problem(f"{file} is not a definition that AWS would accept\n{told}")


def all_described(
    diagnostics: Sequence[Diagnostic], file: str, document: Document | None
) -> Iterator[str]:
    """Return the first diagnostics with their places, and how many more there are."""
    from doorstep.errors import MOST, more

    yield from (described(one, file, document) for one in diagnostics[:MOST])
    yield from (f"{one}; `doorstep validate --format json` has all" for one in more(diagnostics))


def described(diagnostic: Diagnostic, file: str, document: Document | None) -> str:
    """A diagnostic with its place: file, line and column, the line itself and a caret.

    Without a document the text could not be parsed, and the hint holds the line and the caret.
    """
    from doorstep.definitions.source_locations import window

    excerpt = document.excerpt(_pointer(diagnostic)) if document else diagnostic.hint or ""
    where = ":".join([file, *map(str, line_and_column(diagnostic, document))])
    severity = style(diagnostic.severity.lower(), fg=_COLOURS[diagnostic.severity])
    message = _JACKSON_PLACE.sub(r"\1", diagnostic.message)
    lines = [f"{where}: {severity} {diagnostic.code}: {message}"]
    lines += [f"    {line}" for line in window(excerpt)]
    if document and diagnostic.location:
        lines.append(f"  at {shortened(diagnostic.location)}")
    if document and diagnostic.hint:
        lines.append(f"  hint: {diagnostic.hint}")
    return "\n".join(lines)


def line_and_column(diagnostic: Diagnostic, document: Document | None) -> tuple[int, ...]:
    """Where a diagnostic stands in the text, from 1; () when that is not known."""
    if document:
        return document.locate(_pointer(diagnostic))
    line = _LINE.search(diagnostic.location or "")
    caret = (diagnostic.hint or "").rpartition("\n")[2]
    return (int(line[1]), len(caret)) if line else ()


def _pointer(diagnostic: Diagnostic) -> str | None:
    """Where to look: at the field itself, where AWS points at the object that can't have it."""
    strange = _STRANGE_FIELD.fullmatch(diagnostic.message)
    if strange is None or diagnostic.location is None:
        return diagnostic.location
    return f"{diagnostic.location.rstrip('/')}/{strange[1]}"
