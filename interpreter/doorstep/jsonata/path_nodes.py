"""How the parser puts what it has read together: steps, predicates and bindings of paths.

Which step a ``%`` means (https://docs.jsonata.org/path-operators) is decided here as well. Every
``%`` has a slot. It travels up the tree (``seeking``) to the path that it stands in, and from there
back along the steps; the step it ends at puts its own input into the tuples under the slot's label.
"""

from __future__ import annotations

from typing import Any, TypeVar

from . import nodes
from .errors import JSONataError
from .nodes import Node


def text_of(node: Node) -> Any:
    """Return what stands at a node, for messages."""
    if node.predicates or node.group:
        return "[" if node.predicates else "{"
    match node:
        case nodes.Path(steps=[nodes.Name(value=value), *_]) | nodes.Literal(value=value):
            return value
        case nodes.Variable(name=name):
            return name
        case nodes.Binary(operator=operator):
            return operator
    return type(node).__name__.lower()


def path_of(node: Node) -> nodes.Path:
    """Return a path of one step."""
    return nodes.Path(node.position, [node])


def is_lambda(node: Node) -> bool:
    """Return whether ``(`` after this node begins a lambda's parameters."""
    match node:
        case nodes.Path(steps=[nodes.Name(value="function" | "λ") as name], group=None):
            return not name.stages
    return False


def binary(operator: str, at: int, left: Node, right: Node) -> nodes.Binary:
    """``left operator right``; what seeks an ancestor in either seeks it further out."""
    return pass_up(nodes.Binary(at, operator, left, right), left, right)


def join_step(left: Node, right: Node) -> nodes.Path:
    """``left.right`` as one path; string literals in it are names."""
    path = left if isinstance(left, nodes.Path) else nodes.Path(left.position, [_as_step(left)])
    if isinstance(left, nodes.Parent):
        path.seeking = [left.slot]
    if isinstance(right, nodes.Path):
        steps = right.steps
    else:
        right.stages, right.predicates = right.predicates, ()
        steps = [_as_step(right)]
    if path.steps[0].keep_array or any(step.keep_array for step in steps):
        path.keep_singleton = True
    path.steps.extend(steps)
    for step in (path.steps[0], path.steps[-1]):
        if isinstance(step, nodes.Array):
            step.constructed = True
    resolve(path)
    return path


def add_filter(left: Node, condition: Node, at: int) -> Node:
    """``left[condition]``."""
    step = left.steps[-1] if isinstance(left, nodes.Path) else left
    if step.group is not None:
        raise JSONataError("S0209", at)
    seek_in_predicate(step, condition)
    if isinstance(left, nodes.Path):
        step.stages = [*step.stages, nodes.Filter(condition)]
    else:
        step.predicates = [*step.predicates, nodes.Filter(condition)]
    return left


def add_order(path: nodes.Path, sort: nodes.Sort) -> Node:
    """``path^(terms)``."""
    path.steps.append(sort)
    resolve(path)
    return path


def _as_step(step: Node) -> Node:
    if not isinstance(step, nodes.Literal):
        return step
    if not isinstance(step.value, str):
        raise JSONataError("S0213", step.position, value=step.value)
    name = nodes.Name(step.position, step.value)
    name.keep_array, name.group = step.keep_array, step.group
    name.predicates, name.stages = step.predicates, step.stages
    return name


def keep_array(left: Node) -> Node:
    """``left[]``: a single result stays an array."""
    left.keep_array = True
    if isinstance(left, nodes.Path):
        step = left.steps[-1]
        is_indexed = step.index is not None or any(isinstance(s, nodes.Index) for s in step.stages)
        if step.focus is not None or not is_indexed:
            step.keep_array = left.keep_singleton = True
    return left


def bind_focus(left: Node, name: str, at: int) -> Node:
    """``left@$name``."""
    step = left.steps[-1] if isinstance(left, nodes.Path) else left
    if step.stages or step.predicates:
        raise JSONataError("S0215", at)
    if isinstance(step, nodes.Sort):
        raise JSONataError("S0216", at)
    step.focus = name
    step.tuple = True
    return left


def bind_index(left: Node, name: str) -> Node:
    """``left#$name``."""
    if isinstance(left, nodes.Path):
        path = left
    else:
        path = path_of(left)
        left.stages, left.predicates = left.predicates, ()
    step = path.steps[-1]
    if step.stages:
        step.stages = [*step.stages, nodes.Index(name)]
    else:
        step.index = name
    step.tuple = True
    return path


def mark_tail_calls(node: Node | None) -> bool:
    """Mark the calls whose value is the lambda's value: they need no stack. Return if any are."""
    match node:
        case nodes.Call() if not node.predicates:
            node.tail = True
            return True
        case nodes.Condition():
            return mark_tail_calls(node.then) | mark_tail_calls(node.otherwise)
        case nodes.Block(expressions=[*_, last]):
            return mark_tail_calls(last)
    return False


# -- which step a ``%`` means


_N = TypeVar("_N", bound=Node)


def pass_up(result: _N, *parts: Node | None) -> _N:
    """Return the result, which seeks what its parts seek."""
    for part in parts:
        if part is None or (part.seeking is None and not isinstance(part, nodes.Parent)):
            continue
        slots = _slots(part)
        if result.seeking is None:
            result.seeking = slots
        else:
            result.seeking.extend(slots)
    return result


def _slots(node: Node) -> list[nodes.Slot]:
    """Return the slots that still seek their step, a ``%``'s own included."""
    slots = node.seeking if node.seeking is not None else []
    if isinstance(node, nodes.Parent):
        slots.append(node.slot)
    return slots


def resolve(path: nodes.Path) -> None:
    """Find the steps for the slots of the last one; the path passes up the others."""
    for slot in _slots(path.steps[-1]):
        _walk_back(path, slot)


def _walk_back(path: nodes.Path, slot: nodes.Slot) -> None:
    index = len(path.steps) - 2
    while slot.level > 0:
        if index < 0:
            path.seeking = [*(path.seeking or []), slot]
            return
        step = path.steps[index]
        index -= 1
        while index >= 0 and step.focus and path.steps[index].focus:
            step = path.steps[index]
            index -= 1
        seek(step, slot)


def seek_in_predicate(step: Node, predicate: Node) -> None:
    """Return a predicate's ``%`` means the input of the step that it filters."""
    for slot in predicate.seeking or []:
        if slot.level == 1:
            seek(step, slot)
        else:
            slot.level -= 1
    if predicate.seeking is not None:
        pass_up(step, predicate)


def seek(node: Node, slot: nodes.Slot) -> None:
    """Go one step back; at level 0 the step becomes the one that the slot means."""
    match node:
        case nodes.Name() | nodes.Wildcard():
            slot.level -= 1
            if slot.level == 0:
                if node.ancestor is not None:
                    slot.label = node.ancestor.label
                node.ancestor = slot
                node.tuple = True
        case nodes.Parent():
            slot.level += 1
        case nodes.Block():
            if node.expressions:
                node.tuple = True
                seek(node.expressions[-1], slot)
        case nodes.Path():
            node.tuple = True
            index = len(node.steps) - 1
            seek(node.steps[index], slot)
            while slot.level > 0 and index > 0:
                index -= 1
                seek(node.steps[index], slot)
        case _:
            raise JSONataError("S0217", node.position, type(node).__name__.lower())
