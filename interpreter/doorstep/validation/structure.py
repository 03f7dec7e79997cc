"""The structure of a definition against the grammar's tables: a walk that reports everything.

Within an object, AWS's order: what concerns the object as a whole, then its fields as written
(measured with ValidateStateMachineDefinition, as the sentences were: facts 204 to 211).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..model import MACHINE, NESTED_RULE, STATES, Field, ObjectType, several, speaks_jsonata
from ..values.did_you_mean import closest, did_you_mean
from ..values.timestamps import parse_timestamp
from . import computed, placeholders
from .diagnostics import Diagnostics, Location, error, expected, not_supported, only_one, required
from .object_rules import RULES

_LANGUAGE = (
    "The QueryLanguage is set to '{own}', but field '{field}' is only supported "
    "for the '{other}' QueryLanguage"
)
_INSTEAD = {
    "InputPath": "Arguments, from $states.input",
    "Parameters": "Arguments, or a Map's ItemSelector",
    "ResultSelector": "Output, from $states.result",
    "ResultPath": "Output, or a variable in Assign",
    "OutputPath": "Output",
    "Result": "Output",
    "ItemsPath": "Items",
    "Variable": "Condition",
    "Arguments": "Parameters",
    "Output": "ResultSelector, ResultPath and OutputPath",
    "Items": "ItemsPath",
    "Condition": "Variable with a comparison",
}
_MIXED = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"


def machine(definition: Mapping[str, Any], location: Location) -> Diagnostics:
    """Check fields and their values, of the machine and of all inside it."""
    return check_object(definition, MACHINE, location)


def check_object(value: Any, object_type: ObjectType, location: Location) -> Diagnostics:
    """Check an object and what is in it."""
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", location)
        return
    yield from _fields(value, object_type, location)
    yield from _exclusive(value, object_type, location)
    for rule in RULES.get(object_type.name, ()):
        yield from rule(value, location)
    for name, inner in value.items():
        field = object_type.fields.get(name)
        if field is not None and field.language in (None, location.language):
            yield from check(inner, field, location.member(name))


def check(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check the value of one field: a literal or, in JSONata, an expression (fact 214)."""
    if field.reads:
        location = location.reading(field.reads)
    if field.expression and location.jsonata and computed.is_written_as_expression(value):
        return computed.jsonata(value, location)
    found = _CHECKS[field.kind](value, field, location)
    if isinstance(value, str) and location.left_open(value) and any(found):
        return placeholders.in_field(value, field, location)
    return found


def _fields(value: Mapping[str, Any], object_type: ObjectType, location: Location) -> Diagnostics:
    """Report fields of the other language (fact 9), unknown (204) and missing ones (206)."""
    for name in value:
        field = object_type.fields.get(name)
        if field is None:
            yield not_supported(name, location, _hint(name, object_type))
        elif field.language not in (None, location.language) and not location.mixed:
            text = _LANGUAGE.format(own=location.language, field=name, other=field.language)
            instead = _INSTEAD.get(name)
            hint = f"in a {location.language} state it is {instead}" if instead else None
            yield error(text, location, hint=hint)
    if missing := [name for name in object_type.required if name not in value]:
        yield required(missing, location)


def _hint(name: str, object_type: ObjectType) -> str | None:
    """Return where a field belongs that a state does not have, or how it may be spelt."""
    types = [kind for kind, other in STATES.items() if name in other.fields]
    if object_type.name in STATES and types:
        return f"only {', '.join(types)} states have it"
    return did_you_mean(name, object_type.fields)


def _exclusive(
    value: Mapping[str, Any], object_type: ObjectType, location: Location
) -> Diagnostics:
    """Report fields of which there may be one (facts 206, 207)."""
    for group in object_type.exclusive:
        # "End": false is as good as no End (measured on AWS by the authors of cdk-preflight).
        present = [name for name in group.names if name in value and value[name] is not False]
        if len(present) > 1 or (group.needed and not present):
            yield only_one(group.names, len(present), location)


def _state(value: Any, location: Location) -> Diagnostics:
    """Check a state by its Type (fact 210) and in its language (facts 10 to 12)."""
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", location)
        return
    if "Type" not in value:
        misspelt = closest("Type", value)
        hint = f"Field '{misspelt}' is not supported; did you mean 'Type'?" if misspelt else None
        yield required(("Type",), location, hint)
        return
    kind = value["Type"]
    if not isinstance(kind, str) or kind not in STATES:
        hint = did_you_mean(kind, STATES) if isinstance(kind, str) else None
        types = ", ".join(STATES)
        text = f"The field 'Type' should have one of these values: [{types}]"
        yield error(text, location.member("Type"), hint=hint)
        return
    jsonata = speaks_jsonata(value, location.machine.jsonata)
    mixed = location.machine.jsonata and not jsonata
    if mixed:
        yield error(_MIXED, location)
    yield from check_object(
        value, STATES[kind], location.speaking(jsonata=jsonata, mixed=mixed, task=kind == "Task")
    )


def _states(value: Any, field: Field, location: Location) -> Diagnostics:
    # Fact 201: States is an object and not empty.
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", location)
    elif not value:
        yield error("Value cannot be empty", location)
    else:
        for name, state in value.items():
            yield from location.machine.found(_state, state, location.member(name))


def _object(value: Any, field: Field, location: Location) -> Diagnostics:
    if value == {} and field.filled:
        yield error("Value cannot be empty", location)
    elif field.object_type is not None:
        yield from check_object(value, field.object_type, location)


def _list(value: Any, field: Field, location: Location) -> Diagnostics:
    # Fact 211: Branches, Choices and the like cannot be empty.
    if not isinstance(value, list):
        yield expected("[ARRAY]", location)
    elif not value and field.filled:
        yield error("Value cannot be empty", location)
    elif field.item is not None:
        for index, item in enumerate(value):
            yield from check(item, field.item, location.item(index))


def _rules(value: Any, field: Field, location: Location) -> Diagnostics:
    return _list(value, _NESTED_RULES, location)


def _rule(value: Any, field: Field, location: Location) -> Diagnostics:
    return check_object(value, NESTED_RULE, location)


def _enum(value: Any, field: Field, location: Location) -> Diagnostics:
    # Fact 208: one of some words.
    if not isinstance(value, str):
        yield expected("[STRING]", location)
    elif value not in field.options:
        options = ", ".join(field.options)
        hint = did_you_mean(value, dict.fromkeys(field.options))
        yield error(f"Value should be one of the following: [{options}]", location, hint=hint)


def _number(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check a number and its range (fact 208)."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    fits = whole or (field.kind == "number" and isinstance(value, float))
    if not fits or isinstance(value, bool):
        yield expected("Integer", location)
    elif field.minimum is not None and value < field.minimum:
        yield error(f"Minimum value is {field.minimum}", location)
    elif field.maximum is not None and value > field.maximum:
        yield error(f"Maximum value is {field.maximum}", location)


def _timestamp(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check a timestamp that is written in the definition (facts 17, 18 and 145)."""
    if not isinstance(value, str):
        yield expected("[STRING]", location)
    elif parse_timestamp(value, any_case=location.jsonata) is None:
        yield error("String does not match RFC3339 timestamp", location)


def _typed(name: str, *types: type) -> Callable[[Any, Field, Location], Diagnostics]:
    def checked(value: Any, field: Field, location: Location) -> Diagnostics:
        if not isinstance(value, types):
            yield expected(name, location)

    return checked


_NESTED_RULES = several(Field("rule"), filled=True)
_CHECKS: Mapping[str, Callable[[Any, Field, Location], Diagnostics]] = {
    "any": lambda value, field, location: iter(()),
    "string": _typed("[STRING]", str),
    "boolean": _typed("[BOOLEAN]", bool),
    "integer": _number,
    "number": _number,
    "enum": _enum,
    "object": _object,
    "list": _list,
    "states": _states,
    "rule": _rule,
    "rules": _rules,
    "timestamp": _timestamp,
    "path": computed.path,
    "reference": computed.reference,
    "result path": computed.result_path,
    "text path": computed.text_path,
    "template": computed.template,
    "variables": computed.variables,
}
