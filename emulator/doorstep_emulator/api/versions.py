"""Versions and aliases of state machines."""

from __future__ import annotations

from dataclasses import replace

from doorstep.errors import ApiError
from doorstep.model.aws_errors import conflict, invalid_request, missing_reference

from ..arns import Caller, parse
from ..catalogue import Alias, StoredMachine, Version
from ..dispatch import Operations
from ..server import Server
from ..store.peers import Members
from . import paging

_VERSIONS, _ALIASES = 1000, 100
"""Of one state machine (fact 525)."""
_ROUTING = "INVALID_ROUTING_CONFIGURATION"
_OTHER_ALIAS = (
    "Failed to create alias because an alias with the same name and a different routing "
    "configuration already exists."
)


def publish(server: Server, machine: StoredMachine, description: str | None) -> Version:
    """Return the version of the machine's revision: its own or a new one (fact 462)."""
    for version in machine.versions.values():
        if version.revision == machine.revision:
            return version
    if len(machine.versions) >= _VERSIONS:
        raise ApiError("ServiceQuotaExceededException", f"There are {_VERSIONS} versions already.")
    machine.last_version += 1
    version = Version(
        arn=f"{machine.arn}:{machine.last_version}",
        revision=machine.revision,
        created=server.clock.now(),
        description=description,
    )
    machine.versions[version.arn] = version
    server.catalogue.save(machine)
    return version


def describe(
    server: Server, machine: StoredMachine, version: Version, description: str | None
) -> Version:
    """Let a version have this description, if there is one; return it (fact 470)."""
    if description is None or version.description == description:
        return version
    described = replace(version, description=description)
    machine.versions[version.arn] = described
    server.catalogue.save(machine)
    return described


def publish_version(server: Server, caller: Caller, request: Members) -> Members:
    """PublishStateMachineVersion (fact 462)."""
    machine = server.catalogue.owner(request["stateMachineArn"])
    revision = request.get("revisionId")
    if revision is not None:
        current = server.catalogue.revision(machine.revision).public_id
        if revision != current:
            raise conflict(
                "Failed to publish the State Machine version for revision "
                f"{revision}. The current State Machine revision is {current}."
            )
    version = publish(server, machine, request.get("description"))
    return {"creationDate": version.created, "stateMachineVersionArn": version.arn}


def list_versions(server: Server, caller: Caller, request: Members) -> Members:
    """ListStateMachineVersions, the newest first (facts 454 and 462)."""
    machine = server.catalogue.machine(request["stateMachineArn"])
    return paging.answer(
        "ListStateMachineVersions",
        request,
        "stateMachineVersions",
        list(machine.versions.values())[::-1],
        lambda one: one.arn,
        lambda one: {"stateMachineVersionArn": one.arn, "creationDate": one.created},
    )


def delete_version(server: Server, caller: Caller, request: Members) -> Members:
    """DeleteStateMachineVersion, unless an alias leads to it (fact 462)."""
    arn = parse(request["stateMachineVersionArn"], "stateMachine")
    machine = server.catalogue.machines.get(arn.unqualified)
    if machine is None or arn.text not in machine.versions:
        return {}
    names = [alias.name for alias in machine.aliases.values() if arn.text in _targets(alias)]
    if names:
        raise conflict(
            "Version to be deleted must not be referenced by an alias. Current list of aliases "
            f"referencing this version: [{', '.join(names)}]"
        )
    del machine.versions[arn.text]
    server.catalogue.save(machine)
    return {}


def create_alias(server: Server, caller: Caller, request: Members) -> Members:
    """CreateStateMachineAlias; the same request again returns the same alias (fact 463)."""
    machine = _routed(server, request["routingConfiguration"])
    now = server.clock.now()
    alias = Alias(
        arn=f"{machine.arn}:{request['name']}",
        name=request["name"],
        created=now,
        updated=now,
        routing=request["routingConfiguration"],
        description=request.get("description"),
    )
    existing = machine.aliases.get(alias.arn)
    if existing is None:
        if len(machine.aliases) >= _ALIASES:
            raise ApiError(
                "ServiceQuotaExceededException", f"There are {_ALIASES} aliases already."
            )
        _save(server, machine, alias)
    elif replace(alias, created=existing.created, updated=existing.updated) != existing:
        raise conflict(_OTHER_ALIAS)
    alias = machine.aliases[alias.arn]
    return {"stateMachineAliasArn": alias.arn, "creationDate": alias.created}


def update_alias(server: Server, caller: Caller, request: Members) -> Members:
    """UpdateStateMachineAlias (fact 463)."""
    if not {"routingConfiguration", "description"} & request.keys():
        message = "Either the description or the routing configuration must be specified"
        raise invalid_request(message, "MISSING_REQUIRED_PARAMETER")
    machine, alias = _alias(server, request["stateMachineAliasArn"])
    routing = request.get("routingConfiguration", alias.routing)
    if _routed(server, routing) is not machine:
        raise invalid_request("The versions must be of the alias's state machine.", _ROUTING)
    description = request.get("description", alias.description)
    now = server.clock.now()
    _save(server, machine, replace(alias, routing=routing, description=description, updated=now))
    return {"updateDate": now}


def describe_alias(server: Server, caller: Caller, request: Members) -> Members:
    """DescribeStateMachineAlias (fact 463)."""
    _, alias = _alias(server, request["stateMachineAliasArn"])
    members = {
        "stateMachineAliasArn": alias.arn,
        "name": alias.name,
        "routingConfiguration": alias.routing,
        "creationDate": alias.created,
        "updateDate": alias.updated,
    }
    return members if alias.description is None else members | {"description": alias.description}


def delete_alias(server: Server, caller: Caller, request: Members) -> Members:
    """DeleteStateMachineAlias (facts 463 and 464)."""
    arn = parse(request["stateMachineAliasArn"], "stateMachine")
    machine = server.catalogue.machines.get(arn.unqualified)
    if machine and machine.aliases.pop(arn.text, None):
        server.catalogue.save(machine)
    return {}


def list_aliases(server: Server, caller: Caller, request: Members) -> Members:
    """ListStateMachineAliases: of a machine, or of one version (facts 454 and 463)."""
    arn = parse(request["stateMachineArn"], "stateMachine")
    machine = server.catalogue.owner(arn.unqualified)
    aliases = [
        alias
        for alias in machine.aliases.values()
        if not arn.qualifier or arn.text in _targets(alias)
    ]
    return paging.answer(
        "ListStateMachineAliases",
        request,
        "stateMachineAliases",
        aliases,
        lambda one: one.arn,
        lambda one: {"stateMachineAliasArn": one.arn, "creationDate": one.created},
    )


def _targets(alias: Alias) -> list[str]:
    return [route["stateMachineVersionArn"] for route in alias.routing]


def _alias(server: Server, text: str) -> tuple[StoredMachine, Alias]:
    arn = parse(text, "stateMachine")
    machine = server.catalogue.machines.get(arn.unqualified)
    alias = machine.aliases.get(text) if machine else None
    if machine is None or alias is None:
        raise missing_reference()
    return machine, alias


def _routed(server: Server, routing: list[Members]) -> StoredMachine:
    """Return the machine of a routing configuration's versions; raise ApiError (fact 463)."""
    texts = [route["stateMachineVersionArn"] for route in routing]
    received = f"Received: [{', '.join(texts)}]"
    versions = [parse(text, "stateMachine") for text in texts]
    weights = [route["weight"] for route in routing]
    problem = None
    if not all(version.qualifier.isdigit() for version in versions):
        problem = f"Routing configuration must contain state machine version ARNs. {received}"
    elif len(set(texts)) < len(texts):
        problem = (
            f"Routing configuration must contain distinct state machine version ARNs. {received}"
        )
    elif sum(weights) != 100:
        problem = f"Sum of routing configuration weights must equal 100. Received: {weights}"
    elif len({version.unqualified for version in versions}) > 1:
        problem = f"Routing configuration must contain versions of one state machine. {received}"
    if problem:
        raise invalid_request(problem, _ROUTING)
    machine = server.catalogue.machines.get(versions[0].unqualified)
    if machine is None or any(text not in machine.versions for text in texts):
        raise missing_reference()
    return machine


def _save(server: Server, machine: StoredMachine, alias: Alias) -> None:
    machine.aliases[alias.arn] = alias
    server.catalogue.save(machine)


OPERATIONS: Operations = {
    "PublishStateMachineVersion": publish_version,
    "ListStateMachineVersions": list_versions,
    "DeleteStateMachineVersion": delete_version,
    "CreateStateMachineAlias": create_alias,
    "UpdateStateMachineAlias": update_alias,
    "DescribeStateMachineAlias": describe_alias,
    "DeleteStateMachineAlias": delete_alias,
    "ListStateMachineAliases": list_aliases,
}
