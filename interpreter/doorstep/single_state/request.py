"""What TestState is asked: the members of its request, read and within their limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..definitions.jackson import JSONProblem
from ..definitions.jackson import loads as read_json
from ..errors import ApiError, InputError
from ..values.json_values import dumps, loads
from .constraints import Limits, check, member

FieldValidation = Literal["STRICT", "PRESENT", "NONE"]
"""How a mocked result is compared with what the service's API returns:

| mode | a required member is missing | a member is of another type, too long, … |
|---|---|---|
| STRICT (default) | refused | refused |
| PRESENT | | refused |
| NONE | | |
"""
_LONGEST = 262_144
_DATA = Limits(at_most=_LONGEST, sensitive=True)
_COUNT = Limits(int, sensitive=True)
_OBJECT = Limits(dict)

# AWS's service model of 2016-11-23.
_MEMBERS = {
    "definition": Limits(at_least=1, at_most=1_048_576, sensitive=True, required=True),
    "roleArn": Limits(at_least=1, at_most=256),
    "input": _DATA,
    "inspectionLevel": Limits(options=("INFO", "DEBUG", "TRACE")),
    "revealSecrets": Limits(bool),
    "variables": _DATA,
    "stateName": Limits(at_least=1, at_most=80, sensitive=True),
    "mock": _OBJECT,
    "mock.result": _DATA,
    "mock.errorOutput": _OBJECT,
    "mock.errorOutput.error": Limits(at_most=256, sensitive=True),
    "mock.errorOutput.cause": Limits(at_most=32_768, sensitive=True),
    "mock.fieldValidationMode": Limits(options=("STRICT", "PRESENT", "NONE")),
    "context": _DATA,
    "stateConfiguration": _OBJECT,
    "stateConfiguration.retrierRetryCount": _COUNT,
    "stateConfiguration.errorCausedByState": Limits(at_least=1, at_most=80, sensitive=True),
    "stateConfiguration.mapIterationFailureCount": _COUNT,
    "stateConfiguration.mapItemReaderData": _DATA,
}
_JSON = ("definition", "input", "variables", "context", "mock.result")
"""Members that hold JSON text; their values are taken as well."""


class Given(NamedTuple):
    """A JSON value with the text that it was given as."""

    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Mock:
    """What stands in for the state's work: a result, or an error and its cause."""

    result: Given | None
    error: Mapping[str, str] | None
    validation: FieldValidation


@dataclass(frozen=True, slots=True)
class Request:
    """A request of TestState, its JSON texts read."""

    definition: str
    state_name: str | None
    input: str
    level: str
    role: str | None
    variables: dict[str, Any]
    context: Any
    mock: Mock | None
    reveal_secrets: bool
    retries: int
    """How often the retrier that takes the error has been used before."""
    failed_iterations: int | None
    reader_data: str | None


def read(request: Mapping[str, Any]) -> Request:
    """Read a request; raises ApiError where AWS would refuse a member by itself."""
    texts = _with_texts(request)
    for path in _unknown(texts):
        raise _invalid(f"TestState has no member '{path}'; there are {', '.join(_MEMBERS)}")
    check(texts, _MEMBERS)
    configuration = texts.get("stateConfiguration") or {}
    return Request(
        definition=texts["definition"],
        state_name=texts.get("stateName"),
        input=_input(texts.get("input")),
        level=texts.get("inspectionLevel") or "INFO",
        role=texts.get("roleArn"),
        variables=_variables(texts.get("variables")),
        context=_context(texts.get("context")),
        mock=_mock(texts.get("mock")),
        reveal_secrets=texts.get("revealSecrets") or False,
        retries=configuration.get("retrierRetryCount") or 0,
        failed_iterations=configuration.get("mapIterationFailureCount"),
        reader_data=configuration.get("mapItemReaderData"),
    )


def _with_texts(request: Mapping[str, Any]) -> dict[str, Any]:
    texts = dict(request)
    if isinstance(texts.get("mock"), Mapping):
        texts["mock"] = dict(texts["mock"])
    for path in _JSON:
        inside, _, name = path.rpartition(".")
        holder = member(texts, inside) if inside else texts
        if isinstance(holder, dict) and not isinstance(holder.get(name), str | None):
            holder[name] = dumps(holder[name])
    return texts


def _unknown(members: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for name, value in members.items():
        path = f"{at}{name}"
        if path not in _MEMBERS:
            yield path
        elif isinstance(value, Mapping):
            yield from _unknown(value, f"{path}.")


def _input(text: str | None) -> str:
    if text is None:
        return "{}"
    try:
        read_json(text)
        loads(text)
    except JSONProblem as problem:
        raise _invalid_input(problem.message) from None
    except (InputError, RecursionError):
        raise _invalid_input("Invalid execution input.") from None
    return text


def _invalid_input(why: str) -> ApiError:
    message = f"Invalid State Machine Execution Input: '{why}'"
    return ApiError("InvalidExecutionInput", message)


def _variables(text: str | None) -> dict[str, Any]:
    variables = {} if text is None else _given(text, "Variables must be valid JSON").value
    if not isinstance(variables, dict):
        raise _invalid("Variables must be a JSON object")
    return variables


def _context(text: str | None) -> Any:
    return None if text is None else _given(text, "Context object must be valid JSON").value


def _mock(fields: Mapping[str, Any] | None) -> Mock | None:
    if fields is None:
        return None
    result, error = fields.get("result"), fields.get("errorOutput")
    if (result is None) == (error is None):
        raise _invalid(
            "A test mock should have only one of the following fields: [result, errorOutput]."
        )
    return Mock(
        result=None if result is None else _given(result, "Mocked result must be valid JSON"),
        error=error,
        validation=fields.get("fieldValidationMode") or "STRICT",
    )


def _given(text: str, refusal: str) -> Given:
    try:
        return Given(loads(text), text)
    except InputError:
        raise _invalid(refusal) from None


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
