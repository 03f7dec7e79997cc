"""Function values, how they are called, and their signatures."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, repeat
from typing import Any, Final

from .errors import JSONataError
from .evaluation import Evaluation, too_deep
from .values import UNDEFINED, Function, Value, size_of, symbol


@dataclass(slots=True, eq=False)
class LambdaCode:
    """What all values of a lambda have in common.

    ``steps``: those of the objects that a call makes; ``height``: how many levels its body nests at
    the least, whatever its conditions say; ``tails``: whether its body may leave a call to be made
    by its caller; ``tests``: whether it comes to nothing but booleans; ``key``: by which fields of
    its two parameters it orders them, and whether the greater come first.
    """

    arity: int
    signature: Signature | None
    steps: int
    height: int
    tails: bool
    tests: bool
    key: tuple[list[str], bool] | None = None


@dataclass(slots=True, eq=False)
class LambdaValue(Function):
    """A function of the expression, in the environment that it was made in.

    ``body``: returns the value of the arguments, or the TailCall that continues; if it is one that
    ``takes_items``, the values of a list of first arguments.
    """

    code: LambdaCode
    body: Callable[..., Any]
    takes_items: bool = False


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
        return finish(enter(function, arguments, context, run), context, run)
    if isinstance(function, Native):
        return function.call(run, arguments)
    if callable(function):
        return call_python(function, arguments, run)
    raise JSONataError("T1006")


def enter(function: LambdaValue, arguments: list[Value], context: Value, run: Evaluation) -> Value:
    """Evaluate a lambda's body: its value, or the TailCall that continues."""
    code = function.code
    if code.signature is not None:
        arguments = code.signature.validate(arguments, context)
    _begin(code, run, 3 + code.steps)
    if function.takes_items:
        return function.body(arguments[:1] or [UNDEFINED])[0]
    return function.body(*arguments)


def _begin(code: LambdaCode, run: Evaluation, steps: int) -> None:
    run.tick(steps)
    if run.depth + code.height > run.max_depth:
        raise too_deep(run.limits)


def finish(result: Value, context: Value, run: Evaluation) -> Value:
    """Make the calls that a lambda's body left to be made, one after the other."""
    while type(result) is TailCall:
        call = result
        try:
            if type(call.function) is not LambdaValue:
                return invoke(call.function, call.arguments, context, run)
            result = enter(call.function, call.arguments, context, run)
        except JSONataError as error:
            locate(error, call.position, call.name)
            raise
    return result


def caller(function: Value, run: Evaluation, calls: int) -> Callable[..., Value]:
    """Return a Python function that passes no more arguments than are declared, but one.

    Its calls are counted here already.
    """
    if type(function) is not LambdaValue or function.code.signature is not None:
        size = max(arity(function), 1)
        return lambda *arguments: invoke(function, list(arguments[:size]), None, run)
    code, body = function.code, function.body
    _begin(code, run, calls * ((1 if code.arity == 1 else 3) + code.steps))
    if function.takes_items:
        return lambda argument, *_: body([argument])[0]
    return (lambda *arguments: finish(body(*arguments), None, run)) if code.tails else body


def call_each(function: Value, items: list[Value], run: Evaluation) -> list[Value]:
    """Return what a function returns for each item, its place and all of them."""
    run.left -= len(items)
    if type(function) is LambdaValue and function.takes_items and function.code.signature is None:
        _begin(function.code, run, len(items) * (1 + function.code.steps))
        return function.body(items)  # type: ignore[no-any-return]
    more = (count(), repeat(items)) if arity(function) > 1 else ()
    return list(map(caller(function, run, len(items)), items, *more))


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
        return function.code.arity
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


# -- signatures such as ``<s-n?:s>``: what arguments a function takes

_PLURALS: Final = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}
_LETTERS: Final = {
    **{letter: f"[{letter}m]" for letter in "snblo"},
    "a": "[asnblfom]",
    "f": "f",
    "j": "[asnblom]",
    "x": "[asnblfom]",
}


@dataclass(slots=True)
class Parameter:
    """One parameter: the types it takes, and what may stand in for it."""

    type: str
    pattern: str
    context: re.Pattern[str] | None = None
    subtype: str | None = None


class Signature:
    """A parsed signature; immutable but for what it remembers.

    It is a pattern over the letters of the argument types (``values.symbol``), as in jsonata-js;
    what it says about one combination of types is worked out once.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.parameters = _parse(text)
        self._pattern = re.compile("".join(f"({p.pattern})" for p in self.parameters) + r"\Z")
        self._plans: dict[type | tuple[type, ...], tuple[str, ...] | None] = {}
        """Argument types → the letters of each parameter; None: such arguments pass as they are."""

    def validate(self, arguments: list[Value], context: Value) -> list[Value]:
        """Return the arguments as the function takes them; T0410, T0411, T0412 if it does not."""
        types = type(arguments[0]) if len(arguments) == 1 else tuple(map(type, arguments))
        try:
            plan = self._plans[types]
        except KeyError:
            plan = self._plans[types] = self._plan(arguments)
        if plan is None:
            return arguments
        if plan == ("a",):
            return [_as_array(arguments[0], "a", "a", self.parameters[0], 1)]
        return self._fill(plan, arguments, context)

    def _plan(self, arguments: list[Value]) -> tuple[str, ...] | None:
        symbols = "".join(map(symbol, arguments))
        match = self._pattern.match(symbols)
        if match is None:
            raise self._mismatch(arguments, symbols)
        groups = match.groups()
        return None if self._passes(groups) else groups

    def _passes(self, groups: tuple[str, ...]) -> bool:
        """Return whether no argument needs wrapping, a look inside, or the context instead."""
        present = sum(map(bool, groups))
        return all(
            parameter.context is None and at >= present
            if not letters
            else len(letters) == 1
            and (parameter.type != "a" or (letters in "am" and parameter.subtype is None))
            for at, (parameter, letters) in enumerate(zip(self.parameters, groups, strict=True))
        )

    def _fill(self, plan: tuple[str, ...], arguments: list[Value], context: Value) -> list[Value]:
        filled: list[Value] = []
        at = 0
        for parameter, letters in zip(self.parameters, plan, strict=True):
            if letters:
                argument = arguments[at] if at < len(arguments) else UNDEFINED
                for letter in letters:
                    at += 1
                    if parameter.type == "a":
                        argument = _as_array(arguments[at - 1], letter, letters, parameter, at)
                    filled.append(argument)  # as in jsonata-js, ``n+`` repeats its first
            elif parameter.context is None:
                filled.append(arguments[at] if at < len(arguments) else UNDEFINED)
                at += 1
            elif parameter.context.match(symbol(context)):
                filled.append(context)
            else:
                raise JSONataError("T0411", value=context, index=at + 1)
        return filled

    def _mismatch(self, arguments: list[Value], symbols: str) -> JSONataError:
        """Return the T0410 of the first argument that fits no parameter."""
        pattern, good = "", 0
        for parameter in self.parameters:
            pattern += parameter.pattern
            match = re.match(pattern, symbols)
            if match is None:
                break
            good = match.end()
        value = arguments[good] if good < len(arguments) else UNDEFINED
        return JSONataError("T0410", value=value, index=good + 1)


def _as_array(
    argument: Value, letter: str, letters: str, parameter: Parameter, index: int
) -> Value:
    """Return the argument of an array parameter: single values are arrays of one."""
    if letter == "m":
        return UNDEFINED
    subtype = parameter.subtype
    if subtype is not None:
        fits = _all_are(argument, subtype[:1]) if letter == "a" else letters == subtype
        if not fits:
            plural = _PLURALS.get(subtype, subtype)
            raise JSONataError("T0412", value=argument, index=index, type=plural)
    return argument if letter == "a" else [argument]


def _all_are(items: list[Value], letter: str) -> bool:
    return all(symbol(item) == letter for item in {type(item): item for item in items}.values())


def _parse(text: str) -> list[Parameter]:
    parameters: list[Parameter] = []
    at = 1
    while at < len(text) and text[at] != ":":
        letter = text[at]
        last = parameters[-1] if parameters else Parameter("", "")
        if letter in _LETTERS:
            parameters.append(Parameter(letter, _LETTERS[letter]))
        elif letter == "-":
            last.context = re.compile(last.pattern)
            last.pattern += "?"
        elif letter in "?+":
            last.pattern += letter
        elif letter == "(":
            end = _closing(text, at, "(", ")")
            choice = text[at + 1 : end]
            if "<" in choice:
                raise JSONataError("S0402", at, value=choice)
            parameters.append(Parameter(f"({choice})", f"[{re.escape(choice)}m]"))
            at = end
        elif letter == "<":
            if last.type not in ("a", "f"):
                raise JSONataError("S0401", at, value=last.type)
            end = _closing(text, at, "<", ">")
            last.subtype = text[at + 1 : end]
            at = end
        at += 1
    return parameters


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    depth = 1
    for at in range(start + 1, len(text)):
        depth += (text[at] == opening) - (text[at] == closing)
        if depth == 0:
            return at
    return len(text)
