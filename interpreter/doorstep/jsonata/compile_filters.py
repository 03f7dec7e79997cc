"""What may follow an expression or a step: predicates, grouping, order.

``[…]`` selects some of the values, or picks one (https://docs.jsonata.org/predicate).
``{key: value}`` builds an object, or groups when there are several items; ``^(…)`` sorts by one or
more terms: what has no key comes last, equals stay in order
(https://docs.jsonata.org/sorting-grouping).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Nodes
from math import floor

from .compiler import Compiler
from .errors import JSONataError
from .evaluation import GLOBALS, OBJECT, OUTER, RUN, Compiled, Env, Evaluation
from .functions.structures import merge_sort, places_in_order
from .nodes import Filter, Index, Literal, Node, Object, Sort
from .sequences import concatenate
from .values import (
    NUMBERS,
    UNDEFINED,
    Sequence,
    TupleStream,
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
        return pick_item(floor(expression.value))
    compiler.uses_run = True
    return _select(compiler.compile(expression, level))


def _number_tuples(name: str) -> Stage:
    """``#$name`` behind a predicate: bind the place of each tuple."""

    def number(tuples: Value, env: Env) -> list[Value]:
        env[RUN].tick(OBJECT * len(tuples))
        return TupleStream([{**each, name: place} for place, each in enumerate(tuples)])

    return number


def pick_item(index: int) -> Stage:
    """``[1]``: the item at a constant place."""

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


def _select(predicate: Compiled) -> Stage:
    def select(value: Value, env: Env) -> list[Value]:
        if isinstance(value, TupleStream):
            return TupleStream(_selected(value, _on_tuple(predicate), env))
        items = value if isinstance(value, list) else [value]
        selected = _selected(items, predicate, env)
        return Sequence([] if selected and selected[0] is UNDEFINED else selected)

    return select


def _on_tuple(predicate: Compiled) -> Compiled:
    return lambda each, env: predicate(each["@"], tuple_env(env, each))


def _selected(items: list[Value], predicate: Compiled, env: Env) -> list[Value]:
    """Return the items for which the predicate is true, or returns their place."""
    run = env[RUN]
    run.tick(len(items))
    room = run.room
    selected = []
    for index, item in enumerate(items):
        result = predicate(item, env)
        if result is True:
            selected.append(item)
        elif result is False or result is UNDEFINED:
            continue
        else:
            selected += [item] * times_selected(result, index, len(items), run, room)
    run.allocate(8 * len(selected))
    return selected


def times_selected(result: Value, index: int, size: int, run: Evaluation, room: int) -> int:
    """Return how often an item is selected by a predicate's value that is no boolean.

    ``room``: the bytes that there were before the predicates.
    """
    if isinstance(result, list) and all(map(is_number, result)):
        run.tick(len(result) >> 2)
        run.room = room  # the places are gone
        return _count_places(result, index, size)
    if type(result) in NUMBERS and is_number(result):
        return _count_places([result], index, size)
    return truthy(result, run)


def _count_places(numbers: list[Value], index: int, size: int) -> int:
    """Return how many of the numbers mean this place; negative ones count from the end."""
    places = [floor(number) for number in numbers]
    return places.count(index) + places.count(index - size)


# -- grouping

Pairs = list[tuple[Compiled, Compiled]]


def compile_object(node: Object, compiler: Compiler, level: int) -> Compiled:
    """Return an object built of the context."""
    return compile_group(node.pairs, node.position, compiler, level + 1)


def compile_group(
    nodes: list[tuple[Node, Node]], position: int, compiler: Compiler, level: int
) -> Compiled:
    """Return the object of the groups that the keys make of the input's items."""
    pairs = [(compiler.compile(key, level), compiler.compile(value, level)) for key, value in nodes]
    names = [key.value for key, _ in nodes if isinstance(key, Literal) and type(key.value) is str]

    def group(value: Value, env: Env) -> Value:
        if isinstance(value, TupleStream):
            return _group_tuples(pairs, value, env, position)
        return _group(pairs, value, env, position)

    if len(names) < len(nodes) or len(set(names)) < len(names):
        return group
    fields = list(zip(names, (value for _, value in pairs), strict=True))

    def build(context: Value, env: Env) -> Value:
        """Build the object at once: the names are constant, and there is one item."""
        if isinstance(context, list):
            return group(context, env)
        result = {}
        run = env[RUN]
        run.left -= OBJECT
        if run.left < 0:
            run.tick()
        for name, field in fields:
            value = field(context, env)
            if value is not UNDEFINED:
                result[name] = value
        return result

    return build


def _group(pairs: Pairs, value: Value, env: Env, position: int) -> dict[str, Value]:
    items = (value or [UNDEFINED]) if isinstance(value, list) else [value]
    groups = _Groups(position)
    run = env[RUN]
    run.tick(OBJECT * (1 + len(items) * len(pairs)))
    for item in items:
        for index, (key, _) in enumerate(pairs):
            groups.add(key(item, env), index, item)
    return _present(
        (name, pairs[index][1](concatenate(members, run), env))
        for name, (index, members) in groups.members.items()
    )


def _group_tuples(pairs: Pairs, tuples: TupleStream, env: Env, position: int) -> dict[str, Value]:
    groups = _Groups(position)
    env[RUN].tick(OBJECT + len(tuples) * (OBJECT + len(pairs)))
    for each in tuples or [{"@": UNDEFINED}]:
        inner = tuple_env(env, each)
        for index, (key, _) in enumerate(pairs):
            groups.add(key(each["@"], inner), index, each)
    return _present(
        (name, pairs[index][1](merged["@"], tuple_env(env, merged)))
        for name, (index, members) in groups.members.items()
        for merged in [_merge(members, env[RUN])]
    )


class _Groups:
    """Which pair made each name, and of which items."""

    def __init__(self, position: int) -> None:
        self._position = position
        self.members: dict[str, tuple[int, list[Value]]] = {}

    def add(self, name: Value, index: int, item: Value) -> None:
        """Add an item to a group; raise D1009 if another pair has the same name."""
        if name is UNDEFINED:
            return
        if type(name) is not str:
            raise JSONataError("T1003", self._position, value=name)
        owner, members = self.members.setdefault(name, (index, []))
        if owner != index:
            raise JSONataError("D1009", self._position, value=name)
        members.append(item)


def _present(fields: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    return {name: value for name, value in fields if value is not UNDEFINED}


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
    terms = [compiler.compile(term.expression, level) for term in node.terms]
    descending = [term.descending for term in node.terms]

    def sort(items: list[Value], env: Env) -> list[Value]:
        if len(items) <= 1:
            return items
        is_tuples = isinstance(items, TupleStream)
        run = env[RUN]
        run.tick(OBJECT * len(items))
        rows = [_keys(terms, item, env, is_tuples=is_tuples) for item in items]
        ordered = order_items(items, list(zip(*rows, strict=True)), descending, node.position, run)
        return TupleStream(ordered) if is_tuples else ordered

    return sort


def order_items(
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


def _keys(terms: list[Compiled], item: Value, env: Env, *, is_tuples: bool) -> list[Value]:
    if is_tuples:
        env, item = tuple_env(env, item), item["@"]
    return [term(item, env) for term in terms]


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
