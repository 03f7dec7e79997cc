"""Which members the data of a workflow has, as far as its definition says so.

A shape is a tree of names. A state's input has the members that the states before it put there
(`explorer.flow_states` reads them off their fields), and those that states read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from doorstep.explorer import flow_states
from doorstep.explorer.flow import Fixed, Flow, Keys, Made, Put, Read, Unknown, Want
from doorstep.model import Scope, State, workflow

Shape = dict[str, "Shape"]
_ROUNDS = 2
"""Times that what flows along the transitions is followed: a loop brings members back."""
_MOST_LEVELS = 8

CONTEXT: Shape = {
    "Execution": {
        name: {}
        for name in ("Id", "Input", "Name", "RoleArn", "StartTime", "RedriveCount", "RedriveTime")
    },
    "Map": {"Item": {name: {} for name in ("Index", "Value", "Key", "Source")}},
    "State": {name: {} for name in ("EnteredTime", "Name", "RetryCount")},
    "StateMachine": {name: {} for name in ("Id", "Name")},
    "Task": {"Token": {}},
}
"""The context object: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html"""
ERROR_OUTPUT: Shape = {"Error": {}, "Cause": {}}


@dataclass(slots=True)
class Shapes:
    """What is known of the data, by state (its JSON Pointer) and by variable."""

    inputs: dict[str, Shape] = field(default_factory=dict)
    results: dict[str, Shape] = field(default_factory=dict)
    variables: Shape = field(default_factory=dict)


@dataclass
class Accepted:
    """A definition that AWS would accept, and what is known of its data once that is asked for."""

    definition: Mapping[str, Any]

    @cached_property
    def shapes(self) -> Shapes:
        """What is known of its data."""
        return shapes_of(self.definition)


def shapes_of(definition: Mapping[str, Any]) -> Shapes:
    """Return what is known of an accepted definition's data."""
    known, tree = Shapes(), workflow(definition)
    for _ in range(_ROUNDS):
        _follow(tree.scope, known)
    return known


def _follow(scope: Scope, known: Shapes) -> None:
    for state in scope.states.values():
        known.inputs.setdefault(state.pointer, {})
        for _, want in flow_states.reads(state):
            _note(want, state, known)
        for inner in state.scopes:
            start = inner.states[inner.start_at]
            _merge(known.inputs.setdefault(start.pointer, {}), _passed_in(state, known))
            _follow(inner, known)
        for way in flow_states.exits(state):
            for name, flow in way.assigned.items():
                _merge(known.variables.setdefault(str(name), {}), _shape(flow, state, known))
        for flow, target in _outputs(state):
            if target in scope.states:
                there = known.inputs.setdefault(scope.states[target].pointer, {})
                _merge(there, _shape(flow, state, known))


def _passed_in(state: State, known: Shapes) -> Shape:
    if state.type == "Map":
        return _shape(flow_states.item(state), state, known) if state.selector else {}
    return _shape(flow_states.arguments(state), state, known)


def _outputs(state: State) -> Iterator[tuple[Flow, str]]:
    for transition in state.transitions():
        if transition.target is not None:
            yield flow_states.exit_by(state, transition.clause).output, transition.target


def _note(want: Want, state: State, known: Shapes) -> None:
    """Add what a state reads: somebody has to put it there."""
    match want.flow:
        case Read(root, keys):
            _grow(_root(root, state, known), keys)
        case Made(members):
            for inner in members.values():
                _note(Want(inner), state, known)
        case Put(onto, _, value):
            _note(Want(onto), state, known)
            _note(Want(value), state, known)
        case Unknown(inner):
            for one in inner:
                _note(one, state, known)


def _root(root: str, state: State, known: Shapes) -> Shape:
    match root:
        case "input":
            return known.inputs.setdefault(state.pointer, {})
        case "result":
            return known.results.setdefault(state.pointer, {})
        case "error" | "context":
            return {}
    return known.variables.setdefault(root.removeprefix("$"), {})


def _grow(shape: Shape, keys: Keys) -> None:
    for key in keys[:_MOST_LEVELS]:
        if not isinstance(key, str):
            return
        shape = shape.setdefault(key, {})


def _shape(flow: Flow, state: State, known: Shapes) -> Shape:
    match flow:
        case Read(root, keys):
            return at(_root(root, state, known), [str(key) for key in keys])
        case Fixed(value):
            return _of_value(value)
        case Made(members):
            return {
                str(name): _shape(inner, state, known)
                for name, inner in members.items()
                if isinstance(name, str)
            }
        case Put(onto, keys, value):
            whole: Shape = {}
            _merge(whole, _shape(onto, state, known))
            _grow(whole, keys)
            _merge(at(whole, [str(key) for key in keys]), _shape(value, state, known))
            return whole
    return {}


def _of_value(value: Any, level: int = 0) -> Shape:
    if not isinstance(value, dict) or level >= _MOST_LEVELS:
        return {}
    return {str(name): _of_value(inner, level + 1) for name, inner in value.items()}


def _merge(into: Shape, other: Shape, level: int = 0) -> None:
    if into is other or level >= _MOST_LEVELS:
        return
    for name, inner in list(other.items()):
        _merge(into.setdefault(name, {}), inner, level + 1)


def at(shape: Shape, names: list[str]) -> Shape:
    """Return what is known of the data at some names; indexes are passed over."""
    for name in names:
        if not name.isdigit():
            shape = shape.get(name, {})
    return shape
