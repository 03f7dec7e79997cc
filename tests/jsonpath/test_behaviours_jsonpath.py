"""Facts 28 to 51 (docs/facts): JSONPath and data flow, through states.

Expected values are those of the facts and of the recordings that they name.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import doorstep
from doorstep.model.grammar import COMPARATORS

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Work"
START = datetime(2024, 1, 1, tzinfo=UTC)


def ask(path: str, data: Any) -> Any:
    """What a path gives as a member of a payload template."""
    state = {"Type": "Pass", "Parameters": {"found.$": path}, "End": True}
    execution = doorstep.run({"StartAt": "Ask", "States": {"Ask": state}}, data)
    assert execution.status == "SUCCEEDED", execution.cause
    return execution.output["found"]


def decide(rule: dict[str, Any], data: Any, **fields: Any) -> doorstep.Execution:
    """Which way a Choice goes: the output is Yes or Default."""
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No", **fields}
    ends = {
        "Yes": {"Type": "Pass", "Result": "Yes", "End": True},
        "No": {"Type": "Pass", "Result": "Default", "End": True},
    }
    return doorstep.run({"StartAt": "Decide", "States": {"Decide": choice, **ends}}, data)


def test_behaviours_28_and_29_a_template_path_that_leads_nowhere_fails_the_execution(chain) -> None:
    fast = {"Type": "Pass", "Parameters": {"missing.$": "$.nope.deep"}}
    execution = doorstep.run(chain({"First": {"Type": "Pass"}, "Fast": fast}), {"other": 1})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'Fast' (entered at the event id #4). "
        "The JSONPath '$.nope.deep' specified for the field 'missing.$' "
        "could not be found in the input '{\"other\":1}'"
    )


def test_behaviour_29_the_innermost_state_is_named_once(chain, each) -> None:
    inner = each({"Deep": {"Type": "Pass", "InputPath": "$.no"}}, ItemsPath="$.items")
    execution = doorstep.run(chain({"All": inner}), {"items": [{}]})
    assert execution.cause == (
        "An error occurred while executing the state 'Deep' (entered at the event id #5). "
        "Invalid path '$.no' : No results for path: $['no']"
    )


@pytest.mark.parametrize(
    ("path", "data", "found"),
    [
        ("$.d[?(@.keep)].n", [{"n": 1, "keep": True}, {"n": 2}, {"n": 3, "keep": False}], [1, 3]),
        ("$.d[?(@.keep == true)].n", [{"n": 1, "keep": True}, {"n": 3, "keep": False}], [1]),
        ("$.d..a", {"x": {"a": [1, 2]}}, [[1, 2]]),
        ("$.d..a[*]", {"x": {"a": [1, 2]}}, [1, 2]),
    ],
)
def test_behaviour_30_filters_and_descent(path: str, data: Any, found: Any) -> None:
    assert ask(path, {"d": data}) == found


@pytest.mark.parametrize("path", ["$[*].type", "$.item.items[1:5].itemValue", "$..nope"])
def test_behaviour_31_an_indefinite_path_without_a_match_gives_an_empty_array(path: str) -> None:
    """Recorded as well: test_json_path_array_wildcard_or_slice_with_no_input."""
    assert ask(path, {}) == []


@pytest.mark.parametrize(("path", "found"), [("$.d[-1]", "c"), ("$.d[1,2]", ["b", "c"])])
def test_behaviour_32_negative_and_listed_indexes(path: str, found: Any) -> None:
    assert ask(path, {"d": ["a", "b", "c"]}) == found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("/ada/", ["ada"]), ("/ADA/i", ["ada"]), ("/a.*/", ["ada", "amy"]), ("/d/", [])],
)
def test_behaviour_33_a_regular_expression_matches_the_whole_text(
    pattern: str, found: list[str]
) -> None:
    """Jayway JsonPath's `=~`, which AWS uses, is Java's Matcher.matches()."""
    names = [{"n": "ada"}, {"n": "amy"}, {"n": "bob"}]
    assert ask(f"$.d[?(@.n =~ {pattern})].n", {"d": names}) == found


def test_behaviour_34_a_wildcard_takes_the_values_of_an_object() -> None:
    assert ask("$.d.*", {"d": {"b": 1, "a": [2]}}) == [1, [2]]
    assert ask("$.d[*].n", {"d": {"x": {"n": 1}, "y": {"n": 2}}}) == [1, 2]


@pytest.mark.parametrize("path", ["$.d.length()", "$.d.min()", "$.d.Length()"])
def test_behaviour_35_paths_have_no_functions(path: str) -> None:
    state = {"Type": "Pass", "Parameters": {"found.$": path}, "End": True}
    execution = doorstep.run({"StartAt": "Ask", "States": {"Ask": state}}, {"d": [1, 2]})
    assert execution.error == "States.Runtime"
    assert f"The JSONPath '{path}' specified for the field 'found.$'" in str(execution.cause)


def test_behaviour_36_a_choice_on_a_missing_variable_does_not_fall_to_default() -> None:
    execution = decide({"Variable": "$.no", "StringEquals": "x"}, {})
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


ORDERS = {
    "Equals": (False, True, False),
    "LessThan": (True, False, False),
    "GreaterThan": (False, False, True),
    "LessThanEquals": (True, True, False),
    "GreaterThanEquals": (False, True, True),
}
VALUES = {
    "String": ("a", "b", "c"),
    "Numeric": (-1, 2, 2.5),
    "Timestamp": ("2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z", "2024-01-01T00:30:00-01:00"),
}
ORDERED = [(kind, order) for kind in VALUES for order in ORDERS]
TESTS = {
    "BooleanEquals": (True, False),
    "StringMatches": ("*", 1),
    "IsNull": (None, 0),
    "IsString": ("", 0),
    "IsNumeric": (0, "0"),
    "IsBoolean": (False, 0),
    "IsTimestamp": ("2024-01-01T00:00:00Z", "noon"),
}


@pytest.mark.parametrize(("kind", "order"), ORDERED)
def test_behaviour_37_comparators_of_order_hold_as_their_names_say(kind: str, order: str) -> None:
    name, middle = kind + order, VALUES[kind][1]
    for value, holds in zip(VALUES[kind], ORDERS[order], strict=True):
        data = {"v": value, "w": middle}
        for rule in ({name: middle}, {f"{name}Path": "$.w"}):
            execution = decide({"Variable": "$.v", **rule}, data)
            assert execution.output == ("Yes" if holds else "Default")


@pytest.mark.parametrize("name", TESTS)
def test_behaviour_37_the_other_comparators_hold_as_their_names_say(name: str) -> None:
    expected = "*" if name == "StringMatches" else True
    good, bad = TESTS[name]
    rule = {"Variable": "$.v", name: expected}
    assert decide(rule, {"v": good}).output == "Yes"
    assert decide(rule, {"v": bad}).output == "Default"


def test_behaviour_37_there_are_39_and_an_unknown_one_is_refused() -> None:
    ordered = {kind + order for kind, order in ORDERED} | {"BooleanEquals"}
    paths = {f"{name}Path" for name in ordered}
    assert ordered | paths | set(TESTS) | {"IsPresent"} == set(COMPARATORS)
    assert len(COMPARATORS) == 39
    with pytest.raises(doorstep.DefinitionError, match="Field 'StringContains' is not supported"):
        decide({"Variable": "$.v", "StringContains": "x"}, {"v": "xyz"})


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("2016-03-14T01:59:00Z", True),
        ("2016-03-14T01:59:00.123456789Z", True),
        ("2016-03-14T01:59:00+02:00", True),
        ("2016-03-14t01:59:00z", False),
        ("2016-03-14 01:59:00Z", False),
        ("2016-03-14T01:59:00", False),
        ("2016-03-14", False),
        ("2016-13-14T01:59:00Z", False),
        (1457920740, False),
        (None, False),
    ],
)
def test_behaviour_38_a_timestamp_is_a_text_with_capital_t_and_z_or_offset(
    value: Any, holds: bool
) -> None:
    execution = decide({"Variable": "$.v", "IsTimestamp": True}, {"v": value})
    assert execution.output == ("Yes" if holds else "Default")


def test_behaviour_39_an_absent_path_is_not_present_and_no_error() -> None:
    assert decide({"Variable": "$.a.b", "IsPresent": True}, {}).output == "Default"
    assert decide({"Variable": "$.a.b", "IsPresent": False}, {}).output == "Yes"
    assert decide({"Variable": "$.v", "IsPresent": True}, {"v": None}).output == "Yes"


def test_behaviour_40_a_choice_applies_its_input_path_and_output_path() -> None:
    rule = {"Variable": "$.n", "NumericEquals": 1}
    execution = decide(rule, {"in": {"n": 1, "out": "kept"}}, InputPath="$.in", OutputPath="$.out")
    assert execution.output == "Yes"
    exited = execution.history[2]
    assert exited["stateExitedEventDetails"]["output"] == '"kept"'


def test_behaviour_40_a_pass_applies_its_parameters(chain) -> None:
    state = {"Type": "Pass", "Parameters": {"a": 1, "b.$": "$.n"}}
    assert doorstep.run(chain({"P": state}), {"n": 2}).output == {"a": 1, "b": 2}


@pytest.mark.parametrize("distributed", [False, True])
@pytest.mark.parametrize("name", ["ItemSelector", "Parameters"])
def test_behaviour_41_a_selector_sees_the_effective_input_and_the_item(
    chain, each, distributed: bool, name: str
) -> None:
    selector = {
        "tag.$": "$.tag",
        "item.$": "$$.Map.Item.Value",
        "index.$": "$$.Map.Item.Index",
    }
    state = each(
        {"Keep": {"Type": "Pass"}},
        distributed=distributed,
        InputPath="$.inner",
        ItemsPath="$.items",
        **{name: selector},
    )
    execution = doorstep.run(chain({"All": state}), {"inner": {"tag": "t", "items": ["a", "b"]}})
    assert execution.output == [
        {"tag": "t", "item": "a", "index": 0},
        {"tag": "t", "item": "b", "index": 1},
    ]


def test_behaviour_42_parameters_of_a_map_are_not_applied_to_its_input(chain, each) -> None:
    selector = {"item.$": "$$.Map.Item.Value", "whole.$": "$"}
    state = each({"Keep": {"Type": "Pass"}}, ItemsPath="$.items", Parameters=selector)
    data = {"items": [1]}
    assert doorstep.run(chain({"All": state}), data).output == [{"item": 1, "whole": data}]


@pytest.mark.parametrize("value", [{"a": 1}, "text", 5, None])
def test_behaviour_43_a_map_over_anything_but_an_array_fails(chain, each, value: Any) -> None:
    state = each({"Keep": {"Type": "Pass"}}, ItemsPath="$.items")
    execution = doorstep.run(chain({"All": state}), {"items": value})
    assert execution.error == "States.Runtime"
    assert str(execution.cause).endswith('Reference path "$.items" must point to array.')


def test_behaviour_44_the_input_of_the_execution_never_changes(chain) -> None:
    callback = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"},
        "ResultPath": "$.answer",
    }
    read = {"Type": "Pass", "Parameters": {"input.$": "$$.Execution.Input", "now.$": "$"}}
    execution = doorstep.run(
        chain({"Ask": callback, "Read": read}),
        {"n": 1},
        {"Ask": lambda event: doorstep.answer("yes", after=5)},
    )
    assert execution.output == {"input": {"n": 1}, "now": {"n": 1, "answer": "yes"}}


def test_behaviour_45_context_paths_have_indexes(chain, each) -> None:
    selector = {"name.$": "$$.Map.Item.Value.values[0].name"}
    state = each({"Keep": {"Type": "Pass"}}, ItemSelector=selector)
    data = [{"values": [{"name": "ada"}]}, {"values": [{"name": "amy"}]}]
    assert doorstep.run(chain({"All": state}), data).output == [{"name": "ada"}, {"name": "amy"}]


def test_behaviour_46_a_context_path_is_an_argument_of_an_intrinsic() -> None:
    assert ask("States.StringSplit($$.Execution.Input.csv, ',')", {"csv": "a,b"}) == ["a", "b"]


@pytest.mark.parametrize("path", ["$.waits[1]", "$.one"])
def test_behaviour_47_seconds_path_gives_a_number(chain, path: str) -> None:
    definition = chain({"W": {"Type": "Wait", "SecondsPath": path}})
    execution = doorstep.run(definition, {"waits": [1, 60], "one": 60}, start_time=START)
    assert execution.history[-1]["timestamp"] == "2024-01-01T00:01:00.000+00:00"


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2024-01-01T00:00:01.5Z", "2024-01-01T00:00:01.500+00:00"),
        ("2024-01-01T02:00:00+01:00", "2024-01-01T01:00:00.000+00:00"),
        ("2023-12-31T00:00:00Z", "2024-01-01T00:00:00.000+00:00"),
    ],
)
def test_behaviour_48_a_wait_ends_at_its_timestamp_or_at_once(chain, moment: str, end: str) -> None:
    for fields in ({"Timestamp": moment}, {"TimestampPath": "$.at"}):
        definition = chain({"W": {"Type": "Wait", **fields}})
        execution = doorstep.run(definition, {"at": moment}, start_time=START)
        assert execution.history[-1]["timestamp"] == end


def test_behaviour_48_a_moment_that_is_none_fails_the_execution(chain) -> None:
    """The text is that of test_wait_timestamp_path[NO_T]."""
    definition = chain({"WaitUntil": {"Type": "Wait", "TimestampPath": "$.TimestampValue"}})
    execution = doorstep.run(definition, {"TimestampValue": "2016-12-05 21:29:29Z"})
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'WaitUntil' (entered at the event id #2). "
        "The TimestampPath parameter does not reference a valid ISO-8601 extended offset "
        "date-time format string: $.TimestampValue == 2016-12-05 21:29:29Z"
    )


@pytest.mark.parametrize("field", ["SecondsPath", "TimestampPath"])
@pytest.mark.parametrize("path", ["$.at", "$.no.such", "$.list[4]"])
def test_a_wait_whose_path_finds_nothing_says_so(chain, field: str, path: str) -> None:
    """Fact 145, measured for a missing member; null is as good as nothing, as in SecondsPath."""
    definition = chain({"W": {"Type": "Wait", field: path}})
    execution = doorstep.run(definition, {"at": None, "list": []})
    assert execution.error == "States.Runtime"
    assert execution.cause.endswith(
        f"). The {field} parameter does not reference an input value: {path}"
    )


@pytest.mark.parametrize("moment", ["2024-01-01t00:00:05Z", "2024-01-01T00:00:05.000z"])
def test_a_timestamp_of_a_jsonata_wait_may_have_small_letters(chain, moment: str) -> None:
    """Fact 145, measured; JSONPath has capitals only (fact 260)."""
    wait = {"Type": "Wait", "QueryLanguage": "JSONata"}
    for timestamp in (moment, "{% $states.input %}", f"{{% '{moment}' %}}"):
        definition = chain({"W": {**wait, "Timestamp": timestamp}})
        execution = doorstep.run(definition, moment, start_time=START)
        assert execution.history[-1]["timestamp"] == "2024-01-01T00:00:05.000+00:00"
    with pytest.raises(doorstep.DefinitionError, match="RFC3339"):
        doorstep.run(chain({"W": {"Type": "Wait", "Timestamp": moment}}))
    computed = chain({"W": {"Type": "Wait", "TimestampPath": "$"}})
    assert doorstep.run(computed, moment).error == "States.Runtime"


def test_behaviour_49_result_path_merges_into_the_input(chain) -> None:
    state = {"Type": "Pass", "Result": {"b": 2}, "ResultPath": "$.x"}
    assert doorstep.run(chain({"P": state}), {"a": 1}).output == {"a": 1, "x": {"b": 2}}
    deep = {**state, "ResultPath": "$.a.y"}
    assert doorstep.run(chain({"P": deep}), {"a": {"c": 3}}).output == {
        "a": {"c": 3, "y": {"b": 2}}
    }


@pytest.mark.parametrize("output_path", ["$.Payload", "$.no.such.path", None])
def test_behaviour_50_what_is_caught_skips_output_path_and_result_selector(
    chain, output_path: str | None
) -> None:
    """Claimed in the entry, and recorded: test_raise_exception_catch_output_path."""
    state = {
        "Type": "Task",
        "Resource": FUNCTION,
        "ResultSelector": {"x.$": "$.no"},
        "OutputPath": output_path,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    }

    def fail(event: Any) -> Any:
        raise doorstep.fail("Boom", "why")

    execution = doorstep.run(
        chain({"T": state, "Caught": {"Type": "Pass"}}), {"Payload": 1}, {"T": fail}
    )
    assert execution.output == {"Error": "Boom", "Cause": "why"}


def test_behaviour_51_templates_are_evaluated_inside_arrays(chain) -> None:
    parameters = {"list": [{"a.$": "$.n"}, [{"b.$": "$.n"}], "$.n"]}
    execution = doorstep.run(chain({"P": {"Type": "Pass", "Parameters": parameters}}), {"n": 1})
    assert execution.output == {"list": [{"a": 1}, [{"b": 1}], "$.n"]}
