"""Versions, aliases and tags through boto3. Texts: facts 451 to 465."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Refusal = Callable[..., tuple[str, str]]
ROLE = "arn:aws:iam::123456789012:role/doorstep"
PASS = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
OTHER = json.dumps({"StartAt": "B", "States": {"B": {"Type": "Succeed"}}})


def test_a_revision_is_published_once(client: Any, create: Callable[..., Any]) -> None:
    arn = create()["stateMachineArn"]
    first = client.publish_state_machine_version(stateMachineArn=arn, revisionId="INITIAL")
    again = client.publish_state_machine_version(stateMachineArn=arn)
    assert first["stateMachineVersionArn"] == again["stateMachineVersionArn"] == f"{arn}:1"


def test_numbers_of_versions_are_not_used_again(client: Any, create: Callable[..., Any]) -> None:
    arn = create(publish=True, versionDescription="the first")["stateMachineArn"]
    told = client.describe_state_machine(stateMachineArn=f"{arn}:1")
    assert told["description"] == "the first"
    client.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")
    client.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    listed = client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    assert [one["stateMachineVersionArn"] for one in listed] == [f"{arn}:2"]


def test_another_revision_than_the_current_one_is_not_published(
    client: Any, create: Callable[..., Any], refusal: Refusal
) -> None:
    arn = create()["stateMachineArn"]
    current = client.update_state_machine(stateMachineArn=arn, definition=OTHER)["revisionId"]
    told = refusal(
        client, "publish_state_machine_version", stateMachineArn=arn, revisionId="INITIAL"
    )
    assert told == (
        "ConflictException",
        (
            "Failed to publish the State Machine version for revision INITIAL. "
            f"The current State Machine revision is {current}."
        ),
    )


def test_versions_keep_their_definition(client: Any, create: Callable[..., Any]) -> None:
    arn = create(publish=True)["stateMachineArn"]
    client.update_state_machine(stateMachineArn=arn, definition=OTHER)
    assert client.describe_state_machine(stateMachineArn=f"{arn}:1")["definition"] == PASS
    execution = client.start_execution(stateMachineArn=f"{arn}:1")["executionArn"]
    told = client.describe_execution(executionArn=execution)
    assert told["stateMachineVersionArn"] == f"{arn}:1"
    assert "stateMachineAliasArn" not in told
    types = [e["type"] for e in client.get_execution_history(executionArn=execution)["events"]]
    assert "PassStateEntered" in types


@pytest.fixture
def routed(client: Any, create: Callable[..., Any]) -> tuple[str, list[dict[str, Any]]]:
    """A machine with two versions, and a configuration that shares starts between them."""
    arn = create(publish=True)["stateMachineArn"]
    client.update_state_machine(stateMachineArn=arn, definition=OTHER, publish=True)
    shares = ((1, 70), (2, 30))
    return arn, [{"stateMachineVersionArn": f"{arn}:{n}", "weight": w} for n, w in shares]


def test_an_alias_leads_to_a_version(client: Any, routed: tuple[str, Any]) -> None:
    arn, _ = routed
    only_second = [{"stateMachineVersionArn": f"{arn}:2", "weight": 100}]
    alias = client.create_state_machine_alias(name="live", routingConfiguration=only_second)
    assert alias["stateMachineAliasArn"] == f"{arn}:live"
    execution = client.start_execution(stateMachineArn=f"{arn}:live")["executionArn"]
    told = client.describe_execution(executionArn=execution)
    assert told["stateMachineVersionArn"] == f"{arn}:2"
    assert told["stateMachineAliasArn"] == f"{arn}:live"
    started = client.get_execution_history(executionArn=execution)["events"][0]
    details = started["executionStartedEventDetails"]
    assert details["stateMachineAliasArn"] == f"{arn}:live"
    listed = client.list_executions(stateMachineArn=f"{arn}:live")["executions"]
    assert [one["executionArn"] for one in listed] == [execution]


def test_the_same_alias_again_is_the_same(
    client: Any, routed: tuple[str, Any], refusal: Refusal
) -> None:
    _, routing = routed
    given = {"name": "live", "routingConfiguration": routing, "description": "d"}
    first = client.create_state_machine_alias(**given)
    assert client.create_state_machine_alias(**given)["creationDate"] == first["creationDate"]
    told = refusal(client, "create_state_machine_alias", **{**given, "description": "other"})
    assert told == (
        "ConflictException",
        (
            "Failed to create alias because an alias with the same name and a different routing "
            "configuration already exists."
        ),
    )


def test_an_alias_is_updated_described_listed_and_deleted(
    client: Any, routed: tuple[str, Any], refusal: Refusal
) -> None:
    arn, routing = routed
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routing)
    alias_arn = alias["stateMachineAliasArn"]
    client.update_state_machine_alias(stateMachineAliasArn=alias_arn, description="new")
    told = client.describe_state_machine_alias(stateMachineAliasArn=alias_arn)
    assert (told["name"], told["description"]) == ("live", "new")
    assert told["routingConfiguration"] == routing
    listed = client.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    assert [one["stateMachineAliasArn"] for one in listed] == [alias_arn]
    code, _ = refusal(client, "update_state_machine_alias", stateMachineAliasArn=alias_arn)
    assert code == "ValidationException"
    client.delete_state_machine_alias(stateMachineAliasArn=alias_arn)
    code, message = refusal(
        client, "update_state_machine_alias", stateMachineAliasArn=alias_arn, description="x"
    )
    assert code == "ResourceNotFound"
    assert message == "Request references a resource that does not exist."


def test_a_version_that_an_alias_leads_to_stays(
    client: Any, routed: tuple[str, Any], refusal: Refusal
) -> None:
    arn, routing = routed
    client.create_state_machine_alias(name="live", routingConfiguration=routing)
    told = refusal(client, "delete_state_machine_version", stateMachineVersionArn=f"{arn}:1")
    assert told == (
        "ConflictException",
        (
            "Version to be deleted must not be referenced by an alias. Current list of aliases "
            "referencing this version: [live]"
        ),
    )


@pytest.fixture
def routing_refusal(client: Any, refusal: Refusal) -> Callable[..., str]:
    """What is said to an alias with these routes: (version, weight)."""

    def message(*routes: tuple[str, int], name: str = "live") -> str:
        routing = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in routes]
        given = {"name": name, "routingConfiguration": routing}
        code, told = refusal(client, "create_state_machine_alias", **given)
        assert code == "ValidationException"
        return told

    return message


def test_routing_configurations_are_checked(
    routed: tuple[str, Any], routing_refusal: Callable[..., str]
) -> None:
    arn, _ = routed
    one, two = f"{arn}:1", f"{arn}:2"
    assert routing_refusal((arn, 100)) == (
        f"Routing configuration must contain state machine version ARNs. Received: [{arn}]"
    )
    assert routing_refusal((one, 50), (one, 50)) == (
        "Routing configuration must contain distinct state machine version ARNs. "
        f"Received: [{one}, {one}]"
    )
    assert routing_refusal((one, 70), (two, 29)) == (
        "Sum of routing configuration weights must equal 100. Received: [70, 29]"
    )
    assert routing_refusal((one, 101)) == (
        "1 validation error detected: Value '101' at 'routingConfiguration.1.member.weight' "
        "failed to satisfy constraint: Member must have value less than or equal to 100"
    )
    assert routing_refusal((one, 100), name="123") == (
        "1 validation error detected: Value '123' at 'name' failed to satisfy constraint: Member "
        r"must satisfy regular expression pattern: ^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$"
    )
    three = routing_refusal((one, 50), (two, 30), (one, 20))
    assert three.startswith(
        "1 validation error detected: Value '[RoutingConfigurationListItem("
        f"stateMachineVersionArn={one}, weight=50), RoutingConfigurationListItem("
    )
    assert three.endswith("Member must have length less than or equal to 2")


def test_tags_are_added_replaced_and_taken_off(client: Any, create: Callable[..., Any]) -> None:
    arn = create(tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])["stateMachineArn"]
    client.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "3"}])
    client.untag_resource(resourceArn=arn, tagKeys=["a", "z"])
    told = client.list_tags_for_resource(resourceArn=arn)["tags"]
    assert told == [{"key": "b", "value": "3"}]


def test_a_version_has_no_tags(client: Any, create: Callable[..., Any], refusal: Refusal) -> None:
    arn = create(publish=True)["stateMachineVersionArn"]
    told = refusal(client, "tag_resource", resourceArn=arn, tags=[{"key": "a", "value": "b"}])
    assert told == ("ResourceNotFound", f"Resource not found: '{arn}'")


@pytest.mark.parametrize(
    ("key", "value"),
    [("aws:a", ""), ("AWS:a", ""), ("a!", ""), ("a", "<b>"), ("a", "b;c")],
    ids=range(5),
)
def test_characters_of_tags_are_limited(
    client: Any, create: Callable[..., Any], refusal: Refusal, key: str, value: str
) -> None:
    arn = create()["stateMachineArn"]
    tags = [{"key": key, "value": value}]
    code, _ = refusal(client, "tag_resource", resourceArn=arn, tags=tags)
    assert code == "ValidationException"
    client.tag_resource(resourceArn=arn, tags=[{"key": "ключ _.:/=+-@1", "value": "é"}])


def test_there_are_fifty_tags_at_most(
    client: Any, create: Callable[..., Any], refusal: Refusal
) -> None:
    arn = create()["stateMachineArn"]
    tags = [{"key": str(number), "value": ""} for number in range(51)]
    code, _ = refusal(client, "tag_resource", resourceArn=arn, tags=tags)
    assert code == "TooManyTags"


def test_an_update_that_publishes_describes_the_version_that_it_names(
    client: Any, create: Callable[..., Any]
) -> None:
    """Fact 470: also when nothing else changed, and the version was there before."""
    arn = create(publish=True, versionDescription="the first")["stateMachineArn"]

    def update(definition: str, **more: Any) -> tuple[str, str | None]:
        version = client.update_state_machine(
            stateMachineArn=arn, definition=definition, publish=True, **more
        )["stateMachineVersionArn"]
        described = client.describe_state_machine(stateMachineArn=version)
        return version, described.get("description")

    same = client.describe_state_machine(stateMachineArn=arn)["definition"]
    assert update(same, versionDescription="renamed") == (f"{arn}:1", "renamed")
    assert update(same) == (f"{arn}:1", "renamed")
    assert update(OTHER, versionDescription="another") == (f"{arn}:2", "another")
    assert update(OTHER) == (f"{arn}:2", "another")
    first = client.describe_state_machine(stateMachineArn=f"{arn}:1")
    assert first["description"] == "renamed"
