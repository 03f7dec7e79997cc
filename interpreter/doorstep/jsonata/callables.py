"""Function values, and how they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from .errors import JSONataError
from .evaluation import GLOBALS, OUTER, RUN, Compiled, Env, Evaluation, too_deep
from .signatures import Signature
from .values import NUMBERS, UNDEFINED, Function, Value, size_of


@dataclass(slots=True, eq=False)
class LambdaValue(Function):
    """A function of the expression, and the environment that it was made in.

    ``height``: how many levels its body nests at the least, whatever its conditions say; ``key``:
    by which fields of its two parameters it orders them, and whether the greater come first;
    ``make_code``: makes it a Python function, where the expression is evaluated often.
    """

    parameters: tuple[str, ...]
    signature: Signature | None
    body: Compiled
    height: int
    context: Value
    env: Env
    key: tuple[list[str], bool] | None = None
    make_code: Callable[[Value, Env], Callable[..., Value]] | None = None


@dataclass(slots=True, eq=False)
class Builtin(Function):
    """A function of the language: ``implementation(run, *arguments)``.

    ``arity`` is what jsonata-js's implementation declares: how many arguments a higher-order
    function passes, and how many placeholders a partial application may leave.
    """

    name: str
    signature: Signature
    implementation: Callable[..., Value]
    arity: int


class Native(Function):
    """A function value that isn't one of the language's named functions."""

    __slots__ = ()
    arity: int

    def call(self, run: Evaluation, arguments: list[Value]) -> Value:
        """Return the function's value; a gathered Sequence is not collapsed yet."""
        raise NotImplementedError


class PartialValue(Native):
    """A built-in or a callable with some of its arguments fixed."""

    __slots__ = ("_fixed", "_function", "arity")

    def __init__(self, function: Value, fixed: list[Value]) -> None:
        self._function = function
        self._fixed = fixed
        self.arity = sum(argument is PLACEHOLDER for argument in fixed)

    def call(self, run: Evaluation, arguments: list[Value]) -> Value:
        """Call with the arguments filled in; like jsonata-js, a built-in then checks none.

        It takes as many as it declares, and is called as usual where it can do nothing with them.
        """
        rest = iter(arguments)
        whole = [next(rest, UNDEFINED) if a is PLACEHOLDER else a for a in self._fixed]
        if isinstance(self._function, Builtin):
            whole = whole[: self._function.arity or None]
            try:
                return self._function.implementation(run, *whole)
            except (AttributeError, TypeError):
                return invoke(self._function, whole, UNDEFINED, run)
        if isinstance(self._function, Native):
            return self._function.call(run, whole)
        return call_python(self._function, whole, run)


PLACEHOLDER: Final = object()


@dataclass(slots=True, eq=False)
class TailCall:
    """What a lambda's body returns instead of calling: the caller calls, and no stack grows."""

    function: Value
    arguments: list[Value]
    position: int
    name: str | None


def invoke(function: Value, arguments: list[Value], context: Value, run: Evaluation) -> Value:
    """Call any function value; a gathered Sequence is not collapsed yet."""
    if type(function) is Builtin:
        return function.implementation(run, *function.signature.validate(arguments, context))
    if type(function) is LambdaValue:
        return finish(enter(function, arguments, context), context, run)
    if isinstance(function, Native):
        return function.call(run, arguments)
    if callable(function):
        return call_python(function, arguments, run)
    raise JSONataError("T1006")


def is_array_of_numbers(value: Value) -> bool:
    """Return whether a function that takes numbers takes a value as it is."""
    return isinstance(value, list) and NUMBERS.issuperset(map(type, value))


def enter(function: LambdaValue, arguments: list[Value], context: Value) -> Value:
    """Evaluate a lambda's body: its value, or the TailCall that continues."""
    if function.signature is not None:
        arguments = function.signature.validate(arguments, context)
    run = function.env[RUN]
    run.tick(3)
    if run.depth + function.height > run.max_depth:
        raise too_deep(run.limits)
    return _evaluate(function, arguments)


def _evaluate(function: LambdaValue, arguments: Iterable[Value]) -> Value:
    outer = function.env
    env: Env = {OUTER: outer, GLOBALS: outer[GLOBALS], RUN: outer[RUN]}
    missing = [UNDEFINED] * len(function.parameters)
    env.update(zip(function.parameters, (*arguments, *missing), strict=False))
    return function.body(function.context, env)


def finish(result: Value, context: Value, run: Evaluation) -> Value:
    """Make the calls that a lambda's body left to be made, one after the other."""
    while type(result) is TailCall:
        call = result
        try:
            if type(call.function) is not LambdaValue:
                return invoke(call.function, call.arguments, context, run)
            result = enter(call.function, call.arguments, context)
        except JSONataError as error:
            locate(error, call.position, call.name)
            raise
    return result


def caller(function: Value, run: Evaluation, calls: int) -> Callable[..., Value]:
    """Return a Python function that passes no more arguments than are declared, but one.

    Its calls are counted here already.
    """
    if type(function) is not LambdaValue or function.signature is not None:
        size = max(arity(function), 1)
        return lambda *arguments: invoke(function, list(arguments[:size]), None, run)
    run.tick(calls if len(function.parameters) == 1 else 3 * calls)
    if run.depth + function.height > run.max_depth:
        raise too_deep(run.limits)
    if function.make_code is not None:
        return function.make_code(function.context, function.env)
    return lambda *arguments: finish(_evaluate(function, arguments), None, run)


def call_python(function: Callable[..., Value], arguments: list[Value], run: Evaluation) -> Value:
    """Call a function from the bindings with as many arguments as it takes."""
    least, most = _bounds(function)
    if len(arguments) < least:
        arguments = [*arguments, *[UNDEFINED] * (least - len(arguments))]
    for argument in arguments:
        run.tick(size_of(argument))
    result = function(*arguments[:most])
    run.tick(len(result) if isinstance(result, list) else 1)
    return result


def locate(error: JSONataError, position: int, name: str | None) -> None:
    """Place an error as jsonata-js does: at the outermost call, under the innermost name."""
    error.position = position
    if error.token is None:
        error.token = name


def arity(function: Value) -> int:
    """Return how many arguments a function declares."""
    if type(function) is LambdaValue:
        return len(function.parameters)
    if isinstance(function, Builtin | Native):
        return function.arity
    return _bounds(function)[0]


def _bounds(function: Callable[..., Value]) -> tuple[int, int]:
    """Return the least and the greatest number of positional arguments of a Python callable."""
    try:
        return _inspected(function)
    except TypeError:  # it has no hash, as an object of a dataclass
        return _inspected.__wrapped__(function)


@lru_cache(maxsize=256)
def _inspected(function: Callable[..., Value]) -> tuple[int, int]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0, 255
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        most = 255
    else:
        most = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    least = sum(
        p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
        for p in parameters
    )
    return least, most
