"""What the commands share that talk to a server: its address, and one request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

from .output import Problem

_SECONDS = 30

endpoint_option = click.option(
    "--endpoint",
    "endpoint",
    envvar="DOORSTEP_ENDPOINT",
    default="http://127.0.0.1:8083",
    show_default=True,
    help="URL of the server (`doorstep serve`); DOORSTEP_ENDPOINT in the environment.",
)


class Remote:
    """A running server."""

    def __init__(self, endpoint: str, clock: str | None = None) -> None:
        """`clock`: of the executions that it is asked to start."""
        if not endpoint.startswith(("http://", "https://")):
            raise Problem(f"--endpoint {endpoint!r} is no URL; write http://127.0.0.1:8083")
        self.endpoint = endpoint
        self._headers = {} if clock is None else {"X-Doorstep-Clock": clock}

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        """The answer to an operation of the API; a Problem when it is refused."""
        members = {name: value for name, value in request.items() if value is not None}
        headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}", **self._headers}
        asked = Request(self.endpoint, json.dumps(members).encode(), headers, method="POST")
        try:
            with urlopen(asked, timeout=_SECONDS) as answer:
                told: dict[str, Any] = json.load(answer)
                return told
        except HTTPError as refused:
            raise Problem(_reason(refused)) from None
        except (URLError, TimeoutError, ValueError) as problem:
            reason = getattr(problem, "reason", problem)
            told_where = f"no server answers at {self.endpoint} ({reason})"
            raise Problem(f"{told_where}; start one with `doorstep serve`") from None

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[dict[str, Any]]:
        """All items of a list."""
        token = None
        while True:
            page = self.ask(operation, **request, nextToken=token)
            yield from page[member]
            token = page.get("nextToken")
            if token is None:
                return

    def execution(self, name: str) -> str:
        """The ARN of an execution that is named by its ARN or by MACHINE:NAME."""
        if name.startswith("arn:"):
            return name
        machine, colon, execution = name.partition(":")
        if not colon:
            raise Problem(f"{name!r} is neither an execution's ARN nor MACHINE:NAME")
        return f"{self.machine(machine).replace(':stateMachine:', ':execution:')}:{execution}"

    def machine(self, name: str) -> str:
        """The ARN of a state machine that is named by its ARN or its name."""
        if name.startswith("arn:"):
            return name
        machines = self.pages("ListStateMachines", "stateMachines")
        arns = [str(one["stateMachineArn"]) for one in machines if one["name"] == name]
        if not arns:
            raise Problem(f"there is no state machine {name!r}")
        if len(arns) > 1:
            raise Problem(f"{name!r} may be one of: {', '.join(arns)}; write its ARN")
        return arns[0]


def _reason(refused: HTTPError) -> str:
    try:
        told = json.load(refused)
        return f"{told['__type']}: {told['message']}"
    except (ValueError, KeyError, TypeError):
        return f"the server answers {refused.code}; is it Doorstep's?"
