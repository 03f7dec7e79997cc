"""Lists of results: gathering, flattening, and what a list of one or none means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .evaluation import Evaluation
from .values import (
    UNDEFINED,
    Constructed,
    KeptSequence,
    OuterSequence,
    Sequence,
    TupleStream,
    Undefined,
    Value,
    number,
)

SEQUENCES: Final = frozenset((Sequence, KeptSequence, OuterSequence, TupleStream, Constructed))
"""The kinds of list that only this package knows."""

PARTS: Final = SEQUENCES | {list, Undefined}


_FIXED: Final = frozenset((int, float, bool, type(None)))
_SCALARS: Final = _FIXED | {str}


def finished(value: Value) -> Value:
    """Return a value as an evaluation returns it."""
    if type(value) is float:
        return number(value)
    return list(value) if type(value) in SEQUENCES else value


def collapse(sequence: list[Value]) -> Value:
    """Return what a gathered sequence means: nothing, its one value, or itself."""
    size = len(sequence)
    if size > 1 or type(sequence) not in (Sequence, OuterSequence):
        return sequence if size or not isinstance(sequence, KeptSequence) else UNDEFINED
    return sequence[0] if size else UNDEFINED


def keep(value: Value) -> Value:
    """Return a sequence as one that stays an array: the ``[]`` behind an expression."""
    if isinstance(value, Sequence) and type(value) is not TupleStream:
        return KeptSequence(value) if value else UNDEFINED
    return value


def gather(results: list[Value], run: Evaluation) -> Sequence:
    """Return all results, arrays among them flattened; U1001 if there are too many."""
    if PARTS.isdisjoint(map(type, results)):
        return Sequence(results)
    return _flatten(results, run)


def gather_last(results: list[Value], run: Evaluation) -> list[Value]:
    """Gather, but leave the only array that a path ends at as it is."""
    if len(results) > 1 and PARTS.isdisjoint(map(type, results)):
        return Sequence(results)
    present = _present(results)
    if len(present) == 1 and type(present[0]) in (list, Sequence, Constructed):
        return present[0]  # type: ignore[no-any-return]
    return _flatten(present, run)


def _present(results: Iterable[Value]) -> list[Value]:
    return [result for result in results if result is not UNDEFINED]


def _flatten(results: list[Value], run: Evaluation) -> Sequence:
    gathered = Sequence()
    for result in results:
        if isinstance(result, list) and type(result) is not Constructed:
            gathered += result
            if 8 * len(gathered) > run.limits.memory:
                break
        elif result is not UNDEFINED:
            gathered.append(result)
    run.allocate(8 * len(gathered))
    return gathered


def concatenate(values: list[Value], run: Evaluation) -> Value:
    """Return values and arrays of values as one array, without what is UNDEFINED."""
    present = _present(values)
    if len(present) < 2:
        return present[0] if present else UNDEFINED
    joined: list[Value] = []
    run.allocate(8 * sum([len(each) if isinstance(each, list) else 1 for each in present]))
    for value in present:
        joined += value if isinstance(value, list) else (value,)
    return joined


def field_of(value: Value, name: str, run: Evaluation) -> Value:
    """Return the field of an object; of an array, the fields of all its items."""
    if isinstance(value, list):
        run.tick(len(value))
        return collapse(gather(fields_of(value, name, run), run))
    return value.get(name, UNDEFINED) if isinstance(value, dict) else UNDEFINED


def fields_of(items: list[Value], name: str, run: Evaluation) -> list[Value]:
    """Return the field of each item; UNDEFINED where it is missing."""
    return [
        item.get(name, UNDEFINED) if type(item) is dict else field_of(item, name, run)
        for item in items
    ]


def descend(value: Value, names: list[str], run: Evaluation) -> Value:
    """Return the field at the end of the names; of an array on the way, those of all its items."""
    for index, name in enumerate(names):
        if type(value) is not dict:
            return _fan_out(value, names[index:], run) if isinstance(value, list) else UNDEFINED
        value = value.get(name, UNDEFINED)
    return collapse(Sequence(value)) if type(value) is KeptSequence else value


def _fan_out(items: list[Value], names: list[str], run: Evaluation) -> Value:
    for name in names[:-1]:
        run.left -= len(items)
        items = gather(fields_of(items, name, run), run)
    return field_at_end(items, names[-1], run)


def field_at_end(value: Value, name: str, run: Evaluation) -> Value:
    """Return the field of what is no object, at the end of a path: of an array, its items'."""
    if not isinstance(value, list):
        return UNDEFINED
    run.left -= len(value)
    fields = gather_last(fields_of(value, name, run), run)
    return fields if len(fields) > 1 else collapse(fields)


def written_size(value: Value, sizes: dict[int, int]) -> int:
    """Return about how many bytes a value has, written out: 8 a value, 1 a character.

    What it holds twice counts twice, but is only looked at once: ``sizes`` remembers it.
    """
    kind = type(value)
    if kind is str:
        return 8 + len(value)
    if kind in _SCALARS or not isinstance(value, list | dict | tuple):
        return 8
    known = sizes.get(id(value))
    if known is not None:
        return known
    members = [*value, *value.values()] if isinstance(value, dict) else value
    kinds = set(map(type, members))
    size = 8 * (1 + len(members))
    if kinds == {str}:
        size += sum(map(len, members))
    elif not kinds <= _FIXED:
        size = 8 + sum([written_size(member, sizes) for member in members])
    sizes[id(value)] = size
    return size
