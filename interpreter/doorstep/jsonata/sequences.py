"""Lists of results: gathering, flattening, and what a list of one or none means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .errors import OUT_OF_MEMORY, JSONataError
from .values import (
    UNDEFINED,
    Constructed,
    KeptSequence,
    OuterSequence,
    Sequence,
    TupleStream,
    Undefined,
    Value,
)

SEQUENCES: Final = frozenset((Sequence, KeptSequence, OuterSequence, TupleStream, Constructed))
"""The kinds of list that only this package knows."""

MOST_ITEMS: Final = 10_000_000
"""Of any list, whatever the limits are: what jsonata-js allows a range."""

_LISTS: Final = SEQUENCES | {list}


_SCALARS: Final = frozenset((str, int, float, bool, type(None)))


def collapse(sequence: list[Value]) -> Value:
    """What a gathered sequence means: nothing, its one value, or itself."""
    size = len(sequence)
    if size > 1 or type(sequence) not in (Sequence, OuterSequence):
        return sequence if size or not isinstance(sequence, KeptSequence) else UNDEFINED
    return sequence[0] if size else UNDEFINED


def keep(value: Value) -> Value:
    """A sequence as one that stays an array: the ``[]`` behind an expression."""
    if isinstance(value, Sequence) and type(value) is not TupleStream:
        return KeptSequence(value) if value else UNDEFINED
    return value


def gather(results: list[Value], most: int = MOST_ITEMS) -> Sequence:
    """All results, arrays among them flattened; U1001 if there are too many."""
    kinds = set(map(type, results))
    if _LISTS.isdisjoint(kinds):
        return Sequence(_present(results) if Undefined in kinds else results)
    return _flatten(results, most)


def gather_last(results: list[Value], most: int = MOST_ITEMS) -> list[Value]:
    """Like gather, but the only array that a path ends at stays the array that it is."""
    kinds = set(map(type, results))
    if _LISTS.isdisjoint(kinds):
        return Sequence(_present(results) if Undefined in kinds else results)
    present = _present(results)
    if len(present) == 1 and type(present[0]) in (list, Constructed):
        return present[0]  # type: ignore[no-any-return]
    return _flatten(present, most)


def _present(results: Iterable[Value]) -> list[Value]:
    return [result for result in results if result is not UNDEFINED]


def _flatten(results: list[Value], most: int) -> Sequence:
    gathered = Sequence()
    for result in results:
        if isinstance(result, list) and type(result) is not Constructed:
            gathered.extend(result)
            if len(gathered) > most:
                raise JSONataError("U1001", message=OUT_OF_MEMORY)
        elif result is not UNDEFINED:
            gathered.append(result)
    return gathered


def concatenate(values: Iterable[Value]) -> Value:
    """Values and arrays of values as one array; what is UNDEFINED is left out."""
    present = _present(values)
    if len(present) < 2:
        return present[0] if present else UNDEFINED
    joined: list[Value] = []
    for value in present:
        if isinstance(value, list):
            joined.extend(value)
        else:
            joined.append(value)
    return joined


def field_of(value: Value, name: str) -> Value:
    """The field of an object; of an array, the fields of all its items."""
    if type(value) is dict:
        return value.get(name, UNDEFINED)
    if isinstance(value, list):
        return collapse(gather([field_of(item, name) for item in value]))
    return value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED


def fields_of(items: list[Value], name: str) -> list[Value]:
    """The field of each item; UNDEFINED where it is missing."""
    return [
        item.get(name, UNDEFINED) if type(item) is dict else field_of(item, name) for item in items
    ]


def descend(value: Value, names: list[str]) -> Value:
    """The field at the end of the names; from the first array on, the fields of all its items."""
    for index, name in enumerate(names):
        if type(value) is not dict:
            return _fan_out(value, names[index:]) if isinstance(value, list) else UNDEFINED
        value = value.get(name, UNDEFINED)
    return collapse(Sequence(value)) if type(value) is KeptSequence else value


def _fan_out(items: list[Value], names: list[str]) -> Value:
    for name in names[:-1]:
        items = gather(fields_of(items, name))
    return collapse(gather_last(fields_of(items, names[-1])))


def tree_size(value: Value, sizes: dict[int, int]) -> int:
    """How many values a value holds, written out; what it holds twice is only looked at once."""
    if not isinstance(value, list | dict):
        return 1
    known = sizes.get(id(value))
    if known is not None:
        return known
    members = value if isinstance(value, list) else list(value.values())
    size = 1 + len(members)
    if not set(map(type, members)) <= _SCALARS:
        size = 1 + sum(tree_size(member, sizes) for member in members)
    sizes[id(value)] = size
    return size
