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
from functools import partial, reduce
from itertools import chain
from math import floor
from typing import Any, Final

from .compiler import Column, Compiler
from .errors import JSONataError
from .evaluation import GLOBALS, OBJECT, OUTER, RUN, Compiled, Env, Evaluation
from .functions.structures import merge_sort, order_by_place
from .nodes import Filter, Index, Literal, Node, Object, Sort, is_test
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
_NAMES: Final = frozenset((str, Undefined))


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
    return lambda value, env: reduce(lambda selected, stage: stage(selected, env), compiled, value)


def _compile_stage(stage: Filter | Index, compiler: Compiler, level: int) -> Stage:
    if isinstance(stage, Index):
        return _number_tuples(stage.name)
    expression = stage.expression
    if isinstance(expression, Literal) and type(expression.value) in NUMBERS:
        return _pick(floor(expression.value))
    compiler.uses_run = True
    if is_test(expression):
        test = compiler.compile_test(expression, level)
        return _select(test, lambda item, env: bool(test([item], env)))
    predicate = compiler.compile(expression, level)
    return _select(partial(_selected, predicate), predicate)


def _number_tuples(name: str) -> Stage:
    """``#$name`` behind a predicate: bind the place of each tuple."""

    def number(tuples: Value, env: Env) -> list[Value]:
        env[RUN].tick(OBJECT * len(tuples))
        return TupleStream([{**each, name: place} for place, each in enumerate(tuples)])

    return number


def _pick(index: int) -> Stage:
    def pick(value: Value, _env: Env) -> list[Value]:
        items = value if isinstance(value, list) else [value]
        picked = [item for item in items[index : index + 1 or None] if item is not UNDEFINED]
        if picked and isinstance(picked[0], list):
            return picked[0]
        return TupleStream(picked) if isinstance(value, TupleStream) else Sequence(picked)

    return pick


def _select(select: Column, predicate: Compiled) -> Stage:
    def on_tuple(each: dict[str, Value], env: Env) -> Value:
        return predicate(each["@"], tuple_env(env, each))

    def stage(value: Value, env: Env) -> list[Value]:
        run = env[RUN]
        items = value if isinstance(value, list) else [value]
        run.tick(len(items))
        if isinstance(items, TupleStream):
            selected: Sequence = TupleStream(_selected(on_tuple, items, env))
        else:
            selected = Sequence(select(items, env))
            if selected and selected[0] is UNDEFINED:
                selected.clear()
        run.allocate(8 * len(selected))
        return selected

    return stage


def _selected(predicate: Compiled, items: list[Value], env: Env) -> list[Value]:
    """Return the items for which a predicate is true, and those at the places that it returns."""
    run = env[RUN]
    room = run.room
    selected = []
    for place, item in enumerate(items):
        result = predicate(item, env)
        if type(result) is bool:
            selected += [item] * result
        elif isinstance(result, list) and all(map(is_number, result)):
            run.tick(len(result) >> 2)
            run.room = room  # the places are gone
            selected += [item] * _count_places(result, place, len(items))
        elif type(result) in NUMBERS and is_number(result):
            selected += [item] * _count_places([result], place, len(items))
        elif truthy(result, run):
            selected.append(item)
    return selected


def _count_places(numbers: list[Value], index: int, size: int) -> int:
    """Return how many of the numbers mean this place; negative ones count from the end."""
    places = [floor(number) for number in numbers]
    return places.count(index) + places.count(index - size)


# -- grouping


def compile_object(node: Object, compiler: Compiler, level: int) -> Compiled:
    """Return an object built of the context: at once if its names are constant."""
    names = constant_names(node.pairs)
    if names is None:
        return compile_group(node.pairs, node.position, compiler, level + 1)
    values = [compiler.compile(value, level + 1) for _, value in node.pairs]
    fields = list(zip(names, values, strict=True))

    def build(context: Value, env: Env) -> Value:
        context = as_one(context, env[RUN])
        return present({name: value(context, env) for name, value in fields})

    return build


def compile_group(
    nodes: list[tuple[Node, Node]], position: int, compiler: Compiler, level: int
) -> Compiled:
    """Return the object of the groups that the keys make of the input's items."""
    keys = [compiler.compile_each(key, level) for key, _ in nodes]
    values = [compiler.compile_each(value, level) for _, value in nodes]
    return lambda value, env: _group(keys, values, value, env, position)


def constant_names(nodes: list[tuple[Node, Node]]) -> list[str] | None:
    """Return the names of an object if they are constant, and each is there once."""
    names = [key.value for key, _ in nodes if isinstance(key, Literal) and type(key.value) is str]
    return names if len(set(names)) == len(nodes) else None


def as_one(context: Value, run: Evaluation) -> Value:
    """Return what an object with constant names is built of: the items of an array as a whole."""
    if not isinstance(context, list):
        return context
    run.tick(len(context))
    return _joined(context, [list(context)], run)[0] if context else UNDEFINED


def present(fields: dict[str, Value]) -> dict[str, Value]:
    """Return an object without what is UNDEFINED."""
    return {name: value for name, value in fields.items() if value is not UNDEFINED}


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
    if not _NAMES.issuperset(map(type, names)):
        wrong = next(name for name in names if type(name) not in _NAMES)
        raise JSONataError("T1003", position, value=wrong)
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
    terms = [compiler.compile_each(term, level) for term, _ in node.terms]
    descending = [is_descending for _, is_descending in node.terms]

    def sort(items: list[Value], env: Env) -> list[Value]:
        if len(items) <= 1:
            return items
        run = env[RUN]
        run.tick(OBJECT * len(items))
        keys = [for_each(term, items, env) for term in terms]
        ordered = [items[place] for place in _order(keys, descending, node.position, run)]
        return TupleStream(ordered) if isinstance(items, TupleStream) else ordered

    return sort


def _order(keys: list[list[Value]], descending: list[bool], at: int, run: Evaluation) -> list[int]:
    """Return the places of items in the order of their keys, which are a column for each term."""
    places = list(range(len(keys[0])))
    for column, is_descending in zip(reversed(keys), reversed(descending), strict=True):
        by_term = order_by_place(column, run)
        if by_term is None:
            places.sort()
            return merge_sort(places, lambda a, b: _is_after(keys, a, b, descending, at), run)
        places.sort(key=by_term, reverse=is_descending)
    return places


def _is_after(
    keys: list[list[Value]], left: int, right: int, descending: list[bool], at: int
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
