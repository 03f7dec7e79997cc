"""inspectionData: the data between the fields of the state that was tested.

Which members there are was recorded for each type and language (Wait and a JSONPath Map: inferred):

| type | JSONPath | JSONata |
|---|---|---|
| Pass | afterInputPath, afterParameters (neither with Result), result (only with Result) | |
| Task | afterInputPath, afterParameters, result | afterArguments, result |
| Map | afterInputPath, afterItemsPath, the fields of any Map | maxConcurrency, … |
| Choice, Wait, Succeed, Fail | afterInputPath | |

After a result JSONPath shows afterResultSelector and afterResultPath, for a Parallel nothing else.
All have input; variables and errorDetails when there are any. What failed ends the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..answers import ABSENT
from ..context import Env
from ..dataflow import compile_arguments, compile_input, compile_leave
from ..errors import StateFailed
from .trial import Trial

Members = Iterator[tuple[str, Any]]
_NUMBERS = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")


def inspection_data(trial: Trial) -> dict[str, Any]:
    """The member `inspectionData` of the answer, for the levels DEBUG and TRACE."""
    shown: dict[str, Any] = {"input": trial.text(trial.env.raw)}
    flow = _jsonata if trial.state.jsonata else _jsonpath
    try:
        for name, value in flow(trial, trial.env.twin()):
            shown[name] = value if name in _NUMBERS else trial.text(value)
    except StateFailed:
        pass
    if trial.variables:
        shown["variables"] = trial.text(trial.variables)
    if trial.outcome.details:
        shown["errorDetails"] = trial.outcome.details
    return shown


def _jsonpath(trial: Trial, env: Env) -> Members:
    fields, result = trial.state.fields, trial.result
    effective, arguments = compile_input(fields), compile_arguments(fields, False)
    match trial.state.type:
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
            yield from _map_fields(trial)
    if result is not ABSENT:
        selected = _through(trial, "ResultSelector")(env, result)
        yield "afterResultSelector", selected
        yield "afterResultPath", _through(trial, "ResultPath")(env, selected)


def _through(trial: Trial, name: str) -> Callable[[Env, Any], Any]:
    """What one field on the way out makes of a value."""
    fields = trial.state.fields
    leave = compile_leave({name: fields[name]} if name in fields else {}, False)
    return lambda env, value: leave(env, value).output


def _jsonata(trial: Trial, env: Env) -> Members:
    if trial.state.type == "Task":
        yield "afterArguments", compile_arguments(trial.state.fields, True)(env)
        if trial.result is not ABSENT:
            yield "result", trial.result
    yield from (shown for shown in _map_fields(trial) if shown[0] != "afterItemsPath")


def _map_fields(trial: Trial) -> Members:
    return ((name, value) for name, value in trial.seen.items() if name != "result")
