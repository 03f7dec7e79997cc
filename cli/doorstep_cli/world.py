"""What stands around an execution: the project's functions, its resources, a target of services."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import Problem, echo, note

if TYPE_CHECKING:
    from doorstep.project import Project
    from doorstep.runtime.handlers import Handler
    from doorstep.services import Target

PROJECT = click.Path(exists=True, allow_dash=True, path_type=Path)
"""A definition, a template, or a folder with a project."""


def located(path: Path) -> Path:
    """Return the definition or template that a path means: a folder has one template."""
    if not path.is_dir():
        return path
    from doorstep import InputError
    from doorstep.project import template_in

    try:
        return template_in(path)
    except InputError as problem:
        definitions = sorted([*path.glob("*.asl.json"), *path.glob("*.asl.yaml")])
        if len(definitions) == 1:
            return definitions[0]
        raise Problem(str(problem)) from None


@dataclass
class World:
    """What a command runs executions in."""

    handlers: list[Any] | None
    """Sources of handlers, later ones first: services, the project's functions, the user's."""
    machines: Mapping[str, Any]
    """State machines of the project, by name."""


@contextlib.contextmanager
def world(
    path: Path,
    parameters: Mapping[str, str],
    handlers: Sequence[str] | None,
    services: str | None,
    *,
    quiet: bool,
) -> Iterator[World]:
    """Make what is around an execution of a file, and take it down at the end.

    A template's functions answer the tasks that no handler answers, then the target of services
    does; its tables, queues and the like are made in the target before.
    """
    project = _project(path, parameters)
    sources: list[Any] = []
    with contextlib.ExitStack() as until_end:
        target = _target(services)
        if target:
            from doorstep.services import Services

            until_end.enter_context(target.at_work(processes=_has_processes(project)))
            sources.append({"*": Services(target)})
        if project:
            functions = project.handlers(_print_line)
            until_end.callback(_close, functions)
            sources.append(functions)
            _report(project, _made(project, target), quiet=quiet)
        sources += handlers or []
        yield World(sources or None, project.machines if project else {})


def _project(path: Path, parameters: Mapping[str, str]) -> Project | None:
    """Return the project of a template; None for a definition."""
    if str(path) == "-":
        return None
    from doorstep.definitions import load
    from doorstep.definitions.templates import is_template

    if not is_template(load(path, parameters=parameters).definition):
        return None
    from doorstep.project import open_project

    return open_project(path, parameters)


def _target(name: str | None) -> Target | None:
    if name is None:
        return None
    from doorstep.services import Target

    target = Target(name)
    if target.real:
        echo(f"Calls of AWS services go to {name}, which is not on this machine.", err=True)
    return target


def _has_processes(project: Project | None) -> bool:
    functions = project.functions.values() if project else ()
    return any(one.isolated or not one.runtime.startswith("python") for one in functions)


def _made(project: Project, target: Target | None) -> list[Any]:
    if target is None or target.name == "aws":
        return []
    from doorstep.project import create

    return create(project.resources, target)


def _report(project: Project, refused: list[Any], *, quiet: bool) -> None:
    for omission in () if quiet else (*project.omissions, *refused):
        note(f"not taken over: {omission}")


def _close(functions: Mapping[str, Handler]) -> None:
    from doorstep.functions import close

    close(functions.values())


def _print_line(name: str, line: str) -> None:
    echo(f"[{name}] {line}", err=True)
