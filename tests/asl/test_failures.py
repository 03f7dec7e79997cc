"""What ended an execution, and what else failed: one answer, whichever way one asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import doorstep
from doorstep.coverage.marks import of_execution as marks_of
from doorstep.history import Visits, ending, entries, failures, visits_of
from doorstep.history.diff import diff
from doorstep_cli.views.ended import describe

Chain = Callable[..., dict[str, Any]]
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"
BUSY = [{"ErrorEquals": ["Throttled"], "IntervalSeconds": 40, "MaxAttempts": 6}]


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": LAMBDA + name, **fields}


def fails(error: str, cause: str = "c") -> Callable[[Any], Any]:
    def handler(_: Any) -> Any:
        raise doorstep.fail(error, cause)

    return handler


@pytest.fixture
def two_branches(chain: Chain) -> dict[str, Any]:
    """A branch that waits for its retry, and one that fails meanwhile and ends all."""
    slow = chain({"Pause": {"Type": "Wait", "Seconds": 3}, "Ship": task("ship")})
    parallel = {"Type": "Parallel", "Branches": [chain({"Stock": task("stock", Retry=BUSY)}), slow]}
    return chain({"Both": parallel})


STOCK_AND_SHIP = {"stock": fails("Throttled"), "ship": fails("NoAddress", "street is missing")}


def test_what_waited_for_its_retry_was_aborted_and_is_not_blamed(
    two_branches: dict[str, Any],
) -> None:
    run = doorstep.run(two_branches, handlers=STOCK_AND_SHIP)
    end = ending(visits_of(run))
    assert end is not None
    assert (end.place, end.event.details["error"]) == ("Both > Ship", "NoAddress")
    assert {name: run.state(name).outcome for name in ("Both", "Stock", "Ship")} == {
        "Both": "failed",
        "Stock": "aborted",
        "Ship": "failed",
    }


def test_every_way_of_asking_names_the_same_failure(two_branches: dict[str, Any]) -> None:
    run = doorstep.run(two_branches, handlers=STOCK_AND_SHIP)
    moments = doorstep.moments(run.history, two_branches)
    assert moments.first_failure is not None
    moment = moments[moments.first_failure]
    assert (moment.place, moment.error) == ("Both > Ship", "NoAddress")
    assert describe(run).splitlines()[0].endswith("in Both > Ship: NoAddress")
    assert " in Both > Ship: NoAddress: street is missing" in run.picture.splitlines()[0]
    assert run.failure_table.splitlines()[1].startswith("Both > Ship ")
    marks = marks_of(two_branches, visits_of(run))
    colours = {pointer.rpartition("/")[2]: mark.colour for pointer, mark in marks.items()}
    assert (colours["Stock"], colours["Ship"]) == ("aborted", "failed")


def test_the_group_of_a_final_failure_has_failed_though_no_event_says_so(chain: Chain) -> None:
    # Facts 307 and 422: States.Runtime leaves no ParallelStateFailed.
    lost = chain({"Lost": {"Type": "Pass", "InputPath": "$.nowhere"}})
    run = doorstep.run(chain({"Both": {"Type": "Parallel", "Branches": [lost]}}))
    end = ending(visits_of(run))
    assert end is not None
    assert (end.place, run.state("Both").outcome) == ("Both > Lost", "failed")


def test_an_execution_that_times_out_blames_no_state(chain: Chain) -> None:
    definition = chain({"Stock": task("stock", Retry=BUSY)}, TimeoutSeconds=5)
    run = doorstep.run(definition, handlers=STOCK_AND_SHIP)
    end = ending(visits_of(run))
    assert end is not None
    assert (end.status, end.visit, run.state("Stock").outcome) == ("TIMED_OUT", None, "aborted")


def test_a_fail_state_names_the_failure_that_was_caught_on_the_way(chain: Chain) -> None:
    charge = task("ship", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Sorry"}])
    states = {"Ship": charge, "Sorry": {"Type": "Pass"}, "Over": {"Type": "Fail", "Error": "Over"}}
    run = doorstep.run(chain(states), handlers=STOCK_AND_SHIP)
    end = ending(visits_of(run))
    assert end is not None
    assert end.origin is not None
    assert (end.place, end.origin.details["error"]) == ("Over", "NoAddress")
    assert "caught before: in Ship: NoAddress" in describe(run)


def test_a_group_that_is_retried_leaves_nothing_in_progress(chain: Chain, each: Chain) -> None:
    failing = {"Wait": {"Type": "Wait", "SecondsPath": "$"}, "Ship": task("ship")}
    states = {"Each": each(failing, Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}])}
    run = doorstep.run(chain(states), [1, 50], STOCK_AND_SHIP)
    outcomes = Counter((one.name, one.outcome) for one in visits_of(run).all)
    assert outcomes["Wait", "aborted"] == outcomes["Ship", "failed"] == 2


# A storm of retries in a Map within a Map, and its redrive ----------------------------------------


@pytest.fixture
def storm(chain: Chain, each: Chain) -> dict[str, Any]:
    """Twelve times three items that are throttled; a third try of one fails for good."""
    work = {"Pick": task("pick", Retry=BUSY), "Pack": task("pack")}
    inner = {"Lines": each(work, ItemsPath="$.lines")}
    return chain({"Orders": each(inner)})


ORDERS = [{"lines": [{"o": o, "l": line} for line in range(3)]} for o in range(12)]


class Pickers:
    """Handlers: all but every fourth line are throttled, order 8's line 1 has no shelf."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.healed = False

    def pick(self, event: Any) -> Any:
        key = json.dumps(event)
        self.calls[key] += 1
        if self.healed:
            return event
        if (event["o"], event["l"]) == (8, 1) and self.calls[key] == 3:
            raise doorstep.fail("NoShelf", "order 8, line 1")
        if (event["o"] + event["l"]) % 4:
            raise doorstep.fail("Throttled")
        return event

    @property
    def handlers(self) -> dict[str, Callable[[Any], Any]]:
        return {"pick": self.pick, "pack": lambda event: event["o"] * 10 + event["l"]}


def test_in_a_storm_of_retries_the_one_final_failure_is_found(storm: dict[str, Any]) -> None:
    run = doorstep.run(storm, ORDERS, Pickers().handlers)
    first, *others = failures(visits_of(run))
    assert first.cells()[:5] == (
        "Orders > Lines > Pick", "[8][1]", "3", "failed", "Throttled, NoShelf",
    )  # fmt: skip
    assert [(one.outcome, len(one.visits), one.among) for one in others] == [("aborted", 26, 36)]
    moments = doorstep.moments(run.history)
    assert moments.first_failure is not None
    assert moments[moments.first_failure].place == "Orders[8] > Lines[1] > Pick"
    assert "Orders[8] > Lines[1] > Pick: NoShelf" in describe(run)


def iterations_are_their_own(visits: Visits) -> bool:
    """Whether each visit has the data of the iteration that it is said to be in."""
    return all(
        visit.iterations == [visit.input["o"], visit.input["l"]]
        and visit.outcome == "succeeded"
        and (visit.name == "Pick" or visit.output == visit.input["o"] * 10 + visit.input["l"])
        for visit in visits.all
        if visit.name in ("Pick", "Pack")
    )


def test_after_a_redrive_no_iteration_has_the_data_of_another(storm: dict[str, Any]) -> None:
    pickers = Pickers()
    first = doorstep.run(storm, ORDERS, pickers.handlers)
    pickers.healed = True
    second = doorstep.resume(first.history, storm, pickers.handlers)
    assert second.succeeded
    assert iterations_are_their_own(visits_of(second))
    assert iterations_are_their_own(Visits(entries(second.history, "without a definition")))
    assert iterations_are_their_own(doorstep.moments(second.history, storm).visits)
    assert {one.outcome for one in visits_of(second).all} == {"succeeded"}


@pytest.fixture
def alike(chain: Chain, each: Chain) -> dict[str, Any]:
    """As above, but all tasks are called with the same: the history does not tell them apart."""
    work = {"Pick": task("pick", Parameters={"always": "this"}, ResultPath=None)}
    return chain({"Orders": each({"Lines": each(work, ItemsPath="$.lines")}, MaxConcurrency=12)})


def resumed_alike(alike: dict[str, Any]) -> doorstep.Execution:
    def pick(_: Any) -> Any:
        raise doorstep.fail("Down")

    first = doorstep.run(alike, ORDERS[:4], {"pick": pick}, seed=1)
    number = iter(range(100))

    def later(_: Any) -> Any:
        # The last are the first: the order of the ends says nothing of the order of the starts.
        return doorstep.answer(1, after=100 - next(number))

    return doorstep.resume(first.history, alike, {"pick": later})


def test_with_the_definition_what_is_alike_is_told_apart_after_a_redrive(
    alike: dict[str, Any],
) -> None:
    second = resumed_alike(alike)
    for visits in (visits_of(second), doorstep.moments(second.history, alike).visits):
        assert all(
            visit.output == visit.input and visit.iterations == [visit.input["o"], visit.input["l"]]
            for visit in visits.all
            if visit.name == "Pick"
        )


def test_without_the_definition_what_is_not_known_is_said(alike: dict[str, Any]) -> None:
    second = resumed_alike(alike)
    moments = doorstep.moments(second.history)
    redriven = next(one.event.id for one in moments if one.event.type == "ExecutionRedriven")
    truth = doorstep.moments(second.history, alike)
    unsure = 0
    for moment, known in zip(moments[redriven:], truth[redriven:], strict=True):
        if moment.event.type.endswith("Scheduled"):
            assert moment.asked == {"always": "this"}
            unsure += "?" in moment.place
            assert moment.place in (known.place, known.place.replace(known.place[6:9], "[?]", 1))
            assert "?" not in moment.place or "input" not in moment.data()
    assert unsure
    before = [one.place for one in moments[:redriven] if one.state == "Pick"]
    assert before
    assert not [place for place in before if "?" in place]
    aligned = diff(moments.visits, moments.visits)
    assert any("Orders[?]" in one.place for one in aligned)
    outcomes = {(one.a or {})["outcome"] for one in aligned if one.place.endswith("Pick")}
    assert "not known since the redrive" in outcomes


def test_a_fail_state_that_is_redriven_is_blamed_again(chain: Chain) -> None:
    definition = chain({"Sad": {"Type": "Fail", "Error": "Sad"}})
    first = doorstep.run(definition)
    second = doorstep.resume(first.history, definition)
    end = ending(visits_of(second))
    assert end is not None
    assert (end.place, end.error) == ("Sad", "Sad")
