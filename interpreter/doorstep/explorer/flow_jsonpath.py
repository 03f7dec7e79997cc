"""The data flow of JSONPath texts: paths, intrinsic calls and payload templates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..intrinsics import IntrinsicCall, LiteralArgument, PathArgument, parse_intrinsic
from ..jsonpath.grammar import Descent, Elements, Members, parse
from .flow import (
    ARRAY,
    NAMED,
    PARSED,
    TEXT,
    Fixed,
    Flow,
    Key,
    Keys,
    Made,
    Missing,
    Read,
    Unknown,
    Want,
    at,
)

_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "States.StringToJson": ("{}",),
    "States.ArrayPartition": (ARRAY, 1),
    "States.ArrayContains": (ARRAY,),
    "States.ArrayRange": (1, 2, 1),
    "States.ArrayGetItem": (ARRAY, 0),
    "States.ArrayLength": (ARRAY,),
    "States.ArrayUnique": (ARRAY,),
    "States.Base64Decode": ("YQ==",),
    "States.Hash": (NAMED, "SHA-256"),
    "States.JsonMerge": ({}, {}),
    "States.MathRandom": (1, 2),
    "States.MathAdd": (1, 1),
    "States.StringSplit": ("a,b", ","),
}
"""Examples of what the functions take; a text where nothing else is said."""


def path(text: str, data: Flow) -> Flow:
    """What a path gives, `data` being what `$` means."""
    root, keys, whole = _parsed_path(text)
    roots = {"": data, "$": Read("context")}
    found = at(roots.get(root, Read(f"${root}")), keys)
    return found if whole or isinstance(found, Missing) else Unknown((Want(found, ARRAY),))


@lru_cache(maxsize=4096)
def _parsed_path(text: str) -> tuple[str, Keys, bool]:
    """Root, keys as far as they are names and indexes, and whether that is the whole path."""
    root, steps = parse(text)
    keys: list[str | int] = []
    for step in steps:
        match step:
            case Members((name,)):
                keys.append(name)
            case Elements((index,)):
                keys.append(index)
            case Descent():
                return root, tuple(keys[:-1]), False
            case _:
                return root, tuple(keys), False
    return root, tuple(keys), True


def text(value: str, data: Flow) -> Flow:
    """What the text of a member `….$` gives: a path's value or an intrinsic call's."""
    return path(value, data) if value.startswith("$") else _call(parse_intrinsic(value), data)


def template(value: Any, data: Flow) -> Flow:
    """What a payload template gives."""
    if isinstance(value, dict):
        return Made(members(value, data))
    if isinstance(value, list):
        return Made({index: template(item, data) for index, item in enumerate(value)})
    return Fixed(value)


def members(fields: Mapping[str, Any], data: Flow) -> dict[Key, Flow]:
    """What the members of a payload template give; those named `….$` are evaluated."""
    return {name.removesuffix(".$"): _member(name, v, data) for name, v in fields.items()}


def _member(name: str, value: Any, data: Flow) -> Flow:
    evaluated = name.endswith(".$") and isinstance(value, str)
    return text(value, data) if evaluated else template(value, data)


def _call(call: IntrinsicCall, data: Flow) -> Flow:
    arguments = [_argument(argument, data) for argument in call.arguments]
    match call.name, arguments:
        case "States.StringToJson", [Read() as given]:
            return at(given, (PARSED,))
        case "States.JsonToString", [Read() as given]:
            return at(given, (TEXT,))
        case "States.Array", _:
            return Made(dict(enumerate(arguments)))
        case "States.ArrayGetItem", [Read() as given, Fixed(int(index))]:
            return at(given, (index,))
        case "States.StringSplit", [given, Fixed(str(separator))]:
            return Unknown((Want(given, separator.join("abcd")),))
    examples = _ARGUMENTS.get(call.name, ())
    padded = [*examples, *[NAMED] * len(arguments)]
    return Unknown(tuple(map(Want, arguments, padded)))


def _argument(argument: LiteralArgument | PathArgument | IntrinsicCall, data: Flow) -> Flow:
    match argument:
        case LiteralArgument(value):
            return Fixed(value)
        case PathArgument(value):
            return path(value, data)
        case IntrinsicCall():
            return _call(argument, data)
