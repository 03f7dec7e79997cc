"""Parallel and Map: what starts when, and who follows whom."""

from __future__ import annotations

from typing import Any

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
EACH = {"Type": "Task", "Resource": FUNCTION + "Each", "End": True}
SHOUT = {"Type": "Pass", "End": True}


def mapped(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    processor = {"StartAt": "Each", "States": {"Each": state}}
    return {
        "StartAt": "All",
        "States": {"All": {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}},
    }


def test_no_more_iterations_run_than_max_concurrency_allows(world) -> None:
    run = world(mapped(EACH, MaxConcurrency=2)).start([0, 1, 2, 3, 4])
    while run.status == "RUNNING":
        waiting = run.calls("Each")
        assert len(waiting) <= 2
        run.succeed("Each", waiting[-1].arguments, nth=len(waiting) - 1)
    assert run.output == [0, 1, 2, 3, 4]


def test_iterations_start_in_the_order_of_the_items(world) -> None:
    run = world(mapped(EACH, MaxConcurrency=2)).start(["a", "b", "c", "d"])
    run.succeed("Each", nth=1).succeed("Each", nth=1).succeed("Each", nth=0).succeed("Each")
    started = [event.details["index"] for event in run.events("MapIterationStarted")]
    assert started == [0, 1, 2, 3]


def test_an_iteration_follows_the_one_whose_place_it_takes(world) -> None:
    run = world(mapped(EACH, MaxConcurrency=2)).start([0, 1, 2])
    run.succeed("Each", nth=1)
    exited = run.events("TaskStateExited")[0]
    succeeded, third = run.events("MapIterationSucceeded")[0], run.events("MapIterationStarted")[2]
    assert succeeded.details == {"name": "All", "index": 1}
    # Recorded: both follow the last state event of the iteration that ended.
    assert (succeeded.previous, third.previous) == (exited.id, exited.id)


def test_without_a_limit_forty_iterations_run_at_once(world) -> None:
    run = world(mapped(EACH)).start(list(range(50)))
    assert len(run.calls("Each")) == 40


def test_the_history_of_iterations_one_after_another(world) -> None:
    run = world(mapped(SHOUT, MaxConcurrency=1)).start(["x", "y"])
    assert run.shown(3) == [
        "3<-2 MapStateStarted",
        "4<-3 MapIterationStarted",
        "5<-4 PassStateEntered",
        "6<-5 PassStateExited",
        "7<-6 MapIterationSucceeded",
        "8<-6 MapIterationStarted",
        "9<-8 PassStateEntered",
        "10<-9 PassStateExited",
        "11<-10 MapIterationSucceeded",
        "12<-11 MapStateSucceeded",
        "13<-11 MapStateExited",
        "14<-13 ExecutionSucceeded",
    ]


def test_an_empty_map_succeeds_at_once(world) -> None:
    run = world(mapped(SHOUT)).start([])
    assert run.output == []
    assert run.shown(3) == [
        "3<-2 MapStateStarted",
        "4<-3 MapStateSucceeded",
        "5<-3 MapStateExited",
        "6<-5 ExecutionSucceeded",
    ]


def test_a_failing_iteration_aborts_the_others(world) -> None:
    run = world(mapped(EACH, MaxConcurrency=2)).start([0, 1, 2])
    run.fail("Each")
    failed = run.events("LambdaFunctionFailed")[0].id
    # The order of test_service_lambda_map_timeout's recording (fact 108).
    assert run.shown(failed + 1) == [
        f"{failed + 1}<-{failed} MapIterationFailed",
        f"{failed + 2}<-{failed} TaskStateAborted",
        f"{failed + 3}<-{failed} MapIterationAborted",
        f"{failed + 4}<-{failed} TaskStateAborted",
        f"{failed + 5}<-{failed} MapStateFailed",
        f"{failed + 6}<-{failed + 5} ExecutionFailed",
    ]


def test_a_retried_map_starts_again_without_a_map_state_failed(world) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    run = world(mapped(EACH, MaxConcurrency=1, Retry=retry)).start([7])
    run.fail("Each").pass_time(1)
    failed = run.events("LambdaFunctionFailed")[0].id
    assert run.events("MapStateStarted")[1].previous == failed
    assert run.succeed("Each", "ok").output == ["ok"]
    assert "MapStateFailed" not in run.types()


def test_a_caught_map_failure_goes_on_with_the_catcher(world) -> None:
    machine = mapped(EACH, MaxConcurrency=1)
    machine["States"]["All"].pop("End")
    machine["States"]["All"] |= {
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Saved"}],
        "Next": "Saved",
    }
    machine["States"]["Saved"] = {"Type": "Pass", "End": True}
    run = world(machine).start([1, 2]).fail("Each", "Boom", "why")
    assert run.output == {"Error": "Boom", "Cause": "why"}
    assert run.types().count("MapStateFailed") == 1


def test_branches_give_their_outputs_in_the_order_of_the_definition(world) -> None:
    branches = [
        {"StartAt": name, "States": {name: {**EACH, "Resource": FUNCTION + name}}} for name in "ABC"
    ]
    machine = {
        "StartAt": "P",
        "States": {"P": {"Type": "Parallel", "Branches": branches, "End": True}},
    }
    run = world(machine).start()
    run.succeed("C", "c").succeed("A", "a").succeed("B", "b")
    assert run.output == ["a", "b", "c"]
    last = run.events("TaskStateExited")[-1].id
    assert run.events("ParallelStateSucceeded")[0].previous == last
    assert run.events("ParallelStateExited")[0].previous == last


def test_an_iteration_sees_outer_variables_and_keeps_its_own_to_itself(world) -> None:
    each = {"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($, $base)"}, "End": True}
    machine = mapped(each, Next="Done")
    machine["StartAt"] = "Set"
    machine["States"]["All"].pop("End")
    machine["States"]["Set"] = {"Type": "Pass", "Assign": {"base": 10}, "Next": "All"}
    machine["States"]["Done"] = {"Type": "Pass", "End": True}
    assert world(machine).start([1, 2]).output == [{"sum": 11}, {"sum": 12}]


def test_an_item_selector_that_fails_fails_the_map_and_aborts_what_runs(world) -> None:
    selector = {"n.$": "$$.Map.Item.Value.n"}
    run = world(mapped(EACH, MaxConcurrency=2, ItemSelector=selector)).start([{"n": 1}, {}])
    assert run.status == "FAILED"
    assert run.engine.failure.error == "States.Runtime"
    assert run.calls() == []
