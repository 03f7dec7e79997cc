"""What an expression reads, found without evaluating it: for validation, coverage, data flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .nodes import (
    Apply,
    Array,
    Binary,
    Bind,
    Block,
    Call,
    Condition,
    Filter,
    Lambda,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Partial,
    Path,
    Sort,
    Transform,
    Variable,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Something read off the input: a field's name, or ``$$``; ``position`` is behind it."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Facts:
    """``variables``: free names, functions among them, without ``$``. ``paths``: a free variable
    and the fields read off it, as far as they are constant. ``roots``: what is read off the input
    where the input itself is the context: not inside a path, a predicate or a grouping.
    """

    variables: frozenset[str]
    paths: frozenset[tuple[str, ...]]
    roots: tuple[Reference, ...]


def facts_of(tree: Node) -> Facts:
    """The static facts of a whole expression."""
    reader = _Reader()
    reader.read(tree, {""}, at_root=True)
    names = frozenset(path[0] for path in reader.paths)
    return Facts(names, frozenset(reader.paths), tuple(reader.roots))


class _Reader:
    def __init__(self) -> None:
        self.paths: set[tuple[str, ...]] = set()
        self.roots: list[Reference] = []

    def read(self, node: Node, bound: set[str], *, at_root: bool) -> None:
        """Read a node; ``bound`` is the set of its block's own names and grows with ``:=``."""
        match node:
            case Path():
                self._path(node, bound, at_root=at_root)
            case Variable():
                self._variable(node, (), bound)
            case Name() if at_root:
                self.roots.append(Reference(node.value, node.position))
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
                for part in _parts(node):
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
            self.roots.append(Reference("$$", node.position))
        elif node.name not in bound:
            self.paths.add((node.name, *names))

    def _trailing(self, node: Node, bound: set[str]) -> None:
        """Predicates and groupings: their context is not the input."""
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
    """Whether predicates other than a constant index follow."""
    return not all(
        isinstance(stage, Filter) and isinstance(stage.expression, Literal)
        for stage in (*node.predicates, *node.stages)
    )


def _parts(node: Node) -> Iterator[Node]:
    """The expressions right inside one that has no context and binds nothing of its own."""
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


def spine(node: Node) -> int:
    """How many levels an expression nests whatever its conditions say, as jsonata-js counts."""
    match node:
        case Path(steps=[first, *_]):
            return 1 + spine(first)
        case Condition(test=inner) | Binary(operator="and" | "or", left=inner) | Bind(value=inner):
            return 1 + spine(inner)
        case Block(expressions=parts):
            return 1 + max(map(spine, parts), default=0)
        case Object() | Transform():
            return 1
    return 1 + max(map(spine, _parts(node)), default=0)
