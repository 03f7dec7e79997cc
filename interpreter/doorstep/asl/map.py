"""Map (States Language, "Map State"): the processor for every item, inline or distributed.

An inline Map runs a group of child fibers. A distributed one hands the driver a map run, whose
children are executions of their own, and sees one answer; its items come from the state's data, or
the driver streams them from where ItemReader says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..engine import (
    TOO_LARGE,
    BatchPlan,
    Body,
    Fact,
    Fiber,
    FiberGroup,
    ItemSource,
    ResultTarget,
    StartMapRun,
)
from ..errors import StateFailed, data_limit_exceeded, runtime
from ..model import State
from ..values.json_values import dumps
from . import fields as typed_fields
from . import jsonata_fields, jsonpath_fields
from .context import PROVIDED, Closure, Env, Leave
from .data_flow import compile_input
from .states import ScopeProgram, Working, gathered

UNLIMITED = 2**31 - 1
"""What DescribeMapRun shows without MaxConcurrency (fact 149); the quota limits it all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapPlan:
    """The fields of a Map, compiled; an inline one has no reader, batches, writer or tolerance."""

    state: str
    label: str | None
    items: Closure
    effective: Closure
    reader: Callable[[Env], ItemSource] | None
    select: Callable[[Env, dict[str, Any]], Any]
    batch: Callable[[Env], BatchPlan] | None
    writer: Callable[[Env], ResultTarget] | None
    processor: ScopeProgram
    execution_type: str
    concurrency: Closure
    tolerated_count: Closure
    tolerated_percentage: Closure
    leave: Leave


def inline_map(plan: MapPlan) -> Callable[[Env], Working]:
    """Map in INLINE mode: MaxConcurrency iterations at a time, outputs in the items' order.

    Facts 430 and 432: the events of its iterations. Fact 274: without MaxConcurrency about 40 run
    at a time.
    """
    name = plan.state

    def start(env: Env) -> FiberGroup:
        fiber = env.fiber
        limit = plan.concurrency(env) or fiber.engine.quotas.inline_concurrency
        values = plan.items(env)
        fiber.record("MapStateStarted", {"length": len(values)})

        def begin(child: Fiber) -> Body:
            child.item = {"Index": child.index, "Value": values[child.index]}
            selected = plan.select(env, child.item)
            child.encode(selected, name, PROVIDED)
            child.record("MapIterationStarted", {"name": name, "index": child.index})
            return plan.processor.run(child, selected)

        def ended(child: Fiber, how: str) -> int:
            return child.record_leaf(f"MapIteration{how}", {"name": name, "index": child.index})

        return FiberGroup(fiber, len(values), limit, begin, ended)

    def work(env: Env) -> Working:
        fiber = env.fiber
        outputs = yield from gathered(env, start)
        fiber.record_leaf("MapStateSucceeded")
        env.show_item(fiber.item)
        return plan.leave(env, outputs)

    return work


def distributed_map(plan: MapPlan) -> Callable[[Env], Working]:
    """Map in DISTRIBUTED mode: a map run, and its result.

    Facts 107 and 433: the exit follows MapRunStarted.
    """

    def work(env: Env) -> Working:
        fiber = env.fiber
        command = _redrive(plan, env) if env.map_run else _start(plan, env)
        fiber.open(command.key)
        try:
            fiber.engine.issue(command)
            fact: Fact = yield None
        finally:
            fiber.close()
        if fact.kind == "failed":
            fiber.record("MapRunFailed", dict(fact.data))
            raise StateFailed(**fact.data)
        succeeded = fiber.record_leaf("MapRunSucceeded")
        # Recorded since November 2024: MapStateExited follows MapRunStarted, not this one.
        fiber.record_leaf("MapStateSucceeded", after=succeeded)
        env.show_item(fiber.item)
        if fact.data == TOO_LARGE:
            # Fact 291.
            raise data_limit_exceeded(plan.state)
        return plan.leave(env, fact.data)

    return work


def _start(plan: MapPlan, env: Env) -> StartMapRun:
    # Facts 433 and 434: the length is 0 with an ItemReader; a MaxConcurrencyPath at fault comes
    # before MapStateStarted, a tolerance after it.
    fiber = env.fiber
    plan.effective(env)
    concurrency = plan.concurrency(env)
    items = None if plan.reader else plan.items(env)
    fiber.record("MapStateStarted", {"length": len(items) if items is not None else 0})
    command = _command(plan, env, fiber.next_key(), items, concurrency, redrives=0)
    fiber.record("MapRunStarted", {"mapRunArn": command.arn})
    env.map_run = command.key, 0
    return command


def _redrive(plan: MapPlan, env: Env) -> StartMapRun:
    # Fact 505: a redrive continues the map run.
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
    # Fact 282: the ARNs of the map run and of its children.
    engine = env.fiber.engine
    label = plan.label or engine.identity.label_of(plan.state)

    def select(index: int, value: Any, source: str, key: str | None) -> Any:
        named = {} if key is None else {"Key": key}
        return plan.select(env, {"Index": index, **named, "Value": value, "Source": source})

    return StartMapRun(
        key=key,
        arn=engine.identity.map_run_arn(label, key),
        label=label,
        state=plan.state,
        child=plan.processor,
        execution_type=plan.execution_type,
        items=items,
        reader=plan.reader(env) if plan.reader else None,
        select=select,
        batch=plan.batch(env) if plan.batch else None,
        writer=plan.writer(env) if plan.writer else None,
        concurrency=concurrency or UNLIMITED,
        tolerated_count=plan.tolerated_count(env),
        tolerated_percentage=plan.tolerated_percentage(env),
        redrives=redrives,
    )


# Its fields -----------------------------------------------------------------------------------


def map_plan(state: State, processor: ScopeProgram, leave: Leave) -> MapPlan:
    """Compile the fields of a Map."""
    fields, jsonata = state.fields, state.jsonata
    reader, batcher, writer = state.reader, state.batcher, state.writer
    # Fact 24: without effect on an inline Map.
    tolerances = fields if state.distributed else {}
    return MapPlan(
        state=state.name,
        label=fields.get("Label"),
        items=(_queried_items if jsonata else _items_at_path)(fields, state.distributed),
        effective=compile_input(fields),
        reader=_reader(reader, jsonata) if reader else None,
        select=_selector(state.selector, jsonata),
        batch=_batcher(batcher, jsonata) if batcher else None,
        writer=_writer(writer, jsonata) if writer else None,
        processor=processor,
        execution_type=state.execution_type,
        concurrency=typed_fields.count(fields, "MaxConcurrency", jsonata),
        tolerated_count=typed_fields.count(tolerances, "ToleratedFailureCount", jsonata),
        tolerated_percentage=typed_fields.percentage(
            tolerances, "ToleratedFailurePercentage", jsonata
        ),
        leave=leave,
    )


def _mappable(values: Any, distributed: bool) -> bool:
    """Return whether values are items: an array, or in DISTRIBUTED mode an object.

    Facts 43 and 287.
    """
    return isinstance(values, list) or (distributed and isinstance(values, dict))


def _items_at_path(fields: Mapping[str, Any], distributed: bool) -> Closure:
    """ItemsPath, on the effective input (fact 43)."""
    effective = compile_input(fields)
    path = fields.get("ItemsPath", "$")
    # Recorded: a path into the context object is quoted without its first $.
    quoted = path[1:] if path.startswith("$$") else path
    get = jsonpath_fields.whole_path(path) if "ItemsPath" in fields else None

    def items(env: Env) -> Any:
        values = effective(env)
        if get:
            values = get(env)
        if not _mappable(values, distributed):
            raise runtime(f'Reference path "{quoted}" must point to array.')
        return values

    return items


def _queried_items(fields: Mapping[str, Any], distributed: bool) -> Closure:
    """Compile Items; without them it is the state's input (facts 43 and 417)."""
    if jsonata_fields.is_expression(fields.get("Items")):
        others = ("object",) if distributed else ()
        return jsonata_fields.typed(fields["Items"], "Items", "array", others)
    written = jsonata_fields.value(fields["Items"], "Items") if "Items" in fields else None

    def items(env: Env) -> Any:
        values = written(env) if written else env.raw
        if not _mappable(values, distributed):
            text = dumps(values)
            raise jsonata_fields.failed(f"Map state input must be an array but was: {text}")
        return values

    return items


def _selector(selector: Any, jsonata: bool) -> Callable[[Env, dict[str, Any]], Any]:
    """ItemSelector (Parameters in older definitions): an item's input, from item and context.

    Facts 41, 42 and 74: for each item, `$` being the effective input.
    """
    if selector is None:
        return _whole_item
    make = typed_fields.payload(selector, "ItemSelector", jsonata)

    def select(env: Env, item: dict[str, Any]) -> Any:
        env.show_item(item)
        return make(env)

    return select


def _whole_item(_: Env, item: dict[str, Any]) -> Any:
    # Fact 287: of a member of an object, its name as well.
    return {"Key": item["Key"], "Value": item["Value"]} if "Key" in item else item["Value"]


def _reader(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], ItemSource]:
    # Facts 276 to 279.
    resource, config = fields["Resource"], dict(fields.get("ReaderConfig", {}))
    max_items = typed_fields.integer(config, "MaxItems", jsonata, "ItemReader/ReaderConfig/")
    arguments = _arguments(fields, jsonata, "ItemReader")
    return lambda env: ItemSource(resource, dict(arguments(env)), config, max_items(env))


def _batcher(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], BatchPlan]:
    # Facts 116 and 281: BatchInput is there only when it is set; sizes are positive.
    at = "ItemBatcher/"
    max_items = typed_fields.integer(fields, "MaxItemsPerBatch", jsonata, at)
    max_bytes = typed_fields.integer(fields, "MaxInputBytesPerBatch", jsonata, at)
    own = {name: fields[name] for name in ("BatchInput",) if name in fields}
    shared = typed_fields.payload(own, "ItemBatcher", jsonata)

    def batch(env: Env) -> BatchPlan:
        plan = BatchPlan(max_items(env), max_bytes(env), shared(env))
        for name, value in (
            ("MaxItemsPerBatch", plan.max_items),
            ("MaxInputBytesPerBatch", plan.max_bytes),
        ):
            if value is not None and value < 1:
                raise runtime(f"field {name} must be positive")
        return plan

    return batch


def _writer(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], ResultTarget]:
    # Fact 284: a place to write to, a format, or both.
    arguments, config = _arguments(fields, jsonata, "ResultWriter"), fields.get("WriterConfig", {})

    def target(env: Env) -> ResultTarget:
        where = arguments(env)
        return ResultTarget(
            bucket=where.get("Bucket"),
            prefix=where.get("Prefix") or "",
            transformation=config.get("Transformation"),
            output_type=config.get("OutputType", "JSON"),
        )

    return target


def _arguments(fields: Mapping[str, Any], jsonata: bool, at: str) -> Closure:
    """Compile Parameters or Arguments of a reader or writer."""
    name = "Arguments" if jsonata else "Parameters"
    value = fields.get(name)
    return typed_fields.members({} if value is None else value, f"{at}/{name}", jsonata)
