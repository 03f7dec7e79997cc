"""Steps of paths: each maps a list of items to results, which are gathered into the next list."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Nodes

from .compile_filters import Stage, compile_stages
from .compile_sort import compile_sort
from .nodes import Array, Block, Name, Node, Sort
from .run import RUN, Compiled, Env, Run
from .scope import Scope
from .sequences import fields_of, gather, gather_last
from .values import Sequence, Value

Gather = Callable[[list[Value], Run], list[Value]]
Walk = Callable[[list[Value], Env], list[Value]]
"""Items to the items of the next step."""


def compile_walk(nodes: Nodes[Node], scope: Scope, level: int, *, whole: bool = True) -> Walk:
    """All the steps; ``whole``: the path ends with them."""
    head = scope.compile(nodes[0], level) if is_constructed(nodes[0]) else None
    rest = nodes if head is None else nodes[1:]
    steps = [
        _compile_step(node, scope, level, gather_last if whole and node is rest[-1] else gather)
        for node in rest
    ]

    def walk(items: list[Value], env: Env) -> list[Value]:
        if head is not None:
            items = head(items, env)
            if not isinstance(items, list):
                return Sequence()
        for step in steps:
            if not items:
                return Sequence()
            items = step(items, env)
        return items

    return walk


def is_constructed(node: Node) -> bool:
    """Whether a first step is an array to start from, not something to do with each item."""
    return isinstance(node, Array | Block) and node.constructed


def _compile_step(node: Node, scope: Scope, level: int, finish: Gather) -> Walk:
    stages = compile_stages(node.stages, scope, level)
    if isinstance(node, Sort):
        sort = compile_sort(node, scope, level)
        return sort if stages is None else lambda items, env: stages(sort(items, env), env)
    if isinstance(node, Name) and stages is None:
        return _name_step(node.value, finish)
    scope.uses_run = True
    evaluate = scope.compile(node, level)
    return _each_step(evaluate, finish) if stages is None else _staged(evaluate, stages, finish)


def _name_step(name: str, finish: Gather) -> Walk:
    def step(items: list[Value], env: Env) -> list[Value]:
        run = env[RUN]
        run.left -= len(items)
        return finish(fields_of(items, name, run), run)

    return step


def _each_step(evaluate: Compiled, finish: Gather) -> Walk:
    def step(items: list[Value], env: Env) -> list[Value]:
        run = env[RUN]
        run.tick(len(items))
        return finish([evaluate(item, env) for item in items], run)

    return step


def _staged(evaluate: Compiled, stages: Stage, finish: Gather) -> Walk:
    return _each_step(lambda item, env: stages(evaluate(item, env), env), finish)
