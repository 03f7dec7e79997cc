"""JSONata states: `{% … %}` strings compiled to closures over Env, and AWS's texts for failures."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from ..errors import StateFailed
from ..jsonata.errors import JSONataError
from ..jsonata.values import UNDEFINED, as_double, is_function, number
from ..values.json_values import MAX_DEPTH, deeper_than, dumps
from .context import Closure, Env
from .jsonpath_fields import FEW, bounded

if TYPE_CHECKING:
    from ..jsonata.expression import Expression

ERROR = "States.QueryEvaluationError"

# $states.context is built on demand: only for expressions that may look at it.
_PLAIN_MEMBER = re.compile(r"\$states\s*\.\s*(input|result|errorOutput)\b")

_LONG = 2**63
"""Java's long holds whole numbers below this."""


def is_expression(value: Any) -> bool:
    """Return whether a string is a JSONata expression: the whole text stands between {% and %}.

    Fact 212.
    """
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def value(fields: Any, location: str) -> Closure:
    """Return a field of a JSONata state: expressions at any depth, the rest as it is (fact 326)."""
    make = _value(fields, location)
    if make is None:
        return lambda _: fields
    return bounded(make) if _count(fields) > FEW else make


def typed(fields: Any, location: str, kind: str, others: Collection[str] = ()) -> Closure:
    """Return a field whose value has to be an 'array', 'string', 'number' or 'boolean'.

    `others`: types that it may have as well, which the error does not name.

    Fact 364.
    """
    make = value(fields, location)
    if not is_expression(fields):
        return make
    expression = _text(fields)

    def checked(env: Env) -> Any:
        result = make(env)
        if (found := json_type(result)) != kind and found not in others:
            raise unexpected(expression, location, kind, result)
        return result

    return checked


def json_type(result: Any) -> str:
    """Return the type of a JSON value, as the error texts call it."""
    match result:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
    return "array"


def unexpected(expression: str, location: str, kind: str, result: Any) -> StateFailed:
    """Return the failure of an expression whose value has another type than the field takes.

    Fact 364.
    """
    return _failed(
        expression,
        location,
        f"returned an unexpected result type. Expected '{kind}', "
        f"but was '{json_type(result)}' for value: {dumps(result)}",
    )


def failed(cause: str, location: str | None = None) -> StateFailed:
    """Return States.QueryEvaluationError with a cause of its own."""
    return StateFailed(ERROR, cause, ours=True, location=location)


def _failed(expression: str, location: str, what: str) -> StateFailed:
    return failed(
        f"The JSONata expression '{expression}' specified for the field '{location}' {what}",
        location,
    )


def _value(fields: Any, location: str) -> Closure | None:
    if isinstance(fields, str):
        return _expression(fields, location) if is_expression(fields) else None
    if isinstance(fields, dict):
        members = {name: _value(inner, f"{location}/{name}") for name, inner in fields.items()}
        if not any(members.values()):
            return None
        makers = [(name, make or _constant(fields[name])) for name, make in members.items()]
        return lambda env: {name: make(env) for name, make in makers}
    if isinstance(fields, list):
        inner = [_value(item, f"{location}[{i}]") for i, item in enumerate(fields)]
        if not any(inner):
            return None
        items = [make or _constant(item) for make, item in zip(inner, fields, strict=True)]
        return lambda env: [make(env) for make in items]
    return None


def _count(fields: Any) -> int:
    """Return how many expressions there are."""
    if isinstance(fields, dict):
        fields = list(fields.values())
    return sum(map(_count, fields)) if isinstance(fields, list) else is_expression(fields)


def _constant(fields: Any) -> Closure:
    return lambda _: fields


def _text(fields: str) -> str:
    return fields[2:-2].strip()


def _expression(fields: str, location: str) -> Closure:
    # Imported here, so that what has no expressions does not pay for the language.
    from ..jsonata.expression import Expression
    from .dialect import AWS, LIMITS, within

    text = _text(fields)
    try:
        expression = Expression(text, AWS)
    except JSONataError as error:
        return _failing(text, location, error)
    evaluate = expression.evaluate
    bind = _binder(expression)
    calculates = any(sign in text for sign in "/%*+-([{")

    def evaluated(env: Env) -> Any:
        try:
            result = evaluate(
                UNDEFINED,
                bind(env),
                now=env.fiber.engine.now * 1000,
                random=env.draw,
                limits=within(env.left()) if env.spent else LIMITS,
                spent=env.spend,
            )
        except JSONataError as error:
            raise _evaluation_failed(text, location, error) from None
        if result is UNDEFINED:
            raise _failed(text, location, "returned nothing (undefined).")
        if is_function(result):
            raise _failed(text, location, "returned an unsupported result type.")
        if (not calculates and type(result) is not int) or _is_sound(result, MAX_DEPTH):
            return result
        if deeper_than(result, MAX_DEPTH):
            levels = f"returned a value that is nested more than {MAX_DEPTH} levels deep."
            raise _failed(text, location, levels)
        return _named(result)

    return evaluated


def _failing(text: str, location: str, error: JSONataError) -> Closure:
    """Return what fails where an expression that can't be compiled would be evaluated."""

    def fail(_: Env) -> Any:
        raise _evaluation_failed(text, location, error)

    return fail


def _evaluation_failed(text: str, location: str, error: JSONataError) -> StateFailed:
    # Facts 61, 64 and 76: AWS's words for an expression that fails.
    # Measured: what is beyond the bounds has no code on AWS.
    code = f". {error.code}: " if error.code not in ("", "U1001") else ": "
    return _failed(text, location, f"threw an error during evaluation{code}{error.message}")


def _is_sound(result: Any, levels: int) -> bool:
    """Return whether every number is finite or a long, and there are at most so many levels."""
    if isinstance(result, dict):
        result = result.values()
    elif not isinstance(result, list):
        if isinstance(result, int):
            return -_LONG <= result < _LONG
        return not isinstance(result, float) or isfinite(result)
    for inner in result:
        if isinstance(inner, (dict, list)):
            if levels <= 1 or not _is_sound(inner, levels - 1):
                return False
        elif isinstance(inner, (int, float)) and not _is_sound(inner, 1):
            return False
    return True


def _named(result: Any) -> Any:
    """Replace a number that JSON can't hold by the name that Java has for it, as measured on AWS.

    A whole number beyond a long becomes a double. Facts 70 and 153.
    """
    match result:
        case bool():
            return result
        case int() if not -_LONG <= result < _LONG:
            double = number(as_double(result))
            return double if isinstance(double, int) else _named(double)
        case float() if not isfinite(result):
            return "NaN" if isnan(result) else "Infinity" if result > 0 else "-Infinity"
        case list():
            return [_named(item) for item in result]
        case dict():
            return {name: _named(inner) for name, inner in result.items()}
    return result


def _binder(expression: Expression) -> Callable[[Env], Mapping[str, Any]]:
    """Return what an expression's variables are bound to; only what it can look at is built.

    Fact 327: what $states has; a variable is $name (fact 334), which hides a function (fact 365).
    """
    from .dialect import functions

    names = expression.variables
    draws = bool(names & {"random", "uuid"})
    text = str(expression)
    context = "states" in names and _PLAIN_MEMBER.sub("", text).count("states") > 0

    def bindings(env: Env) -> dict[str, Any]:
        states = {"input": env.raw}
        if env.result is not UNDEFINED:
            states["result"] = env.result
        if env.error_output is not UNDEFINED:
            states["errorOutput"] = env.error_output
        if context:
            states["context"] = env.context()
        bound = {**env.fiber.variables, "states": states}
        return {**functions(env.rng), **bound} if draws else bound

    return bindings
