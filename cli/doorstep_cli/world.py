"""What stands around an execution: the project's functions, its resources, a target of services."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .output import Problem, echo, note

if TYPE_CHECKING:
    from doorstep.definitions.settings import Settings
    from doorstep.project import Project
    from doorstep.services import AtWork, Target
    from doorstep.services.local_account import Machines

PROJECT = click.Path(exists=True, allow_dash=True, path_type=Path)
"""A definition, a template, or a folder with a project."""


def settings_for(path: Path) -> Settings:
    """Return what the `doorstep.yaml` in a folder, or beside a file, says."""
    from doorstep.definitions.settings import settings_of

    return settings_of(path if path.is_dir() else path.parent)


def located(path: Path) -> Path:
    """Return the definition or template that a path means: a folder has one template."""
    if not path.is_dir():
        return path
    if own := settings_for(path).project:
        return located(own)
    from doorstep import InputError
    from doorstep.project import template_in

    try:
        return template_in(path)
    except InputError as problem:
        definitions = sorted([*path.glob("*.asl.json"), *path.glob("*.asl.yaml")])
        if len(definitions) == 1:
            return definitions[0]
        raise Problem(str(problem)) from None


@contextlib.contextmanager
def world(
    paths: Sequence[Path],
    parameters: Mapping[str, str],
    services: str | None,
    *,
    quiet: bool,
    allow_hosts: Sequence[str] = (),
    allow_network: bool = False,
    connections: Mapping[str, Any] | None = None,
    machines: Machines | None = None,
) -> Iterator[AtWork | None]:
    """Make what is around the executions of files, and take it down at the end.

    A template's functions answer the tasks that no handler answers, then the target of services
    does; its tables, queues and the like are made in the target before. None when there is neither.
    """
    project = joined(project_of(path, parameters) for path in paths)
    if project is None and services is None:
        yield None
        return
    from doorstep.project import at_work
    from doorstep.services import HttpCalls

    target = _target(services, allow_network)
    http = HttpCalls(allow_hosts, connections, anywhere=allow_network or services == "aws")
    with at_work(project, target, _print_line, http=http, machines=machines) as around:
        for omission in () if quiet else around.omissions:
            note(f"not taken over: {omission}")
        yield around.services


def joined(projects: Iterable[Project | None]) -> Project | None:
    """Return several projects as one."""
    present = [one for one in projects if one]
    if len(present) < 2:
        return present[0] if present else None
    from doorstep.project import join

    return join(present)


def project_of(path: Path, parameters: Mapping[str, str]) -> Project | None:
    """Return the project of a template; None for a definition."""
    if str(path) == "-":
        return None
    from doorstep.definitions import load
    from doorstep.definitions.other_tools import template_text
    from doorstep.definitions.templates import is_template

    source = template_text(path, parameters) or path
    if not is_template(load(source, parameters=parameters).definition):
        return None
    from doorstep.project import open_project

    return open_project(path, parameters)


def _target(name: str | None, allow_network: bool) -> Target | None:
    if name is None:
        return None
    from doorstep.services import Target

    target = Target(name, allow_network=allow_network)
    if target.real:
        echo(f"Calls of AWS services go to {name}, which is not on this machine.", err=True)
    return target


def _print_line(name: str, line: str) -> None:
    echo(f"[{name}] {line}", err=True)
