"""A project as tests use it: its machines, functions and an empty target of its services."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..definitions.settings import Settings, is_top, settings_above
from ..errors import InputError
from ..project import Project, at_work, open_project, template_in, to_stderr
from ..runtime.handlers import Source, several
from ..services import AtWork, HttpCalls, Target, services_at_work
from .state_machines import StateMachine


class ProjectUnderTest:
    """What the fixture `project` gives."""

    def __init__(
        self,
        project: Project,
        services: AtWork,
        handlers: tuple[str, ...],
        machine: Callable[..., StateMachine],
    ) -> None:
        self.project = project
        self.services = services
        self._handlers = handlers
        self._machine = machine

    def machine(
        self, name: str | None = None, handlers: Source | None = None, **options: Any
    ) -> StateMachine:
        """Return a machine to run, by its deployed name; without one, the project's only one.

        Mocks come first, then `handlers`, those of doorstep.yaml, the functions' own code, and the
        services. Raises InputError when there is no such machine.
        """
        machine = self.project.machine(name)
        return self._machine(
            machine.document.definition,
            [*self._handlers, *several(handlers)],
            file=None if machine.document.base else machine.document.path,
            state_machine_name=machine.name,
            type=machine.type,
            services=self.services,
            **options,
        )

    def client(self, service: str) -> Any:
        """Return a boto3 client of the services, by botocore's name."""
        return self.services.client(service)


def project_above(folder: Path) -> tuple[Path | None, Settings]:
    """Return the nearest project upwards, if there is one, and what its `doorstep.yaml` says."""
    if settings := settings_above(folder):
        return settings.project or settings.folder, settings
    for one in (folder, *folder.parents):
        with contextlib.suppress(InputError):
            template_in(one)
            return one, Settings(one)
        if is_top(one):
            break
    return None, Settings(folder)


@contextlib.contextmanager
def project_services(folder: Path) -> Iterator[tuple[Project | None, AtWork, tuple[str, ...]]]:
    """Give the project around a test, if there is one, with moto or what doorstep.yaml names.

    moto is empty but for the template's tables, queues and so on.
    """
    path, settings = project_above(folder)
    if path is None:
        with services_at_work("moto") as services:
            yield None, services, ()
        return
    project = open_project(path, settings.parameters)
    name = settings.services or ("moto" if find_spec("moto") else None)
    http = HttpCalls(settings.allow_hosts, settings.connections)
    with at_work(project, Target(name) if name else None, to_stderr, http=http) as around:
        yield project, around.services, settings.handlers
