"""A project at work: its functions answer, its resources are made, its machines find each other."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..functions import Log, close
from ..services import AtWork, HttpCalls, Target, services_at_work
from ..services.local_account import Machines
from .project import Omission, Project
from .resources import create


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the executions of a project."""

    services: AtWork
    omissions: Sequence[Omission]
    """What of the project could not be taken over."""


@contextlib.contextmanager
def at_work(
    project: Project | None,
    target: Target | None,
    log: Log,
    *,
    http: HttpCalls | None = None,
    machines: Machines | None = None,
) -> Iterator[Around]:
    """Make what is around executions of a project, and take it down at the end.

    Its functions answer the tasks that no handler answers, then the target of services does; its
    tables, queues and the like are made in the target, unless that is the real account.
    """
    functions = project.handlers(log) if project else {}
    with contextlib.ExitStack() as until_end:
        until_end.callback(close, functions.values())
        services = until_end.enter_context(
            services_at_work(
                target,
                functions=[functions] if functions else [],
                http=http,
                machines=machines,
                state_machines=project.state_machines() if project else {},
                processes=project.has_processes() if project else False,
            )
        )
        omissions = list(project.omissions) if project else []
        if project and target and target.name != "aws":
            omissions += create(project.resources, target)
        yield Around(services, omissions)


def to_stderr(name: str, line: str) -> None:
    """Write what a function printed, with the function's name."""
    sys.stderr.write(f"[{name}] {line}\n")
