"""What the rules of validation share: where they stand and how they say what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import Diagnostic, Severity

Found = Iterator[Diagnostic]
Rule = Callable[[Mapping[str, Any], "Place"], Found]
"""Looks at one object's fields together."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What holds for a whole definition."""

    jsonata: bool
    express: bool = False
    resource_names: bool = False
    """A Task's Resource may be a name that stands for an ARN."""


class Place(NamedTuple):
    """A place in the definition, as AWS writes it, and the query language that holds there."""

    machine: Machine
    location: str = ""
    jsonata: bool = False
    mixed: bool = False
    """The state's language is refused: AWS says nothing of fields of the other language."""
    error_output: bool = False
    """$states.errorOutput can be read here."""

    @property
    def shown(self) -> str:
        """The location; the machine itself is `/`."""
        return self.location or "/"

    @property
    def language(self) -> str:
        """JSONPath or JSONata."""
        return "JSONata" if self.jsonata else "JSONPath"

    def member(self, name: str) -> Place:
        """The place of an object's member; AWS does not escape names."""
        return self._at(f"{self.location}/{name}")

    def item(self, index: int) -> Place:
        """The place of an array's item."""
        return self._at(f"{self.location}[{index}]")

    def _at(self, location: str) -> Place:
        return Place(self.machine, location, self.jsonata, self.mixed, self.error_output)

    def speaking(self, *, jsonata: bool, mixed: bool) -> Place:
        """This place, a state, with its own language."""
        return self._replace(jsonata=jsonata, mixed=mixed)

    def catching(self) -> Place:
        """This place, where $states.errorOutput can be read."""
        return self._replace(error_output=True)


def error(
    message: str,
    place: Place,
    code: str = "SCHEMA_VALIDATION_FAILED",
    hint: str | None = None,
    severity: Severity = "ERROR",
) -> Diagnostic:
    """One diagnostic about a place."""
    return Diagnostic(code, message, place.shown, severity, hint)


def expected(kind: str, place: Place) -> Diagnostic:
    """A value of another JSON type than the field takes."""
    return error(f"Expected value of type {kind}", place)


def required(names: tuple[str, ...] | list[str], place: Place) -> Diagnostic:
    """An object without some of its fields."""
    return error(f"These fields are required: [{', '.join(names)}]", place)


def not_supported(name: str, place: Place, hint: str | None = None) -> Diagnostic:
    """An object with a field that it can't have."""
    return error(f"Field '{name}' is not supported", place, hint=hint)


def only_one(names: tuple[str, ...] | list[str], found: int, place: Place) -> Diagnostic:
    """An object with several of the fields that exclude one another, or with none of them."""
    text = "There should only be one of" if found else "This object should have only one of"
    return error(f"{text} the following fields: [{', '.join(names)}]", place)
