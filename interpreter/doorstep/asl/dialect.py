"""Step Functions' own JSONata: the functions it adds, its bounds, and what a port to Java changes.

AWS runs JSONata 2.0.6 in a port to Java, without `$eval`. Sources:
https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html, and measurements
(facts 60, 66 to 69, 152 to 155, 360).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_FLOOR, Context
from functools import partial
from math import isfinite, trunc
from random import Random
from types import MappingProxyType
from typing import Any, Final

from ..jsonata import UNDEFINED, JSONataError, Limits
from ..jsonata.callables import Builtin, Signature
from ..jsonata.compiler import Dialect
from ..jsonata.errors import OUT_OF_MEMORY
from ..jsonata.evaluation import Evaluation
from ..jsonata.functions import BUILTINS, metered, strings
from ..jsonata.functions.strings import TextStyle
from ..jsonata.values import (
    Sequence,
    Value,
    as_double,
    has_pairs,
    join_pairs,
    print_number,
    split_pairs,
)
from ..values.java import next_double
from ..values.json_values import finite

LIMITS: Final = Limits(depth=100, memory=6_990_256, total=48 * 2**20)
"""What AWS allows one expression: levels and bytes of a value. It has about five seconds there; the
steps are as many as take about two here, so that the same expression fails on every machine."""


def within(steps: int) -> Limits:
    """Return the limits of an expression to which others of the same attempt leave so much.

    Facts 67 to 69.
    """
    return replace(LIMITS, steps=min(LIMITS.steps, steps))


MAX_RANGE: Final = 360_145
_ALGORITHMS: Final = {
    "SHA-1": hashlib.sha1,
    "SHA-384": hashlib.sha384,
    "SHA-256": hashlib.sha256,
    "SHA-512": hashlib.sha512,
    "MD5": hashlib.md5,
}
"""In the order in which AWS names them."""


# -- the functions that AWS adds (facts 60, 154 and 360); their signatures are what was measured


def functions(random: Callable[[], Random]) -> Mapping[str, Any]:
    """Return the functions that draw numbers; ``random`` gives the place's generator when needed.

    Fact 60.
    """

    def draw(_run: Evaluation, seed: Value = UNDEFINED) -> Value:
        """``$random([seed])``: from 0 up to 1; with a seed, java.util.Random's first double."""
        return random().random() if seed is UNDEFINED else next_double(_integer(seed))

    def new_uuid(_run: Evaluation) -> Value:
        """``$uuid()``: version 4."""
        return str(uuid.UUID(int=random().getrandbits(128), version=4))

    return {
        "random": Builtin("random", _RANDOM, draw, 1),
        "uuid": Builtin("uuid", _UUID, new_uuid, 0),
    }


_RANDOM: Final = Signature("<n?:n>")
_UUID: Final = Signature("<:s>")


def partition(_run: Evaluation, items: Value = UNDEFINED, size: Value = UNDEFINED) -> Value:
    """``$partition(array, n)``: chunks of n; all in one without n; nothing of nothing, or for 0."""
    if items is UNDEFINED:
        return UNDEFINED
    if not isinstance(items, list):
        raise JSONataError("T0412", index=1)
    if size is UNDEFINED:
        return [list(items)]
    step = _integer(size)
    if step < 0:
        raise JSONataError("D3137", message="Second argument must be zero or greater")
    if not items or step == 0:
        return UNDEFINED
    return [items[at : at + step] for at in range(0, len(items), step)]


def number_range(
    _run: Evaluation,
    first: Value = UNDEFINED,
    last: Value = UNDEFINED,
    step: Value = UNDEFINED,
) -> Value:
    """``$range(first, last, step)``: the last one included; one number alone is no array."""
    if UNDEFINED in (first, last, step):
        return UNDEFINED
    start, end, stride = _integer(first), _integer(last), _integer(step)
    if stride == 0:
        return UNDEFINED
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > MAX_RANGE:
        raise JSONataError("U1001", message=OUT_OF_MEMORY)
    return Sequence(numbers)


def digest(_run: Evaluation, *arguments: Value) -> Value:
    """``$hash(text, algorithm)``: lower-case hex of the UTF-8 bytes."""
    text, *rest = arguments
    if text is UNDEFINED or not rest:
        return UNDEFINED
    (algorithm,) = rest
    if algorithm not in _ALGORITHMS:
        name = "null" if algorithm is UNDEFINED else algorithm
        known = ", ".join(_ALGORITHMS)
        raise JSONataError("D3137", message=f"Hash algorithm '{name}' must be one of {known}")
    return _ALGORITHMS[algorithm](text.encode("utf-8", "surrogatepass")).hexdigest()


def parse(run: Evaluation, text: Value = UNDEFINED) -> Value:
    """``$parse(text)``: the value of a JSON text, strings in single quotes allowed."""
    if text is UNDEFINED:
        return UNDEFINED
    run.tick(len(text) // 4)  # "[],": in no other way do so few characters hold so much
    try:
        return _decode(_QUOTED.sub(_in_double_quotes, text) if "'" in text else text)
    except (ValueError, RecursionError):
        raise JSONataError("D3137", message="Invalid JSON") from None


_QUOTED: Final = re.compile(r"""("[^"\\]*(?:\\.[^"\\]*)*")|'([^'\\]*(?:\\.[^'\\]*)*)'""", re.DOTALL)
_BARE_QUOTE: Final = re.compile(r"\\'|(\\.)|(\")", re.DOTALL)


def _in_double_quotes(match: re.Match[str]) -> str:
    r"""Return a JSON string in double quotes; inside of both, `\'` is a quote (Jackson)."""
    double, single = match.groups()

    def requoted(part: re.Match[str]) -> str:
        return part.group(1) or ('\\"' if part.group(2) else "'")

    if double is not None:
        return '"' + _BARE_QUOTE.sub(requoted, double[1:-1]) + '"'
    return '"' + _BARE_QUOTE.sub(requoted, single) + '"'


def _members(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key is there twice")
    return members


def _refuse(name: str) -> Value:
    raise ValueError(f"{name} is no JSON")


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=finite, parse_constant=_refuse
).decode


def _integer(value: float) -> int:
    """Return a numeric argument: fractions are cut off (fact 360)."""
    if not isfinite(value):
        raise JSONataError("T0410", index=1, value=value)
    return trunc(value)


# -- what a port to Java does otherwise (facts 152 and 155)


def _number(value: float) -> str:
    """Return a number's text: the digits of a whole one; else 15, rounded towards minus infinity.

    Fact 152.
    """
    if type(value) is int and -(2**63) <= value < 2**63:
        return str(value)
    value = as_double(value)
    if value.is_integer() or not isfinite(value):
        return print_number(value) if isfinite(value) else "null"
    digits = _FIFTEEN_DOWN.create_decimal(repr(value)).normalize(_FIFTEEN_DOWN)
    return str(digits).replace("E", "e")  # java.math.BigDecimal's text is Decimal's


_FIFTEEN_DOWN: Final = Context(prec=15, rounding=ROUND_FLOOR)
_ESCAPES: Final = dict(
    zip('"\\\b\f\n\r\t', ('\\"', "\\\\", "\\b", "\\f", "\\n", "\\r", "\\t"), strict=True)
)
_ESCAPED: Final = re.compile('["\\\\\b\f\n\r\t]')


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(lambda match: _ESCAPES[match.group()], text) + '"'


_STYLE: Final = TextStyle(_number, _quoted)


def _substring(
    run: Evaluation, text: Value, start: Value = UNDEFINED, size: Value = UNDEFINED
) -> Value:
    """``$substring``, by UTF-16 units."""
    if not has_pairs(text):
        return strings.substring(run, text, start, size)
    return join_pairs(strings.substring(run, split_pairs(text), start, size))


def _base64_decode(run: Evaluation, text: Value) -> Value:
    """``$base64decode``: java.util.Base64's, which takes no padding, and no foreign characters."""
    run.tick(len(text) >> 7)
    foreign = _FOREIGN.search(text)
    if foreign is not None:
        code = f"{ord(foreign.group()):x}"
        raise JSONataError("", message=f"Illegal base64 character {code}")
    clean = text.rstrip("=")
    if len(clean) % 4 == 1:
        raise JSONataError("", message="Last unit does not have enough valid bits")
    data = base64.b64decode(clean + "=" * (-len(clean) % 4))
    return data.decode("utf-8", "replace")


_FOREIGN: Final = re.compile(r"[^A-Za-z0-9+/=]|=(?=[^=])")


def _whole_limit(function: Callable[..., Value], index: int) -> Callable[..., Value]:
    """Return the function with its argument at that place, a limit, cut to a whole number."""

    def cut(run: Evaluation, *arguments: Value) -> Value:
        if len(arguments) <= index or arguments[index] is UNDEFINED or arguments[index] < 0:
            return function(run, *arguments)
        return function(run, *arguments[:index], trunc(arguments[index]), *arguments[index + 1 :])

    return cut


def _ported(name: str, implementation: Callable[..., Value]) -> Builtin:
    return replace(BUILTINS[name], implementation=metered(name, implementation))


def _limited(name: str, index: int) -> Builtin:
    builtin = BUILTINS[name]
    return replace(builtin, implementation=_whole_limit(builtin.implementation, index))


# Of decodeUrl, $split and $match nothing was measured: they follow decodeUrlComponent and $replace.
_url_decoder = partial(strings.url_decoder, errors="replace", plus=" ")
_ADDED: Final = (
    Builtin("partition", Signature("<x?n?:a>"), partition, 2),
    Builtin("range", Signature("<n?n?n?:a<n>>"), number_range, 3),
    Builtin("hash", Signature("<ss?:s>"), digest, 2),
    Builtin("parse", Signature("<s?:x>"), parse, 1),
)
_PORTED: Final = (
    replace(BUILTINS["string"], implementation=partial(strings.string, style=_STYLE)),
    _ported("substring", _substring),
    _ported("base64decode", _base64_decode),
    _ported("decodeUrlComponent", _url_decoder("decodeUrlComponent", "")),
    _ported("decodeUrl", _url_decoder("decodeUrl", strings.URL_RESERVED)),
    _limited("replace", 3),
    _limited("split", 2),
    _limited("match", 2),
)
AWS: Final = Dialect(
    MappingProxyType({**BUILTINS, **{each.name: each for each in (*_ADDED, *_PORTED)}}),
    _STYLE,
    regex_flags="a",
)
"""JSONata as AWS runs it: what to compile expressions with."""

FUNCTIONS: Final = frozenset((*(each.name for each in _ADDED), "random", "uuid", "eval"))
"""The names of AWS's own functions, and of the one that it took away (fact 66)."""
