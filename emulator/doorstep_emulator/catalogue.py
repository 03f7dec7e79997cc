"""State machines with their revisions, versions and aliases, and activities.

All of it is in memory; every change is stored as a document. Definitions are large, and are read
from the store when they are needed.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from doorstep.model.aws_errors import machine_deleting, no_machine

from . import arns
from .store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What an update replaces; never changed itself."""

    id: str
    machine: str
    definition: str
    role: str
    logging: dict[str, Any]
    tracing: dict[str, Any]
    encryption: dict[str, Any]
    at: float
    initial: bool = False

    @property
    def public_id(self) -> str:
        """The name that PublishStateMachineVersion knows the revision by (fact 462)."""
        return "INITIAL" if self.initial else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A published revision; its ARN ends in the number."""

    arn: str
    revision: str
    created: float
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for one version, or for two with their shares."""

    arn: str
    name: str
    created: float
    updated: float
    routing: list[dict[str, Any]]
    """[{"stateMachineVersionArn": …, "weight": 0..100}]"""
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class StoredMachine:
    """A state machine; `revision` is the id of the one that an unqualified start runs."""

    arn: str
    name: str
    type: str
    created: float
    revision: str
    created_with: list[Any]
    """`publish` and `versionDescription` of the request that created it."""
    deleting: bool = False
    last_version: int = 0
    """Numbers are never used again."""
    versions: dict[str, Version] = field(default_factory=dict)
    """By ARN, as are the aliases."""
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Activity:
    """An activity."""

    arn: str
    name: str
    created: float
    encryption: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartTarget:
    """What to start for an ARN."""

    machine: StoredMachine
    revision: str
    version: str | None = None
    alias: str | None = None
    test_case: str | None = None
    """Of a MockConfigFile.json: what answers its tasks."""


class Catalogue:
    """All that can be started or polled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.machines: dict[str, StoredMachine] = {}
        self.activities: dict[str, Activity] = {}
        self._read()

    def _read(self) -> None:
        machines = map(_machine, self._store.documents("machine"))
        self.machines = {one.arn: one for one in machines}
        activities = (Activity(**one) for one in self._store.documents("activity"))
        self.activities = {one.arn: one for one in activities}

    def refresh(self) -> None:
        """Read it again if another server has changed it."""
        if self._store.peers.catalogue_changed():
            self._read()

    def lock(self) -> None:
        """Be the only server that changes it, as it stands now, until the next commit."""
        self._store.peers.lock_catalogue()
        self.refresh()

    def machine(self, arn: str) -> StoredMachine:
        """Return the machine of an unqualified ARN; raise StateMachineDoesNotExist, InvalidArn.

        Facts 110 and 452.
        """
        arns.parse(arn, "stateMachine")
        if arn not in self.machines:
            raise no_machine(arn)
        return self.machines[arn]

    def owner(self, arn: str) -> StoredMachine:
        """Return the machine of an ARN, qualified or not; raise ApiError if it is being deleted.

        Fact 464.
        """
        machine = self.machine(arns.parse(arn, "stateMachine").unqualified)
        if machine.deleting:
            raise machine_deleting(arn)
        return machine

    def target(self, arn: str) -> StartTarget:
        """Return what to run for the ARN of a machine, a version or an alias.

        Fact 463: an alias leads to one of its versions.
        """
        if arn in self.machines:
            machine = self.owner(arn)
            return StartTarget(machine, machine.revision)
        parsed = arns.parse(arn, "stateMachine")
        if parsed.unqualified not in self.machines:
            raise no_machine(arn)
        machine = self.owner(arn)
        alias = machine.aliases.get(arn)
        version = machine.versions.get(_draw(alias) if alias else arn)
        if version is None:
            raise no_machine(arn)
        return StartTarget(machine, version.revision, version.arn, alias.arn if alias else None)

    def revision(self, revision_id: str) -> Revision:
        """Return a revision, with its definition."""
        document = self._store.get("revision", revision_id)
        assert document is not None, revision_id
        return Revision(**document)

    def add_revision(self, **fields: Any) -> Revision:
        """Store a new revision."""
        revision = Revision(id=str(uuid.uuid4()), **fields)
        self._store.put("revision", revision.id, asdict(revision))
        return revision

    def save(self, thing: StoredMachine | Activity) -> None:
        """Store a machine or an activity as it is now."""
        if isinstance(thing, Activity):
            self.activities[thing.arn] = thing
            self._store.put("activity", thing.arn, asdict(thing))
        else:
            self.machines[thing.arn] = thing
            self._store.put("machine", thing.arn, asdict(thing))

    def remove(self, thing: StoredMachine | Activity) -> None:
        """Delete a machine or an activity."""
        if isinstance(thing, Activity):
            del self.activities[thing.arn]
            self._store.drop("activity", thing.arn)
        else:
            del self.machines[thing.arn]
            self._store.drop("machine", thing.arn)


def _draw(alias: Alias) -> str:
    """Return one of an alias's versions, drawn by their weights (fact 463)."""
    versions = [route["stateMachineVersionArn"] for route in alias.routing]
    return str(random.choices(versions, [route["weight"] for route in alias.routing])[0])


def _machine(document: dict[str, Any]) -> StoredMachine:
    versions = {arn: Version(**one) for arn, one in document.pop("versions").items()}
    aliases = {arn: Alias(**one) for arn, one in document.pop("aliases").items()}
    return StoredMachine(**document, versions=versions, aliases=aliases)
