"""Static validation of a definition, as strict as AWS's and in its words.

    validate   every diagnostic, as ValidateStateMachineDefinition lists them
    check      raises DefinitionError with CreateStateMachine's message when there is an error

Pure functions: a definition in, diagnostics out. Their order is AWS's where it is known: fields and
values as the definition is written, then transitions, then names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..definitions.documents import (
    NOT_AN_OBJECT,
    TOO_DEEP,
    check_bounds,
    check_size,
    json_text,
    read_json,
)
from ..definitions.substitution import WITHOUT_VALUE
from ..errors import DefinitionError, Diagnostic, Severity, refusal
from ..model import speaks_jsonata
from . import graph, structure, warnings
from .diagnostics import Location, MachineTraits
from .placeholders import left_as_text

MachineType = Literal["STANDARD", "EXPRESS"]


def validate(
    definition: Mapping[str, Any] | str,
    *,
    type: MachineType = "STANDARD",
    severity: Severity = "ERROR",
    resource_names: bool = False,
    placeholders: bool = True,
    runnable: bool = False,
) -> list[Diagnostic]:
    """Return what AWS would say about a definition: JSON text, or the value of one.

    ``severity="WARNING"`` lists warnings as well. With ``resource_names`` a Task's Resource may be
    a name in location of an ARN, as in recordings that were masked. With ``placeholders`` a text
    with ``${Name}`` is what deployment will make of it; to the API, which gets definitions after
    that, it is a text as any other. With ``runnable`` a path or an expression must have its value.

    Fact 25: the findings depend on the definition alone.
    """
    try:
        value = read_json(definition) if isinstance(definition, str) else definition
        check_bounds(value)
        check_size(definition if isinstance(definition, str) else json_text(value))
    except DefinitionError as unreadable:
        return unreadable.diagnostics
    except RecursionError:
        return [TOO_DEEP]
    if not isinstance(value, Mapping):
        return [NOT_AN_OBJECT]
    jsonata = speaks_jsonata(value)
    express = type == "EXPRESS"
    location = Location(
        MachineTraits(jsonata, express, resource_names, placeholders, runnable, value),
        jsonata=jsonata,
    )
    diagnostics = [
        *structure.machine(value, location),
        *graph.transitions(value, location),
        *graph.names(value, location),
        *graph.variables(value, location),
    ]
    if severity == "WARNING":
        reported = {one.location for one in diagnostics if one.code == WITHOUT_VALUE}
        diagnostics += warnings.warnings(value, location)
        diagnostics += [
            one for one in left_as_text(value, location) if one.location not in reported
        ]
        return diagnostics
    return [one for one in diagnostics if one.severity == "ERROR"]


def check(
    definition: Mapping[str, Any] | str,
    *,
    type: MachineType = "STANDARD",
    resource_names: bool = False,
    placeholders: bool = True,
    runnable: bool = False,
) -> None:
    """Raise DefinitionError when AWS would refuse the definition; arguments as for `validate`.

    Facts 220 and 222: errors alone refuse it, all of them in one message.
    """
    if diagnostics := validate(
        definition,
        type=type,
        resource_names=resource_names,
        placeholders=placeholders,
        runnable=runnable,
    ):
        raise refusal(diagnostics)
