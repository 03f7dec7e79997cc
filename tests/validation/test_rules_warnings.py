"""Warnings (codes of ValidateStateMachineDefinitionDiagnostic); no recording shows their texts."""

from __future__ import annotations

from typing import Any

from doorstep.validation import check, validate


def warned(state: dict[str, Any], **fields: Any) -> list[tuple[str, str | None]]:
    definition = {"StartAt": "A", "States": {"A": state | {"End": True}}, **fields}
    check(definition)
    assert validate(definition) == []
    found = validate(definition, severity="WARNING")
    assert {one.severity for one in found} <= {"WARNING"}
    return [(one.code, one.location) for one in found]


def test_a_path_under_a_name_without_dollar_is_warned_of() -> None:
    parameters = {"a": "$.a", "b": ["States.UUID()"], "c.$": "$.c", "d": "$5", "e": "States.x"}
    assert warned({"Type": "Pass", "Parameters": parameters}) == [
        ("NO_DOLLAR", "/States/A/Parameters/a"),
        ("NO_DOLLAR", "/States/A/Parameters/b[0]"),
    ]


def test_a_path_in_the_result_of_a_pass_state_is_warned_of() -> None:
    assert warned({"Type": "Pass", "Result": {"a.$": "$.a", "b": 1}}) == [
        ("PASS_RESULT_IS_STATIC", "/States/A/Result/a.$")
    ]


def test_a_path_in_a_field_whose_twin_takes_paths_is_warned_of() -> None:
    fail = {"Type": "Fail", "Error": "$.error", "Cause": "because"}
    definition = {"StartAt": "F", "States": {"F": fail}}
    found = validate(definition, severity="WARNING")
    assert [(one.code, one.location) for one in found] == [("NO_PATH", "/States/F/Error")]


def test_jsonata_states_are_not_warned_of() -> None:
    assert warned({"Type": "Pass", "Output": {"a": "$.a"}}, QueryLanguage="JSONata") == []
