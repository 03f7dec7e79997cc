"""Mocks in files: written as YAML or JSON, or as Step Functions Local has them.

    mocks:
      - {state: ChargeCard, attempt: 0-1, fail: GatewayBusy}
      - {state: PriceItem, when: {sku: tea}, answer: {cents: 790}}
      - {state: FulfilOrder, answer: {number: PX-1}, after: 5h}

They become the mocks of `doorstep.testing`, and mean what those mean. In `answer` and `response` a
text `{% … %}` is JSONata that makes the value, in `when` a condition on it; `$` is the event that a
handler would receive, or what stands at that place of it.

MockConfigFile.json is read unchanged:

    {"StateMachines": {MACHINE: {"TestCases": {TEST CASE: {STATE: RESPONSES}}}},
     "MockedResponses": {RESPONSES: {"0": {"Return": …}, "1-3": {"Throw": {"Error", "Cause"}}}}}

A response is the whole result of the state's work: with `lambda:invoke` it holds the `Payload`, and
for a callback or job it is the final answer. States that the test case does not name are left to
the handlers. Wrong responses are reported when one of them is needed (so does Step Functions Local;
floci#2523): the execution then fails with Doorstep.MockInvalid.

Source: AWS Step Functions developer guide, "Configuration file for mocked service integrations".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from ..values.did_you_mean import did_you_mean
from ..values.json_values import ABSENT, loads
from .conditions import check_expressions, made, unmet
from .mocks import Mock, Numbers, Respond, invalid, mock, numbers


def _numbers(value: int | str) -> Numbers:
    if isinstance(value, int) and value >= 0:
        return value
    calls = numbers(value) if isinstance(value, str) else None
    if calls is None:
        raise ValueError(f"{value!r} is none of these")
    return calls


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
        "heartbeat": Member(DURATION, "how often the task sends heartbeats until it is over"),
    },
    exclusive=(("no_answer", "after"), ("fail", "response")),
    one_of=("answer", "fail", "no_answer"),
)
MOCKS = ArrayOf(MOCK)
MOCK_FILE = Form({"mocks": Member(MOCKS, "the mocks; the first that fits answers", required=True)})


def read_mocks(path: Path) -> list[Mock]:
    """Return the mocks of a file; raise InputError with file, line and column of what is wrong."""
    place = load(path)
    if isinstance(place.value, dict) and "StateMachines" in place.value:
        raise InputError(f"this is a MockConfigFile.json; name a test case: {path}#TESTCASE")
    if isinstance(place.value, list):
        raise place.problem("the list of mocks belongs below `mocks:`; write that line above it")
    return made_mocks(MOCK_FILE.read(place).members["mocks"])


def mocks_of(source: str, folder: Path, machine: str | None) -> list[Mock]:
    """Return the mocks that a text names, relative to a folder.

    "mocks.yaml": those of the file; "MockConfigFile.json#TestCase": of a test case for the machine.
    """
    file, named, case = source.rpartition("#")
    return read_test_case(folder / file, case, machine) if named else read_mocks(folder / source)


def made_mocks(records: Iterable[Record]) -> list[Mock]:
    """Return the mocks that MOCKS has read."""
    return [_mock(record) for record in records]


def _mock(record: Record) -> Mock:
    members = record.members
    state: str = members["state"]
    conditions = {
        name: members[name] for name in ("invocation", "attempt", "index") if name in members
    }
    when = _condition(record.source.at("when")) if "when" in members else None
    try:
        built = mock(
            state, _answer(record), when=when, heartbeat=members.get("heartbeat"), **conditions
        )
    except InputError as problem:
        raise record.source.problem(str(problem)) from None
    return replace(built, label=f"{state} ({record.source})")


def _condition(place: SourceValue) -> Callable[[Any], bool]:
    def fits(event: Any) -> bool:
        try:
            return not unmet("", place.value, event, partial=True)
        except InputError as problem:
            raise place.problem(str(problem)) from None

    return fits


def _answer(record: Record) -> Callable[[Any], Answer | TaskFailed]:
    """Return the function that answers with what a mock says."""
    after, failure = record.get("after", 0), record.get("fail")
    if failure is not None:
        names = {"error": failure} if isinstance(failure, str) else failure.members
        return lambda _: fail(names.get("error"), names.get("cause"), after=after)

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


_THROWN = frozenset(("Error", "Cause"))


def read_test_case(path: Path, name: str, machine: str | None = None) -> list[Mock]:
    """Return the mocks of a test case of a file, for the state machine of this name alone.

    In a file without such a machine it is that of the one machine that has the test case. Raises
    InputError when there is no such file, machine or test case, or when they are no JSON objects.

    Facts 122 to 126.
    """
    config = read_config(path)
    machines = _object(config.get("StateMachines"), path, "StateMachines")
    cases = {
        key: _object(_object(value, path, key).get("TestCases", {}), path, f"TestCases of {key}")
        for key, value in machines.items()
    }
    anywhere = machine not in cases
    having = [key for key in cases if name in cases[key] and (anywhere or key == machine)]
    if len(having) != 1:
        raise InputError(f"{path}: {_which(name, machine, cases)}")
    states = _object(cases[having[0]][name], path, name)
    responses = _object(config.get("MockedResponses", {}), path, "MockedResponses")
    return [
        replace(one, machine=machine, lenient=True)
        for state, key in states.items()
        for one in _mocks(state, key, responses)
    ]


def read_config(path: Path) -> Mapping[str, Any]:
    """Return the JSON object in a file; raise InputError when it has none."""
    try:
        return _object(loads(path.read_text("utf-8-sig")), path, "the file")
    except OSError as problem:
        raise InputError(f"can't read {path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise InputError(f"{path} is not UTF-8 text: {problem.reason}") from None
    except InputError as problem:
        raise InputError(f"{path}: {problem}") from None


def _object(value: Any, path: Path, what: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise InputError(f"{path}: {what} has to be a JSON object")


def _which(name: str, machine: str | None, cases: Mapping[str, Mapping[str, Any]]) -> str:
    having = [key for key, known in cases.items() if name in known]
    if machine in cases or not having:
        known = [f"{key}#{case}" for key in cases for case in cases[key]]
        return f"there is no test case {name!r}; there are {', '.join(known) or 'none'}"
    return f"there is no state machine {machine!r}, and {', '.join(having)} have a case {name!r}"


def _mocks(state: str, key: Any, responses: Mapping[str, Any]) -> Iterator[Mock]:
    """Yield a mock for each response, and one that reports that there is none for the call.

    Facts 122 and 123: numbered responses advance with each invocation of the state, in all
    iterations together.
    """
    numbered = responses.get(key) if isinstance(key, str) else None
    if not isinstance(numbered, Mapping):
        hint = did_you_mean(str(key), responses) or f"there are {', '.join(responses) or 'none'}"
        why = f"MockedResponses has no object {key!r}; {hint}"
        yield Mock(state, _invalid(why), f"{state}: {key}")
        return
    for text, response in numbered.items():
        label = f'{state}: {key} "{text}"'
        calls = numbers(text)
        if calls is None:
            yield Mock(state, _invalid(f"{key} has {text!r}, no number or range"), label)
        else:
            yield Mock(state, _respond(response, label), label, invocation=calls)
    there_are = ", ".join(numbered) or "none"
    yield Mock(state, _invalid(f"{key} has no response for this call; there are {there_are}"), "")


def _respond(response: Any, label: str) -> Respond:
    # Facts 124 and 125: any value may be returned, and a wrong one fails when its turn comes.
    match response:
        case {"Return": output, **others} if not others:
            answer = Answer(output=output)
        case {"Throw": dict(thrown), **others} if not others and _is_thrown(thrown):
            answer = Answer(failed=True, error=thrown.get("Error"), cause=thrown.get("Cause"))
        case _:
            return _invalid(f"{label} has to have either Return or Throw with Error and Cause")
    return lambda execution, invoke: answer


def _is_thrown(thrown: dict[str, Any]) -> bool:
    return thrown.keys() <= _THROWN and all(isinstance(text, str) for text in thrown.values())


def _invalid(why: str) -> Respond:
    return lambda execution, invoke: invalid(invoke.state, why)
