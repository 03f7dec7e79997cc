"""`ARN#TestCase`: a MockConfigFile.json answers, as with Step Functions Local; across restarts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep import InputError
from doorstep_emulator import Options, running

Refusal = Callable[..., tuple[str, str]]
Served = Callable[..., AbstractContextManager[Any]]
EndOf = Callable[[Any, str], Any]
ROLE = "arn:aws:iam::123456789012:role/doorstep"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
NUMBERED = {
    "0": {"Throw": {"Error": "Busy", "Cause": "at first"}},
    "1-2": {"Return": "later"},
    "3": {"Return": "last"},
}
MOCKS = {
    "StateMachines": {
        "orders": {
            "TestCases": {
                "Numbered": {"Work": "Numbered"},
                "Counted": {"Work": "Counted"},
                "Elsewhere": {"Another": "Yes"},
                "Confirmed": {"Work": "Yes", "Confirm": "Yes"},
            }
        }
    },
    "MockedResponses": {
        "Numbered": NUMBERED,
        "Counted": {"0": {"Return": "first"}, "1": {"Return": "later"}},
        "Yes": {"0": {"Return": {"yes": True}}},
    },
}
WORK = {"Type": "Task", "Resource": FUNCTION + "work"}
RETRIED = {**WORK, "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 3}]}


@pytest.fixture
def served(tmp_path: Path, aws: Callable[..., Any]) -> Served:
    """Servers on one store, with mocks and handlers; each gives its client."""
    (tmp_path / "mocks.json").write_text(json.dumps(MOCKS))
    (tmp_path / "handlers.py").write_text("def work(event):\n    return 'handled'\n")
    kept = {"db": str(tmp_path / "doorstep.db"), "handlers": str(tmp_path / "handlers.py")}

    @contextmanager
    def serve(**more: Any) -> Iterator[Any]:
        given = {"clock": "virtual", "mocks": tmp_path / "mocks.json", **kept, **more}
        with running(Options(port=0, **given)) as url:
            yield aws(url)

    return serve


def create(client: Any, definition: dict[str, Any], **more: Any) -> str:
    given = {"name": "orders", "definition": json.dumps(definition), "roleArn": ROLE, **more}
    arn: str = client.create_state_machine(**given)["stateMachineArn"]
    return arn


def test_a_test_case_answers_the_calls_that_it_names(
    served: Served, end_of: EndOf, chain: Callable[..., Any]
) -> None:
    with served() as client:
        arn = create(client, chain({"Work": RETRIED}))
        started = client.start_execution(stateMachineArn=f"{arn}#Numbered")["executionArn"]
        told = end_of(client, started)
        assert (told["status"], told["output"]) == ("SUCCEEDED", '"later"')
        assert told["stateMachineArn"] == arn
        history = client.get_execution_history(executionArn=started)["events"]
        assert [e["type"] for e in history].count("LambdaFunctionFailed") == 1
        without = client.start_execution(stateMachineArn=arn)["executionArn"]
        assert end_of(client, without)["output"] == '"handled"'


def test_behaviour_126_versions_and_express_machines_have_test_cases_as_well(
    served: Served, chain: Callable[..., Any]
) -> None:
    with served() as client:
        arn = create(client, chain({"Work": WORK}), type="EXPRESS", publish=True)
        for started in (f"{arn}#Confirmed", f"{arn}:1#Confirmed"):
            told = client.start_sync_execution(stateMachineArn=started)
            assert told["output"] == '{"yes":true}'


def test_an_answer_that_the_service_would_not_give_is_logged(
    served: Served, end_of: EndOf, chain: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    parameters = {"TableName": "orders", "Key": {"id": {"S": "1"}}}
    resource = "arn:aws:states:::dynamodb:getItem"
    get = {"Type": "Task", "Resource": resource, "Parameters": parameters}
    with served() as client, caplog.at_level(logging.WARNING, "doorstep"):
        arn = create(client, chain({"Work": get}))
        started = client.start_execution(stateMachineArn=f"{arn}#Confirmed")["executionArn"]
        assert end_of(client, started)["output"] == '{"yes":true}'
    [told] = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told.startswith("the mock of the state 'Work': dynamodb:getItem does not answer so")
    assert "Field 'yes' is not one of the service's" in told


@pytest.mark.parametrize(
    ("distributed", "outputs"), [(False, ["first", "later"]), (True, ["first", "first"])]
)
def test_iterations_count_on_and_children_of_a_map_run_for_themselves(
    served: Served,
    end_of: EndOf,
    chain: Callable[..., Any],
    each: Callable[..., Any],
    distributed: bool,
    outputs: list[str],
) -> None:
    with served() as client:
        arn = create(client, chain({"Each": each({"Work": WORK}, distributed=distributed)}))
        started = client.start_execution(stateMachineArn=f"{arn}#Counted", input="[1, 2]")
        told = end_of(client, started["executionArn"])
        assert json.loads(told["output"]) == outputs


def test_a_test_case_goes_on_where_it_was_after_a_restart(
    served: Served, end_of: EndOf, eventually: Callable[..., Any]
) -> None:
    with served() as client:
        activity = client.create_activity(name="hold")["activityArn"]
        # Between the third call of Work and the fourth, the server is another one.
        states = {
            "Work": {**RETRIED, "Next": "Again"},
            "Again": {**WORK, "Resource": activity, "Next": "More"},
            "More": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.more", "BooleanEquals": True, "Next": "Work"}],
                "Default": "Done",
            },
            "Done": {"Type": "Succeed"},
        }
        arn = create(client, {"StartAt": "Work", "States": states})
        given = {"stateMachineArn": f"{arn}#Numbered", "name": "kept"}
        started = client.start_execution(**given)["executionArn"]
        answer(client, activity)
        eventually(lambda: is_held(client, started, calls=3))
    with served() as client:
        assert client.start_execution(**given)["executionArn"] == started
        answer(client, activity)
        eventually(lambda: is_held(client, started, calls=4))
        assert "last" in outputs(client, started)
        answer(client, activity)
        told = end_of(client, started)
        assert told["error"] == "Doorstep.MockInvalid"
        assert "Numbered has no response for this call; there are 0, 1-2, 3" in told["cause"]


def answer(client: Any, activity: str) -> None:
    token = client.get_activity_task(activityArn=activity)["taskToken"]
    client.send_task_success(taskToken=token, output='{"more": true}')


def is_held(client: Any, arn: str, *, calls: int) -> bool:
    """Whether a worker is waited for, after that many calls of Work."""
    events = client.get_execution_history(executionArn=arn)["events"]
    types = [event["type"] for event in events]
    made = types.count("LambdaFunctionScheduled") == calls
    return made and types[-1] == "ActivityScheduled"


def outputs(client: Any, arn: str) -> list[Any]:
    events = client.get_execution_history(executionArn=arn)["events"]
    found = [event.get("lambdaFunctionSucceededEventDetails") for event in events]
    return [json.loads(details["output"]) for details in found if details]


def test_a_server_without_the_mocks_does_not_call_handlers_in_their_place(
    served: Served, end_of: EndOf, chain: Callable[..., Any], refusal: Refusal
) -> None:
    with served() as client:
        activity = client.create_activity(name="hold")["activityArn"]
        arn = create(client, chain({"Work": {**WORK, "Resource": activity}}))
        # Which of its states are mocked is in the file: nobody else is to answer any.
        started = client.start_execution(stateMachineArn=f"{arn}#Elsewhere")["executionArn"]
    with served(mocks=None) as client:
        told = end_of(client, started)
        assert told["error"] == "Doorstep.MockInvalid"
        assert "start it with `doorstep serve --mocks MockConfigFile.json`" in told["cause"]
        code, message = refusal(client, "start_execution", stateMachineArn=f"{arn}#Elsewhere")
        assert code == "ValidationException"
        assert "start it with `doorstep serve --mocks MockConfigFile.json`" in message


def test_a_test_case_that_there_is_not_is_refused(
    served: Served,
    chain: Callable[..., Any],
    refusal: Refusal,
) -> None:
    with served() as client:
        arn = create(client, chain({"Work": WORK}))
        code, message = refusal(client, "start_execution", stateMachineArn=f"{arn}#Other")
        assert code == "ValidationException"
        assert "there is no test case 'Other'; there are orders#Numbered" in message


def test_a_name_is_one_test_cases_only(
    served: Served,
    chain: Callable[..., Any],
    refusal: Refusal,
) -> None:
    with served(clock="real") as client:
        arn = create(client, chain({"Hold": {"Type": "Wait", "Seconds": 100_000}}))
        client.start_execution(stateMachineArn=f"{arn}#Numbered", name="once")
        for other in (arn, f"{arn}#Confirmed"):
            code, _ = refusal(client, "start_execution", stateMachineArn=other, name="once")
            assert code == "ExecutionAlreadyExists"


def test_mocks_that_are_no_json_keep_the_server_from_starting(
    served: Served, tmp_path: Path
) -> None:
    (tmp_path / "mocks.json").write_text("{")
    with pytest.raises(InputError, match=r"mocks\.json"), served():
        raise AssertionError("it started")
