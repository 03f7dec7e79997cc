"""Where a value comes from, as far as a definition says it: a small algebra of data flow.

| flow | is |
|---|---|
| Read | what stands at keys of a root: `input`, `result`, `error`, `context`, or a `$variable` |
| Fixed | a value that the definition spells out |
| Made | an object or array whose members are flows |
| Put | a flow with another put at keys of it (ResultPath, $merge) |
| Unknown | computed; of what, and of which kind that has to be |
| Missing | nothing: the definition says that nothing is there |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..definitions.substitution import has_placeholder
from ..errors import InputError
from ..values.json_values import ABSENT, dumps, loads


class Step(Enum):
    """A key that is no name or index."""

    PARSED = "the value of a JSON text"
    TEXT = "the JSON text of a value"


PARSED, TEXT = Step.PARSED, Step.TEXT
Key = str | int | Step
Keys = tuple[Key, ...]


class Example(Enum):
    """Stands for a text named after the last key, so that a report's data says what it is."""

    NAMED = "some …"


NAMED = Example.NAMED
ARRAY: list[Any] = [{}]
MOMENT = "2025-01-01T00:00:00Z"
"""Examples of arrays and of timestamps."""
MOST_ITEMS = 1_000
"""Longer arrays are not made: an index of 10**9 in a definition must not cost memory."""


@dataclass(frozen=True, slots=True)
class Read:
    """What stands at `keys` of a root."""

    root: str
    keys: Keys = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that the definition spells out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Made:
    """An object, or with numbers for keys an array."""

    members: Mapping[Key, Flow]


@dataclass(frozen=True, slots=True)
class Put:
    """`onto` with `value` at `keys`."""

    onto: Flow
    keys: Keys
    value: Flow


@dataclass(frozen=True, slots=True)
class Want:
    """A value that has to be there, and an example of its kind."""

    flow: Flow
    example: Any = NAMED


@dataclass(frozen=True, slots=True)
class Unknown:
    """Computed from these."""

    wants: tuple[Want, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing; `key` is the one that is not there."""

    key: Key


Flow = Read | Fixed | Made | Put | Unknown | Missing
UNKNOWN = Unknown()
ERROR = Made({name: Read("error", (name,)) for name in ("Error", "Cause")})
"""The error output that a catcher gets."""


def at(flow: Flow, keys: Keys) -> Flow:
    """Return the flow of what stands at keys of a flow."""
    if not keys:
        return flow
    match flow:
        case Read(root, before):
            return Read(root, before + keys)
        case Fixed(value):
            inner = get(value, keys)
            if inner is not ABSENT:
                return Fixed(inner)
            return UNKNOWN if _filled_in_later(value, keys) else Missing(keys[-1])
        case Made(members):
            if keys[0] in members:
                return at(members[keys[0]], keys[1:])
            # A name looked up in an array: JSONata reads the member of every item.
            mapped = isinstance(keys[0], str) and any(isinstance(key, int) for key in members)
            return Unknown(tuple(map(Want, members.values()))) if mapped else Missing(keys[0])
        case Put(onto, place, value):
            return _at_put(onto, place, value, keys)
    return flow


def _filled_in_later(value: Any, keys: Keys) -> bool:
    """Return whether a template's placeholder is on the way: deployment fills it in."""
    parts = (get(value, keys[:length]) for length in range(len(keys)))
    return any(isinstance(part, str) and has_placeholder(part) for part in parts)


def _at_put(onto: Flow, place: Keys, value: Flow, keys: Keys) -> Flow:
    shared = min(len(place), len(keys))
    if place[:shared] != keys[:shared]:
        return at(onto, keys)
    if shared == len(place):
        return at(value, keys[shared:])
    return Put(at(onto, keys), place[shared:], value)


def wants(flow: Flow, example: Any = NAMED) -> Iterator[Want]:
    """Yield what has to be there for a flow to have a value."""
    match flow:
        case Read():
            yield Want(flow, example)
        case Made(members):
            for member in members.values():
                yield from wants(member)
        case Put(_, _, value):
            yield from wants(value)
        case Unknown(inner):
            for want in inner:
                yield from wants(want.flow, want.example)
        case Missing():
            yield Want(flow)


def get(value: Any, keys: Keys) -> Any:
    """Return what stands at keys of a value; ABSENT when nothing does."""
    for key in keys:
        match key, value:
            case str(), dict() if key in value:
                value = value[key]
            case int(), list() if -len(value) <= key < len(value):
                value = value[key]
            case Step.PARSED, str():
                value = _parsed(value)
            case Step.TEXT, _:
                value = dumps(value)
            case _:
                return ABSENT
    return value


def put(value: Any, keys: Keys, new: Any) -> Any:
    """Return a value with another at keys of it; ABSENT removes what stands there.

    Values of the wrong type on the way are replaced by objects or arrays.
    """
    if not keys:
        return new
    key, *rest = keys
    if key is PARSED:
        return dumps(put(_parsed(value), tuple(rest), new))
    if key is TEXT:
        parsed = _parsed(new)
        return new if parsed is ABSENT else parsed
    if isinstance(key, int):
        if abs(key) > MOST_ITEMS:
            return value
        items = [*value] if isinstance(value, list) else []
        items += [items[-1] if items else {}] * (max(key, -key - 1) + 1 - len(items))
        items[key] = put(items[key], tuple(rest), new)
        return items
    members = {**value} if isinstance(value, dict) else {}
    if new is ABSENT and (not rest or key not in members):
        members.pop(key, None)
    else:
        members[key] = put(members.get(key, {}), tuple(rest), new)
    return members


def _parsed(text: Any) -> Any:
    try:
        return loads(text) if isinstance(text, str) else {}
    except InputError:
        return ABSENT


_ROOTS = {"input": "$", "result": "$", "error": "$", "context": "$$"}
_JSONATA_ROOTS = {name: f"$states.{name}" for name in _ROOTS} | {"error": "$states.errorOutput"}


def expression(flow: Read | Missing, *, jsonata: bool) -> str:
    """Return what a state reads, written in its query language."""
    root, keys = (flow.root, flow.keys) if isinstance(flow, Read) else ("input", (flow.key,))
    return path_text((_JSONATA_ROOTS if jsonata else _ROOTS).get(root, root), keys)


def path_text(root: str, keys: Keys) -> str:
    """Return a path as one writes it: `$.items[0].price`."""
    text = root
    for key in keys:
        match key:
            case int():
                text += f"[{key}]"
            case str():
                text += f".{key}" if key.isidentifier() else f"['{key}']"
            case _:
                text = f"{key.name.lower()}({text})"
    return text
