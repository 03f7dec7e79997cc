"""The state to test: one of a whole definition, or one that is given alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..definitions import load
from ..errors import ApiError, DefinitionError
from ..model.definition import State, targets_of, workflow
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
    for state in workflow(fields).scope.walk():
        if state.name == (name or STATE_NAME):
            return state
    raise ApiError("ValidationException", "State not found in definition")


def _alone(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a machine around one state: where its transitions lead, something has to be."""
    targets = (target for _, target in targets_of(fields) if isinstance(target, str))
    ends = {target: {"Type": "Succeed"} for target in targets}
    return {"StartAt": STATE_NAME, "States": {**ends, STATE_NAME: fields}}
