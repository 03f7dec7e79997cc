"""JSON values: their texts, "no value", when two are equal, and where two differ.

The text is as histories, causes and outputs have it: compact, nothing escaped to ASCII.
"""

from __future__ import annotations

import json.encoder
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from ..errors import InputError
from .java import double_text

try:
    import orjson
except ImportError:  # the extra `fast`
    orjson = None  # type: ignore[assignment]
if orjson and orjson.dumps(1e16) != b"1e+16":  # before 3.11.7: not as Python does
    orjson = None  # type: ignore[assignment]

MAX_DEPTH = 200
"""How many objects and arrays may stand in one another; what recurses over values relies on it."""
STORED_DEPTH = MAX_DEPTH + 10
"""The same for what is stored of an execution: a value lies some levels deep in its entry there."""
_LEVELS_OF_ORJSON = 254
"""It raises JSONEncodeError for more (orjson's documentation, "Serialize")."""


class Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""No value; None is JSON's null."""


def _refuse(value: Any) -> Any:
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _encoder() -> Callable[[Any, int], Iterable[str]]:
    plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, _: plain.iterencode(value)
    # JSONEncoder.encode makes this object anew for every value, which costs as much as a small
    # value's encoding. Without markers a value that holds itself ends in a RecursionError.
    quote = json.encoder.encode_basestring
    return make(None, _refuse, quote, None, ":", ",", False, False, False)  # type: ignore[no-any-return]


_encode = _encoder()


def dumps(value: Any, levels: int = MAX_DEPTH) -> str:
    """Return the compact text of a JSON value, its members in the order that they have.

    Raises InputError for what JSON can't say (a handler's set, NaN, a value that holds itself), and
    for what `loads` would refuse.
    """
    try:
        text = "".join(_encode(value, 0))
    except (TypeError, ValueError, RecursionError) as problem:
        raise InputError(f"This value can't be written as JSON: {problem}") from None
    if len(text) > 2 * levels and is_deep(text, value, levels):
        raise InputError(f"This value is nested more than {levels} levels deep")
    return java_numbers(text) if "e-" in text or "e+" in text else text


def text_of(value: Any, *, nests: bool = True) -> str:
    """Return the text of a JSON value as `dumps` does, by orjson where it is installed.

    `nests`: whether it may have more than MAX_DEPTH levels.

    Values that JSON can't say are not for it: NaN, which orjson writes as null, and UUIDs, dates
    and other objects that it has texts for. What it refuses, or writes in another way, is left to
    `dumps`:

    | value | orjson |
    |---|---|
    | integers past 64 bits, half of a surrogate pair, keys that are no texts | raises TypeError |
    | numbers below 0.0001 or with an exponent | has other digits before Java's are put in |
    | subclasses of list, dict and str | raises TypeError, as it is told to pass them on |
    | more than 200 levels | raises TypeError when given it in 54 arrays more |
    """
    if orjson is None:
        return dumps(value)
    try:
        text: str = orjson.dumps(value, None, orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
        if nests and len(text) > 2 * MAX_DEPTH and text.count("[") + text.count("{") > MAX_DEPTH:
            nested = value
            for _ in range(_LEVELS_OF_ORJSON - MAX_DEPTH):
                nested = [nested]
            orjson.dumps(nested, None, orjson.OPT_PASSTHROUGH_SUBCLASS)
    except (TypeError, RecursionError):
        return dumps(value)
    otherwise = "0.0000" in text or (("e-" in text or "e+" in text) and _EXPONENT.search(text))
    return dumps(value) if otherwise else text


def java_numbers(text: str) -> str:
    """Return a JSON text of Python's with its exponents as Java writes them: 1.0E-5 (fact 153)."""
    return _EXPONENTS.sub(_in_java, text) if _EXPONENT.search(text) else text


def java_doubles(text: str) -> str:
    """Return a JSON text with all its doubles as Java writes them: 1.0E7 (fact 153).

    For what a workflow sees; a journal keeps Python's.
    """
    return _DOUBLES.sub(_in_java, text) if _FRACTION.search(text) else text


# It begins with its letter so that a text is passed at the speed of a search for that; what follows
# the digits is no hexadecimal digit, as in the UUIDs that most texts with `e-` have.
_EXPONENT: Final = re.compile(r"e[+-][0-9]{1,3}(?:[,\]}\s]|$)")
_EXPONENTS: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9.]+e[+-][0-9]+')
# It begins with a dot so that a text without one is passed at the speed of a search for it.
_FRACTION: Final = re.compile(
    r"\.(?:(?<=[0-9]{8}\.)[0-9]|000(?<=0\.000)(?<![0-9]0\.000)[0-9])",
)
"""Of what Java writes with an exponent: from 10 million, below 0.001."""
_DOUBLES: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9]+\.[0-9]+(?:E-?[0-9]+)?')


def _in_java(match: re.Match[str]) -> str:
    text = match.group()
    return text if text[0] == '"' else double_text(float(text))


def byte_length(text: str) -> int:
    """Return the bytes of a text in UTF-8, as AWS counts payloads; half a surrogate pair: three."""
    return len(text.encode("utf-8", "surrogatepass"))


def encoded(value: Any) -> bytes:
    """Return the compact text in UTF-8; where it holds half of a surrogate pair, in escapes."""
    try:
        return dumps(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def loads(text: str, levels: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text.

    Raises InputError naming line and column where it is not JSON, or when it is too deep.
    """
    try:
        # JSONDecoder.decode without its search for blanks at both ends, which costs as much as a
        # small value: a text that has some, or is no JSON, is left to it.
        try:
            value, end = _scan(text, 0)
        except StopIteration:
            end = -1
        if end != len(text):
            value = _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise InputError(f"This is not valid JSON ({where}): {problem.msg}") from None
    except (ValueError, RecursionError) as problem:
        raise InputError(f"This JSON can't be read: {problem}") from None
    if len(text) > 2 * levels and is_deep(text, value, levels):
        raise InputError(f"This JSON is nested more than {levels} levels deep")
    return value


def is_deep(text: str, value: Any, levels: int = MAX_DEPTH) -> bool:
    """Return whether the value of a text has more than so many levels."""
    # Counting brackets is quick: most texts have too few.
    return text.count("[") + text.count("{") > levels and deeper_than(value, levels)


def deeper_than(value: Any, levels: int) -> bool:
    """Return whether more than so many objects and arrays stand in one another."""
    if not isinstance(value, (dict, list)):
        return False
    row: list[Any] = [value]
    for _ in range(levels):
        row = [
            inner
            for outer in row
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not row:
            return False
    return True


def finite(text: str) -> float:
    """Return a number's value; raise ValueError for one that no double can hold."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(parse_float=finite, parse_constant=_no_constant)
_scan = _DECODER.scan_once  # type: ignore[attr-defined]


class JsonDifference(NamedTuple):
    """A place where two values differ, `output.total`, and what stands there; ABSENT: nothing."""

    at: str
    first: Any
    second: Any


def equal(first: Any, second: Any) -> bool:
    """Return whether two JSON values are the same, where Python's `==` takes true for 1."""
    return bool(first == second) and isinstance(first, bool) is isinstance(second, bool)


def differences(
    at: str,
    first: Any,
    second: Any,
    *,
    same: Callable[[Any, Any], bool] = equal,
    partial: bool = False,
) -> Iterator[JsonDifference]:
    """Return the innermost places where two JSON values differ.

    `partial`: the second's objects may have more members; `same` judges what has no places inside.
    """
    match first, second:
        case dict(), dict():
            more = () if partial else (name for name in second if name not in first)
            for name in (*first, *more):
                inner = f"{at}.{name}" if at else name
                pair = first.get(name, ABSENT), second.get(name, ABSENT)
                yield from differences(inner, *pair, same=same, partial=partial)
        case list(), list() if len(first) == len(second):
            for index, pair in enumerate(zip(first, second, strict=True)):
                yield from differences(f"{at}[{index}]", *pair, same=same, partial=partial)
        case _ if not same(first, second):
            yield JsonDifference(at, first, second)


def value_of(text: Any) -> Any:
    """Return the value of a JSON text; other things as they are."""
    try:
        return loads(text) if isinstance(text, str) else text
    except InputError:
        return text
