"""Read the definitions that commands name, and describe what AWS would refuse in them."""

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
_UNSUPPORTED_FIELD = re.compile(r"Field '(.*)' is not supported", re.DOTALL)
_LINE = re.compile(r"\bline:? (\d+), column:? \d+\]?$")


def definition_option(help_text: str, *, required: bool = True) -> Callable[[F], F]:
    """Return the option --definition with a help text."""
    return click.option(
        "--definition",
        "definition_file",
        type=DEFINITION,
        required=required,
        metavar="FILE",
        help=help_text,
    )


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """A definition that was read: its file, name, type and document.

    Name and type come from the template, or else from the file's name and the default.
    """

    file: str
    name: str
    type: Type
    document: Document


def read(path: Path, parameters: Mapping[str, str], resource: str | None = None) -> DefinitionFile:
    """Return the definition in a file; `resource` chooses one of several in a template.

    Raises DefinitionError or InputError.
    """
    from doorstep.definitions.templates import load_any

    machine = load_any(_source(path), resource, parameters=parameters)
    file = str(machine.document.path or path)
    return DefinitionFile(file, machine.name, machine.type, machine.document)


def machines_in(path: Path, parameters: Mapping[str, str]) -> list[str]:
    """Return the logical ids of a template's state machines; [] for a definition."""
    from doorstep.definitions import load
    from doorstep.definitions.templates import is_template, machine_names

    whole = load(_source(path), parameters=parameters).definition
    return machine_names(whole, parameters) if is_template(whole) else []


def _source(path: Path) -> Path | str:
    return standard_input("definition") if str(path) == "-" else path


def read_accepted(
    path: Path,
    parameters: Mapping[str, str],
    resource: str | None = None,
    machine_type: Type | None = None,
) -> DefinitionFile:
    """Return a definition that AWS would accept.

    Raises Problem, whose text lists the diagnostics with their locations.
    """
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
    """Return the definition in a file, or all definitions of a template; see `read_accepted`."""
    from doorstep import DefinitionError

    try:
        names = machines_in(path, parameters)
    except DefinitionError as refused:
        raise _refusal(refused, str(path), None) from None
    definitions = [read_accepted(path, parameters, name) for name in names]
    return definitions or [read_accepted(path, parameters)]


def _refusal(refused: DefinitionError, file: str, document: Document | None) -> Problem:
    described = "\n".join(describe_all(refused.diagnostics, file, document))
    return Problem(f"AWS would not accept the definition {file}:\n{described}")


def describe_all(
    diagnostics: Sequence[Diagnostic], file: str, document: Document | None
) -> Iterator[str]:
    """Yield the first diagnostics, each with its location, and how many more there are."""
    from doorstep.errors import MOST, more

    yield from (describe(one, file, document) for one in diagnostics[:MOST])
    yield from (f"{one}; `doorstep validate --format json` lists all" for one in more(diagnostics))


def describe(diagnostic: Diagnostic, file: str, document: Document | None) -> str:
    """Return a diagnostic with its file, line and column, the line itself and a caret.

    `document` is None when the text could not be parsed; then the hint holds line and caret.
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
    """Return the line and column of a diagnostic, from 1; () when they are not known."""
    if document:
        return document.locate(_pointer(diagnostic))
    line = _LINE.search(diagnostic.location or "")
    caret = (diagnostic.hint or "").rpartition("\n")[2]
    return (int(line[1]), len(caret)) if line else ()


def _pointer(diagnostic: Diagnostic) -> str | None:
    """Return the pointer to show: for an unsupported field the field, not its object as in AWS."""
    unsupported = _UNSUPPORTED_FIELD.fullmatch(diagnostic.message)
    if unsupported is None or diagnostic.location is None:
        return diagnostic.location
    return f"{diagnostic.location.rstrip('/')}/{unsupported[1]}"
