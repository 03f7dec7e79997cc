"""A definition that is edited is judged as if it were new, and only what changed is looked at.

The source of what is expected is `validate` itself, of the same definition without a past.
"""

from __future__ import annotations

import copy
import cProfile
import json
import pstats
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorstep import validate
from doorstep.validation import structure, variables
from doorstep.validation.revisions import Revision
from doorstep.validation.variables import variable_references

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.asl.json"))
CHAIN: dict[str, Any] = {
    "StartAt": "S0",
    "States": {
        **{
            f"S{number}": {
                "Type": "Map",
                "ItemProcessor": {
                    "StartAt": f"In{number}",
                    "States": {f"In{number}": {"Type": "Pass", "End": True}},
                },
                "Next": f"S{number + 1}",
            }
            for number in range(100)
        },
        "S100": {"Type": "Succeed"},
    },
}


def edits(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each place of a definition with what somebody may put there: (container, key, new)."""
    places = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in [*places]:
        for new in (1, True, "$.x", "{% $states.inputs %}", {}):
            yield value, key, new
        if isinstance(inner, dict | list):
            yield from edits(inner)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_after_any_edit_the_same_is_said_as_of_a_new_definition(path: Path) -> None:
    definition = json.loads(path.read_text())
    revision = Revision.of(copy.deepcopy(definition), None)
    for container, key, new in [*edits(definition)][:: max(1, len([*edits(definition)]) // 60)]:
        old, container[key] = container[key], new
        revision = Revision.of(copy.deepcopy(definition), revision)
        assert revision == definition
        assert validate(revision, severity="WARNING") == validate(definition, severity="WARNING")
        container[key] = old
    revision = Revision.of(copy.deepcopy(definition), revision)
    assert variable_references(revision) == variable_references(definition)


def test_what_python_takes_for_equal_is_another_definition() -> None:
    wait: dict[str, Any] = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1}}}
    wait["States"]["A"]["End"] = True
    first = Revision.of(copy.deepcopy(wait), None)
    assert validate(first) == []
    wait["States"]["A"]["Seconds"] = True
    (problem,) = validate(Revision.of(wait, first))
    assert problem.message == "Expected value of type Integer"


def test_a_definition_that_did_not_change_is_the_revision_before() -> None:
    first = Revision.of(copy.deepcopy(CHAIN), None)
    assert Revision.of(copy.deepcopy(CHAIN), first) is first


def calls(function: Callable[..., Any], work: Callable[[], object]) -> int:
    """How often a function is called while something is done."""
    with cProfile.Profile() as profile:
        work()
    code = function.__code__
    stats: Any = pstats.Stats(profile)
    key = (code.co_filename, code.co_firstlineno, code.co_name)
    return int(stats.stats.get(key, (0, 0))[1])


def checked(revision: Revision) -> tuple[int, int]:
    """How many states are walked through by the rules, and by what lists their variables."""
    states = calls(structure._state, lambda: validate(revision, severity="WARNING"))
    return states, calls(variables._read, lambda: variable_references(revision))


def test_of_two_hundred_states_only_those_are_checked_again_that_changed() -> None:
    first = Revision.of(copy.deepcopy(CHAIN), None)
    assert checked(first) == (201, 201)
    changed = copy.deepcopy(CHAIN)
    changed["States"]["S50"]["ItemProcessor"]["States"]["In50"]["Comment"] = "new"
    second = Revision.of(copy.deepcopy(changed), first)
    assert checked(second) == (2, 2)  # the state, and the Map that it is a part of
    changed["States"]["S50"]["Comment"] = "new too"
    third = Revision.of(copy.deepcopy(changed), second)
    assert checked(third) == (1, 1)
    del changed["States"]["S20"]
    assert checked(Revision.of(changed, third)) == (0, 0)
