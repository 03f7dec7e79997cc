"""Services, functions and machines that stand around executions for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..map_runs import buckets_in
from ..runtime import Buckets, Driver, OneSource, Startable
from .bridge import Services
from .buckets import S3Buckets
from .http_calls import HttpCalls
from .local_account import LocalAccount, Machines
from .own_machines import OwnMachines
from .target import Target

StateMachines = Mapping[str, Any]
"""By name: a definition, or (definition, type)."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """What `doorstep.run` and `doorstep.start` take as `services`."""

    target: Target | None
    sources: Sequence[OneSource]
    """Handlers of the services and functions; the caller's own come before them."""
    account: LocalAccount
    state_machines: StateMachines = field(default_factory=dict)
    """What `states:startExecution` and boto3's `start_execution` find, beside the caller's."""

    def client(self, service: str) -> Any:
        """Return a boto3 client of the target, by botocore's name of the service."""
        if self.target is None:
            raise LookupError(f"no target of services was named; there is no client of {service}")
        return self.target.client(service)

    def buckets(self, s3_root: Path | str | None) -> Buckets | None:
        """Return the target's buckets, and those that stand in a folder, which come first."""
        return buckets_in(s3_root, S3Buckets(self.target) if self.target else None)

    def join(self, driver: Driver, machines: Mapping[str, Startable]) -> None:
        """Let requests of code in handlers reach a driver's executions and machines."""
        if isinstance(self.account.machines, OwnMachines):
            self.account.machines.join(driver, machines)


@contextlib.contextmanager
def services_at_work(
    target: Target | str | None = "moto",
    *,
    functions: Sequence[OneSource] = (),
    http: HttpCalls | None = None,
    machines: Machines | None = None,
    state_machines: StateMachines | None = None,
    processes: bool = False,
) -> Iterator[AtWork]:
    """Let a target of services answer, with moto an empty one, until the end of the `with`.

    | option | |
    |---|---|
    | functions | what answers functions that no handler answers |
    | http | what `http:invoke` may ask |
    | machines | who answers for Step Functions: executions started with `services=` of this |
    | state_machines | what executions may start, beside their own `state_machines` |
    | processes | whether code in processes of its own calls services |
    """
    if isinstance(target, str):
        target = Target(target)
    sources: list[OneSource] = list(functions)
    account = LocalAccount(machines or OwnMachines(functions))
    with contextlib.ExitStack() as until_end:
        if target:
            until_end.enter_context(target.at_work(account, processes=processes))
            sources.insert(0, {"*": Services(target, http)})
        yield AtWork(target, sources, account, state_machines or {})
