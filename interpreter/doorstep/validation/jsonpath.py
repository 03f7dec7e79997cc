"""JSONPath, Reference Paths and intrinsic calls: their syntax, checked by those who run them."""

from __future__ import annotations

from typing import Any

from ..definitions.documents import has_placeholder
from ..intrinsics.grammar import IntrinsicSyntaxError, parse_intrinsic
from ..jsonpath import PathSyntaxError, compile_path, compile_reference
from .fields import Field
from .findings import Found, Place, error, expected

_NOT_A_PATH = "Value must be a valid JSONPath."
_NO_REFERENCE = "Value is not a Reference Path"


def path(value: Any, field: Field, place: Place) -> Found:
    """InputPath and OutputPath: any path, or null."""
    if value is None:
        return
    if not isinstance(value, str):
        yield expected("[STRING]", place)
        return
    if (reason := _path_problem(value)) is not None:
        yield error(_NOT_A_PATH, place, hint=reason)


def reference(value: Any, field: Field, place: Place) -> Found:
    """A path that leads to one value: Variable, ItemsPath and the …Path fields."""
    if not isinstance(value, str):
        yield expected("[STRING]", place)
    elif not value.startswith("$"):
        yield error(f"{_NO_REFERENCE}: Reference path didn't start with '$'", place)
    elif (reason := _path_problem(value)) is not None:
        yield error(f"{_NO_REFERENCE}: {reason}", place)
    elif not compile_path(value).definite:
        yield error(
            _NO_REFERENCE, place, hint="wildcards, slices and filters may match many values"
        )


def result_path(value: Any, field: Field, place: Place) -> Found:
    """ResultPath: names and indexes on `$`, or null."""
    if value is None:
        return
    if not isinstance(value, str):
        yield expected("[STRING]", place)
    elif not value.startswith("$"):
        yield error(f"{_NO_REFERENCE}: Reference path didn't start with '$'", place)
    else:
        try:
            if compile_reference(value).root:
                yield error(_NO_REFERENCE, place, hint="a result can be put into $ only")
        except PathSyntaxError as problem:
            yield error(_NO_REFERENCE, place, hint=problem.reason)


def text_path(value: Any, field: Field, place: Place) -> Found:
    """ErrorPath and CausePath: a path or an intrinsic call."""
    if not isinstance(value, str):
        yield expected("[STRING]", place)
    elif (reason := is_template_value(value)) is not None:
        yield error(_NOT_A_PATH, place, hint=reason)


def is_template_value(value: Any) -> str | None:
    """What is wrong with the value of a `.$` field; None when nothing is."""
    if not isinstance(value, str):
        return "a field whose name ends in .$ has a string for its value"
    if has_placeholder(value):
        return None
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
