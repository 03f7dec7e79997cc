"""MockConfigFile.json, the mocks of Step Functions Local, unchanged.

    {"StateMachines": {MACHINE: {"TestCases": {TEST CASE: {STATE: RESPONSES}}}},
     "MockedResponses": {RESPONSES: {"0": {"Return": …}, "1-3": {"Throw": {"Error", "Cause"}}}}}

A response is the whole result of the state's work: with `lambda:invoke` it holds the `Payload`, and
for a callback or job it is the final answer. States that the test case does not name are left to
the handlers. What is wrong with responses is told when one of them is needed (so does Step
Functions Local; floci#2523): the execution then fails with Doorstep.MockInvalid.

Source: AWS Step Functions developer guide, "Configuration file for mocked service integrations".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..runtime import Answer
from ..values.did_you_mean import did_you_mean
from ..values.json_values import loads
from .mocks import Mock, Respond, invalid, numbers

_THROWN = frozenset(("Error", "Cause"))


def read_test_case(path: Path, name: str, machine: str | None = None) -> list[Mock]:
    """The mocks of a test case of a file, for the state machine of this name alone.

    A file that knows no such machine is asked for the one machine that has the test case. Raises
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
    found = [key for key in cases if name in cases[key] and (anywhere or key == machine)]
    if len(found) != 1:
        raise InputError(f"{path}: {_which(name, machine, cases)}")
    states = _object(cases[found[0]][name], path, name)
    responses = _object(config.get("MockedResponses", {}), path, "MockedResponses")
    return [
        replace(one, machine=machine)
        for state, key in states.items()
        for one in _mocks(state, key, responses)
    ]


def read_config(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file; raises InputError."""
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
    """A mock for each response, and one that tells that there is none for the call.

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
