"""A request against the table of its limits, refused in the words that AWS was recorded with.

"1 validation error detected: Value 'V' at 'member' failed to satisfy constraint: Member must …"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from doorstep.engine.identity import is_name
from doorstep.errors import ApiError, shortened

from ..errors import invalid_arn, invalid_name, invalid_request, invalid_token
from .limits import REQUESTS, Flag, Group, Limit, Many, Number, Text

_NO_IDENTIFIER = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no ARN and no token has: they are keys of the store."""
_TEXT = r"[^\ud800-\udfff]*"
"""A text that can be sent: without half surrogate pairs. AWS's model has no pattern for these."""
_SHOWN = 4_096
"""Characters of a value that a message repeats: AWS was recorded repeating tokens of 3,097."""
_LARGEST = 2**63 - 1
"""The largest whole number of AWS's model, a long."""
_TYPES: dict[type[Limit], tuple[type, ...]] = {
    Text: (str,),
    Number: (int, float),
    Flag: (bool,),
    Group: (dict,),
    Many: (list,),
}


def validate(operation: str, request: Any) -> dict[str, Any]:
    """The request's members, null ones left out.

    Raises ApiError: SerializationException for a value of another type, ValidationException for
    one outside of its limits.
    """
    table = REQUESTS[operation]
    if not isinstance(request, dict):
        raise _unreadable("the request", "an object")
    given = {name: value for name, value in request.items() if value is not None}
    problems = list(_group(table, given, ""))
    if problems:
        errors = "error" if len(problems) == 1 else "errors"
        detected = f"{len(problems)} validation {errors} detected: "
        raise invalid_request(detected + "; ".join(problems))
    return {name: value for name, value in given.items() if name in table.members}


def check_name(name: str) -> str:
    """A name of a machine, an activity or an execution; raises InvalidName."""
    if not is_name(name):
        raise invalid_name(name)
    return name


def check_encryption(given: dict[str, Any] | None) -> None:
    """An encryptionConfiguration; raises InvalidEncryptionConfiguration."""
    if given and given["type"] == "CUSTOMER_MANAGED_KMS_KEY" and "kmsKeyId" not in given:
        told = "Invalid Encryption Configuration: kmsKeyId must be specified for a customer's key"
        raise ApiError("InvalidEncryptionConfiguration", told)


def _group(table: Group, value: dict[str, Any], at: str) -> Iterator[str]:
    for name, limit in table.members.items():
        member = value.get(name)
        if member is not None:
            yield from _value(limit, member, at + name)
        elif name in table.required:
            told = f"Value null at '{at}{name}' failed to satisfy constraint"
            yield f"{told}: Member must not be null"


def _value(limit: Limit, value: Any, at: str) -> Iterator[str]:
    if not _is_a(limit, value):
        raise _unreadable(f"'{at}'", type(limit).__name__.lower())
    if isinstance(limit, Text):
        _check_characters(limit, value)
    constraint = _constraint(limit, value)
    if constraint:
        secret = isinstance(limit, Text) and limit.secret
        shown = "Value" if secret else f"Value '{_shown(limit, value)}'"
        yield f"{shown} at '{at}' failed to satisfy constraint: Member must {constraint}"
    if isinstance(limit, Group):
        yield from _group(limit, value, f"{at}.")
    if isinstance(limit, Many):
        for number, member in enumerate(value, start=1):
            yield from _value(limit.member, member, f"{at}.{number}.member")


def _check_characters(limit: Text, value: str) -> None:
    """Raise InvalidArn or InvalidToken for characters that neither can have."""
    if limit.of in ("arn", "token") and _NO_IDENTIFIER.search(value):
        shown = shortened(value, _SHOWN)
        raise invalid_arn(f"Invalid characters: {shown}") if limit.of == "arn" else invalid_token()


def _is_a(limit: Limit, value: Any) -> bool:
    if isinstance(limit, Number):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return not limit.whole or (abs(value) <= _LARGEST and int(value) == value)
    return isinstance(value, _TYPES[type(limit)])


def _constraint(limit: Limit, value: Any) -> str | None:
    match limit:
        case Text():
            return _text(limit, value)
        case Number():
            if limit.least is not None and value < limit.least:
                return f"have value greater than or equal to {limit.least}"
            if limit.most is not None and value > limit.most:
                return f"have value less than or equal to {limit.most}"
        case Many():
            return _length(limit.least, limit.most, len(value))
    return None


def _text(limit: Text, value: str) -> str | None:
    if limit.values and value not in limit.values:
        return f"satisfy enum value set: [{', '.join(limit.values)}]"
    if wrong := _length(limit.least, limit.most, len(value)):
        return wrong
    pattern = limit.pattern or (_TEXT if limit.of == "text" else None)
    if pattern and not re.fullmatch(pattern, value):
        return f"satisfy regular expression pattern: {pattern}"
    return None


def _length(least: int, most: int | None, length: int) -> str | None:
    if length < least:
        return f"have length greater than or equal to {least}"
    if most is not None and length > most:
        return f"have length less than or equal to {most}"
    return None


def _shown(limit: Limit, value: Any) -> str:
    """Return a value as Java prints it, or its beginning."""
    return shortened(_as_java(limit, value), _SHOWN)


def _as_java(limit: Limit, value: Any) -> str:
    """Return a value with lists in brackets, and objects with the names of their classes."""
    match limit:
        case Many():
            return f"[{', '.join(_as_java(limit.member, member) for member in value)}]"
        case Group():
            members = (f"{name}={member}" for name, member in value.items())
            return f"{limit.name}({', '.join(members)})"
    return str(value)


def _unreadable(what: str, wanted: str) -> ApiError:
    return ApiError("SerializationException", f"The value of {what} is not a {wanted}.")
