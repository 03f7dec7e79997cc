"""`doorstep init`: a small `doorstep.yaml` and a first test, beside a project."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from ..output import Problem, echo
from ..world import choices

if TYPE_CHECKING:
    from doorstep.project import Project

_SETTINGS = """\
# Choices that `doorstep run`, `serve`, `test`, `project` and pytest's fixtures share.
# All of them can be left out; docs/projects.md says more.
{services}
# Functions that answer tasks in place of the project's own code:
# handlers: [tests/handlers.py]
# Answers that are chosen by state, input or attempt; they come before everything else:
# mocks: tests/mocks.yaml
clock: virtual
"""
_TEST = """\
# Run it with `doorstep test`. Project and services are those of doorstep.yaml; docs/suites.md has
# all that a test may say: mocks, what tables hold, calls, messages and objects that are expected.
tests:
{tests}"""
_ONE = """\
  - name: {name} comes to its end
    resource: {name}
    input: {{}}  # an input that your workflow expects
    expect:
      status: SUCCEEDED
"""


@click.command("init", short_help="Write a doorstep.yaml and a first test.")
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default="."
)
def init(folder: Path) -> None:
    """Write a doorstep.yaml, and tests/first.doorstep.yaml, for the project in FOLDER.

    Files that are there already stay as they are.

    \b
    Examples:
      doorstep init
      doorstep init ../orders
    """
    chosen = choices([folder])
    project = chosen.project()
    if project is None:
        explore = f"doorstep explore {quote(str(chosen.file))} --write-suite first.doorstep.yaml"
        raise Problem(f"{chosen.file} is a definition, not a project; its first tests: {explore}")
    if not project.machines:
        raise Problem(f"{folder} has no project with a state machine")
    services = "services: moto" if _uses_services(project) else "# services: moto"
    _write(folder / "doorstep.yaml", _SETTINGS.format(services=services))
    tests = "".join(_ONE.format(name=name) for name in project.machines)
    text = _TEST.format(tests=tests)
    (folder / "tests").mkdir(exist_ok=True)
    _write(folder / "tests" / "first.doorstep.yaml", text)
    echo("Next: doorstep project, doorstep run, doorstep test")


def _uses_services(project: Project) -> bool:
    from doorstep.project.answering import answers
    from doorstep.runtime.handlers import Handlers

    tasks: list[Any] = list(answers(project, Handlers(), (), None))
    made = any(one.type.startswith(_MADE) for one in project.resources)
    return made or any(one.kind == "nobody" and ":" in one.calls for one in tasks)


_MADE = ("AWS::DynamoDB", "AWS::SQS", "AWS::SNS", "AWS::S3", "AWS::Events", "AWS::SecretsManager")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        echo(f"{path} is there already; it stays as it is")
    else:
        echo(f"written: {path}")
