"""The distributed Map: its fields evaluated, handed to the driver as one map run.

The run's children are executions of their own; the parent sees one answer. Without an ItemReader
the items come from the state's data, with one the driver streams them from the bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.messages import BatchPlan, Fact, ItemSource, ResultTarget, StartMapRun
from ..errors import StateFailed
from .context import Env
from .data_flow import Closure, Leave
from .fields import Number
from .states import ScopeProgram, Working


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPlan:
    """The fields of a Map, compiled; an inline one has no reader, batches, writer or tolerance."""

    state: str
    label: str
    items: Closure
    effective: Closure
    reader: Callable[[Env], ItemSource] | None
    select: Callable[[Env, dict[str, Any]], Any]
    batch: Callable[[Env], BatchPlan] | None
    writer: Callable[[Env], ResultTarget] | None
    processor: ScopeProgram
    execution_type: str
    concurrency: Number
    tolerated_count: Number
    tolerated_percentage: Number
    leave: Leave


def distributed_map(plan: MapPlan) -> Callable[[Env], Working]:
    """Map in DISTRIBUTED mode: a map run, and its result."""

    def work(env: Env) -> Working:
        fiber = env.fiber
        command = _again(plan, env) if env.map_run else _start(plan, env)
        fiber.open(command.key)
        try:
            fiber.command(command)
            fact: Fact = yield None
        finally:
            fiber.close()
        if fact.kind == "failed":
            fiber.record("MapRunFailed", dict(fact.data))
            raise StateFailed(**fact.data)
        succeeded = fiber.note("MapRunSucceeded")
        # Recorded since November 2024: MapStateExited follows MapRunStarted, not this one.
        fiber.note("MapStateSucceeded", after=succeeded)
        env.show_item(fiber.item)
        return plan.leave(env, fact.data)

    return work


def _start(plan: MapPlan, env: Env) -> StartMapRun:
    fiber = env.fiber
    plan.effective(env)
    concurrency = plan.concurrency(env)
    items = None if plan.reader else plan.items(env)
    fiber.record("MapStateStarted", {"length": len(items) if items is not None else 0})
    command = _command(plan, env, fiber.next_key(), items, concurrency, redrives=0)
    fiber.record("MapRunStarted", {"mapRunArn": command.arn})
    env.map_run = command.key, 0
    return command


def _again(plan: MapPlan, env: Env) -> StartMapRun:
    assert env.map_run
    key, redrives = env.map_run
    env.map_run = key, redrives + 1
    items = None if plan.reader else plan.items(env)
    command = _command(plan, env, key, items, plan.concurrency(env), redrives + 1)
    details = {"mapRunArn": command.arn, "redriveCount": redrives + 1}
    env.fiber.record("MapRunRedriven", details)
    return command


def _command(
    plan: MapPlan, env: Env, key: str, items: Any, concurrency: int | None, redrives: int
) -> StartMapRun:
    engine = env.fiber.engine

    def select(index: int, value: Any, source: str) -> Any:
        return plan.select(env, {"Index": index, "Value": value, "Source": source})

    return StartMapRun(
        key=key,
        arn=engine.identity.map_run_arn(plan.label, key),
        label=plan.label,
        state=plan.state,
        child=plan.processor,
        execution_type=plan.execution_type,
        items=items,
        reader=plan.reader(env) if plan.reader else None,
        select=select,
        batch=plan.batch(env) if plan.batch else None,
        writer=plan.writer(env) if plan.writer else None,
        concurrency=concurrency or engine.quotas.distributed_concurrency,
        tolerated_count=plan.tolerated_count(env),
        tolerated_percentage=plan.tolerated_percentage(env),
        redrives=redrives,
    )


def item_source(
    resource: str,
    arguments: Callable[[Env], Mapping[str, Any]],
    config: dict[str, Any],
    max_items: Number,
) -> Callable[[Env], ItemSource]:
    """ItemReader: where the items are, once its expressions are evaluated."""
    return lambda env: ItemSource(resource, dict(arguments(env)), config, max_items(env))


def result_target(
    arguments: Callable[[Env], Mapping[str, Any]] | None, config: Mapping[str, Any]
) -> Callable[[Env], ResultTarget]:
    """ResultWriter: where the results go, and in which form."""

    def target(env: Env) -> ResultTarget:
        where = arguments(env) if arguments else {}
        return ResultTarget(
            bucket=where.get("Bucket"),
            prefix=where.get("Prefix") or "",
            transformation=config.get("Transformation"),
            output_type=config.get("OutputType", "JSON"),
        )

    return target
