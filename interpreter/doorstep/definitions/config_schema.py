"""Files of Doorstep's own held against tables of their members.

    MOCK = Form({"state": Member(TEXT, "the Task state", required=True), …})
    record = MOCK.read(load(Path("mocks.yaml")))

Whatever is wrong is told where it stands. The same tables give a JSON schema for editors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ..asl.jsonata_fields import json_type
from ..errors import InputError
from ..values.did_you_mean import did_you_mean
from ..values.json_values import dumps
from .source_locations import Place

Schema = dict[str, Any]


class Kind(Protocol):
    """What a member may be."""

    def read(self, place: Place) -> Any:
        """The value that stands for it; raises InputError for what it can't be."""

    def schema(self) -> Schema:
        """The same as a JSON schema."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of some JSON types, `told` for people; `convert` may refuse it with a ValueError."""

    told: str
    types: tuple[str, ...]
    convert: Callable[[Any], Any] = lambda value: value
    options: tuple[Any, ...] = ()

    def read(self, place: Place) -> Any:
        """The converted value."""
        kind = json_type(place.value)
        if kind not in self.types or (self.options and place.value not in self.options):
            found = f"of the type {kind}" if kind in ("array", "object") else dumps(place.value)
            raise place.problem(f"this has to be {self.told}; it is {found}")
        try:
            return self.convert(place.value)
        except ValueError as problem:
            raise place.problem(f"this has to be {self.told}: {problem}") from None

    def schema(self) -> Schema:
        """Its types, or its options."""
        if self.options:
            return {"enum": list(self.options)}
        return {"type": list(self.types) if len(self.types) > 1 else self.types[0]}


def options(*names: str) -> Scalar:
    """One of these texts."""
    return Scalar(f"one of {', '.join(names)}", ("string",), options=names)


TEXT = Scalar("a text", ("string",))


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value; `check` may refuse it with an InputError."""

    check: Callable[[Any], None]

    def read(self, place: Place) -> Any:
        """The value."""
        try:
            self.check(place.value)
        except InputError as problem:
            raise place.problem(str(problem)) from None
        return place.value

    def schema(self) -> Schema:
        """All is allowed."""
        return {}


@dataclass(frozen=True, slots=True)
class Many:
    """An array."""

    item: Kind

    def read(self, place: Place) -> list[Any]:
        """What its items are."""
        if not isinstance(place.value, list):
            raise place.problem("this has to be a list")
        return [self.item.read(place.at(index)) for index in range(len(place.value))]

    def schema(self) -> Schema:
        """An array."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class Named:
    """An object whose members may have any names."""

    member: Kind

    def read(self, place: Place) -> dict[str, Any]:
        """What its members are."""
        return {name: self.member.read(place.at(name)) for name in _members(place)}

    def schema(self) -> Schema:
        """An object."""
        return {"type": "object", "additionalProperties": self.member.schema()}


@dataclass(frozen=True, slots=True)
class Either:
    """Kinds by the JSON types that choose them."""

    told: str
    kinds: Mapping[str, Kind]

    def read(self, place: Place) -> Any:
        """What the kind that fits reads."""
        kind = self.kinds.get(json_type(place.value))
        if kind is None:
            raise place.problem(f"this has to be {self.told}")
        return kind.read(place)

    def schema(self) -> Schema:
        """Any of them."""
        return {"anyOf": [kind.schema() for kind in self.kinds.values()]}


class Member(NamedTuple):
    """A member of a form, and what it says."""

    kind: Kind
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """An object with the members of a table; of each group of `exclusive` it may have one."""

    members: Mapping[str, Member]
    exclusive: tuple[tuple[str, ...], ...] = ()
    one_of: tuple[str, ...] = ()
    """It must have one of these, and no more."""

    def read(self, place: Place) -> Record:
        """Its members; raises InputError for one that is unknown, missing, or too many."""
        given = _members(place)
        for name in given:
            if name not in self.members:
                hint = did_you_mean(name, self.members) or f"there are {', '.join(self.members)}"
                raise place.at(name).problem(f"there is no member '{name}' here; {hint}", name=True)
        for name, member in self.members.items():
            if member.required and name not in given:
                raise place.problem(f"the member '{name}' is missing: {member.about}")
        for problem in self._excluded(given):
            raise place.problem(problem)
        return Record(place, {name: self.members[name].kind.read(place.at(name)) for name in given})

    def _excluded(self, given: Mapping[str, Any]) -> Iterator[str]:
        for group in (*self.exclusive, *((self.one_of,) if self.one_of else ())):
            found = [name for name in group if name in given]
            if len(found) > 1:
                yield f"{' and '.join(found)} exclude each other"
            elif not found and group is self.one_of:
                yield f"one of {', '.join(group)} is missing"

    def schema(self) -> Schema:
        """An object with these members and no other."""
        shown = {
            name: {"description": member.about, **member.kind.schema()}
            for name, member in self.members.items()
        }
        required = [name for name, member in self.members.items() if member.required]
        found: Schema = {"type": "object", "properties": shown, "additionalProperties": False}
        if required:
            found["required"] = required
        if self.one_of:
            found["oneOf"] = [{"required": [name]} for name in self.one_of]
        return found


@dataclass(frozen=True, slots=True)
class Record:
    """What a form has read: its members by name; those that were not given are not there."""

    place: Place
    members: Mapping[str, Any]

    def get(self, name: str, default: Any = None) -> Any:
        """A member."""
        return self.members.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.members


def _members(place: Place) -> Mapping[str, Any]:
    if not isinstance(place.value, dict):
        raise place.problem("this has to be an object, a `name: value` a line")
    return place.value
