"""The functions of the language: name, signature, implementation, jsonata-js's arity.

Signatures are those that jsonata-js registers (https://docs.jsonata.org/embedding-extending says
how to read them); AWS's own functions are in `asl.dialect`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ..callables import Builtin, Signature
from ..evaluation import Evaluation
from ..values import UNDEFINED, Value, size_of
from . import dates, integers, numbers, patterns, strings, structures

_TABLE: Final[tuple[tuple[str, str, Callable[..., Value], int], ...]] = (
    ("sum", "<a<n>:n>", numbers.total, 1),
    ("count", "<a:n>", structures.count, 1),
    ("max", "<a<n>:n>", numbers.largest, 1),
    ("min", "<a<n>:n>", numbers.smallest, 1),
    ("average", "<a<n>:n>", numbers.average, 1),
    ("string", "<x-b?:s>", strings.string, 1),
    ("substring", "<s-nn?:s>", strings.substring, 3),
    ("substringBefore", "<s-s:s>", strings.substring_before, 2),
    ("substringAfter", "<s-s:s>", strings.substring_after, 2),
    ("lowercase", "<s-:s>", strings.lowercase, 1),
    ("uppercase", "<s-:s>", strings.uppercase, 1),
    ("length", "<s-:n>", strings.length, 1),
    ("trim", "<s-:s>", strings.trim, 1),
    ("pad", "<s-ns?:s>", strings.pad, 3),
    ("match", "<s-f<s:o>n?:a<o>>", patterns.match, 3),
    ("contains", "<s-(sf):b>", patterns.contains, 2),
    ("replace", "<s-(sf)(sf)n?:s>", patterns.replace, 4),
    ("split", "<s-(sf)n?:a<s>>", patterns.split, 3),
    ("join", "<a<s>s?:s>", strings.join, 2),
    ("formatNumber", "<n-so?:s>", numbers.format_number, 3),
    ("formatBase", "<n-n?:s>", numbers.format_base, 2),
    ("formatInteger", "<n-s:s>", integers.format_integer, 2),
    ("parseInteger", "<s-s:n>", integers.parse_integer, 2),
    ("number", "<(nsb)-:n>", numbers.to_number, 1),
    ("floor", "<n-:n>", numbers.floor, 1),
    ("ceil", "<n-:n>", numbers.ceil, 1),
    ("round", "<n-n?:n>", numbers.round_half_even, 2),
    ("abs", "<n-:n>", numbers.absolute, 1),
    ("sqrt", "<n-:n>", numbers.sqrt, 1),
    ("power", "<n-n:n>", numbers.power, 2),
    ("random", "<:n>", numbers.random, 0),
    ("boolean", "<x-:b>", structures.boolean, 1),
    ("not", "<x-:b>", structures.negation, 1),
    ("map", "<af>", structures.map_items, 2),
    ("zip", "<a+>", structures.zip_arrays, 0),
    ("filter", "<af>", structures.filter_items, 2),
    ("single", "<af?>", structures.single, 2),
    ("reduce", "<afj?:j>", structures.reduce, 3),
    ("sift", "<o-f?:o>", structures.sift, 2),
    ("keys", "<x-:a<s>>", structures.keys, 1),
    ("lookup", "<x-s:x>", structures.lookup, 2),
    ("append", "<xx:a>", structures.append, 2),
    ("exists", "<x:b>", structures.exists, 1),
    ("spread", "<x-:a<o>>", structures.spread, 1),
    ("merge", "<a<o>:o>", structures.merge, 1),
    ("reverse", "<a:a>", structures.reverse, 1),
    ("each", "<o-f:a>", structures.each, 2),
    ("error", "<s?:x>", structures.fail, 1),
    ("assert", "<bs?:x>", structures.assert_that, 2),
    ("type", "<x:s>", structures.type_of, 1),
    ("sort", "<af?:a>", structures.sort, 2),
    ("shuffle", "<a:a>", structures.shuffle, 1),
    ("distinct", "<x:x>", structures.distinct, 1),
    ("base64encode", "<s-:s>", strings.base64_encode, 1),
    ("base64decode", "<s-:s>", strings.base64_decode, 1),
    ("encodeUrlComponent", "<s-:s>", strings.encode_url_component, 1),
    ("encodeUrl", "<s-:s>", strings.encode_url, 1),
    ("decodeUrlComponent", "<s-:s>", strings.decode_url_component, 1),
    ("decodeUrl", "<s-:s>", strings.decode_url, 1),
    ("toMillis", "<s-s?:n>", dates.to_millis, 2),
    ("fromMillis", "<n-s?s?:s>", dates.from_millis, 3),
    ("now", "<s?s?:s>", dates.now, 2),
    ("millis", "<:n>", dates.millis, 0),
    ("clone", "<(oa)-:o>", structures.clone, 1),
)

_UNMETERED: Final = frozenset(
    (
        *("count", "length", "exists", "type", "random", "millis", "abs", "floor", "ceil", "round"),
        *("sum", "average", "boolean", "not", "keys", "string", "sort"),
        *("map", "filter", "reduce", "each", "sift"),
    )
)
"""Those that take as long for a large value as for a small one, or count their steps themselves."""

_TAKES_NOTHING: Final = frozenset(("append", "assert", "error", "now", "zip"))
"""Metered functions that are called although their first argument is UNDEFINED."""


def metered(name: str, implementation: Callable[..., Value]) -> Callable[..., Value]:
    """Return the function, counting the steps to go through its arguments once.

    "Undefined inputs always return undefined" (jsonata-js, functions.js).
    """
    takes_nothing = name in _TAKES_NOTHING

    def metered(run: Evaluation, *arguments: Value) -> Value:
        steps = 1
        for argument in arguments:
            steps += size_of(argument)
        run.tick(steps)
        if (arguments and arguments[0] is not UNDEFINED) or takes_nothing:
            return implementation(run, *arguments)
        return UNDEFINED

    return metered


BUILTINS: Final[Mapping[str, Builtin]] = MappingProxyType(
    {
        name: Builtin(
            name,
            Signature(signature),
            implementation if name in _UNMETERED else metered(name, implementation),
            arity,
        )
        for name, signature, implementation, arity in _TABLE
    }
)
