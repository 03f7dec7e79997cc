"""``^(…)``: order by one or more terms; what has no key comes last, equals keep their order."""

from __future__ import annotations

from collections.abc import Callable

from .compile_filters import tuple_env
from .errors import JSONataError
from .fn_arrays import merge_sort, tick_for_sorting
from .nodes import Sort
from .run import OBJECT, RUN, Compiled, Env, Run
from .scope import Scope
from .values import NUMBERS, UNDEFINED, TupleStream, Value

Keyed = tuple[list[Value], Value]
"""The keys of a value, one a term, and the value."""


def compile_sort(node: Sort, scope: Scope, level: int) -> Callable[[list[Value], Env], list[Value]]:
    """Sorts a list of values or of tuples."""
    terms = [scope.compile(term.expression, level) for term in node.terms]
    descending = [term.descending for term in node.terms]

    def sort(items: list[Value], env: Env) -> list[Value]:
        if len(items) <= 1:
            return items
        is_tuples = isinstance(items, TupleStream)
        run = env[RUN]
        run.tick(OBJECT * len(items))
        keyed = [(_keys(terms, item, env, is_tuples=is_tuples), item) for item in items]
        if not _sort_uniform(keyed, descending, run):
            keyed = merge_sort(
                keyed, lambda a, b: _is_after(a[0], b[0], descending, node.position), run
            )
        ordered = [item for _, item in keyed]
        return TupleStream(ordered) if is_tuples else ordered

    return sort


def _keys(terms: list[Compiled], item: Value, env: Env, *, is_tuples: bool) -> list[Value]:
    if is_tuples:
        env, item = tuple_env(env, item), item["@"]
    return [term(item, env) for term in terms]


def _sort_uniform(keyed: list[Keyed], descending: list[bool], run: Run) -> bool:
    """Sort in place where each term gives only numbers or only strings; False where not."""
    for term in range(len(descending)):
        kinds = {type(keys[term]) for keys, _ in keyed}
        if not (kinds == {str} or kinds <= NUMBERS):
            return False
    for term in reversed(range(len(descending))):
        tick_for_sorting([keys[term] for keys, _ in keyed], run)
        keyed.sort(key=lambda pair: pair[0][term], reverse=descending[term])
    return True


def _is_after(left: list[Value], right: list[Value], descending: list[bool], at: int) -> bool:
    for a, b, is_descending in zip(left, right, descending, strict=True):
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
    return int(left > right) - int(left < right)
