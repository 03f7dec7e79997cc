"""Functions of arrays, of objects, of values as such, and those that call functions.

https://docs.jsonata.org/array-functions, https://docs.jsonata.org/object-functions,
https://docs.jsonata.org/boolean-functions, https://docs.jsonata.org/higher-order-functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator
from collections.abc import Sequence as Sized
from itertools import compress
from math import isnan
from typing import TypeVar

from ..callables import LambdaValue, arity, call_each, caller
from ..errors import JSONataError
from ..evaluation import OBJECT, Evaluation
from ..sequences import collapse, concatenate, field_of, fields_of, gather
from ..values import (
    NUMBERS,
    UNDEFINED,
    Sequence,
    Value,
    are_numbers,
    is_function,
    size_of,
    text_order,
    truthy,
)
from .strings import to_string

# -- arrays

_T = TypeVar("_T")


def count(_run: Evaluation, values: Value = UNDEFINED) -> Value:
    """``$count``; 0 of nothing."""
    return 0 if values is UNDEFINED else len(values)


def append(run: Evaluation, first: Value = UNDEFINED, second: Value = UNDEFINED) -> Value:
    """``$append``."""
    return concatenate([first, second], run)


def reverse(run: Evaluation, values: Value) -> Value:
    """``$reverse``."""
    run.allocate(8 * size_of(values))
    return values if len(values) < 2 else values[::-1]


def shuffle(run: Evaluation, values: Value) -> Value:
    """``$shuffle``: one random number for each item, in order."""
    if len(values) < 2:
        return values
    run.tick(2 * len(values))
    shuffled: list[Value] = []
    for index, value in enumerate(values):
        place = int(run.random() * (index + 1))
        shuffled.append(value)
        shuffled[index], shuffled[place] = shuffled[place], shuffled[index]
    return shuffled


def distinct(run: Evaluation, values: Value = UNDEFINED) -> Value:
    """``$distinct``: the first of equal values."""
    if not isinstance(values, list) or len(values) < 2:
        return values
    run.tick(2 * len(values))
    seen: dict[Hashable, Value] = {}
    for value in values:
        seen.setdefault(_frozen(value, run), value)
    first = list(seen.values())
    return Sequence(first) if isinstance(values, Sequence) else first


def _frozen(value: Value, run: Evaluation) -> Hashable:
    """Return a hashable that is equal for equal values."""
    if isinstance(value, list):
        run.tick(OBJECT + 2 * len(value))
        return ("list", *(_frozen(item, run) for item in value))
    if isinstance(value, dict):
        run.tick(OBJECT + 2 * len(value))
        return frozenset((name, _frozen(member, run)) for name, member in value.items())
    return (type(value) in NUMBERS, type(value) is bool, value)


def zip_arrays(run: Evaluation, *arrays: Value) -> Value:
    """``$zip``: as long as the shortest; what isn't an array has no items."""
    if not all(isinstance(array, list) for array in arrays):
        return []
    shortest = min(map(len, arrays), default=0)
    run.tick(shortest * (OBJECT + len(arrays)))
    return [list(group) for group in zip(*arrays, strict=False)]


def sort_values(run: Evaluation, values: list[Value]) -> list[Value]:
    """``$sort`` without a comparator: numbers or strings; D3070 for anything else."""
    if not are_numbers(values) and not all(type(value) is str for value in values):
        raise JSONataError("D3070", index=1)
    tick_for_sorting(values, run)
    return sorted(values, key=text_order(values))


def order_by_place(keys: Sized[Value], run: Evaluation) -> Callable[[int], Value] | None:
    """Return what sorts places by their keys if those are all numbers or all texts; else None."""
    kinds = set(map(type, keys))
    if not (kinds == {str} or kinds <= NUMBERS) or (float in kinds and any(map(isnan, keys))):
        return None
    tick_for_sorting(keys, run)
    order = text_order(keys) if str in kinds else None
    return (keys if order is None else list(map(order, keys))).__getitem__


def tick_for_sorting(keys: Sized[Value], run: Evaluation) -> None:
    """Count the steps of a sort by numbers or texts, which may be alike up to their ends."""
    size = len(keys) + (sum(map(size_of, keys)) if str in set(map(type, keys)) else 0)
    run.tick(size * size.bit_length() >> 4)
    run.allocate(8 * len(keys))


def merge_sort(items: list[_T], is_after: Callable[[_T, _T], bool], run: Evaluation) -> list[_T]:
    """Sort, stably; ``is_after``: whether two items, in their order, have to change places."""
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


# -- objects, and values as such


def keys(run: Evaluation, value: Value = UNDEFINED) -> Value:
    """``$keys``: of an array, those of all its items, each once."""
    return Sequence(_names(value, run))


def _names(value: Value, run: Evaluation) -> dict[str, None]:
    run.tick(1 + len(value) if isinstance(value, list | dict) else 1)
    if isinstance(value, list):
        return {name: None for item in value for name in _names(item, run)}
    return dict.fromkeys(value) if isinstance(value, dict) else {}


def lookup(run: Evaluation, value: Value, name: Value = UNDEFINED) -> Value:
    """``$lookup``."""
    return field_of(value, name, run)


def spread(run: Evaluation, value: Value) -> Value:
    """``$spread``: an object for every field."""
    if isinstance(value, list):
        run.tick(len(value))
        spreads = gather([spread(run, item) for item in value], run)
        return list(spreads) or UNDEFINED
    if isinstance(value, dict):
        run.tick(OBJECT * len(value))
        return Sequence([{name: member} for name, member in value.items()])
    return value


def merge(run: Evaluation, objects: Value) -> Value:
    """``$merge``: the last of equal names wins."""
    merged: dict[str, Value] = {}
    for each in objects:
        run.tick(len(each) >> 4)
        merged.update(each)
    run.tick(OBJECT)
    return merged


def exists(_run: Evaluation, value: Value = UNDEFINED) -> Value:
    """``$exists``."""
    return value is not UNDEFINED


def boolean(run: Evaluation, value: Value = UNDEFINED) -> Value:
    """``$boolean``."""
    return UNDEFINED if value is UNDEFINED else truthy(value, run)


def negation(run: Evaluation, value: Value = UNDEFINED) -> Value:
    """``$not``."""
    return UNDEFINED if value is UNDEFINED else not truthy(value, run)


def type_of(_run: Evaluation, value: Value = UNDEFINED) -> Value:
    """``$type``."""
    if value is UNDEFINED:
        return UNDEFINED
    if value is None:
        return "null"
    if type(value) in NUMBERS:
        return "number"
    for kind, name in ((str, "string"), (bool, "boolean"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "function" if is_function(value) else "object"


def fail(_run: Evaluation, message: Value = UNDEFINED) -> Value:
    """``$error``."""
    raise JSONataError("D3137", message=message or "$error() function evaluated")


def assert_that(
    _run: Evaluation, condition: Value = UNDEFINED, message: Value = UNDEFINED
) -> Value:
    """``$assert``."""
    if condition is UNDEFINED or not condition:
        raise JSONataError("D3141", message=message or "$assert() statement failed")
    return UNDEFINED


def clone(run: Evaluation, value: Value) -> Value:
    """``$clone``: a deep copy, by way of JSON text as in jsonata-js."""
    text = to_string(run, value)
    run.tick(len(text) // 2)
    return json.loads(text)


# -- functions that call functions


def map_items(run: Evaluation, items: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$map``."""
    if items is UNDEFINED:
        return UNDEFINED
    results = call_each(function, items, run)
    return Sequence([each for each in results if each is not UNDEFINED])


def filter_items(run: Evaluation, items: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$filter``."""
    if items is UNDEFINED:
        return UNDEFINED
    results = call_each(function, items, run)
    if type(function) is not LambdaValue or not function.code.tests:
        results = [truthy(each, run) for each in results]
    return Sequence(compress(items, results))


def single(run: Evaluation, items: Value, function: Value = UNDEFINED) -> Value:
    """``$single``: the one item that the function accepts; D3138, D3139 if it isn't one."""
    matches = items if function is UNDEFINED else filter_items(run, items, function)
    if len(matches) != 1:
        raise JSONataError("D3138" if matches else "D3139")
    return matches[0]


def reduce(
    run: Evaluation, items: Value = UNDEFINED, function: Value = UNDEFINED, init: Value = UNDEFINED
) -> Value:
    """``$reduce``."""
    if items is UNDEFINED:
        return UNDEFINED
    if arity(function) < 2:
        raise JSONataError("D3050", index=1)
    start = 1 if init is UNDEFINED and items else 0
    result = items[0] if start else init
    run.tick(len(items))
    call = caller(function, run, len(items) - start)
    room = run.room
    more = arity(function) > 2
    for index, item in enumerate(items[start:], start):
        result = call(result, item, index, items) if more else call(result, item)
        if isinstance(result, list):
            result = collapse(result)
        elif type(result) is str:
            # A text holds nothing: all else that was built on the way to it is gone.
            run.room = room - len(result)
    return result


def each(run: Evaluation, value: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$each``: of every field's value and name."""
    results = _call_with_fields(run, value, function)
    return Sequence([result for _, _, result in results if result is not UNDEFINED])


def sift(run: Evaluation, value: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$sift``: the fields that the function accepts."""
    run.tick(OBJECT)
    results = _call_with_fields(run, value, function)
    accepted = {name: member for name, member, result in results if truthy(result, run)}
    return accepted or UNDEFINED


def _call_with_fields(
    run: Evaluation, value: Value, function: Value
) -> Iterator[tuple[str, Value, Value]]:
    fields = value if isinstance(value, dict) else {}
    run.tick(len(fields))
    call = caller(function, run, len(fields))
    for name, member in fields.items():
        yield name, member, call(member, name, value)


def sort(run: Evaluation, items: Value = UNDEFINED, comparator: Value = UNDEFINED) -> Value:
    """``$sort``: the comparator says whether its first argument comes after its second."""
    if items is UNDEFINED or len(items) < 2:
        return items
    if comparator is UNDEFINED:
        return sort_values(run, items)
    code = comparator.code if type(comparator) is LambdaValue else None
    if code is not None and code.key and run.depth + code.height <= run.max_depth:
        names, descending = code.key
        keys = items
        for name in names:
            keys = fields_of(keys, name, run) if set(map(type, keys)) == {dict} else [None]
        by_key = order_by_place(keys, run)
        if by_key is not None:
            places = sorted(range(len(items)), key=by_key, reverse=descending)
            return [items[place] for place in places]
    call = caller(comparator, run, len(items) * len(items).bit_length())
    return merge_sort(list(items), lambda a, b: truthy(call(a, b), run), run)
