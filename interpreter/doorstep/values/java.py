"""What AWS inherits from Java: values as text, numbers rounded and drawn, the order of a map."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any


def text_of(value: Any) -> str:
    """Return a JSON value as Java's `toString` has it: `{Arg1=1, Arg2=[]}` (fact 353)."""
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            members = (f"{name}={text_of(member)}" for name, member in value.items())
            return f"{{{', '.join(members)}}}"
        case list():
            return f"[{', '.join(map(text_of, value))}]"
        case float():
            return _double(value)
    return str(value)


def _double(value: float) -> str:
    """Double.toString: plain from 0.001 up to 10 million, `1.0E7` outside of that."""
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1e7:
        return repr(value)
    mantissa, exponent = f"{Decimal(repr(value)).normalize():E}".split("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def rounded(value: float) -> int:
    """Math.round: to the nearest, halves up, so that -1.5 is -1 (fact 358)."""
    below = math.floor(value)
    return below + (value - below >= 0.5)


def next_int(seed: int, bound: int) -> int:
    """Return `new java.util.Random(seed).nextInt(bound)`, by the documentation of that class."""
    states = _states(seed)
    while True:
        bits = next(states) >> 17
        if bound & (bound - 1) == 0:
            return (bound * bits) >> 31
        value = bits % bound
        if bits - value + bound <= 2**31:
            return value


def next_double(seed: int) -> float:
    """Return `new java.util.Random(seed).nextDouble()` (fact 60)."""
    states = _states(seed)
    high, low = next(states) >> 22, next(states) >> 21
    return float((high << 27) + low) * 2.0**-53


def _states(seed: int) -> Iterator[int]:
    """Yield the states of java.util.Random: a linear congruential generator of 48 bits."""
    state = (seed ^ 0x5DEECE66D) % 2**48
    while True:
        state = (state * 0x5DEECE66D + 0xB) % 2**48
        yield state


def hash_order(names: Collection[str]) -> list[str]:
    """Return names in the order in which a `java.util.HashMap` with these keys returns them.

    Fact 329.
    """
    size = 16
    while len(names) > size * 3 // 4:
        size *= 2
    return sorted(names, key=lambda name: _hash(name) % size)


def _hash(name: str) -> int:
    """String.hashCode, its upper half mixed into the lower one as HashMap does."""
    code = 0
    units = name.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + (high << 8) + low) % 2**32
    return code ^ (code >> 16)
