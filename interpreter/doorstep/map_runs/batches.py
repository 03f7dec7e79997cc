"""ItemSelector and ItemBatcher: from the items of a map run to the inputs of its children."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..engine.commands import BatchPlan, StartMapRun
from ..errors import StateFailed
from ..values.json_text import encoded
from .readers import Item


class Batch(NamedTuple):
    """A child's input, and how many items stand in it."""

    input: Any
    size: int


def batches(command: StartMapRun, items: Iterator[Item]) -> Iterator[Batch]:
    """The children's inputs in order: an item each, or {"BatchInput": …, "Items": […]}."""
    selected = (command.select(index, item.value, item.source) for index, item in enumerate(items))
    if command.batch is None:
        return (Batch(value, 1) for value in selected)
    return batched(command.batch, selected)


def batched(plan: BatchPlan, values: Iterator[Any]) -> Iterator[Batch]:
    """The children's inputs that an ItemBatcher makes of the items'."""
    empty = len(encoded({**plan.shared, "Items": []}))
    held: list[Any] = []
    size = empty
    for value in values:
        length = len(encoded(value)) + 1
        if plan.max_bytes is not None and empty + length > plan.max_bytes:
            raise StateFailed(
                "States.ItemReaderFailed",
                f"An item of {length} bytes does not fit into a batch of "
                f"MaxInputBytesPerBatch {plan.max_bytes}.",
            )
        full = plan.max_items is not None and len(held) >= plan.max_items
        if full or (held and plan.max_bytes is not None and size + length > plan.max_bytes):
            yield _batch(plan, held)
            held, size = [], empty
        held.append(value)
        size += length
    if held:
        yield _batch(plan, held)


def _batch(plan: BatchPlan, items: list[Any]) -> Batch:
    return Batch({**plan.shared, "Items": items}, len(items))
