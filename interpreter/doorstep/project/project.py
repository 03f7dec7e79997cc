"""A project as one thing: its state machines, functions and resources, by their deployed names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..definitions.templates import TemplateMachine
from ..errors import HandlerLoadError, InputError
from ..functions import Function, Log, handler_of
from ..runtime import Answer, Handler
from ..validation import validate


@dataclass(frozen=True, slots=True)
class Omission:
    """Something of a project that could not be taken over."""

    name: str
    reason: str
    """Why, and the way round."""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A table, queue, topic …, with its properties worked out."""

    type: str
    """CloudFormation's: `AWS::DynamoDB::Table`."""
    name: str
    arn: str
    properties: Mapping[str, Any]


@dataclass(slots=True)
class Project:
    """What a template, or a folder with one, consists of."""

    path: Path
    machines: dict[str, TemplateMachine] = field(default_factory=dict)
    """By the name that they have when they are deployed."""
    functions: dict[str, Function] = field(default_factory=dict)
    """By FunctionName."""
    resources: list[Resource] = field(default_factory=list)
    omissions: list[Omission] = field(default_factory=list)

    def machine(self, name: str | None) -> TemplateMachine:
        """Return one state machine by its name.

        Raises InputError when there is no such machine, or no name and several machines.
        """
        if name is None and len(self.machines) == 1:
            return next(iter(self.machines.values()))
        there = f"{self.path} has {', '.join(self.machines) or 'none'}"
        if name is None:
            raise InputError(f"which state machine? {there}; choose one with --machine-name")
        if name in self.machines:
            return self.machines[name]
        raise InputError(f"no state machine {name}; {there}")

    def add(self, other: Project) -> None:
        """Take over what another one has; of equal names the other's counts."""
        self.machines |= other.machines
        self.functions |= other.functions
        self.resources += other.resources
        self.omissions += other.omissions

    def state_machines(self) -> dict[str, tuple[Any, str]]:
        """Return definitions and types by name, as `states:startExecution` finds them."""
        return {
            name: (one.document.definition, one.type)
            for name, one in self.machines.items()
            if not validate(one.document.definition, type=one.type)
        }

    def has_processes(self) -> bool:
        """Whether code of it runs in processes of its own."""
        return any(
            one.isolated or not one.runtime.startswith("python") for one in self.functions.values()
        )

    def handlers(self, log: Log) -> dict[str, Handler]:
        """Return what answers the project's functions, by their names.

        A function that nothing here can run fails when it is called, and says what to do.
        """
        return {name: _handler(function, log) for name, function in self.functions.items()}


def join(projects: Sequence[Project]) -> Project:
    """Return several projects as one; of equal names the last one counts."""
    whole = Project(projects[0].path)
    for one in projects:
        whole.add(one)
    return whole


def _handler(function: Function, log: Log) -> Handler:
    try:
        return handler_of(function, log)
    except HandlerLoadError as problem:
        return _refusing(problem)


def _refusing(problem: HandlerLoadError) -> Callable[[Any], Any]:
    def refuse(_event: Any) -> Any:
        # Final: the run is set up wrong, which no Catch of the workflow is meant for.
        return Answer(failed=True, error="Doorstep.HandlerNotFound", cause=str(problem), final=True)

    return refuse
