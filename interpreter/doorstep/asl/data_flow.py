"""How data goes through a state, the same idea in both query languages.

    input --arguments--> work --result--> leave --> output, assigned variables, next state

| step | JSONPath | JSONata |
|---|---|---|
| arguments | InputPath, then Parameters | Arguments, else the input |
| leave | ResultSelector, ResultPath (onto the raw input), OutputPath; Assign | Output; Assign |
| default output | the result, put where ResultPath says | the result |

Output and Assign are independent of each other: both see the variables as they were on entry, and
so does every right-hand side of an Assign (fact 330).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

from ..errors import StateFailed
from ..jsonpath import ReferenceConflict, compile_reference
from ..model import State
from ..values.json_values import ABSENT
from . import jsonata_fields, jsonpath_fields
from .context import Closure, Env, Exit, Leave

Shows = Literal["result", "errorOutput"] | None


def compile_input(fields: Mapping[str, Any]) -> Closure:
    """InputPath: the effective input, which is what `$` means from then on (fact 323)."""
    # Fact 335: a path that is not written accepts null, one that is written does not.
    if "InputPath" not in fields:
        return lambda env: env.data
    path = fields["InputPath"]
    get: Closure = jsonpath_fields.whole_path(path) if path is not None else lambda _: {}

    def effective(env: Env) -> Any:
        env.data = env.raw
        env.data = get(env)
        return env.data

    return effective


def compile_arguments(fields: Mapping[str, Any], jsonata: bool) -> Closure:
    """Return the arguments of the state's work.

    Facts 322 and 326: InputPath, then Parameters; Arguments, or the input without them.
    """
    if jsonata:
        if "Arguments" not in fields:
            return lambda env: env.raw
        return jsonata_fields.value(fields["Arguments"], "Arguments")
    effective = compile_input(fields)
    if "Parameters" not in fields:
        return effective
    make = jsonpath_fields.template(fields["Parameters"])
    if "InputPath" not in fields:
        return make

    def arguments(env: Env) -> Any:
        effective(env)
        return make(env)

    return arguments


def compile_leave(
    fields: Mapping[str, Any],
    jsonata: bool,
    *,
    shows: Shows = None,
    at: str = "",
) -> Leave:
    """Compile the way from the result to the exit for a state's, rule's or catcher's `fields`.

    `shows`: the member of $states that holds the result; `at`: where the fields stand in the state
    ("Catch[1]/"), for the location of a failed evaluation.

    Facts 322, 326, 330 and 331.
    """
    if jsonata:
        return _jsonata_leave(fields, shows, at)
    return _jsonpath_leave(fields)


def _jsonata_leave(fields: Mapping[str, Any], shows: Shows, at: str) -> Leave:
    # Facts 326 and 330: Assign and Output both see the variables as they were; without Output the
    # result is passed on. Fact 327: what $states shows.
    following = fields.get("Next")
    output = jsonata_fields.value(fields["Output"], f"{at}Output") if "Output" in fields else None
    assign = jsonata_fields.value(fields["Assign"], f"{at}Assign") if fields.get("Assign") else None

    def leave(env: Env, result: Any) -> Exit:
        if shows == "result":
            env.result, env.bound = result, None
        elif shows == "errorOutput":
            env.error_output, env.bound = result, None
        assigned = assign(env) if assign else None
        return output(env) if output else result, following, assigned

    return leave


def _jsonpath_leave(fields: Mapping[str, Any]) -> Leave:
    # Facts 322 and 331: ResultSelector, ResultPath, OutputPath; Assign sees the raw result.
    following = fields.get("Next")
    select = (
        jsonpath_fields.template(fields["ResultSelector"]) if "ResultSelector" in fields else None
    )
    put = _compile_put(fields.get("ResultPath", "$"))
    out = _compile_output_path(fields["OutputPath"]) if "OutputPath" in fields else None
    assign = jsonpath_fields.template(fields["Assign"]) if fields.get("Assign") else None

    def leave(env: Env, result: Any) -> Exit:
        env.data = value = result
        if select:
            value = select(env)
        if put:
            value = put(env, value)
        if out:
            env.data = value
            value = out(env)
        if not assign:
            return value, following, None
        env.data = result
        return value, following, assign(env)

    return leave


def _compile_put(path: str | None) -> Callable[[Env, Any], Any] | None:
    # Facts 49, 310 and 323: onto the raw input, which null passes on.
    if path == "$":
        return None
    if path is None:
        return lambda env, _: env.raw
    put = compile_reference(path).put

    def onto_raw(env: Env, value: Any) -> Any:
        try:
            return put(env.raw, value)
        except ReferenceConflict as conflict:
            # The guide's name for it catches it as well.
            raise StateFailed(
                "States.ReferencePathConflict",
                str(conflict),
                ours=True,
                also=("States.ResultPathMatchFailure",),
            ) from None

    return onto_raw


def _compile_output_path(path: str | None) -> Closure:
    # Fact 323: null makes {}.
    if path is None:
        return lambda _: {}
    return jsonpath_fields.whole_path(path)


# What TestState shows ---------------------------------------------------------------------------

Stages = Iterator[tuple[str, Any]]


def stages(
    state: State,
    env: Env,
    result: Any,
    *,
    asked: Any = ABSENT,
    seen: Mapping[str, Any] = MappingProxyType({}),
) -> Stages:
    """Return the data between the fields, by inspectionData's names, in the order of the flow.

    Which members there are was recorded for each type and language (Wait and a JSONPath Map:
    inferred):

    | type | JSONPath | JSONata |
    |---|---|---|
    | Pass | afterInputPath, afterParameters (neither with Result), result (only with Result) | |
    | Task | afterInputPath, afterParameters, result | afterArguments, result |
    | Map | afterInputPath, afterItemsPath, the fields of any Map | maxConcurrency, … |
    | Choice, Wait, Succeed, Fail | afterInputPath | |

    After a result JSONPath shows afterResultSelector and afterResultPath, for a Parallel nothing
    else.

    | | ABSENT or empty when not known |
    |---|---|
    | result | what its work returned |
    | asked | a Task's arguments, which are then not evaluated again |
    | seen | what a Map has come by |

    Raises StateFailed where a field fails: that ends the flow.

    Fact 481.
    """
    make = compile_arguments(state.fields, state.jsonata) if asked is ABSENT else lambda _: asked
    return (_jsonata_stages if state.jsonata else _jsonpath_stages)(state, env, make, result, seen)


def _jsonpath_stages(
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
    """Return what one field on the way out makes of a value."""
    fields = state.fields
    leave = compile_leave({name: fields[name]} if name in fields else {}, False)
    return lambda env, value: leave(env, value)[0]


def _jsonata_stages(
    state: State, env: Env, arguments: Closure, result: Any, seen: Mapping[str, Any]
) -> Stages:
    if state.type == "Task":
        yield "afterArguments", arguments(env)
        if result is not ABSENT:
            yield "result", result
    yield from (stage for stage in _map_fields(seen) if stage[0] != "afterItemsPath")


def _map_fields(seen: Mapping[str, Any]) -> Stages:
    return ((name, value) for name, value in seen.items() if name != "result")
