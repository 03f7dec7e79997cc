"""The words in which the tables of the Amazon States Language are written.

`states` has the fields of the eight state types, `objects` those of the objects in
them; `structure` reads the tables. Nothing here decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "any",
    "string",
    "boolean",
    "integer",
    "number",
    "enum",
    "object",
    "list",
    "states",
    "rule",
    "rules",
    "timestamp",
    "path",
    "reference",
    "result path",
    "text path",
    "template",
    "variables",
]
Language = Literal["JSONPath", "JSONata"]
JSONPATH: Language = "JSONPath"
JSONATA: Language = "JSONata"
MAX_SECONDS = 99_999_999


@dataclass(frozen=True, slots=True)
class Field:
    """What one field may hold; ``language`` when only one query language has it."""

    kind: Kind = "any"
    language: Language | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    shape: Shape | None = None
    item: Field | None = None
    filled: bool = False
    """An empty array or object is refused."""
    expression: bool = False
    """A JSONata state may have an expression in place of the literal."""
    error_output: bool = False
    """Expressions in it may read $states.errorOutput."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Of these fields there may be one; when needed, there must be one."""

    names: tuple[str, ...]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: its fields by name; which are required; which exclude one another.

    ``name`` finds the rules across its fields (`structure.RULES`).
    """

    name: str
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    exclusive: tuple[OneOf, ...] = ()


STRING = Field("string")
TEXT = Field("string", expression=True)
BOOLEAN = Field("boolean")
ANY = Field()
TEMPLATE = Field("template")
JSONATA_TEMPLATE = Field("template", JSONATA)
JSONPATH_TEMPLATE = Field("template", JSONPATH)
PATH = Field("path", JSONPATH)
REFERENCE = Field("reference", JSONPATH)
RESULT_PATH = Field("result path", JSONPATH)
VARIABLES = Field("variables")


def integer(minimum: int = 0, maximum: int | None = None) -> Field:
    """A whole number, or an expression in JSONata states."""
    return Field("integer", minimum=minimum, maximum=maximum, expression=True)


def constant(minimum: int, maximum: int) -> Field:
    """A whole number that can't be an expression."""
    return Field("integer", minimum=minimum, maximum=maximum)


def enum(*options: str) -> Field:
    """One of some strings, never an expression."""
    return Field("enum", options=options)


def nested(shape: Shape, *, filled: bool = False) -> Field:
    """An object of a known shape."""
    return Field("object", shape=shape, filled=filled)


def several(item: Field, *, filled: bool = False) -> Field:
    """An array of equal things."""
    return Field("list", item=item, filled=filled)
