r"""Calls of intrinsic functions (`States.Format` and 17 more): text to a tree, tree to closure.

    call     = "States." name "(" [ argument { "," argument } ] ")"
    argument = call | path | 'text' | number | true | false | null

Quotas and syntax: fact 350. In a text only ``\'``, ``\{``, ``\}`` and ``\\`` are escapes;
another one is refused when the definition is created (recorded: LocalStack's
test_illegal_escapes). The number of arguments is not looked at then: AWS fails the call when
it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from ..engine import MOST_BYTES
from ..jsonata.sequences import written_size
from ..jsonpath import ExpressionSyntaxError, PathSyntaxError, Scanner, compile_path
from .functions import FUNCTIONS, Intrinsic, InvalidArguments

MAX_DEPTH = 10
"""Calls inside calls (quota of AWS)."""
MAX_LENGTH = 65_536

_NAME = re.compile(r"States\.[A-Za-z0-9]+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"true|false|null")
_WORDS = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)


class IntrinsicSyntaxError(ExpressionSyntaxError):
    """Not a call of an intrinsic function."""


@dataclass(frozen=True, slots=True)
class LiteralArgument:
    """A constant. Of a text, ``template`` is how States.Format reads it: with its escapes."""

    value: Any
    template: str | None = None


@dataclass(frozen=True, slots=True)
class PathArgument:
    """A path, to be resolved by whoever knows the data."""

    text: str


@dataclass(frozen=True, slots=True)
class IntrinsicCall:
    """``name`` is the full one, "States.Format"."""

    name: str
    arguments: tuple[Argument, ...]


Argument = LiteralArgument | PathArgument | IntrinsicCall


def parse_intrinsic(text: str) -> IntrinsicCall:
    """Return the tree of a call. Raises IntrinsicSyntaxError (facts 27, 54 and 350)."""
    if len(text) > MAX_LENGTH:
        raise IntrinsicSyntaxError(f"A call has at most {MAX_LENGTH} characters", text[:60], 60)
    scanner = Scanner(text, IntrinsicSyntaxError)
    scanner.skip_blanks()
    call = _call(scanner, 1)
    scanner.skip_blanks()
    if not scanner.ended:
        raise scanner.refused("Nothing may follow the call")
    return call


def _call(scanner: Scanner, depth: int) -> IntrinsicCall:
    # Fact 350: up to ten calls nest.
    name = _NAME.match(scanner.text, scanner.position)
    if name is None or name[0] not in FUNCTIONS:
        raise scanner.refused("Expected an intrinsic function, such as States.Format")
    if depth > MAX_DEPTH:
        raise scanner.refused(f"Intrinsic functions nest at most {MAX_DEPTH} deep")
    scanner.position = name.end()
    scanner.expect("(", "Expected '(' after the name of the function")
    arguments: list[Argument] = []
    scanner.skip_blanks()
    if scanner.take(")"):
        return IntrinsicCall(name[0], ())
    while True:
        scanner.skip_blanks()
        arguments.append(_argument(scanner, depth))
        scanner.skip_blanks()
        if scanner.take(")"):
            return IntrinsicCall(name[0], tuple(arguments))
        scanner.expect(",", "Expected ',' or ')' after an argument")


def _argument(scanner: Scanner, depth: int) -> Argument:
    if scanner.at("States."):
        return _call(scanner, depth + 1)
    if scanner.at("$"):
        return _path(scanner)
    if scanner.take("'"):
        return _text(scanner)
    if match := _NUMBER.match(scanner.text, scanner.position):
        scanner.position = match.end()
        return LiteralArgument(
            float(match[0]) if match[1] or match[2] else _integer(scanner, match[0])
        )
    if match := _WORD.match(scanner.text, scanner.position):
        scanner.position = match.end()
        return LiteralArgument(_WORDS[match[0]])
    raise scanner.refused("Expected a text in single quotes, a number, a path or a call")


def _integer(scanner: Scanner, digits: str) -> int:
    if len(digits) > 400:
        raise scanner.refused("This number is too long")
    return int(digits)


def _text(scanner: Scanner) -> LiteralArgument:
    # Facts 27 and 350: single quotes, and four escapes.
    start = scanner.position
    raw = scanner.quoted("'", "A text must be closed by a single quote")
    for escape in _ESCAPE.finditer(raw):
        if escape[1] not in ("'", "{", "}", "\\"):
            raise scanner.refused(
                f"'{escape[0]}' is not an escape; write \\\\ for a backslash",
                start + escape.start(),
            )
    return LiteralArgument(_ESCAPE.sub(r"\1", raw), raw)


def _path(scanner: Scanner) -> PathArgument:
    start = scanner.position
    _skip_path(scanner)
    text = scanner.text[start : scanner.position].rstrip()
    try:
        compile_path(text)
    except PathSyntaxError as problem:
        raise scanner.refused(problem.reason, start + problem.position) from None
    return PathArgument(text)


def _skip_path(scanner: Scanner) -> None:
    """Read to the ',' or ')' that ends a path; both may stand inside its brackets."""
    depth = 0
    while not scanner.ended:
        character = scanner.text[scanner.position]
        if depth == 0 and character in ",)":
            return
        scanner.position += 1
        if character in "'\"" and depth:
            scanner.quoted(character, f"Expected a closing {character}")
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1


# -- tree to closure


class RandomSource(Protocol):
    """What a call may ask of the visit of its state."""

    def rng(self) -> Random:
        """Return where States.UUID and States.MathRandom without a seed draw from."""


class TooLarge(Exception):  # noqa: N818  named after what it says
    """The arguments of a call are together larger than any payload."""


class IntrinsicFailure(Exception):  # noqa: N818  named after what it says
    """A call can't be carried out; ``cause`` is AWS's text after the state's prefix."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


Closure = Callable[[Any], Any]
Resolve = Callable[[str], Closure]


def compile_intrinsic(text: str, resolve: Resolve) -> Closure:
    """Return a function from a `RandomSource` to the call's value; `resolve` compiles its paths.

    Raises IntrinsicSyntaxError; the function raises IntrinsicFailure, and what the paths raise.

    Facts 58, 350 and 352.
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

    def call(self, call: IntrinsicCall) -> Closure | _Constant:
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
            case LiteralArgument(value, template):
                return _Constant(template if templated and template is not None else value)
            case PathArgument(text):
                return self.resolve(text)
            case IntrinsicCall():
                return self.call(argument)

    def _folded(self, name: str, function: Intrinsic, values: list[Any]) -> Closure | _Constant:
        try:
            return _Constant(function.body(*values))
        except InvalidArguments as problem:
            return self._failing(name, problem)

    def _failing(self, name: str, problem: Exception | None = None) -> Closure:
        def fail(_: RandomSource) -> Any:
            raise self._failure(name, problem)

        return fail

    def _applied(self, name: str, function: Intrinsic, arguments: list[Closure]) -> Closure:
        body = _bounded(function.body) if function.writes else function.body
        if function.draws:
            arguments.insert(0, lambda env: env.rng)
        if len(arguments) == 2:
            first, second = arguments

            def apply_two(env: RandomSource) -> Any:
                try:
                    return body(first(env), second(env))
                except (InvalidArguments, RecursionError) as problem:
                    raise self._failure(name, problem) from None

            return apply_two

        def apply(env: RandomSource) -> Any:
            try:
                return body(*[argument(env) for argument in arguments])
            except (InvalidArguments, RecursionError) as problem:
                raise self._failure(name, problem) from None

        return apply

    def _failure(self, name: str, problem: Exception | None) -> IntrinsicFailure:
        # Facts 128 and 129: the whole call, then what failed in it.
        invalid = problem if isinstance(problem, InvalidArguments) else InvalidArguments()
        return IntrinsicFailure(
            f"There was an error while evaluating the intrinsic function: {self.text}. "
            f"{invalid.problem} in {name}{invalid.more}"
        )
