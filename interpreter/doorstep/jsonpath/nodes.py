"""Steps of a JSONPath as a tree of jsonpath-ng, with nodes of our own where AWS's library differs.

Importing this module imports jsonpath-ng; `jsonpath` does so when the first path needs it.
"""

from __future__ import annotations

from typing import Any

from jsonpath_ng.jsonpath import (
    Child,
    DatumInContext,
    Descendants,
    Index,
    JSONPath,
    Root,
    Slice,
)
from jsonpath_ng.jsonpath import Wildcard as Every

from .filters import Follow, Predicate, compile_filter
from .grammar import Descent, Elements, Filter, Members, Range, Step, Wildcard


class Selected(JSONPath):
    """``.a``, ``['a']``; ``['a','b']`` is one object of those that are there, at the end only.

    jsonpath-ng's Fields gives several names one by one, and takes the name `*` for a wildcard.
    """

    def __init__(self, names: tuple[str, ...], last: bool) -> None:
        self.names = names
        self.last = last

    def find(self, data: Any) -> list[DatumInContext]:
        datum = DatumInContext.wrap(data)
        value = datum.value
        if not isinstance(value, dict):
            return []
        chosen = {name: value[name] for name in self.names if name in value}
        if len(self.names) == 1:
            return [DatumInContext(item, path=self, context=datum) for item in chosen.values()]
        return [DatumInContext(chosen, path=self, context=datum)] if self.last else []


class Filtered(JSONPath):
    """``[?(...)]``: items of an array, or the object itself. `@` is never a scalar (AWS, Paths)."""

    def __init__(self, matches: Predicate, descending: bool) -> None:
        self.matches = matches
        self.descending = descending
        """After `..` every item is visited for itself."""

    def find(self, data: Any) -> list[DatumInContext]:
        datum = DatumInContext.wrap(data)
        value, root = datum.value, _root(datum)
        if isinstance(value, dict):
            return [datum] if self.matches(value, root) else []
        if not isinstance(value, list) or self.descending:
            return []
        return [
            DatumInContext(item, path=Index(index), context=datum)
            for index, item in enumerate(value)
            if isinstance(item, (dict, list)) and self.matches(item, root)
        ]


def build(steps: tuple[Step, ...], follow: Follow) -> JSONPath:
    """The tree of the steps; `follow` compiles paths inside filters. Raises PathSyntaxError."""
    tree: JSONPath = Root()
    descending = False
    for step in steps:
        if isinstance(step, Descent):
            descending = True
            continue
        node = _node(step, step is steps[-1], descending, follow)
        tree = Descendants(tree, node) if descending else Child(tree, node)
        descending = False
    return tree


def _node(step: Step, last: bool, descending: bool, follow: Follow) -> JSONPath:
    match step:
        case Members(names):
            return Selected(names, last)
        case Elements(indexes):
            return Index(*indexes)
        case Range(start, end):
            return Slice(start, end)
        case Filter():
            return Filtered(compile_filter(step, follow), descending)
        case Wildcard() | Descent():
            return Every()


def _root(datum: DatumInContext) -> Any:
    while datum.context is not None:
        datum = datum.context
    return datum.value
