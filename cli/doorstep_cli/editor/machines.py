"""The state machines in a text, and what stands at a place of them.

A text is a definition, or a SAM or CloudFormation template with definitions as objects or in
strings; all else has no machines, and no help is given in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from doorstep.definitions.templates import CLOUDFORMATION, SAM
from doorstep.definitions.tracing import literal_offsets
from doorstep.model import MACHINE, NESTED_RULE, STATES, Field, ObjectType, escape

from .text_tree import Member, Node, block, json_tree, yaml_tree

_TARGETS = ("StartAt", "Next", "Default")
_PROCESSORS = ("ItemProcessor", "Iterator")


@dataclass(frozen=True, slots=True)
class State:
    """A state as it is written: its member in `States`, and the scope that has it."""

    member: Member
    node: Node
    scope: Node
    outer: State | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.member.name

    @property
    def type(self) -> str:
        """Its type; empty while there is none."""
        return self.node.text("Type") or ""

    @property
    def pointer(self) -> str:
        """Its JSON Pointer, as `model.workflow` writes it."""
        way = ""
        if self.outer is not None:
            inner = scopes_of(self.outer.node)
            way = next((f"/{way}" for way, scope in inner if scope is self.scope), "")
            way = self.outer.pointer + way
        return f"{way}/States/{escape(self.name)}"


@dataclass(frozen=True, slots=True)
class Target:
    """A place that names a state: `StartAt`, `Next`, `Default`."""

    name: str
    node: Node
    scope: Node
    state: State | None
    """The state in which it stands; None for StartAt."""


@dataclass(frozen=True)
class Machine:
    """A state machine in a text: its name (empty for a definition), and its tree."""

    name: str
    root: Node
    yaml: bool
    """Whether it is written in YAML; a template in YAML may have it in a string of JSON."""
    type: Literal["STANDARD", "EXPRESS"] = "STANDARD"

    @cached_property
    def states(self) -> list[State]:
        """All states, those inside of others behind them."""
        return list(_states(self.root, None))

    @cached_property
    def targets(self) -> list[Target]:
        """All places that name a state."""
        scopes = [self.root, *(scope for one in self.states for _, scope in scopes_of(one.node))]
        starts = [
            Target(str(start.value), start, scope, None)
            for scope in scopes
            if (start := scope.own("StartAt")) is not None
        ]
        return starts + [target for state in self.states for target in _targets(state, state.node)]

    @property
    def jsonata(self) -> bool:
        """Whether its states are JSONata's unless they say otherwise."""
        return self.root.text("QueryLanguage") == "JSONata"

    def speaks_jsonata(self, state: State | None) -> bool:
        """Return whether the fields of a state have JSONata."""
        own = state.node.text("QueryLanguage") if state else None
        return self.jsonata if own is None else own == "JSONata"

    def variables(self) -> dict[str, list[tuple[State, Member]]]:
        """Return the variables with the states that assign them, and where."""
        assigned: dict[str, list[tuple[State, Member]]] = {}
        for state in self.states:
            for assign in _assigns(state.node):
                for member in assign.members:
                    name = member.name.removesuffix(".$")
                    assigned.setdefault(name, []).append((state, member))
        return assigned


def scopes_of(state: Node) -> Iterator[tuple[str, Node]]:
    """Yield the processor of a Map or the branches of a Parallel, each with the way to it."""
    for name in _PROCESSORS:
        if (processor := state.own(name)) is not None and processor.kind == "object":
            yield name, processor
    if (branches := state.own("Branches")) is not None:
        for index, branch in enumerate(branches.items):
            if branch.kind == "object":
                yield f"Branches/{index}", branch


def _states(scope: Node, outer: State | None) -> Iterator[State]:
    states = scope.own("States")
    for member in states.objects() if states else ():
        assert member.value is not None
        state = State(member, member.value, scope, outer)
        yield state
        for _, inner in scopes_of(member.value):
            yield from _states(inner, state)


def _targets(state: State, node: Node) -> Iterator[Target]:
    for member in node.members:
        if member.name in _TARGETS and member.value and isinstance(member.value.value, str):
            yield Target(member.value.value, member.value, state.scope, state)
        elif member.name in ("Choices", "Catch") and member.value:
            for rule in member.value.items:
                yield from _targets(state, rule)


def _assigns(state: Node) -> Iterator[Node]:
    for member in state.members:
        if member.name == "Assign" and member.value:
            yield member.value
        elif member.name in ("Choices", "Catch") and member.value:
            for rule in member.value.items:
                yield from _assigns(rule)


# The machines of a text ---------------------------------------------------------------------------


def machines(text: str, *, yaml: bool, cursor: int | None = None) -> list[Machine]:
    """Return the machines of a text; `cursor`: where somebody is typing."""
    root = yaml_tree(text, cursor) if yaml else json_tree(text)
    if root is None or root.kind != "object":
        return []
    resources = root.get("Resources")
    if resources is None or resources.kind != "object":
        known = root.get("States") is not None or root.get("StartAt") is not None
        return [Machine("", root, yaml)] if known else []
    return [
        machine
        for resource in resources.objects()
        if resource.value is not None
        and resource.value.text("Type") in (SAM, CLOUDFORMATION)
        and (machine := _of_resource(text, resource.name, resource.value, yaml=yaml)) is not None
    ]


def _of_resource(text: str, name: str, resource: Node, *, yaml: bool) -> Machine | None:
    properties = resource.get("Properties")
    if properties is None:
        return None
    kind = properties.text("Type") or properties.text("StateMachineType")
    express: Literal["STANDARD", "EXPRESS"] = "EXPRESS" if kind == "EXPRESS" else "STANDARD"
    root = properties.get("Definition")
    if root is None and (string := properties.get("DefinitionString")) is not None:
        root = _in_string(text, string)
        yaml = root is not None and not text.startswith("{", root.start)
    if root is None or root.kind != "object":
        return None
    return Machine(name, root, yaml, express)


def _in_string(text: str, string: Node) -> Node | None:
    """Return the tree of a definition in a block scalar, also below `Fn::Sub`."""
    if string.kind == "object":
        inner = string.members[0].value if string.members else None
        return _in_string(text, inner) if inner else None
    if string.kind == "array":
        return _in_string(text, string.items[0]) if string.items else None
    lines = block(text, string)
    if lines is None:
        return None
    if text[slice(*lines)].lstrip().startswith("{"):
        return json_tree(text, *lines)
    value = str(string.value)
    # What the value is read from is parsed once for both. Without a line feed at its end the last
    # scalar and what is around it would end at one place, which are two in the template.
    if value.endswith("\n") and (places := literal_offsets(text, lines[0], value)):
        return yaml_tree(value, whole=text, places=[*places, lines[1]])
    # Everything before is blank, so that the lines keep their offsets.
    return yaml_tree(_blanked(text, *lines))


def _blanked(text: str, start: int, end: int) -> str:
    """Return the lines between two offsets where they stand, all before them made spaces."""
    return re.sub(".", " ", text[:start]) + text[start:end]


# What stands at a place ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """What an offset of a text is in."""

    machine: Machine
    container: Node
    """The innermost object around it."""
    table: ObjectType | None
    """What the language says of this object; None for data, such as Parameters."""
    field: Field | None
    """The field whose value it is in; None outside of fields, and in data."""
    state: State | None
    member: Member | None
    """The member that it is in, of the container."""
    scalar: Node | None
    on_name: bool
    """In the member's name, rather than in its value."""
    names: tuple[str, ...]
    """The members around it, from the machine's root."""

    @property
    def jsonata(self) -> bool:
        """Whether its state's query language is JSONata."""
        return self.machine.speaks_jsonata(self.state)

    @property
    def scope(self) -> Node:
        """The scope whose states can be named here."""
        if self.names[-1:] == ("StartAt",):
            return self.container
        return self.state.scope if self.state else self.machine.root


def place_at(text: str, found: list[Machine], offset: int) -> Place | None:
    """Return what stands at an offset; None outside of the machines."""
    for machine in found:
        if machine.root.start <= offset <= max(machine.root.end, machine.root.start):
            start = Place(machine, machine.root, MACHINE, None, None, None, None, False, ())
            return _descend(text, start, offset)
    return None


def _descend(text: str, place: Place, offset: int) -> Place:
    member = _member_at(text, place.container, offset)
    if member is None:
        return place
    names = (*place.names, member.name)
    field = place.table.fields.get(member.name) if place.table else None
    here = replace(place, member=member, field=field, names=names)
    if offset <= member.end:
        return replace(here, on_name=True)
    return _in_value(text, here, member.value, offset) if member.value else here


def _in_value(text: str, place: Place, value: Node, offset: int) -> Place:
    kind = place.field.kind if place.field else None
    match value.kind:
        case "scalar":
            return replace(place, scalar=value)
        case "array":
            item = next((one for one in value.items if one.start <= offset <= one.end), None)
            field = place.field.item if place.field else None
            if kind == "rules":
                field = Field("rule")
            inner = replace(place, field=field)
            return _in_value(text, inner, item, offset) if item else inner
        case _ if kind == "states":
            return _in_states(text, replace(place, container=value, table=None), offset)
    table = place.field.object_type if place.field else None
    if kind == "rule":
        table = NESTED_RULE
    return _descend(text, replace(place, container=value, table=table, member=None), offset)


def _in_states(text: str, place: Place, offset: int) -> Place:
    member = _member_at(text, place.container, offset)
    if member is None or offset <= member.end or not member.value:
        on_name = member is not None and offset <= member.end
        return replace(place, member=member, field=None, on_name=on_name)
    state = next((one for one in place.machine.states if one.member is member), None)
    if member.value.kind != "object":
        return replace(place, member=member, field=None, scalar=member.value)
    table = STATES.get(state.type) if state else None
    inside = replace(place, container=member.value, state=state, member=None, field=None)
    inside = replace(inside, table=table or _ANY_STATE, names=(*place.names, member.name))
    return _descend(text, inside, offset)


_ANY_STATE = ObjectType("State", {"Type": STATES["Pass"].fields["Type"]})
"""A state whose type is not written yet."""


def _member_at(text: str, container: Node, offset: int) -> Member | None:
    """Return the member whose name or value holds an offset, or whose value is still missing."""
    for member in container.members:
        if member.start <= offset <= member.end:
            return member
        value = member.value
        if value is not None and value.start <= offset <= value.end and value.end > value.start:
            # A block of YAML ends where the next thing begins: then that comes first.
            follows = any(one.start == offset for one in container.members if one is not member)
            if not follows:
                return member
        empty = value is None or value.end == value.start
        if empty and member.end < offset and "\n" not in text[member.end : offset]:
            rest = text[member.end : offset].strip()
            if rest in ("", ":"):
                return member
    return None
