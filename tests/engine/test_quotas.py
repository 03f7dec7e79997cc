"""AWS's limits: the size of a payload, the length of a history, and our own guard."""

from __future__ import annotations

import json
from typing import Any

import pytest

import doorstep
from doorstep.engine.quotas import EXPRESS, STANDARD

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
KIB = 1024
LIMIT = 256 * KIB


def work(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + "work", **fields}


def then(state: dict[str, Any]) -> dict[str, Any]:
    """The state, and one to go to when something is caught."""
    states = {"Work": {**state, "Next": "Saved"}, "Saved": {"Type": "Pass", "End": True}}
    return {"StartAt": "Work", "States": states}


def catching(name: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": [name], "ResultPath": "$.error", "Next": "Saved"}]


def giving(size: int) -> Any:
    """A handler whose result's JSON text has so many bytes."""
    return {"work": lambda event: "x" * (size - 2)}


def too_large(whose: str, did: str = "returned a result") -> str:
    return (
        f"The state/task '{whose}' {did} with a size exceeding "
        "the maximum number of bytes service limit."
    )


def loop(**fields: Any) -> dict[str, Any]:
    again = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.stop", "IsPresent": True, "Next": "Out"}],
        "Default": "Loop",
    }
    states = {"Loop": {"Type": "Pass", "Next": "Again"}, "Again": again}
    return {"StartAt": "Loop", "States": {**states, "Out": {"Type": "Succeed"}}, **fields}


def test_the_quotas_are_those_of_aws() -> None:
    assert (STANDARD.payload_bytes, STANDARD.history_events) == (262_144, 25_000)
    assert STANDARD.execution_seconds == 365 * 86_400
    assert (EXPRESS.history_events, EXPRESS.execution_seconds) == (None, 300)
    assert (STANDARD.inline_concurrency, STANDARD.distributed_concurrency) == (40, 10_000)


def test_a_payload_of_exactly_the_limit_passes() -> None:
    assert doorstep.run(then(work()), handlers=giving(LIMIT)).status == "SUCCEEDED"


def test_a_result_above_the_limit_fails_instead_of_succeeding() -> None:
    execution = doorstep.run(then(work()), handlers=giving(300 * KIB))
    assert (execution.error, execution.cause) == (
        "States.DataLimitExceeded",
        # Recorded: test_task_lambda_data_limit_exceeded_on_large_utf8_response.
        too_large(FUNCTION + "work"),
    )
    types = [event["type"] for event in execution.history]
    assert types[-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]


def test_the_limit_counts_bytes_and_not_characters() -> None:
    euros = {"work": lambda event: "€" * 100_000}
    assert doorstep.run(then(work()), handlers=euros).error == "States.DataLimitExceeded"


@pytest.mark.parametrize("name", ["States.ALL", "States.DataLimitExceeded", "States.TaskFailed"])
def test_a_result_above_the_limit_is_caught(name: str) -> None:
    # States.ALL is recorded, though the guide says otherwise; States.TaskFailed: fact 138.
    execution = doorstep.run(then(work(Catch=catching(name))), handlers=giving(300 * KIB))
    assert execution.output["error"]["Error"] == "States.DataLimitExceeded"


def test_an_optimized_integration_is_named_by_its_service() -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "work"},
    }
    execution = doorstep.run(then(state), handlers=giving(300 * KIB))
    # Recorded: test_service_task_lambada_data_limit_exceeded_on_large_utf8_response.
    assert execution.cause == too_large("lambda")


DOUBLE = {"a.$": "$.big", "b.$": "$.big"}


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Parameters": DOUBLE},
        work(Parameters=DOUBLE),
        {
            "Type": "Parallel",
            "Parameters": DOUBLE,
            "Branches": [{"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}],
        },
        {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": DOUBLE,
            "ItemProcessor": {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}},
        },
    ],
    ids=lambda state: state["Type"],
)
def test_what_a_state_makes_above_the_limit_fails_that_state(state: dict[str, Any]) -> None:
    """Fact 317 of parameters, reported for a Task; of branches and iterations by analogy."""
    data = {"big": "x" * (200 * KIB), "items": [1]}
    execution = doorstep.run(then(state), data, giving(2))
    did = "returned a result" if state["Type"] == "Pass" else "provided parameters"
    assert execution.error == "States.DataLimitExceeded"
    assert execution.cause == too_large("Work", did)


def test_the_arguments_of_a_query_have_the_same_limit() -> None:
    fields = {"Arguments": {"twice": "{% [$states.input, $states.input] %}"}}
    execution = doorstep.run(then(work(QueryLanguage="JSONata", **fields)), "x" * (200 * KIB))
    assert execution.cause == too_large("Work", "provided parameters")


def test_what_a_catcher_makes_above_the_limit_fails_the_execution() -> None:
    def fails(event: Any) -> None:
        raise doorstep.fail("Boom", "y" * (70 * KIB))

    definition = then(work(Catch=catching("States.ALL")))
    # A cause is cut to 32 KiB; with it the catcher's output is above the limit.
    execution = doorstep.run(definition, {"big": "x" * (240 * KIB)}, {"work": fails})
    assert execution.error == "States.DataLimitExceeded"


def assigning(names: list[str], **last: Any) -> dict[str, Any]:
    """States that each assign the input to a variable, then a last one."""
    states = {
        f"S{number}": {"Type": "Pass", "Assign": {f"{name}.$": "$"}, "Next": f"S{number + 1}"}
        for number, name in enumerate(names)
    }
    return {"StartAt": "S0", "States": {**states, f"S{len(names)}": last or {"Type": "Succeed"}}}


@pytest.mark.parametrize("language", ["JSONPath", "JSONata"])
def test_a_variable_has_a_largest_size(language: str) -> None:
    """Fact 333, from the guide; the error is ours until one is recorded."""
    whole = {"v.$": "$"} if language == "JSONPath" else {"v": "{% $states.input %}"}
    state = {"Type": "Pass", "QueryLanguage": language, "Assign": whole}
    text = "x" * (LIMIT - 2)
    assert doorstep.run(then(state), text).status == "SUCCEEDED"
    lowered = doorstep.run(then(state), text, quotas={"assign_bytes": LIMIT - 1})
    assert lowered.error == "States.DataLimitExceeded"
    assert lowered.cause.endswith(too_large("Work", "assigned variables"))


def test_a_variable_is_measured_in_bytes() -> None:
    state = {"Type": "Pass", "Assign": {"v.$": "$.text"}, "ResultPath": None}
    assert doorstep.run(then(state), {"text": "e" * 200_000}).status == "SUCCEEDED"
    data = {"half": "é" * 100_000}
    state["Assign"] = {"v.$": "States.Array($.half, $.half)"}
    assert doorstep.run(then(state), data).error == "States.DataLimitExceeded"


def test_one_assign_has_a_largest_size() -> None:
    state = {"Type": "Pass", "Assign": {"a.$": "$", "b.$": "$"}}
    execution = doorstep.run(then(state), "x" * 200_000)
    assert execution.cause == too_large("Work", "assigned variables")
    lifted = doorstep.run(then(state), "x" * 200_000, quotas={"assign_bytes": None})
    assert lifted.status == "SUCCEEDED"


def test_an_assign_above_the_limit_is_caught_and_assigns_nothing() -> None:
    fields = {"Assign": {"v.$": "States.Array($, $)"}, "ResultPath": None}
    state = work(**fields, Catch=catching("States.DataLimitExceeded"))
    execution = doorstep.run(then(state), {}, giving(200 * KIB))
    assert execution.output["error"]["Cause"] == too_large("Work", "assigned variables")
    exited = [e for e in execution.history if e["type"] == "TaskStateExited"]
    assert "assignedVariables" not in exited[0]["stateExitedEventDetails"]


LARGE = "x" * (200 * KIB - 2)


@pytest.mark.parametrize(("number", "error"), [(51, None), (52, "States.DataLimitExceeded")])
def test_all_variables_together_have_a_largest_size(number: int, error: str | None) -> None:
    names = [f"v{index}" for index in range(number)]
    assert doorstep.run(assigning(names), LARGE).error == error


def test_a_variable_that_is_assigned_again_counts_once() -> None:
    names = [f"v{index % 3}" for index in range(60)]
    assert doorstep.run(assigning(names), LARGE).status == "SUCCEEDED"


def test_a_branch_counts_the_variables_around_it() -> None:
    names = [f"v{index}" for index in range(50)]
    inside = {"Type": "Pass", "Assign": {"w.$": "$"}, "Next": "Last"}
    last = {"Type": "Pass", "Assign": {"x.$": "$"}, "End": True}
    branch = {"StartAt": "First", "States": {"First": inside, "Last": last}}
    definition = assigning(names, Type="Parallel", Branches=[branch], End=True)
    execution = doorstep.run(definition, LARGE)
    assert execution.cause == too_large("Last", "assigned variables")


def test_a_lifted_limit_lets_large_payloads_pass() -> None:
    execution = doorstep.run(
        then(work()), handlers=giving(300 * KIB), quotas={"payload_bytes": None}
    )
    assert execution.status == "SUCCEEDED"


def test_event_25000_is_the_failure_of_the_execution() -> None:
    execution = doorstep.run(loop())
    # Measured on AWS: the 24,999th is the last real event.
    assert len(execution.events) == 25_000
    last = execution.history[-1]
    assert (last["type"], last["previousEventId"]) == ("ExecutionFailed", 24_999)
    assert last["executionFailedEventDetails"] == {
        "error": "States.Runtime",
        "cause": "The execution reached the maximum number of history events (25000).",
    }


def test_a_full_history_ends_the_execution_whatever_catches() -> None:
    branch = loop()
    state = {"Type": "Parallel", "Branches": [branch], "Catch": catching("States.ALL")}
    execution = doorstep.run(then(state), quotas={"history_events": 200})
    assert (execution.status, len(execution.events)) == ("FAILED", 200)


def test_an_express_execution_that_loops_for_ever_is_ended() -> None:
    execution = doorstep.run(loop(), type="EXPRESS", quotas={"loop_events": 30_000})
    assert execution.status == "TIMED_OUT"
    assert len(execution.events) == 30_000


def test_a_quota_that_there_is_not_is_named() -> None:
    with pytest.raises(doorstep.InputError, match="no quota 'events'; there are payload_bytes, "):
        doorstep.run(loop(), quotas={"events": 1})


def test_quotas_can_be_kept_in_a_journal() -> None:
    execution = doorstep.run(loop(), quotas={"history_events": 50})
    header = json.loads(next(iter(execution._running.journal.lines())))
    assert header["quotas"]["history_events"] == 50


def test_an_input_is_measured_in_bytes_not_in_characters() -> None:
    state_machine = then(work())
    fits = "é" * (LIMIT // 2 - 1)  # with its quotes, 256 KiB of UTF-8
    doorstep.run(state_machine, fits, {"work": lambda event: None})
    with pytest.raises(doorstep.InputError, match=f"has {LIMIT + 2} bytes in UTF-8"):
        doorstep.run(state_machine, fits + "é", {"work": lambda event: None})
