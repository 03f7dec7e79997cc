"""A definition that is run again is compiled once: nothing of one run is seen in another."""

from __future__ import annotations

import pytest

import doorstep


def passing() -> dict:
    return {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Result": {"seen": [1]}, "End": True}},
    }


def test_a_change_of_an_output_is_not_seen_by_the_next_execution():
    first = doorstep.run(passing())
    first.output["seen"].append(2)
    assert first.output == {"seen": [1, 2]}
    assert doorstep.run(passing()).output == {"seen": [1]}


def test_a_change_of_the_definition_counts_from_the_next_run_on():
    definition = passing()
    doorstep.run(definition)
    definition["States"]["A"]["Result"]["seen"][0] = 3
    assert doorstep.run(definition).output == {"seen": [3]}
    assert doorstep.run(passing()).output == {"seen": [1]}


@pytest.mark.parametrize("value", [float("nan"), {1}])
def test_a_definition_holds_what_json_can_say(value):
    definition = passing()
    definition["States"]["A"]["Result"] = value
    with pytest.raises(doorstep.DefinitionError, match="must be a valid JSON object"):
        doorstep.run(definition)


def test_a_transform_changes_neither_a_variable_nor_the_definition():
    """Facts 330 and 332: only Assign changes a variable."""
    change = "{% $states.input.v ~> |$v|{'new': 1}| %}"
    states = {
        "A": {"Type": "Pass", "Assign": {"v": {"old": 1}}, "Next": "B"},
        "B": {"Type": "Pass", "Output": change, "Next": "C"},
        "C": {"Type": "Pass", "Output": "{% $v %}", "End": True},
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "A", "States": states}
    outputs = [doorstep.run(definition, {"v": {}}).output for _ in range(2)]
    assert outputs == [{"old": 1}] * 2
