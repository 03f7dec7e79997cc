"""Array functions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from .errors import JSONataError
from .run import Run
from .sequences import concatenate
from .values import NUMBERS, UNDEFINED, Sequence, Value, are_numbers

_T = TypeVar("_T")


def count(_run: Run, values: Value = UNDEFINED) -> Value:
    """``$count``; 0 of nothing."""
    return 0 if values is UNDEFINED else len(values)


def append(run: Run, first: Value = UNDEFINED, second: Value = UNDEFINED) -> Value:
    """``$append``."""
    size = sum(len(value) if isinstance(value, list) else 1 for value in (first, second))
    run.allocate(8 * size)
    return concatenate((first, second))


def reverse(_run: Run, values: Value = UNDEFINED) -> Value:
    """``$reverse``."""
    return values if values is UNDEFINED or len(values) < 2 else values[::-1]


def shuffle(run: Run, values: Value = UNDEFINED) -> Value:
    """``$shuffle``: one random number for each item, in order."""
    if values is UNDEFINED or len(values) < 2:
        return values
    shuffled: list[Value] = []
    for index, value in enumerate(values):
        place = int(run.random() * (index + 1))
        shuffled.append(value)
        shuffled[index], shuffled[place] = shuffled[place], shuffled[index]
    return shuffled


def distinct(run: Run, values: Value = UNDEFINED) -> Value:
    """``$distinct``: the first of equal values."""
    if not isinstance(values, list) or len(values) < 2:
        return values
    seen: dict[Hashable, Value] = {}
    for value in values:
        seen.setdefault(_frozen(value, run), value)
    found = list(seen.values())
    return Sequence(found) if isinstance(values, Sequence) else found


def _frozen(value: Value, run: Run) -> Hashable:
    """A hashable that is equal for equal values."""
    if isinstance(value, list):
        run.tick()
        return ("list", *(_frozen(item, run) for item in value))
    if isinstance(value, dict):
        run.tick()
        return frozenset((name, _frozen(member, run)) for name, member in value.items())
    return (type(value) in NUMBERS, type(value) is bool, value)


def zip_arrays(_run: Run, *arrays: Value) -> Value:
    """``$zip``: as long as the shortest; what isn't an array has no items."""
    if not all(isinstance(array, list) for array in arrays):
        return []
    return [list(group) for group in zip(*arrays, strict=False)]


def sort_values(_run: Run, values: list[Value]) -> list[Value]:
    """``$sort`` without a comparator: numbers or strings; D3070 for anything else."""
    if not are_numbers(values) and not all(type(value) is str for value in values):
        raise JSONataError("D3070", index=1)
    return sorted(values)


def merge_sort(items: list[_T], is_after: Callable[[_T, _T], bool]) -> list[_T]:
    """Stable; asks of two items, in the order they stand, whether they have to change places."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left = merge_sort(items[:middle], is_after)
    right = merge_sort(items[middle:], is_after)
    merged: list[_T] = []
    at = 0
    for item in right:
        while at < len(left) and not is_after(left[at], item):
            merged.append(left[at])
            at += 1
        merged.append(item)
    return merged + left[at:]
