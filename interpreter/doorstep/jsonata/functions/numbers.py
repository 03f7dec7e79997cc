"""Numeric and aggregation functions.

https://docs.jsonata.org/numeric-functions and https://docs.jsonata.org/aggregation-functions; the
pictures of ``$formatNumber`` are those of
https://www.w3.org/TR/xpath-functions-31/#formatting-numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import partial, reduce
from itertools import accumulate
from operator import add
from typing import Final

from ..errors import JSONataError
from ..evaluation import Evaluation
from ..values import (
    NUMBERS,
    SAFE,
    UNDEFINED,
    Value,
    as_double,
    in_radix,
    number,
    print_number,
    read_number,
    required,
)
from .integers import insert_marks, regular_interval

_MOST_PLACES: Final = 340
"""Beyond which all doubles are whole, or all are nothing."""


def to_number(_run: Evaluation, value: Value) -> Value:
    """Convert to a number (``$number``); D3030 if it can't be."""
    if type(value) in NUMBERS:
        return value
    if type(value) is bool:
        return int(value)
    result = read_number(value) if type(value) is str else None
    if result is None:
        raise JSONataError("D3030", value=value, index=1)
    return result


def absolute(_run: Evaluation, value: Value = UNDEFINED) -> Value:
    """``$abs``."""
    return UNDEFINED if value is UNDEFINED else number(abs(value))


def _whole(convert: Callable[[float], int], _run: Evaluation, value: Value = UNDEFINED) -> Value:
    return value if value is UNDEFINED or not math.isfinite(value) else number(convert(value))


floor = partial(_whole, math.floor)
ceil = partial(_whole, math.ceil)


def round_half_even(_run: Evaluation, value: Value = UNDEFINED, places: Value = UNDEFINED) -> Value:
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


def sqrt(_run: Evaluation, value: Value) -> Value:
    """``$sqrt``; D3060 below zero."""
    if value < 0:
        raise JSONataError("D3060", value=value, index=1)
    return number(math.sqrt(value))


def power(_run: Evaluation, base: Value, exponent: Value = UNDEFINED) -> Value:
    """``$power``; D3061 if it is beyond all doubles."""
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError, ZeroDivisionError, TypeError):
        result = math.inf
    if not math.isfinite(result):
        raise JSONataError("D3061", value=base, exp=exponent, index=1)
    return number(result)


def random(run: Evaluation) -> Value:
    """``$random``: from 0 up to 1."""
    return run.random()


def format_base(run: Evaluation, value: Value, radix: Value = UNDEFINED) -> Value:
    """``$formatBase``: the rounded number in a radix from 2 to 36."""
    base = 10 if radix is UNDEFINED else round_half_even(run, radix)
    if base < 2 or base > 36:
        raise JSONataError("D3100", value=base)
    return in_radix(round_half_even(run, value), base)


# -- aggregation


def total(run: Evaluation, values: Value = UNDEFINED) -> Value:
    """``$sum``: from left to right in doubles, as JavaScript adds; newer sum()s round less."""
    if values is UNDEFINED:
        return UNDEFINED
    run.left -= len(values)
    whole = sum(values)
    if type(whole) is int and -SAFE <= whole <= SAFE:
        return whole
    try:
        return number(reduce(add, map(float, values), 0.0))
    except OverflowError:
        return number(reduce(add, map(as_double, values), 0.0))


def average(run: Evaluation, values: Value = UNDEFINED) -> Value:
    """``$average``; UNDEFINED of nothing."""
    if values is UNDEFINED or not values:
        return UNDEFINED
    return number(as_double(total(run, values)) / len(values))


def _extreme(choose: Callable[[list[Value]], Value], _run: Evaluation, values: Value) -> Value:
    return UNDEFINED if not values else choose(values)


largest = partial(_extreme, max)
smallest = partial(_extreme, min)

# -- pictures

_DEFAULTS: Final = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "minus-sign": "-",
    "percent": "%",
    "per-mille": "\u2030",
    "zero-digit": "0",
    "digit": "#",
    "pattern-separator": ";",
}


class _Symbols:
    """The characters that mean something in a picture."""

    def __init__(self, options: dict[str, str]) -> None:
        chosen = {**_DEFAULTS, **options}
        self.point, self.group, self.exponent, self.minus, *more = map(
            chosen.__getitem__, _DEFAULTS
        )
        self.percent, self.per_mille, self.zero, self.optional, self.alternative = more
        self.digits = "".join(chr(ord(self.zero) + n) for n in range(10))
        self.active = {*self.digits, self.point, self.exponent, self.group, self.optional}
        self.active.add(self.alternative)

    def count_digits(self, text: str, *, optional: bool = False) -> int:
        """Count the digits in a part of a picture; ``optional``: the optional ones too."""
        return sum(c in self.digits or (optional and c == self.optional) for c in text)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A sub-picture, taken apart."""

    text: str
    prefix: str
    suffix: str
    active: str
    mantissa: str
    exponent: str | None
    whole: str
    fraction: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a sub-picture asks for."""

    parts: _Parts
    least_whole: int
    scaling: int
    least_fraction: int
    most_fraction: int
    least_exponent: int
    whole_groups: list[int]
    fraction_groups: list[int]
    sign: str = ""


def format_number(
    run: Evaluation,
    value: Value,
    picture: Value = UNDEFINED,
    options: Value = UNDEFINED,
) -> Value:
    """``$formatNumber``; D3080 to D3093 for what is wrong with a picture."""
    run.tick(30 + 4 * len(required(picture, 2)))
    symbols = _Symbols({} if options is UNDEFINED else options)
    pictures = required(picture, 2).split(symbols.alternative)
    if len(pictures) > 2:
        raise JSONataError("D3080")
    parts = [_split(each, symbols) for each in pictures]
    for each in parts:
        _validate(each, symbols)
    positive, *rest = [_lay_out(each, symbols) for each in parts]
    negative = rest[0] if rest else replace(positive, sign=symbols.minus)
    return _show(run, value, positive if value >= 0 else negative, symbols)


def _split(text: str, symbols: _Symbols) -> _Parts:
    marks = [at for at, c in enumerate(text) if c in symbols.active and c != symbols.exponent]
    if not marks:
        raise JSONataError("D3086" if text else "D3085")
    start, end = marks[0], marks[-1] + 1
    active = text[start:end]
    at = text.find(symbols.exponent, start)
    if at < 0 or at > end:
        mantissa, exponent = active, None
    else:
        mantissa, exponent = active[: at - start], active[at - start + 1 :]
    whole, point, fraction = mantissa.partition(symbols.point)
    prefix, suffix = text[:start], text[end:]
    fraction = fraction if point else suffix
    return _Parts(text, prefix, suffix, active, mantissa, exponent, whole, fraction)


def _validate(parts: _Parts, symbols: _Symbols) -> None:
    """Check the picture's parts; of several faults the last one counts, as in jsonata-js."""
    faults = [code for code, is_wrong in _faults(parts, symbols) if is_wrong]
    if faults:
        raise JSONataError(faults[-1])


def _faults(parts: _Parts, symbols: _Symbols) -> list[tuple[str, bool]]:
    text, group = parts.text, symbols.group
    point = text.find(symbols.point)
    beside = text[max(point - 1, 0) : point] + text[point + 1 : point + 2] if point >= 0 else ""
    is_scaled = symbols.percent in text or symbols.per_mille in text
    before_optional, optional, _ = parts.whole.partition(symbols.optional)
    _, last_optional, after_optional = parts.fraction.rpartition(symbols.optional)
    exponent = parts.exponent
    return [
        ("D3081", text.count(symbols.point) > 1),
        ("D3082", text.count(symbols.percent) > 1),
        ("D3083", text.count(symbols.per_mille) > 1),
        ("D3084", symbols.percent in text and symbols.per_mille in text),
        ("D3085", symbols.count_digits(parts.mantissa, optional=True) == 0),
        ("D3086", any(c not in symbols.active for c in parts.active)),
        ("D3087", point >= 0 and group in beside),
        ("D3088", point < 0 and parts.whole.endswith(group)),
        ("D3089", group * 2 in text),
        ("D3090", bool(optional) and symbols.count_digits(before_optional) > 0),
        ("D3091", bool(last_optional) and symbols.count_digits(after_optional) > 0),
        ("D3092", bool(exponent) and is_scaled),
        ("D3093", exponent is not None and not _is_digits(exponent, symbols)),
    ]


def _is_digits(text: str, symbols: _Symbols) -> bool:
    return bool(text) and symbols.count_digits(text) == len(text)


def _lay_out(parts: _Parts, symbols: _Symbols) -> _Layout:
    whole = scaling = symbols.count_digits(parts.whole)
    least = symbols.count_digits(parts.fraction)
    most = symbols.count_digits(parts.fraction, optional=True)
    has_exponent = parts.exponent is not None
    if whole == 0 and most == 0:
        if has_exponent:
            least = most = 1
        else:
            whole = 1
    if has_exponent and whole == 0 and symbols.optional in parts.whole:
        whole = 1
    if whole == 0 and least == 0:
        least = 1
    whole_groups = _groups(parts.whole, parts, symbols)
    fraction_groups = _groups(parts.fraction, parts, symbols)
    digits = symbols.count_digits(parts.exponent or "")
    return _Layout(parts, whole, scaling, least, most, digits, whole_groups, fraction_groups)


def _groups(part: str, parts: _Parts, symbols: _Symbols) -> list[int]:
    """Return how many digits there are between the point and each grouping separator.

    In either part, jsonata-js looks for all separators but the first in the whole part.
    """
    before = [0, *accumulate(symbols.count_digits(c, optional=True) for c in part)]
    positions = []
    at = part.find(symbols.group)
    while at >= 0:
        left = before[min(at, len(part))]
        positions.append(left if part is parts.fraction else before[-1] - left)
        at = parts.whole.find(symbols.group, at + 1)
    return positions


def _show(run: Evaluation, value: float, layout: _Layout, symbols: _Symbols) -> str:
    if symbols.percent in layout.parts.text:
        value = value * 100
    elif symbols.per_mille in layout.parts.text:
        value = value * 1000
    exponent = None
    if layout.least_exponent:
        value, exponent = _normalise(value, layout.scaling)
    rounded = round_half_even(run, value, layout.most_fraction)
    whole, fraction = _digits(rounded, layout.most_fraction)
    whole = whole.lstrip("0").rjust(layout.least_whole, "0")
    fraction = fraction.rstrip("0").ljust(layout.least_fraction, "0")
    text = _grouped_whole(_translated(whole, symbols), layout, symbols)
    if fraction and symbols.point in layout.parts.text:
        text += symbols.point + _grouped_fraction(_translated(fraction, symbols), layout, symbols)
    if exponent is not None:
        digits = str(abs(exponent)).rjust(layout.least_exponent, "0")
        sign = symbols.minus if exponent < 0 else ""
        text += symbols.exponent + sign + _translated(digits, symbols)
    return layout.sign + layout.parts.prefix + text + layout.parts.suffix


def _normalise(value: float, scaling: int) -> tuple[float, int]:
    """Return the mantissa, without sign and with the picture's whole digits, and the exponent."""
    if value == 0 or not math.isfinite(value):
        return value, 0
    value, exponent = abs(value), 0
    most, least = 10.0**scaling, 10.0 ** (scaling - 1)
    while value < least:
        value *= 10
        exponent -= 1
    while value > most:
        value /= 10
        exponent += 1
    return value, exponent


def _digits(value: float, places: int) -> tuple[str, str]:
    """Split JavaScript's toFixed of the absolute value at the point."""
    if not math.isfinite(value):
        return print_number(abs(value)), ""
    with localcontext() as context:
        context.prec = 800
        # Fact 155: digits of doubles that JavaScript would write with an exponent are zeros.
        exact = Decimal(value) if abs(value) < 1e21 else Decimal(repr(value))
        whole, _, fraction = f"{abs(exact):.{places}f}".partition(".")
    return whole, fraction


def _translated(digits: str, symbols: _Symbols) -> str:
    if symbols.zero == "0":
        return digits
    return "".join(symbols.digits[int(digit)] if digit.isdigit() else digit for digit in digits)


def _grouped_whole(digits: str, layout: _Layout, symbols: _Symbols) -> str:
    positions = layout.whole_groups
    step = regular_interval(positions) if positions else 0
    if step:
        positions = list(range(step, len(digits), step))
    return insert_marks(digits, [(position, symbols.group) for position in positions])


def _grouped_fraction(digits: str, layout: _Layout, symbols: _Symbols) -> str:
    for position in layout.fraction_groups:
        digits = digits[:position] + symbols.group + digits[position:]
    return digits
