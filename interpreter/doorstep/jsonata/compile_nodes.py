"""Tree to closure: which module compiles which node, and the nodes that need only a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from . import nodes
from .compile_calls import (
    compile_apply,
    compile_call,
    compile_lambda,
    compile_partial,
    compile_transform,
)
from .compile_filters import compile_group, compile_object, compile_stages
from .compile_operators import compile_binary, compile_condition, compile_negate
from .compile_paths import compile_path
from .compiler import Compiler, Handler
from .evaluation import GLOBALS, OUTER, RUN, Compiled, Env, Evaluation
from .functions.patterns import Matcher
from .nodes import Node, is_decorated
from .regex.pattern import compile_pattern
from .sequences import collapse, field_of, keep
from .values import UNDEFINED, Constructed, OuterSequence, Sequence, Value


def _decorated(handler: Handler) -> Handler:
    """Return the handler with predicates, grouping and ``[]`` applied, behind what isn't a path."""

    def compile_node(node: Any, compiler: Compiler, level: int) -> Compiled:
        evaluate = handler(node, compiler, level)
        if not is_decorated(node):
            return evaluate
        compiler.keeps = compiler.keeps or node.keep_array
        stages = compile_stages(node.predicates, compiler, level + 1)
        if stages is not None:
            inner = evaluate
            evaluate = lambda context, env: stages(inner(context, env), env)  # noqa: E731
        if node.group is not None:
            group = compile_group(node.group.pairs, node.group.position, compiler, level + 1)
            return lambda context, env: group(evaluate(context, env), env)
        finish = keep if node.keep_array else collapse
        return lambda context, env: finish(evaluate(context, env))

    return compile_node


# -- leaves


def _literal(node: nodes.Literal, _compiler: Compiler, _level: int) -> Compiled:
    value = node.value
    return lambda _context, _env: value


def _name(node: nodes.Name, _compiler: Compiler, _level: int) -> Compiled:
    name = node.value
    return lambda context, env: (
        context.get(name, UNDEFINED) if type(context) is dict else field_of(context, name, env[RUN])
    )


def _variable(node: nodes.Variable, compiler: Compiler, _level: int) -> Compiled:
    name = node.name
    if name == "":
        return lambda context, _env: context[0] if type(context) is OuterSequence else context
    if name == "$":
        compiler.uses_input = True
    default = compiler.dialect.functions.get(name, UNDEFINED)
    if name not in compiler.bound:
        return lambda _context, env: env[GLOBALS].get(name, default)
    return _local(name, default)


def _local(name: str, default: Value) -> Compiled:
    """Return a name that some environment may hold; else it is the caller's."""

    def read(_context: Value, env: Env) -> Value:
        frame: Env | None = env
        while frame is not None:
            if name in frame:
                return frame[name]
            frame = frame[OUTER]
        return env[GLOBALS].get(name, default)

    return read


def _parent(node: nodes.Parent, _compiler: Compiler, _level: int) -> Compiled:
    return _local(node.slot.label, UNDEFINED)


def _wildcard(_node: nodes.Wildcard, _compiler: Compiler, _level: int) -> Compiled:
    return lambda context, env: collapse(_members(context, env[RUN]))


def _members(value: Value, run: Evaluation) -> list[Value]:
    """Return all values in an object or array, arrays among them flattened to the bottom."""
    if type(value) is OuterSequence and value:
        value = value[0]
    if not isinstance(value, dict | list):
        return Sequence()
    members = list(value.values()) if isinstance(value, dict) else value
    run.tick(len(members))
    if not any(isinstance(member, list) for member in members):
        return Sequence(members)
    return list(_leaves(members, run))


def _leaves(values: list[Value], run: Evaluation) -> Iterator[Value]:
    run.tick(1 + len(values))
    for value in values:
        if isinstance(value, list):
            yield from _leaves(value, run)
        else:
            yield value


def _descendants(_node: nodes.Descendants, compiler: Compiler, _level: int) -> Compiled:
    compiler.uses_run = True

    def evaluate(context: Value, env: Env) -> Value:
        descendants = Sequence(() if context is UNDEFINED else _descend(context, env[RUN]))
        env[RUN].allocate(8 * len(descendants))
        return collapse(descendants)

    return evaluate


def _descend(value: Value, run: Evaluation) -> Iterator[Value]:
    run.tick()
    if not isinstance(value, list):
        yield value
    inner = value.values() if isinstance(value, dict) else value
    for each in inner if isinstance(value, list | dict) else ():
        yield from _descend(each, run)


def _regex(node: nodes.Regex, compiler: Compiler, _level: int) -> Compiled:
    pattern, more = node.pattern, compiler.dialect.regex_flags
    if more:
        pattern = compile_pattern(pattern.source, pattern.flags + more)
    matcher = Matcher(pattern, node.position)
    return lambda _context, _env: matcher


# -- small compounds


def _array(node: nodes.Array, compiler: Compiler, level: int) -> Compiled:
    items = [compiler.compile(item, level + 1) for item in node.items]
    if sum(not isinstance(item, nodes.Literal) for item in node.items) > 1:
        compiler.uses_run = True
    build = array_of(node)
    return lambda context, env: build([item(context, env) for item in items], env[RUN])


def array_of(node: nodes.Array) -> Callable[[list[Value], Evaluation], Value]:
    """Return what makes an array of the values of its items."""
    nests = [isinstance(item, nodes.Array) for item in node.items]
    kind = Constructed if node.constructed else list

    def build(values: list[Value], run: Evaluation) -> Value:
        array: list[Value] = kind()
        run.allocate(8 * len(values))
        for value, is_nested in zip(values, nests, strict=True):
            if isinstance(value, list) and not is_nested:
                run.allocate(8 * len(value), 8 * (len(array) + len(value)))
                array.extend(value)
            elif value is not UNDEFINED:
                array.append(value)
        return array

    return build


def _block(node: nodes.Block, compiler: Compiler, level: int) -> Compiled:
    binds, compiler.binds = compiler.binds, False
    parts = [compiler.compile(part, level + 1) for part in node.expressions]
    needs_env, compiler.binds = compiler.binds, binds
    if len(parts) == 1 and not needs_env:
        return parts[0]

    def evaluate(context: Value, env: Env) -> Value:
        if needs_env:
            env = {OUTER: env, GLOBALS: env[GLOBALS], RUN: env[RUN]}
        result: Value = UNDEFINED
        for part in parts:
            result = part(context, env)
        return result

    return evaluate


def _bind(node: nodes.Bind, compiler: Compiler, level: int) -> Compiled:
    compiler.binds = compiler.shares = compiler.uses_run = True
    value = compiler.compile(node.value, level + 1)
    name = node.name

    def bind(context: Value, env: Env) -> Value:
        result = env[name] = value(context, env)
        return result

    return bind


HANDLERS: Final[dict[type[Node], Handler]] = {
    nodes.Path: compile_path,
    **{
        kind: _decorated(handler)
        for kind, handler in (
            (nodes.Literal, _literal),
            (nodes.Name, _name),
            (nodes.Variable, _variable),
            (nodes.Wildcard, _wildcard),
            (nodes.Descendants, _descendants),
            (nodes.Parent, _parent),
            (nodes.Regex, _regex),
            (nodes.Array, _array),
            (nodes.Object, compile_object),
            (nodes.Block, _block),
            (nodes.Bind, _bind),
            (nodes.Binary, compile_binary),
            (nodes.Negate, compile_negate),
            (nodes.Condition, compile_condition),
            (nodes.Lambda, compile_lambda),
            (nodes.Call, compile_call),
            (nodes.Partial, compile_partial),
            (nodes.Apply, compile_apply),
            (nodes.Transform, compile_transform),
        )
    },
}
