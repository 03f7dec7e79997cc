"""The intrinsic functions, `FUNCTIONS` (fact 58): arguments already evaluated.

https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html and
https://states-language.net/spec.html#appendix-b; a call that fails says "Invalid arguments in
States.…", or as fact 129 has it.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from ..values import jackson, java
from ..values.json_values import dumps, java_doubles

MAX_TEXT = 10_000
"""Characters that Base64Encode, Base64Decode and Hash take (fact 57)."""
MAX_RANGE = 1_000
INT_MIN, INT_MAX = -(2**31), 2**31 - 1

_INFINITIES = (math.inf, -math.inf)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/_-]")
_URL_SAFE = str.maketrans("+/", "-_")
_TEMPLATE = re.compile(r"\\[{}\\']|\{\}|[{}]")
_HASHES = ("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512")


class InvalidArguments(Exception):  # noqa: N818
    """These arguments can't be used: "`problem` in States.NAME", and how that goes on."""

    def __init__(self, more: str = "", problem: str = "Invalid arguments") -> None:
        super().__init__(more)
        self.more = more
        self.problem = problem


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidArguments
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArguments
    return value


def _short(text: str) -> str:
    # Fact 57: at most 10,000 characters.
    if len(text) > MAX_TEXT:
        raise InvalidArguments
    return text


def _number(value: Any) -> int | float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value in _INFINITIES:
        raise InvalidArguments
    return value


def _truncated(value: Any) -> int:
    """Cut fractions off (fact 131; the documentation says that they are rounded)."""
    return int(_number(value))


def _int(value: int) -> int:
    # Fact 358: 32 bits.
    if not INT_MIN <= value <= INT_MAX:
        raise InvalidArguments
    return value


def _as_text(value: Any) -> str:
    # Fact 353: texts as they are, all else as JSON or as Java prints it.
    return value if isinstance(value, str) else java_doubles(dumps(value))


def _utf8(text: str) -> bytes:
    """Return the bytes as String.getBytes does: half of a surrogate pair is a question mark."""
    return text.encode(errors="replace")


def array_partition(items: Any, size: Any) -> list[list[Any]]:
    """Return chunks of a size; the last may be shorter (fact 357)."""
    length = _int(_truncated(size))
    if length < 1:
        raise InvalidArguments
    return [items[i : i + length] for i in range(0, len(_array(items)), length)]


def array_contains(items: Any, wanted: Any) -> bool:
    """Compare JSON texts: the text "true" is true, and members have an order (fact 132)."""
    text = _as_text(wanted)
    return any(_as_text(item) == text for item in _array(items))


def array_range(first: Any, last: Any, step: Any) -> list[int]:
    """Return the numbers up to the last, included if a step lands on it (fact 357)."""
    start, end, by = (_int(_truncated(value)) for value in (first, last, step))
    if by == 0 or (end - start) // by >= MAX_RANGE:
        raise InvalidArguments
    return list(range(start, end + (1 if by > 0 else -1), by))


def array_get_item(items: Any, index: Any) -> Any:
    """Return an item; null of an empty array, whatever the index (facts 56 and 131)."""
    position = _int(_truncated(index))
    if position < 0 or 0 < len(_array(items)) <= position:
        raise InvalidArguments
    return items[position] if items else None


def array_unique(items: Any) -> list[Any]:
    """Return the first of each, in the order of a java.util.HashSet (fact 130)."""
    unique: dict[Hashable, Any] = {}
    for item in _array(items):
        unique.setdefault(java.equality_key(item), item)
    return java.hash_order(unique.values())


def base64_encode(text: Any) -> str:
    """Encode a text's UTF-8 bytes (States.Base64Encode)."""
    # Fact 57: at most 10,000 characters.
    return base64.b64encode(_utf8(_short(_text(text)))).decode()


def base64_decode(text: Any) -> str:
    """Decode as Commons Codec does, which fails on no text (facts 132 and 367).

    It takes the digits of both alphabets, skips other characters and what is less than a byte, and
    ends at the padding, which may be missing.
    """
    digits = _NOT_BASE64.sub("", _short(_text(text)).partition("=")[0])
    whole = digits[:-1] if len(digits) % 4 == 1 else digits
    padding = "=" * (-len(whole) % 4)
    return base64.urlsafe_b64decode((whole + padding).translate(_URL_SAFE)).decode(errors="replace")


def hash_(data: Any, algorithm: Any) -> str:
    """Hash a text, or the JSON text of other data (facts 132 and 354)."""
    if _text(algorithm) not in _HASHES:
        raise InvalidArguments
    data_bytes = _utf8(_short(_as_text(data)))
    return hashlib.new(algorithm.replace("-", ""), data_bytes, usedforsecurity=False).hexdigest()


def json_merge(first: Any, second: Any, deep: Any) -> dict[str, Any]:
    """Merge the first level; a third argument other than true is ignored (facts 59 and 132)."""
    if not isinstance(first, dict) or not isinstance(second, dict) or deep is True:
        raise InvalidArguments
    merged = {**first, **second}
    # Recorded (test_json_merge): {a, b, d} and {a, c, d} give {a, b, c, d}.
    return {name: merged[name] for name in java.hash_order(merged)}


def string_to_json(text: Any) -> Any:
    """Read JSON; blank text is null (fact 356), what follows a value is ignored (fact 366)."""
    if not _text(text).strip():
        return None
    try:
        return jackson.loads(text, whole=False)
    except jackson.JSONProblem as problem:
        # Fact 129.
        why = f", caused by: {problem.redacted}"
        raise InvalidArguments(why, "Cannot convert String to Json") from None


def json_to_string(*values: Any) -> str:
    """Return a value's JSON text (States.JsonToString)."""
    # Fact 129: of the counts of arguments only this one has a text of its own.
    if len(values) != 1:
        raise InvalidArguments(": only a single argument is allowed.")
    return java_doubles(dumps(values[0]))


def math_random(rng: Callable[[], Random], first: Any, last: Any, *seed: Any) -> int:
    """Draw a number; seeded, the first of java.util.Random (fact 359, and fact 60 for JSONata)."""
    start, end = _int(_truncated(first)), _int(_truncated(last))
    if start >= end:
        raise InvalidArguments
    if seed:
        return start + java.next_int(_truncated(seed[0]), _int(end - start))
    return rng().randrange(start, end)


def math_add(first: Any, second: Any) -> int:
    """Add as Java's int: fractions are rounded, nothing may leave its range (fact 358)."""
    return _int(_rounded(first) + _rounded(second))


def _rounded(value: Any) -> int:
    # Fact 358: as Java's Math.round does.
    return _int(value if value.__class__ is int else java.rounded(_number(value)))


def string_split(text: Any, delimiters: Any) -> list[str]:
    """Split at any of the characters; empty pieces are dropped (fact 55)."""
    whole = _text(text)
    if not _text(delimiters):
        return [whole] if whole else []
    return [piece for piece in re.split(f"[{re.escape(delimiters)}]", whole) if piece]


def uuid4(rng: Callable[[], Random], *_: Any) -> str:
    """Return a random UUID (fact 355); arguments are taken and ignored."""
    return str(uuid.UUID(int=rng().getrandbits(128), version=4))


def format_(template: Any, *values: Any) -> str:
    """Replace each `{}` of the template by the text of the next value (facts 52, 53 and 353)."""
    first, *others = _pieces(_text(template))
    if len(others) != len(values):
        raise InvalidArguments(": number of arguments do not match the occurrences of {}.")
    return first + "".join(
        [java.text_of(value) + piece for value, piece in zip(values, others, strict=True)]
    )


@lru_cache(maxsize=1024)
def _pieces(template: str) -> tuple[str, ...]:
    """Return the template's text around its placeholders, with its escapes resolved.

    Facts 52 and 129: braces that don't match have a failure of their own.
    """
    pieces, position = [""], 0
    for match in _TEMPLATE.finditer(template):
        token = match[0]
        pieces[-1] += template[position : match.start()]
        position = match.end()
        if token == "{}":
            pieces.append("")
        elif token in ("{", "}"):
            other = "}" if token == "{" else "{"
            unmatched = f": matching '{other}' not found for '{token}'."
            raise InvalidArguments(unmatched, "Invalid template")
        else:
            pieces[-1] += token[1]
    pieces[-1] += template[position:]
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Intrinsic:
    """``body`` takes from ``least`` to ``most`` arguments."""

    body: Callable[..., Any]
    least: int
    most: int | float
    draws: bool = False
    """Random numbers: its body takes `RandomSource.rng` before the arguments."""
    writes: bool = False
    """Its arguments are written out, what they hold twice twice: their size is looked at before."""


FUNCTIONS: dict[str, Intrinsic] = {
    "States.Array": Intrinsic(lambda *items: list(items), 0, math.inf),
    "States.ArrayPartition": Intrinsic(array_partition, 2, 2),
    "States.ArrayContains": Intrinsic(array_contains, 2, 2, writes=True),
    "States.ArrayRange": Intrinsic(array_range, 3, 3),
    "States.ArrayGetItem": Intrinsic(array_get_item, 2, 2),
    "States.ArrayLength": Intrinsic(lambda items: len(_array(items)), 1, 1),
    "States.ArrayUnique": Intrinsic(array_unique, 1, 1, writes=True),
    "States.Base64Encode": Intrinsic(base64_encode, 1, 1),
    "States.Base64Decode": Intrinsic(base64_decode, 1, 1),
    "States.Hash": Intrinsic(hash_, 2, 2, writes=True),
    "States.JsonMerge": Intrinsic(json_merge, 3, 3),
    "States.StringToJson": Intrinsic(string_to_json, 1, 1),
    "States.JsonToString": Intrinsic(json_to_string, 0, math.inf, writes=True),
    "States.MathRandom": Intrinsic(math_random, 2, 3, draws=True),
    "States.MathAdd": Intrinsic(math_add, 2, 2),
    "States.StringSplit": Intrinsic(string_split, 2, 2),
    "States.UUID": Intrinsic(uuid4, 0, math.inf, draws=True),
    "States.Format": Intrinsic(format_, 1, math.inf, writes=True),
}
