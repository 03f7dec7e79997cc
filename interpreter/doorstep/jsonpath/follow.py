"""Following the steps of a JSONPath: closures, and the reasons why a path leads nowhere.

Names and indexes, which nearly all real paths are, become a few look-ups. The other steps become a
tree of jsonpath-ng, which is imported for the first of them.
"""

from __future__ import annotations

from typing import Any

from ..values.json_values import dumps
from .grammar import Elements, Members, Step, definite
from .steps import ABSENT, Get, Meter, Reach


class PathNotFound(Exception):  # noqa: N818  named after what it says
    """A definite path leads nowhere. ``reason`` is what AWS says after `Invalid path '…' : `."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


class IndexNotFound(PathNotFound):
    """The path ends past the end of an array; as a field of a payload template that is null
    (measured: floci's StepFunctionsIntrinsicMissingArgumentIntegrationTest)."""


def follow(text: str, steps: tuple[Step, ...], absent: Get) -> tuple[Get, Reach | None]:
    """A closure from the root's value to what the steps lead to, or to `absent(root's value)`.

    And the same with a meter, unless the steps are so few that none is needed.
    """
    if all(_single(step) for step in steps):
        return _direct(steps, absent), None
    search = _search(steps, absent)
    return lambda value: search(value, Meter(text)), search


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
        found = value
        try:
            for name in names:
                found = found[name]
        except (KeyError, TypeError):
            return absent(value)
        return found

    return get


def _chain(keys: tuple[str | int, ...], absent: Get) -> Get:
    def get(value: Any) -> Any:
        found = value
        try:
            for key in keys:
                if key.__class__ is int and not isinstance(found, list):
                    return absent(value)  # a text has indexes in Python
                found = found[key]
        except (KeyError, IndexError, TypeError):
            return absent(value)
        return found

    return get


def _search(steps: tuple[Step, ...], absent: Get) -> Reach:
    from .nodes import build  # 40 ms, for few definitions

    find = build(steps, _in_filter)
    if not definite(steps):
        return find

    def get(value: Any, meter: Meter) -> Any:
        values = find(value, meter)
        return values[0] if values else absent(value)

    return get


def absence(text: str, steps: tuple[Step, ...], value: Any) -> PathNotFound:
    """Why a definite path leads nowhere, in the words of the library that AWS uses.

    Recorded: "No results …" and "Missing property …" (test_invalid_jsonpath,
    test_catch_states_runtime). Told by users of AWS: "Property … not found" (awsdocs
    aws-step-functions-developer-guide #5), "Multi properties …" (deric4's gist of 2023),
    "Filter: …" (floci's documentation).
    """
    at = "$"
    for step in steps:
        last = step is steps[-1]
        match step:
            case Members(names):
                inside = ", ".join(f"'{name}'" for name in names)
                if not isinstance(value, dict):
                    return PathNotFound(text, f"Property [{inside}] not found in path {at}")
                at += f"[{inside}]"
                if len(names) > 1:
                    reason = f"Multi properties can only be used as path leafs: {at}"
                    return PathNotFound(text, reason)
                if names[0] not in value:
                    missing = "No results for path:" if last else "Missing property in path"
                    return PathNotFound(text, f"{missing} {at}")
                value = value[names[0]]
            case Elements((index,)):
                if not isinstance(value, list):
                    reason = f"Filter: [{index}] can only be applied to arrays."
                    return PathNotFound(text, f"{reason} Current context is: {dumps(value)}")
                at += f"[{index}]"
                beyond = not -len(value) <= index < len(value)
                if beyond and last:
                    return IndexNotFound(text, f"No results for path: {at}")
                value = None if beyond else value[index]
    raise AssertionError(text)
