"""JSONata states: `{% … %}` strings compiled to closures over Env, and AWS's texts for failures."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

from ..errors import StateFailed
from ..jsonata.errors import FAILURES, JSONataError
from ..jsonata.sequences import SEQUENCES
from ..jsonata.values import UNDEFINED, as_double, is_function, number
from ..values.json_values import MAX_DEPTH, STORED_DEPTH, deeper_than, dumps, loads
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
    return _checked(make, fields, location, kind, others) if is_expression(fields) else make


def _checked(
    make: Closure, fields: str, location: str, kind: str, others: Collection[str] = ()
) -> Closure:
    def checked(env: Env) -> Any:
        result = make(env)
        if (found := json_type(result)) != kind and found not in others:
            raise unexpected(_text(fields), location, kind, result)
        return result

    return checked


def first_that_holds(conditions: Iterable[tuple[Any, str]]) -> Callable[[Env], int | None]:
    """Return the place of the first condition that holds; they stand with their locations.

    Fact 255: each is a boolean, or a failed evaluation.
    """
    rules: list[tuple[Expression | None, Closure]] = []
    for fields, location in conditions:
        if is_expression(fields):
            make, quick = _compiled(fields, location)
            rules.append((quick, _checked(make, fields, location, "boolean")))
        else:
            rules.append((None, _constant(fields)))
    bind, _ = _binder(*(quick for quick, _ in rules if quick is not None))

    def first(env: Env) -> int | None:
        bound = bind(env)
        for place, (expression, holds) in enumerate(rules):
            try:
                result = expression and (expression.code or expression.evaluate)(UNDEFINED, bound)
            except FAILURES:
                result = None  # it fails again below, where it is said how
            if result is True or (result is not False and holds(env)):
                return place
        return None

    return first


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
        return _compiled(fields, location)[0] if is_expression(fields) else None
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


def _compiled(fields: str, location: str) -> tuple[Closure, Expression | None]:
    """Return an expression as a closure, and itself if it takes next to nothing in most visits."""
    # Imported here, so that what has no expressions does not pay for the language.
    from ..jsonata.expression import Expression
    from .dialect import AWS, LIMITS, within

    text = _text(fields)
    try:
        expression = Expression(text, AWS)
    except JSONataError as error:
        return _failing(text, location, error), None
    evaluate = expression.evaluate
    bind, plain = _binder(expression)
    quick = plain and expression.quick
    calculates = any(sign in text for sign in "/%*+-([{")

    def evaluated(env: Env) -> Any:
        try:
            if quick:
                bound = bind(env)
                try:
                    result = (expression.code or evaluate)(UNDEFINED, bound)
                except FAILURES:
                    result = evaluate(UNDEFINED, bound)
            else:
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

    return evaluated, expression if quick else None


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
    """Return whether it is as JSON has it: no number but finite ones and longs, no sequence.

    At most so many levels of it are looked at, and more are not sound either.
    """
    if isinstance(result, dict):
        result = result.values()
    elif not isinstance(result, list):
        if isinstance(result, int):
            return -_LONG <= result < _LONG
        return not isinstance(result, float) or isfinite(result)
    for inner in result:
        if isinstance(inner, (dict, list)):
            kind = type(inner)
            if levels <= 1 or kind in SEQUENCES or not _is_sound(inner, levels - 1):
                return False
        elif isinstance(inner, (int, float)) and not _is_sound(inner, 1):
            return False
    return True


def _named(result: Any) -> Any:
    """Replace a number that JSON can't hold by the name that Java has for it, as measured on AWS.

    A whole number beyond a long becomes a double, a sequence inside of the value a plain list.
    Facts 70 and 153.
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


def _binder(*expressions: Expression) -> tuple[Callable[[Env], Mapping[str, Any]], bool]:
    """Return what the variables of expressions are bound to; only what they can look at is built.

    And whether they need no more than the usual: variables, and plain members of $states.
    Fact 327: what $states has; a variable is $name (fact 334), which hides a function (fact 365).
    """
    from .dialect import functions

    names = {name for expression in expressions for name in expression.variables}
    draws, shows = names & {"random", "uuid"}, "states" in names
    others = _PLAIN_MEMBER.sub("", " ".join(map(str, expressions)))
    context = shows and "states" in others
    transforms = "|" in others and not all(expression.quick for expression in expressions)

    def bindings(env: Env) -> dict[str, Any]:
        bound = env.bindings()
        if context:
            bound = {**bound, "states": {**bound["states"], "context": env.context()}}
        if transforms:  # facts 330 and 332: whatever its pattern names is changed here alone
            bound = loads(dumps(bound, STORED_DEPTH), STORED_DEPTH)
        return {**functions(env.rng), **bound} if draws else bound

    if draws or context or transforms:
        return bindings, False
    return Env.bindings if shows else lambda env: env.fiber.variables, True
