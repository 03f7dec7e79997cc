"""Functions: lambdas, calls, partial application, chaining, transforms.

Functions: https://docs.jsonata.org/programming; ``~>`` and ``| pattern | update, delete |``, a
function that changes a copy of its argument: https://docs.jsonata.org/other-operators.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import chain, repeat
from typing import Final

from . import nodes
from .callables import (
    Builtin,
    LambdaCode,
    LambdaValue,
    Signature,
    TailCall,
    enter,
    invoke,
    locate,
)
from .compile_paths import may_share, plain_names
from .compiler import Compiler, count_objects
from .errors import JSONataError
from .evaluation import GLOBALS, OBJECT, OUTER, RUN, Compiled, Env, Evaluation, too_deep
from .functions import BUILTINS
from .nodes import Node, children
from .sequences import collapse, keep
from .values import UNDEFINED, Value, is_function


def compile_lambda(node: nodes.Lambda, compiler: Compiler, level: int) -> Compiled:
    """``function($x){…}``: the value is made anew where it is evaluated, with its environment."""
    compiler.uses_run = True
    binds, compiler.binds = compiler.binds, False
    inner = compiler.compile(node.body, 1)
    compiler.binds = binds
    parameters, code = node.parameters, lambda_code(node)

    def make(context: Value, outer: Env) -> LambdaValue:
        frame: Env = {OUTER: outer, GLOBALS: outer[GLOBALS], RUN: outer[RUN]}

        def body(*arguments: Value) -> Value:
            bound = zip(parameters, chain(arguments, repeat(UNDEFINED)), strict=False)
            return inner(context, {**frame, **dict(bound)})

        return LambdaValue(code, body)

    return make


def lambda_code(node: nodes.Lambda) -> LambdaCode:
    """Return what does not depend on where a lambda is evaluated."""
    return LambdaCode(
        arity=len(node.parameters),
        signature=node.signature,
        steps=OBJECT * count_objects(node.body),
        height=_spine(node.body),
        tails=node.tails,
        tests=nodes.is_test(node.body),
        key=_ordering(node),
    )


def _ordering(node: nodes.Lambda) -> tuple[list[str], bool] | None:
    """Return what a comparator such as ``function($l, $r){$l.x > $r.x}`` orders by."""
    match node.body:
        case nodes.Binary(
            operator="<" | ">" as symbol,
            left=nodes.Path(steps=[nodes.Variable(name=left), *_]) as path,
            right=nodes.Path(steps=[nodes.Variable(name=right), *_]) as other,
            predicates=(),
            group=None,
            keep_array=False,
        ) if left != right and [left, right] in (node.parameters, node.parameters[::-1]):
            names = plain_names(path)
            if names and names == plain_names(other):
                return names, (symbol == "<") is (left == node.parameters[0])
    return None


def _spine(node: Node) -> int:
    """Return how deep an expression nests whatever its conditions say, as jsonata-js counts."""
    match node:
        case nodes.Path(steps=[first, *_]):
            return 1 + _spine(first)
        case (
            nodes.Condition(test=inner)
            | nodes.Binary(operator="and" | "or", left=inner)
            | nodes.Bind(value=inner)
        ):
            return 1 + _spine(inner)
        case nodes.Block(expressions=parts):
            return 1 + max(map(_spine, parts), default=0)
        case nodes.Object() | nodes.Transform() | nodes.Lambda():
            return 1
    return 1 + max(map(_spine, children(node)), default=0)


def compile_call(node: nodes.Call, compiler: Compiler, level: int) -> Compiled:
    """``f(…)``; in a lambda's tail position the call is left to the lambda's caller."""
    function = _compile_procedure(node, "T1005", compiler, level + 1)
    at, name = node.position, _name(node.procedure)
    arguments = [compiler.compile(argument, level + 1) for argument in node.arguments]
    compiler.uses_run = True
    lambdas = [each for each in node.arguments if isinstance(each, nodes.Lambda)]
    if name is None or name in compiler.bound or any(_result_may_share(name, f) for f in lambdas):
        compiler.shares = True
    if node.tail:
        return lambda context, env: TailCall(
            function(context, env), [each(context, env) for each in arguments], at, name
        )
    call = call_at(at, name, level, keep if node.keep_array else collapse)
    return lambda context, env: call(
        function(context, env), [each(context, env) for each in arguments], context, env[RUN]
    )


def _result_may_share(name: str | None, function: nodes.Lambda) -> bool:
    """Return whether what a call makes with a function may hold a value more than once."""
    if name in ("filter", "sort"):
        return False  # the function's values are only tested
    return name != "map" or may_share(function.body, (function.parameters or [""])[0])


def call_at(
    at: int, name: str | None, level: int, finish: Callable[[list[Value]], Value]
) -> Callable[[Value, list[Value], Value, Evaluation], Value]:
    """Return the call itself, of a function with arguments, one level deeper than what calls."""

    def call(function: Value, arguments: list[Value], context: Value, run: Evaluation) -> Value:
        depth = run.depth
        run.depth = depth + level
        try:
            if depth + level >= run.max_depth:
                raise too_deep(run.limits)
            if type(function) is Builtin:
                arguments = function.signature.validate(arguments, context)
                result = function.implementation(run, *arguments)
            else:
                result = invoke(function, arguments, context, run)
        except JSONataError as error:
            locate(error, at, name)
            raise
        run.depth = depth
        return finish(result) if isinstance(result, list) else result

    return call


def _name(procedure: Node) -> str | None:
    match procedure:
        case nodes.Variable(name=name):
            return name
        case nodes.Path(steps=[first, *_]):
            return getattr(first, "value", None)
    return None


def _compile_procedure(
    node: nodes.Call | nodes.Partial, code: str, compiler: Compiler, level: int
) -> Compiled:
    """Compile what is called; raise if a bare name was meant as the function of that name."""
    function = compiler.compile(node.procedure, level)
    name = _name(node.procedure)
    if not isinstance(node.procedure, nodes.Path) or name is None:
        return function
    meant = compiler.compile(nodes.Variable(node.position, name), level)

    def checked(context: Value, env: Env) -> Value:
        value = function(context, env)
        if value is UNDEFINED and meant(context, env) is not UNDEFINED:
            raise JSONataError(code, node.position, name)
        return value

    return checked


_PLACEHOLDER: Final = object()
_UNKNOWN: Final = LambdaCode(1, None, 0, 0, tails=False, tests=False)


def compile_partial(node: nodes.Partial, compiler: Compiler, level: int) -> Compiled:
    """``f(1, ?)``: a function of what is left open."""
    function = _compile_procedure(node, "T1007", compiler, level + 1)
    arguments = [
        None if isinstance(argument, nodes.Placeholder) else compiler.compile(argument, level + 1)
        for argument in node.arguments
    ]
    compiler.uses_run = True

    def apply(context: Value, env: Env) -> Value:
        values = [_PLACEHOLDER if a is None else a(context, env) for a in arguments]
        value = function(context, env)
        if not is_function(value):
            raise JSONataError("T1008", node.position, _name(node.procedure))
        return _partial(value, values, env[RUN])

    return apply


def _partial(function: Value, fixed: list[Value], run: Evaluation) -> LambdaValue:
    """Return a function with some arguments fixed; like jsonata-js, a built-in then checks none.

    It takes as many as it declares, and is called as usual where it can do nothing with them.
    """
    code = _UNKNOWN
    if isinstance(function, LambdaValue):
        code = replace(function.code, signature=None, key=None)
        function, fixed = replace(function, code=code), fixed[: code.arity]

    def body(*arguments: Value) -> Value:
        rest = iter(arguments)
        whole = [next(rest, UNDEFINED) if value is _PLACEHOLDER else value for value in fixed]
        if isinstance(function, LambdaValue):
            return enter(function, whole, None, run)
        if isinstance(function, Builtin):
            whole = whole[: function.arity or None]
            with suppress(AttributeError, TypeError):
                return function.implementation(run, *whole)
        return invoke(function, whole, UNDEFINED, run)

    return LambdaValue(replace(code, arity=fixed.count(_PLACEHOLDER)), body)


def _chain(first: Value, second: Value, run: Evaluation) -> LambdaValue:
    """``f ~> g`` of two functions: first f, then g."""

    def body(value: Value = UNDEFINED, *_: Value) -> Value:
        result = invoke(first, [value], UNDEFINED, run)
        result = collapse(result) if isinstance(result, list) else result
        return invoke(second, [result], UNDEFINED, run)

    return LambdaValue(_UNKNOWN, body)


def compile_apply(node: nodes.Apply, compiler: Compiler, level: int) -> Compiled:
    """``value ~> f``, ``value ~> f(…)``, ``f ~> g``."""
    if isinstance(node.right, nodes.Call):  # the value becomes the first argument
        called = node.right
        call = nodes.Call(called.position, called.procedure, [node.left, *called.arguments])
        call.keep_array = node.keep_array
        return compile_call(call, compiler, level)
    left = compiler.compile(node.left, level + 1)
    right = compiler.compile(node.right, level + 1)
    finish = keep if node.keep_array else collapse
    compiler.shares = True
    call_right = call_at(node.position, _name(node.right), level, finish)
    compiler.uses_run = True

    def apply(context: Value, env: Env) -> Value:
        value = left(context, env)
        function = right(context, env)
        if not is_function(function):
            raise JSONataError("T2006", node.position, value=function)
        if is_function(value):
            return _chain(value, function, env[RUN])
        return call_right(function, [value], None, env[RUN])

    return apply


# -- transforms

_SIGNATURE = Signature("<(oa):o>")


def compile_transform(node: nodes.Transform, compiler: Compiler, level: int) -> Compiled:
    """Return the transform as a function value."""
    compiler.uses_run = compiler.shares = True
    pattern = compiler.compile(node.pattern, level + 1)
    update = compiler.compile(node.update, level + 1)
    delete = compiler.compile(node.delete, level + 1) if node.delete is not None else None

    def make(_context: Value, env: Env) -> Value:
        def transform(run: Evaluation, value: Value) -> Value:
            if value is UNDEFINED:
                return UNDEFINED
            copy = _clone(value, env, run, node.position)
            matches = pattern(copy, env)
            for match in matches if isinstance(matches, list) else [matches]:
                if match is not UNDEFINED:
                    _update(match, update(match, env), node.update)
                    if delete is not None and node.delete is not None:
                        _delete(match, delete(match, env), node.delete)
            return copy

        return Builtin("", _SIGNATURE, transform, 1)

    return make


def _clone(value: Value, env: Env, run: Evaluation, at: int) -> Value:
    """Return a copy made by ``$clone``, which the caller may have replaced."""
    clone = env[GLOBALS].get("clone", BUILTINS["clone"])
    if not is_function(clone):
        raise JSONataError("T2013", at)
    return invoke(clone, [value], None, run)


def _update(match: Value, fields: Value, node: Node) -> None:
    if fields is UNDEFINED:
        return
    if not isinstance(fields, dict):
        raise JSONataError("T2011", node.position, value=fields)
    if isinstance(match, dict):
        match.update(fields)


def _delete(match: Value, names: Value, node: Node) -> None:
    if names is UNDEFINED:
        return
    listed = names if isinstance(names, list) else [names]
    if not all(type(name) is str for name in listed):
        raise JSONataError("T2012", node.position, value=names)
    if isinstance(match, dict):
        for name in listed:
            match.pop(name, None)
