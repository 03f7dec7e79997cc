"""What stands around executions: the project's functions and resources, a target of services."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import Problem, echo, note

if TYPE_CHECKING:
    from doorstep.definitions.settings import Settings
    from doorstep.project import Project
    from doorstep.services import AtWork, Target
    from doorstep.services.local_account import Machines


@dataclass(frozen=True, slots=True)
class Choices:
    """Definitions and templates, and what stands around them: by options, then by `doorstep.yaml`.

    Every command that reads a project or runs one makes these, and takes the rest from here.
    """

    files: tuple[Path, ...]
    """Definitions or templates: that of a folder, when a folder was named."""
    parameters: Mapping[str, str]
    handlers: tuple[str, ...]
    """Sources of handlers; the later ones come first."""
    services: str | None
    mocks: str | None
    clock: str | None
    executors: Mapping[str, str]
    allow_hosts: tuple[str, ...]
    allow_network: bool
    connections: Mapping[str, Any]

    @property
    def file(self) -> Path:
        """The only file."""
        (file,) = self.files
        return file

    def project(self) -> Project | None:
        """Return the project of the templates; None when there are only definitions."""
        return _joined(_project_of(file, self.parameters) for file in self.files)

    @contextlib.contextmanager
    def at_work(
        self, *, quiet: bool = False, machines: Machines | None = None
    ) -> Iterator[AtWork | None]:
        """Make what is around executions, and take it down at the end.

        A template's functions answer the tasks that no handler answers, then the target of services
        does; its tables, queues and the like are made in the target before. None when there is
        neither.
        """
        project = self.project()
        if project is None and self.services is None:
            yield None
            return
        from doorstep.project import at_work
        from doorstep.services import HttpCalls

        target = _target(self.services, self.allow_network)
        anywhere = self.allow_network or self.services == "aws"
        http = HttpCalls(self.allow_hosts, self.connections, anywhere=anywhere)
        with at_work(project, target, _print_line, http=http, machines=machines) as around:
            for omission in () if quiet else around.omissions:
                note(f"not taken over: {omission}")
            yield around.services


def choices(
    paths: Iterable[Path],
    parameters: Mapping[str, str] | None = None,
    handlers: Sequence[str] | None = None,
    services: str | None = None,
    allow_hosts: Sequence[str] = (),
    *,
    allow_network: bool = False,
) -> Choices:
    """Return what is chosen for definitions, templates or folders; options come first.

    Raises Problem for a folder without a project, InputError for a wrong `doorstep.yaml`.
    """
    paths = list(paths)
    settings = _settings(paths)
    files = tuple(_located(path) for path in paths)

    def first(values: Iterable[str | None]) -> str | None:
        return next((value for value in values if value), None)

    return Choices(
        files,
        parameters_for(paths, parameters or {}),
        (*(source for one in settings for source in one.handlers), *(handlers or ())),
        services or first(one.services for one in settings),
        first(one.mocks for one in settings),
        first(one.clock for one in settings),
        {state: one for chosen in settings for state, one in chosen.executors.items()},
        (*(host for one in settings for host in one.allow_hosts), *allow_hosts),
        allow_network,
        {name: one for chosen in settings for name, one in chosen.connections.items()},
    )


def parameters_for(paths: Sequence[Path], parameters: Mapping[str, str]) -> dict[str, str]:
    """Return parameters, and beneath them those that a `doorstep.yaml` has."""
    chosen = (one.parameters for one in _settings(paths))
    return {name: value for own in (*chosen, parameters) for name, value in own.items()}


def _settings(paths: Sequence[Path]) -> list[Settings]:
    """Return what each `doorstep.yaml` says: in a folder, beside a file, or without both here."""
    from doorstep.definitions.settings import settings_of

    folders = dict.fromkeys(path if path.is_dir() else path.parent for path in paths or [Path()])
    return [settings_of(folder) for folder in folders]


def _located(path: Path) -> Path:
    """Return the definition or template that a path means: a folder has one template."""
    if not path.is_dir():
        return path
    from doorstep import InputError
    from doorstep.definitions.settings import settings_of
    from doorstep.project import template_in

    if own := settings_of(path).project:
        return _located(own)
    try:
        return template_in(path)
    except InputError as problem:
        definitions = sorted([*path.glob("*.asl.json"), *path.glob("*.asl.yaml")])
        if len(definitions) == 1:
            return definitions[0]
        raise Problem(str(problem)) from None


def _joined(projects: Iterable[Project | None]) -> Project | None:
    """Return several projects as one."""
    present = [one for one in projects if one]
    if len(present) < 2:
        return present[0] if present else None
    from doorstep.project import join

    return join(present)


def _project_of(path: Path, parameters: Mapping[str, str]) -> Project | None:
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
