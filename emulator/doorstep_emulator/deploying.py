"""State machines that a server has from its start: of files, not created by a client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .api_machines import create_state_machine, update_state_machine
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

    Raises ApiError for what CreateStateMachine and UpdateStateMachine refuse: a machine of the same
    name and another type is StateMachineAlreadyExists.
    """
    for given in deployments:
        arn = owner.arn("stateMachine", given.name)
        definition = {"definition": given.definition}
        there = server.catalogue.machines.get(arn)
        if there and there.type == given.type:
            update_state_machine(server, owner, {"stateMachineArn": arn, **definition})
        else:
            role = f"arn:aws:iam::{owner.account}:role/doorstep"
            named = {"name": given.name, "type": given.type, "roleArn": role}
            create_state_machine(server, owner, {**named, **definition})
