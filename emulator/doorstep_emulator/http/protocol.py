"""AWS JSON 1.0: `X-Amz-Target: AWSStepFunctions.Operation`, a JSON object each way (fact 450).

Whoever signs a request is let in; its signature says the region, and the account when the access
key is an account's number.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorstep.errors import ApiError, InputError, shortened
from doorstep.model.aws_errors import invalid_output
from doorstep.model.aws_model import REQUESTS, check_request
from doorstep.values.json_values import encoded, loads, text_of

from ..arns import Caller
from ..errors import Unavailable

log = logging.getLogger("doorstep")
CONTENT_TYPE = "application/x-amz-json-1.0"
PREFIX = "AWSStepFunctions."
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([a-z0-9-]{1,32})/")
_REPEATED = 256
"""Characters of a header that a message repeats."""
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def unknown_operation(target: str | None) -> ApiError:
    """Return UnknownOperationException for an X-Amz-Target (fact 450)."""
    message = f"X-Amz-Target has to be {PREFIX}OPERATION; it is "
    return ApiError("UnknownOperationException", message + shortened(repr(target), _REPEATED))


def operation_of(target: str) -> str:
    """Return the operation that X-Amz-Target names; raise `unknown_operation`."""
    operation = target.removeprefix(PREFIX)
    if operation not in REQUESTS:
        raise unknown_operation(target)
    return operation


def caller_of(headers: Mapping[str, str], default: Caller) -> Caller:
    """Return who makes a request."""
    clock = headers.get("x-doorstep-clock")
    credential = _CREDENTIAL.search(headers.get("authorization", ""))
    if credential is None:
        return replace(default, clock=clock, everywhere=True)
    key, region = credential.groups()
    return Caller(key if _ACCOUNT.fullmatch(key) else default.account, region, clock)


def read(operation: str, body: bytes) -> dict[str, Any]:
    """Return the request in a body; raise ApiError as `check_request` does."""
    try:
        value = loads(body.decode("utf-8")) if body else {}
    except (InputError, UnicodeDecodeError) as problem:
        raise ApiError("SerializationException", str(problem)) from None
    return check_request(operation, value)


def text(body: bytes) -> str:
    """Return the output in a callback's body; raise ApiError InvalidOutput if it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as problem:
        raise invalid_output(problem.reason) from None


def written(outcome: Any) -> tuple[int, bytes]:
    """Return status and body of an answer, or of the exception that is one (fact 450)."""
    if isinstance(outcome, ApiError):
        members: Mapping[str, str] = getattr(outcome, "members", {})
        status = 503 if isinstance(outcome, Unavailable) else 400
        return status, encoded({"__type": outcome.code, "message": str(outcome), **members})
    if isinstance(outcome, BaseException):
        log.error("a request could not be answered", exc_info=outcome)
        message = f"{type(outcome).__name__}: {outcome}"
        return 500, encoded({"__type": "InternalServerError", "message": message})
    try:
        return 200, text_of(outcome).encode()
    except UnicodeEncodeError:
        return 200, encoded(outcome)
    except InputError as problem:
        return written(problem)
