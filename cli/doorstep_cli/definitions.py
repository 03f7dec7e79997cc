"""Read the definitions that commands name, and describe what AWS would refuse in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from doorstep.errors import shortened
from doorstep.values.file_names import name_of

from .options import F, standard_input
from .output import Problem, style
from .world import choices

if TYPE_CHECKING:
    from doorstep import DefinitionError, Diagnostic
    from doorstep.definitions import Document

Type = Literal["STANDARD", "EXPRESS"]
DEFINITION = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
PROJECT = click.Path(exists=True, allow_dash=True, path_type=Path)
"""A definition, a template, or a folder with a project."""
_COLOURS = {"ERROR": "red", "WARNING": "yellow"}
_JACKSON_PLACE = re.compile(
    r'\[Source: \(String\)".*?"(?:\[truncated \d+ chars\])?; (line: \d+, column: \d+)\]', re.DOTALL
)
_UNSUPPORTED_FIELD = re.compile(r"Field '(.*)' is not supported(?:; .*)?", re.DOTALL)
_SUFFIXES = (".json", ".yaml", ".yml")
_MACHINES = ("AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine")
_PLACEHOLDERS = re.compile(r"\$\{[^${}\s]+\}")
_MOST_LISTED = 20
_LINE = re.compile(r"\bline:? (\d+), column:? \d+\]?$")


def definition_option(help_text: str, *, required: bool = True) -> Callable[[F], F]:
    """Return the option --definition with a help text.

    A history that was fetched has its definition beside it, and needs no option.
    """
    return click.option(
        "--definition",
        "definition_file",
        type=PROJECT,
        callback=_required if required else beside("definition.asl.json"),
        metavar="PATH",
        help=f"{help_text}{'  [required, unless HISTORY is an ARN]' if required else ''}",
    )


def _required(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    value = beside("definition.asl.json")(ctx, parameter, value)
    if value is None:
        raise click.MissingParameter(ctx=ctx, param=parameter)
    return value


def beside(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Return a callback that gives an option what was fetched with the history, if it has none."""

    def default(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        named = [ctx.params.get(one) for one in ("histories", "history", "first")]
        paths = [one[0] if isinstance(one, tuple) and one else one for one in named if one]
        if value is not None or not paths:
            return value
        if (folder := Path(paths[0])).is_dir():
            # What `doorstep download` wrote beside it.
            there = folder.with_name(f"{folder.name}.{name.partition('.')[2]}")
            return there if there.exists() else None
        if fetched_with(paths[0]) is None:
            return None
        there = Path(paths[0]).parent / name
        return there if there.exists() else None

    return default


def processor_of(definition: Mapping[str, Any], label: str) -> dict[str, Any] | None:
    """Return what the children of a distributed Map run, as a definition; None: it is not known.

    `label`: the Map's, or the UUID that stands in ARNs for one without (fact 282); of several Maps
    without a label it can't be told which it is.
    """
    maps = list(_distributed(definition))
    named = [one for one in maps if one.get("Label") == label]
    chosen = named or [one for one in maps if "Label" not in one]
    if len(chosen) != 1:
        return None
    processor = {
        name: of for name, of in _processor(chosen[0]).items() if name != "ProcessorConfig"
    }
    language = {name: of for name, of in definition.items() if name == "QueryLanguage"}
    return language | processor


def _processor(state: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = state.get("ItemProcessor") or {}
    return found


def _distributed(scope: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the distributed Maps of a definition."""
    for state in scope.get("States", {}).values():
        processor = _processor(state)
        if processor.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            yield state
        for inner in (processor, *state.get("Branches", ())):
            yield from _distributed(inner)


def machines_beside(history: Path) -> dict[str, str]:
    """Return the files of the definitions that were fetched with a history, by their names."""
    files = sorted((history.parent / "state-machines").glob("*.asl.json"))
    known = files if fetched_with(history) else []
    return {name_of(file.name.removesuffix(".asl.json")): str(file) for file in known}


def fetched_with(history: Path) -> dict[str, Any] | None:
    """Return what is known of a history that was fetched (`account`); None of another file."""
    try:
        known = json.loads((history.parent / "about.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and "arn" in known else None


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """A definition that was read: its file, name, type and document.

    Name and type come from the template, or else from the file's name and the default.
    """

    file: str
    name: str
    type: Type
    document: Document


def definition_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield files as they are, and the definitions and templates in folders, sorted by path."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = [one for one in sorted(path.rglob("*")) if _is_definition(one, path)]
        if not files:
            raise Problem(f"the folder {path} has no definitions and no templates")
        yield from files


def _is_definition(file: Path, folder: Path) -> bool:
    parents = file.relative_to(folder).parts[:-1]
    if file.suffix not in _SUFFIXES or not file.is_file():
        return False
    if any(one.startswith(".") or one == "node_modules" for one in parents):
        return False
    text = file.read_text("utf-8", errors="replace")
    return ("StartAt" in text and "States" in text) or any(kind in text for kind in _MACHINES)


def placeholders_left(
    left: Sequence[Diagnostic], file: str, document: Document | None
) -> str | None:
    """Return a remark on placeholders that stay text, each with where it stands first."""
    places: dict[str, str] = {}
    for one in left:
        where = ":".join(map(str, line_and_column(one, document)))
        for name in _PLACEHOLDERS.findall(one.message):
            places.setdefault(name, where)
    if not places:
        return None
    listed = ", ".join(f"{name} ({where})" for name, where in [*places.items()][:_MOST_LISTED])
    more = len(places) - _MOST_LISTED
    rest = f" and {more} more" if more > 0 else ""
    return f"{file}: without a value, left as text: {listed}{rest}; --param NAME=VALUE gives one"


def read(path: Path, parameters: Mapping[str, str], resource: str | None = None) -> DefinitionFile:
    """Return the definition in a file; `resource` chooses one of several in a template.

    Raises DefinitionError or InputError.
    """
    from doorstep.definitions.templates import load_any

    machine = load_any(_source(path, parameters), resource, parameters=parameters)
    file = str(machine.document.path or path)
    return DefinitionFile(file, machine.name, machine.type, machine.document)


def machines_in(path: Path, parameters: Mapping[str, str]) -> list[str]:
    """Return the logical ids of a template's state machines; [] for a definition."""
    from doorstep.definitions import load
    from doorstep.definitions.templates import is_template, machine_names

    whole = load(_source(path, parameters), parameters=parameters).definition
    return machine_names(whole, parameters) if is_template(whole) else []


def _source(path: Path, parameters: Mapping[str, str]) -> Path | str:
    """Return the file, or what stands for it: standard input, another tool's as a template."""
    if str(path) == "-":
        return standard_input("definition")
    from doorstep.definitions.other_tools import template_text

    return template_text(path, parameters) or path


def diagnostics_of(source: DefinitionFile, machine_type: Type | None = None) -> list[Diagnostic]:
    """Return what AWS would say about a definition, and what it would not say but is worth a look.

    In YAML a placeholder may stand without quotes: with its value it is a number, so that one
    without a value is a warning there.
    """
    from doorstep import validate
    from doorstep.definitions.substitution import WITHOUT_VALUE

    document = source.document
    found = validate(document.definition, type=machine_type or source.type, severity="WARNING")
    if not document.yaml or document.base:
        return found
    return [replace(one, severity="WARNING") if one.code == WITHOUT_VALUE else one for one in found]


def read_accepted(
    path: Path,
    parameters: Mapping[str, str],
    resource: str | None = None,
    machine_type: Type | None = None,
    *,
    runnable: bool = False,
) -> DefinitionFile:
    """Return a definition that AWS would accept; `runnable`: with the values that a run needs.

    `path` may be a folder with a project. Raises Problem, whose text lists the diagnostics with
    their locations.
    """
    from doorstep import DefinitionError
    from doorstep.validation import check

    chosen = choices([path], parameters)
    path = chosen.file
    try:
        definition = read(path, chosen.parameters, resource)
    except DefinitionError as refused:
        raise _refusal(refused, str(refused.path or path), None) from None
    try:
        kind = machine_type or definition.type
        check(definition.document.definition, type=kind, runnable=runnable)
    except DefinitionError as refused:
        raise _refusal(refused, definition.file, definition.document) from None
    return definition


def placeholders_in(definition: DefinitionFile) -> str | None:
    """Return a remark on the placeholders without a value that stay text in a definition."""
    from doorstep import validate
    from doorstep.validation.placeholders import LEFT_AS_TEXT

    document = definition.document
    if "${" not in document.text:
        return None
    found = validate(document.definition, type=definition.type, severity="WARNING")
    left = [one for one in found if one.code == LEFT_AS_TEXT]
    return placeholders_left(left, definition.file, document)


def all_accepted(
    path: Path, parameters: Mapping[str, str]
) -> tuple[list[DefinitionFile], list[Problem]]:
    """Return the definition of a file, or those of a template, and what is wrong with the others.

    Each state machine by itself: one that AWS would refuse hides no other.
    """
    from doorstep import DefinitionError, InputError

    accepted: list[DefinitionFile] = []
    problems: list[Problem] = []
    names: list[str | None] = []
    try:
        names += machines_in(path, parameters) or [None]
    except DefinitionError as refused:
        problems.append(_refusal(refused, str(path), None))
    except InputError as problem:
        problems.append(Problem(f"{path}: {problem}"))
    for name in names:
        try:
            accepted.append(read_accepted(path, parameters, name))
        except Problem as problem:
            problems.append(problem)
        except InputError as problem:
            problems.append(Problem(f"{path}: {problem}"))
    return accepted, problems


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
    if hint := hint_of(diagnostic):
        lines.append(f"  hint: {hint}")
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
    field = unsupported_field(diagnostic)
    if field is None or diagnostic.location is None:
        return diagnostic.location
    return f"{diagnostic.location.rstrip('/')}/{field}"


def unsupported_field(diagnostic: Diagnostic) -> str | None:
    """Return the field that the object can't have, by the message or by the hint."""
    texts = (diagnostic.message, diagnostic.hint or "")
    fields = (field for text in texts if (field := _UNSUPPORTED_FIELD.fullmatch(text)))
    return next((field[1] for field in fields), None)


def hint_of(diagnostic: Diagnostic) -> str | None:
    """Return what to do about it; the excerpt of a text that can't be parsed is no hint."""
    if "(non-standard) comment" in diagnostic.message:
        return 'JSON has no comments: remove them, or use the member "Comment"'
    hint = diagnostic.hint
    return None if hint is None or hint.endswith("^") else hint
