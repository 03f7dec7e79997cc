"""Operators: arithmetic, comparison, logic, strings, ranges.

https://docs.jsonata.org/numeric-operators, https://docs.jsonata.org/comparison-operators,
https://docs.jsonata.org/boolean-operators, https://docs.jsonata.org/other-operators.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from math import fmod, inf, isfinite, isnan, nan
from typing import Any, Final, TypeVar

from .compiler import Compiler, Dialect
from .errors import JSONataError
from .evaluation import RUN, Compiled, Env, Evaluation
from .functions.strings import TextStyle, to_string
from .nodes import Binary, Condition, Literal, Negate
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
    truthy,
)

Operation = Callable[[Value, Value, Evaluation], Value]
_R = TypeVar("_R")


def compile_binary(node: Binary, compiler: Compiler, level: int) -> Compiled:
    """Compile an operator with two sides."""
    left = compiler.compile(node.left, level + 1)
    right = compiler.compile(node.right, level + 1)
    symbol = node.operator
    if symbol in ("and", "or"):
        return _logic(node.position, symbol, left, right)
    if symbol in ("..", "&"):
        compiler.uses_run = True
    operate = operation(symbol, node.position, symbol, compiler.dialect)
    return lambda context, env: operate(left(context, env), right(context, env), env[RUN])


def operation(symbol: str, at: int, token: str, dialect: Dialect) -> Operation:
    """Return what an operator does with its sides; ``at`` and ``token`` are where it fails."""
    if symbol in _EQUALITIES:
        return _EQUALITIES[symbol]
    if symbol == "&":
        return placed(partial(_concatenate, dialect.style), at, token)
    return placed(_OPERATIONS[symbol], at, token)


def placed(function: Callable[..., _R], at: int, token: str) -> Callable[..., _R]:
    """Return a function or a closure that fails at an operator."""

    def call(*arguments: Any) -> _R:
        try:
            return function(*arguments)
        except JSONataError as error:
            error.position, error.token = at, token
            raise

    return call


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


def _calculate(
    operate: Callable[[Any, Any], float], left: Value, right: Value, _run: Evaluation
) -> Value:
    """Return the result of an arithmetic operator, UNDEFINED where a side is missing."""
    if operate not in (_divide, _remainder) and type(left) in NUMBERS and type(right) in NUMBERS:
        result = operate(left, right)
        if type(result) is int and -SAFE <= result <= SAFE:
            return result
        result = operate(float(left), float(right))
        if isfinite(result):  # so both sides are
            return number(result)
    for code, value in (("T2001", left), ("T2002", right)):
        if value is not UNDEFINED and not is_number(value):
            raise JSONataError(code, value=value)
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return number(operate(as_double(left), as_double(right)))


def compile_negate(node: Negate, compiler: Compiler, level: int) -> Compiled:
    """Compile a minus before anything but a number."""
    operand = compiler.compile(node.operand, level + 1)

    def negate(context: Value, env: Env) -> Value:
        value = operand(context, env)
        if value is UNDEFINED:
            return UNDEFINED
        if not is_number(value):
            raise JSONataError("D1002", node.position, "-", value=value)
        return -value

    return negate


# -- comparison

COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _in_order(
    compare: Callable[[Any, Any], bool], left: Value, right: Value, run: Evaluation
) -> Value:
    """Return whether two values are in an order; UNDEFINED where a side is missing."""
    if type(left) is int and type(right) is int:
        return compare(left, right)
    for value in (left, right):
        if value is not UNDEFINED and type(value) is not str and type(value) not in NUMBERS:
            raise JSONataError("T2010", value=value)
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    if (type(left) is str) != (type(right) is str):
        raise JSONataError("T2009", value=left, value2=right)
    if type(left) is str:
        run.tick(min(len(left), len(right)) >> 13)
        left, right = in_units(left, right)
    return compare(left, right)


def _same(left: Value, right: Value, run: Evaluation) -> bool:
    """Return whether two values are equal; what is missing equals nothing."""
    return left is not UNDEFINED and right is not UNDEFINED and equal(left, right, run)


def _different(left: Value, right: Value, run: Evaluation) -> bool:
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


_EQUALITIES: Final[dict[str, Operation]] = {"=": _same, "!=": _different, "in": _is_in}


# -- logic


def _logic(at: int, symbol: str, left: Compiled, right: Compiled) -> Compiled:
    decides = symbol == "or"
    right, truth = placed(right, at, symbol), placed(truthy, at, symbol)

    def evaluate(context: Value, env: Env) -> Value:
        if truth(left(context, env), env[RUN]) is decides:
            return decides
        return truth(right(context, env), env[RUN])

    return evaluate


def compile_condition(node: Condition, compiler: Compiler, level: int) -> Compiled:
    """``test ? then : otherwise``."""
    test = compiler.compile(node.test, level + 1)
    then = compiler.compile(node.then, level + 1)
    otherwise = Literal(node.position, UNDEFINED) if node.otherwise is None else node.otherwise
    other = compiler.compile(otherwise, level + 1)
    return lambda context, env: (
        then(context, env) if truthy(test(context, env), env[RUN]) else other(context, env)
    )


# -- strings and ranges


def _concatenate(style: TextStyle, left: Value, right: Value, run: Evaluation) -> str:
    before = left if type(left) is str else _text(run, left, style)
    behind = right if type(right) is str else _text(run, right, style)
    run.allocate(len(before) + len(behind))
    return before + behind


def _text(run: Evaluation, value: Value, style: TextStyle) -> str:
    return "" if value is UNDEFINED else to_string(run, value, style=style)


_MOST_ITEMS: Final = 10_000_000


def _range(left: Value, right: Value, run: Evaluation) -> Value:
    for code, value in (("T2003", left), ("T2004", right)):
        if value is not UNDEFINED and not _is_integer(value):
            raise JSONataError(code, value=value)
    if left is UNDEFINED or right is UNDEFINED or left > right:
        return UNDEFINED
    first, last = int(left), int(right)
    size = last - first + 1
    if size > _MOST_ITEMS:
        raise JSONataError("D2014", value=size)
    run.allocate(8 * size)
    return first if size == 1 else Sequence(range(first, last + 1))


def _is_integer(value: Value) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


_OPERATIONS: Final[dict[str, Operation]] = {
    **{symbol: partial(_calculate, operate) for symbol, operate in ARITHMETIC.items()},
    **{symbol: partial(_in_order, compare) for symbol, compare in COMPARISONS.items()},
    "..": _range,
}
