"""State machines through boto3. Texts: facts 451 to 466."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT = "arn:aws:states:us-east-1:123456789012:"
Refusal = Callable[..., tuple[str, str]]
ROLE = "arn:aws:iam::123456789012:role/doorstep"
PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
OTHER = json.dumps({"StartAt": "B", "States": {"B": {"Type": "Succeed"}}})


def test_a_machine_is_described_as_it_was_created(client: Any, create: Callable[..., Any]) -> None:
    arn = create()["stateMachineArn"]
    told = client.describe_state_machine(stateMachineArn=arn)
    assert told["definition"] == PASS
    assert told["roleArn"] == ROLE
    assert (told["status"], told["type"]) == ("ACTIVE", "STANDARD")
    assert told["loggingConfiguration"] == {"level": "OFF", "includeExecutionData": False}
    assert told["tracingConfiguration"] == {"enabled": False}
    assert told["encryptionConfiguration"] == {"type": "AWS_OWNED_KEY"}
    assert "revisionId" not in told


def test_a_machine_is_described_with_the_variables_that_its_states_read(
    client: Any, create: Callable[..., Any]
) -> None:
    made = {"Type": "Pass", "Assign": {"answer": 42}, "Next": "Read"}
    read = {"Type": "Pass", "Parameters": {"answer.$": "$answer"}, "End": True}
    definition = json.dumps({"StartAt": "Made", "States": {"Made": made, "Read": read}})
    arn = create(definition=definition)["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    for call, given in (
        (client.describe_state_machine, {"stateMachineArn": arn}),
        (client.describe_state_machine_for_execution, {"executionArn": execution}),
    ):
        told = call(**given)
        assert told["variableReferences"] == {"Read": ["answer"]}
        metadata = call(**given, includedData="METADATA_ONLY")
        assert metadata["definition"] == "{}"
        assert told.keys() - metadata.keys() == {"variableReferences"}


def test_a_machine_without_variables_is_described_without_them(
    client: Any, create: Callable[..., Any]
) -> None:
    arn = create()["stateMachineArn"]
    assert "variableReferences" not in client.describe_state_machine(stateMachineArn=arn)


def test_creating_again_gives_the_same_machine(create: Callable[..., Any]) -> None:
    first, again = create(), create(roleArn=ROLE + "2", tags=[{"key": "a", "value": "b"}])
    assert first["stateMachineArn"] == again["stateMachineArn"]
    assert first["creationDate"] == again["creationDate"]


@pytest.mark.parametrize(
    "change",
    [
        {"definition": PASS.replace(" ", "")},
        {"type": "EXPRESS"},
        {"publish": True},
        {"tracingConfiguration": {"enabled": True}},
    ],
    ids=["spacing", "type", "publish", "tracing"],
)
def test_creating_again_otherwise_is_refused(
    client: Any, create: Callable[..., Any], change: dict[str, Any], refusal: Refusal
) -> None:
    arn = create()["stateMachineArn"]
    name = arn.rpartition(":")[2]
    given = {"name": name, "definition": PASS, "roleArn": ROLE, **change}
    code, message = refusal(client, "create_state_machine", **given)
    assert code == "StateMachineAlreadyExists"
    assert message == f"State Machine Already Exists: '{arn}'"


def test_a_definition_that_aws_refuses_is_refused_in_its_words(
    client: Any, refusal: Refusal
) -> None:
    told = refusal(
        client, "create_state_machine", name="x", definition='{"StartAt": "A"}', roleArn=ROLE
    )
    assert told == (
        "InvalidDefinition",
        (
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: "
            "These fields are required: [States] at /'"
        ),
    )


@pytest.mark.parametrize("name", ["a name", 'a"b', "a\x1fb", "a/b", "a~b", "a\x7fb", "a\\b", "a:b"])
def test_names_with_forbidden_characters_are_refused(
    client: Any, name: str, refusal: Refusal
) -> None:
    told = refusal(client, "create_state_machine", name=name, definition=PASS, roleArn=ROLE)
    assert told == ("InvalidName", f"Invalid Name: '{name}'")


@pytest.mark.parametrize(
    "logging",
    [
        {"level": "ALL"},
        {"level": "ALL", "destinations": []},
        {"level": "ERROR", "destinations": [{}]},
    ],
)
def test_logging_needs_one_destination(
    client: Any, logging: dict[str, Any], refusal: Refusal
) -> None:
    told = refusal(
        client,
        "create_state_machine",
        name="logs",
        definition=PASS,
        roleArn=ROLE,
        loggingConfiguration=logging,
    )
    assert told == (
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Must specify exactly one Log Destination.",
    )


def test_the_arn_of_a_log_group_ends_in_a_star(create: Callable[..., Any], client: Any) -> None:
    group = {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:any"}
    logging = {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": group}]}
    with pytest.raises(client.exceptions.InvalidLoggingConfiguration):
        create(loggingConfiguration=logging)
    group["logGroupArn"] += ":*"
    create(loggingConfiguration=logging)


def test_a_customer_s_key_has_to_be_named(client: Any, create: Callable[..., Any]) -> None:
    encryption = {"type": "CUSTOMER_MANAGED_KMS_KEY"}
    invalid = client.exceptions.InvalidEncryptionConfiguration
    with pytest.raises(invalid):
        create(encryptionConfiguration=encryption)
    with pytest.raises(invalid):
        client.create_activity(name="secret", encryptionConfiguration=encryption)
    create(encryptionConfiguration={**encryption, "kmsKeyId": "alias/mine"})


def test_an_update_changes_what_it_names(client: Any, create: Callable[..., Any]) -> None:
    arn = create()["stateMachineArn"]
    told = client.update_state_machine(stateMachineArn=arn, definition=OTHER)
    described = client.describe_state_machine(stateMachineArn=arn)
    assert described["definition"] == OTHER
    assert described["roleArn"] == ROLE
    assert described["revisionId"] == told["revisionId"]


def test_an_update_that_changes_nothing_keeps_the_revision(
    client: Any, create: Callable[..., Any]
) -> None:
    arn = create()["stateMachineArn"]
    first = client.update_state_machine(stateMachineArn=arn, definition=OTHER)
    again = client.update_state_machine(stateMachineArn=arn, definition=OTHER)
    assert first["revisionId"] == again["revisionId"]


def test_a_machine_that_was_never_changed_has_no_revision_id(
    client: Any, create: Callable[..., Any]
) -> None:
    """Fact 470."""
    arn = create()["stateMachineArn"]
    same = client.describe_state_machine(stateMachineArn=arn)
    told = client.update_state_machine(
        stateMachineArn=arn, definition=same["definition"], roleArn=same["roleArn"]
    )
    assert set(told) - {"ResponseMetadata"} == {"updateDate"}
    published = client.update_state_machine(
        stateMachineArn=arn, definition=same["definition"], publish=True
    )
    assert "revisionId" not in published
    assert published["stateMachineVersionArn"] == f"{arn}:1"
    changed = client.update_state_machine(stateMachineArn=arn, definition=OTHER)
    assert "revisionId" in changed


def test_an_update_of_nothing_is_refused(
    client: Any, create: Callable[..., Any], refusal: Refusal
) -> None:
    arn = create()["stateMachineArn"]
    code, message = refusal(client, "update_state_machine", stateMachineArn=arn)
    assert code == "MissingRequiredParameter"
    assert message == (
        "Either the definition, the role ARN, the LoggingConfiguration, or the "
        "TracingConfiguration must be specified"
    )


def test_a_description_needs_a_publication(client: Any, refusal: Refusal) -> None:
    told = refusal(
        client,
        "create_state_machine",
        name="x",
        definition=PASS,
        roleArn=ROLE,
        versionDescription="first",
    )
    assert told == (
        "ValidationException",
        "Version description can only be set when publish is true",
    )


@pytest.mark.parametrize(
    ("operation", "member"),
    [
        ("describe_state_machine", "stateMachineArn"),
        ("start_execution", "stateMachineArn"),
        ("list_executions", "stateMachineArn"),
        ("publish_state_machine_version", "stateMachineArn"),
        ("describe_activity", "activityArn"),
        ("describe_execution", "executionArn"),
    ],
)
def test_what_is_no_arn_is_refused(
    client: Any, operation: str, member: str, refusal: Refusal
) -> None:
    told = refusal(client, operation, **{member: "not_an_arn"})
    assert told == ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: not_an_arn'")


@pytest.mark.parametrize(
    ("operation", "member", "resource", "told"),
    [
        ("describe_state_machine", "stateMachineArn", "stateMachine", "State Machine"),
        ("start_execution", "stateMachineArn", "stateMachine", "State Machine"),
        ("list_executions", "stateMachineArn", "stateMachine", "State Machine"),
        ("describe_activity", "activityArn", "activity", "Activity"),
        ("get_activity_task", "activityArn", "activity", "Activity"),
        ("describe_execution", "executionArn", "execution:m", "Execution"),
        ("get_execution_history", "executionArn", "execution:m", "Execution"),
        ("stop_execution", "executionArn", "execution:m", "Execution"),
        ("redrive_execution", "executionArn", "execution:m", "Execution"),
    ],
)
def test_behaviour_110_what_does_not_exist_is_named(
    client: Any, operation: str, member: str, resource: str, told: str, refusal: Refusal
) -> None:
    arn = f"{ACCOUNT}{resource}:nobody"
    assert refusal(client, operation, **{member: arn}) == (
        f"{told.replace(' ', '')}DoesNotExist",
        f"{told} Does Not Exist: '{arn}'",
    )


def test_what_is_not_there_can_be_deleted(client: Any) -> None:
    client.delete_state_machine(stateMachineArn=ACCOUNT + "stateMachine:nobody")
    client.delete_activity(activityArn=ACCOUNT + "activity:nobody")
    client.delete_state_machine_alias(stateMachineAliasArn=ACCOUNT + "stateMachine:nobody:alias")
    client.delete_state_machine_version(stateMachineVersionArn=ACCOUNT + "stateMachine:nobody:1")


def test_a_deleted_machine_is_gone(
    client: Any, create: Callable[..., Any], refusal: Refusal
) -> None:
    arn = create()["stateMachineArn"]
    client.delete_state_machine(stateMachineArn=arn)
    code, _ = refusal(client, "describe_state_machine", stateMachineArn=arn)
    assert code == "StateMachineDoesNotExist"


def test_a_machine_with_executions_is_deleting_until_they_end(
    client: Any, create: Callable[..., Any], refusal: Refusal
) -> None:
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    arn = create(definition=json.dumps(wait))["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    client.delete_state_machine(stateMachineArn=arn)
    assert client.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
    code, _ = refusal(client, "start_execution", stateMachineArn=arn)
    assert code == "StateMachineDeleting"
    again = {"name": arn.rpartition(":")[2], "definition": json.dumps(wait), "roleArn": ROLE}
    code, _ = refusal(client, "create_state_machine", **again)
    assert code == "StateMachineDeleting"
    client.stop_execution(executionArn=execution)
    code, _ = refusal(client, "describe_state_machine", stateMachineArn=arn)
    assert code == "StateMachineDoesNotExist"
    assert client.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_machines_are_listed_by_name_in_pages(aws: Callable[..., Any]) -> None:
    """Fact 459: in the order of ASCII, capital letters first."""
    client = aws()
    for name in ("one", "two", "Three"):
        client.create_state_machine(name=name, definition=PASS, roleArn=ROLE)
    first = client.list_state_machines(maxResults=2)
    assert [one["name"] for one in first["stateMachines"]] == ["Three", "one"]
    rest = client.list_state_machines(maxResults=2, nextToken=first["nextToken"])
    assert [one["name"] for one in rest["stateMachines"]] == ["two"]
    assert "nextToken" not in rest


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (
            {"maxResults": 1001},
            (
                "Value '1001' at 'maxResults' failed to satisfy constraint: "
                "Member must have value less than or equal to 1000"
            ),
        ),
        (
            {"nextToken": "t" * 1025},
            (
                f"Value '{'t' * 1025}' at 'nextToken' failed to satisfy constraint: "
                "Member must have length less than or equal to 1024"
            ),
        ),
    ],
    ids=["maxResults", "nextToken"],
)
def test_members_out_of_their_limits_are_refused(
    aws: Callable[..., Any], client: Any, request_: dict[str, Any], told: str, refusal: Refusal
) -> None:
    code, message = refusal(client, "list_state_machines", **request_)
    assert (code, message) == ("ValidationException", f"1 validation error detected: {told}")


def test_a_token_that_nobody_gave_is_refused(
    client: Any, create: Callable[..., Any], refusal: Refusal
) -> None:
    arn = create()["stateMachineArn"]
    told = refusal(client, "list_state_machine_aliases", stateMachineArn=arn, nextToken="bad")
    assert told == ("InvalidToken", "Invalid Token: 'Invalid token'")
    assert refusal(client, "list_state_machines", nextToken="WzEsMl0=") == told


def test_a_definition_is_validated(client: Any) -> None:
    good = client.validate_state_machine_definition(definition=PASS)
    assert (good["result"], good["diagnostics"], good["truncated"]) == ("OK", [], False)
    bad = client.validate_state_machine_definition(definition="{}")
    assert bad["result"] == "FAIL"
    assert bad["diagnostics"] == [
        {
            "severity": "ERROR",
            "code": "SCHEMA_VALIDATION_FAILED",
            "message": "These fields are required: [States, StartAt]",
            "location": "/",
        }
    ]


def test_a_state_is_tested(client: Any) -> None:
    state = json.dumps({"Type": "Pass", "Result": {"a": 1}, "Next": "Then"})
    told = client.test_state(definition=state, roleArn=ROLE)
    assert told["status"] == "SUCCEEDED"
    assert (json.loads(told["output"]), told["nextState"]) == ({"a": 1}, "Then")


def test_times_are_those_of_now(create: Callable[..., Any]) -> None:
    assert abs(create()["creationDate"].timestamp() - time.time()) < 60


LEFT_OVER = {
    "Seconds": ({"Type": "Wait", "Seconds": "${Pause}"}, "Expected value of type Integer"),
    "Timestamp": (
        {"Type": "Wait", "Timestamp": "${Until}"},
        "String does not match RFC3339 timestamp",
    ),
    "InputPath": ({"Type": "Pass", "InputPath": "${Path}"}, "Value must be a valid JSONPath."),
    "Resource": ({"Type": "Task", "Resource": "${Arn}"}, "Value is not a valid resource ARN"),
    "TimeoutSeconds": (
        {
            "Type": "Task",
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
            "TimeoutSeconds": "${Limit}",
        },
        "Expected value of type Integer",
    ),
}


@pytest.mark.parametrize("field", LEFT_OVER)
def test_a_placeholder_that_was_left_over_is_a_text_as_any_other(
    client: Any, refusal: Refusal, field: str
) -> None:
    """Fact 224: clients send definitions after deployment, so nothing is filled in any more."""
    state, message = LEFT_OVER[field]
    definition = json.dumps({"StartAt": "A", "States": {"A": {**state, "End": True}}})
    validated = client.validate_state_machine_definition(definition=definition)
    assert validated["result"] == "FAIL"
    (told,) = validated["diagnostics"]
    assert (told["message"], told["location"]) == (message, f"/States/A/{field}")
    code, text = refusal(
        client, "create_state_machine", name="left-over", definition=definition, roleArn=ROLE
    )
    assert code == "InvalidDefinition"
    assert f"SCHEMA_VALIDATION_FAILED: {message} at /States/A/{field}" in text


def test_a_placeholder_where_any_text_goes_is_accepted(
    client: Any, create: Callable[..., Any]
) -> None:
    state = {"Type": "Pass", "Comment": "${Why}", "Result": {"at": "${Stage}"}, "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    arn = create(definition=definition)["stateMachineArn"]
    assert client.describe_state_machine(stateMachineArn=arn)["definition"] == definition


@pytest.mark.parametrize(
    ("text", "says", "where"),
    [
        ("no JSON at all", "Unrecognized token 'no'", "line: 1, column: 3"),
        ('{"a" 1}', "Unexpected character ('1' (code 49))", "line: 1, column: 7"),
        ('{"a":\n[1', "Unexpected end-of-input", "line: 2, column: 3"),
    ],
)
def test_what_is_no_json_is_shown_with_its_place_twice(
    client: Any, text: str, says: str, where: str
) -> None:
    """Fact 21: in the message, and as the location."""
    (told,) = client.validate_state_machine_definition(definition=text)["diagnostics"]
    assert told["code"] == "INVALID_JSON_DESCRIPTION"
    assert told["location"] == f'[Source: (String)"{text}"; {where}]'
    assert told["message"].startswith(says)
    assert told["message"].endswith(f"\n at {told['location']}")
