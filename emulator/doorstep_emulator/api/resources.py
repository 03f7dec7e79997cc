"""What state machines and activities have in common: names, encryption, tags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from doorstep.engine.identity import is_name
from doorstep.errors import ApiError
from doorstep.model.aws_errors import Refusal, invalid_name, invalid_request, no_resource

from ..arns import Caller, parse
from ..catalogue import Activity, StoredMachine
from ..dispatch import Operations
from ..server import Server
from ..store.peers import Members

_TAGS = 50
"""That a resource may have (fact 465)."""
_CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")


def check_name(name: str) -> str:
    """Return a machine's, activity's or execution's name; raise InvalidName (fact 451)."""
    if not is_name(name):
        raise invalid_name(name)
    return name


def check_encryption(configuration: dict[str, Any] | None) -> None:
    """Refuse a customer's key without its id: InvalidEncryptionConfiguration (fact 466)."""
    if not configuration or "kmsKeyId" in configuration:
        return
    if configuration["type"] == "CUSTOMER_MANAGED_KMS_KEY":
        message = (
            "Invalid Encryption Configuration: kmsKeyId must be specified for a customer's key"
        )
        raise ApiError("InvalidEncryptionConfiguration", message)


def add_tags(thing: StoredMachine | Activity, tags: Sequence[dict[str, str]]) -> None:
    """Add tags, replacing those with the same keys (fact 465)."""
    together = thing.tags | {tag.get("key", ""): tag.get("value", "") for tag in tags}
    for key in together:
        if not key or key.lower().startswith("aws:"):
            raise invalid_request(
                f"Tag keys can't be empty or begin with 'aws:'. Received: '{key}'"
            )
        if not _CHARACTERS.fullmatch(key + together[key]):
            raise invalid_request(
                "Tags may only contain letters, digits, white space and _ . : / = + - @. "
                f"Received: '{key}'"
            )
    if len(together) > _TAGS:
        message = f"A resource can't have more than {_TAGS} tags."
        raise Refusal("TooManyTags", message, resourceName=thing.arn)
    thing.tags = together


def tag_resource(server: Server, caller: Caller, request: Members) -> Members:
    """TagResource (fact 465)."""
    thing = _thing(server, request)
    add_tags(thing, request["tags"])
    server.catalogue.save(thing)
    return {}


def untag_resource(server: Server, caller: Caller, request: Members) -> Members:
    """UntagResource; keys that it does not have are no error (fact 465)."""
    thing = _thing(server, request)
    keys = set(request["tagKeys"])
    thing.tags = {key: value for key, value in thing.tags.items() if key not in keys}
    server.catalogue.save(thing)
    return {}


def list_tags(server: Server, caller: Caller, request: Members) -> Members:
    """ListTagsForResource (fact 465)."""
    tags = _thing(server, request).tags
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _thing(server: Server, request: Members) -> StoredMachine | Activity:
    """Return what an unqualified ARN names; versions and aliases have no tags (fact 465)."""
    arn = parse(request["resourceArn"], "stateMachine", "activity").text
    thing = server.catalogue.machines.get(arn) or server.catalogue.activities.get(arn)
    if thing is None:
        raise no_resource(arn)
    return thing


OPERATIONS: Operations = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags,
}
