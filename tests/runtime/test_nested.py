"""Executions that start others: what becomes of a child that nobody waits for, and what is told.

Each is run by the library and by a server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.engine import read_all

ARN = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
CHILD = f"{ARN}:stateMachine:child"
Machine = dict[str, Any]
Ended = tuple[Mapping[str, Any], list[Mapping[str, Any]]]
"""A parent and its children: status, error, cause, output, executionArn."""
Runner = Callable[..., Ended]


def machine(**states: dict[str, Any]) -> Machine:
    return {"StartAt": next(iter(states)), "States": states}


def wait(seconds: int) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, "End": True}


def job(pattern: str = ".sync:2", target: str = CHILD, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{pattern}",
        "Parameters": {"StateMachineArn": target, "Input": {"a": 1}},
        "End": True,
        **fields,
    }


LONG = machine(Sleep=wait(40))
FAIL_SOON = machine(
    Before={"Type": "Wait", "Seconds": 1, "Next": "Broken"},
    Broken={"Type": "Fail", "Error": "Broken"},
)
FAILS = machine(No={"Type": "Fail", "Error": "Declined", "Cause": "too much"})
PASSES = machine(Yes={"Type": "Pass", "End": True})


def by_library(parent: Machine, child: Machine, stop_after: int | None = None) -> Ended:
    executions: dict[str, Any] = {}
    execution = doorstep.start(
        parent,
        state_machines={"child": child},
        on_event=lambda one, event: executions.setdefault(one.arn, one),
        start_time=1_900_000_000,
    )
    if stop_after is not None:
        execution.advance(stop_after)
        execution.stop("Enough", "of it")
    execution.wait()
    described = [
        {
            "executionArn": one.arn,
            "status": one.status,
            "error": one.error,
            "cause": one.cause,
            "output": json.dumps(one.output),
        }
        for one in (execution, *executions.values())
    ]
    children = [one for one in described if ":child:" in one["executionArn"]]
    return described[0], children


@pytest.fixture
def by_server(client: Any, request: pytest.FixtureRequest) -> Runner:
    """Run machines of this test's own, with simulated time."""
    own = f"n{sha256(request.node.name.encode()).hexdigest()[:16]}"

    def run(parent: Machine, child: Machine, stop_after: int | None = None) -> Ended:
        name = f"child-{own}"
        tags = [{"key": "doorstep:clock", "value": "virtual" if stop_after is None else "real"}]
        client.create_state_machine(name=name, definition=json.dumps(child), roleArn=ROLE)
        text = json.dumps(parent).replace(CHILD, f"{ARN}:stateMachine:{name}")
        made = client.create_state_machine(name=own, definition=text, roleArn=ROLE, tags=tags)
        arn = client.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
        if stop_after is not None:
            client.stop_execution(executionArn=arn, error="Enough", cause="of it")
        ended = settled(client, arn)
        listed = client.list_executions(stateMachineArn=f"{ARN}:stateMachine:{name}")
        return ended, [settled(client, one["executionArn"]) for one in listed["executions"]]

    return run


def settled(client: Any, arn: str) -> Any:
    for _ in range(2_000):
        described = client.describe_execution(executionArn=arn)
        if described["status"] != "RUNNING":
            return described
    raise AssertionError(f"{arn} runs on: nobody stopped it")


@pytest.fixture(params=["library", "server"])
def run(request: pytest.FixtureRequest) -> Runner:
    if request.param == "library":
        return by_library
    return request.getfixturevalue("by_server")  # type: ignore[no-any-return]


# A child that nobody waits for any more -----------------------------------------------------------

CHOOSE = {
    "Type": "Choice",
    "Choices": [{"Variable": "$.item", "NumericEquals": 0, "Next": "Before"}],
    "Default": "Job",
}
ITEMS = machine(Items={"Type": "Pass", "Result": [0, 1], "Next": "Each"})


def mapped(**processor: Any) -> Machine:
    scope = {"StartAt": "Which", "States": {"Which": CHOOSE, "Job": job(), **FAIL_SOON["States"]}}
    each = {
        "Type": "Map",
        "ItemSelector": {"item.$": "$$.Map.Item.Value"},
        "ItemProcessor": {**processor, **scope},
        "End": True,
    }
    return {"StartAt": "Items", "States": {**ITEMS["States"], "Each": each}}


PARALLEL = {"Type": "Parallel", "Branches": [machine(Job=job()), FAIL_SOON], "End": True}
CATCH = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Saved"}]}
SAVED = {"Type": "Succeed"}
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
CUTS = {
    "its TimeoutSeconds": machine(Job=job(TimeoutSeconds=1)),
    "its TimeoutSeconds, .sync": machine(Job=job(".sync", TimeoutSeconds=1)),
    "its TimeoutSeconds, caught": machine(Job=job(TimeoutSeconds=1, **CATCH), Saved=SAVED),
    "its HeartbeatSeconds": machine(Job=job(HeartbeatSeconds=2, TimeoutSeconds=30)),
    "the execution's TimeoutSeconds": {**machine(Job=job()), "TimeoutSeconds": 2},
    "a sibling branch": machine(Both=PARALLEL),
    "a sibling branch, caught": machine(Both={**PARALLEL, **CATCH}, Saved=SAVED),
    "a sibling branch that fails at once": machine(
        Both={"Type": "Parallel", "Branches": [machine(Job=job()), FAILS], "End": True}
    ),
    "a sibling iteration": mapped(),
    "a map run's tolerance": mapped(**DISTRIBUTED),
}


@pytest.mark.parametrize("parent", CUTS.values(), ids=CUTS)
def test_a_child_that_nobody_waits_for_is_aborted(run: Runner, parent: Machine) -> None:
    """Fact 134: ABORTED, with a cause and no error, in whatever way its task is cut off."""
    ended, children = run(parent, LONG)
    assert ended["status"] != "RUNNING"
    (child,) = children
    assert (child["status"], child.get("error")) == ("ABORTED", None)
    begins, _, rest = child["cause"].partition("[")
    waited, _, ends = rest.partition("]")
    assert begins == "The Task state in AWS Step Functions execution "
    assert ends == " which was managing this resource was aborted"
    assert waited.startswith(f"{ARN}:execution:")
    if "Each" not in parent["States"]:
        assert waited == ended["executionArn"]


def test_a_child_of_what_is_stopped_is_aborted(run: Runner) -> None:
    ended, (child,) = run(machine(Job=job()), LONG, stop_after=1)
    assert (ended["status"], ended["error"]) == ("ABORTED", "Enough")
    assert (child["status"], child.get("error")) == ("ABORTED", None)
    assert ended["executionArn"] in child["cause"]


def test_a_whole_chain_of_children_is_aborted(client: Any) -> None:
    for number in range(60):
        below = f"{ARN}:stateMachine:chain-{number + 1}"
        definition = LONG if number == 59 else machine(Job=job(target=below))
        if number == 0:
            definition = machine(Job=job(target=below, TimeoutSeconds=1))
        client.create_state_machine(
            name=f"chain-{number}",
            definition=json.dumps(definition),
            roleArn=ROLE,
            tags=[{"key": "doorstep:clock", "value": "virtual"}],
        )
    top = client.start_execution(stateMachineArn=f"{ARN}:stateMachine:chain-0")["executionArn"]
    assert settled(client, top)["error"] == "States.Timeout"
    above = top
    for number in range(1, 60):
        machine_arn = f"{ARN}:stateMachine:chain-{number}"
        (listed,) = client.list_executions(stateMachineArn=machine_arn)["executions"]
        child = settled(client, listed["executionArn"])
        assert child["status"] == "ABORTED"
        assert above in child["cause"]
        above = listed["executionArn"]


@pytest.mark.parametrize("pattern", ["", ".waitForTaskToken"])
def test_a_child_that_nobody_waited_for_runs_on(pattern: str) -> None:
    """Fact 134 is about jobs: request and response, and callbacks, start what is on its own."""
    start = job(pattern)
    start["Parameters"]["Input"] = {"token": "any"}
    if pattern:
        start |= {"TimeoutSeconds": 1}
        start["Parameters"]["Input"] = {"token.$": "$$.Task.Token"}
    executions: dict[str, Any] = {}
    execution = doorstep.start(
        machine(Start=start),
        state_machines={"child": LONG},
        on_event=lambda one, event: executions.setdefault(one.machine, one),
    )
    execution.wait()
    assert executions["child"].status == "RUNNING"
    execution.advance(60)
    assert executions["child"].status == "SUCCEEDED"


def test_a_child_whose_task_was_answered_by_its_token_runs_on() -> None:
    """Fact 233: the token of a job ends its task, and was not recorded to end the child."""
    parent = machine(Job=job(TimeoutSeconds=30))
    parent["States"]["Job"]["Parameters"]["Input"] = {"token.$": "$$.Task.Token"}
    executions: dict[str, Any] = {}
    execution = doorstep.start(
        parent,
        state_machines={"child": LONG},
        on_event=lambda one, event: executions.setdefault(one.machine, one),
    )
    execution.advance(1)
    token = executions["child"].input["token"]
    execution.callbacks.send_task_success(token, "early")
    execution.wait()
    assert execution.output == "early"
    assert executions["child"].status == "RUNNING"


def test_a_child_is_aborted_whatever_line_of_the_journal_a_crash_cuts_off(tmp_path: Path) -> None:
    """Also between the parent's line and the child's; one that was answered runs on (fact 233)."""
    journal = tmp_path / "journal"

    def run() -> None:
        doorstep.run(
            machine(Both=PARALLEL), state_machines={"child": LONG}, journal=journal, seed=7
        )

    def ends() -> dict[str, list[str]]:
        lines = journal.read_text().splitlines()
        return {
            arn: [f"{event.type} at {event.at} {event.details}" for event in one.events]
            for arn, one in read_all(lines).items()
        }

    run()
    whole, lines = ends(), journal.read_text().splitlines(keepends=True)
    assert any("ExecutionAborted" in last for *_, last in whole.values())
    for number in range(1, len(lines)):
        journal.write_text("".join(lines[:number]))
        run()
        assert ends() == whole, number


def test_a_redrive_starts_another_child() -> None:
    executions: list[Any] = []

    def note(one: Any, event: Any) -> None:
        if event.type == "ExecutionStarted":
            executions.append(one)

    parent = {**machine(Job=job()), "TimeoutSeconds": 60}
    execution = doorstep.start(parent, state_machines={"child": LONG}, on_event=note)
    execution.advance(1)
    execution.stop()
    execution.redrive()
    execution.wait()
    assert execution.status == "SUCCEEDED"
    assert [one.status for one in executions[1:]] == ["ABORTED", "SUCCEEDED"]


# What a task is told ------------------------------------------------------------------------------

DESCRIBED = [
    "ExecutionArn",
    "Input",
    "InputDetails",
    "Name",
    "Output",
    "OutputDetails",
    "RedriveCount",
    "RedriveStatus",
    "RedriveStatusReason",
    "StartDate",
    "StateMachineArn",
    "Status",
    "StopDate",
]


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_a_job_returns_whether_its_execution_can_be_redriven(run: Runner, pattern: str) -> None:
    """Fact 115: recorded with these members since December 2024."""
    ended, _ = run(machine(Job=job(pattern)), PASSES)
    output = json.loads(ended["output"])
    assert list(output) == DESCRIBED
    assert output["Output"] == ({"a": 1} if pattern == ".sync:2" else '{"a":1}')
    assert output["RedriveCount"] == 0
    assert output["RedriveStatus"] == "NOT_REDRIVABLE"
    assert output["RedriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"


FAILED = [name for name in DESCRIBED if name not in ("Output", "OutputDetails", DESCRIBED[8])]


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
@pytest.mark.parametrize(
    ("child", "more", "status"),
    [
        pytest.param(FAILS, {"Error": "Declined", "Cause": "too much"}, "FAILED", id="failed"),
        pytest.param({**LONG, "TimeoutSeconds": 1}, {}, "TIMED_OUT", id="timed out"),
        pytest.param(
            machine(No={"Type": "Fail", "Error": "Alone"}), {"Error": "Alone"}, "FAILED", id="error"
        ),
    ],
)
def test_a_job_that_failed_is_described_in_the_order_of_the_alphabet(
    run: Runner, pattern: str, child: Machine, more: dict[str, str], status: str
) -> None:
    """Fact 135: the input is a text in both; what timed out has no error."""
    ended, _ = run(machine(Job=job(pattern)), child)
    assert ended["error"] == "States.TaskFailed"
    cause = json.loads(ended["cause"])
    assert list(cause) == sorted([*FAILED, *more])
    assert cause["Input"] == '{"a":1}'
    assert {name: cause[name] for name in more} == more
    assert (cause["Status"], cause["RedriveStatus"]) == (status, "REDRIVABLE")


def test_a_job_that_was_stopped_says_what_stopped_it(client: Any) -> None:
    """Fact 135; and a version and an alias are named as what they are."""
    child = client.create_state_machine(
        name="stopped-child", definition=json.dumps(LONG), roleArn=ROLE, publish=True
    )
    version = child["stateMachineVersionArn"]
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    for number, target in enumerate((version, alias)):
        made = client.create_state_machine(
            name=f"stopped-{number}",
            definition=json.dumps(machine(Job=job(target=target))),
            roleArn=ROLE,
        )
        arn = client.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
        running = {"stateMachineArn": child["stateMachineArn"], "statusFilter": "RUNNING"}
        for _ in range(2_000):
            if listed := client.list_executions(**running)["executions"]:
                break
        client.stop_execution(executionArn=listed[0]["executionArn"], error="E", cause="c")
        cause = json.loads(settled(client, arn)["cause"])
        assert (cause["Status"], cause["Error"], cause["Cause"]) == ("ABORTED", "E", "c")
        assert cause["StateMachineArn"] == child["stateMachineArn"]
        assert cause["StateMachineVersionArn"] == version
        assert cause.get("StateMachineAliasArn") == (alias if target == alias else None)


# Machines that are not there ----------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["", ".sync", ".sync:2", ".waitForTaskToken"])
def test_a_machine_that_does_not_exist_fails_the_task(run: Runner, pattern: str) -> None:
    """Fact 238: it can be caught."""
    nowhere = f"{ARN}:stateMachine:nowhere"
    start = job(pattern, nowhere)
    if pattern == ".waitForTaskToken":
        start["Parameters"]["Input"] = {"token.$": "$$.Task.Token"}
    name = "StepFunctions.StateMachineDoesNotExistException"
    caught = {"Catch": [{"ErrorEquals": [name], "Next": "Saved"}]}
    ended, children = run(machine(Start={**start, **caught}, Saved=SAVED), PASSES)
    assert children == []
    assert ended["status"] == "SUCCEEDED"
    output = json.loads(ended["output"])
    assert output["Error"] == name
    assert output["Cause"].startswith(f"State Machine Does Not Exist: '{nowhere}' (Service: ")


def test_where_nothing_says_which_machines_exist_the_message_names_the_option() -> None:
    execution = doorstep.run(machine(Start=job()))
    assert execution.error == "Doorstep.HandlerNotFound"
    assert "--state-machine NAME=FILE" in str(execution.cause)
    assert "state_machines={NAME: definition}" in str(execution.cause)


def test_a_handler_stands_for_a_machine_that_is_not_there() -> None:
    execution = doorstep.run(
        machine(Start=job("", f"{ARN}:stateMachine:nowhere")),
        handlers={"states:startExecution": lambda event: {"ExecutionArn": "made up"}},
        state_machines={"child": PASSES},
    )
    assert execution.output == {"ExecutionArn": "made up"}


def test_a_machine_is_found_by_the_arn_of_a_version() -> None:
    execution = doorstep.run(
        machine(Job=job(target=f"{CHILD}:3")), state_machines={"child": PASSES}
    )
    assert execution.output["Status"] == "SUCCEEDED"
