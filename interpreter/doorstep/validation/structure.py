"""The structure of a definition against the tables of `schema`: a walk that finds everything.

Within an object, AWS's order: what concerns the object as a whole, then its fields as written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from ..definitions.documents import has_placeholder
from ..values.did_you_mean import did_you_mean
from ..values.timestamps import parse_timestamp
from .choices import CHOICE_RULES
from .expressions import is_written_as_expression, jsonata, template, variables
from .fields import Field, Shape, several
from .findings import Found, Place, Rule, error, expected, not_supported, only_one, required
from .jsonpath import path, reference, result_path, text_path
from .maps import MAP_RULES
from .objects import MACHINE, NESTED_RULE
from .retriers import RETRY_RULES
from .states import STATES
from .tasks import TASK_RULES

_TABLES = (TASK_RULES, MAP_RULES, CHOICE_RULES, RETRY_RULES)
RULES: Mapping[str, tuple[Rule, ...]] = {
    name: tuple(rule for table in _TABLES for rule in table.get(name, ()))
    for name in chain(*_TABLES)
}
"""Rules across the fields of an object, by the name of its shape."""

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


def machine(definition: Mapping[str, Any], place: Place) -> Found:
    """Every diagnostic about fields and their values, of the machine and all inside it."""
    return check_object(definition, MACHINE, place)


def check_object(value: Any, shape: Shape, place: Place) -> Found:
    """An object and what is in it."""
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", place)
        return
    yield from _fields(value, shape, place)
    yield from _exclusive(value, shape, place)
    for rule in RULES.get(shape.name, ()):
        yield from rule(value, place)
    for name, inner in value.items():
        field = shape.fields.get(name)
        if field is not None and field.language in (None, place.language):
            yield from check(inner, field, place.member(name))


def check(value: Any, field: Field, place: Place) -> Found:
    """The value of one field."""
    if field.error_output:
        place = place.catching()
    if field.expression and place.jsonata and is_written_as_expression(value):
        return jsonata(value, place)
    if isinstance(value, str) and has_placeholder(value):
        return iter(())
    return _CHECKS[field.kind](value, field, place)


def _fields(value: Mapping[str, Any], shape: Shape, place: Place) -> Found:
    """Fields of the other language, fields that there are none, fields that are missing."""
    for name in value:
        field = shape.fields.get(name)
        if field is None:
            yield not_supported(name, place, _hint(name, shape))
        elif field.language not in (None, place.language) and not place.mixed:
            text = _LANGUAGE.format(own=place.language, field=name, other=field.language)
            instead = _INSTEAD.get(name)
            hint = f"in a {place.language} state it is {instead}" if instead else None
            yield error(text, place, hint=hint)
    if missing := [name for name in shape.required if name not in value]:
        yield required(missing, place)


def _hint(name: str, shape: Shape) -> str | None:
    """Where a field belongs that a state does not have, or how it may be spelt."""
    types = [kind for kind, other in STATES.items() if name in other.fields]
    if shape.name in STATES and types:
        return f"only {', '.join(types)} states have it"
    return did_you_mean(name, shape.fields)


def _exclusive(value: Mapping[str, Any], shape: Shape, place: Place) -> Found:
    for group in shape.exclusive:
        # "End": false is as good as no End (so in cdk-preflight's rule, measured on AWS).
        found = [name for name in group.names if name in value and value[name] is not False]
        if len(found) > 1 or (group.needed and not found):
            yield only_one(group.names, len(found), place)


def _state(value: Any, place: Place) -> Found:
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", place)
        return
    if "Type" not in value:
        yield required(("Type",), place)
        return
    kind = value["Type"]
    if not isinstance(kind, str) or kind not in STATES:
        hint = did_you_mean(kind, STATES) if isinstance(kind, str) else None
        types = ", ".join(STATES)
        text = f"The field 'Type' should have one of these values: [{types}]"
        yield error(text, place.member("Type"), hint=hint)
        return
    # Without a language of its own it has the machine's, not the enclosing state's (measured).
    own = value.get("QueryLanguage", None if place.machine.jsonata else "JSONPath")
    mixed = place.machine.jsonata and own == "JSONPath"
    if mixed:
        yield error(_MIXED, place)
    yield from check_object(
        value, STATES[kind], place.speaking(jsonata=own != "JSONPath", mixed=mixed)
    )


def _states(value: Any, field: Field, place: Place) -> Found:
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", place)
    elif not value:
        yield error("Value cannot be empty", place)
    else:
        for name, state in value.items():
            yield from _state(state, place.member(name))


def _object(value: Any, field: Field, place: Place) -> Found:
    if value == {} and field.filled:
        yield error("Value cannot be empty", place)
    elif field.shape is not None:
        yield from check_object(value, field.shape, place)


def _list(value: Any, field: Field, place: Place) -> Found:
    if not isinstance(value, list):
        yield expected("[ARRAY]", place)
    elif not value and field.filled:
        yield error("Value cannot be empty", place)
    elif field.item is not None:
        for index, item in enumerate(value):
            yield from check(item, field.item, place.item(index))


def _rules(value: Any, field: Field, place: Place) -> Found:
    return _list(value, _NESTED_RULES, place)


def _rule(value: Any, field: Field, place: Place) -> Found:
    return check_object(value, NESTED_RULE, place)


def _enum(value: Any, field: Field, place: Place) -> Found:
    if not isinstance(value, str):
        yield expected("[STRING]", place)
    elif value not in field.options:
        options = ", ".join(field.options)
        hint = did_you_mean(value, dict.fromkeys(field.options))
        yield error(f"Value should be one of the following: [{options}]", place, hint=hint)


def _number(value: Any, field: Field, place: Place) -> Found:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    fits = whole or (field.kind == "number" and isinstance(value, float))
    if not fits or isinstance(value, bool):
        yield expected("Integer", place)
    elif field.minimum is not None and value < field.minimum:
        yield error(f"Minimum value is {field.minimum}", place)
    elif field.maximum is not None and value > field.maximum:
        yield error(f"Maximum value is {field.maximum}", place)


def _timestamp(value: Any, field: Field, place: Place) -> Found:
    if not isinstance(value, str):
        yield expected("[STRING]", place)
    elif parse_timestamp(value) is None:
        yield error("String does not match RFC3339 timestamp", place)


def _typed(name: str, *types: type) -> Callable[[Any, Field, Place], Found]:
    def checked(value: Any, field: Field, place: Place) -> Found:
        if not isinstance(value, types):
            yield expected(name, place)

    return checked


_NESTED_RULES = several(Field("rule"), filled=True)
_CHECKS: Mapping[str, Callable[[Any, Field, Place], Found]] = {
    "any": lambda value, field, place: iter(()),
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
    "path": path,
    "reference": reference,
    "result path": result_path,
    "text path": text_path,
    "template": template,
    "variables": variables,
}
