"""A recorded execution resumed here: what succeeded does not run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep import InputError, ReplayError

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function"
Chain = Callable[..., dict[str, Any]]


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"{LAMBDA}:{name}", "ResultPath": f"$.{name}", **fields}


@pytest.fixture
def order(chain: Chain) -> dict[str, Any]:
    return chain(
        {
            "Reserve": task("reserve"),
            "Charge": task("charge"),
            "Ship": task("ship", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]),
            "Mail": task("mail"),
        }
    )


def failing(_: Any) -> Any:
    raise ValueError("no stock")


def calls(history: list[dict[str, Any]]) -> int:
    return sum(event["type"] == "LambdaFunctionScheduled" for event in history)


WENT_WELL = {"reserve": lambda _: "R", "charge": lambda _: "C", "mail": lambda _: "M"}


@pytest.fixture
def failed(order: dict[str, Any]) -> doorstep.Execution:
    """Reserved, charged, and failed twice in Ship."""
    return doorstep.run(order, {"id": 7}, WENT_WELL | {"ship": failing}, seed="then")


class Calls(dict[str, Callable[[Any], Any]]):
    """Handlers that note who was called."""

    def __init__(self, **answers: Any) -> None:
        self.made: list[str] = []
        super().__init__({name: self._handler(name, given) for name, given in answers.items()})

    def _handler(self, name: str, given: Any) -> Callable[[Any], Any]:
        def handler(event: Any) -> Any:
            self.made.append(name)
            return given(event) if callable(given) else given

        return handler


def test_a_failed_execution_continues_with_the_fixed_handler(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    assert doorstep.replay(failed.history, order).same
    handlers = Calls(reserve="again", charge="again", ship=lambda event: event, mail="M")
    resumed = doorstep.resume(failed.history, order, handlers)
    assert resumed.status == "SUCCEEDED"
    assert handlers.made == ["ship", "mail"]
    seen = {"id": 7, "reserve": "R", "charge": "C"}
    assert resumed.output == {**seen, "ship": seen, "mail": "M"}


def test_its_history_is_the_recorded_one_and_what_came_after_the_redrive(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    resumed = doorstep.resume(failed.history, order, Calls(ship="S", mail="M"))
    past = len(failed.history)
    assert resumed.history[:past] == failed.history
    assert [event["type"] for event in resumed.history[past:][:4]] == [
        "ExecutionRedriven",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    assert doorstep.replay(resumed.history, order).same


def test_retriers_count_anew_after_the_redrive(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    handlers = Calls(ship=failing)
    resumed = doorstep.resume(failed.history, order, handlers)
    assert (resumed.status, handlers.made) == ("FAILED", ["ship", "ship"])


def test_a_state_that_went_well_can_be_done_again(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    handlers = Calls(reserve="again", charge="C2", ship="S", mail="M")
    resumed = doorstep.resume(failed.history, order, handlers, state="Charge")
    assert handlers.made == ["charge", "ship", "mail"]
    assert resumed.output == {"id": 7, "reserve": "R", "charge": "C2", "ship": "S", "mail": "M"}
    assert calls(resumed.history) == 4


def test_all_from_an_event_on_can_be_done_again(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    first_answer = next(
        event["id"] for event in failed.history if event["type"] == "LambdaFunctionSucceeded"
    )
    handlers = Calls(reserve="R2", charge="C2", ship="S", mail="M")
    resumed = doorstep.resume(failed.history, order, handlers, at=first_answer)
    assert handlers.made == ["reserve", "charge", "ship", "mail"]
    assert resumed.status == "SUCCEEDED"


def test_the_clock_goes_on_from_the_recordings_end(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    resumed = doorstep.resume(failed.history, order, Calls(ship="S", mail="M"))
    assert resumed.events[-1].at == failed.events[-1].at


def test_branches_that_had_succeeded_are_not_done_again(chain: Chain) -> None:
    branches = [chain({"Good": task("good")}), chain({"Bad": task("bad")})]
    definition = chain({"Both": {"Type": "Parallel", "Branches": branches}})
    then = {"good": lambda _: 1, "bad": lambda _: doorstep.fail("E", after="1m")}
    failed = doorstep.run(definition, handlers=then, seed="then")
    handlers = Calls(good=3, bad=2)
    resumed = doorstep.resume(failed.history, definition, handlers)
    assert (resumed.output, handlers.made) == ([{"good": 1}, {"bad": 2}], ["bad"])


def test_an_execution_that_was_still_running_just_goes_on(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    handlers = Calls(ship="S", mail="M")
    running = failed.history[:-4]
    assert running[-1]["type"] == "LambdaFunctionFailed"
    resumed = doorstep.resume(running, order, handlers)
    assert (resumed.status, handlers.made) == ("SUCCEEDED", ["ship", "mail"])


def test_what_succeeded_needs_a_place_to_go_on_from(order: dict[str, Any]) -> None:
    history = doorstep.run(order, handlers=WENT_WELL | {"ship": lambda _: "S"}).history
    with pytest.raises(InputError, match="succeeded: name a state"):
        doorstep.resume(history, order, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state": "Nowhere"}, "does not enter the state 'Nowhere'"),
        ({"at": 1}, "events 1 to"),
        ({"at": 99}, "events 1 to"),
    ],
)
def test_a_place_that_is_not_there_is_reported(
    order: dict[str, Any], failed: doorstep.Execution, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        doorstep.resume(failed.history, order, {}, **options)


def test_a_definition_that_does_not_lead_there_is_refused(
    order: dict[str, Any], failed: doorstep.Execution
) -> None:
    order["States"]["Charge"]["ResultPath"] = "$.paid"
    with pytest.raises(ReplayError, match=r"output.charge: recorded \"C\", now nothing"):
        doorstep.resume(failed.history, order, {})


def test_it_can_be_given_machines_a_bucket_and_an_observer(
    chain: Chain, each: Chain, tmp_path: Path
) -> None:
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "Child", "Input": {}},
        "OutputPath": "$.Output",
    }
    definition = chain({"Bad": task("bad"), "Start": start})
    failed = doorstep.run(definition, handlers={"bad": failing}, seed=1)
    seen: list[str] = []
    resumed = doorstep.resume(
        failed.history,
        definition,
        Calls(bad=1),
        state_machines={"Child": chain({"One": {"Type": "Pass", "Result": "child"}})},
        s3_root=tmp_path,
        on_event=lambda _, event: seen.append(event.type),
    )
    assert resumed.output == "child"
    assert seen[0] == "ExecutionRedriven"
