"""What an expression reads, found without evaluating it: variables, their fields, the input's."""

from __future__ import annotations

from dataclasses import dataclass

from . import nodes
from .nodes import Node, children


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
            case nodes.Path():
                self._path(node, bound, at_root=at_root)
            case nodes.Variable():
                self._variable(node, (), bound)
            case nodes.Name() if at_root:
                self.roots.append(RootName(node.value, node.position))
            case nodes.Block():
                inner = set(bound)
                for part in node.expressions:
                    self.read(part, inner, at_root=at_root)
            case nodes.Lambda():
                self.read(node.body, bound | set(node.parameters), at_root=at_root)
            case nodes.Bind():
                if isinstance(node.value, nodes.Lambda):
                    bound.add(node.name)  # a function may call itself
                self.read(node.value, bound, at_root=at_root)
                bound.add(node.name)
            case _:
                here = at_root and not isinstance(node, nodes.Transform)
                for part in children(node):
                    self.read(part, bound, at_root=here)
        self._trailing(node, bound)

    def _path(self, path: nodes.Path, bound: set[str], *, at_root: bool) -> None:
        first, *rest = path.steps
        names = _constant_names(rest)
        if isinstance(first, nodes.Variable):
            self._variable(first, names if not _is_filtered(first) else (), bound)
            self._trailing(first, bound)
        else:
            self.read(first, bound, at_root=at_root)
        inner = bound | {n for step in path.steps for n in (step.focus, step.index) if n}
        for step in rest:
            if not isinstance(step, nodes.Name):
                self.read(step, inner, at_root=False)
            else:
                self._trailing(step, inner)

    def _variable(self, node: nodes.Variable, names: tuple[str, ...], bound: set[str]) -> None:
        if node.name == "$":
            self.roots.append(RootName("$$", node.position))
        elif node.name not in bound:
            self.paths.add((node.name, *names))

    def _trailing(self, node: Node, bound: set[str]) -> None:
        """Read predicates and groupings: their context is not the input."""
        for stage in (*node.predicates, *node.stages):
            if isinstance(stage, nodes.Filter):
                self.read(stage.expression, bound, at_root=False)
        for pair in node.group.pairs if node.group is not None else ():
            for part in pair:
                self.read(part, bound, at_root=False)


def _constant_names(steps: list[Node]) -> tuple[str, ...]:
    names: list[str] = []
    for step in steps:
        if not isinstance(step, nodes.Name):
            break
        names.append(step.value)
        if _is_filtered(step):
            break
    return tuple(names)


def _is_filtered(node: Node) -> bool:
    """Return whether predicates other than a constant index follow."""
    return not all(
        isinstance(stage, nodes.Filter) and isinstance(stage.expression, nodes.Literal)
        for stage in (*node.predicates, *node.stages)
    )
