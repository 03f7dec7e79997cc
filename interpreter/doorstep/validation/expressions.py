"""Payload templates, Assign and JSONata strings: the values that are computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..definitions.documents import has_placeholder
from .fields import Field
from .findings import Found, Place, error, expected
from .jsonpath import is_template_value

OPEN, CLOSE = "{%", "%}"
MAX_VARIABLE_NAME = 80


def is_written_as_expression(value: Any) -> bool:
    """Whether a string has one of JSONata's delimiters where it belongs (" {% 1 %} " has none)."""
    return isinstance(value, str) and (value.startswith(OPEN) or value.endswith(CLOSE))


def jsonata(value: str, place: Place) -> Found:
    """A string of a JSONata state that is written as an expression."""
    if has_placeholder(value):
        return
    if not (value.startswith(OPEN) and value.endswith(CLOSE) and len(value) >= len(OPEN + CLOSE)):
        yield error(f"JSONata string must start with {OPEN} and end with {CLOSE}", place)
        return
    # JSONata is imported for the first expression: most definitions have none.
    from .jsonata import expression

    yield from expression(value[len(OPEN) : -len(CLOSE)].strip(), place)


def template(value: Any, field: Field, place: Place) -> Found:
    """Parameters, Arguments, Output and their like: any JSON with computed values in it."""
    return _expressions(value, place) if place.jsonata else _payload(value, place)


def variables(value: Any, field: Field, place: Place) -> Found:
    """Assign: a template whose members are variables."""
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", place)
        return
    for name in value:
        yield from _variable_name(name if place.jsonata else name.removesuffix(".$"), place)
    yield from template(value, field, place)


def _expressions(value: Any, place: Place) -> Found:
    match value:
        case str():
            if is_written_as_expression(value):
                yield from jsonata(value, place)
        case dict():
            for name, inner in value.items():
                yield from _expressions(inner, place.member(name))
        case list():
            for index, inner in enumerate(value):
                yield from _expressions(inner, place.item(index))


def _payload(value: Any, place: Place) -> Found:
    match value:
        case dict():
            for name, inner in value.items():
                if name.endswith(".$"):
                    yield from _computed(name, inner, place)
                else:
                    yield from _payload(inner, place.member(name))
        case list():
            for index, inner in enumerate(value):
                yield from _payload(inner, place.item(index))


def _computed(name: str, value: Any, place: Place) -> Found:
    reason = is_template_value(value)
    if reason is not None:
        text = "must be a valid JSONPath or a valid intrinsic function call"
        yield error(f"The value for the field '{name}' {text}", place, hint=reason)


def _variable_name(name: str, place: Place) -> Found:
    if name == "states":
        reserved = "Cannot assign to reserved variable '$states'."
        yield error(reserved, place, "RESERVED_VARIABLE_NAME")
    elif not name.isidentifier():
        text = f"Invalid variable name '{name}': the variable name contains invalid characters."
        yield error(text, place, "INVALID_VARIABLE_NAME")
    elif len(name) > MAX_VARIABLE_NAME:
        text = f"Invalid variable name '{name}': the variable name is too long."
        yield error(text, place, "INVALID_VARIABLE_NAME")
