"""``$formatNumber``: XPath's pictures of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from itertools import accumulate
from math import isinf, isnan
from typing import Final

from .errors import JSONataError
from .fn_numbers import round_half_even
from .integer_pictures import insert_marks, regular_interval
from .run import Run
from .values import UNDEFINED, Value, required

_DEFAULTS: Final = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "infinity": "Infinity",
    "minus-sign": "-",
    "NaN": "NaN",
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
        self.point = chosen["decimal-separator"]
        self.group = chosen["grouping-separator"]
        self.exponent = chosen["exponent-separator"]
        self.minus = chosen["minus-sign"]
        self.percent = chosen["percent"]
        self.per_mille = chosen["per-mille"]
        self.zero = chosen["zero-digit"]
        self.optional = chosen["digit"]
        self.alternative = chosen["pattern-separator"]
        self.digits = "".join(chr(ord(self.zero) + n) for n in range(10))
        self.active = {*self.digits, self.point, self.exponent, self.group, self.optional}
        self.active.add(self.alternative)

    def count_digits(self, text: str, *, optional: bool = False) -> int:
        """Digits in a part of a picture; ``optional``: the optional ones too."""
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

    text: str
    prefix: str
    suffix: str
    least_whole: int
    scaling: int
    least_fraction: int
    most_fraction: int
    least_exponent: int
    whole_groups: list[int] = field(default_factory=list)
    fraction_groups: list[int] = field(default_factory=list)


def format_number(
    run: Run, value: Value = UNDEFINED, picture: Value = UNDEFINED, options: Value = UNDEFINED
) -> Value:
    """``$formatNumber``; D3080 to D3093 for what is wrong with a picture."""
    if value is UNDEFINED:
        return UNDEFINED
    run.tick(30 + 4 * len(required(picture, 2)))
    symbols = _Symbols({} if options is UNDEFINED else options)
    pictures = required(picture, 2).split(symbols.alternative)
    if len(pictures) > 2:
        raise JSONataError("D3080")
    parts = [_split(each, symbols) for each in pictures]
    for each in parts:
        _validate(each, symbols)
    positive, *rest = [_lay_out(each, symbols) for each in parts]
    negative = rest[0] if rest else replace(positive, prefix=symbols.minus + positive.prefix)
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
    return _Parts(
        text,
        text[:start],
        text[end:],
        active,
        mantissa,
        exponent,
        whole,
        fraction if point else text[end:],
    )


def _validate(parts: _Parts, symbols: _Symbols) -> None:
    """As in jsonata-js, of several faults the last one counts."""
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
    return _Layout(
        parts.text,
        parts.prefix,
        parts.suffix,
        whole,
        scaling,
        least,
        most,
        symbols.count_digits(parts.exponent or ""),
        _groups(parts.whole, parts, symbols),
        _groups(parts.fraction, parts, symbols),
    )


def _groups(part: str, parts: _Parts, symbols: _Symbols) -> list[int]:
    """How many digits there are between the point and each grouping separator.

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


def _show(run: Run, value: float, layout: _Layout, symbols: _Symbols) -> str:
    if symbols.percent in layout.text:
        value = value * 100
    elif symbols.per_mille in layout.text:
        value = value * 1000
    exponent = None
    if layout.least_exponent:
        value, exponent = _normalise(value, layout.scaling)
    rounded = round_half_even(run, value, layout.most_fraction)
    whole, fraction = _digits(rounded, layout.most_fraction)
    whole = whole.lstrip("0").rjust(layout.least_whole, "0")
    fraction = fraction.rstrip("0").ljust(layout.least_fraction, "0")
    text = _grouped_whole(_translated(whole, symbols), layout, symbols)
    if fraction and symbols.point in layout.text:
        text += symbols.point + _grouped_fraction(_translated(fraction, symbols), layout, symbols)
    if exponent is not None:
        digits = str(abs(exponent)).rjust(layout.least_exponent, "0")
        sign = symbols.minus if exponent < 0 else ""
        text += symbols.exponent + sign + _translated(digits, symbols)
    return layout.prefix + text + layout.suffix


def _normalise(value: float, scaling: int) -> tuple[float, int]:
    """Mantissa, without its sign and with the picture's whole digits, and exponent."""
    exponent = 0
    if value == 0 or isnan(value) or isinf(value):
        return value, exponent
    value = abs(value)
    most, least = 10.0**scaling, 10.0 ** (scaling - 1)
    while value < least:
        value *= 10
        exponent -= 1
    while value > most:
        value /= 10
        exponent += 1
    return value, exponent


def _digits(value: float, places: int) -> tuple[str, str]:
    """JavaScript's toFixed of the absolute value, at the point."""
    if isnan(value) or isinf(value):
        return ("NaN" if isnan(value) else "Infinity"), ""
    with localcontext() as context:
        context.prec = 800
        whole, _, fraction = f"{abs(Decimal(value)):.{places}f}".partition(".")
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
