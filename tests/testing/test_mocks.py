"""Mocks: MockConfigFile.json as Step Functions Local takes it, and mocks in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep.errors import InputError
from doorstep.testing.mock_files import read_test_case
from doorstep.testing.mocks import Mock, Mocks, mock
from doorstep_cli.main import cli

LAMBDA = "arn:aws:states:::lambda:invoke"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:work"
HELLO = {"StatusCode": 200, "Payload": {"StatusCode": 200, "body": "Hello from Lambda!"}}
SENT = {
    "MD5OfMessageBody": "3bcb6e8e-7h85-4375-b0bc-1a59812c6e51",
    "MessageId": "3bcb6e8e-8b51-4375-b0bc-1a59812c6e51",
}
NOT_READY = {
    "Throw": {
        "Error": "Lambda.ResourceNotReadyException",
        "Cause": "Lambda resource is not ready.",
    }
}
TIMED_OUT = {"Throw": {"Error": "Lambda.TimeoutException", "Cause": "Lambda timed out."}}

# The example of the developer guide, "Configuration file for mocked service integrations".
GUIDE = {
    "StateMachines": {
        "LambdaSQSIntegration": {
            "TestCases": {
                "HappyPath": {"LambdaState": "MockedLambdaSuccess", "SQSState": "MockedSQSSuccess"},
                "RetryPath": {"LambdaState": "MockedLambdaRetry", "SQSState": "MockedSQSSuccess"},
                "HybridPath": {"LambdaState": "MockedLambdaSuccess"},
            }
        }
    },
    "MockedResponses": {
        "MockedLambdaSuccess": {"0": {"Return": HELLO}},
        "LambdaMockedResourceNotReady": {"0": NOT_READY},
        "MockedSQSSuccess": {"0": {"Return": SENT}},
        "MockedLambdaRetry": {"0": NOT_READY, "1-2": TIMED_OUT, "3": {"Return": HELLO}},
    },
}
LAMBDA_AND_SQS = {
    "StartAt": "LambdaState",
    "States": {
        "LambdaState": {
            "Type": "Task",
            "Resource": LAMBDA,
            "Parameters": {"FunctionName": "HelloWorldFunction", "Payload.$": "$"},
            "Retry": [
                {
                    "ErrorEquals": ["States.ALL"],
                    "IntervalSeconds": 2,
                    "MaxAttempts": 3,
                    "BackoffRate": 2,
                }
            ],
            "Next": "SQSState",
        },
        "SQSState": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "https://sqs.example.com/q", "MessageBody.$": "$"},
            "End": True,
        },
    },
}


@pytest.fixture
def case(tmp_path: Path) -> Callable[..., Mocks]:
    """Makes the mocks of a test case of a configuration that is first written to a file."""

    def make(config: Any, name: str = "Case", machine: str | None = None) -> Mocks:
        file = tmp_path / "MockConfigFile.json"
        file.write_text(json.dumps(config), "utf-8")
        return Mocks(*read_test_case(file, name, machine))

    return make


def of_state(responses: Any, state: str = "Work") -> dict[str, Any]:
    """A configuration with one machine, one test case, one mocked state."""
    return {
        "StateMachines": {"M": {"TestCases": {"Case": {state: "Responses"}}}},
        "MockedResponses": {"Responses": responses},
    }


def work(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION, **fields}


def types(execution: doorstep.Execution) -> list[str]:
    return [event.type for event in execution.events]


# MockConfigFile.json ----------------------------------------


def test_the_happy_path_of_the_guide_returns_what_the_file_says(case: Callable[..., Mocks]) -> None:
    execution = case(GUIDE, "HappyPath").run(LAMBDA_AND_SQS)
    assert execution.output == SENT
    [sent] = [e for e in execution.history if e["type"] == "TaskScheduled"][1:]
    parameters = json.loads(sent["taskScheduledEventDetails"]["parameters"])
    assert parameters["MessageBody"] == HELLO


def test_the_retry_path_of_the_guide_succeeds_at_the_fourth_call(
    case: Callable[..., Mocks],
) -> None:
    execution = case(GUIDE, "RetryPath").run(LAMBDA_AND_SQS)
    failures = [
        e.details["error"] for e in execution.events if e.type == "TaskFailed" and e.details
    ]
    assert failures == ["Lambda.ResourceNotReadyException", *["Lambda.TimeoutException"] * 2]
    assert execution.output == SENT
    assert execution.events[-1].at - execution.events[0].at == 2 + 4 + 8


def test_the_hybrid_path_of_the_guide_leaves_the_other_state_to_its_handler(
    case: Callable[..., Mocks],
) -> None:
    handlers = {"sqs:sendMessage": lambda message: {"MessageId": message["QueueUrl"]}}
    execution = case(GUIDE, "HybridPath").run(LAMBDA_AND_SQS, handlers=handlers)
    assert execution.output == {"MessageId": "https://sqs.example.com/q"}


def test_a_throw_is_caught(case: Callable[..., Mocks], chain: Callable[..., Any]) -> None:
    caught = {"ErrorEquals": ["Boom"], "Next": "Saved"}
    definition = chain({"Work": work(Catch=[caught], End=True), "Saved": {"Type": "Pass"}})
    mocks = case(of_state({"0": {"Throw": {"Error": "Boom", "Cause": "why"}}}))
    assert mocks.run(definition).output == {"Error": "Boom", "Cause": "why"}


@pytest.mark.parametrize("value", [None, False, 0, "text", [1], {}])
def test_behaviour_125_return_may_be_any_json_value(
    case: Callable[..., Mocks], chain: Callable[..., Any], value: Any
) -> None:
    assert case(of_state({"0": {"Return": value}})).run(chain({"Work": work()})).output == value


# Step Functions Local 2.0.0, as told in floci#3254: a Map over two items, the first call fails and
# is retried; the second iteration goes on with the third response.
def test_behaviours_122_and_123_calls_are_numbered_across_retries_and_iterations(
    case: Callable[..., Mocks], chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    retried = work(Retry=[{"ErrorEquals": ["Boom"]}])
    definition = chain({"Each": each({"Work": retried}, MaxConcurrency=1)})
    responses = {
        "0": {"Throw": {"Error": "Boom", "Cause": "attempt0"}},
        "1": {"Return": "idx1"},
        "2": {"Return": "idx2"},
        "3": {"Return": "idx3"},
    }
    mocks = case(of_state(responses))
    assert mocks.run(definition, ["a", "b"]).output == ["idx1", "idx2"]
    assert mocks.unreached == ['Work: Responses "3"']


def test_calls_are_numbered_across_the_children_of_a_distributed_map(
    case: Callable[..., Mocks], chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    definition = chain({"Each": each({"Work": work()}, distributed=True, MaxConcurrency=1)})
    mocks = case(of_state({"0": {"Return": "first"}, "1-2": {"Return": "later"}}))
    assert mocks.run(definition, ["a", "b", "c"]).output == ["first", "later", "later"]


def test_a_mocked_callback_ends_with_the_return_value(
    case: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    ask = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}
    definition = chain(
        {"Work": {**ask, "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}}}
    )
    execution = case(of_state({"0": {"Return": {"approved": True}}})).run(definition)
    assert execution.output == {"approved": True}
    assert "TaskSubmitted" in types(execution)


@pytest.mark.parametrize(
    ("responses", "told"),
    [
        (None, "MockedResponses has no object 'Responses'"),
        ({}, "no response for this call; there are none"),
        ({"1": {"Return": 1}}, "no response for this call; there are 1"),
        ({"first": {"Return": 1}}, "Responses has 'first', no number or range"),
        ({"0": {}}, 'Responses "0" has to have either Return or Throw'),
        ({"0": {"Return": 1, "Throw": {}}}, 'Responses "0" has to have either'),
        ({"0": {"Throw": {"Error": 1}}}, 'Responses "0" has to have either'),
    ],
)
def test_a_mock_that_cant_answer_fails_the_execution_when_it_is_reached(
    case: Callable[..., Mocks], chain: Callable[..., Any], responses: Any, told: str
) -> None:
    forgiving = [{"ErrorEquals": ["States.ALL"], "Next": "Saved"}]
    definition = chain({"Work": work(Catch=forgiving, End=True), "Saved": {"Type": "Pass"}})
    execution = case(of_state(responses)).run(definition)
    assert (execution.status, execution.error) == ("FAILED", "Doorstep.MockInvalid")
    assert told in (execution.cause or "")


# floci#2523
def test_behaviour_124_a_bad_mock_that_is_never_reached_does_no_harm(
    case: Callable[..., Mocks], chain: Callable[..., Any]
) -> None:
    mocks = case(of_state({"0": {"Rerturn": 1}}))
    assert mocks.run(chain({"Other": {"Type": "Pass"}})).status == "SUCCEEDED"
    assert mocks.unreached == ['Work: Responses "0"']


def test_a_test_case_is_the_machines_own(tmp_path: Path) -> None:
    file = tmp_path / "mocks.json"
    cases = {"A": {"TestCases": {"Case": {"Work": "One"}}}, "B": {"TestCases": {"Case": {}}}}
    one = {"0": {"Return": 1}}
    file.write_text(json.dumps({"StateMachines": cases, "MockedResponses": {"One": one}}))
    assert [type(m) for m in read_test_case(file, "Case", "A")] == [Mock, Mock]
    assert read_test_case(file, "Case", "B") == []
    with pytest.raises(InputError, match="no state machine 'C', and A, B have a case 'Case'"):
        read_test_case(file, "Case", "C")
    with pytest.raises(InputError, match="no test case 'Other'; there are A#Case, B#Case"):
        read_test_case(file, "Other", "A")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "the file has to be a JSON object"),
        ("{}", "StateMachines has to be a JSON object"),
        ('{"StateMachines": {"M": {"TestCases": []}}}', "TestCases of M has to be a JSON object"),
        ("{", "mocks.json: "),
    ],
)
def test_a_file_that_is_no_mock_configuration_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "mocks.json"
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        read_test_case(file, "Case")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't read .*none\.json: No such file"):
        read_test_case(tmp_path / "none.json", "Case")


# Mocks in Python ----------------------------------------


def test_the_first_mock_that_fits_answers(chain: Callable[..., Any]) -> None:
    retried = work(Retry=[{"ErrorEquals": ["Busy"]}])
    mocks = Mocks(
        mock("Work", doorstep.fail("Busy"), attempt=range(2)), mock("Work", {"done": True})
    )
    execution = mocks.run(chain({"Work": retried}))
    assert execution.output == {"done": True}
    assert types(execution).count("LambdaFunctionFailed") == 2


def test_what_no_mock_fits_goes_to_the_handlers(chain: Callable[..., Any]) -> None:
    mocks = Mocks(mock("Second", 2))
    definition = chain({"First": work(), "Second": work()})
    seen: list[Any] = []
    assert mocks.run(definition, {"n": 1}, handlers={"work": seen.append}).output == 2
    assert seen == [{"n": 1}]


def test_invocations_are_counted_across_loops(chain: Callable[..., Any]) -> None:
    again = {"Variable": "$", "StringEquals": "pending", "Next": "Work"}
    loop = {"Type": "Choice", "Choices": [again], "Default": "Done"}
    definition = chain({"Work": work(Next="Ready"), "Ready": loop, "Done": {"Type": "Succeed"}})
    mocks = Mocks(mock("Work", "pending", invocation=range(3)), mock("Work", "done", invocation=3))
    execution = mocks.run(definition)
    assert execution.output == "done"
    assert types(execution).count("LambdaFunctionScheduled") == 4


def test_a_mock_may_be_of_one_iteration(
    chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    definition = chain({"Each": each({"Work": work()})})
    mocks = Mocks(mock("Work", "special", index=1), mock("Work", lambda item: item * 10))
    assert mocks.run(definition, [1, 2, 3]).output == [10, "special", 30]


def test_an_iteration_counts_inside_of_a_parallel_as_well(
    chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    both = {"Type": "Parallel", "Branches": [chain({"A": work()}), chain({"B": work()})]}
    mocks = Mocks(mock("B", "second", index=1), mock("A", "a"), mock("B", "b"))
    execution = mocks.run(chain({"Each": each({"Both": both})}), [1, 2])
    assert execution.output == [["a", "b"], ["a", "second"]]


def test_a_state_outside_of_a_map_has_no_index(chain: Callable[..., Any]) -> None:
    mocks = Mocks(mock("Work", "in a map", index=range(9)), mock("Work", "alone"))
    assert mocks.run(chain({"Work": work()})).output == "alone"


def test_a_predicate_looks_at_what_a_handler_would_be_given(chain: Callable[..., Any]) -> None:
    called = {"FunctionName": "work", "Payload.$": "$"}
    definition = chain({"Work": {"Type": "Task", "Resource": LAMBDA, "Parameters": called}})
    mocks = Mocks(
        mock("Work", "cheap", when=lambda event: event["cents"] < 1000),
        mock("Work", "dear", when=lambda event: event["cents"] >= 1000),
    )
    assert mocks.run(definition, {"cents": 5000}).output["Payload"] == "dear"
    assert mocks.unreached == ["Work, when …"]


def test_an_exception_of_a_function_fails_the_task_as_a_handlers_would(
    chain: Callable[..., Any],
) -> None:
    def broken(_: Any) -> None:
        raise LookupError("no such thing")

    execution = Mocks(mock("Work", broken)).run(chain({"Work": work()}))
    assert execution.error == "LookupError"
    assert json.loads(execution.cause or "")["errorMessage"] == "no such thing"


def test_an_answer_may_come_later(chain: Callable[..., Any]) -> None:
    ask = {"Type": "Task", "Resource": f"{LAMBDA}.waitForTaskToken"}
    asked = {**ask, "Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token"}}}
    mocks = Mocks(mock("Ask", doorstep.answer({"approved": True}, after="2d")))
    execution = mocks.run(chain({"Ask": asked}))
    assert execution.output == {"approved": True}
    assert execution.events[-1].at - execution.events[0].at == 2 * 86_400


def test_a_plain_value_is_the_callback(chain: Callable[..., Any]) -> None:
    ask = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}
    asked = {**ask, "Parameters": {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}}
    assert Mocks(mock("Ask", "yes")).run(chain({"Ask": asked})).output == "yes"


def test_without_an_answer_the_timeout_decides(chain: Callable[..., Any]) -> None:
    execution = Mocks(mock("Work", doorstep.no_answer())).run(
        chain({"Work": work(TimeoutSeconds=60)})
    )
    assert execution.error == "States.Timeout"
    assert execution.events[-1].at - execution.events[0].at == 60


def test_without_a_heartbeat_the_task_ends_early(chain: Callable[..., Any]) -> None:
    guarded = work(TimeoutSeconds=3600, HeartbeatSeconds=60)
    execution = Mocks(mock("Work", doorstep.answer(1, after="10m"))).run(chain({"Work": guarded}))
    assert execution.error == "States.Timeout"
    assert execution.events[-1].at - execution.events[0].at == 60


@pytest.mark.parametrize(
    ("answer", "status", "seconds"),
    [(doorstep.answer(1, after="10m"), "SUCCEEDED", 600), (doorstep.no_answer(), "FAILED", 3600)],
)
def test_heartbeats_keep_a_task_alive_until_it_is_over(
    chain: Callable[..., Any], answer: Any, status: str, seconds: int
) -> None:
    guarded = work(TimeoutSeconds=3600, HeartbeatSeconds=60)
    execution = Mocks(mock("Work", answer, heartbeat="45s")).run(chain({"Work": guarded}))
    assert execution.status == status
    assert execution.events[-1].at - execution.events[0].at == seconds


def test_a_heart_cant_beat_all_the_time() -> None:
    with pytest.raises(InputError, match="a heartbeat every 0 seconds"):
        mock("Work", 1, heartbeat=0)


def test_a_test_case_leaves_the_machines_alone_that_are_started_by_another(
    chain: Callable[..., Any], tmp_path: Path
) -> None:
    child = chain({"Work": work()})
    parameters = {"StateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:Child"}
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": parameters,
        "OutputPath": "$.Output",
    }
    options: dict[str, Any] = {
        "state_machines": {"Child": child},
        "handlers": {"work": lambda _: "real"},
    }
    definition = chain({"Start": start})
    assert Mocks(mock("Work", "mocked")).run(definition, **options).output == "mocked"
    cases = {"StateMachines": {"StateMachine": {"TestCases": {"Case": {"Work": "Yes"}}}}}
    responses = {"MockedResponses": {"Yes": {"0": {"Return": "mocked"}}}}
    (tmp_path / "mocks.json").write_text(json.dumps(cases | responses))
    alone = Mocks(*read_test_case(tmp_path / "mocks.json", "Case", "StateMachine"))
    assert alone.run(definition, **options).output == "real"


def test_unreached_mocks_say_what_they_were_for() -> None:
    mocks = Mocks(mock("A", 1, invocation=2, attempt=range(1, 3)), mock("B", 1, index=0))
    assert mocks.unreached == ["A, invocation 2, attempt range(1, 3)", "B, index 0"]


# The command line ----------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The guide's machine and mocks in a folder."""
    (tmp_path / "LambdaSQSIntegration.asl.json").write_text(json.dumps(LAMBDA_AND_SQS))
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(GUIDE))
    return tmp_path


def run_command(files: Path, test_case: str, *options: str) -> Result:
    definition = str(files / "LambdaSQSIntegration.asl.json")
    mocks = str(files / "MockConfigFile.json") + test_case
    return CliRunner().invoke(cli, ["run", definition, "--mocks", mocks, *options])


def test_the_command_line_runs_a_test_case(files: Path) -> None:
    result = run_command(files, "#RetryPath")
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, SENT, "")


def test_the_command_line_tells_of_mocks_that_were_not_reached(files: Path) -> None:
    spare = {**GUIDE["MockedResponses"], "MockedSQSSuccess": {"0-1": {"Return": SENT}, "2": {}}}
    (files / "MockConfigFile.json").write_text(json.dumps({**GUIDE, "MockedResponses": spare}))
    result = run_command(files, "#HappyPath")
    assert result.stderr.strip() == 'mock never reached: SQSState: MockedSQSSuccess "2"'
    assert run_command(files, "#HappyPath", "--quiet").stderr == ""


def test_a_mock_that_cant_answer_is_a_problem_of_the_setup(files: Path) -> None:
    (files / "MockConfigFile.json").write_text(json.dumps({**GUIDE, "MockedResponses": {}}))
    result = run_command(files, "#HappyPath")
    assert result.exit_code == 2
    assert "MockedResponses has no object 'MockedLambdaSuccess'" in result.stderr


@pytest.mark.parametrize(
    ("test_case", "told"),
    [
        ("", "name a test case: "),
        ("#Other", "there is no test case 'Other'; there are LambdaSQSIntegration#HappyPath"),
    ],
)
def test_a_test_case_that_cant_be_found_is_told(files: Path, test_case: str, told: str) -> None:
    result = run_command(files, test_case)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("problem", [SystemExit(1), ValueError("why")])
def test_a_condition_that_raises_is_named_as_the_mocks_fault(problem: BaseException) -> None:
    def when(_: Any) -> bool:
        raise problem

    state = {"Type": "Task", "Resource": FUNCTION, "End": True}
    execution = Mocks(mock("A", 1, when=when)).run({"StartAt": "A", "States": {"A": state}})
    assert execution.error == "Doorstep.MockInvalid"
    assert f"a condition raised {type(problem).__name__}: {problem}" in (execution.cause or "")
