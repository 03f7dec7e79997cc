"""Functions that call functions."""

from __future__ import annotations

from .callables import arity, caller
from .errors import JSONataError
from .fn_arrays import merge_sort, sort_values
from .run import OBJECT, Run
from .sequences import collapse
from .values import UNDEFINED, Sequence, Value, truthy


def map_items(run: Run, items: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$map``."""
    if items is UNDEFINED:
        return UNDEFINED
    run.tick(len(items))
    call = caller(function, run)
    results = Sequence()
    for index, item in enumerate(items):
        result = call(item, index, items)
        if result is not UNDEFINED:
            results.append(result)
    return results


def filter_items(run: Run, items: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$filter``."""
    if items is UNDEFINED:
        return UNDEFINED
    call = caller(function, run)
    return Sequence(
        [item for index, item in enumerate(items) if truthy(call(item, index, items), run)]
    )


def single(run: Run, items: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$single``: the one item that the function accepts; D3138, D3139 if it isn't one."""
    if items is UNDEFINED:
        return UNDEFINED
    found = items if function is UNDEFINED else filter_items(run, items, function)
    if len(found) != 1:
        raise JSONataError("D3138" if found else "D3139")
    return found[0]


def reduce(
    run: Run, items: Value = UNDEFINED, function: Value = UNDEFINED, init: Value = UNDEFINED
) -> Value:
    """``$reduce``."""
    if items is UNDEFINED:
        return UNDEFINED
    if arity(function) < 2:
        raise JSONataError("D3050", index=1)
    start = 1 if init is UNDEFINED and items else 0
    result = items[0] if start else init
    run.tick(len(items))
    call = caller(function, run)
    room = run.room
    for index in range(start, len(items)):
        result = call(result, items[index], index, items)
        if isinstance(result, list):
            result = collapse(result)
        elif type(result) is str:
            # A text holds nothing: all else that was built on the way to it is gone.
            run.room = room - len(result)
    return result


def each(run: Run, value: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$each``: of every field's value and name."""
    call = caller(function, run)
    results = Sequence()
    fields = value if isinstance(value, dict) else {}
    run.tick(len(fields))
    for name, member in fields.items():
        result = call(member, name, value)
        if result is not UNDEFINED:
            results.append(result)
    return results


def sift(run: Run, value: Value = UNDEFINED, function: Value = UNDEFINED) -> Value:
    """``$sift``: the fields that the function accepts."""
    call = caller(function, run)
    fields = value if isinstance(value, dict) else {}
    run.tick(OBJECT + len(fields))
    kept = {
        name: member for name, member in fields.items() if truthy(call(member, name, value), run)
    }
    return kept or UNDEFINED


def sort(run: Run, items: Value = UNDEFINED, comparator: Value = UNDEFINED) -> Value:
    """``$sort``: the comparator says whether its first argument comes after its second."""
    if items is UNDEFINED or len(items) < 2:
        return items
    if comparator is UNDEFINED:
        return sort_values(run, items)
    call = caller(comparator, run)
    return merge_sort(list(items), lambda a, b: truthy(call(a, b), run), run)
