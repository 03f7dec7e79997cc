"""Lists in pages, through boto3: what nextToken leads to, and where it leads to nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed")
from botocore import xform_name
from botocore.session import get_session

ROLE = "arn:aws:iam::123456789012:role/doorstep"
MEMBERS = {
    "GetExecutionHistory": "events",
    "ListActivities": "activities",
    "ListExecutions": "executions",
    "ListMapRuns": "mapRuns",
    "ListStateMachineAliases": "stateMachineAliases",
    "ListStateMachineVersions": "stateMachineVersions",
    "ListStateMachines": "stateMachines",
}
MODEL = get_session().get_service_model("stepfunctions")


def distributed(number: int) -> dict[str, Any]:
    """A branch with a distributed Map in it."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    item = {f"Item{number}": {"Type": "Pass", "End": True}}
    processor = {"ProcessorConfig": config, "StartAt": f"Item{number}", "States": item}
    each = {"Type": "Map", "ItemProcessor": processor, "End": True}
    return {"StartAt": f"Each{number}", "States": {f"Each{number}": each}}


@pytest.fixture(scope="module")
def requests(client: Any, eventually: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """A request for each of the lists; there are two or three things in each."""
    parallel = {"Type": "Parallel", "Branches": [distributed(0), distributed(1)], "End": True}
    definition = json.dumps({"StartAt": "Both", "States": {"Both": parallel}})
    for name in ("one", "two", "three"):
        given = {"name": name, "definition": definition, "roleArn": ROLE, "publish": True}
        made = client.create_state_machine(**given)
        client.create_activity(name=name)
    machine, version = made["stateMachineArn"], made["stateMachineVersionArn"]
    for name in ("live", "old"):
        routing = [{"stateMachineVersionArn": version, "weight": 100}]
        client.create_state_machine_alias(name=name, routingConfiguration=routing)
    client.update_state_machine(stateMachineArn=machine, roleArn=f"{ROLE}-2", publish=True)
    for number in range(3):
        run = client.start_execution(stateMachineArn=machine, input="[]", name=f"n{number}")
    execution = run["executionArn"]
    eventually(lambda: "stopDate" in client.describe_execution(executionArn=execution))
    of_machine, of_execution = {"stateMachineArn": machine}, {"executionArn": execution}
    return {
        "GetExecutionHistory": of_execution,
        "ListActivities": {},
        "ListExecutions": of_machine,
        "ListMapRuns": of_execution,
        "ListStateMachineAliases": of_machine,
        "ListStateMachineVersions": of_machine,
        "ListStateMachines": {},
    }


def test_these_are_the_lists_that_have_pages() -> None:
    paged = {
        name
        for name in MODEL.operation_names
        if "nextToken" in MODEL.operation_model(name).output_shape.members
    }
    assert paged == set(MEMBERS)


@pytest.mark.parametrize("operation", MEMBERS)
def test_a_list_read_item_by_item_is_the_whole_list(
    client: Any, requests: dict[str, dict[str, Any]], operation: str
) -> None:
    call, request = getattr(client, xform_name(operation)), requests[operation]
    whole = call(**request)
    assert len(whole[MEMBERS[operation]]) > 1
    assert "nextToken" not in whole
    found: list[Any] = []
    page = call(**request, maxResults=1)
    while "nextToken" in page:
        found += page[MEMBERS[operation]]
        page = call(**request, maxResults=1, nextToken=page["nextToken"])
    assert found + page[MEMBERS[operation]] == whole[MEMBERS[operation]]


@pytest.mark.parametrize("operation", MEMBERS)
def test_a_paginator_reads_the_whole_list(
    client: Any, requests: dict[str, dict[str, Any]], operation: str
) -> None:
    name, request = xform_name(operation), requests[operation]
    if not client.can_paginate(name):
        assert operation in ("ListStateMachineAliases", "ListStateMachineVersions")
        return
    pages = client.get_paginator(name).paginate(**request, PaginationConfig={"PageSize": 1})
    whole = getattr(client, name)(**request)
    assert pages.build_full_result()[MEMBERS[operation]] == whole[MEMBERS[operation]]


@pytest.mark.parametrize("operation", MEMBERS)
def test_a_token_leads_nowhere_in_another_list(
    client: Any,
    requests: dict[str, dict[str, Any]],
    refusal: Callable[..., tuple[str, str]],
    operation: str,
) -> None:
    token = getattr(client, xform_name(operation))(**requests[operation], maxResults=1)["nextToken"]
    for other in set(MEMBERS) - {operation}:
        request = {**requests[other], "nextToken": token}
        told = refusal(client, xform_name(other), **request)
        assert told == ("InvalidToken", "Invalid Token: 'Invalid token'")


def test_a_token_is_good_for_the_same_request_only(
    client: Any, requests: dict[str, dict[str, Any]], refusal: Callable[..., tuple[str, str]]
) -> None:
    request = requests["GetExecutionHistory"]
    token = client.get_execution_history(**request, maxResults=1)["nextToken"]
    page = client.get_execution_history(**request, maxResults=2, nextToken=token)["events"]
    assert [event["id"] for event in page] == [2, 3]
    other = {**request, "nextToken": token, "reverseOrder": True}
    assert refusal(client, "get_execution_history", **other)[0] == "InvalidToken"


def test_the_service_has_no_waiters(client: Any) -> None:
    assert client.waiter_names == []
