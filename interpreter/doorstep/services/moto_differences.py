"""What a stand-in of AWS accepts or words otherwise, put right where AWS's rule is known.

Before a call: what AWS refuses and moto takes, or breaks on (a required member that is null is a
KeyError there). After a call: names, statuses, texts and members of the answer. Sources: recorded
on AWS for SQS's MissingParameter, DynamoDB's null members and names of tables, SNS's topics, the
details of EventBridge, and the members of S3's answers; reported for SSM and Secrets Manager; the
text for null members of other JSON services by analogy with DynamoDB's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..model.api_models import spellings

Parameters = dict[str, Any]
_TABLE_NAME = r"[a-zA-Z0-9_.-]+"


class Refusal(NamedTuple):
    """An error as a service answers it."""

    code: str
    message: str
    status: int = 400


def refusal(service: str, operation: str, parameters: Parameters, shape: Any) -> Refusal | None:
    """Return what AWS answers to parameters that it refuses; None when they may be sent.

    `service`: botocore's name; `parameters` in the spelling of the state.
    """
    missing = [
        name
        for name in getattr(shape, "required_members", ())
        if all(parameters.get(spelling) is None for spelling in spellings(name))
    ]
    if missing:
        return _missing(service, missing)
    rule = _REFUSED.get((service, operation))
    return rule(parameters) if rule else None


def _missing(service: str, names: list[str]) -> Refusal:
    if service == "sqs":
        return Refusal("MissingParameter", f"The request must contain the parameter {names[0]}.")
    if service == "sns":
        return Refusal("InvalidParameter", f"Invalid parameter: {_SNS.get(names[0], names[0])}")
    parts = [
        f"Value null at '{name[:1].lower()}{name[1:]}' failed to satisfy constraint: "
        "Member must not be null"
        for name in names
    ]
    return _constraints(parts)


_SNS = {"Message": "Empty message"}


def _constraints(parts: list[str]) -> Refusal:
    number = f"{len(parts)} validation error{'s' if len(parts) > 1 else ''} detected: "
    return Refusal("ValidationException", number + "; ".join(parts))


def _table_name(parameters: Parameters) -> Refusal | None:
    name = parameters.get("TableName")
    if isinstance(name, str) and not name.startswith("arn:"):
        if re.fullmatch(_TABLE_NAME, name):
            return None
        constraint = f"Member must satisfy regular expression pattern: {_TABLE_NAME}"
        return _constraints(
            [f"Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}"]
        )
    return None


def _message_body(parameters: Parameters) -> Refusal | None:
    return None if parameters["MessageBody"] != "" else _missing("sqs", ["MessageBody"])


def _publication(parameters: Parameters) -> Refusal | None:
    topic = str(parameters.get("TopicArn") or parameters.get("TargetArn") or "")
    if parameters["Message"] == "":
        return _missing("sns", ["Message"])
    if topic.endswith(".fifo") and not parameters.get("MessageGroupId"):
        needed = "The MessageGroupId parameter is required for FIFO topics"
        return Refusal("InvalidParameter", f"Invalid parameter: {needed}")
    return None


def _secret_name(parameters: Parameters) -> Refusal | None:
    # Recorded.
    if re.fullmatch(r"[A-Za-z0-9/_+=.@!-]+", str(parameters["Name"])):
        return None
    return Refusal(
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
        "following: -/_+=.@!",
    )


_REFUSED: Mapping[tuple[str, str], Callable[[Parameters], Refusal | None]] = {
    **{
        ("dynamodb", operation): _table_name
        for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")
    },
    ("secretsmanager", "CreateSecret"): _secret_name,
    ("sns", "Publish"): _publication,
    ("sqs", "SendMessage"): _message_body,
}


# Entries of EventBridge --------------------------------------------------------------------------


def failed_entries(parameters: Parameters) -> dict[int, dict[str, str]]:
    """Return the entries of PutEvents that EventBridge refuses and moto delivers, by index."""
    return {
        index: {"ErrorCode": code, "ErrorMessage": message}
        for index, entry in enumerate(parameters.get("Entries") or ())
        if isinstance(entry, dict)
        for code, message in _wrong(entry)
    }


def _wrong(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    detail = entry.get("Detail")
    if detail is not None and not _is_object(detail):
        yield "MalformedDetail", "Detail is malformed."
    elif str(entry.get("Source", "")).startswith("aws."):
        yield "NotAuthorizedForSource", "Not authorized for the source."


def _is_object(detail: Any) -> bool:
    if not isinstance(detail, str):
        return isinstance(detail, dict)
    try:
        return isinstance(json.loads(detail), dict)
    except ValueError:
        return True  # every target refuses what is no JSON, in its own words


def with_failed(response: Mapping[str, Any], failed: Mapping[int, Any]) -> dict[str, Any]:
    """Return PutEvents' answer with the entries that were not sent, each in its place."""
    entries = list(response.get("Entries", ()))
    for index in sorted(failed):
        entries.insert(index, failed[index])
    number = int(response.get("FailedEntryCount", 0)) + len(failed)
    return {**response, "Entries": entries, "FailedEntryCount": number}


# Answers -----------------------------------------------------------------------------------------


def corrected_error(service: str, response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return moto's error as AWS has it."""
    error = dict(response.get("Error", {}))
    change = _ERRORS.get((service, str(error.get("Code", "")).rpartition("#")[2]))
    if change is None:
        return response
    status, message = change
    meta = {**response.get("ResponseMetadata", {}), "HTTPStatusCode": status}
    return {
        **response,
        "Error": {**error, "Message": error.get("Message") if message is None else message},
        "ResponseMetadata": meta,
    }


_ERRORS: Mapping[tuple[str, str], tuple[int, str | None]] = {
    ("secretsmanager", "ResourceNotFoundException"): (400, None),
    ("sns", "NotFound"): (404, "Topic does not exist"),
    ("ssm", "ParameterNotFound"): (400, ""),
}
"""The status, and the message where moto's differs; SSM sends none."""


def corrected(
    service: str, operation: str, parameters: Parameters, response: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return moto's answer with the members that AWS's has."""
    change = _ANSWERS.get((service, operation))
    return change(parameters, dict(response)) if change else response


def _unasked(parameters: Parameters, response: dict[str, Any]) -> dict[str, Any]:
    """Leave out the capacity that nobody asked for."""
    if not parameters.get("ReturnConsumedCapacity"):
        response.pop("ConsumedCapacity", None)
    if not parameters.get("ReturnItemCollectionMetrics"):
        response.pop("ItemCollectionMetrics", None)
    return response


def _got(parameters: Parameters, response: dict[str, Any]) -> dict[str, Any]:
    if not parameters.get("ChecksumMode"):
        response.pop("ChecksumCRC32", None)
    return {"ServerSideEncryption": "AES256", **response}


def _put(_parameters: Parameters, response: dict[str, Any]) -> dict[str, Any]:
    return {"ChecksumType": "FULL_OBJECT", "ServerSideEncryption": "AES256", **response}


_ANSWERS: Mapping[tuple[str, str], Callable[[Parameters, dict[str, Any]], dict[str, Any]]] = {
    ("dynamodb", "TransactWriteItems"): _unasked,
    ("dynamodb", "UpdateItem"): _unasked,
    ("s3", "GetObject"): _got,
    ("s3", "PutObject"): _put,
}
