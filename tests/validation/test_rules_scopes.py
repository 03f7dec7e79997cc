"""Variables of a branch or item processor that hide one of the scope around it (fact 141).

What is refused and accepted was measured by sfnx; the text is by analogy with that for states.
"""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.validation import validate

State = dict[str, Any]
SUCCEED = {"Type": "Succeed"}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


def scope(start: str, **states: State) -> State:
    return {"StartAt": start, "States": states}


def assigning(name: str = "Inner", variable: str = "v") -> State:
    return scope(name, **{name: {"Type": "Pass", "Assign": {variable: 1}, "End": True}})


def group(**fields: Any) -> State:
    return {"Type": "Parallel", "Branches": [assigning()], **fields}


def each(mode: str) -> State:
    config = {"Mode": mode} | ({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **assigning()}}


def to(target: str, **fields: Any) -> State:
    return {"Type": "Pass", "Next": target, **fields}


def choice(rule: State, default: str, **fields: Any) -> State:
    condition = {"Condition": "{% true %}", **rule}
    return {"Type": "Choice", "Choices": [condition], "Default": default, **fields}


def task(caught: State, **fields: Any) -> State:
    catcher = {"ErrorEquals": ["States.ALL"], **caught}
    return {"Type": "Task", "Resource": FUNCTION, "Catch": [catcher], **fields}


V = {"Assign": {"v": 0}}
END = {"End": True}


def said(machine: State, language: str = "JSONata") -> list[tuple[str, str, str | None]]:
    found = validate({**machine, "QueryLanguage": language})
    return [(one.code, one.message, one.location) for one in found]


def duplicate(place: str = "/States/P/Branches[0]/States/Inner/Assign") -> list[Any]:
    return [("DUPLICATE_VARIABLE_NAME", "Duplicate Variable name: v", place)]


REFUSED = {
    "the state before": scope("A", A=to("P", **V), P=group(**END)),
    "a state further up": scope("A", A=to("B", **V), B=to("C"), C=to("P"), P=group(**END)),
    "one of two ways": scope("C", C=choice({"Next": "A"}, "P"), A=to("P", **V), P=group(**END)),
    "a choice rule": scope("C", C=choice({"Next": "P", **V}, "Z"), P=group(**END), Z=SUCCEED),
    "the default": scope("C", C=choice({"Next": "Z"}, "P", **V), P=group(**END), Z=SUCCEED),
    "a catcher": scope("T", T=task({"Next": "P", **V}, Next="Z"), P=group(**END), Z=SUCCEED),
    "a loop": scope(
        "P", P=group(Next="A"), A=to("C", **V), C=choice({"Next": "P"}, "Z"), Z=SUCCEED
    ),
    "a loop by itself": scope("P", P=group(Next="C", **V), C=choice({"Next": "P"}, "Z"), Z=SUCCEED),
}


@pytest.mark.parametrize("machine", REFUSED.values(), ids=REFUSED.keys())
def test_a_branch_assigns_no_name_that_is_assigned_on_a_way_in(machine: State) -> None:
    assert said(machine) == duplicate()


FREE = {
    "afterwards": scope("P", P=group(Next="A"), A={"Type": "Pass", **V, **END}),
    "by the state itself": scope("P", P=group(**V, **END)),
    "by its catcher": scope(
        "P", P=group(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z", **V}], **END), Z=SUCCEED
    ),
    "on another rule's way": scope(
        "C", C=choice({"Next": "Z", **V}, "P"), P=group(**END), Z=SUCCEED
    ),
    "for the default only": scope(
        "C", C=choice({"Next": "P"}, "Z", **V), P=group(**END), Z=SUCCEED
    ),
    "where no error is caught": scope(
        "T", T=task({"Next": "P"}, Next="Z", **V), P=group(**END), Z=SUCCEED
    ),
    "in the branch beside": scope(
        "P", P={"Type": "Parallel", "Branches": [assigning("B"), assigning("C")], **END}
    ),
    "with another name": scope("A", A=to("P", Assign={"V": 0}), P=group(**END)),
}


@pytest.mark.parametrize("machine", FREE.values(), ids=FREE.keys())
def test_a_name_that_is_not_assigned_on_the_way_in_is_free(machine: State) -> None:
    assert said(machine) == []


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_an_item_processor_is_such_a_scope(mode: str) -> None:
    machine = scope("A", A=to("M", **V), M={**each(mode), **END})
    assert said(machine) == duplicate("/States/M/ItemProcessor/States/Inner/Assign")


def test_a_scope_inside_another_is_inside_of_both() -> None:
    outside = scope("Q", Q=group(**END))
    machine = scope("A", A=to("P", **V), P={"Type": "Parallel", "Branches": [outside], **END})
    place = "/States/P/Branches[0]/States/Q/Branches[0]/States/Inner/Assign"
    assert said(machine) == duplicate(place)
    between = scope("A", A=to("Q", **V), Q=group(**END))
    machine = scope("P", P={"Type": "Parallel", "Branches": [between], **END})
    assert said(machine) == duplicate(place)


def test_choice_rules_and_catchers_of_a_branch_are_named() -> None:
    branch = scope(
        "C", C=choice({"Next": "Z", **V}, "T"), T=task({"Next": "Z", **V}, **END), Z=SUCCEED
    )
    machine = scope("A", A=to("P", **V), P={"Type": "Parallel", "Branches": [branch], **END})
    assert said(machine) == [
        *duplicate("/States/P/Branches[0]/States/C/Choices[0]/Assign"),
        *duplicate("/States/P/Branches[0]/States/T/Catch[0]/Assign"),
    ]


def test_paths_assign_the_same_names() -> None:
    machine = scope("A", A=to("P", Assign={"v.$": "$.x"}), P=group(**END))
    assert said(machine, "JSONPath") == duplicate()


def test_states_that_are_not_whole_yet_say_what_they_lack() -> None:
    """A definition that is being written: nothing of ours hides what is missing."""
    machine = scope("A", A=to("Nowhere", Assign=[]), P=group(Next=5), Q={"Type": "Parallel"})
    assert "DUPLICATE_VARIABLE_NAME" not in {code for code, _, _ in said(machine)}
