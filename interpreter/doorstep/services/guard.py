"""Keeps code in handlers from reaching a real account while the target of services is local."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from typing import Any

_AWS = re.compile(
    r"(^|\.)(amazonaws\.com|amazonaws\.com\.cn|api\.aws|api\.amazonwebservices\.com\.cn"
    r"|aws\.dev|c2s\.ic\.gov|sc2s\.sgov\.gov)\.?$",
    re.IGNORECASE,
)
_METADATA = {"169.254.169.254", "169.254.170.2", "fd00:ec2::254"}
"""Where machines of AWS get credentials."""
_DUMMY = {
    "AWS_ACCESS_KEY_ID": "doorstep",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SECRET_ACCESS_KEY": "doorstep",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_REAL = (
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""Variables that would lead to a real account."""


class RealAccountError(RuntimeError):
    """A host of AWS was asked for while the target of services is a local one.

    No OSError: clients would try those again, and hide what they say.
    """


@contextlib.contextmanager
def no_real_account(region: str) -> Iterator[None]:
    """Take real credentials out of the environment, and refuse to look up hosts of AWS.

    Of this process, for a while; processes that are started in it get dummy credentials only.
    """
    variables = {**_DUMMY, "AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    resolve = socket.getaddrinfo

    def guarded(host: Any, *more: Any, **options: Any) -> Any:
        name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
        if _AWS.search(name) or name in _METADATA:
            raise RealAccountError(
                f"{name} is AWS itself, and services are answered on this machine here; use the "
                "client without an endpoint of its own, or say --allow-network (in Python: "
                "Target(…, allow_network=True))"
            )
        return resolve(host, *more, **options)

    with environment(variables, without=_REAL):
        socket.getaddrinfo = guarded
        try:
            yield
        finally:
            socket.getaddrinfo = resolve


@contextlib.contextmanager
def environment(variables: dict[str, str], without: tuple[str, ...] = ()) -> Iterator[None]:
    """Set variables, and take others out, for a while."""
    before = {name: os.environ.get(name) for name in (*variables, *without)}
    for name in without:
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
