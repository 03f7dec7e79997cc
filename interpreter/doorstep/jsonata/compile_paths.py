"""Paths: ``a.b[c > 1].d``, the heart of the language.

A path maps its steps over a list of items and gathers what each gives. The commonest kind, field
names off a variable or the context, is a loop over the names.
"""

from __future__ import annotations

from .compile_groups import compile_group
from .compile_steps import compile_walk
from .compile_tuples import compile_tuple_walk
from .nodes import Name, Node, Path, Variable
from .run import GLOBALS, Compiled, Env
from .scope import Scope
from .sequences import collapse, descend
from .values import UNDEFINED, Constructed, KeptSequence, Sequence, Value


def compile_path(node: Path, scope: Scope, level: int) -> Compiled:
    """Any path."""
    names = _plain_names(node)
    if names is not None:
        scope.deepest = max(scope.deepest, level + 1)
        return _plain_path(node.steps[0], names, scope, level + 1)
    if any(step.tuple for step in node.steps):
        walk = compile_tuple_walk(node, scope, level + 1)
    else:
        walk = compile_walk(node.steps, scope, level + 1)
    starts_at_items = not isinstance(node.steps[0], Variable)

    def evaluate(context: Value, env: Env) -> list[Value]:
        items = context if starts_at_items and isinstance(context, list) else [context]
        return walk(items, env)

    if node.group is not None:
        group = compile_group(node.group.pairs, node.group.position, scope, level + 1)
        return lambda context, env: group(evaluate(context, env), env)
    if node.keep_singleton or node.keep_array:
        return lambda context, env: collapse(_kept(evaluate(context, env)))
    return lambda context, env: collapse(evaluate(context, env))


def _kept(items: list[Value]) -> list[Value]:
    if type(items) is Constructed:
        return KeptSequence([items])
    return KeptSequence(items) if isinstance(items, Sequence) else items


# -- field names off a variable or the context


def _plain_names(node: Path) -> list[str] | None:
    """The field names, if there is nothing else behind a variable or the context."""
    if node.keep_singleton or node.keep_array or node.group is not None:
        return None
    names = []
    for place, step in enumerate(node.steps):
        if step.stages or step.predicates or step.tuple or step.group is not None:
            return None
        if type(step) is Name:
            names.append(step.value)
        elif type(step) is not Variable or place > 0:
            return None
    return names or None


def _plain_path(first: Node, names: list[str], scope: Scope, level: int) -> Compiled:
    if not isinstance(first, Variable):
        return lambda context, env: descend(context, names, env)
    if first.name in scope.bound or first.name in ("", "$"):
        read = scope.compile(first, level)
        return lambda context, env: descend(read(context, env), names, env)
    variable = first.name
    return lambda _context, env: descend(env[GLOBALS].get(variable, UNDEFINED), names, env)
