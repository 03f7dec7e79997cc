"""What goes into a handler and comes out of it as JSON, as Lambda reads and writes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..engine import Invoke
from ..errors import InputError
from ..values import jackson
from ..values.json_values import dumps, loads
from .answers import Answer


def event_of(invoke: Invoke) -> Any:
    """Return a handler's event: a function's payload, the arguments of everything else.

    Facts 85 and 102: the payload, for a callback too. Fact 244: one given as text is JSON.
    """
    return event_from(invoke.integration.action, invoke.arguments)


def event_from(action: str, arguments: Any) -> Any:
    """Return the same for what a state calls with some arguments."""
    if action == "lambda:invoke" and isinstance(arguments, dict):
        payload = arguments.get("Payload")
        if isinstance(payload, str):
            payload = _read(payload)
        return {} if payload is None else payload
    return arguments


def _read(payload: str) -> Any:
    """Return what a Payload given as text stands for; the text itself when it is not JSON."""
    if not payload:
        return None
    try:
        return loads(payload)
    except InputError:
        return payload


def rejected(invoke: Invoke, event: Any) -> Answer | None:
    """Return Lambda's refusal of a Payload that is not JSON.

    Fact 244. The words are those of Lambda's Invoke API, inferred for Step Functions.
    """
    if not isinstance(event, str) or event != invoke.arguments.get("Payload"):
        return None
    reason = ""
    try:
        jackson.loads(event)
    except jackson.JSONProblem as problem:
        reason = f": {problem.message}"
    cause = f"Could not parse request body into json{reason}"
    return Answer(failed=True, error="Lambda.InvalidRequestContentException", cause=cause)


def as_json(value: Any, text: str = "") -> Any:
    """Return a copy of a JSON value: what a handler changes in it, now or later, is its own.

    `text`: the value's, where it is known. An object of texts and numbers, as most are, is copied
    without it, at a fifth of the cost.
    """
    if value.__class__ is dict and len(value) <= _FEW:
        for name, member in value.items():
            kind = member.__class__
            if kind is int or kind is float:
                # Not so NaN and infinity, which no JSON has, and integers of thousands of digits.
                flat = _LEAST < member < _MOST
            else:
                flat = kind is str or kind is bool or member is None
            if not flat or name.__class__ is not str:
                break
        else:
            return value.copy()
    elif value is None or value.__class__ is str:
        return value
    return loads(text or dumps(value))


_FEW = 16
_LEAST, _MOST = -(1 << 63), 1 << 63


def returned(value: Any) -> Any:
    """Return what a handler returned as JSON, as Lambda's runtime for Python writes it.

    A Decimal is a number; bytes are the JSON text of the result, or a text inside it (fact 245).
    """
    try:
        return as_json(value)
    except InputError as problem:
        if isinstance(value, bytes):
            return loads(_decoded(value))
        try:
            return as_json(_simple(value))
        except RecursionError:
            raise problem from None


def _simple(value: Any) -> Any:
    match value:
        case Decimal() if value.is_finite():
            return loads(str(value))
        case bytes():
            return _decoded(value)
        case dict():
            return {name: _simple(member) for name, member in value.items()}
        case list() | tuple():
            return [_simple(item) for item in value]
    return value


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as problem:
        raise InputError(f"These bytes are not UTF-8 text: {problem.reason}") from None
