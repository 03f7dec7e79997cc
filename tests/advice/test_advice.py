"""Each check with a definition that has the fault, and its twin that has not.

What AWS advises: https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html; the
other sources are those that each check names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from doorstep import DefinitionError
from doorstep.advice import CHECKS, LAMBDA_RETRY, advise

States = dict[str, dict[str, Any]]
LAMBDA = "arn:aws:states:::lambda:invoke"
SERVICE = "arn:aws:states:::"
END = {"End": True}


def machine(states: States, **more: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states, **more}


def task(resource: str, **fields: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "lambda:invoke": {"FunctionName": "f"},
        "sqs:sendMessage": {"QueueUrl": "q", "MessageBody": "b"},
        "glue:startJobRun": {"JobName": "j"},
        "aws-sdk:rekognition:detectLabels": {"Image": {}},
    }.get(resource.partition(".")[0], {})
    return {"Type": "Task", "Resource": SERVICE + resource, "Parameters": parameters, **fields}


def wait(seconds: int, target: str) -> dict[str, Any]:
    return {"Type": "Wait", "Seconds": seconds, "Next": target}


def codes(
    definition: dict[str, Any], kind: Literal["STANDARD", "EXPRESS"] | None = None
) -> set[str]:
    return {one.code for one in advise(definition, type=kind)}


RETRY = {"ErrorEquals": ["States.ALL"]}
POLL: States = {
    "Start": task("glue:startJobRun", Next="Pause", Retry=[{**RETRY, "MaxAttempts": 0}]),
    "Pause": wait(600, "Ask"),
    "Ask": {
        "Type": "Task",
        "Resource": f"{SERVICE}aws-sdk:glue:getJobRun",
        "Parameters": {"JobName": "j", "RunId.$": "$.id"},
        "Next": "Done?",
    },
    "Done?": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.state", "StringEquals": "SUCCEEDED", "Next": "Done"}],
        "Default": "Pause",
    },
    "Done": {"Type": "Succeed"},
}
UPDATE = {"TableName": "t", "Key": {"id": {"S": "1"}}, "UpdateExpression": "SET n = n + :one"}
COUNT = {"States.MathAdd": "States.MathAdd($.n, 1)"}
SEE = {
    "Type": "Task",
    "Resource": f"{SERVICE}aws-sdk:rekognition:detectLabels",
    "Parameters": {"Image": {"S3Object": {"Bucket": "b", "Name": "n"}}},
    "End": True,
}
MAP_BODY = {"StartAt": "See", "States": {"See": SEE}}
CHAIN = {
    f"P{number}": {"Type": "Pass", "Parameters": {"a.$": "$.a"}, "Next": f"P{number + 1}"}
    for number in range(1, 3)
}
LOOP: States = {
    "Work": {"Type": "Pass", "Next": "More?"},
    "More?": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.more", "BooleanEquals": True, "Next": "Work"}],
        "Default": "Done",
    },
    "Done": {"Type": "Succeed"},
}


def looping(**fields: Any) -> dict[str, Any]:
    return machine({**LOOP, "Work": {**LOOP["Work"], **fields}})


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "RETRY_LAMBDA": (
        machine({"A": task("lambda:invoke", End=True, Retry=[{"ErrorEquals": ["Mine"]}])}),
        machine({"A": task("lambda:invoke", End=True, Retry=[LAMBDA_RETRY])}),
    ),
    "REPEATED_EFFECT": (
        machine(
            {"A": {**task("dynamodb:updateItem"), "Parameters": UPDATE, "Retry": [RETRY]} | END}
        ),
        machine(
            {
                "A": {
                    **task("dynamodb:updateItem"),
                    "Parameters": {**UPDATE, "ConditionExpression": "attribute_not_exists(done)"},
                    "Retry": [RETRY],
                }
                | END
            }
        ),
    ),
    "UNLIMITED_WAIT": (
        machine({"A": task("sqs:sendMessage.waitForTaskToken", End=True)}),
        machine({"A": task("sqs:sendMessage.waitForTaskToken", End=True, HeartbeatSeconds=60)}),
    ),
    "NOTHING_CATCHES": (
        machine({"A": task("sqs:sendMessage", Next="B"), "B": task("lambda:invoke", End=True)}),
        machine(
            {
                "A": task("sqs:sendMessage", Next="B"),
                "B": task(
                    "lambda:invoke", End=True, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}]
                ),
                "C": {"Type": "Fail"},
            }
        ),
    ),
    "UNLIMITED_MAP": (
        machine({"M": {"Type": "Map", "ItemProcessor": MAP_BODY, **END}}),
        machine({"M": {"Type": "Map", "ItemProcessor": MAP_BODY, "MaxConcurrency": 5, **END}}),
    ),
    "HAND_MADE_RETRY": (
        machine(
            {
                "A": task(
                    "lambda:invoke",
                    End=True,
                    Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Pause"}],
                ),
                "Pause": wait(9, "A"),
            }
        ),
        machine(
            {
                "A": task(
                    "lambda:invoke",
                    End=True,
                    Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Report"}],
                ),
                "Report": task("sqs:sendMessage", End=True),
            }
        ),
    ),
    "HAND_MADE_POLL": (
        machine(POLL),
        machine({"Start": task("glue:startJobRun.sync", End=True)}),
    ),
    "ENDLESS_LOOP": (
        machine({**POLL, "Pause": wait(2, "Ask")}),
        machine(POLL),
    ),
    "GROWING_PAYLOAD": (
        looping(Parameters={"all.$": "States.Array($.all, $.new)"}),
        looping(Parameters={"all.$": "States.Array($.new)"}),
    ),
    "JSONPATH_CHAIN": (
        machine({**CHAIN, "P3": {"Type": "Pass", "Parameters": {"b.$": "$.a"}, **END}}),
        machine({**CHAIN, "P3": {"Type": "Pass", **END}}),
    ),
    "UNUSED_VARIABLE": (
        machine({"A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"}, "B": {"Type": "Succeed"}}),
        machine(
            {
                "A": {"Type": "Pass", "Assign": {"x": 1}, "Next": "B"},
                "B": {"Type": "Pass", "Parameters": {"x.$": "$x"}, **END},
            }
        ),
    ),
    "UNUSED_STATE": (
        machine(
            {
                "A": {"Type": "Succeed"},
                "X": {"Type": "Pass", "Next": "Y"},
                "Y": {"Type": "Pass", "Next": "X"},
            }
        ),
        machine({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}),
    ),
}


@pytest.mark.parametrize("code", CASES)
def test_a_fault_is_found_and_its_twin_is_left_alone(code: str) -> None:
    fault, twin = CASES[code]
    assert code in codes(fault)
    assert code not in codes(twin)


def test_loops_that_an_exploration_found_to_end_are_left_alone() -> None:
    loop = CASES["ENDLESS_LOOP"][0]
    assert "ENDLESS_LOOP" in {one.code for one in advise(loop, endless=["/States/Ask"])}
    assert "ENDLESS_LOOP" not in {one.code for one in advise(loop, endless=["/States/Start"])}
    assert "ENDLESS_LOOP" not in {one.code for one in advise(loop, endless=[])}


def test_a_row_of_placeholders_is_no_chain() -> None:
    """Pass states with constants alone, which stand for work to come."""
    states: States = {
        name: {"Type": "Pass", "Parameters": {"result": f"of {name}"}, "Next": following}
        for name, following in (("A", "B"), ("B", "C"), ("C", "D"))
    }
    assert codes(machine({**states, "D": {"Type": "Succeed"}})) == set()


def test_every_check_has_a_case() -> None:
    assert {*CASES, "LONG_EXPRESS", "STANDARD_FOR_SHORT"} == {*CHECKS}


def test_express_ends_after_five_minutes_and_its_waits_are_shorter() -> None:
    def waits(seconds: int) -> dict[str, Any]:
        return machine({"A": wait(seconds, "B"), "B": {"Type": "Succeed"}})

    assert "LONG_EXPRESS" in codes(waits(301), "EXPRESS")
    assert (
        codes(waits(300), "EXPRESS") == codes(waits(301), "STANDARD") == codes(waits(301)) == set()
    )


def test_express_runs_an_effect_twice_without_any_retry() -> None:
    start = task("states:startExecution", End=True)
    start["Parameters"] = {"StateMachineArn": "arn:aws:states:us-east-1:1:stateMachine:m"}
    assert "REPEATED_EFFECT" in codes(machine({"A": start}), "EXPRESS")
    assert "REPEATED_EFFECT" not in codes(machine({"A": start}), "STANDARD")
    named = {**start, "Parameters": {**start["Parameters"], "Name.$": "$$.Execution.Name"}}
    assert "REPEATED_EFFECT" not in codes(machine({"A": named}), "EXPRESS")


def test_a_workflow_that_only_reads_may_be_express() -> None:
    read = task("dynamodb:getItem", End=True)
    read["Parameters"] = {"TableName": "t", "Key": {"id": {"S": "1"}}}
    assert "STANDARD_FOR_SHORT" in codes(machine({"A": read}), "STANDARD")
    assert "STANDARD_FOR_SHORT" not in codes(machine({"A": read}))
    write = machine({"A": task("sqs:sendMessage", End=True)})
    assert "STANDARD_FOR_SHORT" not in codes(write, "STANDARD")


@pytest.mark.parametrize(
    "arguments", [{"QueueUrl": "https://q/x.fifo", "MessageBody": "b"}, {"QueueUrl": "https://q/x"}]
)
def test_a_queue_that_knows_messages_again_is_asked_to(arguments: dict[str, str]) -> None:
    state = {**task("sqs:sendMessage", End=True, Retry=[RETRY]), "Parameters": arguments}
    found = "REPEATED_EFFECT" in codes(
        machine({"A": {**state, "Parameters": {"MessageBody": "b", **arguments}}})
    )
    assert found == arguments["QueueUrl"].endswith(".fifo")


PAY = {
    "ApiEndpoint": "https://pay.example.com/charges",
    "Method": "POST",
    "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/c/1"},
}
WRITE = {"TransactItems": [{"Delete": {"TableName": "t", "Key": {"id": {"S": "1"}}}}]}


@pytest.mark.parametrize(
    ("action", "arguments", "key"),
    [
        ("http:invoke", PAY, {"Headers": {"Idempotency-Key.$": "$$.Execution.Name"}}),
        ("http:invoke", {**PAY, "Method": "PATCH"}, {"RequestBody": {"client_token": "1"}}),
        ("http:invoke", PAY, {"Headers.$": "$.headers"}),
        ("http:invoke", PAY, {"Method": "PUT"}),
        ("aws-sdk:dynamodb:transactWriteItems", WRITE, {"ClientRequestToken.$": "$.id"}),
        (
            "aws-sdk:bedrockagentruntime:startFlowExecution",
            {"FlowIdentifier": "f", "FlowAliasIdentifier": "a", "Inputs": []},
            None,
        ),
    ],
)
def test_a_call_that_is_repeated_needs_the_key_that_its_service_has(
    action: str, arguments: dict[str, Any], key: dict[str, Any] | None
) -> None:
    # RFC 9110, 9.2.2: POST is not idempotent. DynamoDB API, TransactWriteItems: calls with the same
    # ClientRequestToken within ten minutes have the effect of one; StartFlowExecution has no token.
    state = {**task(action, End=True, Retry=[RETRY]), "Parameters": arguments}
    assert ("REPEATED_EFFECT" in codes(machine({"A": state}))) is (key is not None)
    keyed = {**state, "Parameters": {**arguments, **(key or {})}}
    assert "REPEATED_EFFECT" not in codes(machine({"A": keyed}))


@pytest.mark.parametrize(
    ("action", "arguments", "has_effect"),
    [
        ("aws-sdk:rekognition:detectLabels", SEE["Parameters"], False),
        ("aws-sdk:translate:translateText", {}, False),
        ("http:invoke", {**PAY, "Method": "GET"}, False),
        ("http:invoke", PAY, True),
        ("aws-sdk:s3:putObject", {"Bucket": "b", "Key": "k"}, True),
    ],
)
def test_what_only_asks_leaves_nothing_to_undo(
    action: str, arguments: dict[str, Any], has_effect: bool
) -> None:
    # RFC 9110, 9.2.1: GET is safe. DetectLabels and TranslateText return their results and keep
    # nothing (the operations' pages).
    if action.endswith("translateText"):
        arguments = {"Text": "a", "SourceLanguageCode": "de", "TargetLanguageCode": "en"}
    first = {**task(action, Next="B"), "Parameters": arguments}
    definition = machine({"A": first, "B": task("lambda:invoke", End=True)})
    assert ("NOTHING_CATCHES" in codes(definition)) is has_effect


def test_a_question_may_be_asked_twice_whatever_token_it_may_have() -> None:
    # Secrets Manager API: PutSecretValue has a ClientRequestToken, GetSecretValue has none.
    state = task("aws-sdk:secretsmanager:getSecretValue", End=True, Retry=[RETRY])
    state["Parameters"] = {"SecretId": "s"}
    assert "REPEATED_EFFECT" not in codes(machine({"A": state}))


def test_states_inside_of_others_are_looked_at_and_named_by_their_pointer() -> None:
    inner = machine({"In": task("lambda:invoke", End=True)})
    outer = machine({"P": {"Type": "Parallel", "Branches": [inner], **END}})
    (found,) = advise(outer)
    assert (found.code, found.location) == ("RETRY_LAMBDA", "/States/P/Branches/0/States/In")
    assert found.hint
    assert "https://" in found.hint


def test_a_comment_silences_a_check_for_its_state_or_for_the_machine() -> None:
    fault, _ = CASES["RETRY_LAMBDA"]
    state = {**fault["States"]["A"], "Comment": "once is enough. doorstep: ignore RETRY_LAMBDA"}
    assert advise(machine({"A": state})) == []
    assert advise({**fault, "Comment": "doorstep: ignore X, RETRY_LAMBDA"}) == []
    assert advise({**fault, "Comment": "doorstep: ignore UNUSED_STATE"}) != []
    assert advise(fault, ignore=["RETRY_LAMBDA"]) == []


def test_what_aws_refuses_gets_no_advice() -> None:
    with pytest.raises(DefinitionError):
        advise({"StartAt": "A", "States": {}})


def test_the_page_has_every_check() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lint.md").read_text("utf-8")
    assert [code for code in CHECKS if f"`{code}`" not in page] == []


RETRIED = {"End": True, "Retry": [RETRY]}
CATCH_NOTHING = machine({"C": task("lambda:invoke", End=True)})
BRANCHES = {"Type": "Parallel", "Branches": [CATCH_NOTHING], "Next": "D"}


def counter(update: str) -> dict[str, Any]:
    arguments = {"TableName": "t", "Key": {}, "UpdateExpression": update}
    return machine({"A": {**task("dynamodb:updateItem", **RETRIED), "Parameters": arguments}})


def sent(action: str, **arguments: str) -> dict[str, Any]:
    return machine({"A": {**task(action, **RETRIED), "Parameters": arguments}})


def collected(expression: str) -> dict[str, Any]:
    states: States = {
        "I": {"Type": "Pass", "Assign": {"all": []}, "Next": "G"},
        "G": {"Type": "Pass", "Assign": {"all": f"{{% {expression} %}}"}, "Next": "More?"},
        "More?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $length($string($all)) > 9 %}", "Next": "E"}],
            "Default": "G",
        },
        "E": {"Type": "Succeed"},
    }
    return machine(states, QueryLanguage="JSONata")


CAUGHT = task("lambda:invoke", Next="Done", Catch=[{**RETRY, "Next": "Again?"}])
TRIED: States = {"A": CAUGHT, "Pause": wait(9, "A"), "Done": {"Type": "Succeed"}}
REPORT = {"Report": task("sqs:sendMessage", Next="Pause")}
AGAIN = {
    "Type": "Choice",
    "Choices": [{"Variable": "$.tries", "NumericGreaterThan": 3, "Next": "Done"}],
}
FAILS = machine({"F": {"Type": "Fail"}})


def paused(seconds: str) -> dict[str, Any]:
    pause = {**wait(0, "Ask"), "QueryLanguage": "JSONata", "Seconds": seconds}
    return machine({**POLL, "Pause": pause})


def turning(**fields: Any) -> dict[str, Any]:
    branches = [machine({"B": {"Type": "Succeed"}})]
    inner = {"Type": "Parallel", "Branches": branches, **fields}
    rules = [{"Variable": "$.n", "IsNull": True, "Next": "In"}]
    return machine(
        {
            "Which": {"Type": "Choice", "Choices": rules, "Default": "Out"},
            "In": {"Type": "Pass", "Next": "Around"},
            "Around": inner,
            "Out": {"Type": "Succeed"},
        }
    )


def moved(**fields: Any) -> dict[str, Any]:
    return machine({**CHAIN, "P3": {"Type": "Pass", **fields, **END}})


@pytest.mark.parametrize(
    ("code", "fault", "twin"),
    [
        ("REPEATED_EFFECT", counter("SET n = n-:one"), counter("SET n = :one")),
        ("REPEATED_EFFECT", counter("Add n :one"), counter("SET address = :one")),
        (
            "REPEATED_EFFECT",
            sent("aws-sdk:sqs:sendMessage", QueueUrl="q.fifo", MessageBody="b"),
            sent("aws-sdk:sqs:sendMessage", QueueUrl="q", MessageBody="b"),
        ),
        (
            "REPEATED_EFFECT",
            sent("aws-sdk:sns:publish", TopicArn="t.fifo", Message="m"),
            sent("aws-sdk:sns:publish", TopicArn="t", Message="m"),
        ),
        (
            "NOTHING_CATCHES",
            machine({"B": BRANCHES, "D": task("lambda:invoke", End=True)}),
            machine({"B": BRANCHES, "D": {"Type": "Succeed"}}),
        ),
        (
            "NOTHING_CATCHES",
            machine(
                {
                    "A": task("lambda:invoke", Next="M"),
                    "M": {"Type": "Map", "ItemProcessor": CATCH_NOTHING, "End": True},
                }
            ),
            machine({"M": {"Type": "Map", "ItemProcessor": CATCH_NOTHING, "End": True}}),
        ),
        ("GROWING_PAYLOAD", collected("[$all, 1]"), collected("[1, 2]")),
        ("GROWING_PAYLOAD", collected("$all & 'x'"), collected("$states.input.x & 'x'")),
        (
            "HAND_MADE_RETRY",
            machine({**TRIED, "Again?": {**AGAIN, "Default": "Pause"}}),
            machine({**TRIED, "Again?": {**AGAIN, "Default": "Report"}, **REPORT}),
        ),
        ("ENDLESS_LOOP", paused("{% 2 %}"), paused("{% 600 %}")),
        ("ENDLESS_LOOP", paused("{% 2 %}"), paused("{% $states.input.pause %}")),
        ("ENDLESS_LOOP", turning(Next="In"), turning(End=True)),
        ("ENDLESS_LOOP", turning(Next="In"), turning(Next="In", Branches=[FAILS])),
        ("JSONPATH_CHAIN", moved(InputPath="$.a"), moved(InputPath="$")),
        ("JSONPATH_CHAIN", moved(OutputPath="$.a"), moved(InputPath=None)),
    ],
)
def test_a_fault_is_found_however_it_is_written(
    code: str, fault: dict[str, Any], twin: dict[str, Any]
) -> None:
    assert code in codes(fault)
    assert code not in codes(twin)
