"""JSONPath as AWS has it: paths that read, reference paths that also write.

Names and indexes, which nearly all real paths are, become a few look-ups. Other steps are taken one
after the other (`nodes`), which imports jsonpath-ng for the first of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ..values.json_values import dumps
from .grammar import Elements, Members, PathSyntaxError, Step, definite, parse, reference
from .meter import ABSENT, Get, PathMeter, Reach


class ReferenceConflict(Exception):  # noqa: N818
    """A reference path can't be applied; the message is AWS's cause."""


@dataclass(frozen=True, slots=True)
class CompiledPath:
    """A compiled path; ``get`` takes the value of its root."""

    text: str
    root: str
    """"" for `$`, "$" for `$$` (the context object), otherwise the name of a variable."""
    reference: bool
    """Names and indexes only (Reference Path)."""
    definite: bool
    """Leads to one value; other paths give the list of their matches, which may be empty."""
    get: Get
    """Raises PathNotFound when the path is definite and leads nowhere."""
    search: Reach | None
    """The same with a meter, where it may take many steps."""


@dataclass(frozen=True, slots=True)
class ReferencePath:
    """A reference path (ResultPath, ItemsPath)."""

    text: str
    root: str
    get: Get
    """What stands there; raises ReferenceConflict."""
    put: Callable[[Any, Any], Any]
    """``put(target, value)``: the target with the value there, sharing all that is not on the way;
    absent objects on the way are made. Raises ReferenceConflict."""


@lru_cache(maxsize=4096)
def compile_path(text: str) -> CompiledPath:
    """Compile `$.a`, `$$.State.Name` or `$variable[0]`. Raises PathSyntaxError."""
    root, steps = parse(text)

    def absent(value: Any) -> Any:
        raise absence(text, steps, value)

    get, search = follow(text, steps, absent)
    return CompiledPath(text, root, reference(steps), definite(steps), get, search)


@lru_cache(maxsize=4096)
def compile_reference(text: str) -> ReferencePath:
    """Compile a Reference Path. Raises PathSyntaxError for any other path (fact 325)."""
    root, steps = parse(text)
    if not reference(steps):
        position = next(i for i in range(1, len(steps) + 1) if not reference(steps[:i]))
        raise PathSyntaxError(
            f"A reference path has names and indexes only, but step {position} is neither", text, 0
        )
    keys = tuple(key_of(step) for step in steps)
    return ReferencePath(text, root, _get(keys), _put(keys))


def _put(keys: tuple[Any, ...]) -> Callable[[Any, Any], Any]:
    # Fact 49: fields that are missing on the way are created.
    if not keys:
        return lambda _, value: value

    def put(target: Any, value: Any) -> Any:
        changed = copy = _copy(target, keys[0], target)
        for key, following in pairwise(keys):
            inner = copy.get(key, {}) if isinstance(copy, dict) else copy[key]
            copy[key] = inner = _copy(inner, following, target)
            copy = inner
        copy[keys[-1]] = value
        return changed

    return put


def _copy(node: Any, key: str | int, target: Any) -> Any:
    """Return a copy of an object or array that can have something under a key."""
    if isinstance(node, dict) and isinstance(key, str):
        return {**node}
    if isinstance(node, list) and isinstance(key, int) and key < len(node):
        return [*node]
    raise _conflict(key, target)


def _get(keys: tuple[Any, ...]) -> Get:
    def get(target: Any) -> Any:
        node = target
        for key in keys:
            if not _has(node, key):
                raise _conflict(key, target)
            node = node[key]
        return node

    return get


def _has(node: Any, key: str | int) -> bool:
    if isinstance(key, str):
        return isinstance(node, dict) and key in node
    return isinstance(node, list) and key < len(node)


def _conflict(step: str | int, target: Any) -> ReferenceConflict:
    # Fact 310: the words are those that AWS was measured to use.
    return ReferenceConflict(f'Unable to apply step "{step}" to input {dumps(target)}')


# -- reading


class PathNotFound(Exception):  # noqa: N818  named after what it says
    """A definite path leads nowhere. ``reason`` is what AWS says after `Invalid path '…' : `."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


class IndexNotFound(PathNotFound):
    """The path ends past the end of an array.

    As a field of a payload template that is null (measured: floci's
    StepFunctionsIntrinsicMissingArgumentIntegrationTest; fact 328).
    """


class NotAnArray(PathNotFound):
    """An index stands on something other than an array, or null (fact 133)."""


def follow(text: str, steps: tuple[Step, ...], absent: Get) -> tuple[Get, Reach | None]:
    """Return a function of the root's value: what the steps lead to, or `absent(root's value)`.

    And the same with a meter, unless the steps are so few that none is needed.

    Facts 31 and 320: a definite path has one value or none, any other a list.
    """
    if all(_single(step) for step in steps):
        return _direct(steps, absent), None
    search = _search(steps, absent)
    return lambda value: search(value, PathMeter(text)), search


def _in_filter(steps: tuple[Step, ...]) -> Reach:
    """Return the same for a path in a filter, which returns ABSENT."""
    if not all(_single(step) for step in steps):
        return _search(steps, lambda _: ABSENT)
    get = _direct(steps, lambda _: ABSENT)
    return lambda value, _: get(value)


def _direct(steps: tuple[Step, ...], absent: Get) -> Get:
    keys = tuple(key_of(step) for step in steps)
    if not keys:
        return lambda value: value
    if any(isinstance(key, int) for key in keys):
        return _chain(keys, absent)
    return _member(keys[0], absent) if len(keys) == 1 else _members(keys, absent)


def _single(step: Step) -> bool:
    match step:
        case Members((_,)) | Elements((_,)):
            return True
    return False


def key_of(step: Step) -> Any:
    """Return the name or index of a step that has one alone."""
    match step:
        case Members((key,)) | Elements((key,)):
            return key
    raise AssertionError(step)


def _member(name: str, absent: Get) -> Get:
    def get(value: Any) -> Any:
        try:
            return value[name]
        except (KeyError, TypeError):
            return absent(value)

    return get


def _members(names: tuple[str, ...], absent: Get) -> Get:
    def get(value: Any) -> Any:
        member = value
        try:
            for name in names:
                member = member[name]
        except (KeyError, TypeError):
            return absent(value)
        return member

    return get


def _chain(keys: tuple[str | int, ...], absent: Get) -> Get:
    def get(value: Any) -> Any:
        member = value
        try:
            for key in keys:
                if key.__class__ is int and not isinstance(member, list):
                    return absent(value)  # a text has indexes in Python
                member = member[key]
        except (KeyError, IndexError, TypeError):
            return absent(value)
        return member

    return get


def _search(steps: tuple[Step, ...], absent: Get) -> Reach:
    from .nodes import build  # 40 ms, for few definitions

    find = build(steps, _in_filter)
    if not definite(steps):
        return find

    def get(value: Any, meter: PathMeter) -> Any:
        values = find(value, meter)
        return values[0] if values else absent(value)

    return get


def absence(text: str, steps: tuple[Step, ...], value: Any) -> PathNotFound:
    """Return why a definite path leads nowhere, in the words of the library that AWS uses.

    Recorded: "No results …" and "Missing property …" (test_invalid_jsonpath,
    test_catch_states_runtime). Reported by users of AWS: "Property … not member" (awsdocs
    aws-step-functions-developer-guide #5), "Multi properties …" (deric4's gist of 2023),
    "FilterStep: …" (floci's documentation).

    Fact 321.
    """
    at = "$"
    for step in steps:
        last = step is steps[-1]
        match step:
            case Members(names):
                inside = spelled((step,)).removeprefix("$")
                if not isinstance(value, dict):
                    return PathNotFound(text, f"Property {inside} not found in path {at}")
                at += inside
                if len(names) > 1:
                    reason = f"Multi properties can only be used as path leafs: {at}"
                    return PathNotFound(text, reason)
                if names[0] not in value:
                    missing = "No results for path:" if last else "Missing property in path"
                    return PathNotFound(text, f"{missing} {at}")
                value = value[names[0]]
            case Elements((index,)):
                if not isinstance(value, list):
                    kind = PathNotFound if value is None else NotAnArray
                    reason = f"Filter: [{index}] can only be applied to arrays."
                    return kind(text, f"{reason} Current context is: {dumps(value)}")
                at += f"[{index}]"
                if not -len(value) <= index < len(value):
                    kind = IndexNotFound if last else PathNotFound
                    return kind(text, f"No results for path: {spelled(steps)}")
                value = value[index]
    raise AssertionError(text)


def spelled(steps: tuple[Step, ...]) -> str:
    """Return definite steps as the library writes them: `$['a', 'b'][0]`."""
    text = "$"
    for step in steps:
        match step:
            case Members(names):
                quoted = ", ".join(f"'{name}'" for name in names)
                text += f"[{quoted}]"
            case Elements((index,)):
                text += f"[{index}]"
    return text
