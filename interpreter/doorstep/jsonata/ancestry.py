"""Which step a ``%`` means: found once, when the tree is built.

Every ``%`` has a slot. It travels up the tree (``seeking``) to the path that it stands in, and
from there back along the steps; the step it ends at puts its own input into the tuples under the
slot's label.
"""

from __future__ import annotations

from .errors import JSONataError
from .nodes import Block, Name, Node, Parent, Path, Slot, Wildcard


def pass_up(result: Node, part: Node) -> None:
    """What a part seeks, the whole seeks."""
    if part.seeking is None and not isinstance(part, Parent):
        return
    slots = part.seeking if part.seeking is not None else []
    if isinstance(part, Parent):
        slots.append(part.slot)
    if result.seeking is None:
        result.seeking = slots
    else:
        result.seeking.extend(slots)


def resolve(path: Path) -> None:
    """Let the slots of the last step find their steps; the path goes on seeking for the others."""
    last = path.steps[-1]
    slots = last.seeking if last.seeking is not None else []
    if isinstance(last, Parent):
        slots.append(last.slot)
    for slot in slots:
        _walk_back(path, slot)


def _walk_back(path: Path, slot: Slot) -> None:
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
    """A predicate's ``%`` means the input of the step that it filters."""
    for slot in predicate.seeking or []:
        if slot.level == 1:
            seek(step, slot)
        else:
            slot.level -= 1
    if predicate.seeking is not None:
        pass_up(step, predicate)


def seek(node: Node, slot: Slot) -> None:
    """Go one step back; at level 0 the step becomes the one that the slot means."""
    match node:
        case Name() | Wildcard():
            slot.level -= 1
            if slot.level == 0:
                if node.ancestor is not None:
                    slot.label = node.ancestor.label
                node.ancestor = slot
                node.tuple = True
        case Parent():
            slot.level += 1
        case Block():
            if node.expressions:
                node.tuple = True
                seek(node.expressions[-1], slot)
        case Path():
            node.tuple = True
            index = len(node.steps) - 1
            seek(node.steps[index], slot)
            while slot.level > 0 and index > 0:
                index -= 1
                seek(node.steps[index], slot)
        case _:
            raise JSONataError("S0217", node.position, type(node).__name__.lower())
