"""`{% … %}` in tests and mocks written as YAML or JSON: JSONata, as in a definition.

Where a value is expected, the expression is a condition on the actual value, its `$`. Where a value
is written, it makes the value.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

from ..asl.jsonata_fields import is_expression
from ..errors import InputError
from ..jsonata import UNDEFINED, JSONataError, is_function
from ..values.json_values import ABSENT, JsonDifference, differences, equal

if TYPE_CHECKING:
    from ..jsonata import Expression


def unmet(at: str, expected: Any, actual: Any, *, partial: bool = False) -> list[JsonDifference]:
    """Return where a value is not as expected; `partial`: its objects may have more members.

    Raises InputError for a condition that can't be evaluated.
    """
    return list(differences(at, expected, actual, same=_fits, partial=partial))


def made(value: Any, context: Any = ABSENT) -> Any:
    """Return a value with its expressions evaluated; `$` in them is `context`.

    Raises InputError for an expression that fails or gives nothing.
    """
    match value:
        case str() if is_expression(value):
            result = _evaluated(value, context)
            if result is UNDEFINED or is_function(result):
                raise InputError(f"the JSONata expression {value} gives no value")
            return result
        case dict():
            return {name: made(inner, context) for name, inner in value.items()}
        case list():
            return [made(item, context) for item in value]
    return value


def check_expressions(value: Any) -> None:
    """Raise InputError when one of the expressions in a value is no JSONata."""
    match value:
        case dict():
            check_expressions(list(value.values()))
        case list():
            for item in value:
                check_expressions(item)
        case str() if is_expression(value):
            compiled(value)


@lru_cache(maxsize=1024)
def compiled(text: str) -> Expression:
    """Compile the expression between `{%` and `%}`; raise InputError when it is none."""
    from ..asl.dialect import AWS
    from ..jsonata import Expression

    try:
        return Expression(text[2:-2].strip(), AWS)
    except JSONataError as error:
        raise InputError(f"this is no JSONata: {error.message}") from None


def _fits(expected: Any, actual: Any) -> bool:
    if is_expression(expected):
        return _evaluated(expected, actual) is True
    return equal(expected, actual)


def _evaluated(text: str, context: Any) -> Any:
    from ..asl.dialect import LIMITS, functions

    random = Random(text)
    try:
        return compiled(text).evaluate(
            UNDEFINED if context is ABSENT else context,
            functions(lambda: random),
            now=0,
            random=random.random,
            limits=LIMITS,
        )
    except JSONataError as error:
        raise InputError(f"the JSONata expression {text} fails: {error.message}") from None
