"""Facts 116 to 121 (docs/facts/maps.md): the distributed Map.

Expected values are those of the facts and of the recordings that they name.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import doorstep

PASS = {"Type": "Pass"}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:Work"}
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
    "Parameters": {"Bucket": "in", "Key": "items.json"},
}
LISTER = {
    "Resource": "arn:aws:states:::s3:listObjectsV2",
    "Parameters": {"Bucket": "in", "Prefix": "day/"},
}
WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Parameters": {"Bucket": "out", "Prefix": "results"},
}


def put(bucket: Path, key: str, text: str) -> Path:
    path = bucket / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def odd_ones_fail(event: Any) -> Any:
    if event % 2:
        raise doorstep.fail("Odd", f"{event} is odd")
    return event * 10


@pytest.mark.parametrize("shared", [{}, {"BatchInput": {"day.$": "$.day"}}])
def test_behaviour_116_a_batch_is_an_envelope_of_items(chain, each, shared: dict[str, Any]) -> None:
    batcher = {"MaxItemsPerBatch": 2, **shared}
    state = each({"P": PASS}, distributed=True, ItemsPath="$.items", ItemBatcher=batcher)
    execution = doorstep.run(chain({"All": state}), {"items": [1, 2, 3], "day": "Mon"})
    batch = {"BatchInput": {"day": "Mon"}} if shared else {}
    assert execution.output == [{**batch, "Items": [1, 2]}, {**batch, "Items": [3]}]


def test_behaviour_116_batches_keep_to_their_bytes_and_an_item_that_is_larger_fails(
    chain, each
) -> None:
    batcher = {"MaxInputBytesPerBatch": 40}
    state = each({"P": PASS}, distributed=True, ItemBatcher=batcher)
    execution = doorstep.run(chain({"All": state}), ["x" * 10] * 5)
    assert [len(batch["Items"]) for batch in execution.output] == [2, 2, 1]
    assert all(len(json.dumps(batch)) <= 40 for batch in execution.output)
    execution = doorstep.run(chain({"All": state}), ["x" * 100])
    assert (execution.status, execution.output) == ("FAILED", None)


def test_behaviour_117_a_distributed_map_can_be_entered_twice(chain, each) -> None:
    state = each(
        {"P": PASS}, distributed=True, ItemsPath="$.items", ResultPath="$.items", Label="L"
    )
    count = {"Type": "Pass", "Parameters": {"items.$": "$.items", "n.$": "States.MathAdd($.n, 1)"}}
    again = {"Variable": "$.n", "NumericLessThan": 2, "Next": "All"}
    choice = {"Type": "Choice", "Choices": [again], "Default": "End"}
    definition = chain({"All": state, "Count": count, "Again": choice, "End": PASS})
    execution = doorstep.run(definition, {"items": [1, 2], "n": 0})
    assert execution.output == {"items": [1, 2], "n": 2}
    started = [e for e in execution.history if e["type"] == "MapRunStarted"]
    arns = {event["mapRunStartedEventDetails"]["mapRunArn"] for event in started}
    assert (len(started), len(arns)) == (2, 2)
    assert all(":mapRun:StateMachine/L:" in arn for arn in arns)


def test_behaviour_117_distributed_maps_nest(chain, each) -> None:
    """Recorded: test_map_state_nested_config_distributed."""
    double = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($, $)"}, "OutputPath": "$.n"}
    inner = each({"Double": double}, distributed=True)
    outer = each({"Inner": inner}, distributed=True)
    execution = doorstep.run(chain({"Outer": outer}), [[1, 2], [], [3]])
    assert execution.output == [[2, 4], [], [6]]


def exported(chain: Any, each: Any, bucket: Path, **writer: Any) -> dict[str, Any]:
    state = each(
        {"T": TASK},
        distributed=True,
        ToleratedFailurePercentage=100,
        ResultWriter={**WRITER, **writer},
    )
    execution = doorstep.run(
        chain({"All": state}), [0, 1, 2], {"Work": odd_ones_fail}, s3_root=bucket
    )
    assert execution.status == "SUCCEEDED", execution.cause
    output: dict[str, Any] = execution.output
    return output


def test_behaviour_118_the_manifest_lists_the_files_of_results(chain, each, tmp_path: Path) -> None:
    output = exported(chain, each, tmp_path)
    assert list(output) == ["MapRunArn", "ResultWriterDetails"]
    where = output["ResultWriterDetails"]
    run = output["MapRunArn"].rpartition(":")[2]
    assert where == {"Bucket": "out", "Key": f"results/{run}/manifest.json"}
    manifest = json.loads((tmp_path / "out" / where["Key"]).read_text())
    assert list(manifest) == ["DestinationBucket", "MapRunArn", "ResultFiles"]
    assert manifest["ResultFiles"]["PENDING"] == []
    for status in ("SUCCEEDED", "FAILED"):
        (file,) = manifest["ResultFiles"][status]
        assert file["Key"] == f"results/{run}/{status}_0.json"
        assert file["Size"] == (tmp_path / "out" / file["Key"]).stat().st_size


def test_behaviour_118_results_are_descriptions_of_the_children(
    chain, each, tmp_path: Path
) -> None:
    output = exported(chain, each, tmp_path)
    folder = (tmp_path / "out" / output["ResultWriterDetails"]["Key"]).parent
    good = json.loads((folder / "SUCCEEDED_0.json").read_text())
    assert [(child["Status"], child["Input"], child["Output"]) for child in good] == [
        ("SUCCEEDED", "0", "0"),
        ("SUCCEEDED", "2", "20"),
    ]
    (bad,) = json.loads((folder / "FAILED_0.json").read_text())
    assert (bad["Status"], bad["Error"], bad["Cause"]) == ("FAILED", "Odd", "1 is odd")


def test_behaviour_118_compact_results_are_the_outputs_alone(chain, each, tmp_path: Path) -> None:
    config = {"Transformation": "COMPACT", "OutputType": "JSONL"}
    output = exported(chain, each, tmp_path, WriterConfig=config)
    folder = (tmp_path / "out" / output["ResultWriterDetails"]["Key"]).parent
    assert (folder / "SUCCEEDED_0.jsonl").read_text().split() == ["0", "20"]


def test_behaviour_119_listed_objects_have_quoted_tags_and_float_times(
    chain, each, tmp_path: Path
) -> None:
    path = put(tmp_path / "in", "day/one.txt", "hello")
    put(tmp_path / "in", "night/two.txt", "hello")
    os.utime(path, (1_700_000_000.5, 1_700_000_000.5))
    state = each({"P": PASS}, distributed=True, ItemReader=LISTER)
    execution = doorstep.run(chain({"All": state}), s3_root=tmp_path)
    assert execution.output == [
        {
            "Etag": '"5d41402abc4b2a76b9719d911017c592"',
            "Key": "day/one.txt",
            "LastModified": 1_700_000_000.0,
            "Size": 5,
            "StorageClass": "STANDARD",
        }
    ]
    assert isinstance(execution.output[0]["LastModified"], float)


def test_behaviour_119_listing_goes_on_after_a_thousand_keys(chain, each, tmp_path: Path) -> None:
    for number in range(1005):
        put(tmp_path / "in", f"day/{number:04}", "")
    state = each(
        {"P": PASS},
        distributed=True,
        ItemReader=LISTER,
        ItemSelector={"key.$": "$$.Map.Item.Value.Key"},
        ItemBatcher={"MaxItemsPerBatch": 1005},
    )
    (batch,) = doorstep.run(chain({"All": state}), s3_root=tmp_path).output
    assert [item["key"] for item in batch["Items"]] == [f"day/{n:04}" for n in range(1005)]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('"text"', "Attempting to map over non-iterable node."),
        ("5", "Attempting to map over non-iterable node."),
        (None, "The specified key does not exist."),
    ],
)
def test_behaviour_121_items_that_can_not_be_read_fail_the_map(
    chain, each, tmp_path: Path, body: str | None, cause: str
) -> None:
    """Recorded: test_map_item_reader_json_no_json_list_object."""
    put(tmp_path / "in", "items.json" if body else "other.json", body or "[]")
    state = each({"P": PASS}, distributed=True, ItemReader=READER)
    execution = doorstep.run(chain({"All": state}), s3_root=tmp_path)
    assert execution.error == "States.ItemReaderFailed"
    assert str(execution.cause).startswith(cause)
    assert [event["type"] for event in execution.history[3:]] == [
        "MapRunStarted",
        "MapRunFailed",
        "MapStateFailed",
        "ExecutionFailed",
    ]


def test_behaviour_121_results_that_can_not_be_written_fail_the_map(chain, each) -> None:
    state = each({"P": PASS}, distributed=True, ResultWriter=WRITER)
    execution = doorstep.run(chain({"All": state}), [1])
    assert execution.error == "States.ResultWriterFailed"


@pytest.mark.parametrize("name", ["Bucket", "Prefix"])
def test_a_place_for_results_that_is_no_text_fails_the_map(name, chain, each, tmp_path) -> None:
    place = {"Bucket": "b", "Prefix": "p"} | {f"{name}.$": "$[0]"}
    del place[name]
    state = each({"P": PASS}, distributed=True, ResultWriter={**WRITER, "Parameters": place})
    execution = doorstep.run(chain({"All": state}), [1], s3_root=tmp_path)
    assert execution.error == "States.ResultWriterFailed"
    assert execution.cause == f"The field '{name}' must be a string."


@pytest.mark.parametrize(
    ("tolerated", "failures", "status"),
    [
        ({}, 0, "SUCCEEDED"),
        ({}, 1, "FAILED"),
        ({"ToleratedFailureCount": 2}, 2, "SUCCEEDED"),
        ({"ToleratedFailureCount": 2}, 3, "FAILED"),
        ({"ToleratedFailurePercentage": 50}, 5, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 50}, 6, "FAILED"),
        ({"ToleratedFailureCount": 9, "ToleratedFailurePercentage": 10}, 2, "FAILED"),
    ],
)
def test_behaviour_121_more_failures_than_tolerated_fail_the_map(
    chain, each, tolerated: dict[str, int], failures: int, status: str
) -> None:
    def work(event: Any) -> Any:
        if event < failures:
            raise doorstep.fail("Boom", "why")
        return event

    state = each({"T": TASK}, distributed=True, **tolerated)
    execution = doorstep.run(chain({"All": state}), list(range(10)), {"Work": work})
    assert execution.status == status
    if status == "SUCCEEDED":
        good = [one for one in execution.output if isinstance(one, int)]
        assert good == list(range(failures, 10))
        assert len(execution.output) == 10  # fact 139
    else:
        assert execution.error == "States.ExceedToleratedFailureThreshold"
        assert execution.cause == "The specified tolerated failure threshold was exceeded"


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize(
    ("items", "text"),
    [
        ({"a": 1, "b": 2}, '{"a":1,"b":2}'),
        ({"a": "{% 1 + 1 %}"}, '{"a":2}'),
        ("ab", '"ab"'),
        (7, "7"),
    ],
)
def test_items_that_are_written_and_no_array_fail_the_map(
    chain, each, distributed: bool, items: Any, text: str
) -> None:
    """Facts 43 and 287: only a distributed Map takes an object."""
    work = {"W": {"Type": "Pass"}}
    state = each(work, distributed=distributed, QueryLanguage="JSONata", Items=items)
    execution = doorstep.run(chain({"All": state}))
    if distributed and isinstance(items, dict):
        members = items if "b" in items else {"a": 2}
        assert execution.output == [{"Key": k, "Value": v} for k, v in members.items()]
        return
    assert execution.error == "States.QueryEvaluationError"
    assert execution.cause.endswith(f"Map state input must be an array but was: {text}")


def test_written_items_may_hold_expressions(chain, each) -> None:
    state = each({"W": {"Type": "Pass"}}, QueryLanguage="JSONata", Items=[1, "{% 1 + 1 %}"])
    assert doorstep.run(chain({"All": state})).output == [1, 2]
