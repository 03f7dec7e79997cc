"""Parameters into what botocore takes, and its answers into what Step Functions shows."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ..model.api_models import spellings
from .families import Family, compact


class UnknownMemberError(Exception):
    """A parameter that the API does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f'The field "{name}" is not supported by Step Functions')


def to_botocore(value: Any, shape: Any) -> Any:
    """Return parameters in the model's own spelling and types.

    An object, list, number or boolean where the API has text becomes compact JSON (recorded for
    SQS, SNS, EventBridge). Null members are left out: botocore can't send them. Raises
    UnknownMemberError.
    """
    if shape is None or value is None:
        return value
    convert = _INTO.get(shape.type_name)
    return convert(value, shape) if convert else value


def _into_structure(value: Any, shape: Any) -> Any:
    if getattr(shape, "is_document_type", False) or not isinstance(value, dict):
        return value
    names = {spelling: name for name in shape.members for spelling in spellings(name)}
    converted = {}
    for name, member in value.items():
        if name not in names:
            raise UnknownMemberError(name)
        if member is not None:
            own = names[name]
            converted[own] = to_botocore(member, shape.members[own])
    return converted


def _into_list(value: Any, shape: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [to_botocore(item, shape.member) for item in value]


def _into_map(value: Any, shape: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: to_botocore(member, shape.value) for name, member in value.items()}


def _into_text(value: Any, _shape: Any) -> Any:
    return value if isinstance(value, str) else compact(value)


def _into_bytes(value: Any, _shape: Any) -> bytes:
    return (value if isinstance(value, str) else compact(value)).encode()


def _into_moment(value: Any, _shape: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


_INTO: Mapping[str, Callable[[Any, Any], Any]] = {
    "structure": _into_structure,
    "list": _into_list,
    "map": _into_map,
    "string": _into_text,
    "blob": _into_bytes,
    "timestamp": _into_moment,
}


def from_botocore(value: Any, shape: Any, family: Family, *, inside: bool = False) -> Any:
    """Return an answer as Step Functions shows it: JSON, members in order of their names.

    Moments are ISO text in `aws-sdk:` integrations, milliseconds since 1970 in optimized ones.
    `inside`: of a DynamoDB attribute value, where `BOOL` is spelled `Bool` (reported).
    """
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes | bytearray):
        return _text_of(bytes(value))
    if isinstance(value, datetime):
        return _moment(value, family.sdk)
    if isinstance(value, list):
        member = getattr(shape, "member", None)
        return [from_botocore(item, member, family, inside=inside) for item in value]
    if isinstance(value, dict):
        return dict(sorted(_members(value, shape, family, inside)))
    return value


def _members(
    value: Mapping[str, Any], shape: Any, family: Family, inside: bool
) -> list[tuple[str, Any]]:
    if getattr(shape, "type_name", "") == "map":
        return [
            (key, from_botocore(one, shape.value, family, inside=inside))
            for key, one in value.items()
        ]
    members = getattr(shape, "members", {})
    attribute = getattr(shape, "name", "") == "AttributeValue"
    spell = str if attribute and not inside else family.spell
    return [
        (spell(name), from_botocore(member, members.get(name), family, inside=attribute))
        for name, member in value.items()
    ]


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()  # not known of AWS; nothing is lost this way


def _moment(value: datetime, sdk: bool) -> Any:
    moment = value.astimezone(UTC)
    if not sdk:
        return round(moment.timestamp() * 1000)
    digits = "seconds" if not moment.microsecond else "milliseconds"
    return moment.isoformat(timespec=digits).replace("+00:00", "Z")
