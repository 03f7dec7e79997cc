"""JSONata 2.0.6, compiled to Python closures, and to Python code where it is evaluated often.

    expression = compile("$sum(order.items.(price * quantity))")
    expression.evaluate({"order": …})

The language is that of https://docs.jsonata.org; messages and codes are jsonata-js's. The package
knows nothing of what embeds it. An Expression is immutable and may be shared between threads; what
an evaluation may use is its Limits; what varies (time, random numbers) is passed in. Names are
imported when they are first used: who only needs UNDEFINED does not pay for a parser.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import JSONataError
    from .evaluation import Limits
    from .expression import Expression, compile  # noqa: A004
    from .values import UNDEFINED, is_function

__all__ = ["UNDEFINED", "Expression", "JSONataError", "Limits", "compile", "is_function"]

_HOME = {
    "UNDEFINED": "values",
    "Expression": "expression",
    "JSONataError": "errors",
    "Limits": "evaluation",
    "compile": "expression",
    "is_function": "values",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOME[name]}", __name__), name)
    return value
