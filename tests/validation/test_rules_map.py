"""Map's modes, readers, batchers and writers (facts 24, 270 to 284)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.validation import MachineType, validate

PASS = {"Type": "Pass", "End": True}
DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
GET = "arn:aws:states:::s3:getObject"
PUT = "arn:aws:states:::s3:putObject"


def said(
    config: Any = DISTRIBUTED, type: MachineType = "STANDARD", **fields: Any
) -> list[tuple[str, str | None]]:
    processor = {"StartAt": "P", "States": {"P": PASS}, "ProcessorConfig": config}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True} | fields
    found = validate({"StartAt": "M", "States": {"M": state}}, type=type)
    return [(one.message, (one.location or "").removeprefix("/States/M/")) for one in found]


CONFIG = "ItemProcessor/ProcessorConfig"


def test_distributed_mode_needs_an_execution_type() -> None:
    assert said({"Mode": "DISTRIBUTED"}) == [("These fields are required: [ExecutionType]", CONFIG)]
    assert said(DISTRIBUTED | {"ExecutionType": "FAST"}) == [
        ("Value should be one of the following: [STANDARD, EXPRESS]", f"{CONFIG}/ExecutionType")
    ]


@pytest.mark.parametrize("mode", [{"Mode": "INLINE"}, {}])
def test_inline_mode_has_no_execution_type(mode: dict[str, str]) -> None:
    assert said(mode) == []
    assert said(mode | {"ExecutionType": "STANDARD"}) == [
        ("Field 'ExecutionType' is not supported", CONFIG)
    ]


def test_an_express_machine_has_no_distributed_map() -> None:
    ((message, where),) = said(type="EXPRESS")
    assert message == (
        "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
    )
    assert where == f"{CONFIG}/Mode"


def reader(**config: Any) -> list[tuple[str, str | None]]:
    source = {"Resource": GET, "Parameters": {"Bucket": "b", "Key": "k"}}
    return said(ItemReader=source | {"ReaderConfig": config})


CSV = "ItemReader/ReaderConfig"


def test_csv_says_where_its_headers_are() -> None:
    assert reader(InputType="CSV", CSVHeaderLocation="FIRST_ROW") == []
    assert reader(InputType="CSV") == [("The field 'CSVHeaderLocation' is required", CSV)]


def test_given_headers_are_given() -> None:
    given = {"InputType": "CSV", "CSVHeaderLocation": "GIVEN"}
    assert reader(**given) == [("These fields are required: [CSVHeaders]", CSV)]
    # Headers are texts, not expressions, in JSONata states too (measured).
    assert reader(**given, CSVHeaders=["{% a"]) == []


@pytest.mark.parametrize("more", [{"ManifestType": "S3_INVENTORY"}, {"ItemsPointer": "/rows"}])
def test_without_headers_nothing_else_of_csv_is_looked_at(more: dict[str, str]) -> None:
    """Fact 148, recorded."""
    assert reader(InputType="CSV", **more) == [("The field 'CSVHeaderLocation' is required", CSV)]


@pytest.mark.parametrize(
    ("input_type", "fields"),
    [
        ("JSON", {"CSVHeaderLocation": "FIRST_ROW"}),
        ("JSON", {"ManifestType": "ATHENA_DATA"}),
        ("JSONL", {"CSVHeaders": ["a"], "CSVHeaderLocation": "GIVEN"}),
        ("PARQUET", {"CSVHeaderLocation": "GIVEN"}),
        ("MANIFEST", {"CSVDelimiter": "TAB"}),
        ("JSONL", {"ItemsPointer": "/rows"}),
        ("CSV", {"CSVHeaderLocation": "FIRST_ROW", "ItemsPointer": "/rows"}),
    ],
)
def test_a_reader_has_the_fields_of_its_type(input_type: str, fields: dict[str, Any]) -> None:
    """Fact 148, recorded for headers of JSON and JSONL and a manifest of JSON; else by analogy."""
    of_csv = {"CSVHeaderLocation"} if input_type == "CSV" else set()
    assert reader(InputType=input_type, **fields) == [
        (f"Field '{name}' is not supported", CSV) for name in fields if name not in of_csv
    ]


def test_what_is_loaded_from_listed_objects_has_a_type() -> None:
    flatten = {"Transformation": "LOAD_AND_FLATTEN"}
    assert reader(**flatten) == [("The field 'InputType' is required", CSV)]
    assert reader(**flatten, InputType="JSONL") == []
    assert reader(Transformation="NONE") == []


@pytest.mark.parametrize("pointer", ["rows", "rows/0", "$.rows", "#/rows"])
def test_an_items_pointer_begins_with_a_slash(pointer: str) -> None:
    """Fact 148, recorded for a path without its first slash."""
    assert reader(InputType="JSON", ItemsPointer=pointer) == [
        (
            f"Invalid input: JSON Pointer expression must start with '/': \"{pointer}\"",
            f"{CSV}/ItemsPointer",
        )
    ]


@pytest.mark.parametrize("pointer", ["", "/", "/rows/0/a~1b"])
def test_a_pointer_into_the_file_is_accepted(pointer: str) -> None:
    assert reader(InputType="JSON", ItemsPointer=pointer) == []


def test_items_are_limited_once() -> None:
    only = "There should only be one of the following fields: [MaxItems, MaxItemsPath]"
    assert reader(InputType="JSON", MaxItems=0) == []
    assert reader(InputType="JSON", MaxItems=1, MaxItemsPath="$.n") == [(only, CSV)]


def test_a_listing_needs_no_reader_config() -> None:
    listing = "arn:aws:states:::s3:listObjectsV2"
    assert said(ItemReader={"Resource": listing, "Parameters": {"Bucket": "b"}}) == []


def test_a_batch_has_a_size() -> None:
    assert said(ItemBatcher={"MaxInputBytesPerBatchPath": "$.n"}) == []
    assert said(ItemBatcher={"MaxInputBytesPerBatch": 262_145}) == [
        ("Maximum value is 262144", "ItemBatcher/MaxInputBytesPerBatch")
    ]
    ((_, where),) = said(ItemBatcher={"BatchInput": {}})
    assert where == "ItemBatcher"


@pytest.mark.parametrize(
    "writer",
    [
        {"WriterConfig": {"Transformation": "FLATTEN", "OutputType": "JSONL"}},
        {"Resource": PUT, "Parameters": {"Bucket.$": "$.b", "Prefix": "p"}},
    ],
)
def test_a_writer_exports_or_transforms(writer: dict[str, Any]) -> None:
    assert said(ResultWriter=writer) == []


def test_a_writer_is_not_empty() -> None:
    assert said(ResultWriter={}) == [("Value cannot be empty", "ResultWriter")]
    assert said(ResultWriter={"Resource": PUT}) == [
        ("These fields are required: [Parameters]", "ResultWriter")
    ]
    assert said(ResultWriter={"Resource": GET, "Parameters": {"Prefix.$": "$.p"}}) == [
        (
            "The field 'Resource' does not match any of the allowed values",
            "ResultWriter/Resource",
        )
    ]


@pytest.mark.parametrize(
    ("language", "field"), [("JSONPath", "Parameters"), ("JSONata", "Arguments")]
)
def test_a_writer_says_under_which_prefix(language: str, field: str) -> None:
    """Measured by sfnx for Arguments (fact 143); Parameters by analogy."""
    writer = {"Resource": PUT, field: {"Bucket": "b"}}
    assert said(QueryLanguage=language, ResultWriter=writer) == [
        ("The field 'Prefix' is required but was missing", f"ResultWriter/{field}")
    ]


def test_readers_and_writers_speak_their_states_language() -> None:
    source = {"Resource": GET, "Arguments": {"Bucket": "{% $states.input.b %}", "Key": "k"}}
    assert said(QueryLanguage="JSONata", ItemReader=source) == []
    ((message, where),) = said(ItemReader=source)
    assert "field 'Arguments' is only supported for the 'JSONata' QueryLanguage" in message
    assert where == "ItemReader"


def test_only_maps_of_jsonpath_have_parameters_and_no_map_has_arguments() -> None:
    assert said(Parameters={"a.$": "$"}) == []
    assert said(QueryLanguage="JSONata", Arguments={}) == [
        ("Field 'Arguments' is not supported", "/States/M")
    ]


@pytest.mark.parametrize(("field", "resource"), [("ItemReader", GET), ("ResultWriter", PUT)])
@pytest.mark.parametrize("parameters", ["x", 5, []])
def test_parameters_of_files_are_an_object(field: str, resource: str, parameters: Any) -> None:
    """Documented: the guide's pages of ItemReader and ResultWriter."""
    fields = {field: {"Resource": resource, "Parameters": parameters}}
    assert ("Expected value of type [OBJECT]", f"{field}/Parameters") in said(**fields)
