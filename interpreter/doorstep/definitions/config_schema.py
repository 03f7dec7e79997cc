"""Doorstep's own files, YAML or JSON: values that know where they stand, held against tables.

    MOCK = Form({"state": Member(TEXT, "the Task state", required=True), …})
    record = MOCK.read(load(Path("mocks.yaml")))

Whatever is wrong is reported with file, line and column. The same tables give a JSON schema for
editors.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..asl.jsonata_fields import json_type
from ..errors import DefinitionError, InputError
from ..model import escape
from ..values.did_you_mean import did_you_mean
from ..values.json_values import byte_length, dumps, loads
from . import yaml_text
from .documents import check_bounds
from .source_locations import excerpt, locate, window
from .substitution import MAX_BYTES


@dataclass(frozen=True, slots=True)
class SourceValue:
    """A value and where it stands in its file."""

    file: str
    text: str = field(repr=False)
    yaml: bool
    pointer: str
    value: Any

    def at(self, name: str | int) -> SourceValue:
        """Return a member or an item."""
        step = f"{self.pointer}/{escape(name) if isinstance(name, str) else name}"
        return replace(self, pointer=step, value=self.value[name])

    def position(self, *, name: bool = False) -> tuple[int, int]:
        """Return line and column, from 1; `name`: of the member's name."""
        return locate(self.text, self.pointer, yaml=self.yaml, name=name)

    def problem(self, message: str, *, name: bool = False) -> InputError:
        """Return the error for a problem with it: file, line and column, the line and a caret."""
        return _problem(self.file, self.text, self.position(name=name), message)

    def __str__(self) -> str:
        return f"{self.file}:{self.position()[0]}"


def load(path: Path, name: str | None = None) -> SourceValue:
    """Return the value of a file; `.json` is JSON, all else YAML. Messages call the file `name`.

    Raises InputError when it can't be read, has too many bytes or levels, or when YAML has two
    members of one name in an object.
    """
    file = name or str(path)
    try:
        text = path.read_text("utf-8-sig")
    except OSError as problem:
        raise InputError(f"can't read {file}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"{file} is not UTF-8 text: {problem.reason}") from None
    except ValueError as problem:
        raise InputError(f"can't read {file!r}: {problem}") from None
    if byte_length(text) > MAX_BYTES:
        raise InputError(f"{file} has more than {MAX_BYTES:,} bytes")
    yaml = path.suffix.lower() != ".json"
    try:
        value = yaml_text.loads(text, unique=True) if yaml else loads(text)
        check_bounds(value)
    except yaml_text.YAMLProblem as problem:
        raise _problem(file, text, (problem.line, problem.column), problem.message) from None
    except InputError as problem:
        raise InputError(f"{file}: {problem}") from None
    except (DefinitionError, RecursionError):
        raise InputError(f"{file} is nested too deeply, or unfolds to too many values") from None
    return SourceValue(file, text, yaml, "", value)


def _problem(file: str, text: str, position: tuple[int, int], message: str) -> InputError:
    line, column = position
    lines = "\n".join(f"    {one}" for one in window(excerpt(text, line, column)))
    return InputError(f"{file}:{line}:{column}: {message}\n{lines}")


# Tables -----------------------------------------------------------------------------------------

Schema = dict[str, Any]


class MemberType(Protocol):
    """What a member may be."""

    def read(self, source: SourceValue) -> Any:
        """Return the value that stands for it; raise InputError for what it can't be."""

    def schema(self) -> Schema:
        """Return the same as a JSON schema."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of some JSON types; `convert` may refuse it with a ValueError."""

    described: str
    """For messages: "a duration"."""
    types: tuple[str, ...]
    convert: Callable[[Any], Any] = lambda value: value
    options: tuple[Any, ...] = ()

    def read(self, source: SourceValue) -> Any:
        """Return the converted value."""
        json = json_type(source.value)
        if json not in self.types or (self.options and source.value not in self.options):
            actual = f"of the type {json}" if json in ("array", "object") else dumps(source.value)
            raise source.problem(f"this has to be {self.described}; it is {actual}")
        try:
            return self.convert(source.value)
        except ValueError as problem:
            raise source.problem(f"this has to be {self.described}: {problem}") from None

    def schema(self) -> Schema:
        """Return its types, or its options."""
        if self.options:
            return {"enum": list(self.options)}
        return {"type": list(self.types) if len(self.types) > 1 else self.types[0]}


def options(*names: str) -> Scalar:
    """Return the type of one of these texts."""
    return Scalar(f"one of {', '.join(names)}", ("string",), options=names)


TEXT = Scalar("a text", ("string",))


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value; `check` may refuse it with an InputError."""

    check: Callable[[Any], None]

    def read(self, source: SourceValue) -> Any:
        """Return the value."""
        try:
            self.check(source.value)
        except InputError as problem:
            raise source.problem(str(problem)) from None
        return source.value

    def schema(self) -> Schema:
        """Return the schema of any value."""
        return {}


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array."""

    item: MemberType

    def read(self, source: SourceValue) -> list[Any]:
        """Return what its items are."""
        if not isinstance(source.value, list):
            raise source.problem("this has to be a list")
        return [self.item.read(source.at(index)) for index in range(len(source.value))]

    def schema(self) -> Schema:
        """Return the schema of an array."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object whose members may have any names."""

    member: MemberType

    def read(self, source: SourceValue) -> dict[str, Any]:
        """Return what its members are."""
        return {name: self.member.read(source.at(name)) for name in _members(source)}

    def schema(self) -> Schema:
        """Return the schema of an object."""
        return {"type": "object", "additionalProperties": self.member.schema()}


@dataclass(frozen=True, slots=True)
class Either:
    """Types of members by the JSON types that choose them."""

    described: str
    types: Mapping[str, MemberType]

    def read(self, source: SourceValue) -> Any:
        """Return what the type that fits reads."""
        member_type = self.types.get(json_type(source.value))
        if member_type is None:
            raise source.problem(f"this has to be {self.described}")
        return member_type.read(source)

    def schema(self) -> Schema:
        """Return the schema of any of them."""
        return {"anyOf": [one.schema() for one in self.types.values()]}


class Member(NamedTuple):
    """A member of a form, and what it says."""

    type: MemberType
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """An object with the members of a table; of each group of `exclusive` it may have one."""

    members: Mapping[str, Member]
    exclusive: tuple[tuple[str, ...], ...] = ()
    one_of: tuple[str, ...] = ()
    """It must have one of these, and no more."""
    former: Mapping[str, str] = field(default_factory=dict)
    """Former names of members, which still work with a warning."""

    def read(self, source: SourceValue) -> Record:
        """Return its members; raise InputError for one that is unknown, missing, or too many."""
        written = {self._current(name, source): name for name in _members(source)}
        members = {name: source.value[key] for name, key in written.items()}
        for name in members:
            if name not in self.members:
                hint = did_you_mean(name, self.members) or f"there are {', '.join(self.members)}"
                raise source.at(name).problem(
                    f"there is no member '{name}' here; {hint}", name=True
                )
        for name, member in self.members.items():
            if member.required and name not in members:
                raise source.problem(f"the member '{name}' is missing: {member.about}")
        for problem in self._excluded(members):
            raise source.problem(problem)
        values = {
            name: self.members[name].type.read(source.at(key)) for name, key in written.items()
        }
        return Record(source, values)

    def _current(self, name: str, source: SourceValue) -> str:
        if name not in self.former:
            return name
        current = self.former[name]
        text = f"{source.at(name)}: the member '{name}' is called '{current}' now"
        warnings.warn(text, FutureWarning, stacklevel=1)
        return current

    def _excluded(self, members: Mapping[str, Any]) -> Iterator[str]:
        for group in (*self.exclusive, *((self.one_of,) if self.one_of else ())):
            present = [name for name in group if name in members]
            if len(present) > 1:
                yield f"{' and '.join(present)} exclude each other"
            elif not present and group is self.one_of:
                yield f"one of {', '.join(group)} is missing"

    def schema(self) -> Schema:
        """Return the schema of an object with these members and no other."""
        properties = {
            name: {"description": member.about, **member.type.schema()}
            for name, member in self.members.items()
        }
        required = [name for name, member in self.members.items() if member.required]
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if required:
            schema["required"] = required
        if self.one_of:
            schema["oneOf"] = [{"required": [name]} for name in self.one_of]
        return schema


@dataclass(frozen=True, slots=True)
class Record:
    """What a form has read: the members that are there, by name."""

    source: SourceValue
    members: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member."""
        return self.members.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.members


def _members(source: SourceValue) -> Mapping[str, Any]:
    if not isinstance(source.value, dict):
        raise source.problem("this has to be an object, a `name: value` a line")
    return source.value
