"""Map: what belongs to distributed mode only, what a reader and a writer need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..definitions.documents import has_placeholder
from .findings import Found, Place, Rule, error, not_supported, required

_DISTRIBUTED_ONLY = (
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
)
_READERS = re.compile(r"arn:[^:]+:states:::s3:(?:getObject|listObjectsV2)")
_WRITERS = re.compile(r"arn:[^:]+:states:::s3:putObject")
_BATCH_SIZES = ("MaxItemsPerBatch", "MaxInputBytesPerBatch")


def _inline(fields: Mapping[str, Any], place: Place) -> Found:
    """Fields for data sets and tolerances need DISTRIBUTED mode (kumo#873, AWS's Map page)."""
    processor = fields.get("ItemProcessor", fields.get("Iterator"))
    if not isinstance(processor, Mapping):
        return
    config = processor.get("ProcessorConfig", {})
    if isinstance(config, Mapping) and config.get("Mode", "INLINE") == "INLINE":
        hint = 'it needs "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": …}'
        for name in _DISTRIBUTED_ONLY:
            if name in fields:
                yield not_supported(name, place, hint)


def _execution_type(fields: Mapping[str, Any], place: Place) -> Found:
    """ExecutionType: required in DISTRIBUTED mode, refused in INLINE (measured)."""
    mode = fields.get("Mode", "INLINE")
    if mode == "DISTRIBUTED" and "ExecutionType" not in fields:
        yield required(("ExecutionType",), place)
    elif mode == "INLINE" and "ExecutionType" in fields:
        yield not_supported("ExecutionType", place)


def _express(fields: Mapping[str, Any], place: Place) -> Found:
    if place.machine.express and fields.get("Mode") == "DISTRIBUTED":
        text = (
            "The field 'Mode' with value 'DISTRIBUTED' is not supported "
            "inside 'EXPRESS' state machines"
        )
        yield error(text, place.member("Mode"))


def _csv(fields: Mapping[str, Any], place: Place) -> Found:
    """CSV needs to know its headers; JSON has none (measured)."""
    kind, where = fields.get("InputType"), "CSVHeaderLocation"
    if kind == "CSV" and where not in fields:
        yield error(f"The field '{where}' is required", place)
    if kind == "JSON" and where in fields:
        yield not_supported(where, place)
    if fields.get(where) == "GIVEN" and "CSVHeaders" not in fields:
        yield required(("CSVHeaders",), place)


def _reader(fields: Mapping[str, Any], place: Place) -> Found:
    return _resource(fields, place, _READERS)


def _writer(fields: Mapping[str, Any], place: Place) -> Found:
    yield from _resource(fields, place, _WRITERS)
    payload = "Arguments" if place.jsonata else "Parameters"
    if "Resource" in fields and payload not in fields:
        yield required((payload,), place)


def _resource(fields: Mapping[str, Any], place: Place, allowed: re.Pattern[str]) -> Found:
    value = fields.get("Resource")
    if isinstance(value, str) and not has_placeholder(value) and not allowed.fullmatch(value):
        text = "The field 'Resource' does not match any of the allowed values"
        yield error(text, place.member("Resource"))


def _batch_size(fields: Mapping[str, Any], place: Place) -> Found:
    if not any(name in fields or f"{name}Path" in fields for name in _BATCH_SIZES):
        yield required(_BATCH_SIZES, place)


MAP_RULES: Mapping[str, tuple[Rule, ...]] = {
    "Map": (_inline,),
    "ProcessorConfig": (_execution_type, _express),
    "ItemReader": (_reader,),
    "ReaderConfig": (_csv,),
    "ItemBatcher": (_batch_size,),
    "ResultWriter": (_writer,),
}
