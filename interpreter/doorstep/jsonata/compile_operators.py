"""Operators: arithmetic, comparison, logic, strings, ranges.

https://docs.jsonata.org/numeric-operators, https://docs.jsonata.org/comparison-operators,
https://docs.jsonata.org/boolean-operators, https://docs.jsonata.org/other-operators.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from math import fmod, inf, isfinite, isnan, nan
from typing import Any, Final

from .compiler import Compiler
from .errors import JSONataError
from .evaluation import RUN, Compiled, Env, Evaluation
from .functions.strings import TextStyle, to_string
from .nodes import Binary, Condition, Negate
from .values import (
    NUMBERS,
    SAFE,
    UNDEFINED,
    Sequence,
    Value,
    as_double,
    equal,
    in_units,
    is_number,
    number,
    same_text,
    truthy,
)


def compile_binary(node: Binary, compiler: Compiler, level: int) -> Compiled:
    """Compile an operator with two sides."""
    left = compiler.compile(node.left, level + 1)
    right = compiler.compile(node.right, level + 1)
    symbol, at = node.operator, node.position
    if symbol in ARITHMETIC:
        return _arithmetic(ARITHMETIC[symbol], symbol, at, left, right)
    if symbol in COMPARISONS:
        return _comparison(COMPARISONS[symbol], symbol, at, left, right)
    if symbol in ("..", "&"):
        compiler.uses_run = True
    if symbol == "&":
        return _concatenation(at, left, right, compiler.dialect.style)
    return _OTHERS[symbol](at, left, right)


# -- arithmetic


def _divide(left: float, right: float) -> float:
    """Divide as IEEE doubles do: by zero to an infinity, or NaN for 0/0 (fact 70)."""
    if right == 0:
        return nan if left == 0 or isnan(left) else inf if left > 0 else -inf
    return as_double(left) / as_double(right)


def _remainder(left: float, right: float) -> float:
    """Return the remainder as JavaScript has it: truncated, with the sign of the left side."""
    return nan if right == 0 else fmod(left, right)


ARITHMETIC: Final[dict[str, Callable[[Any, Any], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}


def _arithmetic(
    operate: Callable[[Any, Any], float], symbol: str, at: int, left: Compiled, right: Compiled
) -> Compiled:
    return lambda context, env: calculate(
        operate, symbol, at, left(context, env), right(context, env)
    )


def calculate(
    operate: Callable[[Any, Any], float], symbol: str, at: int, left: Value, right: Value
) -> Value:
    """Return the result of an arithmetic operator, UNDEFINED where a side is missing."""
    if symbol in "+-*" and type(left) in NUMBERS and type(right) in NUMBERS:
        result = operate(left, right)
        if type(result) is int and -SAFE <= result <= SAFE:
            return result
        result = operate(float(left), float(right))
        if isfinite(result):  # so both sides are
            return number(result)
    try:
        if left is not UNDEFINED and not is_number(left):
            raise JSONataError("T2001", value=left)
        if right is not UNDEFINED and not is_number(right):
            raise JSONataError("T2002", value=right)
    except JSONataError as error:
        error.position, error.token = at, symbol
        raise
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return number(operate(as_double(left), as_double(right)))


def compile_negate(node: Negate, compiler: Compiler, level: int) -> Compiled:
    """Compile a minus before anything but a number."""
    operand = compiler.compile(node.operand, level + 1)

    return lambda context, env: negate(operand(context, env), node.position)


def negate(value: Value, at: int) -> Value:
    """Return minus a number."""
    if value is UNDEFINED:
        return UNDEFINED
    if not is_number(value):
        raise JSONataError("D1002", at, "-", value=value)
    return -value


# -- comparison

COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(
    compare: Callable[[Any, Any], bool], symbol: str, at: int, left: Compiled, right: Compiled
) -> Compiled:
    return lambda context, env: in_order(
        compare, symbol, at, left(context, env), right(context, env), env[RUN]
    )


def in_order(
    compare: Callable[[Any, Any], bool],
    symbol: str,
    at: int,
    left: Value,
    right: Value,
    run: Evaluation,
) -> Value:
    """Return whether two values are in an order; UNDEFINED where a side is missing."""
    if type(left) is int and type(right) is int:
        return compare(left, right)
    if not _are_comparable(left, right, symbol, at):
        return UNDEFINED
    if type(left) is str:
        run.tick(min(len(left), len(right)) >> 13)
        return compare(*in_units(left, right))
    return compare(left, right)


def _are_comparable(left: Value, right: Value, symbol: str, at: int) -> bool:
    """Return False if a side is missing; raise T2010 or T2009 for what has no order."""
    for value in (left, right):
        if value is not UNDEFINED and type(value) is not str and type(value) not in NUMBERS:
            raise JSONataError("T2010", at, symbol, value=value)
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if (type(left) is str) != (type(right) is str):
        raise JSONataError("T2009", at, symbol, value=left, value2=right)
    return True


def _tested(
    _at: int, left: Compiled, right: Compiled, *, test: Callable[[Value, Value, Evaluation], bool]
) -> Compiled:
    return lambda context, env: test(left(context, env), right(context, env), env[RUN])


def same(left: Value, right: Value, run: Evaluation) -> bool:
    """Return whether two values are equal; what is missing equals nothing."""
    if type(left) is str and type(right) is str:
        return same_text(left, right, run)
    return left is not UNDEFINED and right is not UNDEFINED and equal(left, right, run)


def different(left: Value, right: Value, run: Evaluation) -> bool:
    """Return whether two values are there and not equal."""
    return left is not UNDEFINED and right is not UNDEFINED and not equal(left, right, run)


def _is_in(value: Value, items: Value, run: Evaluation) -> bool:
    if value is UNDEFINED or items is UNDEFINED:
        return False
    items = items if isinstance(items, list) else [items]
    run.tick(len(items))
    if isinstance(value, list | dict):
        return any(item is value for item in items)
    return any(equal(value, item, run) for item in items)


# -- logic


def _logic(at: int, left: Compiled, right: Compiled, *, symbol: str, decides: bool) -> Compiled:
    """``and``, ``or``; ``decides``: the left value that leaves the right side unevaluated."""

    def evaluate(context: Value, env: Env) -> Value:
        lhs = left(context, env)
        try:
            if truthy(lhs, env[RUN]) is decides:
                return decides
            return truthy(right(context, env), env[RUN])
        except JSONataError as error:
            error.position, error.token = at, symbol
            raise

    return evaluate


def compile_condition(node: Condition, compiler: Compiler, level: int) -> Compiled:
    """``test ? then : otherwise``."""
    test = compiler.compile(node.test, level + 1)
    then = compiler.compile(node.then, level + 1)
    if node.otherwise is None:
        return lambda context, env: (
            then(context, env) if truthy(test(context, env), env[RUN]) else UNDEFINED
        )
    otherwise = compiler.compile(node.otherwise, level + 1)
    return lambda context, env: (
        then(context, env) if truthy(test(context, env), env[RUN]) else otherwise(context, env)
    )


# -- strings and ranges


def _concatenation(at: int, left: Compiled, right: Compiled, style: TextStyle) -> Compiled:
    def evaluate(context: Value, env: Env) -> Value:
        lhs = left(context, env)
        rhs = right(context, env)
        try:
            run = env[RUN]
            before = lhs if type(lhs) is str else text_of(run, lhs, style)
            behind = rhs if type(rhs) is str else text_of(run, rhs, style)
        except JSONataError as error:
            error.position, error.token = at, "&"
            raise
        run.allocate(len(before) + len(behind))
        return before + behind

    return evaluate


def text_of(run: Evaluation, value: Value, style: TextStyle) -> str:
    """Return what ``&`` writes for a value."""
    return "" if value is UNDEFINED else to_string(run, value, style=style)


_MOST_ITEMS: Final = 10_000_000


def _range(at: int, left: Compiled, right: Compiled) -> Compiled:
    def evaluate(context: Value, env: Env) -> Value:
        lhs = left(context, env)
        rhs = right(context, env)
        for code, value in (("T2003", lhs), ("T2004", rhs)):
            if value is not UNDEFINED and not _is_integer(value):
                raise JSONataError(code, at, "..", value=value)
        if lhs is UNDEFINED or rhs is UNDEFINED or lhs > rhs:
            return UNDEFINED
        first, last = int(lhs), int(rhs)
        size = last - first + 1
        if size > _MOST_ITEMS:
            raise JSONataError("D2014", at, "..", value=size)
        env[RUN].allocate(8 * size)
        return first if size == 1 else Sequence(range(first, last + 1))

    return evaluate


def _is_integer(value: Value) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


_OTHERS: Final[dict[str, Callable[[int, Compiled, Compiled], Compiled]]] = {
    "=": partial(_tested, test=same),
    "!=": partial(_tested, test=different),
    "in": partial(_tested, test=_is_in),
    "and": partial(_logic, symbol="and", decides=False),
    "or": partial(_logic, symbol="or", decides=True),
    "..": _range,
}
