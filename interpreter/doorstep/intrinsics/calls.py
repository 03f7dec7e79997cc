"""Intrinsic functions of JSONPath states (`States.Format` and 17 more), compiled to closures."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Protocol

from ..engine.quotas import MOST_BYTES
from ..jsonata.sequences import written_size
from .functions import FUNCTIONS, Function, InvalidArguments
from .grammar import Argument, Call, Literal, PathArgument, parse_intrinsic


class Env(Protocol):
    """What a call may ask of the visit of its state."""

    def rng(self) -> Random:
        """Where States.UUID and States.MathRandom without a seed draw from."""


class TooLarge(Exception):  # noqa: N818  named after what it says
    """The arguments of a call are together larger than any payload."""


class IntrinsicFailure(Exception):  # noqa: N818  named after AWS's error
    """A call can't be carried out; ``cause`` is AWS's text after the state's prefix."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


Closure = Callable[[Any], Any]
Resolve = Callable[[str], Closure]


def compile_intrinsic(text: str, resolve: Resolve) -> Closure:
    """A function from an `Env` to the call's value; `resolve` compiles the paths in it.

    Raises IntrinsicSyntaxError; the function raises IntrinsicFailure, and what the paths raise.
    """
    compiled = _Compiler(text, resolve).call(parse_intrinsic(text))
    return _always(compiled) if isinstance(compiled, _Constant) else compiled


def _bounded(body: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, which is not called with more than can be written out."""

    def bounded(*values: Any) -> Any:
        if written_size(values, {}) > MOST_BYTES:
            raise TooLarge
        return body(*values)

    return bounded


class _Constant:
    """A value that is known when the definition is compiled."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _always(constant: _Constant) -> Closure:
    value = constant.value
    return lambda _: value


class _Compiler:
    def __init__(self, text: str, resolve: Resolve) -> None:
        self.text = text
        self.resolve = resolve

    def call(self, call: Call) -> Closure | _Constant:
        function = FUNCTIONS[call.name]
        if not function.least <= len(call.arguments) <= function.most:
            return self._failing(call.name)
        arguments = [
            self._argument(argument, templated=call.name == "States.Format" and index == 0)
            for index, argument in enumerate(call.arguments)
        ]
        constants = [a.value for a in arguments if isinstance(a, _Constant)]
        if len(constants) == len(arguments) and not function.draws:
            return self._folded(call.name, function, constants)
        closures = [_always(a) if isinstance(a, _Constant) else a for a in arguments]
        return self._applied(call.name, function, closures)

    def _argument(self, argument: Argument, templated: bool) -> Closure | _Constant:
        match argument:
            case Literal(value, template):
                return _Constant(template if templated and template is not None else value)
            case PathArgument(text):
                return self.resolve(text)
            case Call():
                return self.call(argument)

    def _folded(self, name: str, function: Function, values: list[Any]) -> Closure | _Constant:
        try:
            return _Constant(function.body(*values))
        except InvalidArguments as problem:
            return self._failing(name, problem)

    def _failing(self, name: str, problem: Exception | None = None) -> Closure:
        def fail(_: Env) -> Any:
            raise self._failure(name, problem)

        return fail

    def _applied(self, name: str, function: Function, arguments: list[Closure]) -> Closure:
        body = _bounded(function.body) if function.writes else function.body
        if function.draws:
            arguments.insert(0, lambda env: env.rng)
        if len(arguments) == 2:
            first, second = arguments

            def apply_two(env: Env) -> Any:
                try:
                    return body(first(env), second(env))
                except (InvalidArguments, RecursionError) as problem:
                    raise self._failure(name, problem) from None

            return apply_two

        def apply(env: Env) -> Any:
            try:
                return body(*[argument(env) for argument in arguments])
            except (InvalidArguments, RecursionError) as problem:
                raise self._failure(name, problem) from None

        return apply

    def _failure(self, name: str, problem: Exception | None) -> IntrinsicFailure:
        invalid = problem if isinstance(problem, InvalidArguments) else InvalidArguments()
        detail = f": {invalid.detail}" if invalid.detail else ""
        return IntrinsicFailure(
            f"The function '{self.text}' had the following error: "
            f"Invalid {invalid.what} in {name}{detail}"
        )
