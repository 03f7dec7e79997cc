"""Numeric functions."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from .errors import JSONataError
from .numerals import in_radix, print_number, read_number
from .run import Run
from .values import NUMBERS, UNDEFINED, Value, as_double, number

_MOST_PLACES: Final = 340
"""Beyond which all doubles are whole, or all are nothing."""


def to_number(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$number``; D3030 if it can't be."""
    if value is UNDEFINED or type(value) in NUMBERS:
        return value
    if type(value) is bool:
        return int(value)
    result = read_number(value) if type(value) is str else None
    if result is None:
        raise JSONataError("D3030", value=value, index=1)
    return result


def absolute(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$abs``."""
    return UNDEFINED if value is UNDEFINED else number(abs(value))


def floor(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$floor``."""
    return UNDEFINED if value is UNDEFINED else _whole(math.floor, value)


def ceil(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$ceil``."""
    return UNDEFINED if value is UNDEFINED else _whole(math.ceil, value)


def _whole(convert: object, value: float) -> Value:
    assert callable(convert)
    return number(convert(value)) if math.isfinite(value) else value


def round_half_even(_run: Run, value: Value = UNDEFINED, places: Value = UNDEFINED) -> Value:
    """``$round``: of the decimal digits that the number prints as, halves to the even side."""
    if value is UNDEFINED or not math.isfinite(value):
        return value
    if places is UNDEFINED:
        places = 0
    if places != math.trunc(places):
        return math.nan  # as in jsonata-js
    places = math.trunc(places)
    if abs(places) > _MOST_PLACES:
        return number(value) if places > 0 else 0
    with localcontext() as context:
        context.prec = 800
        exact = Decimal(print_number(value))
        return number(float(exact.quantize(Decimal((0, (1,), -places)), ROUND_HALF_EVEN)))


def sqrt(_run: Run, value: Value = UNDEFINED) -> Value:
    """``$sqrt``; D3060 below zero."""
    if value is UNDEFINED:
        return UNDEFINED
    if value < 0:
        raise JSONataError("D3060", value=value, index=1)
    return number(math.sqrt(value))


def power(_run: Run, base: Value = UNDEFINED, exponent: Value = UNDEFINED) -> Value:
    """``$power``; D3061 if it is beyond all doubles."""
    if base is UNDEFINED:
        return UNDEFINED
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError, ZeroDivisionError, TypeError):
        result = math.inf
    if not math.isfinite(result):
        raise JSONataError("D3061", value=base, exp=exponent, index=1)
    return number(result)


def random(run: Run) -> Value:
    """``$random``: from 0 up to 1."""
    return run.random()


def format_base(run: Run, value: Value = UNDEFINED, radix: Value = UNDEFINED) -> Value:
    """``$formatBase``: the rounded number in a radix from 2 to 36."""
    if value is UNDEFINED:
        return UNDEFINED
    base = 10 if radix is UNDEFINED else round_half_even(run, radix)
    if base < 2 or base > 36:
        raise JSONataError("D3100", value=base)
    return in_radix(round_half_even(run, value), base)


# -- aggregation


def total(run: Run, values: Value = UNDEFINED) -> Value:
    """``$sum``."""
    return UNDEFINED if values is UNDEFINED else _sum(run, values)


def _sum(run: Run, values: list[Value]) -> Value:
    """From left to right in doubles, as JavaScript adds; newer Pythons' sum() rounds less."""
    run.left -= len(values)
    whole = sum(values)
    if type(whole) is int:
        return number(whole)
    result = 0.0
    for value in values:
        result += as_double(value)
    return number(result)


def average(run: Run, values: Value = UNDEFINED) -> Value:
    """``$average``; UNDEFINED of nothing."""
    if values is UNDEFINED or not values:
        return UNDEFINED
    return number(as_double(_sum(run, values)) / len(values))


def largest(_run: Run, values: Value = UNDEFINED) -> Value:
    """``$max``."""
    return UNDEFINED if values is UNDEFINED or not values else max(values)


def smallest(_run: Run, values: Value = UNDEFINED) -> Value:
    """``$min``."""
    return UNDEFINED if values is UNDEFINED or not values else min(values)
