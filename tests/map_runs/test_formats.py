"""Items of a distributed Map from JSON objects, manifests and Parquet, packed or not."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.map_runs import json_stream

READ = "arn:aws:states:::s3:getObject"
PASS = {"Type": "Pass", "End": True}
NOT_ITERABLE = "Attempting to map over non-iterable node."


def each(mode: str = "DISTRIBUTED", **fields: Any) -> dict[str, Any]:
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    processor = {"ProcessorConfig": config, "StartAt": "Each", "States": {"Each": PASS}}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "All", "States": {"All": state}}


def put(root: Path, key: str, body: bytes, bucket: str = "in") -> None:
    path = root / bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def run(root: Path, key: str, config: dict[str, Any], **fields: Any) -> doorstep.Execution:
    reader = {"Resource": READ, "Parameters": {"Bucket": "in", "Key": key}, "ReaderConfig": config}
    return doorstep.run(each(ItemReader=reader, **fields), s3_root=root)


def read(root: Path, key: str, config: dict[str, Any], **fields: Any) -> Any:
    execution = run(root, key, config, **fields)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output


# Objects -----------------------------------------------------------------------------------------

DAYS = {"mon": {"x": 1}, "tue": {"x": 2}}
PAIRS = [{"Key": "mon", "Value": {"x": 1}}, {"Key": "tue", "Value": {"x": 2}}]
SELECTOR = {
    "key.$": "$$.Map.Item.Key",
    "index.$": "$$.Map.Item.Index",
    "value.$": "$$.Map.Item.Value",
}


def test_the_members_of_an_object_are_items_of_a_distributed_map() -> None:
    """Fact 287."""
    execution = doorstep.run(each(), DAYS)
    assert execution.output == PAIRS
    assert execution.history[2]["mapStateStartedEventDetails"] == {"length": 2}


@pytest.mark.parametrize("items", ["{% $states.input.days %}", {"mon": {"x": 1}, "tue": {"x": 2}}])
def test_items_in_jsonata_may_be_an_object(items: Any) -> None:
    definition = each(QueryLanguage="JSONata", Items=items)
    definition["States"]["All"]["ItemProcessor"]["States"]["Each"] = {"Type": "Pass", "End": True}
    assert doorstep.run(definition, {"days": DAYS}).output == PAIRS


def test_an_item_selector_sees_the_key_of_a_member() -> None:
    assert doorstep.run(each(ItemSelector=SELECTOR), DAYS).output == [
        {"key": "mon", "index": 0, "value": {"x": 1}},
        {"key": "tue", "index": 1, "value": {"x": 2}},
    ]


def test_the_members_of_an_object_are_put_into_batches() -> None:
    execution = doorstep.run(each(ItemBatcher={"MaxItemsPerBatch": 2}), DAYS)
    assert execution.output == [{"Items": PAIRS}]


def test_an_inline_map_refuses_an_object() -> None:
    """Fact 43, recorded."""
    execution = doorstep.run(each("INLINE"), DAYS)
    assert execution.cause.endswith('Reference path "$" must point to array.')


def test_a_file_that_holds_an_object_of_objects_is_mapped_over(tmp_path: Path) -> None:
    """Fact 287, observed in 2026."""
    put(tmp_path, "days.json", json.dumps(DAYS).encode())
    config = {"InputType": "JSON"}
    assert read(tmp_path, "days.json", config) == PAIRS
    shaped = read(tmp_path, "days.json", config, ItemSelector=SELECTOR)
    assert [one["key"] for one in shaped] == ["mon", "tue"]


def test_a_file_that_holds_an_object_of_texts_is_refused(tmp_path: Path) -> None:
    """Recorded in 2024: test_map_item_reader_json_no_json_list_object."""
    put(tmp_path, "hello.json", b'{"Hello": "world"}')
    execution = run(tmp_path, "hello.json", {"InputType": "JSON"})
    assert (execution.error, execution.cause) == ("States.ItemReaderFailed", NOT_ITERABLE)


def test_items_pointer_finds_an_object(tmp_path: Path) -> None:
    put(tmp_path, "a.json", b'{"skip": [[1], "]", {"}": 0}], "b": {"k": 1}, "c": oops')
    config = {"InputType": "JSON", "ItemsPointer": "/b"}
    assert read(tmp_path, "a.json", config) == [{"Key": "k", "Value": 1}]


# JSON, bit by bit --------------------------------------------------------------------------------


class Slow(io.StringIO):
    """A text of which each read returns a single character: every place is a boundary."""

    def read(self, size: int | None = -1) -> str:
        return super().read(1)


TRICKY = [1, -1.5e-7, 12345678901234567890, 'a\\"]}{[\u00e9\U0001f600', {"a": [{}, []]}, None, True]


@pytest.mark.parametrize("space", [None, 2])
def test_items_are_the_same_wherever_a_read_ends(space: int | None) -> None:
    text = json.dumps({"before": {"x": TRICKY}, "a/b": [0, {"m~n": TRICKY}]}, indent=space)
    assert list(json_stream.items(Slow(text), "/a~1b/1/m~0n", 1000)) == TRICKY


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[1, 2", "line 1, column 6"),
        ("[1 2]", "line 1, column 4"),
        ("[1,\n 2,\n x]", "line 3, column 2"),
        ("[1] 2", "line 1, column 5"),
        ("", "line 1, column 1"),
        ("[1,]", "line 1, column 4"),
    ],
)
def test_what_is_not_json_is_reported_with_its_place(text: str, place: str) -> None:
    with pytest.raises(ValueError, match=f"not valid JSON \\({place}\\)"):
        list(json_stream.items(Slow(text), "", 1000))


def test_the_items_before_a_fault_are_read() -> None:
    items = json_stream.items(io.StringIO("[1, 2, oops]"), "", 1000)
    assert [next(items), next(items)] == [1, 2]


# Packed ------------------------------------------------------------------------------------------


def test_a_file_packed_with_zstd_is_unpacked(tmp_path: Path) -> None:
    """Fact 279: by its name."""
    zstandard = pytest.importorskip("zstandard", reason="zstd takes the package zstandard")
    frames = [zstandard.compress(b'{"n":1}\n' + b" " * 200_000), zstandard.compress(b'{"n":2}\n')]
    put(tmp_path, "items.jsonl.zst", b"".join(frames))
    config = {"InputType": "JSONL"}
    assert read(tmp_path, "items.jsonl.zst", config) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("damage", [lambda packed: b"plain", lambda packed: packed[:-4]])
def test_a_damaged_file_packed_with_zstd_fails_the_run(tmp_path: Path, damage: Any) -> None:
    zstandard = pytest.importorskip("zstandard", reason="zstd takes the package zstandard")
    put(tmp_path, "items.jsonl.zst", damage(zstandard.compress(b'{"n":1}\n' * 1000)))
    execution = run(tmp_path, "items.jsonl.zst", {"InputType": "JSONL"})
    assert execution.error == "States.ItemReaderFailed"
    assert "items.jsonl.zst" in execution.cause


@pytest.mark.parametrize(
    ("key", "config", "package"),
    [
        ("a.json.zst", {"InputType": "JSON"}, "doorstep[zstd]"),
        ("a.parquet", {"InputType": "PARQUET"}, "doorstep[parquet]"),
    ],
)
def test_what_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, config: Any, package: str
) -> None:
    for missing in ("compression", "compression.zstd", "zstandard", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(__import__("sys").modules, missing, None)
    put(tmp_path, key, b"PAR1")
    execution = run(tmp_path, key, config)
    assert execution.error == "States.ItemReaderFailed"
    assert package in execution.cause


# Manifests ---------------------------------------------------------------------------------------


def inventory(root: Path, **changes: Any) -> None:
    report = b'"in","a%20b.txt","12"\n"in","c.txt","0"\n'
    put(root, "data/1.csv.gz", gzip.compress(report), "reports")
    put(root, "data/2.csv.gz", gzip.compress(b'"in","d.txt","7"\n'), "reports")
    manifest = {
        "sourceBucket": "in",
        "destinationBucket": "arn:aws:s3:::reports",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size",
        "files": [{"key": "data/1.csv.gz", "size": 9}, {"key": "data/2.csv.gz", "size": 9}],
        **changes,
    }
    put(root, "manifest.json", json.dumps(manifest).encode())


@pytest.mark.parametrize("config", [{"ManifestType": "S3_INVENTORY"}, {"InputType": "MANIFEST"}])
def test_the_rows_of_an_inventory_are_items(tmp_path: Path, config: dict[str, Any]) -> None:
    """Fact 289: each has the members that fileSchema names."""
    inventory(tmp_path)
    rows = read(tmp_path, "manifest.json", config)
    assert rows == [
        {"Bucket": "in", "Key": "a%20b.txt", "Size": "12"},
        {"Bucket": "in", "Key": "c.txt", "Size": "0"},
        {"Bucket": "in", "Key": "d.txt", "Size": "7"},
    ]
    assert read(tmp_path, "manifest.json", {**config, "MaxItems": 1}) == rows[:1]


@pytest.mark.parametrize("body", [b"[]", b'{"files": 1}', b'{"fileFormat": "CSV"}', b"text"])
def test_what_is_no_manifest_of_an_inventory_fails_the_run(tmp_path: Path, body: bytes) -> None:
    put(tmp_path, "manifest.json", body)
    execution = run(tmp_path, "manifest.json", {"ManifestType": "S3_INVENTORY"})
    assert execution.error == "States.ItemReaderFailed"
    assert "manifest.json" in execution.cause


def test_an_inventory_in_orc_is_refused(tmp_path: Path) -> None:
    inventory(tmp_path, fileFormat="ORC")
    execution = run(tmp_path, "manifest.json", {"ManifestType": "S3_INVENTORY"})
    assert "not in ORC" in execution.cause


def test_an_athena_manifest_leads_to_the_files_of_a_query(tmp_path: Path) -> None:
    """Fact 290."""
    put(tmp_path, "out/1.gz", gzip.compress(b"1,one\n2,two\n"), "query")
    put(tmp_path, "out/2", b"3,three\n", "query")
    put(tmp_path, "q-manifest.csv", b"s3://query/out/1.gz\ns3://query/out/2\n\n")
    config = {"ManifestType": "ATHENA_DATA", "InputType": "CSV"}
    config |= {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["n", "name"]}
    assert read(tmp_path, "q-manifest.csv", config) == [
        {"n": "1", "name": "one"},
        {"n": "2", "name": "two"},
        {"n": "3", "name": "three"},
    ]


def test_a_line_of_an_athena_manifest_that_names_no_object_fails_the_run(tmp_path: Path) -> None:
    put(tmp_path, "m.csv", b"https://query/out/1\n")
    execution = run(tmp_path, "m.csv", {"ManifestType": "ATHENA_DATA", "InputType": "JSONL"})
    assert "line 1: 'https://query/out/1' is no s3://BUCKET/KEY" in execution.cause


# Parquet -----------------------------------------------------------------------------------------


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet takes the package pyarrow")
    from pyarrow.parquet import write_table

    file = io.BytesIO()
    write_table(pyarrow.table(columns), file, **options)
    return file.getvalue()


def test_the_rows_of_a_parquet_file_are_items(tmp_path: Path) -> None:
    """Fact 288; over several row groups."""
    put(tmp_path, "a.parquet", parquet({"n": [1, 2, 3], "s": ["a", None, "c"]}, row_group_size=1))
    assert read(tmp_path, "a.parquet", {"InputType": "PARQUET"}) == [
        {"n": 1, "s": "a"},
        {"n": 2, "s": None},
        {"n": 3, "s": "c"},
    ]


def test_an_athena_manifest_leads_to_parquet_files(tmp_path: Path) -> None:
    put(tmp_path, "out/1", parquet({"n": [1]}), "query")
    put(tmp_path, "m.csv", b"s3://query/out/1\n")
    config = {"ManifestType": "ATHENA_DATA", "InputType": "PARQUET"}
    assert read(tmp_path, "m.csv", config) == [{"n": 1}]


def test_values_of_parquet_that_json_has_not_become_texts_and_numbers(tmp_path: Path) -> None:
    from datetime import UTC, datetime
    from decimal import Decimal

    columns = {
        "at": [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)],
        "price": [Decimal("1.50")],
        "raw": [b"\x00\xff"],
        "nan": [float("nan")],
        "list": [[{"x": Decimal(3)}]],
    }
    put(tmp_path, "a.parquet", parquet(columns))
    assert read(tmp_path, "a.parquet", {"InputType": "PARQUET"}) == [
        {
            "at": "2026-01-02T03:04:05+00:00",
            "price": 1.5,
            "raw": "AP8=",
            "nan": None,
            "list": [{"x": 3}],
        }
    ]


def test_a_damaged_parquet_file_fails_the_run(tmp_path: Path) -> None:
    put(tmp_path, "a.parquet", parquet({"n": [1]})[:-9])
    execution = run(tmp_path, "a.parquet", {"InputType": "PARQUET"})
    assert execution.error == "States.ItemReaderFailed"
    assert "the Parquet file can't be read" in execution.cause
