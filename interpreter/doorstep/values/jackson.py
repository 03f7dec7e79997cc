"""JSON text read as AWS reads it; `json_problem` says what is wrong with one, in Jackson's words.

Duplicate members: the last one wins, as with Jackson.
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any

from ..errors import shortened
from .json_problem import JSONProblem, Reader, after_blanks
from .json_values import MAX_DEPTH, finite, is_deep

__all__ = ["JSONProblem", "loads"]

_STRING_OR_NUMBER = re.compile(
    r'"(?:\\.|[^"\\])*"|-?\d[\d.]*(?:[eE][+-]?\d+|(?<=\d{300}))', re.DOTALL
)
_WHOLE = re.compile(r"-?\d+")
_NUMBER_LENGTH = 40


def loads(text: str, *, whole: bool = True) -> Any:
    """Return the value of a JSON text; raise JSONProblem, or RecursionError when too deep.

    Unless it is to be the `whole` text, what follows the value is not looked at.

    Facts 21, 129, 366 and 455.
    """
    try:
        value = _decoded(text, whole)
    except ValueError:
        raise _problem(text) from None
    if is_deep(text, value):
        raise RecursionError(f"Document nesting depth exceeds the maximum allowed ({MAX_DEPTH})")
    return value


def _decoded(text: str, whole: bool) -> Any:
    if whole:
        return _DECODER.decode(text)
    start = after_blanks(text, 0)
    value, _ = _DECODER.raw_decode(text, start)
    # Only a number or a word is not ended by itself.
    if text[start] not in '{["' and Reader(text).problem():
        raise ValueError(text)
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=finite)


def _problem(text: str) -> JSONProblem:
    """Return why a text that can't be read is no JSON."""
    reader = Reader(text)
    if problem := reader.problem() or _too_large(text):
        return problem
    reader.at = after_blanks(text, reader.at)
    if reader.at == len(text):
        return JSONProblem("Invalid numeric value", text, 0)
    return reader.unexpected("was expecting the end of the definition")


def _too_large(text: str) -> JSONProblem | None:
    """Return the problem of the first number too large for a double, or too long for Python.

    Jackson bounds the length of numbers as well (StreamReadConstraints, 1,000 by default); which
    bound AWS has set was not recorded.
    """
    for number in _STRING_OR_NUMBER.finditer(text):
        if message := _size_problem(number.group()):
            return JSONProblem(message, text, number.start(), len(number.group()))
    return None


def _size_problem(token: str) -> str | None:
    if token.startswith('"'):
        return None
    if _WHOLE.fullmatch(token):
        length, most = len(token.removeprefix("-")), sys.get_int_max_str_digits()
        if 0 < most < length:
            return f"Number value length ({length}) exceeds the maximum allowed ({most})"
    elif math.isinf(float(token)):
        return f"Numeric value ({shortened(token, _NUMBER_LENGTH)}) out of range of double"
    return None
