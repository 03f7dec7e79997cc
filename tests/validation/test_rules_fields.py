"""Fields, types, ranges and exclusions (facts 4, 5, 204 to 214), with the hints that are ours."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.definitions import MAX_DEPTH
from doorstep.validation import validate

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": True}
WAIT = {"Type": "Wait", "Seconds": 1, "End": True}


def machine(state: Any, **fields: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": state}, **fields}


def said(state: Any, **fields: Any) -> list[tuple[str, str | None]]:
    return [(one.message, one.location) for one in validate(machine(state, **fields))]


def choice(*rules: dict[str, Any], **fields: Any) -> list[tuple[str, str | None]]:
    states = {"A": {"Type": "Choice", "Choices": list(rules)} | fields, "Z": PASS}
    definition = {"StartAt": "A", "States": states}
    found = [(one.message, one.location) for one in validate(definition)]
    return [one for one in found if one != ('State "Z" is not reachable.', "/States/Z")]


def test_an_unknown_field_is_refused_at_its_object_with_a_hint() -> None:
    (found,) = validate(machine(PASS | {"ResultPth": "$.x"}))
    assert (found.message, found.location) == ("Field 'ResultPth' is not supported", "/States/A")
    assert found.hint == "did you mean 'ResultPath'?"


def test_a_field_of_other_states_says_which() -> None:
    (found,) = validate(machine(PASS | {"Catch": []}))
    assert found.hint == "only Task, Parallel, Map states have it"


def test_an_unknown_field_of_the_machine_is_refused_at_the_root() -> None:
    (found,) = validate(machine(PASS, Startat="A"))
    assert (found.message, found.location) == ("Field 'Startat' is not supported", "/")
    assert found.hint == "did you mean 'StartAt'?"


def test_a_field_of_the_other_language_hints_at_its_counterpart() -> None:
    (found,) = validate(machine(TASK | {"Parameters": {}}, QueryLanguage="JSONata"))
    assert found.hint == "in a JSONata state it is Arguments, or a Map's ItemSelector"


def test_an_unknown_type_names_the_eight() -> None:
    types = "[Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]"
    message = f"The field 'Type' should have one of these values: {types}"
    (found,) = validate(machine({"Type": "Taks"}))
    assert (found.message, found.location) == (message, "/States/A/Type")
    assert found.hint == "did you mean 'Task'?"
    assert said({"Type": 5}) == [(message, "/States/A/Type")]


def test_a_state_without_a_type_lacks_just_that() -> None:
    assert said({"End": True}) == [("These fields are required: [Type]", "/States/A")]


@pytest.mark.parametrize("definition", [[], 1, None, True, "[]", "1", "null", " "])
def test_what_is_not_an_object_is_no_definition(definition: Any) -> None:
    (found,) = validate(definition)
    assert (found.message, found.location) == ("Definition must be a valid JSON object", None)


def test_states_are_objects_in_a_filled_object() -> None:
    def states(value: Any) -> list[tuple[str, str | None]]:
        found = validate({"StartAt": "A", "States": value})
        return [(one.message, one.location) for one in found]

    assert states({}) == [("Value cannot be empty", "/States")]
    assert states([]) == [("Expected value of type [OBJECT]", "/States")]
    assert states({"A": 1}) == [("Expected value of type [OBJECT]", "/States/A")]


def test_a_definition_nested_too_deeply_is_refused() -> None:
    nested: Any = {}
    for _ in range(MAX_DEPTH):
        nested = [nested]
    (found,) = validate(machine(PASS | {"Result": nested}))
    assert found.code == "TOO_DEEPLY_NESTED"
    (found,) = validate('{"StartAt": ' + "[" * 100_000)
    assert found.code == "TOO_DEEPLY_NESTED"


def test_a_definition_that_contains_itself_is_refused() -> None:
    state: dict[str, Any] = dict(PASS)
    state["Result"] = state
    (found,) = validate(machine(state))
    assert found.code == "TOO_DEEPLY_NESTED"


@pytest.mark.parametrize(
    ("state", "names"),
    [
        (PASS | {"Next": "A"}, "Next, End"),
        (
            TASK | {"TimeoutSeconds": 5, "TimeoutSecondsPath": "$.t"},
            "TimeoutSeconds, TimeoutSecondsPath",
        ),
        ({"Type": "Fail", "Cause": "c", "CausePath": "$.c"}, "Cause, CausePath"),
        (WAIT | {"SecondsPath": "$.s"}, "SecondsPath, Seconds, TimestampPath, Timestamp"),
    ],
)
def test_fields_that_exclude_one_another(state: dict[str, Any], names: str) -> None:
    message = f"There should only be one of the following fields: [{names}]"
    assert said(state) == [(message, "/States/A")]


@pytest.mark.parametrize(
    ("state", "names"),
    [({"Type": "Pass"}, "Next, End"), ({"Type": "Map", "End": True}, "ItemProcessor, Iterator")],
)
def test_fields_of_which_one_is_needed(state: dict[str, Any], names: str) -> None:
    message = f"This object should have only one of the following fields: [{names}]"
    assert said(state) == [(message, "/States/A")]


@pytest.mark.parametrize(
    ("state", "name", "minimum", "maximum"),
    [
        (TASK, "TimeoutSeconds", 1, 99_999_999),
        (TASK, "HeartbeatSeconds", 1, 99_999_999),
        (WAIT, "Seconds", 0, 99_999_999),
    ],
)
def test_numbers_have_ranges(state: Any, name: str, minimum: int, maximum: int) -> None:
    where = f"/States/A/{name}"
    assert said(state | {name: minimum}) == said(state | {name: maximum}) == []
    assert said(state | {name: minimum - 1}) == [(f"Minimum value is {minimum}", where)]
    assert said(state | {name: maximum + 1}) == [(f"Maximum value is {maximum}", where)]
    for wrong in ("5", 1.5, True, None, []):
        assert said(state | {name: wrong}) == [("Expected value of type Integer", where)]


@pytest.mark.parametrize(
    ("name", "minimum", "maximum"),
    [
        ("IntervalSeconds", 0, 99_999_999),
        ("MaxAttempts", 0, 99_999_999),
        ("MaxDelaySeconds", 1, 31_622_400),
    ],
)
def test_retriers_have_ranges(name: str, minimum: int, maximum: int) -> None:
    def retry(value: Any) -> list[tuple[str, str | None]]:
        return said(TASK | {"Retry": [{"ErrorEquals": ["E"], name: value}]})

    where = f"/States/A/Retry[0]/{name}"
    assert retry(minimum) == retry(maximum) == []
    assert retry(minimum - 1) == [(f"Minimum value is {minimum}", where)]
    assert retry(maximum + 1) == [(f"Maximum value is {maximum}", where)]


def test_backoff_does_not_shrink() -> None:
    retry = [{"ErrorEquals": ["E"], "BackoffRate": rate} for rate in (1.0, 1, 2.5, 0.9)]
    assert [where for _, where in said(TASK | {"Retry": retry})] == [
        "/States/A/Retry[3]/BackoffRate"
    ]


def test_an_expression_stands_for_a_number_in_jsonata_states_only() -> None:
    state = WAIT | {"Seconds": "{% $states.input.s %}"}
    assert said(state, QueryLanguage="JSONata") == []
    assert said(state) == [("Expected value of type Integer", "/States/A/Seconds")]
    retry = TASK | {"Retry": [{"ErrorEquals": ["E"], "MaxAttempts": "{% 1 %}"}]}
    assert said(retry, QueryLanguage="JSONata") == [
        ("Expected value of type Integer", "/States/A/Retry[0]/MaxAttempts")
    ]


def test_a_heartbeat_is_shorter_than_the_timeout() -> None:
    assert said(TASK | {"HeartbeatSeconds": 5, "TimeoutSeconds": 6}) == []
    ((_, where),) = said(TASK | {"HeartbeatSeconds": 6, "TimeoutSeconds": 6})
    assert where == "/States/A"


@pytest.mark.parametrize("name", ["InputPath", "OutputPath", "ResultPath"])
def test_null_is_a_path(name: str) -> None:
    assert said(PASS | {name: None}) == []


def test_end_false_beside_next_is_no_contradiction() -> None:
    states = {"A": {"Type": "Pass", "Next": "B", "End": False}, "B": PASS}
    assert validate({"StartAt": "A", "States": states}) == []


def test_error_names_are_a_filled_list_of_strings() -> None:
    def errors(*catchers: Any) -> list[tuple[str, str | None]]:
        return said(TASK | {"Catch": list(catchers)})

    where = "/States/A/Catch[0]"
    assert errors({"Next": "A"}) == [("These fields are required: [ErrorEquals]", where)]
    assert errors({"Next": "A", "ErrorEquals": []}) == [
        ("Value cannot be empty", f"{where}/ErrorEquals")
    ]
    assert errors({"Next": "A", "ErrorEquals": [5]}) == [
        ("Expected value of type [STRING]", f"{where}/ErrorEquals[0]")
    ]
    assert errors({"ErrorEquals": ["E"]}) == [("These fields are required: [Next]", where)]
    assert errors() == []


def test_the_wildcard_error_is_alone_and_last() -> None:
    message = "States.ALL must appear alone and at end of list"
    mixed = [{"ErrorEquals": ["States.ALL", "Lambda.Unknown"]}]
    early = [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]
    where = (message, "/States/A/Retry[0]/ErrorEquals[0]")
    assert said(TASK | {"Retry": mixed}) == said(TASK | {"Retry": early}) == [where]
    assert said(TASK | {"Retry": early[::-1]}) == []


def test_a_jitter_strategy_is_none_or_full() -> None:
    retry = [{"ErrorEquals": ["E"], "JitterStrategy": "HALF"}]
    assert said(TASK | {"Retry": retry}) == [
        (
            "Value should be one of the following: [NONE, FULL]",
            "/States/A/Retry[0]/JitterStrategy",
        )
    ]


def test_a_choice_has_rules() -> None:
    assert choice(Default="Z") == [("Value cannot be empty", "/States/A/Choices")]


def test_a_rule_at_the_top_goes_somewhere_and_one_inside_does_not() -> None:
    compare = {"Variable": "$.x", "IsNull": True}
    assert choice(compare) == [("These fields are required: [Next]", "/States/A/Choices[0]")]
    inside = {"And": [compare | {"Next": "Z"}], "Next": "Z"}
    assert choice(inside) == [
        ("Field 'Next' is not supported", "/States/A/Choices[0]/And[0]"),
    ]


@pytest.mark.parametrize(
    "rule", [{}, {"Variable": "$.x", "IsNull": True, "Not": {"Variable": "$.y", "IsNull": True}}]
)
def test_a_rule_is_of_one_kind(rule: dict[str, Any]) -> None:
    message = (
        "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]"
    )
    assert choice(rule | {"Next": "Z"}) == [(message, "/States/A/Choices[0]")]


def test_a_variable_is_compared_once() -> None:
    for comparisons in ({}, {"IsNull": True, "StringEquals": "a"}):
        ((message, where),) = choice({"Variable": "$.x", "Next": "Z"} | comparisons)
        assert "only" in message
        assert "[StringEquals, " in message
        assert where == "/States/A/Choices[0]"


def test_the_comparisons_are_listed_in_the_order_of_aws() -> None:
    """Fact 148: the first and the last of the recorded list, which follows no rule."""
    for comparisons in ({}, {"IsNull": True, "StringEquals": "a"}):
        ((message, _),) = choice({"Variable": "$.x", "Next": "Z"} | comparisons)
        names = message.partition("[")[2].removesuffix("]").split(", ")
        assert len(set(names)) == len(names) == 39
        assert names[:4] == ["StringEquals", "IsBoolean", "StringLessThan", "IsNumeric"]
        assert names[-3:] == [
            "IsPresent",
            "TimestampGreaterThanEquals",
            "NumericGreaterThanEqualsPath",
        ]


def test_there_are_39_comparisons_with_typed_operands() -> None:
    kinds = {"String": "a", "Numeric": 1, "Timestamp": "2024-01-01T00:00:00Z"}
    orders = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
    operands: dict[str, Any] = {
        f"{kind}{order}": value for kind, value in kinds.items() for order in orders
    }
    operands |= {f"{name}Path": "$.y" for name in operands}
    operands |= {"BooleanEquals": True, "BooleanEqualsPath": "$.y", "StringMatches": "a*"}
    operands |= {
        f"Is{what}": False
        for what in ("Null", "Present", "Numeric", "String", "Boolean", "Timestamp")
    }
    assert len(operands) == 39
    for name, operand in operands.items():
        rule = {"Variable": "$.x", "Next": "Z"}
        assert choice(rule | {name: operand}) == []
        ((_, where),) = choice(rule | {name: []})
        assert where == f"/States/A/Choices[0]/{name}"


def test_a_jsonata_rule_has_a_condition() -> None:
    states = {
        "A": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Z"}]},
        "Z": PASS,
    }
    definition = {"StartAt": "A", "States": states, "QueryLanguage": "JSONata"}
    assert validate(definition) == []
    rule = {"Variable": "$.x", "IsNull": True, "Next": "Z"}
    states["A"] = {"Type": "Choice", "Choices": [rule]}
    found = validate(definition)
    assert {one.location for one in found} == {"/States/A/Choices[0]"}
    assert "field 'Variable' is only supported for the 'JSONPath'" in found[0].message
    assert "field 'IsNull' is only supported for the 'JSONPath'" in found[1].message


def test_placeholders_of_a_deployment_are_left_alone() -> None:
    state = TASK | {
        "Resource": "${Function}",
        "Parameters": {"a.$": "${path}"},
        "Retry": [{"ErrorEquals": ["${error}"], "JitterStrategy": "${jitter}"}],
    }
    assert said(state) == []
