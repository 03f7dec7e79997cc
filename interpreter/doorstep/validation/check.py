"""Static validation of a definition, as strict as AWS's and in its words.

    validate   every diagnostic, as ValidateStateMachineDefinition lists them
    check      raises DefinitionError with CreateStateMachine's message when there is an error

Pure functions: a definition in, diagnostics out. Their order is AWS's where it is known: fields and
values as the definition is written, then transitions, then names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..definitions.documents import NOT_AN_OBJECT, TOO_DEEP, check_bounds, read_json
from ..errors import DefinitionError, Diagnostic, Severity, refusal
from . import graph, structure, warnings
from .findings import Machine, Place

MachineType = Literal["STANDARD", "EXPRESS"]


def validate(
    definition: Mapping[str, Any] | str,
    *,
    type: MachineType = "STANDARD",
    severity: Severity = "ERROR",
    resource_names: bool = False,
) -> list[Diagnostic]:
    """What AWS would say about a definition: JSON text, or the value of one.

    ``severity="WARNING"`` lists warnings as well. With ``resource_names`` a Task's Resource may be
    a name in place of an ARN, as in recordings that were masked.
    """
    try:
        value = read_json(definition) if isinstance(definition, str) else definition
        check_bounds(value)
    except DefinitionError as unreadable:
        return unreadable.diagnostics
    except RecursionError:
        return [TOO_DEEP]
    if not isinstance(value, Mapping):
        return [NOT_AN_OBJECT]
    jsonata = value.get("QueryLanguage", "JSONPath") != "JSONPath"
    place = Place(Machine(jsonata, type == "EXPRESS", resource_names), jsonata=jsonata)
    found = [
        *structure.machine(value, place),
        *graph.transitions(value, place),
        *graph.names(value, place),
    ]
    if severity == "WARNING":
        found += warnings.warnings(value, place)
    return found


def check(
    definition: Mapping[str, Any] | str,
    *,
    type: MachineType = "STANDARD",
    resource_names: bool = False,
) -> None:
    """Raise DefinitionError when AWS would refuse the definition; arguments as for `validate`."""
    if found := validate(definition, type=type, resource_names=resource_names):
        raise refusal(found)
