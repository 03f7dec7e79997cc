"""Who answers each task of a project, as far as that can be said without running it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..functions import Function, why_not_run
from ..model import HTTP_REQUESTS, integration, workflow
from ..runtime import Handlers, names_by
from .project import Project

_OURS = ("states:startExecution", "aws-sdk:sfn:")
"""Integrations that reach the machines of this process."""


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """Who answers one task."""

    machine: str
    state: str
    calls: str
    """The function's name, or `service:action` with its pattern."""
    kind: str
    """mock, handler, function, services, machines, activity, or nobody."""
    by: str
    """What of that kind: a function's runtime and folder, the target of services."""


def answers(
    project: Project, handlers: Handlers, mocked: Container[str], services: str | None
) -> Iterator[TaskAnswer]:
    """Yield who answers each task, in the order in which the machines write them."""
    for name, machine in project.machines.items():
        for state in workflow(machine.document.definition).scope.walk():
            if state.type == "Task":
                yield _answer(
                    project, handlers, mocked, services, name, state.name, dict(state.fields)
                )


def _answer(
    project: Project,
    handlers: Handlers,
    mocked: Container[str],
    services: str | None,
    machine: str,
    state: str,
    fields: Mapping[str, Any],
) -> TaskAnswer:
    resource = str(fields["Resource"])
    called = integration(resource)
    arguments = fields.get("Parameters", fields.get("Arguments"))
    names = names_by(state, resource, arguments)
    own = next((project.functions[name] for name in names if name in project.functions), None)
    calls = own.name if own else _calls(resource, called, names)
    kind, by = "nobody", "needs a handler, a mock or --services"
    if state in mocked:
        kind, by = "mock", ""
    elif any(handlers.by_name(name) for name in names):
        kind, by = "handler", ""
    elif own:
        problem = why_not_run(own)
        kind, by = ("nobody", problem) if problem else ("function", _described(own))
    elif called.action == "lambda:invoke" and names[2] == called.action and project.functions:
        kind, by = "function", "one that is chosen when it runs"
    elif called.kind == "activity":
        kind, by = "activity", "a worker that polls for it"
    elif called.action.startswith(_OURS):
        kind, by = "machines", "the state machines here"
    elif called.kind == "service" and called.action != "lambda:invoke" and services:
        kind, by = "services", "a real request" if called.action in HTTP_REQUESTS else services
    return TaskAnswer(machine, state, calls, kind, by)


def _calls(resource: str, called: Any, names: tuple[str, ...]) -> str:
    if called.kind == "service" and called.action != "lambda:invoke":
        return str(resource).partition(":::")[2] or str(called.action)
    return names[3] if len(names) > 3 and called.kind == "service" else names[2]


def _described(function: Function) -> str:
    return f"{function.runtime} {function.handler} in {function.code.name or function.code}"
