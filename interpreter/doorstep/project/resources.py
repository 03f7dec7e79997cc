"""Makes a project's tables, queues, topics … in the target of its services before the first run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from .project import Omission, Resource


class Clients(Protocol):
    """Gives boto3 clients of a target."""

    def client(self, service: str) -> Any:
        """Return a client, by botocore's name of the service."""


def create(resources: Iterable[Resource], clients: Clients) -> list[Omission]:
    """Make each resource of a known type; return those that the target refused, with its words."""
    omissions = []
    for resource in sorted(
        resources, key=lambda one: MADE.index(one.type) if one.type in MADE else 99
    ):
        make = _MAKERS.get(resource.type)
        if make is None:
            continue
        try:
            make(resource, clients)
        except Exception as problem:  # noqa: BLE001  the target's, or a gap in it
            omissions.append(Omission(resource.name, f"{resource.type} was not made: {problem}"))
    return omissions


_ROLE = "arn:aws:iam::123456789012:role/doorstep"
"""In place of a role that the template leaves to the framework."""


def _pick(resource: Resource, *names: str) -> dict[str, Any]:
    return {name: resource.properties[name] for name in names if name in resource.properties}


def _table(resource: Resource, clients: Clients) -> None:
    arguments = _pick(
        resource,
        *("KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"),
        *("ProvisionedThroughput", "StreamSpecification"),
    )
    if resource.type == "AWS::Serverless::SimpleTable":
        key = resource.properties.get("PrimaryKey") or {"Name": "id", "Type": "String"}
        kind = {"String": "S", "Number": "N", "Binary": "B"}[key.get("Type", "String")]
        arguments["KeySchema"] = [{"AttributeName": key["Name"], "KeyType": "HASH"}]
        arguments["AttributeDefinitions"] = [{"AttributeName": key["Name"], "AttributeType": kind}]
    if "StreamSpecification" in arguments:
        arguments["StreamSpecification"] = {"StreamEnabled": True} | arguments[
            "StreamSpecification"
        ]
    if "ProvisionedThroughput" not in arguments:
        arguments["BillingMode"] = "PAY_PER_REQUEST"
    clients.client("dynamodb").create_table(TableName=resource.name, **arguments)


_NOT_ATTRIBUTES = {"QueueName", "Tags", "FifoQueue"}


def _queue(resource: Resource, clients: Clients) -> None:
    attributes = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in resource.properties.items()
        if name not in _NOT_ATTRIBUTES
    }
    if resource.name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    clients.client("sqs").create_queue(QueueName=resource.name, Attributes=attributes)


def _topic(resource: Resource, clients: Clients) -> None:
    sns = clients.client("sns")
    attributes = {"FifoTopic": "true"} if resource.name.endswith(".fifo") else {}
    arn = sns.create_topic(Name=resource.name, Attributes=attributes)["TopicArn"]
    for one in resource.properties.get("Subscription", ()):
        sns.subscribe(TopicArn=arn, Protocol=one["Protocol"], Endpoint=one["Endpoint"])


def _subscription(resource: Resource, clients: Clients) -> None:
    arguments = _pick(resource, "TopicArn", "Protocol", "Endpoint")
    clients.client("sns").subscribe(**arguments)


def _bucket(resource: Resource, clients: Clients) -> None:
    clients.client("s3").create_bucket(Bucket=resource.name)


def _secret(resource: Resource, clients: Clients) -> None:
    generated = resource.properties.get("GenerateSecretString") or {}
    text = resource.properties.get("SecretString")
    if text is None:
        template = json.loads(generated.get("SecretStringTemplate", "{}"))
        key = generated.get("GenerateStringKey")
        text = json.dumps({**template, key: "doorstep"}) if key else "doorstep"
    clients.client("secretsmanager").create_secret(Name=resource.name, SecretString=text)


def _parameter(resource: Resource, clients: Clients) -> None:
    arguments = _pick(resource, "Type", "Value", "Description")
    clients.client("ssm").put_parameter(Name=resource.name, **arguments)


def _bus(resource: Resource, clients: Clients) -> None:
    clients.client("events").create_event_bus(Name=resource.name)


def _rule(resource: Resource, clients: Clients) -> None:
    events = clients.client("events")
    arguments = _pick(resource, "ScheduleExpression", "State", "EventBusName", "Description")
    pattern = resource.properties.get("EventPattern")
    if pattern is not None:
        arguments["EventPattern"] = json.dumps(pattern)
    events.put_rule(Name=resource.name, **arguments)
    targets = resource.properties.get("Targets")
    if targets:
        bus = _pick(resource, "EventBusName")
        events.put_targets(Rule=resource.name, Targets=targets, **bus)


def _schedule_group(resource: Resource, clients: Clients) -> None:
    clients.client("scheduler").create_schedule_group(Name=resource.name)


def _schedule(resource: Resource, clients: Clients) -> None:
    arguments = _pick(
        resource,
        *("GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate", "EndDate"),
        *("State", "Description"),
    )
    clients.client("scheduler").create_schedule(
        Name=resource.name,
        FlexibleTimeWindow=resource.properties.get("FlexibleTimeWindow", {"Mode": "OFF"}),
        Target={"RoleArn": _ROLE, **resource.properties.get("Target", {})},
        **arguments,
    )


def _key(resource: Resource, clients: Clients) -> None:
    clients.client("kms").create_key(Description=str(resource.properties.get("Description", "")))


def _stream(resource: Resource, clients: Clients) -> None:
    shards = int(resource.properties.get("ShardCount", 1))
    clients.client("kinesis").create_stream(StreamName=resource.name, ShardCount=shards)


_MAKERS: Mapping[str, Callable[[Resource, Clients], None]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Serverless::SimpleTable": _table,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _topic,
    "AWS::S3::Bucket": _bucket,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SSM::Parameter": _parameter,
    "AWS::KMS::Key": _key,
    "AWS::Kinesis::Stream": _stream,
    "AWS::Events::EventBus": _bus,
    "AWS::Events::Rule": _rule,
    "AWS::Scheduler::ScheduleGroup": _schedule_group,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SNS::Subscription": _subscription,
}
"""In the order in which they are made: what refers to another comes after it."""
MADE = tuple(_MAKERS)
"""The types of resources that are made, in that order."""
