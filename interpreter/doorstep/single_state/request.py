"""A request of TestState: its members, read and within their limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ..errors import InputError
from ..model.aws_errors import invalid_input, invalid_request
from ..model.aws_model import REQUESTS, Structure, check_request
from ..values.jackson import JSONProblem
from ..values.jackson import loads as read_json
from ..values.json_values import dumps, loads

FieldValidation = Literal["STRICT", "PRESENT", "NONE"]
"""How a mocked result is compared with what the service's API returns:

| mode | a required member is missing | a member is of another type, too long, … |
|---|---|---|
| STRICT (default) | refused | refused |
| PRESENT | | refused |
| NONE | | |
"""
_JSON = ("definition", "input", "variables", "context", "mock.result")
"""Members that hold JSON text; their values are taken as well."""


class JSONText(NamedTuple):
    """A JSON value with the text in which it came."""

    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class StateMock:
    """What stands in for the state's work: a result, or an error and its cause."""

    result: JSONText | None
    error: Mapping[str, str] | None
    validation: FieldValidation


@dataclass(frozen=True, slots=True)
class StateTest:
    """A request of TestState, its JSON texts read."""

    definition: str
    state_name: str | None
    input: str
    level: str
    role: str | None
    variables: dict[str, Any]
    context: Any
    mock: StateMock | None
    reveal_secrets: bool
    retries: int
    """How often the retrier that takes the error has been used before."""
    failed_iterations: int | None
    reader_data: str | None


def read(request: Mapping[str, Any]) -> StateTest:
    """Read a request; raise ApiError where AWS would refuse a member by itself.

    Facts 480 to 486.
    """
    texts = _with_texts(request)
    known = list(_paths(REQUESTS["TestState"]))
    for path in _unknown(texts, known):
        raise invalid_request(f"TestState has no member '{path}'; there are {', '.join(known)}")
    texts = check_request("TestState", texts)
    configuration = texts.get("stateConfiguration") or {}
    return StateTest(
        definition=texts["definition"],
        state_name=texts.get("stateName"),
        input=_input(texts.get("input")),
        level=texts.get("inspectionLevel") or "INFO",
        role=texts.get("roleArn"),
        variables=_variables(texts.get("variables")),
        context=_context(texts.get("context")),
        mock=_mock(texts.get("mock")),
        reveal_secrets=texts.get("revealSecrets") or False,
        retries=int(configuration.get("retrierRetryCount") or 0),
        failed_iterations=configuration.get("mapIterationFailureCount"),
        reader_data=configuration.get("mapItemReaderData"),
    )


def _with_texts(request: Mapping[str, Any]) -> dict[str, Any]:
    texts = dict(request)
    if isinstance(texts.get("mock"), Mapping):
        texts["mock"] = dict(texts["mock"])
    for path in _JSON:
        inside, _, name = path.rpartition(".")
        holder = texts.get(inside) if inside else texts
        if isinstance(holder, dict) and not isinstance(holder.get(name), str | None):
            holder[name] = dumps(holder[name])
    return texts


def _paths(table: Structure, at: str = "") -> Iterator[str]:
    """Yield the members of a request and those inside of them, as "mock.result"."""
    for name, shape in table.members.items():
        yield f"{at}{name}"
        if isinstance(shape, Structure):
            yield from _paths(shape, f"{at}{name}.")


def _unknown(members: Mapping[str, Any], known: Collection[str], at: str = "") -> Iterator[str]:
    for name, value in members.items():
        path = f"{at}{name}"
        if path not in known:
            yield path
        elif isinstance(value, Mapping):
            yield from _unknown(value, known, f"{path}.")


def _input(text: str | None) -> str:
    if text is None:
        return "{}"
    try:
        read_json(text)
        loads(text)
    except JSONProblem as problem:
        raise invalid_input(problem.message) from None
    except (InputError, RecursionError):
        raise invalid_input("Invalid execution input.") from None
    return text


def _variables(text: str | None) -> dict[str, Any]:
    # Fact 78: the state sees them.
    variables = {} if text is None else _json(text, "Variables must be valid JSON").value
    if not isinstance(variables, dict):
        raise invalid_request("Variables must be a JSON object")
    return variables


def _context(text: str | None) -> Any:
    return None if text is None else _json(text, "Context object must be valid JSON").value


def _mock(fields: Mapping[str, Any] | None) -> StateMock | None:
    # Fact 482: one of result and errorOutput, and a result is JSON.
    if fields is None:
        return None
    result, error = fields.get("result"), fields.get("errorOutput")
    if (result is None) == (error is None):
        raise invalid_request(
            "A test mock should have only one of the following fields: [result, errorOutput]."
        )
    return StateMock(
        result=None if result is None else _json(result, "Mocked result must be valid JSON"),
        error=error,
        validation=fields.get("fieldValidationMode") or "STRICT",
    )


def _json(text: str, refusal: str) -> JSONText:
    try:
        return JSONText(loads(text), text)
    except InputError:
        raise invalid_request(refusal) from None
