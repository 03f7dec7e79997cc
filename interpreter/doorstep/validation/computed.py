"""Values that are computed: payload templates, variables, JSONata strings, paths, intrinsic calls.

Their syntax is checked by those who run them. Sources: https://states-language.net/spec.html,
"Payload Template", "Paths", "Reference Paths", "Intrinsic Functions" and "Assigning variables";
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html for JSONata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..intrinsics import IntrinsicSyntaxError, parse_intrinsic
from ..jsonpath import PathSyntaxError, compile_path, compile_reference
from ..model import Field
from . import placeholders
from .diagnostics import Diagnostics, Location, error, expected

OPEN, CLOSE = "{%", "%}"
MAX_VARIABLE_NAME = 80


def is_written_as_expression(value: Any) -> bool:
    """Return whether a string starts or ends as JSONata (" {% 1 %} " does not)."""
    return isinstance(value, str) and (value.startswith(OPEN) or value.endswith(CLOSE))


def jsonata(value: str, location: Location) -> Diagnostics:
    """Check a string of a JSONata state that is written as an expression (facts 6, 7, 212)."""
    if not (value.startswith(OPEN) and value.endswith(CLOSE) and len(value) >= len(OPEN + CLOSE)):
        yield error(f"JSONata string must start with {OPEN} and end with {CLOSE}", location)
        return
    # JSONata is imported for the first expression: most definitions have none.
    from .jsonata import expression

    found = list(expression(value[len(OPEN) : -len(CLOSE)].strip(), location))
    if found and location.left_open(value):
        yield from placeholders.computed(value, location)
    else:
        yield from found


def template(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check Parameters, Arguments, Output and their like (facts 214, 324)."""
    expression = location.jsonata and is_written_as_expression(value)
    if field.members and not isinstance(value, Mapping) and not expression:
        return iter([expected("[OBJECT]", location)])
    return _expressions(value, location) if location.jsonata else _payload(value, location)


def variables(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check Assign: a template whose members are variables."""
    if not isinstance(value, Mapping):
        yield expected("[OBJECT]", location)
        return
    for name in value:
        yield from _variable_name(name if location.jsonata else name.removesuffix(".$"), location)
    yield from template(value, field, location)


def _expressions(value: Any, location: Location) -> Diagnostics:
    match value:
        case str():
            if is_written_as_expression(value):
                yield from jsonata(value, location)
        case dict():
            for name, inner in value.items():
                yield from _expressions(inner, location.member(name))
        case list():
            for index, inner in enumerate(value):
                yield from _expressions(inner, location.item(index))


def _payload(value: Any, location: Location) -> Diagnostics:
    match value:
        case dict():
            for name, inner in value.items():
                if name.endswith(".$"):
                    yield from _computed(name, inner, location)
                else:
                    yield from _payload(inner, location.member(name))
        case list():
            for index, inner in enumerate(value):
                yield from _payload(inner, location.item(index))


def _computed(name: str, value: Any, location: Location) -> Diagnostics:
    """Check the value of a member whose name ends in `.$` (facts 27, 219)."""
    reason = is_template_value(value)
    if reason is not None and isinstance(value, str) and location.left_open(value):
        yield from placeholders.computed(value, location.member(name))
    elif reason is not None:
        text = "must be a valid JSONPath or a valid intrinsic function call"
        yield error(f"The value for the field '{name}' {text}", location, hint=reason)


def _variable_name(name: str, location: Location) -> Diagnostics:
    """Check a variable's name (fact 333)."""
    if name == "states":
        reserved = "Cannot assign to reserved variable '$states'."
        yield error(reserved, location, "RESERVED_VARIABLE_NAME")
    elif not name.isidentifier() or name.startswith("_"):  # fact 143
        text = f"Invalid variable name '{name}': the variable name contains invalid characters."
        yield error(text, location, "INVALID_VARIABLE_NAME")
    elif len(name) > MAX_VARIABLE_NAME:
        text = f"Invalid variable name '{name}': the variable name is too long."
        yield error(text, location, "INVALID_VARIABLE_NAME")


# Paths ------------------------------------------------------------------------------------------

_NOT_A_PATH = "Value must be a valid JSONPath."
_NO_REFERENCE = "Value is not a Reference Path"


def path(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check InputPath and OutputPath: any path, or null."""
    if value is None:
        return
    if not isinstance(value, str):
        yield expected("[STRING]", location)
        return
    if (reason := _path_problem(value)) is not None:
        yield error(_NOT_A_PATH, location, hint=reason)


def reference(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check a path that leads to one value, as in Variable and ItemsPath (fact 325)."""
    if not isinstance(value, str):
        yield expected("[STRING]", location)
    elif not value.startswith("$"):
        yield error(f"{_NO_REFERENCE}: Reference path didn't start with '$'", location)
    elif (reason := _path_problem(value)) is not None:
        yield error(f"{_NO_REFERENCE}: {reason}", location)
    elif not compile_path(value).definite:
        yield error(
            _NO_REFERENCE, location, hint="wildcards, slices and filters may match many values"
        )


def result_path(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check ResultPath: names and indexes on `$`, or null (facts 49, 323, 325)."""
    if value is None:
        return
    if not isinstance(value, str):
        yield expected("[STRING]", location)
    elif not value.startswith("$"):
        yield error(f"{_NO_REFERENCE}: Reference path didn't start with '$'", location)
    else:
        try:
            if compile_reference(value).root:
                yield error(_NO_REFERENCE, location, hint="a result can be put into $ only")
        except PathSyntaxError as problem:
            yield error(_NO_REFERENCE, location, hint=problem.reason)


def text_path(value: Any, field: Field, location: Location) -> Diagnostics:
    """Check ErrorPath and CausePath: a path or an intrinsic call (facts 19, 265)."""
    if not isinstance(value, str):
        yield expected("[STRING]", location)
    elif (reason := is_template_value(value)) is not None:
        yield error(_NOT_A_PATH, location, hint=reason)


def is_template_value(value: Any) -> str | None:
    """Return what is wrong with the value of a `.$` field; None when nothing is."""
    if not isinstance(value, str):
        return "a field whose name ends in .$ has a string for its value"
    if value.startswith("$"):
        return _path_problem(value)
    try:
        parse_intrinsic(value)
    except IntrinsicSyntaxError as problem:
        return problem.reason
    return None


def _path_problem(value: str) -> str | None:
    try:
        compile_path(value)
    except PathSyntaxError as problem:
        return problem.reason
    return None
