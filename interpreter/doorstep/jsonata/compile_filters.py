"""What may follow an expression or a step: predicates, grouping, order.

``[…]`` selects some of the values, or picks one (https://docs.jsonata.org/predicate).
``{key: value}`` builds an object, or groups when there are several items; ``^(…)`` sorts by one or
more terms: what has no key comes last, equals stay in order
(https://docs.jsonata.org/sorting-grouping).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from collections.abc import Sequence as Nodes
from itertools import chain, compress
from math import floor
from typing import Any, Final

from .compiler import Column, Compiler, as_column
from .errors import JSONataError
from .evaluation import GLOBALS, OBJECT, OUTER, RUN, Compiled, Env, Evaluation
from .functions.structures import merge_sort, places_in_order
from .nodes import Filter, Index, Literal, Node, Object, Sort
from .sequences import PARTS, concatenate
from .values import (
    NUMBERS,
    UNDEFINED,
    Sequence,
    TupleStream,
    Undefined,
    Value,
    in_units,
    is_number,
    truthy,
)

Stage = Callable[[Value, Env], list[Value]]
Stages = Nodes[Filter | Index]


def tuple_env(env: Env, bindings: dict[str, Value]) -> Env:
    """Return the environment of one tuple."""
    return {OUTER: env, GLOBALS: env[GLOBALS], RUN: env[RUN], **bindings}


def for_each(column: Column, items: list[Value], env: Env) -> list[Value]:
    """Return what an expression comes to for each of some items or tuples."""
    if isinstance(items, TupleStream):
        return [column([each["@"]], tuple_env(env, each))[0] for each in items]
    return column(items, env)


def compile_stages(stages: Stages, compiler: Compiler, level: int) -> Stage | None:
    """Return all predicates of a step, one after the other; None if there are none."""
    compiled = [_compile_stage(stage, compiler, level) for stage in stages]
    if len(compiled) < 2:
        return compiled[0] if compiled else None

    def apply(value: Value, env: Env) -> list[Value]:
        for stage in compiled:
            value = stage(value, env)
        return value  # type: ignore[no-any-return]

    return apply


def _compile_stage(stage: Filter | Index, compiler: Compiler, level: int) -> Stage:
    if isinstance(stage, Index):
        return _number_tuples(stage.name)
    expression = stage.expression
    if isinstance(expression, Literal) and type(expression.value) in NUMBERS:
        return _pick(floor(expression.value))
    compiler.uses_run = True
    return _select(compiler.compile_each(expression, level))


def _number_tuples(name: str) -> Stage:
    """``#$name`` behind a predicate: bind the place of each tuple."""

    def number(tuples: Value, env: Env) -> list[Value]:
        env[RUN].tick(OBJECT * len(tuples))
        return TupleStream([{**each, name: place} for place, each in enumerate(tuples)])

    return number


def _pick(index: int) -> Stage:
    def pick(value: Value, _env: Env) -> list[Value]:
        items = value if isinstance(value, list) else [value]
        try:
            item = items[index]
        except IndexError:
            return Sequence()
        if isinstance(item, list):
            return item
        if isinstance(value, TupleStream):
            return TupleStream([item])
        return Sequence([item]) if item is not UNDEFINED else Sequence()

    return pick


_AT_ONCE: Final = 100
"""How many values of a predicate are held at once."""
_TESTED: Final = frozenset((bool, Undefined))


def _select(predicate: Column) -> Stage:
    def select(value: Value, env: Env) -> list[Value]:
        run = env[RUN]
        items = value if isinstance(value, list) else [value]
        run.tick(len(items))
        selected: list[Value] = []
        some = items
        for start in range(0, len(items), _AT_ONCE):
            if len(items) > _AT_ONCE:
                some = type(items)(items[start : start + _AT_ONCE])
            room, results = run.room, for_each(predicate, some, env)
            if _TESTED.issuperset(map(type, results)):
                selected += compress(some, results)
                continue
            for place, result in enumerate(results, start):
                times = _times_selected(result, place, len(items), run, room)
                selected += [items[place]] * times
        run.allocate(8 * len(selected))
        if isinstance(items, TupleStream):
            return TupleStream(selected)
        return Sequence([] if selected and selected[0] is UNDEFINED else selected)

    return select


def _times_selected(result: Value, place: int, size: int, run: Evaluation, room: int) -> int:
    """Return how often an item is selected: once for what is true, else for each of its places.

    ``room``: the bytes that there were before the predicate.
    """
    if isinstance(result, list) and all(map(is_number, result)):
        run.tick(len(result) >> 2)
        run.room = room  # the places are gone
        return _count_places(result, place, size)
    if type(result) in NUMBERS and is_number(result):
        return _count_places([result], place, size)
    return truthy(result, run)


def _count_places(numbers: list[Value], index: int, size: int) -> int:
    """Return how many of the numbers mean this place; negative ones count from the end."""
    places = [floor(number) for number in numbers]
    return places.count(index) + places.count(index - size)


# -- grouping


def compile_object(node: Object, compiler: Compiler, level: int) -> Compiled:
    """Return an object built of the context."""
    return compile_group(node.pairs, node.position, compiler, level + 1)


def compile_group(
    nodes: list[tuple[Node, Node]], position: int, compiler: Compiler, level: int
) -> Compiled:
    """Return the object of the groups that the keys make of the input's items."""
    keys = [compiler.compile_each(key, level) for key, _ in nodes]
    names = constant_names(nodes)
    if names is None:
        values = [compiler.compile_each(value, level) for _, value in nodes]
        return lambda value, env: _group(keys, values, value, env, position)
    fields = [
        (name, compiler.compile(value, level))
        for name, (_, value) in zip(names, nodes, strict=True)
    ]
    columns = [as_column(value) for _, value in fields]

    def build(context: Value, env: Env) -> Value:
        """Build the object at once: the names are constant, and there is one item."""
        if isinstance(context, list):
            return _group(keys, columns, context, env, position)
        return finish_object({name: field(context, env) for name, field in fields}, env[RUN])

    return build


def constant_names(nodes: list[tuple[Node, Node]]) -> list[str] | None:
    """Return the names of an object if they are constant, and each is there once."""
    names = [key.value for key, _ in nodes if isinstance(key, Literal) and type(key.value) is str]
    return names if len(set(names)) == len(nodes) else None


def finish_object(fields: dict[str, Value], run: Evaluation) -> dict[str, Value]:
    """Count the steps of a new object; return it without what is UNDEFINED."""
    run.left -= OBJECT
    if UNDEFINED in fields.values():
        return {name: value for name, value in fields.items() if value is not UNDEFINED}
    return fields


def _group(
    keys: list[Column], values: list[Column], value: Value, env: Env, position: int
) -> dict[str, Value]:
    items = value if isinstance(value, list) else [value]
    if not items:
        items = TupleStream([{"@": UNDEFINED}]) if type(items) is TupleStream else [UNDEFINED]
    run = env[RUN]
    run.tick(OBJECT * (1 + len(items) * len(keys)))
    columns = [for_each(key, items, env) for key in keys]
    groups = [_members(column, items, position) for column in columns]
    names: dict[Value, Any] = groups[0] if len(groups) == 1 else {}
    if len(groups) > 1:
        names = dict.fromkeys(chain.from_iterable(zip(*columns, strict=True)))
        names.pop(UNDEFINED, None)
        for name in names if len(names) < sum(map(len, groups)) else ():
            if sum(name in group for group in groups) > 1:
                raise JSONataError("D1009", position, value=name)
    result: dict[str, Value] = {}
    for group, column in zip(groups, values, strict=True):
        members = _joined(items, list(group.values()), run)
        result.update(zip(group, for_each(column, members, env), strict=True))
    return {name: result[name] for name in names if result[name] is not UNDEFINED}


def _members(names: list[Value], items: list[Value], position: int) -> dict[Value, list[Value]]:
    """Return the items of each name; T1003 for a name that is no string."""
    wrong = set(map(type, names)) - {str, Undefined}
    for name in names if wrong else ():
        if type(name) in wrong:
            raise JSONataError("T1003", position, value=name)
    groups: dict[Value, list[Value]] = defaultdict(list)
    for name, item in zip(names, items, strict=True):
        groups[name].append(item)
    groups.pop(UNDEFINED, None)
    return groups


def _joined(items: list[Value], groups: list[list[Value]], run: Evaluation) -> list[Value]:
    """Return each group of the items as one value or tuple."""
    if isinstance(items, TupleStream):
        return TupleStream([_merge(group, run) for group in groups])
    if PARTS.isdisjoint(map(type, items)):
        run.allocate(8 * len(items))
        return [group if len(group) > 1 else group[0] for group in groups]
    return [concatenate(group, run) for group in groups]


def _merge(tuples: list[dict[str, Value]], run: Evaluation) -> dict[str, Value]:
    """Return the tuples of a group as one: every binding an array of theirs."""
    names = {name: None for each in tuples for name in each}
    run.tick(len(tuples) * len(names))
    return {name: concatenate([t.get(name, UNDEFINED) for t in tuples], run) for name in names}


# -- order


def compile_sort(
    node: Sort, compiler: Compiler, level: int
) -> Callable[[list[Value], Env], list[Value]]:
    """Compile a function that sorts a list of values or of tuples."""
    terms = [compiler.compile_each(term.expression, level) for term in node.terms]
    descending = [term.descending for term in node.terms]

    def sort(items: list[Value], env: Env) -> list[Value]:
        if len(items) <= 1:
            return items
        run = env[RUN]
        run.tick(OBJECT * len(items))
        columns = [for_each(term, items, env) for term in terms]
        ordered = _order_items(items, columns, descending, node.position, run)
        return TupleStream(ordered) if isinstance(items, TupleStream) else ordered

    return sort


def _order_items(
    items: list[Value],
    keys: Nodes[Nodes[Value]],
    descending: list[bool],
    at: int,
    run: Evaluation,
) -> list[Value]:
    """Return items in the order of their keys, which are a column for each term."""
    places = _order_uniform(keys, descending, run)
    if places is None:
        places = merge_sort(
            list(range(len(items))), lambda a, b: _is_after(keys, a, b, descending, at), run
        )
    return [items[place] for place in places]


def _order_uniform(
    keys: Nodes[Nodes[Value]], descending: list[bool], run: Evaluation
) -> list[int] | None:
    """Return the places in order where each term has only numbers or only strings; else None."""
    places: list[int] | None = None
    for column, is_descending in zip(reversed(keys), reversed(descending), strict=True):
        keys_now = column if places is None else [column[place] for place in places]
        by_term = places_in_order(keys_now, run, descending=is_descending)
        if by_term is None:
            return None
        places = by_term if places is None else [places[place] for place in by_term]
    return places


def _is_after(
    keys: Nodes[Nodes[Value]], left: int, right: int, descending: list[bool], at: int
) -> bool:
    for column, is_descending in zip(keys, descending, strict=True):
        a, b = column[left], column[right]
        if a is UNDEFINED or b is UNDEFINED:
            if a is not b:
                return a is UNDEFINED
            continue
        if (order := _compare(a, b, at)) != 0:
            return order < 0 if is_descending else order > 0
    return False


def _compare(left: Value, right: Value, at: int) -> int:
    for value in (left, right):
        if type(value) is not str and type(value) not in NUMBERS:
            raise JSONataError("T2008", at, value=value)
    if (type(left) is str) != (type(right) is str):
        raise JSONataError("T2007", at, value=left, value2=right)
    if type(left) is str:
        left, right = in_units(left, right)
    return int(left > right) - int(left < right)
