"""The syntax tree, which the parser fills, and what it says without being evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .callables import Signature
from .regex.pattern import Pattern


@dataclass(slots=True, eq=False)
class Slot:
    """A ``%`` looking for the step whose input it means; ``level`` steps are still to go."""

    label: str
    level: int = 1


@dataclass(slots=True, eq=False)
class Filter:
    """``[…]`` behind an expression."""

    expression: Node


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
class Sort(Node):
    """``^(>a, b)`` as a step; the terms with whether they are descending."""

    terms: list[tuple[Node, bool]]


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
    tails: bool
    """Whether calls stand where their values are the lambda's."""


@dataclass(eq=False)
class Transform(Node):
    """``|pattern|update, delete|``."""

    pattern: Node
    update: Node
    delete: Node | None


@dataclass(eq=False)
class Hole(Node):
    """Where the expression ended too early."""


_TESTS: Final = frozenset(("=", "!=", "<", "<=", ">", ">=", "in", "and", "or"))


def is_decorated(node: Node) -> bool:
    """Return whether anything follows an expression that is not a step."""
    return bool(node.predicates or node.group or node.keep_array)


def is_test(node: Node) -> bool:
    """Return whether an expression comes to a boolean, if to anything."""
    return isinstance(node, Binary) and node.operator in _TESTS and not is_decorated(node)


def children(node: Node) -> Iterator[Node]:
    """Return the expressions right inside one, without its predicates and grouping."""
    return _nodes_in(list(vars(node).values()))


def _nodes_in(part: Any) -> Iterator[Node]:
    if isinstance(part, Node):
        yield part
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _nodes_in(each)


# -- what an expression reads, found without evaluating it: variables, their fields, the input's


@dataclass(frozen=True, slots=True)
class RootName:
    """Something read off the input: a field's name, or ``$$``; ``position`` is behind it."""

    name: str
    position: int


class Reads:
    """``paths``: a free variable and the fields read off it, as far as they are constant.

    ``roots``: what is read off the input where the input itself is the context: not inside a path,
    a predicate or a grouping.
    """

    def __init__(self, tree: Node) -> None:
        self.paths: set[tuple[str, ...]] = set()
        self.roots: list[RootName] = []
        self.read(tree, {""}, at_root=True)

    def read(self, node: Node, bound: set[str], *, at_root: bool) -> None:
        """Read a node; ``bound`` is the set of its block's own names and grows with ``:=``."""
        match node:
            case Path():
                self._path(node, bound, at_root=at_root)
            case Variable():
                self._variable(node, (), bound)
            case Name() if at_root:
                self.roots.append(RootName(node.value, node.position))
            case Block():
                inner = set(bound)
                for part in node.expressions:
                    self.read(part, inner, at_root=at_root)
            case Lambda():
                self.read(node.body, bound | set(node.parameters), at_root=at_root)
            case Bind():
                if isinstance(node.value, Lambda):
                    bound.add(node.name)  # a function may call itself
                self.read(node.value, bound, at_root=at_root)
                bound.add(node.name)
            case _:
                here = at_root and not isinstance(node, Transform)
                for part in children(node):
                    self.read(part, bound, at_root=here)
        self._trailing(node, bound)

    def _path(self, path: Path, bound: set[str], *, at_root: bool) -> None:
        first, *rest = path.steps
        names = _constant_names(rest)
        if isinstance(first, Variable):
            self._variable(first, names if not _is_filtered(first) else (), bound)
            self._trailing(first, bound)
        else:
            self.read(first, bound, at_root=at_root)
        inner = bound | {n for step in path.steps for n in (step.focus, step.index) if n}
        for step in rest:
            if not isinstance(step, Name):
                self.read(step, inner, at_root=False)
            else:
                self._trailing(step, inner)

    def _variable(self, node: Variable, names: tuple[str, ...], bound: set[str]) -> None:
        if node.name == "$":
            self.roots.append(RootName("$$", node.position))
        elif node.name not in bound:
            self.paths.add((node.name, *names))

    def _trailing(self, node: Node, bound: set[str]) -> None:
        """Read predicates and groupings: their context is not the input."""
        for stage in (*node.predicates, *node.stages):
            if isinstance(stage, Filter):
                self.read(stage.expression, bound, at_root=False)
        for pair in node.group.pairs if node.group is not None else ():
            for part in pair:
                self.read(part, bound, at_root=False)


def _constant_names(steps: list[Node]) -> tuple[str, ...]:
    names: list[str] = []
    for step in steps:
        if not isinstance(step, Name):
            break
        names.append(step.value)
        if _is_filtered(step):
            break
    return tuple(names)


def _is_filtered(node: Node) -> bool:
    """Return whether predicates other than a constant index follow."""
    return not all(
        isinstance(stage, Filter) and isinstance(stage.expression, Literal)
        for stage in (*node.predicates, *node.stages)
    )
