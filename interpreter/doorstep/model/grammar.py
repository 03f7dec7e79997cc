"""The grammar of the Amazon States Language as tables: which fields an object has, what each holds.

First the words in which the tables are written, then the machine, its scopes and the objects inside
states; `state_types` has the states. Nothing here decides: `validation` holds definitions against
the tables, and who reads a definition asks them which fields there are.

Ranges and required fields were measured on AWS (facts 13 to 15, 201 to 214, 270 to 284);
the rest is https://states-language.net/spec.html, "Structure of a State Machine" and the sections
of the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .aws_model import PAYLOAD_BYTES

FieldKind = Literal[
    "any",
    "string",
    "boolean",
    "integer",
    "number",
    "enum",
    "object",
    "list",
    "states",
    "rule",
    "rules",
    "timestamp",
    "path",
    "reference",
    "result path",
    "text path",
    "template",
    "variables",
]
Language = Literal["JSONPath", "JSONata"]
JSONPATH: Language = "JSONPath"
JSONATA: Language = "JSONata"
MAX_SECONDS = 99_999_999


@dataclass(frozen=True, slots=True)
class Field:
    """What one field may hold; ``language`` when only one query language has it."""

    kind: FieldKind = "any"
    language: Language | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    object_type: ObjectType | None = None
    item: Field | None = None
    filled: bool = False
    """An empty array or object is refused."""
    expression: bool = False
    """A JSONata state may have an expression in place of the literal."""
    members: bool = False
    """Of a template: only an object, or in JSONata an expression that returns one."""
    reads: tuple[str, ...] = ()
    """What expressions in it may read of `$states` besides its input and context."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Of these fields there may be one; when needed, there must be one."""

    names: tuple[str, ...]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object: its fields by name; which are required; which exclude one another.

    ``name`` finds the rules across its fields (`validation.structure`).
    """

    name: str
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    exclusive: tuple[OneOf, ...] = ()


STRING = Field("string")
TEXT = Field("string", expression=True)
BOOLEAN = Field("boolean")
ANY = Field()
TEMPLATE = Field("template")
JSONATA_TEMPLATE = Field("template", JSONATA)
JSONPATH_TEMPLATE = Field("template", JSONPATH)
PATH = Field("path", JSONPATH)
REFERENCE = Field("reference", JSONPATH)
RESULT_PATH = Field("result path", JSONPATH)
VARIABLES = Field("variables")


def integer(minimum: int = 0, maximum: int | None = None) -> Field:
    """Return a whole number, or an expression in JSONata states."""
    return Field("integer", minimum=minimum, maximum=maximum, expression=True)


def constant(minimum: int, maximum: int) -> Field:
    """Return a whole number that can't be an expression."""
    return Field("integer", minimum=minimum, maximum=maximum)


def enum(*options: str) -> Field:
    """Return one of some strings, never an expression."""
    return Field("enum", options=options)


def nested(object_type: ObjectType, *, filled: bool = False) -> Field:
    """Return an object with known fields."""
    return Field("object", object_type=object_type, filled=filled)


def several(item: Field, *, filled: bool = False) -> Field:
    """Return an array of equal things."""
    return Field("list", item=item, filled=filled)


# The objects --------------------------------------------------------------------------------------

QUERY_LANGUAGE = enum(JSONPATH, JSONATA)
COMMENT = {"Comment": ANY}

_COMPARED: dict[str, Field] = {
    "String": Field("string", JSONPATH),
    "Numeric": Field("number", JSONPATH),
    "Timestamp": Field("timestamp", JSONPATH),
    "Boolean": Field("boolean", JSONPATH),
    "Is": Field("boolean", JSONPATH),
}
# Fact 148: the order in which AWS lists them, which follows no rule.
# fmt: off
_OPERATORS = (
    "StringEquals", "IsBoolean", "StringLessThan", "IsNumeric", "BooleanEquals",
    "StringLessThanEqualsPath", "NumericLessThan", "NumericGreaterThan", "NumericLessThanPath",
    "StringMatches", "TimestampLessThanEqualsPath", "NumericEquals", "TimestampGreaterThan",
    "StringGreaterThanEqualsPath", "TimestampGreaterThanEqualsPath", "TimestampLessThanEquals",
    "NumericLessThanEqualsPath", "TimestampEquals", "BooleanEqualsPath", "IsTimestamp",
    "StringLessThanEquals", "NumericLessThanEquals", "StringLessThanPath",
    "TimestampGreaterThanPath", "StringGreaterThan", "StringGreaterThanPath", "IsString",
    "StringEqualsPath", "TimestampEqualsPath", "TimestampLessThan", "StringGreaterThanEquals",
    "NumericGreaterThanPath", "NumericGreaterThanEquals", "NumericEqualsPath",
    "TimestampLessThanPath", "IsNull", "IsPresent", "TimestampGreaterThanEquals",
    "NumericGreaterThanEqualsPath",
)
# fmt: on


def _operand(operator: str) -> Field:
    if operator.endswith("Path"):
        return REFERENCE
    return next(value for kind, value in _COMPARED.items() if operator.startswith(kind))


COMPARATORS = {operator: _operand(operator) for operator in _OPERATORS}
"""The 39 comparison operators (fact 37; https://states-language.net/spec.html#choice-state)."""
COMBINATORS = ("And", "Or", "Not")
SELECTORS = (*COMBINATORS, "Variable", "Condition")

NESTED_RULE = ObjectType(
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
CHOICE_RULE = ObjectType(
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
# Facts 15 and 208: MaxAttempts may be 0, and the ranges.
RETRIER = ObjectType(
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
# Facts 303 and 304: ResultPath, Assign and Output belong to the catcher.
CATCHER = ObjectType(
    "Catcher",
    {
        **_ERRORS,
        "Next": STRING,
        "ResultPath": RESULT_PATH,
        "Assign": Field("variables", reads=("errorOutput",)),
        "Output": Field("template", JSONATA, reads=("errorOutput",)),
    },
    required=("ErrorEquals", "Next"),
)
# Fact 211: what a branch has.
SCOPE = ObjectType(
    "Scope",
    {"StartAt": STRING, "States": Field("states", filled=True), **COMMENT},
    required=("States", "StartAt"),
)
# Fact 271: INLINE by default; ExecutionType with DISTRIBUTED.
PROCESSOR_CONFIG = ObjectType(
    "ProcessorConfig",
    {
        "Mode": enum("INLINE", "DISTRIBUTED"),
        "ExecutionType": enum("STANDARD", "EXPRESS"),
    },
)
PROCESSOR = ObjectType(
    "Processor",
    {**SCOPE.fields, "ProcessorConfig": nested(PROCESSOR_CONFIG)},
    required=SCOPE.required,
)
# Facts 13, 201 and 208: Version is 1.0, TimeoutSeconds may be 0.
MACHINE = ObjectType(
    "Machine",
    {
        **SCOPE.fields,
        "Version": enum("1.0"),
        "TimeoutSeconds": constant(0, MAX_SECONDS),
        "QueryLanguage": QUERY_LANGUAGE,
    },
    required=SCOPE.required,
)

_S3 = {
    "Resource": STRING,
    "Parameters": Field("template", JSONPATH, members=True),
    "Arguments": Field("template", JSONATA, members=True),
}
# Facts 276 to 279: the formats that a reader knows.
READER_CONFIG = ObjectType(
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
ITEM_READER = ObjectType(
    "ItemReader", {**_S3, "ReaderConfig": nested(READER_CONFIG)}, required=("Resource",)
)
# Fact 281: one or both sizes, as a number or a path.
ITEM_BATCHER = ObjectType(
    "ItemBatcher",
    {
        "MaxItemsPerBatch": integer(1),
        "MaxItemsPerBatchPath": REFERENCE,
        "MaxInputBytesPerBatch": integer(1, PAYLOAD_BYTES),
        "MaxInputBytesPerBatchPath": REFERENCE,
        "BatchInput": TEMPLATE,
    },
    exclusive=(
        OneOf(("MaxItemsPerBatch", "MaxItemsPerBatchPath")),
        OneOf(("MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath")),
    ),
)
# Fact 284: how results are transformed and written.
WRITER_CONFIG = ObjectType(
    "WriterConfig",
    {
        "Transformation": enum("NONE", "COMPACT", "FLATTEN"),
        "OutputType": enum("JSON", "JSONL"),
    },
)
RESULT_WRITER = ObjectType("ResultWriter", {**_S3, "WriterConfig": nested(WRITER_CONFIG)})


def operator_of(rule: Mapping[str, object]) -> str:
    """Return what an accepted JSONPath choice rule does: And, Or, Not, or its comparison."""
    return next(name for name in rule if name in COMPARATORS or name in COMBINATORS)
