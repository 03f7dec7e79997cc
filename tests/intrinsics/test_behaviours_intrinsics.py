"""Facts 52 to 59 (docs/facts/intrinsics.md): the intrinsic functions, through states.

Expected values are those of the facts and of AWS's page on intrinsic functions.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

import doorstep


def call(text: str, data: Any = None, **options: Any) -> doorstep.Execution:
    """Run an intrinsic call as a member of a payload template."""
    state = {"Type": "Pass", "Parameters": {"found.$": text}, "OutputPath": "$.found", "End": True}
    return doorstep.run({"StartAt": "Call", "States": {"Call": state}}, data, **options)


def value(text: str, data: Any = None, **options: Any) -> Any:
    execution = call(text, data, **options)
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"States.Format('\{{}\}', $.n)", "{7}"),
        (r"States.Format('\{\}')", "{}"),
        (r"States.Format('{} \{{}\} {}', $.n, 'b', $.s)", "7 {b} x"),
    ],
)
def test_behaviour_52_format_has_braces_that_are_no_placeholders(text: str, found: str) -> None:
    assert value(text, {"n": 7, "s": "x"}) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"States.Format('it\'s {}', 'Ada\'s')", "it's Ada's"),
        (r"States.Format('C:\\{}', 'a\\b')", r"C:\a\b"),
        ("States.Format('{}/{}', $.path, $.braces)", r"C:\{}\'/{} {}"),
    ],
)
def test_behaviour_53_format_unescapes_its_literals_and_keeps_values_as_they_are(
    text: str, found: str
) -> None:
    assert value(text, {"path": r"C:\{}\'", "braces": "{} {}"}) == found


def test_behaviour_54_calls_nest_and_take_negative_literals() -> None:
    parts = "States.StringSplit($$.StateMachine.Name, '-')"
    last = f"States.MathAdd(States.ArrayLength({parts}), -1)"
    text = f"States.ArrayGetItem({parts}, {last})"
    assert value(text, state_machine_name="orders-eu-prod") == "prod"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("States.StringSplit('1,2;3', ',;')", ["1", "2", "3"]),
        (
            "States.StringSplit('This.is+a,test=string', '.+,=')",
            ["This", "is", "a", "test", "string"],
        ),
        ("States.StringSplit(',,,,', ',')", []),
        ("States.StringSplit(',a,,b,', ',')", ["a", "b"]),
    ],
)
def test_behaviour_55_string_split_splits_at_any_of_the_characters(
    text: str, found: list[str]
) -> None:
    """Recorded as well: test_string_split."""
    assert value(text) == found


@pytest.mark.parametrize("index", ["-1", "2.5", "2", "'0'"])
@pytest.mark.parametrize("name", ["States.IntrinsicFailure", "States.TaskFailed", "States.ALL"])
def test_behaviour_56_array_get_item_fails_on_an_index_that_is_none_and_is_not_caught(
    chain, index: str, name: str
) -> None:
    """Fact 128 is recorded of a Pass; that nothing catches it follows from fact 307."""
    text = f"States.ArrayGetItem($.list, {index})"
    assert call(text, {"list": [1, 2]}).error == "States.Runtime"
    work = {
        "Type": "Task",
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:Work",
        "Parameters": {"item.$": text},
        "Catch": [{"ErrorEquals": [name], "Next": "Caught"}],
    }
    definition = chain({"Work": work, "Caught": {"Type": "Pass"}})
    execution = doorstep.run(definition, {"list": [1, 2]}, {"Work": lambda event: event})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'Work' (entered at the event id #2). "
        f"There was an error while evaluating the intrinsic function: {text}. "
        "Invalid arguments in States.ArrayGetItem"
    )


@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_a_call_that_fails_inside_a_branch_or_an_iteration_ends_the_execution(kind: str) -> None:
    """As States.Runtime does (fact 307); no recording has an intrinsic function there."""
    inside = {
        "StartAt": "Sum",
        "States": {
            "Sum": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($, 1)"}, "End": True}
        },
    }
    outer = {"Branches": [inside]} if kind == "Parallel" else {"ItemProcessor": inside}
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]
    definition = {
        "StartAt": "Outer",
        "States": {
            "Outer": {"Type": kind, **outer, "Catch": catch, "End": True},
            "Caught": {"Type": "Pass", "End": True},
        },
    }
    execution = doorstep.run(definition, [None])
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


@pytest.mark.parametrize(("at", "index"), [("$.n[0]", 0), ("$.n[1].a", 1), ("$.o.p[2]", 2)])
def test_an_index_into_what_is_no_array_says_so_in_an_argument(at: str, index: int) -> None:
    """Fact 133, measured for a number."""
    execution = call(f"States.Array({at})", {"n": 7, "o": {"p": 7}})
    assert execution.error == "States.Runtime"
    assert execution.cause.endswith(
        f"Filter: [{index}] can only be applied to arrays. Current context is: 7"
    )


@pytest.mark.parametrize("function", ["Base64Encode", "Base64Decode"])
def test_behaviour_57_base64_takes_ten_thousand_characters(function: str) -> None:
    text = f"States.{function}($.text)"
    assert call(text, {"text": "a" * 10_000}).status == "SUCCEEDED"
    assert call(text, {"text": "a" * 10_004}).error == "States.Runtime"


ALL = {
    "States.Array('a', 1, true, null)": ["a", 1, True, None],
    "States.ArrayPartition($.list, 2)": [[1, 2], [3]],
    "States.ArrayContains($.list, 3)": True,
    "States.ArrayRange(1, 9, 2)": [1, 3, 5, 7, 9],
    "States.ArrayGetItem($.list, 1)": 2,
    "States.ArrayLength($.list)": 3,
    "States.ArrayUnique(States.Array(1, 1, 2))": [1, 2],
    "States.Base64Encode('Data to encode')": "RGF0YSB0byBlbmNvZGU=",
    "States.Base64Decode('RGVjb2RlZCBkYXRh')": "Decoded data",
    "States.Hash('input data', 'SHA-1')": "aaff4a450a104cd177d28d18d74485e8cae074b7",
    "States.JsonMerge($.a, $.b, false)": {"x": 2, "y": {"c": 3}, "z": 4},
    "States.StringToJson('{\"n\": 1}')": {"n": 1},
    "States.JsonToString($.a)": '{"x":1,"y":{"c":1},"z":4}',
    "States.MathRandom(5, 6)": 5,
    "States.MathAdd(111, -1)": 110,
    "States.StringSplit('1,2', ',')": ["1", "2"],
    "States.Format('Hi {}', 'Ada')": "Hi Ada",
}


@pytest.mark.parametrize("text", ALL)
def test_behaviour_58_there_are_eighteen_functions(text: str) -> None:
    data = {"list": [1, 2, 3], "a": {"x": 1, "y": {"c": 1}, "z": 4}, "b": {"x": 2, "y": {"c": 3}}}
    assert value(text, data) == ALL[text]


def test_behaviour_58_the_eighteenth_is_uuid_version_4() -> None:
    assert len(ALL) == 17
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(form, value("States.UUID()"))


def test_behaviour_59_json_merge_is_shallow_only() -> None:
    data = {"a": {"x": {"p": 1}}, "b": {"x": {"q": 2}}}
    assert value("States.JsonMerge($.a, $.b, false)", data) == {"x": {"q": 2}}
    assert call("States.JsonMerge($.a, $.b, true)", data).error == "States.Runtime"
