"""Numbers as JavaScript reads and prints them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite
from typing import Final

from .values import as_double, number

_FIFTEEN: Final = Context(prec=15, rounding=ROUND_HALF_UP)
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?\Z")
_RADIX: Final = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def print_number(value: float) -> str:
    """JavaScript's ``String(value)``."""
    if type(value) is int and abs(value) < 10**15:
        return str(value)
    value = as_double(value)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    sign, digits, exponent = _parts(value)
    return sign + _layout(digits, exponent)


def _parts(value: float) -> tuple[str, str, int]:
    """Sign, the shortest digits that mean this double, and where the point stands among them."""
    parts = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, parts.digits))
    exponent = len(digits) + int(parts.exponent)
    digits = digits.rstrip("0") or "0"
    return ("-" if parts.sign and value else ""), digits, exponent if value else 1


def _layout(digits: str, point: int) -> str:
    if 0 < point <= 21:
        whole = digits[:point].ljust(point, "0")
        return f"{whole}.{digits[point:]}" if len(digits) > point else whole
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def print_15(value: float) -> str:
    """With 15 significant digits, as ``$string`` does; null if that is beyond all doubles."""
    if type(value) is int and abs(value) < 10**15:
        return str(value)
    rounded = float(_FIFTEEN.create_decimal(Decimal(as_double(value))))
    return print_number(rounded) if isfinite(rounded) else "null"


def read_number(text: str) -> int | float | None:
    """``$number`` of a string; None if it is none."""
    if _DECIMAL.match(text):
        value = float(text)
        return number(value) if abs(value) != float("inf") else None
    if _RADIX.fullmatch(text):
        return number(int(text, 0))
    return None


def in_radix(value: float, radix: int) -> str:
    """An integer in the digits of a radix from 2 to 36."""
    rest, digits = abs(int(value)), ""
    while rest:
        rest, digit = divmod(rest, radix)
        digits = _DIGITS[digit] + digits
    return ("-" if value < 0 else "") + (digits or "0")
