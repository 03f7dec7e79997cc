"""Predicates: ``[…]`` behind an expression or a step keeps some of the values, or picks one."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Nodes
from math import floor

from .nodes import Filter, Index, Literal
from .run import GLOBALS, OBJECT, OUTER, RUN, Compiled, Env
from .scope import Scope
from .values import NUMBERS, UNDEFINED, Sequence, TupleStream, Value, is_number, truthy

Stage = Callable[[Value, Env], list[Value]]
Stages = Nodes[Filter | Index]


def tuple_env(env: Env, bindings: dict[str, Value]) -> Env:
    """The environment of one tuple."""
    return {OUTER: env, GLOBALS: env[GLOBALS], RUN: env[RUN], **bindings}


def compile_stages(stages: Stages, scope: Scope, level: int) -> Stage | None:
    """All predicates of a step, one after the other; None if there are none."""
    compiled = [_compile_stage(stage, scope, level) for stage in stages]
    if len(compiled) < 2:
        return compiled[0] if compiled else None

    def apply(value: Value, env: Env) -> list[Value]:
        for stage in compiled:
            value = stage(value, env)
        return value  # type: ignore[no-any-return]

    return apply


def _compile_stage(stage: Filter | Index, scope: Scope, level: int) -> Stage:
    if isinstance(stage, Index):
        return _number_tuples(stage.name)
    expression = stage.expression
    if isinstance(expression, Literal) and type(expression.value) in NUMBERS:
        return _pick(floor(expression.value))
    scope.uses_run = True
    return _select(scope.compile(expression, level))


def _number_tuples(name: str) -> Stage:
    """``#$name`` behind a predicate: every tuple is told its place."""

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
    """The items for which the predicate is true, or gives the number of their place."""
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
        elif isinstance(result, list) and all(map(is_number, result)):
            run.tick(len(result) >> 2)
            run.room = room  # the places are gone
            selected += [item] * _count_places(result, index, len(items))
        elif type(result) in NUMBERS and is_number(result):
            selected += [item] * _count_places([result], index, len(items))
        elif truthy(result, run):
            selected.append(item)
    run.allocate(8 * len(selected))
    return selected


def _count_places(numbers: list[Value], index: int, size: int) -> int:
    """How many of the numbers mean this place; negative ones count from the end."""
    places = [floor(number) for number in numbers]
    return places.count(index) + places.count(index - size)
