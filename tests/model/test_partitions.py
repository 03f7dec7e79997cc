"""Partitions: ARNs name that of their region, and resources of another one can't be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

import doorstep
from doorstep.model import home_of, partition_named_in, partition_of

ELSEWHERE = "The resource belongs to a different partition from the running execution."
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
CALLS = {
    "arn:aws-cn:states:::lambda:invoke": {"FunctionName": "f"},
    "arn:aws:states:::aws-sdk:s3:getObject": {"Bucket": "b", "Key": "k"},
    "arn:aws:lambda:us-east-1:123456789012:function:f": {},
    "arn:aws-iso-b:states:us-isob-east-1:123456789012:activity:dig": {},
}


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **fields}


def alone(resource: str) -> dict[str, Any]:
    return {"StartAt": "Call", "States": {"Call": task(resource, End=True)}}


def test_every_region_of_botocore_is_in_its_partition() -> None:
    session = boto3.Session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("ec2", partition):
            assert partition_of(region) == partition
        home = home_of(alone(f"arn:{partition}:states:::sqs:sendMessage"))
        assert partition_of(home) == partition


def test_what_is_no_region_is_in_aws() -> None:
    assert [partition_of(text) for text in ("", "mars-1", "cn", "us-gov-west")] == ["aws"] * 4
    assert partition_named_in("arn:<partition>:states:::sqs:sendMessage") is None
    assert partition_named_in("charge") is None


@pytest.fixture(scope="module")
def in_region(aws: Callable[..., Any]) -> Callable[[str], Any]:
    url = aws().meta.endpoint_url

    def client(region: str) -> Any:
        return boto3.client(
            "stepfunctions",
            endpoint_url=url,
            region_name=region,
            aws_access_key_id="anyone",
            aws_secret_access_key="anything",
        )

    return client


@pytest.mark.parametrize(
    ("region", "partition"),
    {
        "cn-northwest-1": "aws-cn",
        "us-gov-east-1": "aws-us-gov",
        "us-iso-west-1": "aws-iso",
        "us-isob-east-1": "aws-iso-b",
        "eu-isoe-west-1": "aws-iso-e",
        "us-isof-south-1": "aws-iso-f",
        "eusc-de-east-1": "aws-eusc",
        "eu-west-1": "aws",
    }.items(),
)
def test_all_arns_of_a_region_name_its_partition(
    in_region: Callable[[str], Any], region: str, partition: str
) -> None:
    client, begins = in_region(region), f"arn:{partition}:states:{region}:123456789012:"
    role = f"arn:{partition}:iam::123456789012:role/r"
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS}
    each = {
        "Type": "Map",
        "Label": "each",
        "ItemSelector": {"machine.$": "$$.StateMachine.Id"},
        "ItemProcessor": processor,
        "End": True,
    }
    made = client.create_state_machine(
        name="everywhere",
        definition=json.dumps({"StartAt": "Each", "States": {"Each": each}}),
        roleArn=role,
        publish=True,
    )
    version = made["stateMachineVersionArn"]
    alias = client.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    activity = client.create_activity(name="dig")["activityArn"]
    started = client.start_execution(
        stateMachineArn=alias, input="[1]" if region != "eu-west-1" else "[1, 2]"
    )["executionArn"]
    run = client.list_map_runs(executionArn=started)["mapRuns"][0]["mapRunArn"]
    child = client.list_executions(mapRunArn=run)["executions"][0]
    quick = client.create_state_machine(
        name="quick", definition=json.dumps(PASS), roleArn=role, type="EXPRESS"
    )["stateMachineArn"]
    express = client.start_execution(stateMachineArn=quick)["executionArn"]
    arns = [made["stateMachineArn"], version, alias, activity, started, run, quick, express]
    arns += [child["executionArn"], child["stateMachineArn"]]
    assert [arn for arn in arns if not arn.startswith(begins)] == []


@pytest.mark.parametrize(
    ("region", "resource"),
    list(zip(("us-east-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1"), CALLS, strict=True)),
)
def test_a_resource_of_another_partition_fails_the_state_that_reaches_it(
    in_region: Callable[[str], Any], region: str, resource: str
) -> None:
    """Fact 236: after the entry, and no Catch takes it."""
    client = in_region(region)
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Saved"}]
    states = {
        "Gate": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.reach", "BooleanEquals": True, "Next": "Call"}],
            "Default": "Saved",
        },
        "Call": task(resource, Parameters=CALLS[resource], Catch=catch, End=True),
        "Saved": {"Type": "Succeed"},
    }
    arn = client.create_state_machine(
        name=f"far-{region}",
        definition=json.dumps({"StartAt": "Gate", "States": states}),
        roleArn="arn:aws:iam::123456789012:role/r",
    )["stateMachineArn"]

    def run(text: str) -> Any:
        started = client.start_execution(stateMachineArn=arn, input=text)
        return client.describe_execution(executionArn=started["executionArn"])

    assert run('{"reach": false}')["status"] == "SUCCEEDED"
    reached = run('{"reach": true}')
    assert (reached["status"], reached["error"]) == ("FAILED", "States.Runtime")
    assert reached["cause"] == (
        "An error occurred while executing the state 'Call' (entered at the event id #4). "
        + ELSEWHERE
    )


def test_a_run_on_this_machine_is_in_the_partition_of_its_definition() -> None:
    chinese = alone("arn:aws-cn:states:::sqs:sendMessage")
    chinese["States"]["Call"]["Parameters"] = {"QueueUrl": "q", "MessageBody": "m"}
    execution = doorstep.run(chinese, handlers={"sqs:sendMessage": lambda event: "sent"})
    assert execution.output == "sent"
    assert execution.arn.startswith("arn:aws-cn:states:cn-north-1:")


def test_a_definition_of_two_partitions_runs_in_aws() -> None:
    sent = {"QueueUrl": "q", "MessageBody": "m"}
    near = task("arn:aws:states:::sqs:sendMessage", Parameters=sent, Next="Far")
    far = task("arn:aws-us-gov:states:::sqs:sendMessage", Parameters=sent, End=True)
    execution = doorstep.run(
        {"StartAt": "Near", "States": {"Near": near, "Far": far}}, handlers={"*": lambda _: {}}
    )
    assert execution.error == "States.Runtime"
    assert ELSEWHERE in str(execution.cause)
