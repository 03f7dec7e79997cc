"""Map runs: the children of a distributed Map, what they read and what they write."""

from __future__ import annotations

from .buckets import UNREADABLE, buckets_in, failed
from .executors import Child, ChildrenOwner, Executor, InlineExecutor, NewExecutor
from .formats import parse_items
from .readers import (
    Batch,
    MapItem,
    batched,
    batches,
    most_items,
    own_items,
    read_items,
)
from .remote import executor_named
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
    "MapItem",
    "MapRun",
    "NewExecutor",
    "batched",
    "batches",
    "buckets_in",
    "exceeds",
    "executor_named",
    "export_result",
    "failed",
    "failed_record",
    "in_order",
    "most_items",
    "own_items",
    "parse_items",
    "read_items",
]
