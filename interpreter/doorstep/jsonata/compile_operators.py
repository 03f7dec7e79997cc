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

from .compiler import Compiler, Dialect
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

Operation = Callable[[Value, Value, Evaluation], Value]


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
    if symbol in ARITHMETIC:
        return partial(_calculate, ARITHMETIC[symbol], at, token)
    if symbol in COMPARISONS:
        return partial(_in_order, COMPARISONS[symbol], at, token)
    if symbol == "&":
        return partial(_concatenate, dialect.style, at, token)
    return partial(_range, at, token) if symbol == ".." else _EQUALITIES[symbol]


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
    operate: Callable[[Any, Any], float],
    at: int,
    token: str,
    left: Value,
    right: Value,
    _run: Evaluation,
) -> Value:
    """Return the result of an arithmetic operator, UNDEFINED where a side is missing."""
    if operate not in (_divide, _remainder) and type(left) in NUMBERS and type(right) in NUMBERS:
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
        error.position, error.token = at, token
        raise
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
    compare: Callable[[Any, Any], bool],
    at: int,
    token: str,
    left: Value,
    right: Value,
    run: Evaluation,
) -> Value:
    """Return whether two values are in an order; UNDEFINED where a side is missing."""
    if type(left) is int and type(right) is int:
        return compare(left, right)
    if not _are_comparable(left, right, at, token):
        return UNDEFINED
    if type(left) is str:
        run.tick(min(len(left), len(right)) >> 13)
        return compare(*in_units(left, right))
    return compare(left, right)


def _are_comparable(left: Value, right: Value, at: int, token: str) -> bool:
    """Return False if a side is missing; raise T2010 or T2009 for what has no order."""
    for value in (left, right):
        if value is not UNDEFINED and type(value) is not str and type(value) not in NUMBERS:
            raise JSONataError("T2010", at, token, value=value)
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if (type(left) is str) != (type(right) is str):
        raise JSONataError("T2009", at, token, value=left, value2=right)
    return True


def _same(left: Value, right: Value, run: Evaluation) -> bool:
    """Return whether two values are equal; what is missing equals nothing."""
    if type(left) is str and type(right) is str:
        return same_text(left, right, run)
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
    right = placed(right, at, symbol)

    def evaluate(context: Value, env: Env) -> Value:
        run = env[RUN]
        if truth_at(at, symbol, left(context, env), run) is decides:
            return decides
        return truth_at(at, symbol, right(context, env), run)

    return evaluate


def placed(evaluate: Compiled, at: int, token: str) -> Compiled:
    """Return a closure that fails at another place, as the right side of ``and`` does."""

    def evaluate_at(context: Value, env: Env) -> Value:
        try:
            return evaluate(context, env)
        except JSONataError as error:
            error.position, error.token = at, token
            raise

    return evaluate_at


def truth_at(at: int, token: str, value: Value, run: Evaluation) -> bool:
    """Return whether a value counts as true; ``at`` and ``token`` are where it fails."""
    try:
        return truthy(value, run)
    except JSONataError as error:
        error.position, error.token = at, token
        raise


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


def _concatenate(
    style: TextStyle, at: int, token: str, left: Value, right: Value, run: Evaluation
) -> str:
    try:
        before = left if type(left) is str else _text(run, left, style)
        behind = right if type(right) is str else _text(run, right, style)
    except JSONataError as error:
        error.position, error.token = at, token
        raise
    run.allocate(len(before) + len(behind))
    return before + behind


def _text(run: Evaluation, value: Value, style: TextStyle) -> str:
    return "" if value is UNDEFINED else to_string(run, value, style=style)


_MOST_ITEMS: Final = 10_000_000


def _range(at: int, token: str, left: Value, right: Value, run: Evaluation) -> Value:
    for code, value in (("T2003", left), ("T2004", right)):
        if value is not UNDEFINED and not _is_integer(value):
            raise JSONataError(code, at, token, value=value)
    if left is UNDEFINED or right is UNDEFINED or left > right:
        return UNDEFINED
    first, last = int(left), int(right)
    size = last - first + 1
    if size > _MOST_ITEMS:
        raise JSONataError("D2014", at, token, value=size)
    run.allocate(8 * size)
    return first if size == 1 else Sequence(range(first, last + 1))


def _is_integer(value: Value) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())
