"""A test's project and services: what they have at its beginning, and should have at its end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...definitions.config_schema import Record
from ...errors import InputError
from ...project import at_work, to_stderr
from ...services import AtWork, HttpCalls, Target
from ...values.json_values import ABSENT, dumps
from ..conditions import made
from .expectations import Unmet, differing
from .files import Test

_MEMBERS = ("tables", "messages", "objects")
_TYPES = {"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"}


@contextlib.contextmanager
def around(test: Test) -> Iterator[AtWork | None]:
    """Make what a test names: its project at work, an empty target of services, what it has."""
    project, services = test.project, test.get("services")
    if project is None and services is None:
        yield None
        return
    target = Target(services) if services else None
    settings = test.suite.settings
    http = HttpCalls(settings.allow_hosts, settings.connections)
    with at_work(project, target, to_stderr, http=http) as all_around:
        _fill(test.record, all_around.services)
        yield all_around.services


def _fill(record: Record, services: AtWork) -> None:
    for name, items in record.get("tables", {}).items():
        place = record.source.at("tables").at(name)
        with _blamed(place):
            for item in items:
                attributes = to_attributes(made(item))
                services.client("dynamodb").put_item(TableName=name, Item=attributes)
    for path, value in record.get("objects", {}).items():
        bucket, _, key = path.partition("/")
        body = made(value)
        with _blamed(record.source.at("objects").at(path)):
            s3 = services.client("s3")
            with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                s3.create_bucket(Bucket=bucket)
            text = body if isinstance(body, str) else dumps(body)
            s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


@contextlib.contextmanager
def _blamed(place: Any) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as problem:
        raise place.problem(str(problem)) from problem


def check_services(expect: Record | None, services: AtWork | None) -> Iterator[Unmet]:
    """Yield what is not in tables, queues and buckets as expected."""
    for member in _MEMBERS if expect else ():
        assert expect
        for name, wanted in expect.get(member, {}).items():
            place = expect.source.at(member).at(name)
            if services is None or services.target is None:
                raise place.problem("there are no services; name them with `services: moto`")
            with _blamed(place):
                found = _FOUND[member](services, name)
            if found is ABSENT and wanted is None:
                continue
            yield from differing(place, f"{member} {name}", wanted, found, partial=False)


def _items(services: AtWork, name: str) -> Any:
    dynamodb = services.client("dynamodb")
    keys = [
        one["AttributeName"]
        for one in dynamodb.describe_table(TableName=name)["Table"]["KeySchema"]
    ]
    pages = dynamodb.get_paginator("scan").paginate(TableName=name)
    items = [from_attributes(item) for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: [(isinstance(item[k], str), item[k]) for k in keys])


def _messages(services: AtWork, name: str) -> Any:
    """Return the bodies, JSON as its value; what was received before and not deleted is away."""
    sqs = services.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    bodies: list[Any] = []
    while True:
        received = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages", [])
        if not received:
            return bodies
        bodies += [_value(one["Body"]) for one in received]


def _object(services: AtWork, path: str) -> Any:
    bucket, _, key = path.partition("/")
    s3 = services.client("s3")
    try:
        return _value(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        return ABSENT


_FOUND = {"tables": _items, "messages": _messages, "objects": _object}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def to_attributes(item: Any) -> dict[str, Any]:
    """Return an item in DynamoDB's JSON; one that is written so already stays."""
    if not isinstance(item, Mapping):
        raise InputError(f"an item is an object, not {item!r:.40}")
    return {name: _attribute(value) for name, value in item.items()}


def _attribute(value: Any) -> dict[str, Any]:
    match value:
        case dict() if len(value) == 1 and next(iter(value)) in _TYPES:
            return value
        case dict():
            return {"M": to_attributes(value)}
        case list():
            return {"L": [_attribute(one) for one in value]}
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case str():
            return {"S": value}
    return {"N": str(value)}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of DynamoDB as plain JSON: sets as sorted lists, binaries as text."""
    return {name: _plain(value) for name, value in item.items()}


def _plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "M":
            return from_attributes(value)
        case "L":
            return [_plain(one) for one in value]
        case "N":
            return json.loads(value)
        case "NS":
            return sorted(json.loads(one) for one in value)
        case "SS":
            return sorted(value)
        case "NULL":
            return None
        case "B":
            return bytes(value).decode(errors="replace")
    return value
