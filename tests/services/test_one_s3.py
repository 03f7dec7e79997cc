"""One S3: readers and writers of distributed Maps, tasks and code see the same buckets.

Expected items by facts 119, 276 and 279, results by facts 118, 283 and 284; causes as S3 words them
(S3's API reference, "List of error codes").
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.services import AtWork, services_at_work

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'doorstep[local]'")
pytest.importorskip("moto", reason="moto is not installed: pip install 'doorstep[local]'")

READ = "arn:aws:states:::s3:getObject"
LIST = "arn:aws:states:::s3:listObjectsV2"
WRITE = "arn:aws:states:::s3:putObject"


def mapped(**fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Each",
        "States": {"Each": {"Type": "Pass", "End": True}},
    }
    state = {"Type": "Map", "Label": "Items", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "All", "States": {"All": state}}


def reader(key: str, **config: Any) -> dict[str, Any]:
    parameters = {"Bucket": "incoming", "Key": key}
    return {"Resource": READ, "Parameters": parameters, "ReaderConfig": config}


@pytest.fixture
def services() -> Iterator[AtWork]:
    with services_at_work("moto") as services:
        for bucket in ("incoming", "out"):
            services.client("s3").create_bucket(Bucket=bucket)
        yield services


def test_items_come_from_the_bucket_and_results_go_there(services: AtWork) -> None:
    services.client("s3").put_object(Bucket="incoming", Key="a/items.csv", Body=b"id,n\n7,x\n8,y\n")
    definition = mapped(
        ItemReader=reader("a/items.csv", InputType="CSV", CSVHeaderLocation="FIRST_ROW"),
        ResultWriter={"Resource": WRITE, "Parameters": {"Bucket": "out", "Prefix": "done"}},
    )
    output = doorstep.run(definition, services=services).output
    details = output["ResultWriterDetails"]
    assert details["Bucket"] == "out"
    assert details["Key"].startswith("done/")
    read = boto3.client("s3").get_object  # as code of the user's own reads it
    manifest = json.load(read(**details)["Body"])
    [file] = manifest["ResultFiles"]["SUCCEEDED"]
    results = json.load(read(Bucket="out", Key=file["Key"])["Body"])
    assert [json.loads(one["Output"]) for one in results] == [
        {"id": "7", "n": "x"},
        {"id": "8", "n": "y"},
    ]


def test_a_task_writes_what_the_next_state_reads(services: AtWork) -> None:
    body = [{"id": 1}, {"id": 2}]
    definition = mapped(ItemReader=reader("items.json", InputType="JSON"))
    definition["States"]["Put"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Parameters": {"Bucket": "incoming", "Key": "items.json", "Body": body},
        "Next": "All",
    }
    definition["StartAt"] = "Put"
    assert doorstep.run(definition, services=services).output == body


def test_packed_objects_and_lines_are_read(services: AtWork) -> None:
    packed = gzip.compress(b'{"n": 1}\n{"n": 2}\n')
    services.client("s3").put_object(Bucket="incoming", Key="items.jsonl.gz", Body=packed)
    definition = mapped(ItemReader=reader("items.jsonl.gz", InputType="JSONL"))
    assert doorstep.run(definition, services=services).output == [{"n": 1}, {"n": 2}]


def test_a_listing_has_every_object_of_the_prefix_in_order_of_the_keys(services: AtWork) -> None:
    s3 = services.client("s3")
    keys = [f"p/{number:04}" for number in range(1003)]  # S3 lists 1,000 at a time
    for key in ["o", *reversed(keys), "q"]:
        s3.put_object(Bucket="incoming", Key=key, Body=b"abc")
    listing = {"Resource": LIST, "Parameters": {"Bucket": "incoming", "Prefix": "p/"}}
    output = doorstep.run(mapped(ItemReader=listing), services=services).output
    assert [item["Key"] for item in output] == keys
    assert set(output[0]) == {"Etag", "Key", "LastModified", "Size", "StorageClass"}
    # The MD5 of "abc", by RFC 1321's test suite.
    assert output[0]["Etag"] == '"900150983cd24fb0d6963f7d28e17f72"'
    assert output[0]["Size"] == 3
    assert output[0]["LastModified"] % 1 == 0


def test_the_folder_lists_in_order_of_the_keys_too(tmp_path: Path) -> None:
    for key in ("a/b", "a-b", "a.b", "B"):
        file = tmp_path / "incoming" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    listing = {"Resource": LIST, "Parameters": {"Bucket": "incoming"}}
    output = doorstep.run(mapped(ItemReader=listing), s3_root=tmp_path).output
    # S3's user guide, "Listing object keys": in UTF-8 binary order.
    assert [item["Key"] for item in output] == ["B", "a-b", "a.b", "a/b"]


@pytest.mark.parametrize(
    ("bucket", "key", "cause"),
    [
        ("incoming", "none.json", "The specified key does not exist. (s3://incoming/none.json)"),
        ("nowhere", "a", "The specified bucket does not exist (s3://nowhere/a)"),
    ],
)
def test_what_is_not_there_fails_the_reader(
    services: AtWork, bucket: str, key: str, cause: str
) -> None:
    wanted = reader(key, InputType="JSON")
    wanted["Parameters"]["Bucket"] = bucket
    execution = doorstep.run(mapped(ItemReader=wanted), services=services)
    assert (execution.error, execution.cause) == ("States.ItemReaderFailed", cause)


def test_a_bucket_that_is_not_there_fails_the_writer(services: AtWork) -> None:
    writer = {"Resource": WRITE, "Parameters": {"Bucket": "nowhere", "Prefix": "x"}}
    execution = doorstep.run(mapped(ResultWriter=writer), [1], services=services)
    assert execution.error == "States.ResultWriterFailed"
    assert (execution.cause or "").startswith("The specified bucket does not exist")


def test_a_folder_stands_for_the_bucket_of_its_name_only(services: AtWork, tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "items.json").write_text("[1]")
    services.client("s3").put_object(Bucket="incoming", Key="items.json", Body=b"[2]")
    definition = mapped(
        ItemReader=reader("items.json", InputType="JSON"),
        ResultWriter={"Resource": WRITE, "Parameters": {"Bucket": "out", "Prefix": "x"}},
    )
    execution = doorstep.run(definition, services=services, s3_root=tmp_path)
    assert execution.status == "SUCCEEDED", execution.cause
    keys = [one["Key"] for one in services.client("s3").list_objects_v2(Bucket="out")["Contents"]]
    results = next(key for key in keys if "SUCCEEDED" in key)
    [child] = json.load(services.client("s3").get_object(Bucket="out", Key=results)["Body"])
    assert child["Output"] == "1"
    assert not (tmp_path / "out").exists()


def test_resumed_children_read_the_same_bucket(services: AtWork) -> None:
    services.client("s3").put_object(Bucket="incoming", Key="items.json", Body=b'["a", "b"]')
    definition = mapped(ItemReader=reader("items.json", InputType="JSON"))
    definition["States"]["All"] |= {"Next": "Store"}
    del definition["States"]["All"]["End"]
    definition["States"]["Store"] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Parameters": {"Bucket": "later", "Key": "k", "Body.$": "$"},
        "ResultPath": None,
        "End": True,
    }
    failed = doorstep.run(definition, services=services)
    assert failed.error == "S3.NoSuchBucketException"
    services.client("s3").create_bucket(Bucket="later")
    resumed = doorstep.resume(failed.history, definition, services=services)
    assert resumed.output == ["a", "b"]
    stored = services.client("s3").get_object(Bucket="later", Key="k")["Body"].read()
    assert stored == b'["a","b"]'


def test_a_replay_compares_what_services_answer(services: AtWork) -> None:
    s3 = services.client("s3")
    get = {
        "StartAt": "Get",
        "States": {
            "Get": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
                "Parameters": {"Bucket": "incoming", "Key": "k"},
                "ResultSelector": {"body.$": "$.Body"},
                "End": True,
            }
        },
    }
    s3.put_object(Bucket="incoming", Key="k", Body=b"before")
    recorded = doorstep.run(get, services=services)
    same = doorstep.replay(recorded.history, get, services=services)
    assert [answer.verdict for answer in same.answers] == ["same"]
    s3.put_object(Bucket="incoming", Key="k", Body=b"after")
    [answer] = doorstep.replay(recorded.history, get, services=services).answers
    assert answer.verdict == "different"
