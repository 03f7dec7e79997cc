"""Functions: lambdas, calls, partial application, ``~>``."""

from __future__ import annotations

from collections.abc import Callable

from .callables import PLACEHOLDER, Builtin, Native, TailCall, invoke, locate
from .callables import Lambda as LambdaValue
from .callables import Partial as PartialValue
from .errors import JSONataError
from .facts import spine
from .nodes import Apply, Call, Lambda, Node, Partial, Path, Placeholder, Variable
from .run import GLOBALS, OUTER, RUN, Compiled, Env, Run, too_deep
from .scope import Scope
from .sequences import collapse, keep
from .values import UNDEFINED, Value, is_function


def compile_lambda(node: Lambda, scope: Scope, level: int) -> Compiled:
    """``function($x){…}``: the value is made anew where it is evaluated, with its environment."""
    scope.uses_run = scope.shares = True
    binds, scope.binds = scope.binds, False
    body = scope.compile(node.body, 1)
    scope.binds = binds
    parameters, signature, height = tuple(node.parameters), node.signature, spine(node.body)
    return lambda context, env: LambdaValue(parameters, signature, body, height, context, env)


def compile_call(node: Call, scope: Scope, level: int) -> Compiled:
    """``f(…)``; in a lambda's tail position the call is left to the lambda's caller."""
    function = _compile_procedure(node, node.procedure, "T1005", scope, level + 1)
    arguments = [scope.compile(argument, level + 1) for argument in node.arguments]
    at, name = node.position, _name(node.procedure)
    scope.uses_run = True
    if node.tail:
        return lambda context, env: TailCall(
            function(context, env), [each(context, env) for each in arguments], at, name
        )
    return _calling(function, _list_of(arguments), level, node, keep_array=node.keep_array)


def _list_of(arguments: list[Compiled]) -> Callable[[Value, Env], list[Value]]:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda context, env: [only(context, env)]
    return lambda context, env: [each(context, env) for each in arguments]


def _calling(
    function: Compiled,
    arguments: Callable[[Value, Env], list[Value]],
    level: int,
    node: Call,
    *,
    keep_array: bool,
) -> Compiled:
    """The call itself, one level deeper than what calls."""
    at, name = node.position, _name(node.procedure)
    finish = keep if keep_array else collapse

    def call(context: Value, env: Env) -> Value:
        run = env[RUN]
        value = function(context, env)
        given = arguments(context, env)
        run.depth += level
        try:
            if run.depth >= run.max_depth:
                raise too_deep(run.limits)
            if type(value) is Builtin:
                result = value.implementation(run, *value.signature.validate(given, context))
            else:
                result = invoke(value, given, context, run)
        except JSONataError as error:
            locate(error, at, name)
            raise
        run.depth -= level
        return finish(result) if isinstance(result, list) else result

    return call


def _name(procedure: Node) -> str | None:
    match procedure:
        case Variable(name=name):
            return name
        case Path(steps=[first, *_]):
            return getattr(first, "value", None)
    return None


def _compile_procedure(
    node: Node, procedure: Node, code: str, scope: Scope, level: int
) -> Compiled:
    """What is called. A bare name that is also a function's name was meant as that function."""
    function = scope.compile(procedure, level)
    name = _name(procedure)
    if not isinstance(procedure, Path) or name is None:
        return function
    meant = scope.compile(Variable(node.position, name), level)

    def evaluate(context: Value, env: Env) -> Value:
        value = function(context, env)
        if value is UNDEFINED and meant(context, env) is not UNDEFINED:
            raise JSONataError(code, node.position, name)
        return value

    return evaluate


def compile_partial(node: Partial, scope: Scope, level: int) -> Compiled:
    """``f(1, ?)``: a function of what is left open."""
    function = _compile_procedure(node, node.procedure, "T1007", scope, level + 1)
    arguments = [
        None if isinstance(argument, Placeholder) else scope.compile(argument, level + 1)
        for argument in node.arguments
    ]
    scope.uses_run = True

    def partial(context: Value, env: Env) -> Value:
        given = [PLACEHOLDER if a is None else a(context, env) for a in arguments]
        value = function(context, env)
        if isinstance(value, LambdaValue):
            return _partial_lambda(value, given)
        if not is_function(value):
            raise JSONataError("T1008", node.position, _name(node.procedure))
        return PartialValue(value, given)

    return partial


def _partial_lambda(function: LambdaValue, given: list[Value]) -> LambdaValue:
    outer = function.env
    env: Env = {OUTER: outer, GLOBALS: outer[GLOBALS], RUN: outer[RUN]}
    left_open = []
    for index, parameter in enumerate(function.parameters):
        value = given[index] if index < len(given) else UNDEFINED
        if value is PLACEHOLDER:
            left_open.append(parameter)
        else:
            env[parameter] = value
    return LambdaValue(
        tuple(left_open), None, function.body, function.height, function.context, env
    )


# -- chaining


class Chain(Native):
    """``f ~> g`` of two functions: first f, then g."""

    __slots__ = ("_first", "_second")
    arity = 1

    def __init__(self, first: Value, second: Value) -> None:
        self._first = first
        self._second = second

    def call(self, run: Run, arguments: list[Value]) -> Value:
        """g of f of the first argument."""
        value = invoke(self._first, (arguments or [UNDEFINED])[:1], UNDEFINED, run)
        return invoke(
            self._second, [collapse(value) if isinstance(value, list) else value], UNDEFINED, run
        )


def compile_apply(node: Apply, scope: Scope, level: int) -> Compiled:
    """``value ~> f``, ``value ~> f(…)``, ``f ~> g``."""
    left = scope.compile(node.left, level + 1)
    finish = keep if node.keep_array else collapse
    scope.uses_run = True
    if isinstance(node.right, Call):
        return _apply_to_call(node.right, left, scope, level, keep_array=node.keep_array)
    right = scope.compile(node.right, level + 1)

    def apply(context: Value, env: Env) -> Value:
        value = left(context, env)
        function = right(context, env)
        if not is_function(function):
            raise JSONataError("T2006", node.position, value=function)
        if is_function(value):
            return Chain(value, function)
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
    node: Call, left: Compiled, scope: Scope, level: int, *, keep_array: bool
) -> Compiled:
    """The value becomes the first argument."""
    function = _compile_procedure(node, node.procedure, "T1005", scope, level + 1)
    arguments = [left, *[scope.compile(argument, level + 1) for argument in node.arguments]]
    return _calling(function, _list_of(arguments), level, node, keep_array=keep_array)
