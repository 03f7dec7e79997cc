"""JSONPath as AWS has it: paths that read, reference paths that also write.

Grammar: `grammar`. Reading: `follow`, and `nodes` for what is not a mere
sequence of names and indexes. Filters: `filters`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ..values.json_values import dumps
from .follow import absence, follow, key_of
from .grammar import PathSyntaxError, definite, parse, reference
from .steps import Get, Reach


class ReferenceConflict(Exception):  # noqa: N818
    """A reference path can't be applied; the message is AWS's cause."""


@dataclass(frozen=True, slots=True)
class Path:
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
class Reference:
    """A reference path (ResultPath, ItemsPath)."""

    text: str
    root: str
    get: Get
    """What stands there; raises ReferenceConflict."""
    put: Callable[[Any, Any], Any]
    """``put(target, value)``: the target with the value there, sharing all that is not on the way;
    absent objects on the way are made. Raises ReferenceConflict."""


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Path:
    """Compile `$.a`, `$$.State.Name` or `$variable[0]`. Raises PathSyntaxError."""
    root, steps = parse(text)

    def absent(value: Any) -> Any:
        raise absence(text, steps, value)

    get, search = follow(text, steps, absent)
    return Path(text, root, reference(steps), definite(steps), get, search)


@lru_cache(maxsize=4096)
def compile_reference(text: str) -> Reference:
    """Compile a Reference Path. Raises PathSyntaxError for any other path."""
    root, steps = parse(text)
    if not reference(steps):
        position = next(i for i in range(1, len(steps) + 1) if not reference(steps[:i]))
        raise PathSyntaxError(
            f"A reference path has names and indexes only, but step {position} is neither", text, 0
        )
    keys = tuple(key_of(step) for step in steps)
    return Reference(text, root, _get(keys), _put(keys))


def _put(keys: tuple[Any, ...]) -> Callable[[Any, Any], Any]:
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
    return ReferenceConflict(f'Unable to apply step "{step}" to input {dumps(target)}')
