"""Which event belongs to which visit, and where the visit stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import doorstep
from doorstep.history.recorded import entries
from doorstep.history.state_visits import Visits

TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:work"}


def visits_of(execution: doorstep.Execution) -> Visits:
    return Visits(entries(execution.history, "test"))


def test_a_place_names_the_iterations_from_the_outside_in(
    chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    inner = each({"Leaf": {"Type": "Pass"}}, ItemsPath="$.inner")
    both = {"Type": "Parallel", "Branches": [chain({"Deep": {"Type": "Pass"}})]}
    definition = chain({"Outer": each({"Both": both, "Again": {"Type": "Pass", "Result": 0}})})
    nested = chain({"Outer": each({"Inner": inner, "After": {"Type": "Pass"}})})
    one = doorstep.run(definition, [1, 2], seed=1)
    two = doorstep.run(nested, [{"inner": [1]}, {"inner": [2, 3]}], seed=1)
    assert {visit.place for visit in visits_of(one).all} == {
        "Outer",
        *(f"Outer[{i}] > {name}" for i in (0, 1) for name in ("Both", "Both > Deep", "Again")),
    }
    assert {visit.place for visit in visits_of(two).all} == {
        "Outer",
        *(f"Outer[{i}] > {name}" for i in (0, 1) for name in ("Inner", "After")),
        "Outer[0] > Inner[0] > Leaf",
        "Outer[1] > Inner[0] > Leaf",
        "Outer[1] > Inner[1] > Leaf",
    }


def test_after_a_redrive_events_belong_to_the_visits_that_go_on(
    chain: Callable[..., Any],
) -> None:
    broken = [True]

    def work(_: Any) -> str:
        if broken:
            broken.clear()
            raise RuntimeError("not yet")
        return "done"

    branches = [chain({"Quick": {"Type": "Pass"}}), chain({"Work": TASK, "Then": {"Type": "Pass"}})]
    definition = chain({"Both": {"Type": "Parallel", "Branches": branches}})
    execution = doorstep.start(definition, handlers={"work": work}, seed=1)
    execution.wait()
    execution.redrive()
    execution.wait()
    visits = visits_of(execution)
    assert {(visit.place, visit.outcome) for visit in visits.all} == {
        ("Both", "succeeded"),
        ("Both > Quick", "succeeded"),
        ("Both > Work", "succeeded"),
        ("Both > Then", "succeeded"),
    }
    after = [e for e in entries(execution.history, "test") if e.type == "LambdaFunctionSucceeded"]
    visit = visits.of[after[0].id]
    assert visit is not None
    assert visit.name == "Work"
