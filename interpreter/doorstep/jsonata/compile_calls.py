"""Functions: lambdas, calls, partial application, chaining, transforms.

Functions: https://docs.jsonata.org/programming; ``~>`` and ``| pattern | update, delete |``, a
function that changes a copy of its argument: https://docs.jsonata.org/other-operators.
"""

from __future__ import annotations

from collections.abc import Callable

from . import nodes
from .callables import (
    PLACEHOLDER,
    Builtin,
    LambdaValue,
    Native,
    PartialValue,
    TailCall,
    invoke,
    is_array_of_numbers,
    locate,
)
from .compile_paths import may_share, plain_names
from .compiler import Compiler
from .errors import JSONataError
from .evaluation import GLOBALS, OUTER, RUN, Compiled, Env, Evaluation, too_deep
from .functions import BUILTINS
from .nodes import Node, children
from .sequences import collapse, keep
from .signatures import Signature
from .values import UNDEFINED, Value, is_function


def compile_lambda(node: nodes.Lambda, compiler: Compiler, level: int) -> Compiled:
    """``function($x){…}``: the value is made anew where it is evaluated, with its environment."""
    compiler.uses_run = compiler.shares = True
    binds, compiler.binds = compiler.binds, False
    body = compiler.compile(node.body, 1)
    make_code = compiler.make_code(node)
    compiler.binds = binds
    parameters, signature, height = tuple(node.parameters), node.signature, _spine(node.body)
    key = _ordering(node)
    return lambda context, env: LambdaValue(
        parameters, signature, body, height, context, env, key, make_code
    )


def _ordering(node: nodes.Lambda) -> tuple[list[str], bool] | None:
    """Return what a comparator such as ``function($l, $r){$l.x > $r.x}`` orders by."""
    match node:
        case nodes.Lambda(
            parameters=[first, second],
            signature=None,
            body=nodes.Binary(
                operator="<" | ">" as symbol,
                left=nodes.Path(steps=[nodes.Variable(name=left), *_]) as path,
                right=nodes.Path(steps=[nodes.Variable(name=right), *_]) as other,
                predicates=(),
                group=None,
                keep_array=False,
            ),
        ) if first != second and {left, right} == {first, second}:
            names = plain_names(path)
            if names and names == plain_names(other):
                return names, (symbol == "<") is (left == first)
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
        case nodes.Object() | nodes.Transform():
            return 1
    return 1 + max(map(_spine, children(node)), default=0)


def compile_call(node: nodes.Call, compiler: Compiler, level: int) -> Compiled:
    """``f(…)``; in a lambda's tail position the call is left to the lambda's caller."""
    function = _compile_procedure(node, node.procedure, "T1005", compiler, level + 1)
    at, name = node.position, _name(node.procedure)
    arguments = []
    for argument in node.arguments:
        shares = compiler.shares
        arguments.append(compiler.compile(argument, level + 1))
        if isinstance(argument, nodes.Lambda) and name not in compiler.bound:
            compiler.shares = shares or _result_may_share(name, argument)
    compiler.uses_run = True
    if node.tail:
        return lambda context, env: TailCall(
            function(context, env), [each(context, env) for each in arguments], at, name
        )
    return _calling(function, arguments, level, node, keep_array=node.keep_array)


def _result_may_share(name: str | None, function: nodes.Lambda) -> bool:
    """Return whether what a call makes with a function may hold a value more than once."""
    if name in ("filter", "sort"):
        return False  # the function's values are only tested
    return name != "map" or may_share(function.body, (function.parameters or [""])[0])


def _calling(
    function: Compiled,
    arguments: list[Compiled],
    level: int,
    node: nodes.Call,
    *,
    keep_array: bool,
) -> Compiled:
    call = call_at(node, level, keep if keep_array else collapse)
    return lambda context, env: call(
        function(context, env), [each(context, env) for each in arguments], context, env[RUN]
    )


def call_at(
    node: nodes.Call, level: int, finish: Callable[[list[Value]], Value]
) -> Callable[[Value, list[Value], Value, Evaluation], Value]:
    """Return the call itself, of a function with arguments, one level deeper than what calls."""
    at, name = node.position, _name(node.procedure)

    def call(function: Value, arguments: list[Value], context: Value, run: Evaluation) -> Value:
        if type(function) is Builtin and function.signature.takes_numbers and len(arguments) == 1:
            (numbers,) = arguments
            if is_array_of_numbers(numbers):
                return function.implementation(run, numbers)
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
    node: Node, procedure: Node, code: str, compiler: Compiler, level: int
) -> Compiled:
    """Compile what is called; raise if a bare name was meant as the function of that name."""
    function = compiler.compile(procedure, level)
    name = _name(procedure)
    if not isinstance(procedure, nodes.Path) or name is None:
        return function
    meant = compiler.compile(nodes.Variable(node.position, name), level)

    def evaluate(context: Value, env: Env) -> Value:
        value = function(context, env)
        if value is UNDEFINED and meant(context, env) is not UNDEFINED:
            raise JSONataError(code, node.position, name)
        return value

    return evaluate


def compile_partial(node: nodes.Partial, compiler: Compiler, level: int) -> Compiled:
    """``f(1, ?)``: a function of what is left open."""
    function = _compile_procedure(node, node.procedure, "T1007", compiler, level + 1)
    arguments = [
        None if isinstance(argument, nodes.Placeholder) else compiler.compile(argument, level + 1)
        for argument in node.arguments
    ]
    compiler.uses_run = True

    def partial(context: Value, env: Env) -> Value:
        values = [PLACEHOLDER if a is None else a(context, env) for a in arguments]
        value = function(context, env)
        if isinstance(value, LambdaValue):
            return _partial_lambda(value, values)
        if not is_function(value):
            raise JSONataError("T1008", node.position, _name(node.procedure))
        return PartialValue(value, values)

    return partial


def _partial_lambda(function: LambdaValue, values: list[Value]) -> LambdaValue:
    outer = function.env
    env: Env = {OUTER: outer, GLOBALS: outer[GLOBALS], RUN: outer[RUN]}
    left_open = []
    for index, parameter in enumerate(function.parameters):
        value = values[index] if index < len(values) else UNDEFINED
        if value is PLACEHOLDER:
            left_open.append(parameter)
        else:
            env[parameter] = value
    return LambdaValue(
        tuple(left_open), None, function.body, function.height, function.context, env
    )


# -- chaining


class ChainValue(Native):
    """``f ~> g`` of two functions: first f, then g."""

    __slots__ = ("_first", "_second")
    arity = 1

    def __init__(self, first: Value, second: Value) -> None:
        self._first = first
        self._second = second

    def call(self, run: Evaluation, arguments: list[Value]) -> Value:
        """Return g of f of the first argument."""
        value = invoke(self._first, (arguments or [UNDEFINED])[:1], UNDEFINED, run)
        return invoke(
            self._second, [collapse(value) if isinstance(value, list) else value], UNDEFINED, run
        )


def compile_apply(node: nodes.Apply, compiler: Compiler, level: int) -> Compiled:
    """``value ~> f``, ``value ~> f(…)``, ``f ~> g``."""
    left = compiler.compile(node.left, level + 1)
    finish = keep if node.keep_array else collapse
    compiler.uses_run = True
    if isinstance(node.right, nodes.Call):
        return _apply_to_call(node.right, left, compiler, level, keep_array=node.keep_array)
    right = compiler.compile(node.right, level + 1)

    def apply(context: Value, env: Env) -> Value:
        value = left(context, env)
        function = right(context, env)
        if not is_function(function):
            raise JSONataError("T2006", node.position, value=function)
        if is_function(value):
            return ChainValue(value, function)
        run = env[RUN]
        try:
            run.deepen(level)
            result = invoke(function, [value], None, run)
        except JSONataError as error:
            locate(error, node.position, _name(node.right))
            raise
        run.depth -= level
        return finish(result) if isinstance(result, list) else result

    return apply


def _apply_to_call(
    node: nodes.Call, left: Compiled, compiler: Compiler, level: int, *, keep_array: bool
) -> Compiled:
    """Return the value becomes the first argument."""
    function = _compile_procedure(node, node.procedure, "T1005", compiler, level + 1)
    arguments = [left, *[compiler.compile(argument, level + 1) for argument in node.arguments]]
    return _calling(function, arguments, level, node, keep_array=keep_array)


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
