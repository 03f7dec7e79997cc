"""Object functions, and those about values as such."""

from __future__ import annotations

import json

from .errors import JSONataError
from .fn_strings import to_string
from .run import OBJECT, Run
from .sequences import field_of, gather
from .values import NUMBERS, UNDEFINED, Sequence, Value, is_function, truthy


def keys(run: Run, value: Value = UNDEFINED) -> Value:
    """``$keys``: of an array, those of all its items, each once."""
    return Sequence(_names(value, run))


def _names(value: Value, run: Run) -> dict[str, None]:
    run.tick(1 + len(value) if isinstance(value, list | dict) else 1)
    if isinstance(value, list):
        return {name: None for item in value for name in _names(item, run)}
    return dict.fromkeys(value) if isinstance(value, dict) else {}


def lookup(run: Run, value: Value = UNDEFINED, name: Value = UNDEFINED) -> Value:
    """``$lookup``."""
    return field_of(value, name, run)


def spread(run: Run, value: Value = UNDEFINED) -> Value:
    """``$spread``: an object for every field."""
    if isinstance(value, list):
        run.tick(len(value))
        spreads = gather([spread(run, item) for item in value], run)
        return list(spreads) or UNDEFINED
    if isinstance(value, dict):
        run.tick(OBJECT * len(value))
        return Sequence([{name: member} for name, member in value.items()])
    return value


def merge(run: Run, objects: Value = UNDEFINED) -> Value:
    """``$merge``: the last of equal names wins."""
    if objects is UNDEFINED:
        return UNDEFINED
    merged: dict[str, Value] = {}
    for each in objects:
        run.tick(len(each) >> 4)
        merged.update(each)
    run.tick(OBJECT)
    return merged


def exists(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$exists``."""
    return value is not UNDEFINED


def boolean(run: Run, value: Value = UNDEFINED) -> Value:
    """``$boolean``."""
    return UNDEFINED if value is UNDEFINED else truthy(value, run)


def negation(run: Run, value: Value = UNDEFINED) -> Value:
    """``$not``."""
    return UNDEFINED if value is UNDEFINED else not truthy(value, run)


def type_of(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$type``."""
    if value is UNDEFINED:
        return UNDEFINED
    if value is None:
        return "null"
    if type(value) in NUMBERS:
        return "number"
    for kind, name in ((str, "string"), (bool, "boolean"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "function" if is_function(value) else "object"


def fail(_run: Run, message: Value = UNDEFINED) -> Value:
    """``$error``."""
    raise JSONataError("D3137", message=message or "$error() function evaluated")


def assert_that(_run: Run, condition: Value = UNDEFINED, message: Value = UNDEFINED) -> Value:
    """``$assert``."""
    if condition is UNDEFINED or not condition:
        raise JSONataError("D3141", message=message or "$assert() statement failed")
    return UNDEFINED


def clone(run: Run, value: Value = UNDEFINED) -> Value:
    """``$clone``: a deep copy, by way of JSON text as in jsonata-js."""
    if value is UNDEFINED:
        return UNDEFINED
    text = to_string(run, value)
    run.tick(len(text) // 2)
    return json.loads(text)
