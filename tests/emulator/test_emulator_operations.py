"""Every operation of the service's model, answered and refused, through boto3 and the AWS CLI.

Texts: docs/facts/requests.md; where no recording has the words only the code counts.
Every answer is checked against botocore's model of the service as well (`check_answer`).
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
from botocore import xform_name  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402
from botocore.session import get_session  # noqa: E402

ACCOUNT = "arn:aws:states:us-east-1:123456789012:"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
NOWHERE = f"{ACCOUNT}stateMachine:nowhere"
NO_RUN = f"{ACCOUNT}execution:nowhere:none"
NO_MAP_RUN = f"{ACCOUNT}mapRun:nowhere/each:00000000-0000-4000-a000-000000000000"

PASS = {"Type": "Pass", "End": True}
FOREVER = {"Type": "Wait", "Seconds": 100_000, "End": True}
CONFIG = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def one(state: dict[str, Any], name: str = "Only") -> str:
    return json.dumps({"StartAt": name, "States": {name: state}})


def constraint(value: str, member: str, must: str) -> str:
    told = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy"
    return f"{told} constraint: Member must {must}"


ANSWERED: dict[str, dict[str, Any]] = {
    "CreateActivity": {"name": "new", "tags": [{"key": "team", "value": "orders"}]},
    "CreateStateMachine": {
        "name": "new",
        "definition": one(PASS),
        "roleArn": ROLE,
        "publish": True,
        "versionDescription": "the first",
    },
    "CreateStateMachineAlias": {
        "name": "canary",
        "routingConfiguration": [{"stateMachineVersionArn": "{aliased}", "weight": 100}],
    },
    "DeleteActivity": {"activityArn": "{doomed_activity}"},
    "DeleteStateMachine": {"stateMachineArn": "{doomed}"},
    "DeleteStateMachineAlias": {"stateMachineAliasArn": "{doomed_alias}"},
    "DeleteStateMachineVersion": {"stateMachineVersionArn": "{doomed_version}"},
    "DescribeActivity": {"activityArn": "{activity}"},
    "DescribeExecution": {"executionArn": "{ended}"},
    "DescribeMapRun": {"mapRunArn": "{map_run}"},
    "DescribeStateMachine": {"stateMachineArn": "{version}"},
    "DescribeStateMachineAlias": {"stateMachineAliasArn": "{alias}"},
    "DescribeStateMachineForExecution": {"executionArn": "{child}"},
    "GetActivityTask": {"activityArn": "{activity}", "workerName": "eve"},
    "GetExecutionHistory": {"executionArn": "{failed}", "reverseOrder": True, "maxResults": 2},
    "ListActivities": {"maxResults": 1},
    "ListExecutions": {"mapRunArn": "{map_run}", "statusFilter": "RUNNING"},
    "ListMapRuns": {"executionArn": "{batch}"},
    "ListStateMachineAliases": {"stateMachineArn": "{machine}"},
    "ListStateMachineVersions": {"stateMachineArn": "{machine}"},
    "ListStateMachines": {"maxResults": 2},
    "ListTagsForResource": {"resourceArn": "{machine}"},
    "PublishStateMachineVersion": {"stateMachineArn": "{machine}", "revisionId": "INITIAL"},
    "RedriveExecution": {"executionArn": "{failed}", "clientToken": "once"},
    "SendTaskFailure": {"taskToken": "{token_1}", "error": "Broken", "cause": "in two"},
    "SendTaskHeartbeat": {"taskToken": "{token_2}"},
    "SendTaskSuccess": {"taskToken": "{token_3}", "output": '{"packed": true}'},
    "StartExecution": {"stateMachineArn": "{alias}", "name": "new", "input": '{"a": 1}'},
    "StartSyncExecution": {"stateMachineArn": "{express}", "input": "[1]"},
    "StopExecution": {"executionArn": "{running}", "error": "Enough", "cause": "for today"},
    "TagResource": {"resourceArn": "{machine}", "tags": [{"key": "team", "value": "orders"}]},
    "TestState": {"definition": json.dumps(PASS), "input": "[1]", "inspectionLevel": "DEBUG"},
    "UntagResource": {"resourceArn": "{activity}", "tagKeys": ["team"]},
    "UpdateMapRun": {"mapRunArn": "{map_run}", "maxConcurrency": 2},
    "UpdateStateMachine": {"stateMachineArn": "{express}", "roleArn": f"{ROLE}-2"},
    "UpdateStateMachineAlias": {"stateMachineAliasArn": "{alias}", "description": "for all"},
    "ValidateStateMachineDefinition": {"definition": "{}", "severity": "WARNING"},
}

BAD_ARN = "Invalid Arn: 'Invalid ARN prefix: none'"
BAD_TOKEN = "Invalid Token: 'Invalid token'"
NO_EXECUTION = f"Execution Does Not Exist: '{NO_RUN}'"
TOO_MANY = constraint("1001", "maxResults", "have value less than or equal to 1000")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Pack"
REFUSED: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "CreateActivity": (
        {"name": "activity name"},
        "InvalidName",
        "Invalid Name: 'activity name'",
    ),
    "CreateStateMachine": (
        {"name": "bad", "definition": '{"StartAt": "A"}', "roleArn": ROLE},
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: "
            "These fields are required: [States] at /'"
        ),
    ),
    "CreateStateMachineAlias": (
        {
            "name": "123",
            "routingConfiguration": [{"stateMachineVersionArn": "{version}", "weight": 100}],
        },
        "ValidationException",
        constraint(
            "123",
            "name",
            r"satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$",
        ),
    ),
    "DeleteActivity": ({"activityArn": "none"}, "InvalidArn", BAD_ARN),
    "DeleteStateMachine": ({"stateMachineArn": "none"}, "InvalidArn", BAD_ARN),
    "DeleteStateMachineAlias": ({"stateMachineAliasArn": "none"}, "InvalidArn", BAD_ARN),
    "DeleteStateMachineVersion": (
        {"stateMachineVersionArn": "{version}"},
        "ConflictException",
        (
            "Version to be deleted must not be referenced by an alias. "
            "Current list of aliases referencing this version: [live]"
        ),
    ),
    "DescribeActivity": (
        {"activityArn": f"{ACCOUNT}activity:none"},
        "ActivityDoesNotExist",
        f"Activity Does Not Exist: '{ACCOUNT}activity:none'",
    ),
    "DescribeExecution": ({"executionArn": NO_RUN}, "ExecutionDoesNotExist", NO_EXECUTION),
    "DescribeMapRun": ({"mapRunArn": NO_MAP_RUN}, "ResourceNotFound", None),
    "DescribeStateMachine": (
        {"stateMachineArn": NOWHERE},
        "StateMachineDoesNotExist",
        f"State Machine Does Not Exist: '{NOWHERE}'",
    ),
    "DescribeStateMachineAlias": (
        {"stateMachineAliasArn": f"{NOWHERE}:live"},
        "ResourceNotFound",
        None,
    ),
    "DescribeStateMachineForExecution": (
        {"executionArn": NO_RUN},
        "ExecutionDoesNotExist",
        NO_EXECUTION,
    ),
    "GetActivityTask": (
        {"activityArn": f"{ACCOUNT}activity:none"},
        "ActivityDoesNotExist",
        f"Activity Does Not Exist: '{ACCOUNT}activity:none'",
    ),
    "GetExecutionHistory": (
        {"executionArn": f"{ACCOUNT}express:m:n:00000000-0000-4000-a000-000000000000"},
        "InvalidArn",
        "Invalid Arn: 'Resource type not valid in this context: express'",
    ),
    "ListActivities": ({"maxResults": 1001}, "ValidationException", TOO_MANY),
    "ListExecutions": (
        {"stateMachineArn": "{machine}", "statusFilter": "succeeded"},
        "ValidationException",
        constraint(
            "succeeded",
            "statusFilter",
            "satisfy enum value set: "
            "[SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING]",
        ),
    ),
    "ListMapRuns": ({"executionArn": NO_RUN}, "ExecutionDoesNotExist", NO_EXECUTION),
    "ListStateMachineAliases": (
        {"stateMachineArn": "{machine}", "nextToken": "guessed"},
        "InvalidToken",
        BAD_TOKEN,
    ),
    "ListStateMachineVersions": (
        {"stateMachineArn": "{machine}", "maxResults": 1001},
        "ValidationException",
        TOO_MANY,
    ),
    "ListStateMachines": (
        {"nextToken": "x" * 1025},
        "ValidationException",
        constraint("x" * 1025, "nextToken", "have length less than or equal to 1024"),
    ),
    "ListTagsForResource": (
        {"resourceArn": "{version}"},
        "ResourceNotFound",
        "Resource not found: '{version}'",
    ),
    "PublishStateMachineVersion": (
        {"stateMachineArn": "{machine}", "revisionId": "another"},
        "ConflictException",
        (
            "Failed to publish the State Machine version for revision another. "
            "The current State Machine revision is INITIAL."
        ),
    ),
    "RedriveExecution": ({"executionArn": "{ended}"}, "ExecutionNotRedrivable", None),
    "SendTaskFailure": ({"taskToken": "guessed"}, "InvalidToken", BAD_TOKEN),
    "SendTaskHeartbeat": ({"taskToken": "guessed"}, "InvalidToken", BAD_TOKEN),
    "SendTaskSuccess": ({"taskToken": "guessed", "output": "1"}, "InvalidToken", BAD_TOKEN),
    "StartExecution": (
        {"stateMachineArn": "{machine}", "input": "not json"},
        "InvalidExecutionInput",
        (
            "Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting (JSON "
            "String, Number, Array, Object or token 'null', 'true' or 'false')'"
        ),
    ),
    "StartSyncExecution": (
        {"stateMachineArn": "{machine}"},
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    ),
    "StopExecution": ({"executionArn": NO_RUN}, "ExecutionDoesNotExist", NO_EXECUTION),
    "TagResource": (
        {"resourceArn": "{version}", "tags": [{"key": "a", "value": "b"}]},
        "ResourceNotFound",
        "Resource not found: '{version}'",
    ),
    "TestState": (
        {"definition": json.dumps({"Type": "Task", "Resource": FUNCTION, "End": True})},
        "ValidationException",
        "RoleArn must be specified when testing a Task state",
    ),
    "UntagResource": ({"resourceArn": "none", "tagKeys": ["a"]}, "InvalidArn", BAD_ARN),
    "UpdateMapRun": ({"mapRunArn": NO_MAP_RUN, "maxConcurrency": 1}, "ResourceNotFound", None),
    "UpdateStateMachine": (
        {"stateMachineArn": "{machine}"},
        "MissingRequiredParameter",
        (
            "Either the definition, the role ARN, the LoggingConfiguration, or the "
            "TracingConfiguration must be specified"
        ),
    ),
    "UpdateStateMachineAlias": (
        {"stateMachineAliasArn": "{machine}:none", "description": "x"},
        "ResourceNotFound",
        "Request references a resource that does not exist.",
    ),
    "ValidateStateMachineDefinition": (
        {"definition": "{}", "maxResults": 101},
        "ValidationException",
        constraint("101", "maxResults", "have value less than or equal to 100"),
    ),
}

MODEL = get_session().get_service_model("stepfunctions")


def test_the_tables_have_every_operation_of_the_service() -> None:
    assert set(ANSWERED) == set(REFUSED) == set(MODEL.operation_names)
    assert len(ANSWERED) == 37


# The two clients ---------------------------------------------------------------------------------

Call = Callable[[str, dict[str, Any]], tuple[Any, tuple[str, str] | None]]
"""(operation, request) → the answer, or code and message of the refusal."""


def through_boto3(client: Any) -> Call:
    def call(operation: str, request: dict[str, Any]) -> tuple[Any, tuple[str, str] | None]:
        try:
            return getattr(client, xform_name(operation))(**request), None
        except ClientError as refused:
            error = refused.response["Error"]
            return None, (error["Code"], error["Message"])

    return call


def through_cli(check: Callable[..., None]) -> Call:
    """The AWS CLI in this process; request members become its options."""
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    driver.session.register("before-parse.sfn", check)

    def call(operation: str, request: dict[str, Any]) -> tuple[Any, tuple[str, str] | None]:
        options = [part for name, value in request.items() for part in option(name, value)]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = driver.main(["stepfunctions", xform_name(operation, "-"), *options])
        if code == 0:
            return json.loads(out.getvalue() or "{}"), None
        told = re.fullmatch(
            r"\s*An error occurred \((\w+)\) when calling the (\w+) operation: (.*)\s",
            err.getvalue(),
        )
        assert told, err.getvalue()
        assert told[2] == operation
        return None, (told[1], told[3])

    def option(name: str, value: Any) -> list[str]:
        # `--output` is the CLI's own.
        flag = "--task-output" if name == "output" else f"--{xform_name(name, '-')}"
        if value is True:
            return [flag]
        return [flag, value if isinstance(value, str) else json.dumps(value)]

    return call


class Asked(NamedTuple):
    """A client, and what the names in the tables stand for on its server."""

    call: Call
    names: dict[str, str]


@pytest.fixture(scope="module", params=["boto3", "AWS CLI"])
def asked(
    request: pytest.FixtureRequest,
    aws: Callable[..., Any],
    checked_against_model: Callable[..., None],
    eventually: Callable[..., Any],
) -> Iterator[Asked]:
    """One of the two clients on a server of its own that has all that the tables name."""
    client = aws()
    names = furnish(client, eventually)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "boto3":
            call = through_boto3(client)
        else:
            pytest.importorskip("awscli", reason="the AWS CLI is not installed")
            for name, value in environment(client.meta.endpoint_url).items():
                patch.setenv(name, value)
            call = through_cli(checked_against_model)
        yield Asked(call, names)


def environment(url: str) -> dict[str, str]:
    """What the clients read in place of arguments; no configuration of the user's."""
    return {
        "AWS_ENDPOINT_URL_SFN": url,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_CLI_AUTO_PROMPT": "off",
    }


def filled(value: Any, names: dict[str, str]) -> Any:
    """A value of the tables with ARNs and tokens in place of their names."""
    match value:
        case str():
            return re.sub(r"\{([a-z_\d]+)\}", lambda found: names[found[1]], value)
        case list() | tuple():
            return [filled(inner, names) for inner in value]
        case dict():
            return {name: filled(inner, names) for name, inner in value.items()}
    return value


def furnish(client: Any, eventually: Callable[..., Any]) -> dict[str, str]:
    """Make what the tables name; gives ARNs and task tokens by those names."""
    activity = client.create_activity(name="pack")["activityArn"]
    task = {"Type": "Task", "Resource": activity, "TimeoutSeconds": 600, "End": True}
    fail = {"Type": "Fail", "Error": "No"}
    processor = {"ProcessorConfig": CONFIG, **json.loads(one(FOREVER, "Item"))}
    each = {"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": processor, "End": True}

    def machine(name: str, state: dict[str, Any], **more: Any) -> Any:
        given = {"name": name, "definition": one(state), "roleArn": ROLE, **more}
        return client.create_state_machine(**given)

    def start(name: str, state: dict[str, Any], input: Any = None) -> str:
        given = {"stateMachineArn": machine(name, state)["stateMachineArn"]}
        started = client.start_execution(**given, input=json.dumps(input))
        return str(started["executionArn"])

    def alias(name: str, version: str) -> str:
        routing = [{"stateMachineVersionArn": version, "weight": 100}]
        made = client.create_state_machine_alias(name=name, routingConfiguration=routing)
        return str(made["stateMachineAliasArn"])

    made = machine("passing", PASS, publish=True, versionDescription="first")
    aliased = machine("aliased", PASS, publish=True)["stateMachineVersionArn"]
    names = {
        "activity": activity,
        "doomed_activity": client.create_activity(name="doomed")["activityArn"],
        "machine": made["stateMachineArn"],
        "version": made["stateMachineVersionArn"],
        "alias": alias("live", made["stateMachineVersionArn"]),
        "express": machine("express", PASS, type="EXPRESS")["stateMachineArn"],
        "aliased": aliased,
        "doomed": machine("doomed", PASS)["stateMachineArn"],
        "doomed_version": machine("versioned", PASS, publish=True)["stateMachineVersionArn"],
        "doomed_alias": alias("old", aliased),
        "running": start("waiting", FOREVER),
        "ended": start("ending", PASS),
        "failed": start("failing", fail),
        "batch": start("batch", each, [1, 2, 3]),
    }
    for number in range(4):
        start("working", task, number)
    for number in range(1, 4):
        names[f"token_{number}"] = client.get_activity_task(activityArn=activity)["taskToken"]
    (run,) = eventually(lambda: client.list_map_runs(executionArn=names["batch"])["mapRuns"])
    (child,) = eventually(lambda: client.list_executions(mapRunArn=run["mapRunArn"])["executions"])
    for name in ("ended", "failed"):
        eventually(
            lambda arn=names[name]: "stopDate" in client.describe_execution(executionArn=arn)
        )
    return {**names, "map_run": run["mapRunArn"], "child": child["executionArn"]}


@pytest.mark.parametrize("operation", ANSWERED)
def test_an_operation_is_answered(asked: Asked, operation: str) -> None:
    answer, refused = asked.call(operation, filled(ANSWERED[operation], asked.names))
    assert refused is None
    shape = MODEL.operation_model(operation).output_shape
    assert set(shape.required_members) <= answer.keys()


@pytest.mark.parametrize("operation", REFUSED)
def test_an_operation_is_refused_in_the_words_of_aws(asked: Asked, operation: str) -> None:
    request, code, message = filled(REFUSED[operation], asked.names)
    _, refused = asked.call(operation, request)
    assert refused is not None
    assert refused == (code, refused[1] if message is None else message)


def test_the_environment_is_enough_for_boto3(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(client.meta.endpoint_url).items():
        monkeypatch.setenv(name, value)
    unconfigured = boto3.session.Session().client("stepfunctions")
    assert unconfigured.meta.endpoint_url == client.meta.endpoint_url
    # One of the two operations before whose host boto3 would put `sync-`.
    assert unconfigured.test_state(definition=json.dumps(PASS))["status"] == "SUCCEEDED"
