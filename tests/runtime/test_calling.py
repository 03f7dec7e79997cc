"""A call of a handler: what it is given, and what its result or exception is to AWS."""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.runtime import invocation
from doorstep.runtime.clocks import in_thread
from doorstep.runtime.invocation import Context

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class CardDeclined(Exception):  # noqa: N818  as workflows name their errors
    pass


def machine(resource: str = FUNCTION + "charge", **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return {"StartAt": "Charge", "States": {"Charge": state}}


def invoking(**fields: Any) -> dict[str, Any]:
    parameters = {"FunctionName": "charge", "Payload.$": "$"}
    return machine(INVOKE, Parameters=parameters, **fields)


def calling_back(**fields: Any) -> dict[str, Any]:
    message = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
    return machine(CALLBACK, Parameters=message, **fields)


def decline(event: Any, context: Any) -> None:
    raise CardDeclined("no funds: 3 €")


def details(execution: doorstep.Execution, event_type: str) -> dict[str, Any]:
    event = next(event for event in execution.history if event["type"] == event_type)
    return next((value for key, value in event.items() if key.endswith("EventDetails")), {})


def test_what_a_handler_changes_in_its_event_is_its_own_copy() -> None:
    seen: list[Any] = []

    def charge(event: Any) -> str:
        seen.append(list(event["items"]))
        event["items"].append("tip")
        if len(seen) < 3:
            raise CardDeclined
        return "paid"

    again = [{"ErrorEquals": ["CardDeclined"]}]
    definition = machine(ResultPath="$.result", Retry=again)
    execution = doorstep.run(definition, {"items": ["tea"]}, {"charge": charge})
    assert seen == [["tea"]] * 3
    assert execution.output == {"items": ["tea"], "result": "paid"}


def test_an_exception_is_reported_as_lambda_reports_it() -> None:
    execution = doorstep.run(machine(), handlers={"charge": decline})
    assert execution.error == "CardDeclined"
    report = json.loads(execution.cause or "")
    assert list(report) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (report["errorMessage"], report["errorType"]) == ("no funds: 3 €", "CardDeclined")
    assert UUID.fullmatch(report["requestId"])


def test_the_stack_trace_begins_in_the_handler() -> None:
    execution = doorstep.run(machine(), handlers={"charge": decline})
    (frame,) = json.loads(execution.cause or "")["stackTrace"]
    line = decline.__code__.co_firstlineno + 1
    assert frame.startswith(f'  File "{__file__}", line {line}, in decline\n    raise CardDeclined')


def test_a_stack_trace_that_another_thread_drops_from_the_cache_is_still_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Dropping(dict[Any, Any]):
        def __setitem__(self, key: Any, value: Any) -> None:
            self.clear()

    monkeypatch.setattr(invocation, "_stacks", Dropping())
    assert doorstep.run(machine(), handlers={"charge": decline}).error == "CardDeclined"


def test_a_direct_call_keeps_the_spacing_of_the_report_and_invoke_does_not() -> None:
    # Recorded: test_task_lambda and test_task_service_lambda, test_raise_custom_exception.
    direct = doorstep.run(machine(), handlers={"charge": decline})
    invoked = doorstep.run(invoking(), handlers={"charge": decline})
    assert (direct.cause or "").startswith('{"errorMessage": "no funds')
    assert ', "errorType": "CardDeclined", "requestId": ' in (direct.cause or "")
    assert (invoked.cause or "").startswith('{"errorMessage":"no funds: 3 €","errorType":')
    assert json.loads(direct.cause or "") == json.loads(invoked.cause or "") | {
        "requestId": json.loads(direct.cause or "")["requestId"]
    }


def test_an_exception_without_a_message_has_an_empty_one() -> None:
    def fails(event: Any) -> None:
        raise CardDeclined

    report = json.loads(doorstep.run(machine(), handlers={"charge": fails}).cause or "")
    assert report["errorMessage"] == ""


def test_an_exception_that_cannot_be_shown_is_reported_as_well() -> None:
    class Unprintable(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise ValueError

    def fails(event: Any) -> None:
        raise Unprintable

    execution = doorstep.run(machine(), handlers={"charge": fails})
    assert execution.error == "Unprintable"
    assert json.loads(execution.cause or "")["errorMessage"] == "<exception str() failed>"


def test_sys_exit_in_a_handler_ends_the_task_and_not_the_run() -> None:
    def leaves(event: Any) -> None:
        sys.exit(3)

    assert doorstep.run(machine(), handlers={"charge": leaves}).error == "SystemExit"


def test_an_exception_of_another_service_is_its_name_and_message() -> None:
    execution = doorstep.run(calling_back(), handlers={"sqs:sendMessage": decline})
    assert (execution.error, execution.cause) == ("CardDeclined", "no funds: 3 €")


def test_a_failure_of_ones_own_is_taken_word_for_word() -> None:
    def refuses(event: Any) -> None:
        raise doorstep.fail("Card.Declined", "plain text")

    raised = doorstep.run(machine(), handlers={"charge": refuses})
    returned = doorstep.run(
        machine(), handlers={"charge": lambda e: doorstep.fail("Card.Declined", "plain text")}
    )
    for execution in (raised, returned):
        assert (execution.error, execution.cause) == ("Card.Declined", "plain text")


@pytest.mark.parametrize("result", [{1, 2}, object(), float("nan"), b"bytes", {"deep": [{3}]}])
def test_a_result_that_json_cannot_hold_is_a_marshal_error(result: Any) -> None:
    execution = doorstep.run(machine(), handlers={"charge": lambda event: result})
    assert execution.error == "Runtime.MarshalError"
    report = json.loads(execution.cause or "")
    assert report["errorType"] == "Runtime.MarshalError"
    assert report["errorMessage"].startswith("Unable to marshal response: ")
    assert report["stackTrace"] == []


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (Decimal(3), "3"),
        (Decimal("-0.25"), "-0.25"),
        ({"total": [Decimal("3.5"), (Decimal(1),)]}, '{"total":[3.5,[1]]}'),
        (b'"x"', '"x"'),
        (b' {"a": [1.0, null]} ', '{"a":[1.0,null]}'),
        ({"a": "é".encode()}, '{"a":"é"}'),
    ],
)
@pytest.mark.parametrize("resource", ["function", "sqs:sendMessage"])
def test_decimals_and_bytes_are_written_as_lambdas_runtime_writes_them(
    result: Any, output: str, resource: str
) -> None:
    """Fact 245."""
    message = {"QueueUrl": "q", "MessageBody": "b"}
    sending = machine(f"arn:aws:states:::{resource}", Parameters=message)
    definition = machine() if resource == "function" else sending
    names = ("charge", "sqs:sendMessage")
    execution = doorstep.run(definition, handlers=dict.fromkeys(names, lambda event: result))
    assert execution.status == "SUCCEEDED", execution.cause
    assert execution.history[-1]["executionSucceededEventDetails"]["output"] == output


@pytest.mark.parametrize(
    "result", [Decimal("NaN"), Decimal("Infinity"), b"\xff", b"{", {"a": b"\xff"}, bytearray(b"1")]
)
def test_decimals_and_bytes_that_are_no_json_are_marshal_errors(result: Any) -> None:
    execution = doorstep.run(machine(), handlers={"charge": lambda event: result})
    assert execution.error == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ('{"a": 1}', {"a": 1}),
        ("0.0", 0.0),
        ("true", True),
        ("[]", []),
        ('"x"', "x"),
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ("null", {}),
        ("", {}),
        (None, {}),
        ({"a": '{"b": 1}'}, {"a": '{"b": 1}'}),
        (5, 5),
    ],
)
@pytest.mark.parametrize("how", ["written", "computed", "JSONata", "callback"])
def test_a_payload_given_as_text_is_the_json_that_it_stands_for(
    payload: Any, event: Any, how: str
) -> None:
    """Fact 244."""
    if how == "written" and payload == 5:
        pytest.skip("a number is refused when it is written down (fact 143)")
    seen: list[Any] = []
    resource = INVOKE + (".waitForTaskToken" if how == "callback" else "")
    parameters = {"FunctionName": "charge", "Payload": payload}
    if how == "computed":
        parameters = {"FunctionName": "charge", "Payload.$": "$.payload"}
    definition = machine(resource, Parameters=parameters, TimeoutSeconds=1)
    if how == "JSONata":
        arguments = {"FunctionName": "charge", "Payload": "{% $states.input.payload %}"}
        definition = machine(resource, Arguments=arguments, QueryLanguage="JSONata")
    if how == "callback" and payload == 5:
        definition["States"]["Charge"]["Parameters"] = {
            "FunctionName": "charge",
            "Payload.$": "$.payload",
        }
    doorstep.run(definition, {"payload": payload}, {"charge": seen.append})
    assert [(type(one), one) for one in seen] == [(type(event), event)]


@pytest.mark.parametrize("payload", ["plain", '{"a": 1', "01", "1e400", "1 2"])
def test_a_payload_that_is_no_json_is_refused_by_lambda(payload: str) -> None:
    """Fact 244, inferred: the function is not called, and the error can be caught."""
    seen: list[Any] = []
    definition = machine(INVOKE, Parameters={"FunctionName": "charge", "Payload": payload})
    execution = doorstep.run(definition, handlers={"charge": seen.append})
    assert execution.error == "Lambda.InvalidRequestContentException"
    assert (execution.cause or "").startswith("Could not parse request body into json: ")
    assert seen == []


def test_a_result_that_holds_itself_is_a_marshal_error() -> None:
    result: list[Any] = []
    result.append(result)
    execution = doorstep.run(machine(), handlers={"charge": lambda event: result})
    assert execution.error == "Runtime.MarshalError"


def test_what_a_handler_changes_later_does_not_change_the_history() -> None:
    kept: list[Any] = [1]
    definition = machine()
    definition["States"]["Charge"] |= {"Next": "Again"}
    del definition["States"]["Charge"]["End"]
    definition["States"]["Again"] = {"Type": "Task", "Resource": FUNCTION + "spoil", "End": True}

    def spoil(event: Any) -> Any:
        kept.append(2)
        return event

    execution = doorstep.run(definition, handlers={"charge": lambda e: kept, "spoil": spoil})
    assert execution.output == [1]


def test_a_direct_call_gives_the_bare_payload() -> None:
    assert doorstep.run(machine(), {"n": 1}, {"charge": lambda e: [e]}).output == [{"n": 1}]


def test_invoke_wraps_the_payload() -> None:
    output = doorstep.run(invoking(), {"n": 1}, {"charge": lambda e: [e]}).output
    assert output["Payload"] == [{"n": 1}]
    assert (output["StatusCode"], output["ExecutedVersion"]) == (200, "$LATEST")
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert UUID.fullmatch(output["SdkResponseMetadata"]["RequestId"])
    assert set(output) == {
        "ExecutedVersion",
        "Payload",
        "SdkHttpMetadata",
        "SdkResponseMetadata",
        "StatusCode",
    }


def test_invoke_without_a_payload_gives_an_empty_event() -> None:
    definition = machine(INVOKE, Parameters={"FunctionName": "charge"})
    assert doorstep.run(definition, {"n": 1}, {"charge": lambda e: e}).output["Payload"] == {}


def test_a_plain_result_of_a_callback_task_answers_the_request_only() -> None:
    execution = doorstep.run(
        calling_back(TimeoutSeconds=60), handlers={"sqs:sendMessage": lambda e: {"MessageId": "1"}}
    )
    assert json.loads(details(execution, "TaskSubmitted")["output"]) == {"MessageId": "1"}
    assert execution.error == "States.Timeout"


def test_the_callback_of_a_task_is_its_result() -> None:
    def submit(event: Any) -> Any:
        return doorstep.answer({"approved": True}, after="5h", response={"MessageId": "1"})

    execution = doorstep.run(calling_back(), handlers={"sqs:sendMessage": submit})
    assert json.loads(details(execution, "TaskSubmitted")["output"]) == {"MessageId": "1"}
    assert execution.output == {"approved": True}


def test_a_callback_of_invoke_passes_the_payload_only() -> None:
    parameters = {"FunctionName": "charge", "Payload": {"token.$": "$$.Task.Token"}}
    definition = machine(f"{INVOKE}.waitForTaskToken", Parameters=parameters)
    handlers = {"charge": lambda e: doorstep.answer("done", response="asked")}
    execution = doorstep.run(definition, handlers=handlers)
    assert execution.output == "done"
    assert json.loads(details(execution, "TaskSubmitted")["output"])["Payload"] == "asked"


def test_a_request_that_is_refused_was_never_submitted() -> None:
    execution = doorstep.run(calling_back(), handlers={"sqs:sendMessage": decline})
    assert [event["type"] for event in execution.history][2:] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskFailed",
        "ExecutionFailed",
    ]


def test_the_context_says_where_the_call_comes_from() -> None:
    seen: list[Context] = []

    def charge(event: Any, context: Context) -> None:
        seen.append(context)

    execution = doorstep.run(
        machine(TimeoutSeconds=30), handlers={"charge": charge}, name="order-7"
    )
    (context,) = seen
    assert context.function_name == "charge"
    assert context.invoked_function_arn == FUNCTION + "charge"
    assert context.state_name == "Charge"
    assert context.execution_arn == execution.arn
    assert context.execution_arn.endswith(":execution:StateMachine:order-7")
    assert (context.attempt, context.task_token) == (0, "")
    assert context.get_remaining_time_in_millis() == 30_000
    assert UUID.fullmatch(context.aws_request_id)


def test_without_a_timeout_a_function_has_lambdas_fifteen_minutes() -> None:
    left = doorstep.run(
        machine(), handlers={"charge": lambda e, context: context.get_remaining_time_in_millis()}
    )
    assert left.output == 900_000


def test_no_time_is_left_when_more_than_all_has_passed() -> None:
    """As in AWS's Python runtime: `remaining if remaining > 0 else 0`."""
    seen: list[Context] = []
    doorstep.run(machine(), handlers={"charge": lambda event, context: seen.append(context)})
    late = replace(seen[0], _remaining=lambda: -0.5)
    assert late.get_remaining_time_in_millis() == 0


def test_a_callback_task_sees_its_token_in_the_context_as_in_its_parameters() -> None:
    def submit(event: Any, context: Context) -> Any:
        return doorstep.answer([event["MessageBody"]["token"], context.task_token])

    first, second = doorstep.run(calling_back(), handlers={"*": submit}).output
    assert first == second != ""


def test_the_idempotency_key_is_the_same_in_every_attempt_and_another_in_the_next_visit() -> None:
    seen: list[tuple[str, int]] = []

    def charge(event: Any, context: Context) -> Any:
        seen.append((context.idempotency_key, context.attempt))
        if len(seen) % 3:
            raise CardDeclined
        return len(seen)

    definition = machine(Retry=[{"ErrorEquals": ["States.ALL"]}])
    charge_state = definition["States"]["Charge"]
    del charge_state["End"]
    charge_state["Next"] = "Enough"
    definition["States"]["Enough"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericGreaterThan": 5, "Next": "Done"}],
        "Default": "Charge",
    }
    definition["States"]["Done"] = {"Type": "Succeed"}
    assert doorstep.run(definition, handlers={"charge": charge}).output == 6
    first, second = {key for key, _ in seen[:3]}, {key for key, _ in seen[3:]}
    assert len(first) == len(second) == 1
    assert first != second
    assert [attempt for _, attempt in seen] == [0, 1, 2, 0, 1, 2]


def test_the_idempotency_key_is_the_same_after_a_redrive() -> None:
    seen: list[str] = []

    def charge(event: Any, context: Context) -> None:
        seen.append(context.idempotency_key)
        if len(seen) == 1:
            raise CardDeclined

    execution = doorstep.start(machine(), handlers={"charge": charge})
    execution.wait()
    execution.redrive()
    execution.wait()
    assert execution.status == "SUCCEEDED"
    assert len(seen) == 2
    assert len(set(seen)) == 1


def test_a_handler_may_be_an_object_without_a_hash() -> None:
    @dataclass
    class Charge:
        fee: int

        def __call__(self, event: Any) -> int:
            return self.fee

    assert doorstep.run(machine(), handlers={"charge": Charge(3)}).output == 3


def test_a_handler_may_take_one_argument_or_two() -> None:
    class Charge:
        def one(self, event: Any) -> str:
            return "one"

        def __call__(self, event: Any, context: Any) -> str:
            return context.state_name

    assert doorstep.run(machine(), handlers={"charge": Charge().one}).output == "one"
    assert doorstep.run(machine(), handlers={"charge": Charge()}).output == "Charge"


# What user code may do ---------------------------------------------------------------------------


def raising(problem: BaseException) -> Any:
    def charge(event: Any) -> None:
        raise problem

    return charge


class Silent(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise SystemExit("no text")


class Hostile(list[int]):
    """A result that leaves when it is written as JSON."""

    def __iter__(self) -> Any:
        raise SystemExit(3)


def nested(levels: int) -> Any:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (SystemExit(1), "1"),
        (GeneratorExit(), ""),
        (MemoryError(), ""),
        (RecursionError("deep"), "deep"),
        (Silent(), "<exception str() failed>"),
        (ValueError("\ud800"), "\ud800"),
    ],
)
@pytest.mark.parametrize("fields", [{}, {"TimeoutSeconds": 60}], ids=["here", "thread"])
def test_whatever_a_handler_raises_is_the_failure_of_its_task(
    problem: BaseException, message: str, fields: dict[str, Any]
) -> None:
    execution = doorstep.run(machine(**fields), handlers={"charge": raising(problem)})
    assert execution.error == type(problem).__name__
    assert json.loads(execution.cause or "")["errorMessage"] == message


def test_a_keyboard_interrupt_outside_of_the_main_thread_is_the_handlers_own() -> None:
    handlers = {"charge": raising(KeyboardInterrupt())}
    assert doorstep.run(machine(TimeoutSeconds=60), handlers=handlers).error == "KeyboardInterrupt"
    with pytest.raises(KeyboardInterrupt):
        doorstep.run(machine(), handlers=handlers)


def test_a_long_message_is_cut_as_aws_cuts_causes() -> None:
    problem = ValueError("x" * 1_000_000)
    execution = doorstep.run(machine(), handlers={"charge": raising(problem)})
    assert len(execution.cause or "") == 32_768


@pytest.mark.parametrize(
    "result",
    [
        float("nan"),
        10**5_000,
        {1, 2},
        {(1, 2): 3},
        {b"key": 1},
        nested(300),
        nested(100_000),
    ],
    ids=["NaN", "digits", "set", "tuple", "bytes", "deep", "deeper"],
)
def test_a_result_that_json_can_not_say_is_the_failure_of_its_task(result: Any) -> None:
    execution = doorstep.run(machine(), handlers={"charge": lambda _: result})
    assert execution.error == "Runtime.MarshalError"


def test_a_result_that_holds_itself_is_the_failure_of_its_task() -> None:
    result: list[Any] = []
    result.append(result)
    execution = doorstep.run(machine(), handlers={"charge": lambda _: result})
    assert execution.error == "Runtime.MarshalError"


def test_a_result_whose_methods_raise_is_the_failure_of_its_task() -> None:
    for fields in ({}, {"TimeoutSeconds": 60}):
        execution = doorstep.run(machine(**fields), handlers={"charge": lambda _: Hostile([1])})
        assert execution.error == "SystemExit"


@pytest.mark.parametrize("value", [{"a\0b": 1}, "\ud800", {"\ud800": 10**400}])
def test_what_json_can_say_goes_through(value: Any) -> None:
    execution = doorstep.run(machine(), handlers={"charge": lambda _: value})
    assert execution.output == value


@pytest.mark.parametrize(
    "failure", [{"error": "E", "cause": {"a": 1}}, {"error": 5}, {"error": b"E"}]
)
def test_a_failure_with_anything_but_texts_is_refused_where_it_is_made(
    failure: dict[str, Any],
) -> None:
    with pytest.raises(TypeError, match=r"is a text or None, not a .*; write json\.dumps"):
        doorstep.fail(**failure)
    execution = doorstep.run(machine(), handlers={"charge": lambda _: doorstep.fail(**failure)})
    assert execution.error == "TypeError"


def test_a_callbacks_failure_with_anything_but_texts_is_refused() -> None:
    def send(event: Any, context: Context) -> None:
        context.send_task_failure(context.task_token, "E", {"a": 1})  # type: ignore[arg-type]

    assert doorstep.run(calling_back(), handlers={"sqs:sendMessage": send}).error == "TypeError"


def test_a_time_limit_of_no_seconds_passes_before_an_answer_that_takes_none() -> None:
    """Fact 144: an expression may return 0; no function answers in no time on AWS."""
    limited = machine(QueryLanguage="JSONata", TimeoutSeconds="{% 0 %}")
    assert doorstep.run(limited, handlers={"charge": dict}).error == "States.Timeout"


def test_what_does_not_load_while_a_handler_runs_ends_the_execution() -> None:
    """As a service that the installed botocore does not know: the workflow can do nothing."""

    def bridge(_: Any) -> None:
        raise doorstep.HandlerLoadError("botocore has no service for it")

    anything = {"ErrorEquals": ["States.ALL"]}
    caught = machine(Retry=[anything], Catch=[{**anything, "Next": "Charge"}])
    execution = doorstep.run(caught, handlers={"charge": bridge})
    assert (execution.error, execution.cause) == (
        "Doorstep.HandlerNotLoaded",
        "botocore has no service for it",
    )


@pytest.mark.parametrize(
    "body",
    ["raise SystemExit(1)", "raise KeyboardInterrupt", "raise GeneratorExit", "class E(Exce"],
)
def test_a_module_that_does_not_load_is_the_failure_of_its_task(tmp_path: Path, body: str) -> None:
    (tmp_path / "charge.py").write_text(body)
    execution = doorstep.run(machine(TimeoutSeconds=60), handlers=tmp_path)
    assert execution.error == "Doorstep.HandlerNotLoaded"
    assert "charge.py, line 1" in (execution.cause or "")


def test_an_exception_in_a_thread_is_handed_to_whoever_waits_for_the_call() -> None:
    answers: list[Any] = []
    in_thread(lambda: raising(SystemExit(1))({}), answers.append).join(10)
    assert [type(answer) for answer in answers] == [SystemExit]


def test_a_callback_may_send_a_decimal() -> None:
    def charge(event: Any, context: Any) -> None:
        context.send_task_success(event["MessageBody"]["token"], {"n": [Decimal("2.5")]})

    execution = doorstep.run(calling_back(), handlers={"sqs:sendMessage": charge})
    assert execution.output == {"n": [2.5]}


def test_the_stack_trace_names_the_file_of_its_handler_where_another_has_the_same_code(
    tmp_path: Path,
) -> None:
    code = "def charge(event):\n    raise ValueError('no')\n"
    for name in ("first", "second"):
        file = tmp_path / name / "handlers.py"
        file.parent.mkdir()
        file.write_text(code)
        execution = doorstep.run(machine(), handlers=str(file))
        (frame,) = json.loads(execution.cause or "")["stackTrace"]
        assert frame == f"  File \"{file}\", line 2, in charge\n    raise ValueError('no')\n"


@pytest.mark.parametrize(
    "result", [math.nan, math.inf, -math.inf, 10**5000], ids=["nan", "inf", "-inf", "long"]
)
def test_what_json_has_no_text_for_cannot_be_returned_in_an_object(result: object) -> None:
    # Lambda's runtime reports what it can't write: Runtime.MarshalError.
    execution = doorstep.run(machine(), handlers={"charge": lambda event: {"n": result}})
    assert execution.error == "Runtime.MarshalError"


@pytest.mark.parametrize(
    ("result", "output"),
    [
        (
            {"a": 1, "b": "x", "c": None, "d": True, "e": 1.5},
            {"a": 1, "b": "x", "c": None, "d": True, "e": 1.5},
        ),
        ({1: "a", None: "b", 2.5: "c"}, {"1": "a", "null": "b", "2.5": "c"}),
        ({"t": (1, 2)}, {"t": [1, 2]}),
        ({"n": 2**70}, {"n": 2**70}),
    ],
)
def test_what_a_handler_returns_is_what_its_json_says(result: object, output: object) -> None:
    execution = doorstep.run(machine(), handlers={"charge": lambda event: result})
    assert execution.output == output


def test_what_a_handler_changes_later_in_its_result_is_not_seen() -> None:
    kept = {"n": 0}

    def charge(event: object) -> dict[str, int]:
        kept["n"] += 1
        return kept

    definition = machine(Next="Again", ResultPath="$.first")
    del definition["States"]["Charge"]["End"]
    definition["States"]["Again"] = machine(ResultPath="$.second")["States"]["Charge"]
    execution = doorstep.run(definition, {}, handlers={"charge": charge})
    assert execution.output == {"first": {"n": 1}, "second": {"n": 2}}
