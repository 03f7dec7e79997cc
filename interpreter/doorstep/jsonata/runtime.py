"""One evaluation: its bounds, its environments, and how functions are called.

A compiled expression is a function ``f(context, env)``. An environment is a dict of the variables
of one block or call. Three keys that no variable can have lead on from it: OUTER to the environment
around it, GLOBALS to the caller's bindings, RUN to what the evaluation may use up.
"""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from .errors import OUT_OF_MEMORY, STACK_OVERFLOW, TIMEOUT, JSONataError
from .signatures import Signature
from .values import UNDEFINED, Function, Value

Env = dict[str, Any]
Compiled = Callable[[Value, Env], Value]

OUTER: Final = "(outer)"
GLOBALS: Final = "(globals)"
RUN: Final = "(run)"

_TICKS: Final = 256
"""Rounds between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use; beyond it, it ends with U1001.

    ``depth``: nested expressions and calls, as jsonata-js counts them. ``seconds``: of real time.
    ``memory``: bytes of any one value that is built, 8 an item and 1 a character.
    """

    depth: int = 400
    seconds: float = 10.0
    memory: int = 128 * 2**20


DEFAULT_LIMITS: Final = Limits()


class Run:
    """The state of one evaluation; never shared."""

    __slots__ = ("_deadline", "_now", "_random", "_ticks", "depth", "limits", "max_depth")

    def __init__(
        self,
        limits: Limits,
        now: float | None,
        source: Callable[[], float] | None,
    ) -> None:
        self.limits = limits
        self.max_depth = limits.depth
        self.depth = 0
        self._ticks = _TICKS
        self._deadline = time.monotonic() + limits.seconds
        self._now = now
        self._random = source

    @property
    def now(self) -> int:
        """Epoch milliseconds: the same for the whole evaluation."""
        if self._now is None:
            self._now = time.time_ns() // 1_000_000
        return int(self._now)

    def random(self) -> float:
        """The next random number, from 0 up to 1."""
        if self._random is None:
            self._random = random.random
        return self._random()

    def tick(self, count: int = 1) -> None:
        """Called wherever an expression could go on for long, with the number of rounds."""
        self._ticks -= count
        if self._ticks < 0:
            self._ticks = _TICKS
            if time.monotonic() > self._deadline:
                raise JSONataError("U1001", message=TIMEOUT)

    def deepen(self, levels: int) -> None:
        """Go down by so many levels."""
        self.depth += levels
        if self.depth >= self.max_depth:
            raise too_deep(self.limits)

    @property
    def most_items(self) -> int:
        """Of any list."""
        return self.limits.memory // 8

    def allocate(self, size: int) -> None:
        """Called before a value of that many bytes is built."""
        if size > self.limits.memory:
            raise JSONataError("U1001", message=OUT_OF_MEMORY)


class _Unmetered(Run):
    """For expressions so simple that there is nothing to measure; shared by all of them."""

    __slots__ = ()

    def tick(self, count: int = 1) -> None:
        pass

    def allocate(self, size: int) -> None:
        pass


UNMETERED: Final = _Unmetered(DEFAULT_LIMITS, None, None)


def too_deep(limits: Limits) -> JSONataError:
    """The error of an expression that nests deeper than allowed."""
    return JSONataError(
        "U1001", message=f"{STACK_OVERFLOW} Depth={limits.depth + 1} max={limits.depth}"
    )


class Lambda(Function):
    """A function of the expression, and the environment that it was made in."""

    __slots__ = ("body", "context", "env", "parameters", "signature")

    def __init__(
        self,
        parameters: tuple[str, ...],
        signature: Signature | None,
        body: Compiled,
        context: Value,
        env: Env,
    ) -> None:
        self.parameters = parameters
        self.signature = signature
        self.body = body
        self.context = context
        self.env = env


class Builtin(Function):
    """A function of the language: ``implementation(run, *arguments)``.

    ``arity`` is what jsonata-js's implementation declares: how many arguments a higher-order
    function passes, and how many placeholders a partial application may leave.
    """

    __slots__ = ("arity", "implementation", "name", "signature")

    def __init__(
        self,
        name: str,
        signature: Signature,
        implementation: Callable[..., Value],
        arity: int,
    ) -> None:
        self.name = name
        self.signature = signature
        self.implementation = implementation
        self.arity = arity


class Native(Function):
    """A function value that isn't one of the language's named functions."""

    __slots__ = ()
    arity: int

    def call(self, run: Run, arguments: list[Value]) -> Value:
        """The function's value; a gathered Sequence is not collapsed yet."""
        raise NotImplementedError


class Partial(Native):
    """A built-in or a callable with some of its arguments given."""

    __slots__ = ("_function", "_given", "arity")

    def __init__(self, function: Value, given: list[Value]) -> None:
        self._function = function
        self._given = given
        self.arity = sum(argument is PLACEHOLDER for argument in given)

    def call(self, run: Run, arguments: list[Value]) -> Value:
        """Like jsonata-js, a partially applied built-in doesn't check its arguments."""
        rest = iter(arguments)
        whole = [next(rest, UNDEFINED) if a is PLACEHOLDER else a for a in self._given]
        if isinstance(self._function, Builtin):
            return self._function.implementation(run, *whole)
        if isinstance(self._function, Native):
            return self._function.call(run, whole)
        return call_python(self._function, whole)


PLACEHOLDER: Final = object()


class TailCall:
    """What a lambda's body returns instead of calling: the caller calls, and no stack grows."""

    __slots__ = ("arguments", "function", "name", "position")

    def __init__(
        self, function: Value, arguments: list[Value], position: int, name: str | None
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.position = position
        self.name = name


def invoke(function: Value, arguments: list[Value], context: Value, run: Run) -> Value:
    """Call any function value; a gathered Sequence is not collapsed yet."""
    if type(function) is Builtin:
        return function.implementation(run, *function.signature.validate(arguments, context))
    if type(function) is Lambda:
        result = enter(function, arguments, context)
        return finish(result, context, run) if type(result) is TailCall else result
    if isinstance(function, Native):
        return function.call(run, arguments)
    if callable(function):
        return call_python(function, arguments)
    raise JSONataError("T1006")


def enter(function: Lambda, arguments: list[Value], context: Value) -> Value:
    """Run a lambda's body: its value, or the TailCall that goes on."""
    if function.signature is not None:
        arguments = function.signature.validate(arguments, context)
    outer = function.env
    run = outer[RUN]
    run.tick()
    env: Env = {OUTER: outer, GLOBALS: outer[GLOBALS], RUN: run}
    parameters = function.parameters
    if len(arguments) < len(parameters):
        arguments = [*arguments, *[UNDEFINED] * (len(parameters) - len(arguments))]
    env.update(zip(parameters, arguments, strict=False))
    return function.body(function.context, env)


def finish(call: TailCall, context: Value, run: Run) -> Value:
    """Make the calls that a lambda's body left to be made, one after the other."""
    while True:
        try:
            if type(call.function) is not Lambda:
                return invoke(call.function, call.arguments, context, run)
            result = enter(call.function, call.arguments, context)
        except JSONataError as error:
            locate(error, call.position, call.name)
            raise
        if type(result) is not TailCall:
            return result
        call = result


def caller(function: Value, run: Run) -> Callable[..., Value]:
    """A function value as a Python function that is given no more than it declares, but one."""
    if type(function) is Lambda and function.signature is None:
        if len(function.parameters) == 1:
            return _unary(function, run)
        return lambda *arguments: _settled(enter(function, list(arguments), None), run)
    size = max(arity(function), 1)
    return lambda *arguments: invoke(function, list(arguments[:size]), None, run)


def _unary(function: Lambda, run: Run) -> Callable[..., Value]:
    outer, body, context = function.env, function.body, function.context
    variables = outer[GLOBALS]
    (parameter,) = function.parameters

    def call(argument: Value, *_rest: Value) -> Value:
        run.tick()
        env = {OUTER: outer, GLOBALS: variables, RUN: run, parameter: argument}
        result = body(context, env)
        return result if type(result) is not TailCall else finish(result, None, run)

    return call


def _settled(result: Value, run: Run) -> Value:
    return result if type(result) is not TailCall else finish(result, None, run)


def call_python(function: Callable[..., Value], arguments: list[Value]) -> Value:
    """Call a function from the bindings with as many arguments as it takes."""
    least, most = _bounds(function)
    if len(arguments) < least:
        arguments = [*arguments, *[UNDEFINED] * (least - len(arguments))]
    return function(*arguments[:most])


def locate(error: JSONataError, position: int, name: str | None) -> None:
    """As in jsonata-js: an error stands at the outermost call, under the innermost name."""
    error.position = position
    if error.token is None:
        error.token = name


def arity(function: Value) -> int:
    """How many arguments a function declares."""
    if type(function) is Lambda:
        return len(function.parameters)
    if isinstance(function, Builtin | Native):
        return function.arity
    return _bounds(function)[0]


@lru_cache(maxsize=256)
def _bounds(function: Callable[..., Value]) -> tuple[int, int]:
    """The least and the greatest number of positional arguments of a Python callable."""
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
