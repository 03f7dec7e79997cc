"""Step Functions of an AWS account, or of a server, asked by boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import AccountError

_TO_FETCH = (
    "states:GetExecutionHistory, "
    "states:DescribeStateMachineForExecution, states:ListExecutions and states:DescribeMapRun"
)
_MOST_EVENTS = 1_000
"""Of a page: the most that GetExecutionHistory allows."""
_SOON = 3
"""Seconds in which a connection is made, where it is not worth more."""
HINTS = {
    "ExecutionDoesNotExist": "look at its Region, its account, and whether 90 days are over",
    "StateMachineTypeNotSupported": "Express executions have no history: give the log lines of "
    "CloudWatch Logs instead",
    "ExpiredTokenException": "sign in again: aws sso login",
    "ThrottlingException": "other work of the account uses up the rate; try again later",
    "UnrecognizedClientException": "sign in again, or set AWS_PROFILE",
}


def account_of(
    endpoint: str | None, region: str | None, needs: str = _TO_FETCH, *, patient: bool = True
) -> Account:
    """Return what answers at a URL, or the account that AWS's configuration names.

    `region`: None for the configuration's. `needs`: the permissions that a refusal names.
    `patient`: ask again where nothing answers, for a minute or more. Raises AccountError for a
    configuration or a URL that can't be used.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError:
        message = "executions of an account need boto3: pip install 'doorstep[aws]'"
        raise AccountError(message) from None
    local: dict[str, str] = {}
    # TestState's host begins with `sync-`, which another server's name does not have.
    config = Config(
        retries={"mode": "standard", "max_attempts": 8 if patient else 1},
        connect_timeout=60 if patient else _SOON,
        inject_host_prefix=endpoint is None,
    )
    try:
        session = boto3.session.Session()
        if endpoint and not session.get_credentials():
            local = {"aws_access_key_id": "doorstep", "aws_secret_access_key": "doorstep"}
        client = session.client(
            "stepfunctions", region_name=region, endpoint_url=endpoint, config=config, **local
        )
    except BotoCoreError as problem:
        what = str(problem).rstrip(".")
        message = f"AWS's configuration can't be used: {what}; set AWS_PROFILE or AWS_REGION"
        raise AccountError(message) from None
    except ValueError as problem:
        raise AccountError(f"{problem}; expected a URL such as http://localhost:8083") from None
    return Account(client, needs)


class Account:
    """Asks Step Functions; `client` is boto3's."""

    def __init__(self, client: Any, needs: str = _TO_FETCH) -> None:
        """`needs`: the permissions that a refusal names."""
        self.client = client
        self._hints = {**HINTS, "AccessDeniedException": f"the role needs {needs}"}

    def ask(self, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer of an operation. Raises AccountError when it is refused."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

        try:
            answer: dict[str, Any] = getattr(self.client, operation)(**request)
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            hint = f"; {self._hints[code]}" if code in self._hints else ""
            message = refused.response["Error"].get("Message", "")
            raise Refused(code, message, hint) from None
        except ParamValidationError as problem:
            raise NotSent(f"boto3 does not send this request: {problem}") from None
        except BotoCoreError as problem:
            raise AccountError(f"AWS can't be asked: {problem}") from None
        return answer

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages of an answer."""
        token: dict[str, str] = {}
        while True:
            page = self.ask(operation, **request, **token)
            yield from page[member]
            if not page.get("nextToken"):
                return
            token = {"nextToken": page["nextToken"]}

    def history(self, arn: str) -> Iterator[dict[str, Any]]:
        """Yield the events of an execution, their timestamps as datetimes."""
        request = {"executionArn": arn, "maxResults": _MOST_EVENTS}
        return self.pages("get_execution_history", "events", **request)


class NotSent(AccountError):  # noqa: N818  what boto3 did
    """A request that boto3 itself refuses, such as one with an empty text."""


class Refused(AccountError):  # noqa: N818  what AWS did
    """What AWS refuses: its `code`, what it `said`, and a hint of ours."""

    def __init__(self, code: str, said: str, hint: str = "") -> None:
        super().__init__(f"{code}: {said}{hint}")
        self.code = code
        self.said = said
