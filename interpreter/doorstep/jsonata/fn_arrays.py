"""Array functions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from .errors import JSONataError
from .run import OBJECT, Run
from .sequences import concatenate
from .values import NUMBERS, UNDEFINED, Sequence, Value, are_numbers, size_of

_T = TypeVar("_T")


def count(_run: Run, values: Value = UNDEFINED) -> Value:
    """``$count``; 0 of nothing."""
    return 0 if values is UNDEFINED else len(values)


def append(run: Run, first: Value = UNDEFINED, second: Value = UNDEFINED) -> Value:
    """``$append``."""
    return concatenate((first, second), run)


def reverse(run: Run, values: Value = UNDEFINED) -> Value:
    """``$reverse``."""
    run.allocate(8 * size_of(values))
    return values if values is UNDEFINED or len(values) < 2 else values[::-1]


def shuffle(run: Run, values: Value = UNDEFINED) -> Value:
    """``$shuffle``: one random number for each item, in order."""
    if values is UNDEFINED or len(values) < 2:
        return values
    run.tick(len(values))
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
    run.tick(2 * len(values))
    seen: dict[Hashable, Value] = {}
    for value in values:
        seen.setdefault(_frozen(value, run), value)
    found = list(seen.values())
    return Sequence(found) if isinstance(values, Sequence) else found


def _frozen(value: Value, run: Run) -> Hashable:
    """A hashable that is equal for equal values."""
    if isinstance(value, list):
        run.tick(OBJECT + 2 * len(value))
        return ("list", *(_frozen(item, run) for item in value))
    if isinstance(value, dict):
        run.tick(OBJECT + 2 * len(value))
        return frozenset((name, _frozen(member, run)) for name, member in value.items())
    return (type(value) in NUMBERS, type(value) is bool, value)


def zip_arrays(run: Run, *arrays: Value) -> Value:
    """``$zip``: as long as the shortest; what isn't an array has no items."""
    if not all(isinstance(array, list) for array in arrays):
        return []
    shortest = min(map(len, arrays), default=0)
    run.tick(shortest * (OBJECT + len(arrays)))
    return [list(group) for group in zip(*arrays, strict=False)]


def sort_values(run: Run, values: list[Value]) -> list[Value]:
    """``$sort`` without a comparator: numbers or strings; D3070 for anything else."""
    if not are_numbers(values) and not all(type(value) is str for value in values):
        raise JSONataError("D3070", index=1)
    tick_for_sorting(values, run)
    return sorted(values)


def tick_for_sorting(keys: list[Value], run: Run) -> None:
    """Count the steps of a sort by numbers or texts, which may be alike up to their ends."""
    size = len(keys) + sum([size_of(key) for key in keys])
    run.tick(size * size.bit_length() >> 4)
    run.allocate(8 * len(keys))


def merge_sort(items: list[_T], is_after: Callable[[_T, _T], bool], run: Run) -> list[_T]:
    """Stable; asks of two items, in the order they stand, whether they have to change places."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    run.tick(len(items))
    left = merge_sort(items[:middle], is_after, run)
    right = merge_sort(items[middle:], is_after, run)
    merged: list[_T] = []
    at = 0
    for item in right:
        while at < len(left) and not is_after(left[at], item):
            merged.append(left[at])
            at += 1
        merged.append(item)
    return merged + left[at:]
