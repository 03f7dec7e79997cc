"""Map runs: the children of a distributed Map, what they read and what they write."""

from __future__ import annotations

from .executors import Child, ChildrenOwner, Executor, InlineExecutor, NewExecutor
from .readers import (
    UNREADABLE,
    Batch,
    batched,
    batches,
    failed,
    most_items,
    parse_items,
    read_items,
)
from .run import EXCEEDED, Counts, MapRun, exceeds
from .writers import export_result, failed_record, in_order

__all__ = [
    "EXCEEDED",
    "UNREADABLE",
    "Batch",
    "Child",
    "ChildrenOwner",
    "Counts",
    "Executor",
    "InlineExecutor",
    "MapRun",
    "NewExecutor",
    "batched",
    "batches",
    "exceeds",
    "export_result",
    "failed",
    "failed_record",
    "in_order",
    "most_items",
    "parse_items",
    "read_items",
]
