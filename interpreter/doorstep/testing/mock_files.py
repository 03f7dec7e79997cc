"""Mocks written as YAML or JSON.

    mocks:
      - {state: ChargeCard, attempt: 0-1, fail: GatewayBusy}
      - {state: PriceItem, when: {sku: tea}, answer: {cents: 790}}
      - {state: FulfilOrder, answer: {number: PX-1}, after: 5h}

They become the mocks of `doorstep.testing`, and mean what those mean. In `answer` and
`response` a text `{% … %}` is JSONata that makes the value, in `when` a condition on it; `$` is
what a handler would be given, or what stands at that place of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..definitions.config_schema import (
    TEXT,
    Anything,
    ArrayOf,
    Either,
    Form,
    Member,
    Record,
    Scalar,
    SourceValue,
    load,
)
from ..errors import InputError
from ..runtime import Answer, TaskFailed, answer, fail, seconds
from ..values.json_values import ABSENT
from .conditions import check_expressions, made, unmet
from .mock_config import read_test_case
from .mocks import Mock, Numbers, invalid, mock, numbers


def _numbers(value: int | str) -> Numbers:
    if isinstance(value, int) and value >= 0:
        return value
    found = numbers(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r} is none of these")
    return found


VALUE = Anything(check_expressions)
DURATION = Scalar("a duration", ("number", "string"), seconds)
_NUMBERS = Scalar("a number from 0 on, or a range such as 0-2", ("number", "string"), _numbers)
_TRUE = Scalar("true", ("boolean",), options=(True,))
_FAILURE = Form({"error": Member(TEXT, "its name"), "cause": Member(TEXT, "its cause")})

MOCK = Form(
    {
        "state": Member(TEXT, "the Task state whose calls it answers", required=True),
        "invocation": Member(_NUMBERS, "of all calls of the state, from 0 on"),
        "attempt": Member(_NUMBERS, "of one visit: 0 is the first call, 1 the first retry"),
        "index": Member(_NUMBERS, "the iteration of the inline Map around the state"),
        "when": Member(VALUE, "what the input has to hold, or a condition on it"),
        "answer": Member(VALUE, "the result of the task"),
        "fail": Member(
            Either("an error's name, or error and cause", {"string": TEXT, "object": _FAILURE}),
            "the error with which the task fails",
        ),
        "no_answer": Member(_TRUE, "true: nobody answers, and a timeout decides"),
        "after": Member(DURATION, "when the answer comes, on the execution's clock"),
        "response": Member(VALUE, "what a callback's or a job's request is answered at once"),
        "heartbeat": Member(DURATION, "how often the task's heart beats until it is over"),
    },
    exclusive=(("no_answer", "after"), ("fail", "response")),
    one_of=("answer", "fail", "no_answer"),
)
MOCKS = ArrayOf(MOCK)
MOCK_FILE = Form({"mocks": Member(MOCKS, "the mocks; the first that fits answers", required=True)})


def read_mocks(path: Path) -> list[Mock]:
    """The mocks of a file; raises InputError with file, line and column of what is wrong."""
    place = load(path)
    if isinstance(place.value, dict) and "StateMachines" in place.value:
        raise InputError(f"this is a MockConfigFile.json; name a test case: {path}#TESTCASE")
    return made_mocks(MOCK_FILE.read(place).members["mocks"])


def mocks_of(source: str, folder: Path, machine: str | None) -> list[Mock]:
    """The mocks that a text names, relative to a folder.

    "mocks.yaml": those of the file; "MockConfigFile.json#TestCase": of a test case for the machine.
    """
    file, named, case = source.rpartition("#")
    return read_test_case(folder / file, case, machine) if named else read_mocks(folder / source)


def made_mocks(records: Iterable[Record]) -> list[Mock]:
    """The mocks that MOCKS has read."""
    return [_mock(record) for record in records]


def _mock(record: Record) -> Mock:
    given = record.members
    state: str = given["state"]
    conditions = {name: given[name] for name in ("invocation", "attempt", "index") if name in given}
    when = _condition(record.source.at("when")) if "when" in given else None
    try:
        made_of = mock(
            state, _answer(record), when=when, heartbeat=given.get("heartbeat"), **conditions
        )
    except InputError as problem:
        raise record.source.problem(str(problem)) from None
    return replace(made_of, label=f"{state} ({record.source})")


def _condition(place: SourceValue) -> Callable[[Any], bool]:
    def fits(event: Any) -> bool:
        try:
            return not unmet("", place.value, event, partial=True)
        except InputError as problem:
            raise place.problem(str(problem)) from None

    return fits


def _answer(record: Record) -> Callable[[Any], Answer | TaskFailed]:
    """The function that answers with what a mock says."""
    after, failure = record.get("after", 0), record.get("fail")
    if failure is not None:
        told = {"error": failure} if isinstance(failure, str) else failure.members
        return lambda _: fail(told.get("error"), told.get("cause"), after=after)

    def respond(event: Any) -> Answer:
        try:
            output, response = (
                made(record.members[name], event) if name in record else ABSENT
                for name in ("answer", "response")
            )
        except InputError as problem:
            return invalid(record.get("state"), f"{record.source}: {problem}")
        return answer(output, after=after, response=response)

    return respond
