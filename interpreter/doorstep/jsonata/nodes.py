"""The syntax tree. The parser fills it; the compiler and what reads expressions use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .regex.pattern import Pattern
from .signatures import Signature


@dataclass(slots=True, eq=False)
class Slot:
    """A ``%`` looking for the step whose input it means; ``level`` steps are still to go."""

    label: str
    level: int = 1


@dataclass(slots=True, eq=False)
class Filter:
    """``[…]`` behind an expression."""

    expression: Node
    position: int


@dataclass(slots=True, eq=False)
class Index:
    """``#$name`` behind a predicate."""

    name: str


@dataclass(slots=True, eq=False)
class Grouping:
    """``{key: value, …}`` behind an expression."""

    pairs: list[tuple[Node, Node]]
    position: int


@dataclass(eq=False)
class Node:
    """What every expression may carry; ``position`` is the offset behind its token.

    No slots: what few nodes carry stays in the class, which makes trees cheap to build.
    """

    position: int
    keep_array: bool = field(default=False, init=False)
    predicates: Sequence[Filter | Index] = field(default=(), init=False)
    stages: Sequence[Filter | Index] = field(default=(), init=False)
    """Predicates of a step: applied to each result of the step, before they are flattened."""
    group: Grouping | None = field(default=None, init=False)
    focus: str | None = field(default=None, init=False)
    index: str | None = field(default=None, init=False)
    ancestor: Slot | None = field(default=None, init=False)
    tuple: bool = field(default=False, init=False)
    seeking: list[Slot] | None = field(default=None, init=False)


@dataclass(eq=False)
class Literal(Node):
    """``1``, ``"text"``, ``true``, ``null``."""

    value: Any


@dataclass(eq=False)
class Name(Node):
    """``field``."""

    value: str


@dataclass(eq=False)
class Variable(Node):
    """``$name``; ``$`` and ``$$`` have the names "" and "$"."""

    name: str


@dataclass(eq=False)
class Wildcard(Node):
    """``*``: the values of all members."""


@dataclass(eq=False)
class Descendants(Node):
    """``**``: the value itself and all below it."""


@dataclass(eq=False)
class Parent(Node):
    """``%``: what the value was reached from."""

    slot: Slot


@dataclass(eq=False)
class Regex(Node):
    """``/pattern/flags``."""

    pattern: Pattern


@dataclass(eq=False)
class Path(Node):
    """``a.b.c``."""

    steps: list[Node]
    keep_singleton: bool = False


@dataclass(eq=False)
class SortTerm:
    """One of several keys to sort by."""

    expression: Node
    descending: bool


@dataclass(eq=False)
class Sort(Node):
    """``^(>a, b)`` as a step."""

    terms: list[SortTerm]


@dataclass(eq=False)
class Negate(Node):
    """``-a``."""

    operand: Node


@dataclass(eq=False)
class Binary(Node):
    """``a + b`` and the other operators that take two values."""

    operator: str
    left: Node
    right: Node


@dataclass(eq=False)
class Array(Node):
    """``[a, b]``."""

    items: list[Node]
    constructed: bool = False


@dataclass(eq=False)
class Object(Node):
    """``{"key": value}``."""

    pairs: list[tuple[Node, Node]]


@dataclass(eq=False)
class Block(Node):
    """``(a; b)``."""

    expressions: list[Node]
    constructed: bool = False


@dataclass(eq=False)
class Condition(Node):
    """``test ? then : otherwise``."""

    test: Node
    then: Node
    otherwise: Node | None


@dataclass(eq=False)
class Bind(Node):
    """``$name := value``."""

    name: str
    value: Node


@dataclass(eq=False)
class Apply(Node):
    """``left ~> right``."""

    left: Node
    right: Node


@dataclass(eq=False)
class Call(Node):
    """``$f(a, b)``."""

    procedure: Node
    arguments: list[Node]
    tail: bool = False


@dataclass(eq=False)
class Placeholder(Node):
    """``?`` among the arguments of a partial application."""


@dataclass(eq=False)
class Partial(Node):
    """``$f(?, b)``."""

    procedure: Node
    arguments: list[Node]


@dataclass(eq=False)
class Lambda(Node):
    """``function($a){…}``."""

    parameters: list[str]
    signature: Signature | None
    body: Node


@dataclass(eq=False)
class Transform(Node):
    """``|pattern|update, delete|``."""

    pattern: Node
    update: Node
    delete: Node | None


@dataclass(eq=False)
class Hole(Node):
    """Where the expression ended too early."""


def children(node: Node) -> Iterator[Node]:
    """Return the expressions right inside one that has no context and binds nothing of its own."""
    match node:
        case Binary(left=left, right=right) | Apply(left=left, right=right):
            yield from (left, right)
        case Negate(operand=operand):
            yield operand
        case Array(items=items):
            yield from items
        case Object(pairs=pairs):
            for pair in pairs:
                yield from pair
        case Condition(test=test, then=then, otherwise=otherwise):
            yield from (part for part in (test, then, otherwise) if part is not None)
        case (
            Call(procedure=procedure, arguments=arguments)
            | Partial(procedure=procedure, arguments=arguments)
        ):
            yield from (procedure, *arguments)
        case Sort(terms=terms):
            yield from (term.expression for term in terms)
        case Transform(pattern=pattern, update=update, delete=delete):
            yield from (part for part in (pattern, update, delete) if part is not None)
