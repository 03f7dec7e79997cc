"""What failed is parked, not destroyed: aborts of siblings, then a redrive."""

from __future__ import annotations

from typing import Any

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"


def task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + name, "End": True, **fields}


def one(name: str, state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: state}}


def parallel(*names: str, **fields: Any) -> dict[str, Any]:
    branches = [one(name, task(name)) for name in names]
    return one("Both", {"Type": "Parallel", "Branches": branches, "End": True, **fields})


def mapped(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    processor = one("Each", state)
    return one("All", {"Type": "Map", "ItemProcessor": processor, "End": True, **fields})


def test_a_failing_branch_aborts_its_siblings_and_fails_the_execution(world) -> None:
    run = world(parallel("A", "B")).start()
    run.fail("A")
    assert run.status == "FAILED"
    # Recorded: one TaskStateAborted for the task that failed and one for each in flight, and
    # ParallelStateFailed, all after the TaskFailed of the branch (fact 421).
    assert run.shown(10) == [
        "10<-6 LambdaFunctionFailed",
        "11<-10 TaskStateAborted",
        "12<-10 TaskStateAborted",
        "13<-10 ParallelStateFailed",
        "14<-13 ExecutionFailed",
    ]
    assert run.engine.failure.error == "Boom"


def test_the_call_of_an_aborted_sibling_is_cancelled(world) -> None:
    run = world(parallel("A", "B")).start()
    (sibling,) = run.calls("B")
    run.fail("A")
    assert sibling.key in run.cancelled()
    assert run.calls() == []


def test_a_late_answer_of_an_aborted_sibling_changes_nothing(world) -> None:
    run = world(parallel("A", "B")).start()
    (sibling,) = run.calls("B")
    before = run.fail("A").shown()
    run.deliver("succeeded", sibling.key, "late")
    assert run.shown() == before


def test_a_redrive_schedules_again_what_failed_and_what_was_aborted(world) -> None:
    run = world(parallel("A", "B")).start()
    run.fail("A").deliver("redriven")
    assert run.status == "RUNNING"
    assert [call.state for call in run.calls()] == ["A", "B"]
    run.succeed("B", "b").succeed("A", "a")
    assert run.output == ["a", "b"]
    assert run.types().count("TaskStateEntered") == 2


def test_a_redrive_keeps_the_outputs_of_branches_that_succeeded(world) -> None:
    run = world(parallel("A", "B", "C")).start()
    run.succeed("B", "b").fail("A").deliver("redriven")
    assert [call.state for call in run.calls()] == ["A", "C"]
    run.succeed("A", "a").succeed("C", "c")
    assert run.output == ["a", "b", "c"]


def test_a_redriven_run_ends_as_the_run_that_never_failed(world) -> None:
    healthy = world(parallel("A", "B")).start().succeed("A", 1).succeed("B", 2)
    redriven = world(parallel("A", "B")).start().fail("B").deliver("redriven")
    redriven.succeed("A", 1).succeed("B", 2)
    assert redriven.output == healthy.output


def test_the_events_after_a_redrive_follow_execution_redriven(world) -> None:
    run = world(one("Charge", task("Charge"))).start().fail("Charge").deliver("redriven")
    assert run.shown(6) == [
        "6<-5 ExecutionFailed",
        "7<-6 ExecutionRedriven",
        "8<-7 LambdaFunctionScheduled",
        "9<-8 LambdaFunctionStarted",
    ]
    assert run.events("ExecutionRedriven")[0].details == {"redriveCount": 1}


def test_a_redrive_starts_retry_counters_again(world) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    run = world(one("Charge", task("Charge", Retry=retry))).start()
    run.fail("Charge").pass_time(1).fail("Charge")
    assert run.status == "FAILED"
    run.deliver("redriven").fail("Charge").pass_time(1)
    assert run.status == "RUNNING"
    assert run.succeed("Charge", "paid").output == "paid"


def test_the_calls_of_one_visit_share_their_idempotency_key(world) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    run = world(one("Charge", task("Charge", Retry=retry))).start()
    visits = {run.calls()[0].visit}
    run.fail("Charge").pass_time(1)
    visits.add(run.calls()[0].visit)
    run.fail("Charge").deliver("redriven")
    visits.add(run.calls()[0].visit)
    assert len(visits) == 1


def test_the_calls_of_a_state_are_numbered_through_iterations_retries_and_redrives(world) -> None:
    retry = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    run = world(mapped(task("Charge", Retry=retry), MaxConcurrency=2)).start([1, 2, 3])
    assert [call.number for call in run.calls()] == [0, 1]
    run.fail("Each", "Busy").pass_time(1)
    assert [call.number for call in run.calls()] == [1, 2]
    run.succeed("Each")
    assert [call.number for call in run.calls()] == [2, 3]
    run.fail("Each").deliver("redriven")
    assert [call.number for call in run.calls()] == [4, 5]


def test_a_redriven_wait_keeps_its_deadline(world) -> None:
    waiting = one("Rest", {"Type": "Wait", "Seconds": 100, "End": True})
    branches = [waiting, one("A", task("A"))]
    run = world(one("Both", {"Type": "Parallel", "Branches": branches, "End": True})).start()
    run.pass_time(30).fail("A")
    assert "WaitStateAborted" in run.types()
    run.pass_time(50).deliver("redriven")
    assert [timer.at for timer in run.timers()] == [1100.0]
    run.succeed("A", "a").pass_time(20)
    assert run.status == "SUCCEEDED"


def test_a_wait_whose_deadline_has_passed_ends_at_once_after_a_redrive(world) -> None:
    waiting = one("Rest", {"Type": "Wait", "Seconds": 100, "End": True})
    branches = [waiting, one("A", task("A"))]
    run = world(one("Both", {"Type": "Parallel", "Branches": branches, "End": True})).start()
    run.fail("A").pass_time(1000).deliver("redriven")
    assert run.timers() == []
    assert "WaitStateExited" in run.types()


def test_a_stopped_execution_can_be_redriven(world) -> None:
    run = world(parallel("A", "B")).start().succeed("A", "a")
    run.deliver("stopped", data={"error": "Enough", "cause": "of this"})
    assert run.status == "ABORTED"
    assert run.shown()[-1].endswith("<-0 ExecutionAborted")
    run.deliver("redriven").succeed("B", "b")
    assert run.output == ["a", "b"]


def test_a_redriven_map_goes_on_with_the_iterations_that_had_not_started(world) -> None:
    run = world(mapped(task("Each"), MaxConcurrency=1)).start([1, 2, 3])
    run.succeed("Each", 10).fail("Each")
    assert run.status == "FAILED"
    run.deliver("redriven").succeed("Each", 20).succeed("Each", 30)
    assert run.output == [10, 20, 30]


def test_nested_groups_are_redriven_from_where_they_were(world) -> None:
    inner = parallel("A", "B")
    branches = [inner, one("C", task("C"))]
    run = world(one("Outer", {"Type": "Parallel", "Branches": branches, "End": True})).start()
    run.succeed("A", "a").fail("C")
    assert "ParallelStateAborted" in run.types()
    run.deliver("redriven")
    assert {call.state for call in run.calls()} == {"B", "C"}
    run.succeed("B", "b").succeed("C", "c")
    assert run.output == [["a", "b"], "c"]


def test_states_runtime_in_a_branch_fails_the_execution_without_further_events(world) -> None:
    broken = {"Type": "Pass", "InputPath": "$.nothing", "End": True}
    branches = [one("A", task("A")), one("P", broken)]
    run = world(one("Both", {"Type": "Parallel", "Branches": branches, "End": True})).start()
    assert run.status == "FAILED"
    assert run.types()[-2:] == ["PassStateEntered", "ExecutionFailed"]
    assert run.engine.failure.error == "States.Runtime"


def test_states_runtime_is_neither_retried_nor_caught(world) -> None:
    state = task(
        "A",
        InputPath="$.nothing",
        Retry=[{"ErrorEquals": ["States.ALL"]}],
        Catch=[{"ErrorEquals": ["States.Runtime"], "Next": "Saved"}],
    )
    del state["End"]
    saved = {"Type": "Pass", "End": True}
    machine = {"StartAt": "A", "States": {"A": {**state, "Next": "Saved"}, "Saved": saved}}
    run = world(machine).start()
    assert run.types() == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]


def test_an_execution_that_filled_its_history_ends_at_the_quota(world) -> None:
    loop = {"Type": "Pass", "Next": "Again"}
    again = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "Out"}],
        "Default": "Loop",
    }
    out = {"Type": "Succeed"}
    machine = {"StartAt": "Loop", "States": {"Loop": loop, "Again": again, "Out": out}}
    run = world(machine, history_events=100).start()
    assert len(run.engine.history) == 100
    # Measured on AWS with its 25,000.
    assert run.shown()[-1].endswith("ExecutionFailed")
    assert run.engine.failure.error == "States.Runtime"
    assert run.engine.failure.cause == (
        "The execution reached the maximum number of history events (100)."
    )
