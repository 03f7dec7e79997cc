"""The eight state types: which fields each has, and what each may hold.

Measured on AWS for 8 types and 50 fields (facts 4, 5, 205 to 214, 270); the specification has the
same as a table (https://states-language.net/spec.html#state-type-table).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .grammar import (
    BOOLEAN,
    CATCHER,
    CHOICE_RULE,
    COMMENT,
    ITEM_BATCHER,
    ITEM_READER,
    JSONATA_TEMPLATE,
    JSONPATH,
    JSONPATH_TEMPLATE,
    MAX_SECONDS,
    PATH,
    PROCESSOR,
    QUERY_LANGUAGE,
    REFERENCE,
    RESULT_PATH,
    RESULT_WRITER,
    RETRIER,
    SCOPE,
    STRING,
    TEMPLATE,
    TEXT,
    VARIABLES,
    Field,
    ObjectType,
    OneOf,
    integer,
    nested,
    several,
)

_RETRY_CATCH = {"Retry": several(nested(RETRIER)), "Catch": several(nested(CATCHER))}
_COMMON = {"Type": STRING, "QueryLanguage": QUERY_LANGUAGE, **COMMENT}
_INPUT_OUTPUT = {"InputPath": PATH, "OutputPath": PATH, "Output": JSONATA_TEMPLATE}
_TRANSITION = {"Next": STRING, "End": BOOLEAN}
_NEXT_OR_END = OneOf(("Next", "End"), needed=True)
_RESULT = {
    "ResultPath": RESULT_PATH,
    "Parameters": JSONPATH_TEMPLATE,
    "ResultSelector": JSONPATH_TEMPLATE,
    "Output": replace(JSONATA_TEMPLATE, reads=("result",)),
    "Assign": replace(VARIABLES, reads=("result",)),
}


def _state(
    name: str,
    *parts: Mapping[str, Field],
    required: tuple[str, ...] = (),
    exclusive: tuple[OneOf, ...] = (),
) -> ObjectType:
    fields: dict[str, Field] = dict(_COMMON)
    for part in parts:
        fields |= part
    return ObjectType(name, fields, required, exclusive)


def _or_path(*names: str) -> tuple[OneOf, ...]:
    return tuple(OneOf((name, f"{name}Path")) for name in names)


# Fact 205, of a Map fact 270; which fields exclude each other: facts 206 and 207.
_STATE_TYPES = (
    _state(
        "Task",
        _INPUT_OUTPUT,
        _RESULT,
        _TRANSITION,
        _RETRY_CATCH,
        {
            "Resource": STRING,
            "Arguments": JSONATA_TEMPLATE,
            "Credentials": Field("template", members=True),
            "TimeoutSeconds": integer(1, MAX_SECONDS),
            "TimeoutSecondsPath": REFERENCE,
            "HeartbeatSeconds": integer(1, MAX_SECONDS),
            "HeartbeatSecondsPath": REFERENCE,
        },
        required=("Resource",),
        exclusive=(_NEXT_OR_END, *_or_path("TimeoutSeconds", "HeartbeatSeconds")),
    ),
    _state(
        "Wait",
        _INPUT_OUTPUT,
        _TRANSITION,
        {
            "Seconds": integer(0, MAX_SECONDS),
            "SecondsPath": REFERENCE,
            "Timestamp": Field("timestamp", expression=True),
            "TimestampPath": REFERENCE,
            "Assign": VARIABLES,
        },
        exclusive=(
            _NEXT_OR_END,
            OneOf(("SecondsPath", "Seconds", "TimestampPath", "Timestamp"), needed=True),
        ),
    ),
    _state(
        "Pass",
        _INPUT_OUTPUT,
        _TRANSITION,
        {
            "ResultPath": RESULT_PATH,
            "Parameters": JSONPATH_TEMPLATE,
            "Result": Field("any", JSONPATH),
            "Assign": VARIABLES,
        },
        exclusive=(_NEXT_OR_END,),
    ),
    _state("Succeed", _INPUT_OUTPUT),
    _state(
        "Fail",
        {
            "Error": TEXT,
            "ErrorPath": Field("text path", JSONPATH),
            "Cause": TEXT,
            "CausePath": Field("text path", JSONPATH),
        },
        exclusive=_or_path("Error", "Cause"),
    ),
    _state(
        "Choice",
        _INPUT_OUTPUT,
        {
            "Choices": several(nested(CHOICE_RULE), filled=True),
            "Default": STRING,
            "Assign": VARIABLES,
        },
        required=("Choices",),
    ),
    _state(
        "Parallel",
        _INPUT_OUTPUT,
        _RESULT,
        _TRANSITION,
        _RETRY_CATCH,
        {
            "Branches": several(nested(SCOPE), filled=True),
            "Arguments": JSONATA_TEMPLATE,
        },
        required=("Branches",),
        exclusive=(_NEXT_OR_END,),
    ),
    _state(
        "Map",
        _INPUT_OUTPUT,
        _RESULT,
        _TRANSITION,
        _RETRY_CATCH,
        {
            "ItemProcessor": nested(PROCESSOR),
            "Iterator": nested(PROCESSOR),
            "ItemsPath": REFERENCE,
            "Items": JSONATA_TEMPLATE,
            "ItemSelector": TEMPLATE,
            "ItemReader": nested(ITEM_READER),
            "ItemBatcher": nested(ITEM_BATCHER),
            "ResultWriter": nested(RESULT_WRITER, filled=True),
            "MaxConcurrency": integer(),
            "MaxConcurrencyPath": REFERENCE,
            "ToleratedFailurePercentage": Field("number", minimum=0, maximum=100, expression=True),
            "ToleratedFailurePercentagePath": REFERENCE,
            "ToleratedFailureCount": integer(),
            "ToleratedFailureCountPath": REFERENCE,
            "Label": STRING,
        },
        exclusive=(
            _NEXT_OR_END,
            OneOf(("ItemProcessor", "Iterator"), needed=True),
            OneOf(("ItemSelector", "Parameters")),
            *_or_path("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount"),
        ),
    ),
)
STATES = {state_type.name: state_type for state_type in _STATE_TYPES}
"""The eight state types, in the order in which AWS names them."""

WORKING = tuple(name for name, state_type in STATES.items() if "Retry" in state_type.fields)
"""Task, Parallel and Map: the types that do work, and so have Retry and Catch (fact 5)."""
TERMINAL = ("Succeed", "Fail")
"""The types that end their scope (https://states-language.net/spec.html#transition)."""
