"""Transitions, reachability, names and labels (facts 1 to 3, 201 to 203, 218)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.validation import validate

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}


def machine(states: dict[str, Any], start: str | None = None) -> dict[str, Any]:
    return {"StartAt": start or next(iter(states)), "States": states}


def said(states: dict[str, Any], start: str | None = None) -> list[tuple[str, str | None]]:
    return [(one.message, one.location) for one in validate(machine(states, start))]


MISSING = "Missing 'Next' target: Ghost"
RULE = {"Variable": "$.x", "IsPresent": True, "Next": "Z"}


@pytest.mark.parametrize(
    ("state", "where"),
    [
        ({"Type": "Pass", "Next": "Ghost"}, "Next"),
        ({"Type": "Choice", "Choices": [RULE | {"Next": "Ghost"}]}, "Choices[0]/Next"),
        ({"Type": "Choice", "Choices": [RULE], "Default": "Ghost"}, "Default"),
        (
            TASK | {"Next": "Z", "Catch": [{"ErrorEquals": ["E"], "Next": "Ghost"}]},
            "Catch[0]/Next",
        ),
    ],
)
def test_a_missing_target_is_called_next_wherever_it_is_named(
    state: dict[str, Any], where: str
) -> None:
    assert (MISSING, f"/States/A/{where}") in said({"A": state, "Z": PASS})


def test_a_missing_start_leaves_everything_unreachable() -> None:
    assert said({"A": PASS}, start="Ghost") == [
        (MISSING, "/StartAt"),
        ('State "A" is not reachable.', "/States/A"),
    ]


def test_a_missing_start_inside_a_map_is_located_there() -> None:
    inner = machine({"A": PASS}, start="Ghost")
    states = {"M": {"Type": "Map", "ItemProcessor": inner, "End": True}}
    assert said(states) == [
        (MISSING, "/States/M/ItemProcessor/StartAt"),
        ('State "A" is not reachable.', "/States/M/ItemProcessor/States/A"),
    ]


def test_a_missing_target_hints_at_the_name_that_was_meant() -> None:
    states = {"A": {"Type": "Pass", "Next": "finish"}, "Finish": PASS}
    (missing, _) = validate(machine(states))
    assert missing.hint == "did you mean 'Finish'?"


def test_transitions_stay_within_their_scope() -> None:
    branch = machine({"B": {"Type": "Pass", "Next": "Z"}})
    states = {"P": {"Type": "Parallel", "Branches": [branch], "Next": "Z"}, "Z": PASS}
    assert said(states) == [
        ("Missing 'Next' target: Z", "/States/P/Branches[0]/States/B/Next"),
    ]


def test_an_unreachable_state_in_a_branch_is_located_there() -> None:
    branch = machine({"W": PASS, "Ghost": PASS})
    (found,) = said({"P": {"Type": "Parallel", "Branches": [branch], "End": True}})
    assert found == ('State "Ghost" is not reachable.', "/States/P/Branches[0]/States/Ghost")


def test_a_state_is_reachable_when_another_one_names_it() -> None:
    """Fact 2, reported of a missing StartAt: of a chain only the first state is named."""
    states = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "C"}, "C": PASS}
    assert said(states, start="Ghost") == [
        (MISSING, "/StartAt"),
        ('State "A" is not reachable.', "/States/A"),
    ]


def test_a_cycle_that_nothing_enters_is_accepted() -> None:
    """That follows from fact 2: each of its states is named by another one. Not recorded."""
    states = {
        "A": PASS,
        "X": {"Type": "Pass", "Next": "Y"},
        "Y": {"Type": "Pass", "Next": "X"},
    }
    assert said(states) == []


def test_a_state_that_only_names_itself_is_unreachable() -> None:
    again = [{"Variable": "$.n", "IsNull": True, "Next": "Loop"}]
    states = {"A": PASS, "Loop": {"Type": "Choice", "Choices": again, "Default": "A"}}
    assert said(states) == [('State "Loop" is not reachable.', "/States/Loop")]


def test_names_stand_in_locations_as_they_are() -> None:
    assert said({"A": PASS, "a/b": PASS}) == [('State "a/b" is not reachable.', "/States/a/b")]


def test_the_graph_is_judged_when_every_state_says_where_it_goes() -> None:
    assert said({"A": {"Type": "Pass"}, "B": PASS}) == [
        ("This object should have only one of the following fields: [Next, End]", "/States/A")
    ]


def test_a_state_name_has_80_characters_at_the_most() -> None:
    assert said({"n" * 80: PASS}) == []
    (found,) = validate(machine({"n" * 81: PASS}))
    assert found.code == "INVALID_STATE_NAME"
    assert found.message.endswith("exceeds the 80-character limit allowed by the service")
    assert found.location == "/States/" + "n" * 81


def labelled(*labels: str) -> list[tuple[str, str, str | None]]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    branches = [
        machine(
            {
                f"M{i}": {
                    "Type": "Map",
                    "Label": label,
                    "End": True,
                    "ItemProcessor": machine({f"P{i}": PASS}) | {"ProcessorConfig": config},
                }
            }
        )
        for i, label in enumerate(labels)
    ]
    states = {"A": {"Type": "Parallel", "Branches": branches, "End": True}}
    return [(one.code, one.message, one.location) for one in validate(machine(states))]


def test_labels_are_unique_within_the_machine() -> None:
    assert labelled("a", "b") == []
    assert labelled("same", "same") == [
        (
            "DUPLICATE_LABEL_NAME",
            "Duplicate Label name: same",
            "/States/A/Branches[1]/States/M1/Label",
        )
    ]


def test_a_label_has_40_characters_at_the_most() -> None:
    assert labelled("l" * 40) == labelled("${Label}") == []
    ((code, message, _),) = labelled("l" * 41)
    assert code == "INVALID_LABEL_NAME"
    assert message.endswith("exceeds the 40-character limit allowed by the service")


@pytest.mark.parametrize("label", ["a b", "a/b", "a{", "a$", "a`", "a\x1f", "a~", "a|", "a:"])
def test_a_label_has_no_characters_that_an_arn_can_not_have(label: str) -> None:
    ((code, _, _),) = labelled(label)
    assert code == "INVALID_LABEL_NAME"


@pytest.mark.parametrize("kind", [["Pass"], {"Type": "Pass"}, None, 7])
def test_a_state_whose_type_is_no_text_leads_nowhere_and_is_refused(kind: Any) -> None:
    places = [place for _, place in said({"A": PASS | {"Type": kind}, "B": PASS})]
    assert "/States/A/Type" in places
