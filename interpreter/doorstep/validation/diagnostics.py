"""What the rules of validation share: locations, and how a diagnostic words what is wrong there.

The sentences are those of AWS's ValidateStateMachineDefinition, measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..definitions.substitution import has_placeholder
from ..errors import Diagnostic, Severity
from ..model import Fields, Steps
from .revisions import found

Diagnostics = Iterator[Diagnostic]
Rule = Callable[[Mapping[str, Any], "Location"], Diagnostics]
"""Looks at one object's fields together."""
StateCheck = Callable[[Any, "Location"], Diagnostics]
"""Looks at one state alone, whatever the others are."""


TASK_TOKEN = "context.Task.Token"
"""What the context object has in a Task only."""


@dataclass(frozen=True, slots=True)
class MachineTraits:
    """What holds for a whole definition."""

    jsonata: bool
    express: bool = False
    resource_names: bool = False
    """A Task's Resource may be a name that stands for an ARN."""
    placeholders: bool = True
    """`${Name}` stands for what deployment fills in: nothing is said of such a text."""
    runnable: bool = False
    """What stands for a path or an expression must have its value: the definition will run."""
    definition: Fields | None = field(default=None, compare=False, repr=False)
    """The definition itself: of a revision it is known what was found in most states."""

    def found(self, check: StateCheck, state: Any, location: Location) -> Diagnostics:
        """Yield what the check of a single state finds, or found in an earlier revision."""
        yield from found(self.definition, check, state, location)


class Location(NamedTuple):
    """A place in the definition, as AWS writes it, and the query language that holds there."""

    machine: MachineTraits
    path: str = ""
    """`/States/A/Branches[0]`; empty for the machine itself."""
    jsonata: bool = False
    mixed: bool = False
    """The state's language is refused: AWS says nothing of fields of the other language."""
    readable: frozenset[str] = frozenset()
    """What can be read here of `$states` besides its input and what its context always has."""

    @property
    def language(self) -> str:
        """JSONPath or JSONata."""
        return "JSONata" if self.jsonata else "JSONPath"

    def left_open(self, text: str) -> bool:
        """Return whether a deployment tool still has to fill something in."""
        return self.machine.placeholders and has_placeholder(text)

    def member(self, name: str) -> Location:
        """Return the location of an object's member; AWS does not escape names."""
        return self._at(f"{self.path}/{name}")

    def item(self, index: int) -> Location:
        """Return the location of an array's item."""
        return self._at(f"{self.path}[{index}]")

    def at(self, steps: Steps) -> Location:
        """Return the location of a value some steps further in."""
        location = self
        for step in steps:
            location = location.item(step) if isinstance(step, int) else location.member(step)
        return location

    def _at(self, path: str) -> Location:
        return Location(self.machine, path, self.jsonata, self.mixed, self.readable)

    def speaking(self, *, jsonata: bool, mixed: bool, task: bool) -> Location:
        """Return this location, a state, with its own language."""
        readable = frozenset((TASK_TOKEN,) if task else ())
        return self._replace(jsonata=jsonata, mixed=mixed, readable=readable)

    def reading(self, names: Iterable[str]) -> Location:
        """Return this location, where these members of `$states` can be read as well."""
        return self._replace(readable=self.readable.union(names))


def error(
    message: str,
    location: Location,
    code: str = "SCHEMA_VALIDATION_FAILED",
    hint: str | None = None,
    severity: Severity = "ERROR",
) -> Diagnostic:
    """Return one diagnostic about a location."""
    return Diagnostic(code, message, location.path or "/", severity, hint)


def expected(kind: str, location: Location) -> Diagnostic:
    """Report a value of another JSON type than the field takes."""
    return error(f"Expected value of type {kind}", location)


def required(
    names: tuple[str, ...] | list[str], location: Location, hint: str | None = None
) -> Diagnostic:
    """Report an object without some of its fields."""
    return error(f"These fields are required: [{', '.join(names)}]", location, hint=hint)


def not_supported(name: str, location: Location, hint: str | None = None) -> Diagnostic:
    """Report an object with a field that it can't have."""
    return error(f"Field '{name}' is not supported", location, hint=hint)


def only_one(names: tuple[str, ...] | list[str], count: int, location: Location) -> Diagnostic:
    """Report an object with several of the fields that exclude one another, or with none."""
    text = "There should only be one of" if count else "This object should have only one of"
    return error(f"{text} the following fields: [{', '.join(names)}]", location)
