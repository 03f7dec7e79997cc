"""The state to test: one of a whole definition, or one that is given alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..definitions import load
from ..errors import ApiError, DefinitionError
from ..model.definition import State, machine
from ..validation import check

STATE_NAME = "StateName"
"""What a state under test is called in its context object, whatever its name in the definition."""


def find(definition: str, name: str | None) -> State:
    """The state `name` of a definition, at any depth; without a name the definition is the state.

    Raises ApiError: InvalidDefinition for what CreateStateMachine would refuse, ValidationException
    when there is no such state.
    """
    try:
        fields = load(definition).definition
        if name is None:
            fields = _alone(fields)
        check(fields)
    except DefinitionError as refused:
        raise ApiError("InvalidDefinition", str(refused)) from refused
    for state in machine(fields).scope.walk():
        if state.name == (name or STATE_NAME):
            return state
    raise ApiError("ValidationException", "State not found in definition")


def _alone(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A machine around one state: where its transitions lead, something has to be."""
    ends = {target: {"Type": "Succeed"} for target in _targets(fields)}
    return {"StartAt": STATE_NAME, "States": {**ends, STATE_NAME: fields}}


def _targets(fields: Mapping[str, Any]) -> Iterator[str]:
    yield from (fields[name] for name in ("Next", "Default") if isinstance(fields.get(name), str))
    for name in ("Choices", "Catch"):
        rules = fields.get(name)
        for rule in rules if isinstance(rules, list) else ():
            if isinstance(rule, Mapping):
                yield from _targets(rule)
