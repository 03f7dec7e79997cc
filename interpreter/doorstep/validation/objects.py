"""The machine, its scopes, and the objects inside states: which fields, and what each may hold.

Ranges and required fields were measured on AWS with ValidateStateMachineDefinition (asl-facts 1.4
to 1.11, provenance X); the rest is the States Language specification.
"""

from __future__ import annotations

from .fields import (
    ANY,
    JSONATA,
    JSONATA_TEMPLATE,
    JSONPATH,
    JSONPATH_TEMPLATE,
    MAX_SECONDS,
    REFERENCE,
    RESULT_PATH,
    STRING,
    TEMPLATE,
    VARIABLES,
    Field,
    OneOf,
    Shape,
    constant,
    enum,
    integer,
    nested,
    several,
)

QUERY_LANGUAGE = enum(JSONPATH, JSONATA)
COMMENT = {"Comment": ANY}

_ORDERED = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
_COMPARED: dict[str, Field] = {
    "String": Field("string", JSONPATH),
    "Numeric": Field("number", JSONPATH),
    "Timestamp": Field("timestamp", JSONPATH),
}
COMPARATORS: dict[str, Field] = {
    **{f"{kind}{order}": value for kind, value in _COMPARED.items() for order in _ORDERED},
    **{f"{kind}{order}Path": REFERENCE for kind in _COMPARED for order in _ORDERED},
    "BooleanEquals": Field("boolean", JSONPATH),
    "BooleanEqualsPath": REFERENCE,
    "StringMatches": Field("string", JSONPATH),
    **{
        f"Is{what}": Field("boolean", JSONPATH)
        for what in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")
    },
}
"""The 39 comparison operators."""
SELECTORS = ("And", "Or", "Not", "Variable", "Condition")

NESTED_RULE = Shape(
    "Choice rule",
    {
        "Variable": REFERENCE,
        **COMPARATORS,
        "And": Field("rules", JSONPATH),
        "Or": Field("rules", JSONPATH),
        "Not": Field("rule", JSONPATH),
        **COMMENT,
    },
)
CHOICE_RULE = Shape(
    "Choice rule",
    {
        **NESTED_RULE.fields,
        "Condition": Field("boolean", JSONATA, expression=True),
        "Next": STRING,
        "Assign": VARIABLES,
        "Output": JSONATA_TEMPLATE,
    },
    required=("Next",),
)

_ERRORS = {"ErrorEquals": several(STRING, filled=True), **COMMENT}
RETRIER = Shape(
    "Retrier",
    {
        **_ERRORS,
        "IntervalSeconds": constant(0, MAX_SECONDS),
        "MaxAttempts": constant(0, MAX_SECONDS),
        "BackoffRate": Field("number", minimum=1.0),
        "MaxDelaySeconds": constant(1, 31_622_400),
        "JitterStrategy": enum("NONE", "FULL"),
    },
    required=("ErrorEquals",),
)
CATCHER = Shape(
    "Catcher",
    {
        **_ERRORS,
        "Next": STRING,
        "ResultPath": RESULT_PATH,
        "Assign": Field("variables", error_output=True),
        "Output": Field("template", JSONATA, error_output=True),
    },
    required=("ErrorEquals", "Next"),
)
SCOPE = Shape(
    "Scope",
    {"StartAt": STRING, "States": Field("states", filled=True), **COMMENT},
    required=("States", "StartAt"),
)
PROCESSOR_CONFIG = Shape(
    "ProcessorConfig",
    {
        "Mode": enum("INLINE", "DISTRIBUTED"),
        "ExecutionType": enum("STANDARD", "EXPRESS"),
    },
)
PROCESSOR = Shape(
    "Processor",
    {**SCOPE.fields, "ProcessorConfig": nested(PROCESSOR_CONFIG)},
    required=SCOPE.required,
)
MACHINE = Shape(
    "Machine",
    {
        **SCOPE.fields,
        "Version": enum("1.0"),
        "TimeoutSeconds": constant(0, MAX_SECONDS),
        "QueryLanguage": QUERY_LANGUAGE,
    },
    required=SCOPE.required,
)

_S3 = {"Resource": STRING, "Parameters": JSONPATH_TEMPLATE, "Arguments": JSONATA_TEMPLATE}
READER_CONFIG = Shape(
    "ReaderConfig",
    {
        "InputType": enum("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"),
        "Transformation": enum("NONE", "LOAD_AND_FLATTEN"),
        "ManifestType": enum("ATHENA_DATA", "S3_INVENTORY"),
        "CSVDelimiter": enum("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
        "CSVHeaderLocation": enum("FIRST_ROW", "GIVEN"),
        "CSVHeaders": several(STRING),
        "MaxItems": integer(),
        "MaxItemsPath": REFERENCE,
        "ItemsPointer": STRING,
    },
    exclusive=(OneOf(("MaxItems", "MaxItemsPath")),),
)
ITEM_READER = Shape(
    "ItemReader", {**_S3, "ReaderConfig": nested(READER_CONFIG)}, required=("Resource",)
)
ITEM_BATCHER = Shape(
    "ItemBatcher",
    {
        "MaxItemsPerBatch": integer(1),
        "MaxItemsPerBatchPath": REFERENCE,
        "MaxInputBytesPerBatch": integer(1, 262_144),
        "MaxInputBytesPerBatchPath": REFERENCE,
        "BatchInput": TEMPLATE,
    },
    exclusive=(
        OneOf(("MaxItemsPerBatch", "MaxItemsPerBatchPath")),
        OneOf(("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")),
    ),
)
WRITER_CONFIG = Shape(
    "WriterConfig",
    {
        "Transformation": enum("NONE", "COMPACT", "FLATTEN"),
        "OutputType": enum("JSON", "JSONL"),
    },
)
RESULT_WRITER = Shape("ResultWriter", {**_S3, "WriterConfig": nested(WRITER_CONFIG)})
