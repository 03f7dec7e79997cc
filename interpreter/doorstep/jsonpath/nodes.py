"""Steps of a JSONPath: a node of jsonpath-ng where AWS's library does not differ from it.

Importing this module imports jsonpath-ng; `jsonpath` does so when the first path needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

from jsonpath_ng.jsonpath import Index

from .filters import Follow, Predicate, compile_filter
from .grammar import Descent, Elements, FilterStep, Members, Range, Step, WildcardStep
from .meter import PathMeter, Reach

Select = Callable[[list[Any], Any, PathMeter], list[Any]]
"""Takes one step from each of some values; the root of the path is for filters."""


def _chosen(names: tuple[str, ...], last: bool, descending: bool) -> Select:
    """``['a','b']``: one object of those that are there, at the end only; after `..` of all.

    Fact 336. jsonpath-ng's Fields returns several names one by one.
    """

    def select(values: list[Any], *_: Any) -> list[Any]:
        objects = [each for each in values if last and isinstance(each, dict)]
        chosen = [{name: each[name] for name in names if name in each} for each in objects]
        return [one for one in chosen if not descending or len(one) == len(names)]

    return select


def _indexes(start: int | None, end: int | None, length: int) -> range:
    """Return which items ``[1:3]`` takes, as Jayway counts (fact 336).

    One bound alone may count from the end; with two, each index from the first up to the second is
    taken for itself, a negative one from the end: `[-2:1]` of three items is 1, 2 and 0.
    """
    if start is None or end is None:
        return range(length)[start:end]
    return range(max(start, -length), min(end, length))


def _filtered(matches: Predicate, descending: bool) -> Select:
    """``[?(...)]``: items of an array, or the object itself. `@` is never a scalar (AWS, Paths)."""

    def select(values: list[Any], root: Any, meter: PathMeter) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                value = [value]
            elif descending:  # every item is visited for itself
                continue
            found += [
                item
                for item in _inside(value)
                if isinstance(item, (dict, list)) and matches(item, root, meter)
            ]
        return found

    return select


def build(steps: tuple[Step, ...], follow: Follow) -> Reach:
    """Return what finds the values of the steps; `follow` compiles paths inside filters.

    Raises PathSyntaxError.

    Facts 30 to 34: what each step selects.
    """
    ways: list[tuple[bool, Select]] = []
    for before, step in pairwise((None, *steps)):
        if step is not None and not isinstance(step, Descent):
            descends = isinstance(before, Descent)
            ways.append((descends, _select(step, step is steps[-1], descends, follow)))

    def find(value: Any, meter: PathMeter) -> list[Any]:
        values = [value]
        for depth, (descends, select) in enumerate(ways):
            meter.tick((4 + depth // 4) * len(values))
            if descends:
                values = [inner for each in values for inner in _within(each, depth, meter)]
            values = select(values, value, meter)
            meter.tick(len(values))
        return values

    return find


def _within(value: Any, depth: int, meter: PathMeter) -> list[Any]:
    """Return a value and all objects and arrays in it, each before what is in it."""
    found = [value]
    inside = _inside(value)
    if inside:
        meter.tick((4 + (depth + 1) // 4) * len(inside))
        for inner in inside:
            if isinstance(inner, (dict, list)):
                found += _within(inner, depth + 1, meter)
    return found


def _inside(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _select(step: Step, last: bool, descending: bool, follow: Follow) -> Select:
    # Facts 31 and 34: a wildcard takes the values of objects as well, and none is no failure.
    match step:
        case Members((name,)):
            return lambda values, *_: [
                each[name] for each in values if isinstance(each, dict) and name in each
            ]
        case Members(names):
            return _chosen(names, last, descending)
        case Elements(indexes):
            node = Index(*indexes)
            return lambda values, *_: [one.value for each in values for one in node.find(each)]
        case Range(start, end):
            return lambda values, *_: [
                each[index]
                for each in values
                if isinstance(each, list)
                for index in _indexes(start, end, len(each))
            ]
        case FilterStep():
            return _filtered(compile_filter(step, follow), descending)
        case WildcardStep() | Descent():
            return lambda values, *_: [inner for each in values for inner in _inside(each)]
