"""Parallel and the inline Map: a group of child fibers, joined."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from ..engine.fibers import Body, Fiber, Group
from ..errors import StateFailed
from .context import Env
from .data_flow import Closure, Leave
from .distributed_map import MapPlan
from .states import ScopeProgram, Working


def parallel(
    arguments: Closure, branches: Sequence[ScopeProgram], leave: Leave
) -> Callable[[Env], Working]:
    """Parallel: all branches with the same input; their outputs in the order of the definition."""

    def start(env: Env) -> Group:
        fiber, value = env.fiber, arguments(env)
        fiber.encode(value, env.state)
        fiber.record("ParallelStateStarted")
        count = len(branches)
        return Group(fiber, count, count, lambda child: branches[child.index].run(child, value))

    def work(env: Env) -> Working:
        outputs = yield from _gathered(env, start)
        env.fiber.note("ParallelStateSucceeded")
        return leave(env, outputs)

    return work


def inline_map(plan: MapPlan) -> Callable[[Env], Working]:
    """Map: the processor for every item, MaxConcurrency at a time; outputs in the items' order."""

    name = plan.state

    def start(env: Env) -> Group:
        fiber = env.fiber
        limit = plan.concurrency(env) or fiber.engine.quotas.inline_concurrency
        values = plan.items(env)
        fiber.record("MapStateStarted", {"length": len(values)})

        def begin(child: Fiber) -> Body:
            child.item = {"Index": child.index, "Value": values[child.index]}
            selected = plan.select(env, child.item)
            child.encode(selected, name)
            child.record("MapIterationStarted", {"name": name, "index": child.index})
            return plan.processor.run(child, selected)

        def ended(child: Fiber, how: str) -> int:
            return child.note(f"MapIteration{how}", {"name": name, "index": child.index})

        return Group(fiber, len(values), limit, begin, ended)

    def work(env: Env) -> Working:
        fiber = env.fiber
        outputs = yield from _gathered(env, start)
        fiber.note("MapStateSucceeded")
        env.show_item(fiber.item)
        return plan.leave(env, outputs)

    return work


def _gathered(
    env: Env, start: Callable[[Env], Group]
) -> Generator[StateFailed | None, Any, list[Any]]:
    """The outputs of a group that begins now, or goes on after a redrive."""
    group = env.fiber.group
    if group:
        group.redrive()
    else:
        group = start(env)
    return (yield from group.gather())
