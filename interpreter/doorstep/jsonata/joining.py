"""How the parser puts what it has read together: steps, predicates and bindings of paths."""

from __future__ import annotations

from typing import Any

from . import ancestry
from .errors import JSONataError
from .nodes import (
    Array,
    Binary,
    Block,
    Call,
    Condition,
    Filter,
    Index,
    Literal,
    Name,
    Node,
    Parent,
    Path,
    Sort,
    Variable,
)


def text_of(node: Node) -> Any:
    """What stands at a node, for messages."""
    if node.predicates or node.group:
        return "[" if node.predicates else "{"
    match node:
        case Path(steps=[Name(value=value), *_]) | Literal(value=value):
            return value
        case Variable(name=name):
            return name
        case Binary(operator=operator):
            return operator
    return type(node).__name__.lower()


def path_of(node: Node) -> Path:
    return Path(node.position, [node])


def is_lambda(node: Node) -> bool:
    match node:
        case Path(steps=[Name(value="function" | "λ") as name], group=None):
            return not name.stages
    return False


def binary(operator: str, at: int, left: Node, right: Node) -> Binary:
    node = Binary(at, operator, left, right)
    ancestry.pass_up(node, left)
    ancestry.pass_up(node, right)
    return node


def join_step(left: Node, right: Node) -> Path:
    """``left.right`` as one path; string literals in it are names."""
    path = left if isinstance(left, Path) else Path(left.position, [_as_step(left)])
    if isinstance(left, Parent):
        path.seeking = [left.slot]
    if isinstance(right, Path):
        steps = right.steps
    else:
        right.stages, right.predicates = right.predicates, ()
        steps = [_as_step(right)]
    if path.steps[0].keep_array or any(step.keep_array for step in steps):
        path.keep_singleton = True
    path.steps.extend(steps)
    for step in (path.steps[0], path.steps[-1]):
        if isinstance(step, Array):
            step.constructed = True
    ancestry.resolve(path)
    return path


def add_filter(left: Node, condition: Node, at: int) -> Node:
    step = left.steps[-1] if isinstance(left, Path) else left
    if step.group is not None:
        raise JSONataError("S0209", at)
    ancestry.seek_in_predicate(step, condition)
    if isinstance(left, Path):
        step.stages = [*step.stages, Filter(condition, at)]
    else:
        step.predicates = [*step.predicates, Filter(condition, at)]
    return left


def add_order(path: Path, sort: Sort) -> Node:
    path.steps.append(sort)
    ancestry.resolve(path)
    return path


def _as_step(step: Node) -> Node:
    if not isinstance(step, Literal):
        return step
    if not isinstance(step.value, str):
        raise JSONataError("S0213", step.position, value=step.value)
    name = Name(step.position, step.value)
    name.keep_array, name.group = step.keep_array, step.group
    name.predicates, name.stages = step.predicates, step.stages
    return name


def keep_array(left: Node) -> Node:
    left.keep_array = True
    if isinstance(left, Path):
        step = left.steps[-1]
        is_indexed = step.index is not None or any(isinstance(s, Index) for s in step.stages)
        if step.focus is not None or not is_indexed:
            step.keep_array = left.keep_singleton = True
    return left


def bind_focus(left: Node, name: str, at: int) -> Node:
    step = left.steps[-1] if isinstance(left, Path) else left
    if step.stages or step.predicates:
        raise JSONataError("S0215", at)
    if isinstance(step, Sort):
        raise JSONataError("S0216", at)
    step.focus = name
    step.tuple = True
    return left


def bind_index(left: Node, name: str) -> Node:
    if isinstance(left, Path):
        path = left
    else:
        path = path_of(left)
        left.stages, left.predicates = left.predicates, ()
    step = path.steps[-1]
    if step.stages:
        step.stages = [*step.stages, Index(name)]
    else:
        step.index = name
    step.tuple = True
    return path


def mark_tail_calls(node: Node | None) -> None:
    """Calls whose value is the lambda's value: they need no stack."""
    match node:
        case Call() if not node.predicates:
            node.tail = True
        case Condition():
            mark_tail_calls(node.then)
            mark_tail_calls(node.otherwise)
        case Block(expressions=[*_, last]):
            mark_tail_calls(last)
