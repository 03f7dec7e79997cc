"""Tree to closure: which module compiles which node, and the nodes that need only a line."""

from __future__ import annotations

from typing import Any, Final

from .compile_calls import compile_apply, compile_call, compile_lambda, compile_partial
from .compile_filters import compile_stages
from .compile_groups import compile_group, compile_object
from .compile_operators import compile_binary, compile_condition, compile_negate
from .compile_paths import compile_path
from .compile_transforms import compile_transform
from .functions import BUILTINS
from .nodes import (
    Apply,
    Array,
    Binary,
    Bind,
    Block,
    Call,
    Condition,
    Descendants,
    Lambda,
    Literal,
    Name,
    Negate,
    Node,
    Object,
    Parent,
    Partial,
    Path,
    Regex,
    Transform,
    Variable,
    Wildcard,
)
from .regex import Matcher, compile_literal
from .run import GLOBALS, OUTER, RUN, Compiled, Env, Run
from .scope import Handler, Scope
from .sequences import collapse, field_of, keep
from .values import UNDEFINED, Constructed, OuterSequence, Sequence, Value


def compile_tree(tree: Node, bound: frozenset[str]) -> tuple[Compiled, Scope]:
    """The closure of a whole expression, and what was learnt on the way."""
    scope = Scope(HANDLERS, bound)
    return scope.compile(tree, 1), scope


def _decorated(handler: Handler) -> Handler:
    """Predicates, grouping and ``[]`` behind what isn't a path."""

    def compile_node(node: Any, scope: Scope, level: int) -> Compiled:
        evaluate = handler(node, scope, level)
        if not (node.predicates or node.group or node.keep_array):
            return evaluate
        stages = compile_stages(node.predicates, scope, level + 1)
        finish = keep if node.keep_array else collapse
        if node.group is not None:
            inner = _filtered(evaluate, stages)
            group = compile_group(node.group.pairs, node.group.position, scope, level + 1)
            return lambda context, env: group(inner(context, env), env)
        if stages is not None:
            return lambda context, env: finish(stages(evaluate(context, env), env))
        return lambda context, env: keep(evaluate(context, env))

    return compile_node


def _filtered(evaluate: Compiled, stages: Any) -> Compiled:
    if stages is None:
        return evaluate
    return lambda context, env: stages(evaluate(context, env), env)


# -- leaves


def _literal(node: Literal, _scope: Scope, _level: int) -> Compiled:
    value = node.value
    return lambda _context, _env: value


def _name(node: Name, _scope: Scope, _level: int) -> Compiled:
    name = node.value
    return lambda context, env: (
        context.get(name, UNDEFINED) if type(context) is dict else field_of(context, name, env[RUN])
    )


def _variable(node: Variable, scope: Scope, _level: int) -> Compiled:
    name = node.name
    if name == "":
        return lambda context, _env: context[0] if type(context) is OuterSequence else context
    if name == "$":
        scope.uses_input = True
    default = BUILTINS.get(name, UNDEFINED)
    if name not in scope.bound:
        return lambda _context, env: env[GLOBALS].get(name, default)
    return _local(name, default)


def _local(name: str, default: Value) -> Compiled:
    """A name that some environment may hold; else it is the caller's."""

    def read(_context: Value, env: Env) -> Value:
        frame: Env | None = env
        while frame is not None:
            if name in frame:
                return frame[name]
            frame = frame[OUTER]
        return env[GLOBALS].get(name, default)

    return read


def _parent(node: Parent, _scope: Scope, _level: int) -> Compiled:
    return _local(node.slot.label, UNDEFINED)


def _wildcard(_node: Wildcard, _scope: Scope, _level: int) -> Compiled:
    return lambda context, env: collapse(_members(context, env[RUN]))


def _members(value: Value, run: Run) -> list[Value]:
    """All values in an object or array, arrays among them flattened to the bottom."""
    if type(value) is OuterSequence and value:
        value = value[0]
    if not isinstance(value, dict | list):
        return Sequence()
    members = list(value.values()) if isinstance(value, dict) else value
    run.tick(len(members))
    if not any(isinstance(member, list) for member in members):
        return Sequence(members)
    leaves: list[Value] = []
    _add_leaves(members, leaves, run)
    return leaves


def _add_leaves(values: list[Value], leaves: list[Value], run: Run) -> None:
    run.tick(1 + len(values))
    for value in values:
        if isinstance(value, list):
            _add_leaves(value, leaves, run)
        else:
            leaves.append(value)


def _descendants(_node: Descendants, scope: Scope, _level: int) -> Compiled:
    scope.uses_run = True

    def evaluate(context: Value, env: Env) -> Value:
        found = Sequence()
        if context is not UNDEFINED:
            _descend(context, found, env[RUN])
            env[RUN].allocate(8 * len(found))
        return collapse(found)

    return evaluate


def _descend(value: Value, found: Sequence, run: Run) -> None:
    run.tick()
    if isinstance(value, list):
        for item in value:
            _descend(item, found, run)
        return
    found.append(value)
    if isinstance(value, dict):
        for item in value.values():
            _descend(item, found, run)


def _regex(node: Regex, _scope: Scope, _level: int) -> Compiled:
    matcher = Matcher(compile_literal(node.literal, node.position), node.position)
    return lambda _context, _env: matcher


# -- small compounds


def _array(node: Array, scope: Scope, level: int) -> Compiled:
    items = [(scope.compile(item, level + 1), isinstance(item, Array)) for item in node.items]
    kind = Constructed if node.constructed else list
    if sum(not isinstance(item, Literal) for item in node.items) > 1:
        scope.uses_run = True

    def build(context: Value, env: Env) -> Value:
        array: list[Value] = kind()
        run = env[RUN]
        run.allocate(8 * len(items))
        for evaluate, nests in items:
            value = evaluate(context, env)
            if isinstance(value, list) and not nests:
                run.allocate(8 * len(value), 8 * (len(array) + len(value)))
                array.extend(value)
            elif value is not UNDEFINED:
                array.append(value)
        return array

    return build


def _block(node: Block, scope: Scope, level: int) -> Compiled:
    binds, scope.binds = scope.binds, False
    parts = [scope.compile(part, level + 1) for part in node.expressions]
    needs_env, scope.binds = scope.binds, binds
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


def _bind(node: Bind, scope: Scope, level: int) -> Compiled:
    scope.binds = scope.shares = scope.uses_run = True
    value = scope.compile(node.value, level + 1)
    name = node.name

    def bind(context: Value, env: Env) -> Value:
        result = env[name] = value(context, env)
        return result

    return bind


HANDLERS: Final[dict[type[Node], Handler]] = {
    Path: compile_path,
    **{
        kind: _decorated(handler)
        for kind, handler in (
            (Literal, _literal),
            (Name, _name),
            (Variable, _variable),
            (Wildcard, _wildcard),
            (Descendants, _descendants),
            (Parent, _parent),
            (Regex, _regex),
            (Array, _array),
            (Object, compile_object),
            (Block, _block),
            (Bind, _bind),
            (Binary, compile_binary),
            (Negate, compile_negate),
            (Condition, compile_condition),
            (Lambda, compile_lambda),
            (Call, compile_call),
            (Partial, compile_partial),
            (Apply, compile_apply),
            (Transform, compile_transform),
        )
    },
}
