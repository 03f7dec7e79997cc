"""Step Functions' own JSONata: the functions it adds, what it takes away, and its bounds.

Sources: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html, and
measurements (facts 60, 66 to 69, 360).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite, trunc
from random import Random
from typing import Any, Final

from ..jsonata import UNDEFINED, JSONataError, Limits
from ..jsonata.callables import Native
from ..jsonata.errors import OUT_OF_MEMORY
from ..jsonata.evaluation import Evaluation
from ..values.java import next_double

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
    "MD5": hashlib.md5,
    "SHA-1": hashlib.sha1,
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}


def functions(random: Callable[[], Random]) -> Mapping[str, Any]:
    """Return the bindings of an expression; ``random`` returns the place's generator when needed.

    Fact 60.
    """

    def draw(seed: Any = UNDEFINED, *more: Any) -> float:
        """``$random([seed])``: from 0 up to 1; with a seed, java.util.Random's first double."""
        if more:
            raise _mismatch(2, "random")
        return random().random() if seed is UNDEFINED else next_double(_integer(seed))

    def new_uuid(*more: Any) -> str:
        """``$uuid()``: version 4."""
        if more:
            raise _mismatch(1, "uuid")
        return str(uuid.UUID(int=random().getrandbits(128), version=4))

    return {**_PURE, "random": draw, "uuid": new_uuid}


def partition(items: Any = UNDEFINED, size: Any = UNDEFINED) -> Any:
    """``$partition(array, n)``: chunks of n, or all in one; nothing for an empty array or 0.

    Fact 360.
    """
    if items is UNDEFINED:
        return UNDEFINED
    if items is None:
        raise JSONataError("T0412", token="partition", index=1, type="any")
    values = items if isinstance(items, list) else [items]
    step = len(values) if size is UNDEFINED else _integer(size)
    if step < 0:
        raise JSONataError("D3137", message="Second argument must be zero or greater")
    if not values or step == 0:
        return UNDEFINED
    return [values[at : at + step] for at in range(0, len(values), step)]


def number_range(first: Any = UNDEFINED, last: Any = UNDEFINED, step: Any = UNDEFINED) -> Any:
    """``$range(first, last, step)``: the last one included; one number alone is no array.

    Fact 360.
    """
    if UNDEFINED in (first, last, step):
        return UNDEFINED
    start, end, stride = _integer(first), _integer(last), _integer(step)
    if stride == 0:
        return UNDEFINED
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > MAX_RANGE:
        raise JSONataError("U1001", message=OUT_OF_MEMORY)
    if len(numbers) < 2:
        return numbers[0] if numbers else UNDEFINED
    return list(numbers)


def digest(text: Any = UNDEFINED, algorithm: Any = UNDEFINED) -> Any:
    """``$hash(text, algorithm)``: lower-case hex of the UTF-8 bytes (facts 60 and 360)."""
    if text is UNDEFINED or algorithm is UNDEFINED:
        return UNDEFINED
    if not isinstance(text, str):
        raise _mismatch(1, "hash")
    if not isinstance(algorithm, str):
        raise _mismatch(2, "hash")
    if algorithm not in _ALGORITHMS:
        known = ", ".join(_ALGORITHMS)
        raise JSONataError("D3137", message=f"The algorithm must be one of {known}: {algorithm}")
    return _ALGORITHMS[algorithm](text.encode("utf-8", "surrogatepass")).hexdigest()


class _Parse(Native):
    """``$parse(text)``: the value of a JSON text."""

    __slots__ = ()
    arity = 1

    def call(self, run: Evaluation, arguments: list[Any]) -> Any:
        """Return the value; UNDEFINED without a text. Raise D3137 when it is not JSON."""
        text = arguments[0] if arguments else UNDEFINED
        if text is UNDEFINED:
            return UNDEFINED
        if not isinstance(text, str):
            raise _mismatch(1, "parse")
        run.tick(len(text) // 4)  # "[],": in no other way do so few characters hold so much
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as problem:
            raise JSONataError("D3137", message=f"Invalid JSON: {problem}") from None


_PURE: Final[Mapping[str, Any]] = {
    "partition": partition,
    "range": number_range,
    "hash": digest,
    "parse": _Parse(),
    "eval": UNDEFINED,
}

FUNCTIONS: Final = frozenset({*_PURE, "random", "uuid"})
"""The names that `functions` binds."""


def _integer(value: Any) -> int:
    """Return a numeric argument: fractions are cut off (fact 360)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise JSONataError("T0410", index=1, value=value)
    return trunc(value)


def _mismatch(index: int, name: str) -> JSONataError:
    return JSONataError("T0410", token=name, index=index)
