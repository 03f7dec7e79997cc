"""Distributed Maps at scale: what is held in memory, what a restart reads, where results go."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.map_runs import writers

WORK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Parameters": {"Bucket": "out", "Prefix": "p"},
}
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSONL"},
    "Parameters": {"Bucket": "in", "Key": "items.jsonl"},
}


def machine(states: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    states = states or {"Each": {**WORK, "End": True}}
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": next(iter(states)),
        "States": states,
    }
    state = {"Type": "Map", "Label": "L", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "All", "States": {"All": state}}


def put_items(root: Path, count: int) -> None:
    (root / "in").mkdir()
    (root / "in" / "items.jsonl").write_text("".join(f"{n}\n" for n in range(count)))


# Children that begin -----------------------------------------------------------------------------


def alive_at_most(states: dict[str, Any], items: int, **fields: Any) -> int:
    """Run a Map, and return how many children were between their first and last event at once."""
    open_now: set[str] = set()
    most = 0

    def watch(execution: doorstep.Execution, event: Any) -> None:
        nonlocal most
        if execution.map_run and event.type == "ExecutionStarted":
            open_now.add(execution.arn)
        elif execution.map_run and event.type == "ExecutionSucceeded":
            open_now.discard(execution.arn)
        most = max(most, len(open_now))

    definition = machine(states, **fields)
    run = doorstep.run(definition, [1] * items, {"work": lambda event: event}, on_event=watch)
    assert run.status == "SUCCEEDED"
    return most


def test_a_child_begins_when_those_before_it_have_had_their_turns() -> None:
    assert alive_at_most({"Each": {**WORK, "End": True}}, 100) <= 3


def test_children_that_wait_hold_up_nobody() -> None:
    wait = {"Type": "Wait", "Seconds": 60, "End": True}
    assert alive_at_most({"Each": wait}, 100) == 100


def test_as_many_children_wait_as_max_concurrency_allows() -> None:
    wait = {"Type": "Wait", "Seconds": 60, "End": True}
    assert alive_at_most({"Each": wait}, 100, MaxConcurrency=7) == 7


# Restarts ----------------------------------------------------------------------------------------

SELECTOR = {"n.$": "$$.Map.Item.Value", "r.$": "States.UUID()"}


@pytest.mark.parametrize("batch", [None, 3])
def test_a_restart_selects_only_the_items_that_no_child_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int | None
) -> None:
    put_items(tmp_path, 20)
    selected: list[int] = []
    from doorstep.asl import map as map_module

    whole = map_module._whole_item

    def select(env: Any, item: dict[str, Any]) -> Any:
        selected.append(item["Index"])
        return whole(env, item)

    monkeypatch.setattr(map_module, "_whole_item", select)
    fields = {"ItemBatcher": {"MaxItemsPerBatch": batch}} if batch else {}
    definition = machine(ItemReader=READER, MaxConcurrency=1, **fields)
    calls: list[Any] = []

    def work(event: Any) -> Any:
        calls.append(event)
        return event

    journal = tmp_path / "j"
    options: dict[str, Any] = {"s3_root": tmp_path, "journal": journal, "seed": 1}
    doorstep.run(definition, {}, {"work": work}, **options)
    # The process ends when the fourth child has got its answer.
    lines = journal.read_bytes().splitlines(keepends=True)
    answers = [n for n, line in enumerate(lines) if line.startswith(b'["fact","succeeded"')]
    journal.write_bytes(b"".join(lines[: answers[3] + 1]))
    selected.clear()
    calls.clear()
    execution = doorstep.run(definition, {}, {"work": work}, **options)
    items = [n for one in execution.output for n in (one["Items"] if batch else [one])]
    assert items == list(range(20))
    left = list(range(4 * (batch or 1), 20))
    assert selected == left
    assert [n for one in calls for n in (one["Items"] if batch else [one])] == left


def test_a_journal_is_read_without_holding_the_children_that_have_ended(tmp_path: Path) -> None:
    definition = machine(ToleratedFailurePercentage=100)
    bad = set(range(0, 60, 2))

    def work(event: Any) -> Any:
        if event in bad:
            raise doorstep.fail("Boom", "half \ud83d of a pair")
        return event

    journal = tmp_path / "j"
    doorstep.run(definition, list(range(60)), {"work": work}, journal=journal, seed=1)
    from doorstep.runtime.journal_file import JournalFile

    stored = JournalFile(journal)
    earlier = stored._earlier
    assert len(earlier.journals) == 1
    statuses = Counter(one.status for one in map(earlier.ended, range(60)) if one)
    assert statuses == {"SUCCEEDED": 30, "FAILED": 30}
    stored.close()


def test_a_redrive_after_a_restart_runs_the_failed_children_only(tmp_path: Path) -> None:
    broken = {3, 4}
    calls: list[int] = []

    def work(event: Any) -> Any:
        calls.append(event)
        if event in broken:
            raise doorstep.fail("Boom")
        return event * 10

    options: dict[str, Any] = {"journal": tmp_path / "j", "seed": 1}
    definition = machine(ToleratedFailureCount=1, MaxConcurrency=1)
    first = doorstep.run(definition, list(range(6)), {"work": work}, **options)
    assert first.status == "FAILED"
    broken.clear()
    calls.clear()
    with doorstep.start(definition, list(range(6)), {"work": work}, **options) as again:
        again.redrive()
        assert again.wait().output == [0, 10, 20, 30, 40, 50]
    assert sorted(calls) == [3, 4, 5]
    # And once more, of what the journal has now.
    assert doorstep.run(definition, list(range(6)), {}, **options).output[3] == 30


# Results -----------------------------------------------------------------------------------------


def run_export(root: Path, outputs: list[Any], **config: Any) -> dict[str, list[str]]:
    """Return the texts of the files of results, by status."""
    writer = {**WRITER, "WriterConfig": config} if config else WRITER
    definition = machine(ResultWriter=writer, ToleratedFailurePercentage=100)

    def work(event: Any) -> Any:
        if event == "bad":
            raise doorstep.fail("Boom")
        return event

    execution = doorstep.run(definition, outputs, {"work": work}, s3_root=root)
    assert execution.status == "SUCCEEDED", execution.cause
    manifest = json.loads(
        (root / "out" / execution.output["ResultWriterDetails"]["Key"]).read_text()
    )
    texts: dict[str, list[str]] = {}
    for status, files in manifest["ResultFiles"].items():
        texts[status] = [(root / "out" / one["Key"]).read_text() for one in files]
        assert [one["Size"] for one in files] == [len(text) for text in texts[status]]
        assert [one["Key"].rpartition("/")[2] for one in files] == [
            f"{status}_{n}.{config.get('OutputType', 'JSON').lower()}" for n in range(len(files))
        ]
    return texts


def test_files_of_results_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fact 284: at 5 GB; here at 20 bytes."""
    monkeypatch.setattr(writers, "MAX_FILE", 20)
    outputs = ["aaaa", "bbbb", "cccc", "bad", "dddddddddddddddddddddddd", "e"]
    texts = run_export(tmp_path, outputs, Transformation="COMPACT", OutputType="JSON")
    assert texts["SUCCEEDED"] == [
        '["aaaa","bbbb"]',
        '["cccc"]',
        '["dddddddddddddddddddddddd"]',
        '["e"]',
    ]
    assert len(texts["FAILED"]) == 1
    assert json.loads(texts["FAILED"][0])[0]["Status"] == "FAILED"


def test_json_lines_of_flattened_arrays_are_cut_between_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "MAX_FILE", 9)
    texts = run_export(tmp_path, [[1, 22], 333, []], Transformation="FLATTEN", OutputType="JSONL")
    assert texts["SUCCEEDED"] == ["1\n22\n333\n"]
    monkeypatch.setattr(writers, "MAX_FILE", 8)
    texts = run_export(tmp_path, [[1, 22], 333, []], Transformation="FLATTEN", OutputType="JSONL")
    assert texts["SUCCEEDED"] == ["1\n22\n", "333\n"]


@pytest.mark.parametrize(
    ("size", "status"), [(131_000, "SUCCEEDED"), (131_100, "FAILED"), (200_000, "FAILED")]
)
def test_a_result_that_can_not_fit_fails_the_state(size: int, status: str) -> None:
    """Fact 291: two outputs, 262,144 bytes in all."""
    execution = doorstep.run(
        machine(), [1, 2], {"work": lambda event: "x" * size}, quotas={"payload_bytes": 262_144}
    )
    assert execution.status == status
    if status == "FAILED":
        assert execution.error == "States.DataLimitExceeded"
        kinds = [event["type"] for event in execution.history]
        assert kinds[4:] == [
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateFailed",
            "ExecutionFailed",
        ]


def test_a_lifted_quota_lets_any_result_through() -> None:
    execution = doorstep.run(
        machine(), [1, 2], {"work": lambda event: "x" * 200_000}, quotas={"payload_bytes": None}
    )
    assert [len(one) for one in execution.output] == [200_000] * 2


def test_tolerated_failures_that_can_not_fit_are_no_longer_a_result() -> None:
    def work(event: Any) -> Any:
        raise doorstep.fail("Boom", "c" * 30_000)

    definition = machine(ToleratedFailurePercentage=100)
    execution = doorstep.run(definition, list(range(20)), {"work": work})
    assert execution.error == "States.DataLimitExceeded"
