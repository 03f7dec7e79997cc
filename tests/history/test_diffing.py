"""Two histories side by side: aligned by state and iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import doorstep
from doorstep.history import visits_of
from doorstep.history.diff import Aligned, diff
from doorstep.values.json_values import ABSENT

Chain = Callable[..., dict[str, Any]]
WORK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}


def compared(*executions: doorstep.Execution) -> list[Aligned]:
    return diff(*(visits_of(execution) for execution in executions))


def differing(found: list[Aligned]) -> dict[str, list[tuple[Any, ...]]]:
    return {one.place: [tuple(place) for place in one.differing] for one in found if not one.same}


def test_the_same_run_at_another_time_is_the_same(chain: Chain, each: Chain) -> None:
    definition = chain({"Map": each({"Work": WORK}), "Wait": {"Type": "Wait", "Seconds": 5}})
    one, two = (
        doorstep.run(definition, [1, 2], {"work": lambda n: n}, start_time=begin)
        for begin in (0, 9e8)
    )
    found = compared(one, two)
    assert all(one.same for one in found)
    assert [one.place for one in found] == [
        "(execution)", "Map", "Map[0] > Work", "Map[1] > Work", "Wait"
    ]  # fmt: skip


def test_a_value_that_differs_is_shown_where_it_stands(chain: Chain, each: Chain) -> None:
    definition = chain({"Map": each({"Work": WORK}), "After": {"Type": "Pass", "Result": 1}})
    one = doorstep.run(definition, [1, 2], {"work": lambda n: {"n": n}})
    two = doorstep.run(definition, [1, 2], {"work": lambda n: {"n": n if n == 1 else 9}})
    assert differing(compared(one, two)) == {
        "Map": [("output[1].n", 2, 9)],
        "Map[1] > Work": [("output.n", 2, 9)],
        "After": [("input[1].n", 2, 9)],
    }


def test_one_state_more_moves_nothing_else(chain: Chain) -> None:
    states = {"A": {"Type": "Pass"}, "B": {"Type": "Pass"}}
    more = {"A": {"Type": "Pass"}, "New": {"Type": "Pass"}, "B": {"Type": "Pass"}}
    one, two = doorstep.run(chain(states)), doorstep.run(chain(more))
    assert differing(compared(one, two)) == {"New": [("visit", ABSENT, "succeeded")]}
    assert differing(compared(two, one)) == {"New": [("visit", "succeeded", ABSENT)]}


def test_visits_of_a_loop_are_counted(chain: Chain) -> None:
    rules = [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Step"}]
    step = {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Again?"}
    again = {"Type": "Choice", "Choices": rules, "Default": "End"}
    definition = chain({"Step": step, "Again?": again, "End": {"Type": "Succeed"}})
    one, two = doorstep.run(definition, {"n": 0}), doorstep.run(definition, {"n": 1})
    found = differing(compared(one, two))
    assert found["Step"] == [("input.n", 0, 1), ("output.n", 1, 2)]
    assert found["Step (3)"] == [("visit", "succeeded", ABSENT)]


def test_retries_failures_and_variables_count(chain: Chain) -> None:
    task = WORK | {
        "Retry": [{"ErrorEquals": ["Busy"]}],
        "Assign": {"v.$": "$"},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "End"}],
        "Next": "End",
    }
    definition = chain({"Work": task, "End": {"Type": "Succeed"}})
    busy = iter([doorstep.fail("Busy", "b"), 1])
    one = doorstep.run(definition, handlers={"work": lambda _: 2})
    two = doorstep.run(definition, handlers={"work": lambda _: next(busy)})
    three = doorstep.run(definition, handlers={"work": lambda _: doorstep.fail("Gone", "g")})
    assert differing(compared(one, two))["Work"] == [
        ("calls", 1, 2),
        ("output", 2, 1),
        ("variables.v", 2, 1),
        ("error", ABSENT, "Busy"),
        ("cause", ABSENT, "b"),
    ]
    assert ("outcome", "succeeded", "caught") in differing(compared(one, three))["Work"]


def test_the_execution_itself_is_compared(chain: Chain) -> None:
    definition = chain({"Work": WORK})
    one = doorstep.run(definition, handlers={"work": lambda _: 2})
    two = doorstep.run(definition, handlers={"work": lambda _: doorstep.fail("E", "c")})
    assert differing(compared(one, two))["(execution)"] == [
        ("status", "SUCCEEDED", "FAILED"),
        ("output", 2, ABSENT),
        ("error", ABSENT, "E"),
        ("cause", ABSENT, "c"),
    ]
