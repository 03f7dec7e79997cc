"""State machines that a server has from its start: of files, not created by a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .api.machines import create_state_machine, update_state_machine
from .arns import Caller
from .server import Server


@dataclass(frozen=True, slots=True)
class Deployment:
    """A state machine to have."""

    name: str
    definition: str
    """JSON text."""
    type: str = "STANDARD"


def deploy(server: Server, owner: Caller, deployments: Iterable[Deployment]) -> None:
    """Create them, or update those that are there already, before the server starts.

    When the server has somewhere to log to, all their events are logged: a file can't ask for it.

    Raises ApiError for what CreateStateMachine and UpdateStateMachine refuse: a machine of the same
    name and another type is StateMachineAlreadyExists.
    """
    logging = {"loggingConfiguration": _everything(owner)} if server.sinks.logs else {}
    for given in deployments:
        arn = owner.arn("stateMachine", given.name)
        definition = {"definition": given.definition, **logging}
        there = server.catalogue.machines.get(arn)
        if there and there.type == given.type:
            update_state_machine(server, owner, {"stateMachineArn": arn, **definition})
        else:
            role = f"arn:aws:iam::{owner.account}:role/doorstep"
            named = {"name": given.name, "type": given.type, "roleArn": role}
            create_state_machine(server, owner, {**named, **definition})


def _everything(owner: Caller) -> dict[str, Any]:
    group = f"arn:aws:logs:{owner.region}:{owner.account}:log-group:doorstep:*"
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    return {"level": "ALL", "includeExecutionData": True, "destinations": destinations}
