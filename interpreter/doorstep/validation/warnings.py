"""What AWS warns of: values that look computed but are taken as they are written.

The codes are AWS's (fact 221), the sentences those of its page on
ValidateStateMachineDefinitionDiagnostic; no recording shows them. JSONPath states only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..intrinsics import IntrinsicSyntaxError, parse_intrinsic
from ..jsonpath import PathSyntaxError, compile_path
from ..model import STATES, Fields, speaks_jsonata
from .diagnostics import Diagnostics, Location, error
from .graph import all_states

_WITH_PATH = {
    name for state in STATES.values() for name in state.fields if f"{name}Path" in state.fields
}
_TEMPLATES = ("Parameters", "ResultSelector", "ItemSelector", "Assign", "Credentials")
_NO_DOLLAR = "No .$ on a field that appears to be a JSONPath or Intrinsic Function."
_NO_PATH = "Field value looks like a path, but field name does not end with 'Path'."
_STATIC = "Attempt to use a path in the result of a pass state."


def warnings(definition: Fields, location: Location) -> Diagnostics:
    """Yield the warnings about all JSONPath states (fact 221)."""
    for _, state, where in all_states(definition, location):
        if not speaks_jsonata(state, location.machine.jsonata):
            yield from location.machine.found(_state, state, where)


def _state(state: Fields, location: Location) -> Diagnostics:
    for field in _TEMPLATES:
        for where in _computed(state.get(field), location.member(field)):
            yield error(_NO_DOLLAR, where, "NO_DOLLAR", severity="WARNING")
    for where in _computed(state.get("Result"), location.member("Result"), any_name=True):
        yield error(_STATIC, where, "PASS_RESULT_IS_STATIC", severity="WARNING")
    for field in sorted(_WITH_PATH & state.keys()):
        if _looks_computed(state[field]):
            yield error(_NO_PATH, location.member(field), "NO_PATH", severity="WARNING")


def _computed(value: Any, location: Location, *, any_name: bool = False) -> Iterator[Location]:
    """Yield where strings look computed: below names without .$, or below any name."""
    match value:
        case dict():
            for name, inner in value.items():
                if any_name or not name.endswith(".$"):
                    yield from _computed(inner, location.member(name), any_name=any_name)
        case list():
            for index, inner in enumerate(value):
                yield from _computed(inner, location.item(index), any_name=any_name)
        case str() if _looks_computed(value):
            yield location


def _looks_computed(value: Any) -> bool:
    if not isinstance(value, str) or not value.startswith(("$.", "$[", "$$.", "States.")):
        return False
    try:
        if value.startswith("$"):
            compile_path(value)
        else:
            parse_intrinsic(value)
    except (PathSyntaxError, IntrinsicSyntaxError):
        return False
    return True
