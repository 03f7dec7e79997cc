"""Choice: the 39 comparators, And, Or and Not, and what a rule's own fields do."""

from __future__ import annotations

from typing import Any

import pytest

import doorstep
from doorstep.model.grammar import COMPARATORS

NOON = "2024-03-01T12:00:00Z"
LATER = "2024-03-01T12:00:00.000000001Z"

# Comparator, what it is compared with, values for which it holds, values for which it does not.
TABLE: list[tuple[str, Any, list[Any], list[Any]]] = [
    ("StringEquals", "b", ["b"], ["a", "B", "b ", 1, None, True]),
    ("StringLessThan", "b", ["a", "B", ""], ["b", "c", 1]),
    ("StringGreaterThan", "b", ["c", "bb", "é"], ["b", "a", 9]),
    ("StringLessThanEquals", "b", ["b", "a"], ["c", None]),
    ("StringGreaterThanEquals", "b", ["b", "c"], ["a", None]),
    ("NumericEquals", 0, [0, 0.0], [1, "0", False, None]),
    ("NumericLessThan", 5, [4, 4.9, -6], [5, 6, "4", False]),
    ("NumericGreaterThan", 5, [6, 5.1], [5, 4, "6", True]),
    ("NumericLessThanEquals", 5, [5, 5.0, 4], [6, "5"]),
    ("NumericGreaterThanEquals", 5, [5, 6], [4, "5"]),
    ("TimestampEquals", NOON, [NOON, "2024-03-01T13:00:00+01:00"], [LATER, "noon", 1709294400]),
    ("TimestampLessThan", LATER, [NOON], [LATER, "2024-03-02T00:00:00Z", "a"]),
    ("TimestampGreaterThan", NOON, [LATER], [NOON, "2024-03-01T12:30:00+01:00"]),
    ("TimestampLessThanEquals", NOON, [NOON, "2024-03-01T12:00:00+01:00"], [LATER]),
    ("TimestampGreaterThanEquals", LATER, [LATER], [NOON]),
    ("BooleanEquals", True, [True], [False, 1, "true", None]),
    ("StringMatches", "log-*.txt", ["log-.txt", "log-1.txt"], ["log.txt", "xlog-1.txt", 3]),
    ("IsNull", True, [None], [0, "", False]),
    ("IsString", True, ["", "x"], [None, 1]),
    ("IsNumeric", True, [1, 1.5], ["1", True]),
    ("IsBoolean", True, [True, False], [0, "true", None]),
    ("IsTimestamp", True, [NOON, LATER], ["2024-03-01", "2024-03-01t12:00:00z", 1]),
    ("IsPresent", True, [None, 0, ""], []),
]
HOLDS = [(name, expected, value) for name, expected, good, _ in TABLE for value in good]
FAILS = [(name, expected, value) for name, expected, _, bad in TABLE for value in bad]


def machine(rule: dict[str, Any], **fields: Any) -> dict[str, Any]:
    choices = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No", **fields}
    ends = {name: {"Type": "Pass", "Result": name, "End": True} for name in ("Yes", "No")}
    return {"StartAt": "Decide", "States": {"Decide": choices, **ends}}


def chosen(rule: dict[str, Any], data: dict[str, Any]) -> Any:
    execution = doorstep.run(machine(rule), data)
    return execution.output or execution.error


def test_there_are_thirty_nine_comparators() -> None:
    with_path = {name for name, *_ in TABLE if name.endswith(("Equals", "Than"))}
    names = {name for name, *_ in TABLE} | {f"{name}Path" for name in with_path}
    assert len(names) == 39
    assert names == set(COMPARATORS)


@pytest.mark.parametrize(("name", "expected", "value"), HOLDS)
def test_a_comparator_holds(name: str, expected: Any, value: Any) -> None:
    assert chosen({"Variable": "$.v", name: expected}, {"v": value}) == "Yes"


@pytest.mark.parametrize(("name", "expected", "value"), FAILS)
def test_a_comparator_does_not_hold_and_another_type_is_no_error(
    name: str, expected: Any, value: Any
) -> None:
    assert chosen({"Variable": "$.v", name: expected}, {"v": value}) == "No"


@pytest.mark.parametrize(
    ("name", "expected", "value", "outcome"),
    [
        (name, expected, values[0], outcome)
        for name, expected, good, bad in TABLE
        for values, outcome in ((good, "Yes"), (bad, "No"))
        if name.endswith(("Equals", "Than"))
    ],
)
def test_the_path_twin_compares_two_paths(
    name: str, expected: Any, value: Any, outcome: str
) -> None:
    rule = {"Variable": "$.v", f"{name}Path": "$.other"}
    assert chosen(rule, {"v": value, "other": expected}) == outcome


@pytest.mark.parametrize("name", [name for name, *_ in TABLE if name.startswith("Is")])
def test_a_test_for_false_holds_when_the_test_for_true_does_not(name: str) -> None:
    (_, _, good, bad) = next(row for row in TABLE if row[0] == name)
    assert chosen({"Variable": "$.v", name: False}, {"v": good[0]}) == "No"
    for value in bad[:1]:
        assert chosen({"Variable": "$.v", name: False}, {"v": value}) == "Yes"


def test_what_is_missing_is_not_present() -> None:
    assert chosen({"Variable": "$.v", "IsPresent": True}, {}) == "No"
    assert chosen({"Variable": "$.v", "IsPresent": False}, {}) == "Yes"


@pytest.mark.parametrize("name", [name for name, *_ in TABLE if name != "IsPresent"])
def test_a_missing_variable_fails_the_execution(name: str) -> None:
    expected = next(row[1] for row in TABLE if row[0] == name)
    execution = doorstep.run(machine({"Variable": "$.v", name: expected}), {})
    # Recorded on AWS, where one expects Default (fact 36).
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'Decide' (entered at the event id #2). "
        "Invalid path '$.v': The choice state's condition path references an invalid value."
    )


def test_a_missing_path_to_compare_with_fails_the_execution() -> None:
    execution = doorstep.run(
        machine({"Variable": "$.v", "StringEqualsPath": "$.other"}), {"v": "x"}
    )
    assert execution.error == "States.Runtime"
    assert "Invalid path '$.other'" in (execution.cause or "")


@pytest.mark.parametrize(
    ("pattern", "value", "outcome"),
    [
        ("*", "", "Yes"),
        ("a*c*", "abc", "Yes"),
        ("a.c", "abc", "No"),
        ("*", "two\nlines", "Yes"),
        ("100\\*", "100*", "Yes"),
        ("100\\*", "1000", "No"),
        ("C:\\\\*", "C:\\temp", "Yes"),
        ("C:\\\\*", "C:temp", "No"),
        ("\\\\\\*", "\\*", "Yes"),
    ],
)
def test_string_matches_knows_two_escapes(pattern: str, value: str, outcome: str) -> None:
    assert chosen({"Variable": "$.v", "StringMatches": pattern}, {"v": value}) == outcome


@pytest.mark.parametrize(
    ("pattern", "value", "outcome"),
    [
        ("*/*/*/*/*/*/*.csv", "/" * 100_000 + ".txt", "No"),
        ("*a" * 20 + "*b", "a" * 100_000, "No"),
        ("*a" * 20 + "*", "a" * 19, "No"),
        ("*" * 20 + "x", "a" * 100_000 + "x", "Yes"),
        ("a*a", "a", "No"),
        ("ab*bc*c", "abcc", "No"),
        ("ab*bc*c", "abbcc", "Yes"),
    ],
)
def test_any_number_of_stars_is_matched_in_one_pass(pattern: str, value: str, outcome: str) -> None:
    """A matcher that tries every place for every star would not end here."""
    assert chosen({"Variable": "$.v", "StringMatches": pattern}, {"v": value}) == outcome


def test_a_pattern_that_ends_in_an_open_escape_is_a_runtime_error() -> None:
    assert chosen({"Variable": "$.v", "StringMatches": "a\\"}, {"v": "a\\"}) == "States.Runtime"


def test_and_or_not_nest() -> None:
    between = {
        "And": [
            {"Variable": "$.v", "NumericGreaterThanEquals": 20},
            {"Not": {"Variable": "$.v", "NumericGreaterThanEquals": 30}},
        ]
    }
    rule = {"Or": [between, {"Variable": "$.v", "IsNull": True}]}
    outcomes = [chosen(rule, {"v": value}) for value in (19, 20, 29, 30, None)]
    assert outcomes == ["No", "Yes", "Yes", "No", "Yes"]


def test_and_stops_at_the_first_condition_that_does_not_hold() -> None:
    guarded = {
        "And": [
            {"Variable": "$.v", "IsPresent": True},
            {"Variable": "$.v", "NumericEquals": 1},
        ]
    }
    assert chosen(guarded, {}) == "No"
    guarded = {
        "Or": [
            {"Variable": "$.v", "IsPresent": False},
            {"Variable": "$.v", "NumericEquals": 1},
        ]
    }
    assert chosen(guarded, {}) == "Yes"


def test_the_first_rule_that_holds_decides_and_later_ones_are_not_looked_at() -> None:
    definition = machine({"Variable": "$.v", "NumericGreaterThan": 1})
    definition["States"]["Decide"]["Choices"].append(
        {"Variable": "$.missing", "NumericGreaterThan": 2, "Next": "No"}
    )
    assert doorstep.run(definition, {"v": 3}).output == "Yes"


def test_nothing_matches_and_no_default_is_states_runtime() -> None:
    definition = machine({"Variable": "$.v", "NumericEquals": 1})
    del definition["States"]["Decide"]["Default"]
    del definition["States"]["No"]
    execution = doorstep.run(definition, {"v": 2})
    # Measured on AWS, where the guide promises States.NoChoiceMatched.
    assert execution.error == "States.Runtime"
    assert execution.cause == (
        "An error occurred while executing the state 'Decide' (entered at the event id #2). "
        "Failed to transition out of the state. The state does not point to a next state."
    )


def test_a_variable_may_be_in_the_context_or_assigned_before() -> None:
    assert chosen({"Variable": "$$.State.Name", "StringEquals": "Decide"}, {}) == "Yes"
    definition = machine({"Variable": "$limit", "NumericEquals": 5})
    definition["StartAt"] = "Set"
    definition["States"]["Set"] = {"Type": "Pass", "Assign": {"limit": 5}, "Next": "Decide"}
    assert doorstep.run(definition).output == "Yes"


def test_input_path_narrows_what_the_conditions_see_and_output_path_what_leaves() -> None:
    definition = machine(
        {"Variable": "$.v", "NumericEquals": 1}, InputPath="$.in", OutputPath="$.keep"
    )
    definition["States"]["Yes"] = {"Type": "Pass", "End": True}
    assert doorstep.run(definition, {"in": {"v": 1, "keep": "this"}}).output == "this"


@pytest.mark.parametrize(
    ("value", "output", "variable"),
    [(1, "of the rule", "rule"), (2, "of the state", "state")],
)
def test_a_rules_own_fields_apply_when_it_holds_and_the_states_for_default(
    value: int, output: str, variable: str
) -> None:
    rule = {
        "Condition": "{% $states.input.v = 1 %}",
        "Next": "End",
        "Output": "of the rule",
        "Assign": {"by": "rule"},
    }
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Decide",
        "States": {
            "Decide": {
                "Type": "Choice",
                "Choices": [rule],
                "Default": "End",
                "Output": "of the state",
                "Assign": {"by": "state"},
            },
            "End": {"Type": "Succeed", "Output": "{% [$states.input, $by] %}"},
        },
    }
    assert doorstep.run(definition, {"v": value}).output == [output, variable]


def test_a_condition_that_is_no_boolean_is_a_query_evaluation_error() -> None:
    rule = {"Condition": "{% $states.input.v %}", "Next": "Yes"}
    decide = {"Type": "Choice", "Choices": [rule], "Default": "Yes"}
    states = {"Decide": decide, "Yes": {"Type": "Succeed"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Decide", "States": states}
    execution = doorstep.run(definition, {"v": "yes"})
    assert execution.error == "States.QueryEvaluationError"
    assert (
        execution.history[2]["evaluationFailedEventDetails"]["location"] == "Choices[0]/Condition"
    )
    assert "Expected 'boolean', but was 'string' for value: \"yes\"" in (execution.cause or "")
