"""Steps of a JSONPath as a tree of jsonpath-ng, with nodes of our own where AWS's library differs.

Importing this module imports jsonpath-ng; `jsonpath` does so when the first path needs it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from jsonpath_ng.jsonpath import DatumInContext, Descendants, Index, JSONPath, This
from jsonpath_ng.jsonpath import Wildcard as Every

from .filters import Follow, Predicate, compile_filter
from .grammar import Descent, Elements, FilterStep, Members, Range, Step, WildcardStep
from .meter import PathMeter, Reach


class RootDatum(DatumInContext):
    """The root of the path, and what counts the steps from there."""

    def __init__(self, value: Any, meter: PathMeter) -> None:
        super().__init__(value)
        self.meter = meter


class Counted(JSONPath):
    """A node that counts what it finds."""

    def __init__(self, node: JSONPath) -> None:
        self.node = node

    def find(self, data: Any) -> list[DatumInContext]:
        matches: list[DatumInContext] = self.node.find(data)
        start, depth = _start(data)
        start.meter.tick(4 + depth // 4 + len(matches))
        return matches


class Selected(JSONPath):
    """``.a``, ``['a']``; ``['a','b']`` is one object of those that are there, at the end only.

    jsonpath-ng's Fields returns several names one by one, and takes the name `*` for a wildcard.
    """

    def __init__(self, names: tuple[str, ...], last: bool, descending: bool) -> None:
        self.names = names
        self.last = last
        self.descending = descending
        """After `..` an object is chosen that has all of several names (fact 336)."""

    def find(self, data: Any) -> list[DatumInContext]:
        datum = DatumInContext.wrap(data)
        value = datum.value
        if not isinstance(value, dict):
            return []
        chosen = {name: value[name] for name in self.names if name in value}
        if len(self.names) == 1:
            return [DatumInContext(item, path=self, context=datum) for item in chosen.values()]
        if not self.last or (self.descending and len(chosen) < len(self.names)):
            return []
        return [DatumInContext(chosen, path=self, context=datum)]


class Sliced(JSONPath):
    """``[1:3]``, as Jayway counts (fact 336).

    One bound alone may count from the end; with two, each index from the first up to the second is
    taken for itself, a negative one from the end: `[-2:1]` of three items is 1, 2 and 0.
    """

    def __init__(self, start: int | None, end: int | None) -> None:
        self.start = start
        self.end = end

    def find(self, data: Any) -> list[DatumInContext]:
        datum = DatumInContext.wrap(data)
        items = datum.value
        if not isinstance(items, list):
            return []
        return [
            DatumInContext(items[index], path=Index(index), context=datum)
            for index in self._indexes(len(items))
        ]

    def _indexes(self, length: int) -> range:
        if self.start is None or self.end is None:
            return range(length)[self.start : self.end]
        return range(max(self.start, -length), min(self.end, length))


class Filtered(JSONPath):
    """``[?(...)]``: items of an array, or the object itself. `@` is never a scalar (AWS, Paths)."""

    def __init__(self, matches: Predicate, descending: bool) -> None:
        self.matches = matches
        self.descending = descending
        """After `..` every item is visited for itself."""

    def find(self, data: Any) -> list[DatumInContext]:
        datum = DatumInContext.wrap(data)
        value, (start, _) = datum.value, _start(datum)
        root, meter = start.value, start.meter
        if isinstance(value, dict):
            return [datum] if self.matches(value, root, meter) else []
        if not isinstance(value, list) or self.descending:
            return []
        return [
            DatumInContext(item, path=Index(index), context=datum)
            for index, item in enumerate(value)
            if isinstance(item, (dict, list)) and self.matches(item, root, meter)
        ]


def build(steps: tuple[Step, ...], follow: Follow) -> Reach:
    """Return what finds the values of the steps; `follow` compiles paths inside filters.

    Raises PathSyntaxError.

    Facts 30 to 34: what each step selects.
    """
    descends = len(steps) > 1 and isinstance(steps[-2], Descent)
    plain = (*steps[:-2], steps[-1]) if descends else steps
    if all(isinstance(step, WildcardStep) or _is_name(step) for step in plain):
        return _members(plain, descends)
    return build_tree(steps, follow)


def _is_name(step: Step) -> bool:
    """Return whether a step is one name."""
    return isinstance(step, Members) and len(step.names) == 1


def _members(steps: tuple[Step, ...], descends: bool) -> Reach:
    """Return what finds the values of names and wildcards: no step needs to know where it is.

    `descends`: the last one is taken at every depth.
    """

    def find(value: Any, meter: PathMeter) -> list[Any]:
        values = [value]
        for depth, step in enumerate(steps):
            meter.tick((4 + depth // 4) * len(values))
            if descends and depth == len(steps) - 1:
                values = [inner for each in values for inner in _within(each, depth, meter)]
            if isinstance(step, Members):
                (name,) = step.names
                values = [each[name] for each in values if isinstance(each, dict) and name in each]
            else:
                values = [inner for each in values for inner in _inside(each)]
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


def build_tree(steps: tuple[Step, ...], follow: Follow) -> Reach:
    """Return the same for steps of any kind."""
    nodes: list[JSONPath] = []
    descending = False
    for step in steps:
        if isinstance(step, Descent):
            descending = True
            continue
        node = Counted(_node(step, step is steps[-1], descending, follow))
        nodes.append(Descendants(This(), node) if descending else node)
        descending = False

    def find(value: Any, meter: PathMeter) -> list[Any]:
        data: list[DatumInContext] = [RootDatum(value, meter)]
        for node in nodes:
            data = [match for datum in data for match in node.find(datum)]
        return [datum.value for datum in data]

    return find


def _node(step: Step, last: bool, descending: bool, follow: Follow) -> JSONPath:
    # Facts 31 and 34: a wildcard takes the values of objects as well, and none is no failure.
    match step:
        case Members(names):
            return Selected(names, last, descending)
        case Elements(indexes):
            return Index(*indexes)
        case Range(start, end):
            return Sliced(start, end)
        case FilterStep():
            return Filtered(compile_filter(step, follow), descending)
        case WildcardStep() | Descent():
            return Every()


def _start(datum: DatumInContext) -> tuple[RootDatum, int]:
    """Return where the path started, and how many steps ago."""
    depth = 0
    while datum.context is not None:
        datum = datum.context
        depth += 1
    assert isinstance(datum, RootDatum)
    return datum, depth
