"""Paths with ``@$x``, ``#$i`` or ``%``: every value travels with the bindings made on its way.

A tuple is a dict: the value under '@', bound variables under their names, the inputs that a ``%``
means under its slot's label.
"""

from __future__ import annotations

from collections.abc import Callable

from .compile_filters import compile_stages, tuple_env
from .compile_sort import compile_sort
from .compile_steps import Walk, compile_walk, is_constructed
from .nodes import Node, Path, Sort
from .run import OBJECT, RUN, Env
from .scope import Scope
from .values import UNDEFINED, Sequence, TupleStream, Value

Tuple = dict[str, Value]
TupleStep = Callable[[list[Value], list[Tuple] | None, Env], list[Tuple]]
"""Items (of the steps before the first tuple), tuples if there are any: the next tuples."""


def compile_tuple_walk(node: Path, scope: Scope, level: int) -> Walk:
    """A path that carries tuples; inside such a path, it hands them on."""
    first = next(index for index, step in enumerate(node.steps) if step.tuple)
    if is_constructed(node.steps[0]):
        first = max(first, 1)
    plain = compile_walk(node.steps[:first], scope, level, whole=False) if first else None
    steps = [_tuple_step(step, scope, level) for step in node.steps[first:]]
    hands_on = node.tuple or node.group is not None

    def walk(items: list[Value], env: Env) -> list[Value]:
        if plain is not None:
            items = plain(items, env)
        tuples: list[Tuple] | None = None
        for step in steps if items else ():
            tuples = step(items, tuples, env)
        if hands_on:
            return TupleStream(tuples or ())
        return Sequence([each["@"] for each in tuples or ()])

    return walk


def _tuple_step(node: Node, scope: Scope, level: int) -> TupleStep:
    stages = compile_stages(node.stages, scope, level)
    if isinstance(node, Sort):
        step = _sort_step(node, scope, level)
    else:
        step = _map_step(node, scope, level)
    if stages is None:
        return step

    def staged(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        return stages(TupleStream(step(items, tuples, env)), env)

    return staged


def _sort_step(node: Sort, scope: Scope, level: int) -> TupleStep:
    sort = compile_sort(node, scope, level)
    index = node.index

    def step(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        if tuples is not None:
            return sort(TupleStream(tuples), env)
        named = [{"@": item} for item in sort(items, env)]
        if index is None:
            return named
        return [{**each, index: place} for place, each in enumerate(named)]

    return step


def _map_step(node: Node, scope: Scope, level: int) -> TupleStep:
    evaluate = scope.compile(node, level)
    scope.uses_run = True

    def step(items: list[Value], tuples: list[Tuple] | None, env: Env) -> list[Tuple]:
        results: list[Tuple] = []
        run = env[RUN]
        for each in tuples if tuples is not None else [{"@": item} for item in items]:
            run.tick(OBJECT)
            value = evaluate(each["@"], tuple_env(env, each))
            if isinstance(value, TupleStream):
                run.tick(OBJECT * len(value))
                results += [{**each, **inner} for inner in value]
            elif value is not UNDEFINED:
                values = value if isinstance(value, list) else [value]
                run.tick(OBJECT * len(values))
                results += [_bind(node, each, v, place) for place, v in enumerate(values)]
        return results

    return step


def _bind(node: Node, each: Tuple, value: Value, place: int) -> Tuple:
    """One value of a step, and what the step binds on its way."""
    result = {**each, "@": value}
    if node.focus is not None:
        result[node.focus] = value
        result["@"] = each["@"]
    if node.index is not None:
        result[node.index] = place
    if node.ancestor is not None:
        result[node.ancestor.label] = each["@"]
    return result
