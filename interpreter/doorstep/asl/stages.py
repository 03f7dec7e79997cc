"""The data between the fields of a state, under the names that TestState's inspectionData has.

Which members there are was recorded for each type and language (Wait and a JSONPath Map: inferred):

| type | JSONPath | JSONata |
|---|---|---|
| Pass | afterInputPath, afterParameters (neither with Result), result (only with Result) | |
| Task | afterInputPath, afterParameters, result | afterArguments, result |
| Map | afterInputPath, afterItemsPath, the fields of any Map | maxConcurrency, … |
| Choice, Wait, Succeed, Fail | afterInputPath | |

After a result JSONPath shows afterResultSelector and afterResultPath, for a Parallel nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..model.definition import State
from ..values.json_values import ABSENT
from .context import Env
from .data_flow import Closure, compile_arguments, compile_input, compile_leave

Stages = Iterator[tuple[str, Any]]


def stages(
    state: State,
    env: Env,
    result: Any,
    *,
    asked: Any = ABSENT,
    seen: Mapping[str, Any] = MappingProxyType({}),
) -> Stages:
    """Names and values in the order of the flow, for a visit at its beginning.

    | | ABSENT or empty when not known |
    |---|---|
    | result | what its work gave |
    | asked | a Task's arguments, which are then not evaluated again |
    | seen | what a Map came by |

    Raises StateFailed where a field fails: that ends the flow.
    """
    make = compile_arguments(state.fields, state.jsonata) if asked is ABSENT else lambda _: asked
    return (_jsonata if state.jsonata else _jsonpath)(state, env, make, result, seen)


def _jsonpath(
    state: State, env: Env, arguments: Closure, result: Any, seen: Mapping[str, Any]
) -> Stages:
    fields = state.fields
    effective = compile_input(fields)
    match state.type:
        case "Pass" if "Result" in fields:
            result = fields["Result"]
            yield "result", result
        case "Pass":
            yield "afterInputPath", effective(env)
            result = arguments(env)
            yield "afterParameters", result
        case "Task":
            yield "afterInputPath", effective(env)
            yield "afterParameters", arguments(env)
            if result is not ABSENT:
                yield "result", result
        case "Choice" | "Wait" | "Succeed" | "Fail" | "Map":
            yield "afterInputPath", effective(env)
            yield from _map_fields(seen)
    if result is not ABSENT:
        selected = _through(state, "ResultSelector")(env, result)
        yield "afterResultSelector", selected
        yield "afterResultPath", _through(state, "ResultPath")(env, selected)


def _through(state: State, name: str) -> Callable[[Env, Any], Any]:
    """What one field on the way out makes of a value."""
    fields = state.fields
    leave = compile_leave({name: fields[name]} if name in fields else {}, False)
    return lambda env, value: leave(env, value).output


def _jsonata(
    state: State, env: Env, arguments: Closure, result: Any, seen: Mapping[str, Any]
) -> Stages:
    if state.type == "Task":
        yield "afterArguments", arguments(env)
        if result is not ABSENT:
            yield "result", result
    yield from (shown for shown in _map_fields(seen) if shown[0] != "afterItemsPath")


def _map_fields(seen: Mapping[str, Any]) -> Stages:
    return ((name, value) for name, value in seen.items() if name != "result")
