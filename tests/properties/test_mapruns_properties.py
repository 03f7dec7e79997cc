"""Laws of the distributed Map, for any items, concurrency, batches and failures."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import doorstep

LAW = settings(deadline=None, max_examples=60)
COUNTS = st.integers(0, 12)


def machine(concurrency: int, per_batch: int, failing_at_once: list[int]) -> dict[str, Any]:
    """Each item is checked, then worked on; those of `failing_at_once` fail without a call."""
    check = {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.Items[0]", "NumericEquals": item, "Next": "Bad"}
            for item in [*failing_at_once, -1]
        ],
        "Default": "Work",
    }
    work = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work",
        "End": True,
    }
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Check",
        "States": {"Check": check, "Bad": {"Type": "Fail", "Error": "Bad"}, "Work": work},
    }
    state = {
        "Type": "Map",
        "ItemProcessor": processor,
        "ItemBatcher": {"MaxItemsPerBatch": per_batch},
        "MaxConcurrency": concurrency,
        "End": True,
    }
    return {"StartAt": "All", "States": {"All": state}}


def batches(count: int, per_batch: int) -> list[dict[str, Any]]:
    items = list(range(count))
    return [{"Items": items[at : at + per_batch]} for at in range(0, count, per_batch)]


@LAW
@given(COUNTS, st.integers(0, 4), st.integers(1, 4), st.sets(COUNTS), st.integers(1, 9))
def test_a_redriven_map_run_with_healed_handlers_ends_as_the_one_that_never_failed(
    count: int, concurrency: int, per_batch: int, broken: set[int], delay: int
) -> None:
    succeeded: Counter[int] = Counter()
    left = set(broken)

    def work(event: Any) -> Any:
        (first, *_) = event["Items"]
        if first in left:
            left.discard(first)
            return doorstep.fail("Broken", after=first % delay)
        succeeded[first] += 1
        return doorstep.answer(event, after=(first * 7) % delay)

    definition = machine(concurrency, per_batch, [])
    execution = doorstep.start(definition, list(range(count)), {"work": work}, seed=1)
    execution.wait()
    for _ in range(len(broken)):
        if execution.status == "FAILED":
            execution.redrive()
            execution.wait()
    assert execution.output == batches(count, per_batch)
    firsts = {batch["Items"][0] for batch in batches(count, per_batch)}
    assert set(succeeded) == firsts


@LAW
@given(COUNTS, st.integers(0, 4), st.sets(COUNTS, min_size=1))
def test_every_child_that_began_has_ended_when_its_run_has_failed(
    count: int, concurrency: int, bad: set[int]
) -> None:
    states: dict[str, str] = {}

    def watch(run: doorstep.Execution, event: Any) -> None:
        states[run.arn] = run.status

    work = {"work": lambda event: doorstep.answer(event, after=5)}
    definition = machine(concurrency, 1, sorted(bad))
    execution = doorstep.run(definition, list(range(count)), work, seed=1, on_event=watch)
    failed = any(item < count for item in bad)
    assert execution.status == ("FAILED" if failed else "SUCCEEDED")
    assert "RUNNING" not in states.values()
