"""From a revision to what runs: compiled once, and held as long as it is used."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from doorstep.asl.compile import compile_workflow
from doorstep.definitions.documents import read_json
from doorstep.engine.messages import Program
from doorstep.errors import ApiError
from doorstep.model.definition import workflow
from doorstep.runtime.running import Startable

from .catalogue import Catalogue, StartTarget

_HELD = 256
"""Programs in memory; others are compiled again."""


@dataclass(frozen=True, slots=True)
class StartedAs:
    """What an execution was started as."""

    revision: str
    version: str | None = None
    alias: str | None = None
    trace: str | None = None
    test_case: str | None = None


class Definition(dict[str, Any]):
    """A definition that knows what it was started as; it travels in the journal's header."""

    def __init__(self, value: Mapping[str, Any], origin: StartedAs) -> None:
        super().__init__(value)
        self.origin = origin


class Compiled(NamedTuple):
    """A revision made ready to run."""

    program: Program
    value: dict[str, Any]
    role: str
    logging: dict[str, Any]
    """Its loggingConfiguration."""


class Programs(Mapping[str, Startable]):
    """Programs by revision; and, for `states:startExecution`, by the ARN of what is started."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._compiled: OrderedDict[str, Compiled] = OrderedDict()

    def of(self, revision_id: str) -> Compiled:
        """Return what a revision runs."""
        compiled = self._compiled.get(revision_id)
        if compiled is None:
            revision = self._catalogue.revision(revision_id)
            value = read_json(revision.definition)
            program = compile_workflow(workflow(value))
            compiled = Compiled(program, value, revision.role, revision.logging)
            self._compiled[revision_id] = compiled
            if len(self._compiled) > _HELD:
                self._compiled.popitem(last=False)
        else:
            self._compiled.move_to_end(revision_id)
        return compiled

    def startable(self, target: StartTarget, trace: str | None = None) -> Startable:
        """Return what a start of the target runs."""
        compiled, machine = self.of(target.revision), target.machine
        origin = StartedAs(target.revision, target.version, target.alias, trace, target.test_case)
        definition = Definition(compiled.value, origin)
        return Startable(machine.name, compiled.program, definition, machine.type, compiled.role)

    def __getitem__(self, arn: str) -> Startable:
        try:
            return self.startable(self._catalogue.target(arn))
        except ApiError as refusal:
            # Whoever has to answer a request needs to know why.
            raise KeyError(arn) from refusal

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalogue.machines)

    def __len__(self) -> int:
        return len(self._catalogue.machines)
