"""The values of an evaluation: JSON values, UNDEFINED, and five kinds of list.

JSON null is None; "no value" is UNDEFINED. Numbers are int, or float when they have a fraction or
are beyond 2**53; both stand for IEEE doubles. Lists are never changed once another expression can
see them. What jsonata-js marks by properties of an array, a subclass of list marks here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from math import isfinite, isnan
from typing import Any, Final, Protocol

from .errors import JSONataError

Value = Any
"""A JSON value, UNDEFINED or a function."""


class Meter(Protocol):
    """What counts the steps of an evaluation."""

    def tick(self, count: int = 1) -> None:
        """Count steps; raise U1001 when there are too many."""


class Undefined:
    """The type of UNDEFINED, of which there is one instance."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()


class Sequence(list[Value]):
    """Results that a path or a function gathered: one is the value itself, none is UNDEFINED."""

    __slots__ = ()


class KeptSequence(Sequence):
    """A sequence that stays an array when it holds one value: ``path[]``."""

    __slots__ = ()


class OuterSequence(Sequence):
    """Wraps an input that is an array, so that a path starts at the array, not at its items."""

    __slots__ = ()


class TupleStream(Sequence):
    """Values on a path with ``@$x``, ``#$i`` or ``%``: a dict of bindings each, itself at '@'."""

    __slots__ = ()


class Constructed(list[Value]):
    """``[…]`` as the first or last step of a path: not flattened into its results."""

    __slots__ = ()


class Function:
    """Base of the function values of the language."""

    __slots__ = ()


def is_function(value: Value) -> bool:
    """Return whether the value is a lambda, a built-in, a regular expression or a callable."""
    return isinstance(value, Function) or callable(value)


def symbol(value: Value) -> str:
    """Return the letter of the value's type in function signatures; ``m`` is missing."""
    letter = _SYMBOLS.get(type(value))
    if letter is not None:
        return letter
    if isinstance(value, list):
        return "a"
    if isinstance(value, dict):
        return "o"
    return "f" if is_function(value) else "m"


_SYMBOLS: Final[dict[type, str]] = {
    str: "s",
    int: "n",
    float: "n",
    bool: "b",
    type(None): "l",
    list: "a",
    Sequence: "a",
    dict: "o",
    Undefined: "m",
}

NUMBERS: Final = frozenset((int, float))


def size_of(value: Value) -> int:
    """Return the steps that Python itself takes to go through a value once."""
    kind = type(value)
    if kind is str:
        return len(value) >> 9
    return len(value) >> 3 if isinstance(value, list | dict) else 0


def required(value: Value, index: int) -> Value:
    """Return an argument that a function can't do without; T0410 if it is UNDEFINED."""
    if value is UNDEFINED:
        raise JSONataError("T0410", value=value, index=index)
    return value


def is_number(value: Value) -> bool:
    """Return whether the value is a number; NaN is none, infinity is an error (D1001)."""
    kind = type(value)
    if kind is int:
        return True
    if kind is not float or isnan(value):
        return False
    if not isfinite(value):
        raise JSONataError("D1001", value=value)
    return True


def are_numbers(values: Iterable[Value]) -> bool:
    """Return whether all values are numbers."""
    return all(map(is_number, values))


SAFE: Final = 2**53


def number(value: float) -> int | float:
    """Return a computed number in its one form: whole ones as int, as JavaScript prints them."""
    if type(value) is int:
        return value if -SAFE <= value <= SAFE else number(as_double(value))
    if not value.is_integer():  # infinity and NaN are no integers either
        return value
    if -SAFE <= value <= SAFE:
        return int(value)
    return int(Decimal(repr(value))) if abs(value) < 1e21 else value


def as_double(value: float) -> float:
    """Return the double that a number stands for; infinity where it is beyond all doubles."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def truthy(value: Value, run: Meter) -> bool:
    """``$boolean``'s rules; UNDEFINED counts as false."""
    if value is True:
        return True
    if isinstance(value, list):
        run.tick(len(value))
        return any(truthy(item, run) for item in value)
    if type(value) in NUMBERS:
        return is_number(value) and value != 0
    return isinstance(value, str | dict) and len(value) > 0


def equal(left: Value, right: Value, run: Meter) -> bool:
    """Return whether two values are deeply equal; true is not 1, a function equals only itself."""
    if left is right:
        return True
    kind = type(left)
    if kind is str:
        if type(right) is str and len(left) == len(right) > 8191:
            run.tick(len(left) >> 13)
        return left == right  # type: ignore[no-any-return]
    if kind is bool or left is None:
        return kind is type(right) and bool(left == right)
    if kind in NUMBERS:
        return type(right) in NUMBERS and bool(left == right)
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        run.tick(1 + len(left))
        return all(equal(a, b, run) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict):
        run.tick(1 + len(left))
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(value, right[key], run) for key, value in left.items())
        )
    return False


# -- texts are UTF-16, as in JavaScript and in Java; here a character is one, not two units

_PAIRS: Final = re.compile("[\U00010000-\U0010ffff]")


def has_pairs(text: str) -> bool:
    """Return whether some character of a text takes two UTF-16 units."""
    return not text.isascii() and _PAIRS.search(text) is not None


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 units of a text."""
    return len(text) if text.isascii() else len(text) + len(_PAIRS.findall(text))


def split_pairs(text: str) -> str:
    """Return a text in which every character is one UTF-16 unit: pairs are two halves."""
    return _PAIRS.sub(_halves, text)


def _halves(match: re.Match[str]) -> str:
    high, low = divmod(ord(match.group()) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def join_pairs(text: str) -> str:
    """Return the text with each two halves of a character that stand side by side made one."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def text_order(values: Iterable[Value]) -> Callable[[str], bytes] | None:
    """Return the key by which texts are ordered by UTF-16 units; None: by themselves will do."""
    if any(type(value) is str and has_pairs(value) for value in values):
        return _units
    return None


def in_units(left: str, right: str) -> tuple[str, str] | tuple[bytes, bytes]:
    """Return two texts as what compares by UTF-16 units."""
    if left.isascii() or right.isascii():
        return left, right
    return _units(left), _units(right)


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


# -- numbers as JavaScript reads and prints them

_FIFTEEN: Final = Context(prec=15, rounding=ROUND_HALF_UP)
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?\Z")
_RADIX: Final = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def print_number(value: float) -> str:
    """Return JavaScript's ``String(value)``."""
    if type(value) is int and abs(value) < 10**15:
        return str(value)
    value = as_double(value)
    if value != value:  # noqa: PLR0124  NaN alone differs from itself
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    sign, digits, exponent = _parts(value)
    return sign + _layout(digits, exponent)


def _parts(value: float) -> tuple[str, str, int]:
    """Return the sign, the shortest digits that mean this double, and where their point stands."""
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
    """Print 15 significant digits, as ``$string`` does; null if that is beyond all doubles."""
    if type(value) is int and abs(value) < 10**15:
        return str(value)
    rounded = float(_FIFTEEN.create_decimal(Decimal(as_double(value))))
    return print_number(rounded) if isfinite(rounded) else "null"


def read_number(text: str) -> int | float | None:
    """Return ``$number`` of a string; None if it is none."""
    if _DECIMAL.match(text):
        value = float(text)
        return number(value) if abs(value) != float("inf") else None
    if _RADIX.fullmatch(text):
        return number(int(text, 0))
    return None


def in_radix(value: float, radix: int) -> str:
    """Return an integer in the digits of a radix from 2 to 36."""
    rest, digits = abs(int(value)), ""
    while rest:
        rest, digit = divmod(rest, radix)
        digits = _DIGITS[digit] + digits
    return ("-" if value < 0 else "") + (digits or "0")
