"""What AWS inherits from Java: values as text, numbers rounded and drawn, the order of a map."""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Hashable, Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

_T = TypeVar("_T")


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
            return double_text(value)
    return str(value)


def double_text(value: float) -> str:
    """Do as Double.toString: plain from 0.001 up to 10 million, `1.0E7` outside of that."""
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1e7:
        return repr(value)
    mantissa, exponent = f"{Decimal(repr(value)).normalize():E}".split("E")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def rounded(value: float) -> int:
    """Do as Math.round: to the nearest, halves up, so that -1.5 is -1 (fact 358)."""
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


def hash_order(values: Collection[_T]) -> list[_T]:
    """Return values that differ in the order in which a `java.util.HashMap` returns such keys.

    Facts 130 and 329.
    """
    size = 16
    while len(values) > size * 3 // 4:
        size *= 2
    return sorted(values, key=lambda value: _spread(hash_code(value)) % size)


def _spread(code: int) -> int:
    """Mix the upper half of a hash code into the lower one, as HashMap does."""
    return code ^ (code >> 16)


def hash_code(value: Any) -> int:
    """Return `Object.hashCode` of a JSON value, as a number from 0 up to 2**32.

    By the documentation of java.lang and java.util.
    """
    match value:
        case str():
            return _of_sequence(0, _utf16(value))
        case None:
            return 0
        case bool():
            return 1231 if value else 1237
        case int():
            return value % 2**32 if -(2**31) <= value < 2**31 else _folded(value % 2**64)
        case float():
            return _folded(_bits(value))
        case list():
            return _of_sequence(1, map(hash_code, value))
    return sum(hash_code(name) ^ hash_code(member) for name, member in value.items()) % 2**32


def equality_key(value: Any) -> Hashable:
    """Return equal keys for JSON values that Java's `equals` calls equal: 1 and 1.0 are not."""
    match value:
        case dict():
            return frozenset((name, equality_key(member)) for name, member in value.items())
        case list():
            return tuple(map(equality_key, value))
        case float():
            return float, _bits(value)
    return type(value), value


def _of_sequence(code: int, parts: Iterable[int]) -> int:
    for part in parts:
        code = (31 * code + part) % 2**32
    return code


def _utf16(text: str) -> Iterator[int]:
    units = text.encode("utf-16-be", "surrogatepass")
    return ((high << 8) + low for high, low in zip(units[::2], units[1::2], strict=True))


def _folded(bits: int) -> int:
    """Do as Long.hashCode and Double.hashCode: both halves of 64 bits, one onto the other."""
    return (bits ^ (bits >> 32)) % 2**32


def _bits(value: float) -> int:
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    return int(bits)
