"""The distributed Map for `python benchmarks`: microseconds an item, and how they grow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import Growth, Row, Work, cost

import doorstep

SIZES = (1_000, 10_000, 20_000, 100_000)


def definition(mode: str = "EXPRESS", **fields: Any) -> dict[str, Any]:
    """Return a Map over JSON Lines whose children are one task each, with a ResultWriter."""
    task = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
    state = {
        "Type": "Map",
        "Label": "Items",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Parameters": {"Bucket": "in", "Key": "items.jsonl"},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "out", "Prefix": "results"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": mode},
            "StartAt": "Work",
            "States": {"Work": {**task, "End": True}},
        },
        "End": True,
        **fields,
    }
    return {"StartAt": "Each", "States": {"Each": state}}


def written(root: Path, items: int) -> Path:
    """Write a file of so many items, {"n": 0} and so on; return the folder of the buckets."""
    (root / "in").mkdir()
    with (root / "in" / "items.jsonl").open("w") as file:
        file.writelines(f'{{"n": {number}}}\n' for number in range(items))
    return root


def run(items: int) -> Callable[[], object]:
    """Return what runs a Map of so many items, with a handler that does nothing."""

    def once() -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = written(Path(folder), items)
            options: dict[str, Any] = {"s3_root": root, "seed": 1}
            execution = doorstep.run(definition(), {}, {"work": lambda event: event}, **options)
            assert execution.status == "SUCCEEDED", execution.cause

    return once


def by_hand(items: int) -> Work:
    """Return the floor: the same lines read, handed to a function, and their results written."""
    import json

    def once() -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = written(Path(folder), items)
            with (root / "in" / "items.jsonl").open() as lines, (root / "out").open("w") as out:
                for line in lines:
                    out.write(json.dumps({"Input": line, "Output": json.dumps(json.loads(line))}))

    return cost(once, "µs an item", items)


def rows() -> list[Row]:
    """Return what is measured of the distributed Map."""
    return [
        Row(
            f"distributed Map of {size:,}",
            "µs an item",
            cost(run(size), "µs an item", size),
            by_hand(size),
            goal="60 µs, flat to a million",
        )
        for size in SIZES
    ]


def growths() -> list[Growth]:
    """Return how the cost of a distributed Map grows with its items."""
    return [Growth("items of a distributed Map", (1_000, 10_000), run)]
