"""The fields of a Map compiled: MaxConcurrency, ItemReader, ItemBatcher, ResultWriter, …"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..engine.messages import BatchPlan
from ..errors import runtime
from ..model.definition import State, processor_config
from . import fields as typed_fields
from . import jsonata_fields, jsonpath_fields
from .context import Env
from .data_flow import Closure, Leave, compile_input
from .distributed_map import MapPlan, item_source, result_target
from .states import ScopeProgram


def map_plan(
    state: State,
    processor: ScopeProgram,
    items: Closure,
    select: Callable[[Env, dict[str, Any]], Any],
    leave: Leave,
) -> MapPlan:
    """The fields of a Map, compiled; what is common to both modes is given."""
    fields, jsonata = state.fields, state.jsonata
    reader, batcher, writer = (
        fields.get(name) for name in ("ItemReader", "ItemBatcher", "ResultWriter")
    )
    return MapPlan(
        state=state.name,
        # It becomes part of ARNs, which are UTF-8: half of a surrogate pair is none.
        label=(fields.get("Label") or state.name).encode("utf-8", "replace").decode(),
        items=items,
        effective=compile_input(fields),
        reader=_reader(reader, jsonata) if reader else None,
        select=select,
        batch=_batcher(batcher, jsonata) if batcher else None,
        writer=_writer(writer, jsonata) if writer else None,
        processor=processor,
        execution_type=processor_config(state).get("ExecutionType", "STANDARD"),
        concurrency=typed_fields.count(fields, "MaxConcurrency", jsonata),
        tolerated_count=typed_fields.count(fields, "ToleratedFailureCount", jsonata),
        tolerated_percentage=typed_fields.percentage(fields, "ToleratedFailurePercentage", jsonata),
        leave=leave,
    )


def _arguments(
    fields: Mapping[str, Any], jsonata: bool, at: str
) -> Callable[[Env], Mapping[str, Any]] | None:
    """Parameters or Arguments of a reader or writer."""
    if jsonata:
        given = fields.get("Arguments")
        return jsonata_fields.value(given, f"{at}/Arguments") if given is not None else None
    given = fields.get("Parameters")
    return jsonpath_fields.template(given) if given is not None else None


def _reader(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], Any]:
    config = dict(fields.get("ReaderConfig", {}))
    max_items = typed_fields.integer(config, "MaxItems", jsonata, "ItemReader/ReaderConfig/")
    arguments = _arguments(fields, jsonata, "ItemReader") or (lambda _: {})
    return item_source(fields["Resource"], arguments, config, max_items)


def _batcher(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], BatchPlan]:
    at = "ItemBatcher/"
    max_items = typed_fields.integer(fields, "MaxItemsPerBatch", jsonata, at)
    max_bytes = typed_fields.integer(fields, "MaxInputBytesPerBatch", jsonata, at)
    shared: Closure = lambda _: {}  # noqa: E731
    if "BatchInput" in fields:
        given = {"BatchInput": fields["BatchInput"]}
        make = (
            jsonata_fields.value(given, "ItemBatcher")
            if jsonata
            else jsonpath_fields.template(given)
        )
        shared = make

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


def _writer(fields: Mapping[str, Any], jsonata: bool) -> Callable[[Env], Any]:
    arguments = _arguments(fields, jsonata, "ResultWriter")
    return result_target(arguments, fields.get("WriterConfig", {}))
