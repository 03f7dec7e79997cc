"""`doorstep.moments`: what there was to see at each event of a recorded execution."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep import InputError
from doorstep.definitions import load
from doorstep.model.definition import workflow
from doorstep.testing.mocks import Mocks, mock
from doorstep.values.json_values import ABSENT

ROOT = Path(__file__).parents[2]
# Their Resource names an account where the form of an SDK integration has none.
REFUSED = ("script-generator", "word-filtering-script-generator")
SAMPLES = (ROOT.parent / "shared" / "samples").glob("*.asl.json")
DEFINITIONS = [
    path
    for path in sorted((*ROOT.glob("examples/*/*.asl.json"), *SAMPLES))
    if not path.name.startswith(REFUSED)
]

LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:work"
WORK = {"Type": "Task", "Resource": LAMBDA}
INVOKE = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
Chain = Callable[..., dict[str, Any]]


def history(definition: Any, value: Any = None, *answers: Any, **options: Any) -> Any:
    """The history of a run in which the state Work answers so, call by call."""
    mocks = Mocks(*(mock("Work", answer, invocation=n) for n, answer in enumerate(answers)))
    return mocks.run(definition, value, **options).history


def at(found: doorstep.Moments, event_type: str, state: str | None = None) -> doorstep.Moment:
    """The first moment of a type of event, of a state if one is named."""
    return next(m for m in found if m.event.type == event_type and state in (None, m.state))


# The history alone -------------------------------------------------------------------------------


def test_the_first_failure_is_shown_with_what_the_task_was_asked(chain: Chain) -> None:
    work = {**WORK, "InputPath": "$.order"}
    events = history(chain({"Work": work}), {"order": 7}, doorstep.fail("Broken", "no stock"))
    found = doorstep.moments(events)
    assert found.first_failure is not None
    moment = found[found.first_failure]
    assert (moment.event.type, moment.state, found.status) == (
        "LambdaFunctionFailed",
        "Work",
        "FAILED",
    )
    assert (moment.input, moment.asked, moment.output) == ({"order": 7}, 7, ABSENT)
    assert (moment.error, moment.cause) == ("Broken", "no stock")
    assert (moment.context, moment.stages) == (None, None)


def test_a_failure_that_a_retry_made_good_is_not_blamed(chain: Chain) -> None:
    work = {**WORK, "Retry": [{"ErrorEquals": ["Busy"]}]}
    sad = {"Type": "Fail", "Error": "Sad", "Cause": "why"}
    found = doorstep.moments(
        history(chain({"Work": work, "Sad": sad}), {}, doorstep.fail("Busy"), 1)
    )
    assert [found[index].event.type for index in found.failures] == [
        "LambdaFunctionFailed",
        "FailStateEntered",
        "ExecutionFailed",
    ]
    assert found.first_failure == found.failures[1]


def test_a_caught_failure_comes_before_what_became_of_it(chain: Chain) -> None:
    work = {**WORK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Sad"}]}
    states = {"Work": work, "Sad": {"Type": "Fail", "Error": "Sad"}}
    found = doorstep.moments(history(chain(states), {}, doorstep.fail("Broken")))
    assert found.first_failure is not None
    assert found[found.first_failure].error == "Broken"


def test_nobody_is_blamed_when_all_went_well(chain: Chain) -> None:
    found = doorstep.moments(history(chain({"Work": WORK}), {}, 1))
    assert (found.first_failure, found.status) == (None, "SUCCEEDED")


# Its own event says no more than that it was entered.
def test_a_fail_state_is_shown_with_its_error(chain: Chain) -> None:
    found = doorstep.moments(history(chain({"Sad": {"Type": "Fail", "Error": "E", "Cause": "c"}})))
    moment = at(found, "FailStateEntered")
    assert (moment.error, moment.cause) == ("E", "c")


def test_an_execution_that_timed_out_shows_the_state_that_was_at_work(chain: Chain) -> None:
    nap = {"Type": "Wait", "Seconds": 60}
    found = doorstep.moments(history(chain({"Nap": nap}, TimeoutSeconds=5), {"a": 1}))
    assert found.first_failure == len(found) - 1
    assert (found[-1].state, found[-1].input) == ("Nap", {"a": 1})


def test_variables_are_those_in_scope(chain: Chain, each: Chain) -> None:
    inner = {"Inner": {"Type": "Pass", "Assign": {"m": "{% $states.input %}"}}}
    states = {"Set": {"Type": "Pass", "Assign": {"n": 0}, "Output": [5]}, "Each": each(inner)}
    found = doorstep.moments(history(chain(states, QueryLanguage="JSONata"), {}))
    assert at(found, "PassStateEntered", "Set").variables == {}
    assert at(found, "PassStateExited", "Set").variables == {"n": 0}
    assert at(found, "PassStateEntered", "Inner").variables == {"n": 0}
    assert at(found, "PassStateExited", "Inner").variables == {"n": 0, "m": 5}
    assert at(found, "MapStateExited").variables == {"n": 0}


def test_what_the_history_does_not_hold_is_absent(chain: Chain) -> None:
    events = history(chain({"Work": WORK}), {"a": 1}, 2)
    for event in events:
        for details in (part for name, part in event.items() if name.endswith("EventDetails")):
            details.pop("input", None)
            details.pop("output", None)
    assert {(m.input, m.asked, m.output) for m in doorstep.moments(events)} == {(ABSENT,) * 3}
    with pytest.raises(InputError, match="--include-execution-data"):
        doorstep.moments(events, chain({"Work": WORK}))


def test_changes_say_where_two_moments_differ(chain: Chain) -> None:
    states = {"A": {"Type": "Pass", "Result": 1, "ResultPath": "$.a"}, "B": {"Type": "Pass"}}
    found = doorstep.moments(history(chain(states), {"id": 7}))
    changes = at(found, "PassStateEntered", "B").changes(at(found, "PassStateEntered", "A"))
    assert [tuple(change) for change in changes] == [("input.a", ABSENT, 1)]


# With the definition -----------------------------------------------------------------------------


def test_the_context_object_is_that_of_the_event(chain: Chain, each: Chain) -> None:
    work = {**INVOKE, "Parameters": {"FunctionName": "f", "Payload": {"t.$": "$$.Task.Token"}}}
    definition = chain({"Each": each({"Work": work})})
    events = history(definition, [{"k": "v"}], doorstep.answer(1, after="1m"), start_time=0.0)
    found = doorstep.moments(events, definition, arn="arn:aws:states:eu-west-1:1:execution:M:name")
    before, asked = at(found, "TaskStateEntered"), at(found, "TaskScheduled")
    assert before.context is not None
    assert before.context["Map"] == {"Item": {"Index": 0, "Value": {"k": "v"}}}
    assert before.context["Execution"]["Name"] == "name"
    assert "Task" not in before.context
    assert asked.context is not None
    assert asked.asked["Payload"] == {"t": asked.context["Task"]["Token"]}


def test_a_retry_counts_in_the_context_object(chain: Chain) -> None:
    definition = chain({"Work": {**WORK, "Retry": [{"ErrorEquals": ["Busy"]}]}})
    events = history(definition, {}, doorstep.fail("Busy"), 1)
    counts = [
        moment.context["State"]["RetryCount"]
        for moment in doorstep.moments(events, definition)
        if moment.context and moment.event.type == "LambdaFunctionScheduled"
    ]
    assert counts == [0, 1]


# The order of InputPath … OutputPath is that of the States Language's section on data flow.
def test_the_data_goes_from_field_to_field(chain: Chain) -> None:
    work = {
        **WORK,
        "InputPath": "$.order",
        "Parameters": {"id.$": "$.id"},
        "ResultSelector": {"cents.$": "$.price"},
        "ResultPath": "$.paid",
        "OutputPath": "$.paid.cents",
    }
    definition = chain({"Work": work})
    value = {"order": {"id": 7, "more": 8}}
    found = doorstep.moments(history(definition, value, {"price": 9}), definition)
    asked = {"afterInputPath": {"id": 7, "more": 8}, "afterParameters": {"id": 7}}
    assert at(found, "LambdaFunctionScheduled").stages == asked
    exited = at(found, "TaskStateExited")
    assert exited.stages == asked | {
        "result": {"price": 9},
        "afterResultSelector": {"cents": 9},
        "afterResultPath": {**value, "paid": {"cents": 9}},
    }
    assert exited.output == 9


def test_arguments_and_result_of_a_jsonata_task(chain: Chain) -> None:
    work = {**WORK, "Arguments": {"twice": "{% 2 * $n %}"}, "Output": "{% $states.result + 1 %}"}
    states = {"Set": {"Type": "Pass", "Assign": {"n": 4}}, "Work": work}
    definition = chain(states, QueryLanguage="JSONata")
    exited = at(doorstep.moments(history(definition, {}, 10), definition), "TaskStateExited")
    assert exited.stages == {"afterArguments": {"twice": 8}, "result": 10}
    assert (exited.output, exited.variables) == (11, {"n": 4})


@pytest.mark.parametrize("kind", ["Parallel", "Map"])
def test_what_branches_and_iterations_gave_is_the_result(
    chain: Chain, each: Chain, kind: str
) -> None:
    states = {"P": {"Type": "Pass"}}
    branches = [chain({name: {"Type": "Pass"}}) for name in ("L", "R")]
    groups = {"Parallel": {"Type": "Parallel", "Branches": branches}, "Map": each(states)}
    definition = chain({"Both": {**groups[kind], "ResultSelector": {"all.$": "$"}}})
    found = doorstep.moments(history(definition, [1, 2]), definition)
    given = [[1, 2], [1, 2]] if kind == "Parallel" else [1, 2]
    stages = at(found, f"{kind}StateExited").stages
    assert stages is not None
    assert stages["afterResultSelector"] == stages["afterResultPath"] == {"all": given}


def test_random_values_between_the_fields_are_those_of_the_recording(chain: Chain) -> None:
    selector = {"id.$": "States.UUID()", "n.$": "States.MathRandom(1, 1000000)"}
    retry = [{"ErrorEquals": ["Busy"]}]
    work = {**WORK, "Parameters": {"key.$": "States.UUID()"}, "ResultSelector": selector}
    definition = chain({"Work": {**work, "Retry": retry}})
    events = history(definition, {}, doorstep.fail("Busy"), 1, seed="another")
    exited = at(doorstep.moments(events, definition), "TaskStateExited")
    assert exited.stages is not None
    assert exited.stages["afterParameters"] == exited.asked
    assert exited.stages["afterResultSelector"] == exited.output


def test_random_numbers_of_jsonata_are_those_of_the_recording(chain: Chain) -> None:
    arguments = {"key": "{% $random() %}"}
    work = {**WORK, "QueryLanguage": "JSONata", "Arguments": arguments}
    definition = chain({"Work": {**work, "Retry": [{"ErrorEquals": ["Busy"]}]}})
    events = history(definition, {}, doorstep.fail("Busy"), 1, seed="another")
    exited = at(doorstep.moments(events, definition), "TaskStateExited")
    assert exited.stages is not None
    assert exited.stages["afterArguments"] == exited.asked


def test_where_the_definition_leads_elsewhere_the_history_tells_alone(chain: Chain) -> None:
    states = {"A": {"Type": "Pass", "Result": 1}, "B": {"Type": "Pass"}}
    changed = {**states, "A": {"Type": "Pass", "Result": 2}}
    found = doorstep.moments(history(chain(states), {}), chain(changed))
    assert found.difference is not None
    assert found.difference.at == "output"
    assert at(found, "PassStateEntered", "A").context is not None
    later = at(found, "PassStateEntered", "B")
    assert (later.input, later.context, later.stages) == (1, None, None)


# Without an OutputPath, what ResultPath makes is the output; a catcher has a ResultPath of its own.
@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.name)
def test_the_last_stage_is_the_output(path: Path) -> None:
    definition = load(path).definition
    run = doorstep.run(definition, {}, handlers={"*": lambda _: {}})
    found = doorstep.moments(run.history, definition)
    assert found.difference is None
    with_path = {
        state.name
        for state in workflow(definition).scope.walk()
        if "OutputPath" in state.fields or state.jsonata
    }
    for moment in found:
        stages = moment.stages or {}
        if moment.asked is not ABSENT and moment.state not in with_path:
            assert stages["afterParameters"] == moment.asked
        left = moment.event.type.endswith("StateExited") and moment.state not in with_path
        if left and "afterResultPath" in stages:
            assert stages["afterResultPath"] == moment.output


def test_json_has_what_there_was_to_see(chain: Chain) -> None:
    definition = chain({"Work": WORK})
    events = history(definition, {"a": 1}, doorstep.fail("E", "c"), start_time=0.0)
    found = doorstep.moments(events, definition)
    failed = at(found, "LambdaFunctionFailed").as_json()
    context = failed.pop("context")
    assert context["State"] == {
        "Name": "Work",
        "EnteredTime": "1970-01-01T00:00:00Z",
        "RetryCount": 0,
    }
    assert failed == {
        "event": events[4],
        "startedAfterSeconds": 0.0,
        "state": "Work",
        "place": "Work",
        "input": {"a": 1},
        "asked": {"a": 1},
        "error": "E",
        "cause": "c",
        "variables": {},
        "stages": {"afterInputPath": {"a": 1}, "afterParameters": {"a": 1}},
    }


def test_moments_are_a_sequence(chain: Chain) -> None:
    found = doorstep.moments(history(chain({"A": {"Type": "Pass"}}), {}))
    assert [moment.event.id for moment in found] == [1, 2, 3, 4]
    assert [moment.event.id for moment in found[1:3]] == [2, 3]
    assert (len(found), found[-1].event.type) == (4, "ExecutionSucceeded")
