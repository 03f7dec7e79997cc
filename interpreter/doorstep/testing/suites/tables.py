"""The members of a suite's file: what the reader takes, and the JSON schema that editors take."""

from __future__ import annotations

from datetime import UTC, datetime

from ...asl.jsonata_fields import is_expression
from ...definitions.config_schema import (
    TEXT,
    ArrayOf,
    Either,
    Form,
    MapOf,
    Member,
    Scalar,
    Schema,
    options,
)
from ...runtime import seconds
from ..mock_files import MOCKS, VALUE
from .rows import Rows


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(value: float | str) -> float | str:
    return value if isinstance(value, str) and is_expression(value) else seconds(value)


def _status(text: str) -> str:
    if text not in _STATUSES and not is_expression(text):
        raise ValueError(f"{text!r} is none of these")
    return text


_STATUSES = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "RUNNING")
_STATUS = Scalar(f"one of {', '.join(_STATUSES)}, or a condition", ("string",), _status)
_MOMENT = Scalar("a time such as 2025-01-31T08:00:00Z", ("string",), _moment)
_LENGTH = Scalar("a duration, or a condition on its seconds", ("number", "string"), _length)
_SEED = Scalar("a text or a number", ("string", "number"), str)
_MOCKS = Either("a list of mocks, or a file of them", {"array": MOCKS, "string": TEXT})

SETTINGS = {
    "definition": Member(TEXT, "file of the definition or template"),
    "resource": Member(TEXT, "which state machine of a template"),
    "parameters": Member(MapOf(TEXT), "a template's parameters, and what ${NAME} stands for"),
    "handlers": Member(TEXT, "what answers the tasks: a .py file, a folder of them, a module"),
    "state_machines": Member(MapOf(TEXT), "files that states:startExecution finds, by name"),
    "s3_root": Member(TEXT, "the folder that holds a folder for each S3 bucket"),
    "type": Member(options("STANDARD", "EXPRESS"), "of the state machine; STANDARD by default"),
    "start_time": Member(_MOMENT, "when the clock starts; 2025-01-01T00:00:00Z by default"),
    "seed": Member(_SEED, "of UUIDs, jitter and tokens; by default the execution's name"),
    "mock_validation": Member(
        options("strict", "warn", "off"),
        "what to do about a mock's answer that no service gives",
    ),
}
"""What holds for a test, or when it stands beside `tests`, for all that don't say otherwise."""

FORMER = {
    "machines": "state_machines",
    "bucket": "s3_root",
    "begin": "start_time",
    "answers": "mock_validation",
}

STATE = Form(
    {
        "visits": Member(VALUE, "how often it was entered"),
        "retries": Member(VALUE, "how often its work was tried again"),
        "errors": Member(VALUE, "the names of the errors of its work, retried ones included"),
        "outcome": Member(
            VALUE, "of the last visit: succeeded, caught, failed, aborted, in progress; null: none"
        ),
        "took": Member(_LENGTH, "how long the last visit took, in modelled time"),
        "assigned": Member(VALUE, "the variables that the last visit assigned"),
        "assigned_includes": Member(VALUE, "the same; there may be more"),
        "next": Member(VALUE, "the state that it went on to; null at an end"),
        "input": Member(VALUE, "of the last visit, before InputPath"),
        "input_includes": Member(VALUE, "the same; objects may have more members"),
        "output": Member(VALUE, "of the last visit"),
        "output_includes": Member(VALUE, "the same; objects may have more members"),
        "paths": Member(VALUE, "the states that each branch or iteration inside went through"),
    }
)
EXECUTION = {
    "status": Member(_STATUS, "how it ended; SUCCEEDED unless error or cause is expected"),
    "output": Member(VALUE, "the output"),
    "output_includes": Member(VALUE, "the output; its objects may have more members"),
    "error": Member(VALUE, "the error's name"),
    "cause": Member(VALUE, "the cause"),
    "path": Member(VALUE, "the states it went through, those inside of Parallel and Map not"),
    "took": Member(_LENGTH, "how long it took, in modelled time"),
    "states": Member(MapOf(STATE), "what became of states, by name"),
    "calls": Member(
        MapOf(VALUE), "calls of tasks by function, service:action or state: how many, or inputs"
    ),
}
CHILD = Form(
    {
        **EXECUTION,
        "input": Member(VALUE, "the input"),
        "input_includes": Member(VALUE, "the input; its objects may have more members"),
    }
)
EXPECT = Form(
    {
        **EXECUTION,
        "children": Member(
            MapOf(ArrayOf(CHILD)),
            "the executions that it started, in order, by their machine's name",
        ),
        "history": Member(TEXT, "file of the history that was kept; `--update` keeps it"),
    }
)
TEST = Form(
    {
        "name": Member(TEXT, "a sentence", required=True),
        "each": Member(VALUE, "a list of values; the test is run for each, ${NAME} is its member"),
        "input": Member(VALUE, "the input; {} by default"),
        "input_file": Member(TEXT, "file of the input"),
        "execution": Member(TEXT, "the execution's name"),
        "mocks": Member(_MOCKS, "asked before those of the suite and before the handlers"),
        "expect": Member(EXPECT, "what it is compared with; without: that it succeeds"),
        **SETTINGS,
    },
    exclusive=(("input", "input_file"),),
    former=FORMER,
)
SUITE = Form(
    {
        "mocks": Member(_MOCKS, "asked in every test, after its own"),
        **SETTINGS,
        "tests": Member(ArrayOf(Rows(TEST)), "the tests", required=True),
    },
    former=FORMER,
)


def schema() -> Schema:
    """The JSON schema of such a file, for editors."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Doorstep suite"}
    return {**head, **SUITE.schema()}
