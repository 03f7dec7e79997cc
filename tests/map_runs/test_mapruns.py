"""Distributed Map: readers, batches, writers and tolerances, with a folder for the buckets."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.engine import Identity
from doorstep.map_runs import formats

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
READ = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
WRITE = "arn:aws:states:::s3:putObject"
WORK = {"Type": "Task", "Resource": FUNCTION + "work", "End": True}
PASS = {"Type": "Pass", "End": True}
NO_SUCH_PATH = (
    "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure."
)


def machine(child: dict[str, Any] = PASS, mode: str = "STANDARD", **fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": mode},
        "StartAt": "Each",
        "States": {"Each": child},
    }
    state = {"Type": "Map", "Label": "Items", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "All", "States": {"All": state}}


def reader(key: str = "items.json", *, bucket: str = "in", **config: Any) -> dict[str, Any]:
    parameters = {"Bucket": bucket, "Key": key}
    return {"Resource": READ, "Parameters": parameters, "ReaderConfig": config}


def put(root: Path, key: str, body: str, bucket: str = "in") -> Path:
    path = root / bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body, encoding="utf-8")
    return path


def read(root: Path, item_reader: dict[str, Any], data: Any = None, **fields: Any) -> Any:
    execution = doorstep.run(machine(ItemReader=item_reader, **fields), data, s3_root=root)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output


def refused(root: Path | None, item_reader: dict[str, Any], **fields: Any) -> tuple[Any, Any]:
    execution = doorstep.run(machine(ItemReader=item_reader, **fields), s3_root=root)
    assert execution.status == "FAILED"
    return execution.error, execution.cause


def failing(*values: Any) -> dict[str, Callable[..., Any]]:
    """A handler that fails for these inputs and gives back the others."""

    def work(event: Any) -> Any:
        if event in values:
            raise doorstep.fail("Boom", str(event))
        return event

    return {"work": work}


def shown(execution: doorstep.Execution) -> list[str]:
    return [f"{e['id']}<-{e['previousEventId']} {e['type']}" for e in execution.history]


# The run -----------------------------------------------------------------------------------------


def test_the_history_of_a_map_run() -> None:
    execution = doorstep.run(machine(), [1, 2, 3])
    assert execution.output == [1, 2, 3]
    # Recorded: test_map_state_config_distributed_item_selector_parameters.
    assert shown(execution) == [
        "1<-0 ExecutionStarted",
        "2<-0 MapStateEntered",
        "3<-2 MapStateStarted",
        "4<-3 MapRunStarted",
        "5<-4 MapRunSucceeded",
        "6<-5 MapStateSucceeded",
        "7<-4 MapStateExited",
        "8<-7 ExecutionSucceeded",
    ]
    assert execution.history[2]["mapStateStartedEventDetails"] == {"length": 3}
    arn = execution.history[3]["mapRunStartedEventDetails"]["mapRunArn"]
    assert arn.startswith("arn:aws:states:us-east-1:123456789012:mapRun:StateMachine/Items:")


UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.mark.parametrize("name", ["Each reading, once", "a/b", "\ud83d\ude00 \ud83d"])
@pytest.mark.parametrize("mode", ["STANDARD", "EXPRESS"])
def test_a_map_without_a_label_has_a_uuid_in_its_arns(name: str, mode: str) -> None:
    """Fact 282, recorded: in those of the map run, of the children and of their machine."""
    show = {"Type": "Pass", "Parameters": {"arn.$": "$$.Execution.Id", "m.$": "$$.StateMachine.Id"}}
    definition = machine({**show, "End": True}, mode)
    state = definition["States"]["All"]
    del state["Label"]
    labels = set()
    for execution_name in ("first", "second"):
        definition = {"StartAt": name, "States": {name: state}}
        execution = doorstep.run(definition, [1], name=execution_name)
        (run,) = [e for e in execution.history if e["type"] == "MapRunStarted"]
        arn = run["mapRunStartedEventDetails"]["mapRunArn"]
        (child,) = execution.output
        kind = "execution" if mode == "STANDARD" else "express"
        for text, before in ((arn, "mapRun"), (child["arn"], kind), (child["m"], "stateMachine")):
            match = re.search(f":{before}:StateMachine/({UUID})(:|$)", text)
            assert match, text
            labels.add(match[1])
    assert len(labels) == 1  # the label of a machine's state, not of one run


def test_maps_of_one_machine_and_of_several_have_labels_of_their_own() -> None:
    one, other = Identity("a", "1"), Identity("b", "2", machine="Other")
    assert len({one.label_of("A"), one.label_of("B"), other.label_of("A")}) == 3


def test_an_empty_map_run_succeeds() -> None:
    assert doorstep.run(machine(), []).output == []


def test_a_child_is_an_execution_of_its_own() -> None:
    seen: list[str] = []
    child = {
        "Type": "Pass",
        "Parameters": {
            "execution.$": "$$.Execution.Id",
            "machine.$": "$$.StateMachine.Id",
            "input.$": "$$.Execution.Input",
        },
        "End": True,
    }
    execution = doorstep.run(
        machine(child), ["a", "b"], on_event=lambda run, event: seen.append(run.arn)
    )
    first, second = execution.output
    prefix = "arn:aws:states:us-east-1:123456789012:"
    assert first["execution"].startswith(f"{prefix}execution:StateMachine/Items:")
    assert first["machine"] == f"{prefix}stateMachine:StateMachine/Items"
    assert (first["input"], second["input"]) == ("a", "b")
    assert {first["execution"], second["execution"], execution.arn} == set(seen)


def test_children_do_not_see_the_variables_around_them() -> None:
    child = {"Type": "Pass", "Parameters": {"v.$": "$outer"}, "End": True}
    definition = machine(child)
    definition["StartAt"] = "Set"
    definition["States"]["Set"] = {"Type": "Pass", "Assign": {"outer": 1}, "Next": "All"}
    failures: list[Any] = []

    def watch(run: doorstep.Execution, event: Any) -> None:
        failures.extend([run.error] if event.type == "ExecutionFailed" else [])

    execution = doorstep.run(definition, [1], on_event=watch)
    assert failures == ["States.Runtime", "States.ExceedToleratedFailureThreshold"]
    assert execution.status == "FAILED"


def test_express_children_run_as_well() -> None:
    child = {"Type": "Pass", "InputPath": "$$.Execution.Id", "End": True}
    (arn,) = doorstep.run(machine(child, "EXPRESS"), [1]).output
    assert ":express:StateMachine/Items:" in arn


def test_no_more_children_run_at_once_than_max_concurrency_allows() -> None:
    running: set[str] = set()
    most = []

    def watch(run: doorstep.Execution, event: Any) -> None:
        if "/Items:" in run.arn:
            (running.discard if run.ended else running.add)(run.arn)
            most.append(len(running))

    child = {"Type": "Wait", "Seconds": 10, "End": True}
    execution = doorstep.run(machine(child, MaxConcurrency=3), list(range(10)), on_event=watch)
    assert execution.output == list(range(10))
    assert max(most) == 3


def test_the_outputs_stand_in_the_order_of_the_items_whoever_ends_first() -> None:
    work = {"work": lambda event: doorstep.answer(event, after=10 - event)}
    assert doorstep.run(machine(WORK), [1, 2, 3], work).output == [1, 2, 3]


def test_the_item_selector_sees_item_index_source_and_the_states_input() -> None:
    selector = {
        "item.$": "$$.Map.Item.Value",
        "index.$": "$$.Map.Item.Index",
        "source.$": "$$.Map.Item.Source",
        "rate.$": "$.rate",
    }
    definition = machine(ItemsPath="$.items", ItemSelector=selector)
    assert doorstep.run(definition, {"items": ["a", "b"], "rate": 7}).output == [
        {"item": "a", "index": 0, "source": "STATE_DATA", "rate": 7},
        {"item": "b", "index": 1, "source": "STATE_DATA", "rate": 7},
    ]


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_after_a_map_the_item_is_again_that_of_the_map_around_it(mode: str) -> None:
    """AWS's page of the context object: the item that is being processed."""
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    inner = {
        "Type": "Map",
        "Items": [7, 8],
        "ItemProcessor": {
            "ProcessorConfig": config,
            "StartAt": "Each",
            "States": {"Each": {"Type": "Succeed"}},
        },
        "Output": "{% $states.context.Map.Item.Value %}",
        "End": True,
    }
    outer = {
        "Type": "Map",
        "Items": ["a", "b"],
        "ItemProcessor": {"StartAt": "Inner", "States": {"Inner": inner}},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Outer", "States": {"Outer": outer}}
    assert doorstep.run(definition).output == ["a", "b"]


def test_a_map_run_that_fails_before_it_has_children_keeps_its_events_in_order() -> None:
    told: list[int] = []
    execution = doorstep.run(
        machine(ItemReader=reader()), on_event=lambda run, event: told.append(event.id)
    )
    # Recorded: test_map_item_reader_json_no_json_list_object.
    assert shown(execution)[2:] == [
        "3<-2 MapStateStarted",
        "4<-3 MapRunStarted",
        "5<-4 MapRunFailed",
        "6<-5 MapStateFailed",
        "7<-6 ExecutionFailed",
    ]
    assert told == [1, 2, 3, 4, 5, 6, 7]


# Readers -----------------------------------------------------------------------------------------


def test_csv_with_its_headers_in_the_first_row(tmp_path: Path) -> None:
    body = 'id,name\n1,"Ada, Countess"\n2,"say ""hi"""\n3,"back\\"slash"\n'
    put(tmp_path, "a.csv", body)
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    assert read(tmp_path, reader("a.csv", **config)) == [
        {"id": "1", "name": "Ada, Countess"},
        {"id": "2", "name": 'say "hi"'},
        {"id": "3", "name": 'back"slash'},
    ]


def test_csv_rows_that_are_too_short_or_too_long(tmp_path: Path) -> None:
    # Recorded: short rows are filled with "", surplus cells are dropped.
    put(tmp_path, "a.csv", "a,b\n1\n1,2,3\n")
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    assert read(tmp_path, reader("a.csv", **config)) == [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("delimiter", "char"),
    [("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("SPACE", " "), ("TAB", "\t")],
)
def test_csv_with_given_headers_and_another_delimiter(
    tmp_path: Path, delimiter: str, char: str
) -> None:
    put(tmp_path, "a.csv", f"1{char}x\r\n2{char}y\r\n")
    config = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["n", "v"]}
    config["CSVDelimiter"] = delimiter
    expected = [{"n": "1", "v": "x"}, {"n": "2", "v": "y"}]
    assert read(tmp_path, reader("a.csv", **config)) == expected


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('{""id"":""7""}', '{"id":"7"}'),
        ('size 5""', 'size 5"'),
        ('"he said ""no"""', 'he said "no"'),
        ('"two """" quotes"', 'two "" quotes'),
        ('a""b,"x, """" y"', 'a"b|x, "" y'),
        ('"first\n"""" line",b""', 'first\n"" line|b"'),
    ],
)
def test_two_quotes_in_a_cell_that_is_not_quoted_stand_for_one(
    tmp_path: Path, cell: str, value: str
) -> None:
    """Fact 150, from AWS's documentation."""
    put(tmp_path, "in.csv", f'h""1,h2\n{cell}\nplain,""\n')
    first, second = read(tmp_path, reader("in.csv", InputType="CSV", CSVHeaderLocation="FIRST_ROW"))
    assert list(first) == ['h"1', "h2"]
    assert "|".join(filter(None, first.values())) == value
    assert second == {'h"1': "plain", "h2": ""}


def test_csv_headers_that_occur_twice(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "a,a\n1,2\n")
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    # Recorded: test_map_item_reader_csv_headers_decl_duplicate_headers.
    assert refused(tmp_path, reader("a.csv", **config)) == (
        "States.ItemReaderFailed",
        "CSV headers cannot contain duplicates.",
    )


def test_json_and_json_lines(tmp_path: Path) -> None:
    put(tmp_path, "items.json", '[1, {"a": null}, "x"]')
    put(tmp_path, "items.jsonl", '{"a": 1}\n\n{"a": 2}\n')
    assert read(tmp_path, reader(InputType="JSON")) == [1, {"a": None}, "x"]
    lines = reader("items.jsonl", InputType="JSONL")
    assert read(tmp_path, lines) == [{"a": 1}, {"a": 2}]


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    path = put(tmp_path, "items.json.gz", "")
    path.write_bytes(gzip.compress(b"[1, 2]"))
    assert read(tmp_path, reader("items.json.gz", InputType="JSON")) == [1, 2]


def test_items_pointer_finds_the_array(tmp_path: Path) -> None:
    put(tmp_path, "items.json", '{"a/b": {"m~n": [{"x": [7, 8]}]}}')
    config = {"InputType": "JSON", "ItemsPointer": "/a~1b/m~0n/0/x"}
    assert read(tmp_path, reader(**config)) == [7, 8]


@pytest.mark.parametrize(
    ("pointer", "cause"),
    [
        ("/none", NO_SUCH_PATH),
        ("/number", "Attempting to map over non-iterable node."),
        ("", "Attempting to map over non-iterable node."),
    ],
)
def test_a_pointer_that_finds_no_array(tmp_path: Path, pointer: str, cause: str) -> None:
    put(tmp_path, "items.json", '{"number": 1}')
    config = {"InputType": "JSON"} | ({"ItemsPointer": pointer} if pointer else {})
    # Recorded: test_map_item_reader_json_no_json_list_object.
    assert refused(tmp_path, reader(**config)) == ("States.ItemReaderFailed", cause)


def test_a_version_of_a_parquet_file_can_not_be_read() -> None:
    """Fact 148, recorded: before the bucket is looked at."""
    versioned = reader("items.parquet", InputType="PARQUET")
    versioned["Parameters"]["VersionId"] = "7"
    assert refused(None, versioned) == (
        "States.ItemReaderFailed",
        "S3 Version ID selection is not currently supported for PARQUET files",
    )


def test_a_damaged_line_fails_the_run(tmp_path: Path) -> None:
    put(tmp_path, "items.jsonl", "1\n{broken\n")
    error, cause = refused(tmp_path, reader("items.jsonl", InputType="JSONL"))
    assert error == "States.ItemReaderFailed"
    assert "not valid JSON" in cause


PACKED = gzip.compress(b"[1, 2, 3]" * 1000)
HOSTILE = {
    "cut.json.gz": PACKED[: len(PACKED) // 2],
    "headless.json.gz": PACKED[:5],
    "damaged.json.gz": PACKED[:20] + b"\xff" * 20 + PACKED[40:],
    "plain.json.gz": b"[1, 2]",
    "latin.json": b'["\xe9"]',
    "wide.json": "[1]".encode("utf-16"),
    "deep.json": b"[" * 100_000,
    "digits.json": b"[" + b"1" * 5_000 + b"]",
    "huge.json": b"[1e400]",
    "line.jsonl": b'"' + b"x" * formats.MAX_ITEM_BYTES + b'"',
    "line.csv": b"a\n" + b"x" * (formats.MAX_ITEM_BYTES + 1),
    "nul.csv": b"a,b\n1,\xff\x00\n",
}


@pytest.mark.parametrize("key", HOSTILE)
def test_a_file_that_can_not_be_read_fails_the_run_and_is_named(tmp_path: Path, key: str) -> None:
    put(tmp_path, key, "").write_bytes(HOSTILE[key])
    kind = Path(key.removesuffix(".gz")).suffix[1:].upper()
    config = {"CSVHeaderLocation": "FIRST_ROW"} if kind == "CSV" else {}
    error, cause = refused(tmp_path, reader(key, InputType=kind, **config))
    assert error == "States.ItemReaderFailed"
    assert key in cause or "at most" in cause
    assert len(cause) < 500


def test_a_packed_file_unfolds_no_further_than_memory_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "MAX_ITEM_BYTES", 1_000)
    put(tmp_path, "bomb.json.gz", "").write_bytes(gzip.compress(b'["' + b"x" * 100_000 + b'"]'))
    error, cause = refused(tmp_path, reader("bomb.json.gz", InputType="JSON"))
    assert (error, "1,000 characters at most" in cause) == ("States.ItemReaderFailed", True)


@pytest.mark.parametrize("key", ["a\0b", "\ud800", "k" * 300, "k/" * 3_000, "."])
def test_a_key_that_no_file_can_have_fails_the_run(tmp_path: Path, key: str) -> None:
    put(tmp_path, "items.json", "[1]")
    error, cause = refused(tmp_path, reader(key, InputType="JSON"))
    assert error == "States.ItemReaderFailed"
    assert len(cause) < 7_000


def test_a_csv_may_have_large_fields(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", f"a\n{'x' * 200_000}\n")
    config = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}
    (item,) = read(tmp_path, reader("a.csv", **config))
    assert len(item["a"]) == 200_000


def test_half_a_surrogate_pair_goes_through_batches_and_files(tmp_path: Path) -> None:
    put(tmp_path, "items.json", r'["\ud800"]')
    definition = machine(
        ItemReader=reader(InputType="JSON"),
        ItemBatcher={"MaxItemsPerBatch": 2, "MaxInputBytesPerBatch": 1000},
        ResultWriter=writer(Transformation="COMPACT", OutputType="JSONL"),
    )
    execution = doorstep.run(definition, {}, s3_root=tmp_path)
    assert execution.status == "SUCCEEDED", execution.cause
    assert json.loads(written(tmp_path, execution)["SUCCEEDED"][0]) == {"Items": ["\ud800"]}


def test_objects_are_listed_with_their_metadata(tmp_path: Path) -> None:
    path = put(tmp_path, "b/two.txt", "two")
    put(tmp_path, "b/one.txt", "1")
    put(tmp_path, "other.txt", "")
    os.utime(path, (1_700_000_000, 1_700_000_000.5))
    listing = {"Resource": LIST, "Parameters": {"Bucket": "in", "Prefix": "b/"}}
    one, two = read(tmp_path, listing)
    assert (one["Key"], two["Key"]) == ("b/one.txt", "b/two.txt")
    # Fact 119: Etag keeps its quotes, LastModified is a float.
    assert two == {
        "Etag": f'"{hashlib.md5(b"two", usedforsecurity=False).hexdigest()}"',
        "Key": "b/two.txt",
        "LastModified": 1_700_000_000.0,
        "Size": 3,
        "StorageClass": "STANDARD",
    }
    assert len(read(tmp_path, {"Resource": LIST, "Parameters": {"Bucket": "in"}})) == 3


@pytest.mark.parametrize(
    ("item_reader", "source"),
    [
        (reader(InputType="JSON"), "s3://in/items.json"),
        ({"Resource": LIST, "Parameters": {"Bucket": "in"}}, "s3://in"),
    ],
)
def test_an_item_knows_its_source(tmp_path: Path, item_reader: dict[str, Any], source: str) -> None:
    put(tmp_path, "items.json", "[1]")
    selector = {"source.$": "$$.Map.Item.Source"}
    assert read(tmp_path, item_reader, ItemSelector=selector) == [{"source": source}]


@pytest.mark.parametrize(
    ("config", "count"), [({"MaxItems": 2}, 2), ({"MaxItemsPath": "$.n"}, 3), ({}, 5)]
)
def test_max_items_takes_the_first_so_many(
    tmp_path: Path, config: dict[str, Any], count: int
) -> None:
    put(tmp_path, "items.json", "[0, 1, 2, 3, 4]")
    # Recorded: a number in a string is taken for MaxItemsPath.
    items = read(tmp_path, reader(InputType="JSON", **config), {"n": "3"})
    assert items == list(range(count))


def test_a_negative_number_of_items_fails_the_run(tmp_path: Path) -> None:
    put(tmp_path, "items.json", "[0]")
    definition = machine(ItemReader=reader(InputType="JSON", MaxItemsPath="$.n"))
    execution = doorstep.run(definition, {"n": -1}, s3_root=tmp_path)
    # Recorded: test_map_item_reader_csv_max_items_paths.
    assert (execution.error, execution.cause) == (
        "States.ItemReaderFailed",
        "field MaxItems must be positive",
    )


def test_with_a_reader_the_length_is_not_known(tmp_path: Path) -> None:
    put(tmp_path, "items.json", "[1, 2]")
    execution = doorstep.run(machine(ItemReader=reader(InputType="JSON")), s3_root=tmp_path)
    assert execution.history[2]["mapStateStartedEventDetails"] == {"length": 0}


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("in", "../secret.json"),
        ("in", "/etc/hostname"),
        ("in", "a/../../secret.json"),
        ("..", "secret.json"),
        (".", "secret.json"),
        ("in/../..", "secret.json"),
    ],
)
def test_nothing_outside_of_the_folder_is_read(tmp_path: Path, bucket: str, key: str) -> None:
    root = tmp_path / "buckets"
    put(root, "inside.json", "[1]")
    (tmp_path / "secret.json").write_text("[42]")
    (root / "secret.json").write_text("[42]")
    error, cause = refused(root, reader(key, bucket=bucket, InputType="JSON"))
    assert error == "States.ItemReaderFailed"
    assert "is outside the folder that stands for the buckets" in cause


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "buckets"
    put(root, "inside.json", "[1]")
    (tmp_path / "secret.json").write_text("[42]")
    (root / "in" / "link.json").symlink_to(tmp_path / "secret.json")
    assert refused(root, reader("link.json", InputType="JSON"))[0] == "States.ItemReaderFailed"
    listing = {"Resource": LIST, "Parameters": {"Bucket": "in"}}
    listing["ReaderConfig"] = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}
    execution = doorstep.run(machine(ItemReader=listing), s3_root=root)
    assert 42 not in (execution.output or [])


def test_no_folder_for_the_buckets_says_how_to_give_one() -> None:
    error, cause = refused(None, reader(InputType="JSON"))
    assert error == "States.ItemReaderFailed"
    assert "--s3-root DIR" in cause


def test_every_listed_object_can_be_loaded(tmp_path: Path) -> None:
    put(tmp_path, "a.json", "[1, 2]")
    put(tmp_path, "b.json", "[3]")
    listing = {"Resource": LIST, "Parameters": {"Bucket": "in"}}
    listing["ReaderConfig"] = {"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"}
    assert read(tmp_path, listing) == [1, 2, 3]


# Batches -----------------------------------------------------------------------------------------


def test_items_are_put_into_batches() -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"rate.$": "$.rate"}}
    definition = machine(ItemsPath="$.items", ItemBatcher=batcher)
    assert doorstep.run(definition, {"items": [1, 2, 3], "rate": 7}).output == [
        {"BatchInput": {"rate": 7}, "Items": [1, 2]},
        {"BatchInput": {"rate": 7}, "Items": [3]},
    ]


def test_a_batch_without_an_input_of_its_own_has_items_only() -> None:
    assert doorstep.run(machine(ItemBatcher={"MaxItemsPerBatch": 9}), [1, 2]).output == [
        {"Items": [1, 2]}
    ]


def test_a_batch_is_no_larger_than_its_bytes_allow() -> None:
    definition = machine(ItemBatcher={"MaxInputBytesPerBatch": 60})
    items = ["é" * 10 for _ in range(5)]
    sent = doorstep.run(definition, items).output
    sizes = [len(json.dumps(s, ensure_ascii=False, separators=(",", ":")).encode()) for s in sent]
    assert max(sizes) <= 60
    assert [item for batch in sent for item in batch["Items"]] == items
    # 12 bytes of envelope, 22 of each item and a comma: two fit.
    assert [len(batch["Items"]) for batch in sent] == [2, 2, 1]


def test_an_item_that_fits_into_no_batch_fails_the_run() -> None:
    definition = machine(ItemBatcher={"MaxInputBytesPerBatch": 20})
    execution = doorstep.run(definition, ["short", "x" * 40])
    # Fact 116.
    assert execution.status == "FAILED"
    assert execution.error == "States.ItemReaderFailed"


def test_the_item_selector_comes_before_the_batches() -> None:
    definition = machine(
        ItemSelector={"v.$": "$$.Map.Item.Value"}, ItemBatcher={"MaxItemsPerBatch": 2}
    )
    assert doorstep.run(definition, [1, 2]).output == [{"Items": [{"v": 1}, {"v": 2}]}]


# Tolerances --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "failed", "status"),
    [
        ({}, 0, "SUCCEEDED"),
        ({}, 1, "FAILED"),
        ({"ToleratedFailureCount": 2}, 2, "SUCCEEDED"),
        ({"ToleratedFailureCount": 2}, 3, "FAILED"),
        ({"ToleratedFailurePercentage": 25}, 2, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 25}, 3, "FAILED"),
        ({"ToleratedFailurePercentage": 12.5}, 1, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 100}, 8, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 50}, 2, "FAILED"),
        ({"ToleratedFailureCount": 5, "ToleratedFailurePercentage": 25}, 3, "FAILED"),
        # Fact 140: of two, one of 0 counts as not set.
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 25}, 2, "SUCCEEDED"),
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 25}, 3, "FAILED"),
        ({"ToleratedFailureCount": 3, "ToleratedFailurePercentage": 0}, 3, "SUCCEEDED"),
        ({"ToleratedFailureCount": 0, "ToleratedFailurePercentage": 0}, 1, "FAILED"),
        ({"ToleratedFailureCount": 0}, 1, "FAILED"),
    ],
)
def test_a_run_fails_when_more_fails_than_is_tolerated(
    fields: dict[str, Any], failed: int, status: str
) -> None:
    handlers = failing(*range(failed))
    execution = doorstep.run(machine(WORK, **fields), list(range(8)), handlers)
    assert execution.status == status
    if status == "FAILED":
        assert (execution.error, execution.cause) == (
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )
    else:
        tolerated = [{"Status": "FAILED", "Error": "Boom", "Cause": str(n)} for n in range(failed)]
        assert execution.output == [*tolerated, *range(failed, 8)]


def test_items_of_a_failed_batch_all_count_as_failed() -> None:
    handlers = failing({"Items": [0, 1]})
    batches = {"ItemBatcher": {"MaxItemsPerBatch": 2}}
    for tolerated, status in ((1, "FAILED"), (2, "SUCCEEDED")):
        definition = machine(WORK, ToleratedFailureCount=tolerated, **batches)
        assert doorstep.run(definition, [0, 1, 2, 3], handlers).status == status


def test_a_tolerated_failure_keeps_its_place() -> None:
    """Fact 139, measured for items and batches.

    Another project says, from the documentation, that such a child contributes no result.
    """
    execution = doorstep.run(machine(WORK, ToleratedFailureCount=1), [5, 6, 7], failing(6))
    assert execution.output == [5, {"Status": "FAILED", "Error": "Boom", "Cause": "6"}, 7]
    batches = {"ItemBatcher": {"MaxItemsPerBatch": 2}, "ToleratedFailureCount": 2}
    execution = doorstep.run(machine(WORK, **batches), [1, 2, 3], failing({"Items": [1, 2]}))
    assert [record.get("Status") for record in execution.output] == ["FAILED", None]


def test_a_tolerated_failure_without_error_and_cause_has_its_status_only() -> None:
    assert doorstep.run(machine({"Type": "Fail"}, ToleratedFailureCount=1), [1]).output == [
        {"Status": "FAILED"}
    ]


def test_a_tolerated_failure_is_described_where_the_others_are() -> None:
    """Fact 284: WriterConfig without a bucket; FLATTEN leaves the failure as it is."""
    config = {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}
    fields = {"ToleratedFailureCount": 1, "ResultWriter": config}
    first, second = doorstep.run(machine(WORK, **fields), [1, 2], failing(2)).output
    assert (first["Status"], second["Status"], second["Input"]) == ("SUCCEEDED", "FAILED", "2")
    config["WriterConfig"]["Transformation"] = "FLATTEN"
    flat = doorstep.run(machine(WORK, **fields), [[1, 2], 3], failing(3)).output
    assert flat == [1, 2, {"Status": "FAILED", "Error": "Boom", "Cause": "3"}]


def test_children_that_run_are_stopped_when_the_run_fails() -> None:
    ends: dict[str, str] = {}

    def watch(run: doorstep.Execution, event: Any) -> None:
        ends[run.arn] = run.status

    def work(event: Any) -> Any:
        if event == 1:
            return doorstep.fail("Boom", after=5)
        return doorstep.answer(event, after=60)

    definition = machine(WORK)
    state = definition["States"]["All"]
    state |= {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}], "Next": "Rest"}
    del state["End"]
    definition["States"]["Rest"] = {"Type": "Wait", "Seconds": 600, "End": True}
    execution = doorstep.run(definition, [0, 1, 2], {"work": work}, on_event=watch)
    assert ends.pop(execution.arn) == "SUCCEEDED"
    assert sorted(ends.values()) == ["ABORTED", "ABORTED", "FAILED"]


def test_children_that_run_are_stopped_when_their_parent_ends() -> None:
    ends: dict[str, str] = {}

    def watch(run: doorstep.Execution, event: Any) -> None:
        ends[run.arn] = run.status

    child = {"Type": "Wait", "Seconds": 600, "End": True}
    definition = {**machine(child), "TimeoutSeconds": 60}
    execution = doorstep.run(definition, [0, 1], on_event=watch)
    assert ends.pop(execution.arn) == "TIMED_OUT"
    assert list(ends.values()) == ["ABORTED", "ABORTED"]


def test_children_that_have_not_started_do_not_start_when_the_run_has_failed() -> None:
    called: list[Any] = []
    child = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericEquals": 0, "Next": "Bad"}],
        "Default": "Work",
    }
    definition = machine(child)
    inner = definition["States"]["All"]["ItemProcessor"]["States"]
    inner |= {"Bad": {"Type": "Fail", "Error": "Bad"}, "Work": WORK}
    state = definition["States"]["All"]
    state |= {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}], "Next": "Rest"}
    del state["End"]
    definition["States"]["Rest"] = {"Type": "Wait", "Seconds": 600, "End": True}
    execution = doorstep.run(definition, [0, 1, 2], {"work": called.append})
    assert execution.output["Error"] == "States.ExceedToleratedFailureThreshold"
    assert called == []


# Redrive -----------------------------------------------------------------------------------------


def test_a_redrive_runs_only_the_children_that_did_not_succeed() -> None:
    called: list[Any] = []
    bad = {1}

    def work(event: Any) -> Any:
        called.append(event)
        if event in bad:
            raise doorstep.fail("Boom")
        return event * 10

    execution = doorstep.start(machine(WORK), [0, 1, 2], {"work": work})
    execution.wait()
    assert execution.status == "FAILED"
    bad.clear()
    before, called[:] = sorted(called), []
    execution.redrive()
    execution.wait()
    assert execution.output == [0, 10, 20]
    assert 1 in called
    assert 0 not in called
    assert sorted({*before, *called}) == [0, 1, 2]
    redriven = next(e for e in execution.history if e["type"] == "MapRunRedriven")
    started = next(e for e in execution.history if e["type"] == "MapRunStarted")
    assert redriven["mapRunRedrivenEventDetails"] == {
        "mapRunArn": started["mapRunStartedEventDetails"]["mapRunArn"],
        "redriveCount": 1,
    }


def test_a_child_with_a_full_history_is_not_redriven() -> None:
    endless = {"Type": "Pass", "Next": "Each"}
    execution = doorstep.start(machine(endless), [0])
    execution.wait()
    assert execution.status == "FAILED"
    execution.redrive()
    execution.wait()
    assert execution.status == "FAILED"
    assert execution.error == "States.ExceedToleratedFailureThreshold"


def test_a_redrive_starts_the_children_that_there_had_been_no_room_for() -> None:
    handlers = failing(0)
    execution = doorstep.start(machine(WORK, MaxConcurrency=1), [0, 1, 2], handlers)
    execution.wait()
    assert execution.status == "FAILED"
    execution._driver.handlers = type(execution._driver.handlers)(failing())
    execution.redrive()
    execution.wait()
    assert execution.output == [0, 1, 2]


def test_a_redrive_reads_on_where_a_damaged_file_was_mended(tmp_path: Path) -> None:
    put(tmp_path, "items.jsonl", "0\n1\n{broken\n3\n")
    definition = machine(WORK, ItemReader=reader("items.jsonl", InputType="JSONL"))
    execution = doorstep.start(definition, {}, failing(), s3_root=tmp_path)
    execution.wait()
    assert execution.error == "States.ItemReaderFailed"
    put(tmp_path, "items.jsonl", "0\n1\n2\n3\n")
    execution.redrive()
    execution.wait()
    assert execution.output == [0, 1, 2, 3]


def test_a_retried_map_is_a_map_run_of_its_own() -> None:
    calls: list[Any] = []

    def work(event: Any) -> Any:
        calls.append(event)
        if len(calls) == 1:
            raise doorstep.fail("Boom")
        return event

    definition = machine(WORK, Retry=[{"ErrorEquals": ["States.ALL"]}])
    execution = doorstep.run(definition, [7], {"work": work})
    assert execution.output == [7]
    arns = {
        event["mapRunStartedEventDetails"]["mapRunArn"]
        for event in execution.history
        if event["type"] == "MapRunStarted"
    }
    assert len(arns) == 2


# Writers -----------------------------------------------------------------------------------------


def writer(prefix: str = "out/", **config: Any) -> dict[str, Any]:
    parameters = {"Bucket": "results", "Prefix": prefix}
    shaped = {"WriterConfig": config} if config else {}
    return {"Resource": WRITE, "Parameters": parameters, **shaped}


def written(root: Path, execution: doorstep.Execution) -> dict[str, Any]:
    """The manifest of a run, and its files' texts by status."""
    details = execution.output["ResultWriterDetails"]
    manifest = json.loads((root / details["Bucket"] / details["Key"]).read_text())
    bucket = root / manifest["DestinationBucket"]
    texts: dict[str, Any] = {
        status: [(bucket / file["Key"]).read_text() for file in files]
        for status, files in manifest["ResultFiles"].items()
    }
    return {"manifest": manifest, **texts}


def test_results_are_written_with_a_manifest(tmp_path: Path) -> None:
    definition = machine(WORK, ResultWriter=writer(), ToleratedFailureCount=1)
    execution = doorstep.run(definition, [0, 1, 2], failing(1), s3_root=tmp_path)
    assert set(execution.output) == {"MapRunArn", "ResultWriterDetails"}
    run = execution.output["MapRunArn"].rpartition(":")[2]
    assert execution.output["ResultWriterDetails"] == {
        "Bucket": "results",
        "Key": f"out/{run}/manifest.json",
    }
    files = written(tmp_path, execution)
    manifest = files["manifest"]
    assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == (
        "results",
        execution.output["MapRunArn"],
    )
    assert set(manifest["ResultFiles"]) == {"FAILED", "PENDING", "SUCCEEDED"}
    (good,), (bad,) = files["SUCCEEDED"], files["FAILED"]
    (entry,) = manifest["ResultFiles"]["SUCCEEDED"]
    assert entry == {"Key": f"out/{run}/SUCCEEDED_0.json", "Size": len(good.encode())}
    assert [(child["Status"], child["Output"]) for child in json.loads(good)] == [
        ("SUCCEEDED", "0"),
        ("SUCCEEDED", "2"),
    ]
    (failed,) = json.loads(bad)
    assert (failed["Status"], failed["Error"], failed["Input"]) == ("FAILED", "Boom", "1")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"Transformation": "COMPACT", "OutputType": "JSON"}, "[[0,1],[2],3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSON"}, "[0,1,2,3]"),
        ({"Transformation": "FLATTEN", "OutputType": "JSONL"}, "0\n1\n2\n3\n"),
    ],
)
def test_results_are_transformed(tmp_path: Path, config: dict[str, str], expected: str) -> None:
    definition = machine(ResultWriter=writer(**config))
    execution = doorstep.run(definition, [[0, 1], [2], 3], s3_root=tmp_path)
    assert written(tmp_path, execution)["SUCCEEDED"] == [expected]


def test_a_writer_without_a_bucket_transforms_the_states_result() -> None:
    config = {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSON"}}
    assert doorstep.run(machine(ResultWriter=config), [[0, 1], [2]]).output == [0, 1, 2]


def test_nothing_outside_of_the_folder_is_written(tmp_path: Path) -> None:
    root = tmp_path / "buckets"
    root.mkdir()
    definition = machine(ResultWriter=writer("../../out"))
    execution = doorstep.run(definition, [1], s3_root=root)
    assert execution.error == "States.ResultWriterFailed"
    assert list(tmp_path.rglob("manifest.json")) == []


def test_a_result_that_can_not_be_written_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "out").write_text("a file where a folder is to be")
    execution = doorstep.run(machine(ResultWriter=writer()), [1], s3_root=tmp_path)
    assert execution.error == "States.ResultWriterFailed"
    assert "can't write" in (execution.cause or "")
    assert "out" in (execution.cause or "")
