"""What AWS inherits from Java: how values read as text, how numbers are rounded and drawn."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any


def text_of(value: Any) -> str:
    """A JSON value as Java's `toString` shows it: `{Arg1=1, Arg2=[]}` (recorded: test_format_1)."""
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
    """Math.round: to the nearest, halves up, so that -1.5 is -1."""
    below = math.floor(value)
    return below + (value - below >= 0.5)


def next_int(seed: int, bound: int) -> int:
    """`new java.util.Random(seed).nextInt(bound)`, by the documentation of that class."""
    state = (seed ^ 0x5DEECE66D) % 2**48
    while True:
        state = (state * 0x5DEECE66D + 0xB) % 2**48
        bits = state >> 17
        if bound & (bound - 1) == 0:
            return (bound * bits) >> 31
        value = bits % bound
        if bits - value + bound <= 2**31:
            return value
