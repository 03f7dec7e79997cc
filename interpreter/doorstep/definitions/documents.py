"""Text, file or mapping to a definition that remembers where each of its parts stands.

JSON is read as AWS reads it (`jackson`), YAML as if it were JSON (`yaml_text`). What comes from
outside is bounded: 1,048,576 bytes (fact 203), 200 levels, a million values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DefinitionError, Diagnostic, InputError, refusal, shortened
from ..values import jackson
from ..values.json_values import byte_length
from . import source_locations, yaml_text
from .source_locations import MAX_WIDTH, excerpt
from .substitution import (
    MAX_BYTES,
    WITHOUT_VALUE,
    DefinitionText,
    Traced,
    unquoted_placeholders,
    with_numbers,
)

MAX_DEPTH = 200
MAX_VALUES = 1_000_000
NOT_AN_OBJECT = Diagnostic("SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object")
TOO_DEEP = Diagnostic(
    "TOO_DEEPLY_NESTED",
    "The states are too deeply nested.",
    hint=f"Doorstep reads {MAX_DEPTH} levels of JSON; move inner states to a machine of their own",
)
_PLACE = re.compile(r"line:? (\d+), column:? (\d+)")
_YAML_MEMBER = re.compile(r"^[ ]*[\w\"'-]+\s*:", re.MULTILINE)
_FILE_NAME = re.compile(r"[^\n{:]+\.(?:json|ya?ml)")


@dataclass(frozen=True, slots=True)
class Document:
    """A definition and the text it was read from.

    ``base`` points at the definition inside the text (a template has one in its resources);
    pointers given to ``locate`` and ``excerpt`` start there.
    """

    definition: dict[str, Any]
    text: str
    path: Path | None = None
    yaml: bool = False
    base: str = ""
    inner: DefinitionText | None = None
    """The definition's own text, when it is a string inside ``text``, or made of it."""

    def locate(self, pointer: str | None) -> tuple[int, int]:
        """Return line and column (from 1) of a diagnostic's location, or of what encloses it.

        A pointer that is no pointer (absent, or Jackson's `[Source: …]`) is the start.
        """
        if pointer is None or not pointer.startswith("/"):
            pointer = ""
        if self.inner is not None:
            return self.inner.locate(self.text, pointer)
        return source_locations.locate(self.text, self.base + pointer, yaml=self.yaml)

    def excerpt(self, pointer: str | None) -> str:
        """Return the line of the text that holds it, with a caret underneath."""
        return excerpt(self.text, *self.locate(pointer))


def load(
    source: str | bytes | Path | Mapping[str, Any],
    *,
    parameters: Mapping[str, str] | None = None,
) -> Document:
    """Read a definition: JSON or YAML text, a file, or a mapping that is one already.

    Every `${Name}` in it whose name is in ``parameters`` is replaced first; others stay.

    Raises DefinitionError (INVALID_JSON_DESCRIPTION, SCHEMA_VALIDATION_FAILED, TOO_DEEPLY_NESTED)
    when this can't be read as a definition, InputError when a file can't be read.
    """
    path = source if isinstance(source, Path) else None
    if isinstance(source, str) and _FILE_NAME.fullmatch(source):
        raise InputError(f"this is a file's name: give it as pathlib.Path({source!r})")
    if isinstance(source, Mapping):
        check_bounds(source)
        text = json_text(source, indent=2)
        if not parameters:
            return Document(dict(source), text)
    else:
        text = _text(source)
    return read_traced(Traced.of(text).filled(parameters or {}), text, path)


def read_traced(traced: Traced, source: str, path: Path | None = None) -> Document:
    """Read a definition's text that was made of a source: its places are those of the source.

    Raises DefinitionError, with the places of the source too.
    """
    try:
        value, yaml = read(traced.text, path)
    except DefinitionError as refused:
        left = list(_without_value(traced, source))
        others = [_moved(one, traced, source) for one in refused.diagnostics]
        found = left if left and _reads_with_values(traced.text, path) else [*others, *left]
        raise refusal(found, path) from None
    if not isinstance(value, dict):
        raise refusal([NOT_AN_OBJECT], path)
    if "States" not in value and isinstance(value.get("events"), list):
        raise InputError(
            f"{path or 'this'} is the history of an execution; here goes its definition "
            "(`doorstep history`, `failures` and `debug` read a history)"
        )
    inner = DefinitionText(traced, yaml=yaml) if traced.text != source else None
    return Document(value, source, path, yaml, inner=inner)


def _reads_with_values(text: str, path: Path | None) -> bool:
    """Return whether only values are missing: with numbers in their places a text is read."""
    try:
        read(with_numbers(text), path)
    except DefinitionError:
        return False
    return True


def _without_value(traced: Traced, source: str) -> Iterator[Diagnostic]:
    """Report the placeholders without quotes and value, which keep a text from being read."""
    for name, offset in unquoted_placeholders(traced.text):
        line, column = traced.position(source, offset)
        message = f"${{{name}}} has no value; give it one: --param {name}=…"
        where = f"line {line}, column {column}"
        yield Diagnostic(WITHOUT_VALUE, message, where, hint=excerpt(source, line, column))


def _moved(diagnostic: Diagnostic, traced: Traced, source: str) -> Diagnostic:
    """Return why a text can't be read, with its place in the source."""
    place = _PLACE.search(diagnostic.location or "")
    if place is None or traced.text == source:
        return diagnostic
    before = traced.text.split("\n")[: int(place[1]) - 1]
    offset = sum(len(one) + 1 for one in before) + int(place[2]) - 1
    line, column = traced.position(source, offset)
    where, hint = f"line {line}, column {column}", excerpt(source, line, column)
    return replace(diagnostic, location=where, hint=hint)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return the JSON text of a definition's value; compact unless it is indented."""
    compact: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
    try:
        return json.dumps(value, default=str, **({"indent": indent} if indent else compact))
    except ValueError as problem:  # a number of more digits than Python writes
        raise refusal([Diagnostic("INVALID_JSON_DESCRIPTION", str(problem))]) from None


def read(text: str, path: Path | None = None) -> tuple[Any, bool]:
    """Return the value of a JSON or YAML text, and whether it was YAML (a suffix decides)."""
    check_size(text)
    suffix = path.suffix.lower() if path else ""
    yaml = suffix in (".yaml", ".yml") or (suffix != ".json" and _looks_like_yaml(text))
    try:
        value = _read_yaml(text) if yaml else read_json(text)
    except RecursionError:
        raise refusal([TOO_DEEP]) from None
    check_bounds(value)
    return value, yaml


def read_json(text: str) -> Any:
    """Return the value of a JSON text; raise DefinitionError INVALID_JSON_DESCRIPTION otherwise.

    Fact 21.
    """
    if not text.strip():
        raise refusal([NOT_AN_OBJECT])
    try:
        return jackson.loads(text)
    except jackson.JSONProblem as problem:
        hint = excerpt(text, *problem.line_column)
        code = "INVALID_JSON_DESCRIPTION"
        raise refusal([Diagnostic(code, problem.message, problem.location, hint=hint)]) from None


def check_size(text: str) -> None:
    """Refuse a definition of more than a mebibyte in UTF-8 (fact 203)."""
    # A character is four bytes at the most, so that short texts need no second encoding.
    if len(text) * 4 > MAX_BYTES and byte_length(text) > MAX_BYTES:
        long = f"Definition must have length less than or equal to {MAX_BYTES}"
        raise refusal([Diagnostic("SCHEMA_VALIDATION_FAILED", long)])


def check_bounds(value: Any) -> None:
    """Refuse what is nested too deeply or (through YAML's aliases) unfolds to too many values.

    And members whose names are no strings, which only a Python mapping can have.
    """
    count, level, depth = 0, [value], 0
    while level:
        count, depth = count + len(level), depth + 1
        if depth > MAX_DEPTH or count > MAX_VALUES:
            raise refusal([TOO_DEEP])
        containers = [one for one in level if isinstance(one, (dict, list))]
        level = [inner for outer in containers for inner in _inside(outer)]


def _inside(value: dict[Any, Any] | list[Any]) -> Iterable[Any]:
    if isinstance(value, list):
        return value
    for name in value:
        if not isinstance(name, str):
            raise refusal([NOT_AN_OBJECT])
    return value.values()


def _text(source: str | bytes | Path) -> str:
    try:
        if isinstance(source, Path):
            source = source.read_bytes()
        return source.decode("utf-8-sig") if isinstance(source, bytes) else source
    except OSError as error:
        name = shortened(str(error.filename), MAX_WIDTH)
        raise InputError(f"can't read {name}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"the definition is not UTF-8 text: {error.reason}") from None
    except ValueError as error:
        raise InputError(f"can't read {source!r}: {error}") from None


def _looks_like_yaml(text: str) -> bool:
    """Return whether a text is no JSON object or array, yet has a member as YAML writes them."""
    return text.lstrip()[:1] not in ("{", "[", "/") and _YAML_MEMBER.search(text) is not None


def _read_yaml(text: str) -> Any:
    try:
        return yaml_text.loads(text)
    except yaml_text.YAMLProblem as problem:
        location = f"line {problem.line}, column {problem.column}"
        hint = excerpt(text, problem.line, problem.column)
        code, message = "INVALID_JSON_DESCRIPTION", problem.message
        line = "".join(text.split("\n")[problem.line - 1 :][:1]).rstrip("\r")
        if problem.opened:
            message += f"; the bracket or quotation mark in line {problem.opened} is not closed"
        elif re.fullmatch(r"[ \t]*\t[ \t]*\S.*", line):
            message += "; YAML is indented with blanks, not with tabs"
        elif re.search(r"[-:]\s*\{%", line):
            message += "; in YAML {% … %} needs quotation marks"
        raise refusal([Diagnostic(code, message, location, hint=hint)]) from None
