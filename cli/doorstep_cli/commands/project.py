"""`doorstep project`: what a project consists of, and who answers its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..definitions import PROJECT
from ..options import format_option, handlers_option, param_option, services_option
from ..output import Problem, TableRow, echo, print_json, print_table
from ..runs import handlers_of
from ..world import choices

if TYPE_CHECKING:
    from doorstep.project import Project

_COLOURS = {"nobody": "red", "mock": "yellow", "handler": "cyan"}


@click.command("project", short_help="Show a project, and who answers its tasks.")
@click.argument("path", type=PROJECT, default=".", required=False)
@handlers_option("Python functions that run the tasks: a .py file, a folder or a module name.")
@services_option
@param_option
@format_option("json: an object with machines, tasks, functions, resources and omissions.")
@click.pass_context
def project(
    ctx: click.Context,
    /,
    path: Path,
    handlers: list[str] | None,
    services: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Show the state machines of a project, each task, and who answers it.

    PATH is a folder with a template, a cdk.out, a serverless.yml or Terraform's plan, or such a
    file; this folder by default. A `doorstep.yaml` in it is read.

    Exit code: 0 every task has an answer, 1 some have none, 2 a project that can't be used.

    \b
    Examples:
      doorstep project
      doorstep project template.yaml --services moto
      doorstep project cdk.out --format json | jq '.tasks[] | select(.kind == "nobody")'
    """
    from doorstep.project.answering import answers
    from doorstep.runtime.handlers import Handlers

    chosen = choices([path], parameters, handlers, services)
    whole = chosen.project()
    if whole is None:
        raise Problem(f"{chosen.file} is a definition, not a project; `doorstep run` takes it")
    with handlers_of(chosen.handlers):
        loaded = Handlers(list(chosen.handlers))
    tasks = list(answers(whole, loaded, _mocked(chosen.mocks), chosen.services))
    if output_format == "json":
        print_json({"tasks": [asdict(one) for one in tasks], **_described(whole)})
    else:
        _print(whole, tasks)
    ctx.exit(int(any(one.kind == "nobody" for one in tasks)))


def _mocked(source: str | None) -> set[str]:
    from doorstep.testing.mock_files import mocks_of

    return {one.state for one in mocks_of(source, Path(), None)} if source else set()


def _described(whole: Project) -> dict[str, Any]:
    return {
        "machines": [{"name": name, "type": one.type} for name, one in whole.machines.items()],
        "functions": [
            {
                "name": one.name,
                "runtime": one.runtime,
                "handler": one.handler,
                "code": str(one.code),
                "timeout": one.timeout,
            }
            for one in whole.functions.values()
        ],
        "resources": [
            {"type": one.type, "name": one.name, "arn": one.arn} for one in whole.resources
        ],
        "omissions": [{"name": one.name, "reason": one.reason} for one in whole.omissions],
    }


def _print(whole: Project, tasks: list[Any]) -> None:
    from doorstep.project.resources import MADE

    rows = [
        TableRow(
            [one.machine, one.state, one.calls, f"{one.kind}: {one.by}" if one.by else one.kind],
            _COLOURS.get(one.kind),
        )
        for one in tasks
    ]
    print_table(["MACHINE", "TASK", "CALLS", "ANSWERED BY"], rows)
    made = [f"{one.name} ({one.type})" for one in whole.resources if one.type in MADE]
    if made:
        echo(f"made in the target of services: {', '.join(made)}")
    for omission in whole.omissions:
        echo(f"not taken over: {omission}")
