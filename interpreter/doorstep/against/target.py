"""An account, or a server in its place: the state machines there, and executions of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine import TERMINAL
from ..errors import AccountError
from ..history import Entry, entries, whole
from ..runtime import spelled
from .account import Account, Refused, account_of

NEEDS = (
    "states:ListStateMachines (with --machine: states:DescribeStateMachine), "
    "states:StartExecution, states:DescribeExecution and states:GetExecutionHistory; for tests "
    "with mocks states:TestState"
)
_FIRST, _GROWS, _LONGEST = 0.2, 1.6, 10.0
"""Seconds between two looks at an execution: the first, by how much it grows, the longest."""
_SEEN = 15.0
"""Seconds until what was created is there for every request, which AWS does not promise at once."""


class NotEnded(AccountError):  # noqa: N818  what happened
    """An execution has not ended within the limit."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A state machine that is there."""

    arn: str
    type: str


@dataclass
class Target:
    """Where tests are run: what answers, and how long an execution may take."""

    account: Account
    label: str
    """As messages name it: `aws`, or the URL."""
    limit: float
    """Seconds."""
    machine: str | None = None
    """The ARN of the machine that all tests run; None: each the one that its suite names."""
    another: str = "--machine ARN"
    """How its user names another machine."""
    longer: str = "--time-limit"
    """The option with the limit."""
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _machines: dict[str, list[Deployed]] = field(default_factory=dict)

    def connect(self) -> None:
        """Look up what is deployed. Raises AccountError when that is refused."""
        if self.machine:
            described = self.account.ask("describe_state_machine", stateMachineArn=self.machine)
            self._machines[""] = [Deployed(self.machine, described["type"])]
            return
        for one in self.account.pages("list_state_machines", "stateMachines"):
            deployed = Deployed(one["stateMachineArn"], one["type"])
            self._machines.setdefault(one["name"], []).append(deployed)

    def find(self, name: str) -> Deployed:
        """Return the state machine of a suite. Raises AccountError when it is not there."""
        found = self._machines.get("" if self.machine else name, [])
        if not found:
            raise AccountError(
                f"state machine {name!r} not found at {self.label}; deploy it, or name another one "
                f"with {self.another} (there are {_some(list(self._machines))})"
            )
        return found[0]

    def pause(self) -> None:
        """Wait before a request of TestState: an account answers one a second.

        https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
        """
        if self.label == "aws":
            self.sleep(1.0)

    def run(self, arn: str, name: str, input_json: str) -> list[Entry]:
        """Start an execution and return its history once it has ended.

        Raises NotEnded when that takes longer than the limit; it is not stopped.
        """
        started = self.account.ask(
            "start_execution", stateMachineArn=arn, name=name, input=input_json
        )["executionArn"]
        return whole(entries(self.wait(started), started), started)

    def wait(self, execution: str) -> list[dict[str, Any]]:
        """Return the events of an execution once it has ended, as GetExecutionHistory has them.

        Raises NotEnded when that takes longer than the limit; it is not stopped.
        """
        until, pause = self.now() + self.limit, _FIRST
        while True:
            described = self.patiently(
                "ExecutionDoesNotExist", "describe_execution", executionArn=execution
            )
            # Both answers are eventually consistent: the history may lack its end for a while.
            # https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
            if described["status"] != "RUNNING":
                events = list(self._history(execution))
                if events and events[-1]["type"] in TERMINAL:
                    return events
            if self.now() >= until:
                raise NotEnded(
                    f"{execution} has not ended after {spelled(self.limit)} and was not stopped; "
                    f"{self.longer} waits longer"
                )
            self.sleep(min(pause, max(0.0, until - self.now())))
            pause = min(pause * _GROWS, _LONGEST)

    def patiently(self, code: str, operation: str, **request: Any) -> dict[str, Any]:
        """Ask about what was just created: again while `code` says that it is not there.

        "This operation is eventually consistent. The results are best effort":
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
        """
        until, pause = self.now() + _SEEN, _FIRST
        while True:
            try:
                return self.account.ask(operation, **request)
            except Refused as refused:
                if refused.code != code or self.now() >= until:
                    raise
            self.sleep(pause)
            pause *= _GROWS

    def _history(self, arn: str) -> Iterator[dict[str, Any]]:
        for event in self.account.history(arn):
            # boto3 makes datetimes of timestamps; histories have epoch seconds or texts.
            yield event | {"timestamp": event["timestamp"].timestamp()}


def target_of(where: str, machine: str | None, limit: float) -> Target:
    """Return the target that `--against` names, connected. Raises AccountError when it can't be."""
    if where != "aws" and not where.startswith(("http://", "https://")):
        raise AccountError(f"target {where}: expected aws, or a URL such as http://127.0.0.1:8083")
    parts = machine.split(":") if machine else []
    if machine and (len(parts) < 7 or parts[2] != "states" or parts[5] != "stateMachine"):
        raise AccountError(f"--machine {machine}: expected the ARN of a state machine")
    url = None if where == "aws" else where
    region = parts[3] if parts else "us-east-1" if url else None
    target = Target(account_of(url, region, NEEDS), where, limit, machine)
    target.connect()
    return target


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) or "none") + more
