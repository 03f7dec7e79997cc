"""`doorstep`: the group of commands, and what becomes of whatever goes wrong in one.

Exit codes: 0 as asked, 1 a workflow that failed or a definition that was refused by `validate`,
2 something that can't be used, 70 a bug of ours (EX_SOFTWARE), 130 Ctrl-C.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from .output import Bug, Problem

_COMMANDS = (
    "run",
    "validate",
    "explore",
    "test",
    "test-state",
    "history",
    "replay",
    "resume",
    "debug",
    "diff",
    "graph",
    "conformance",
    "completion",
    "serve",
    "start",
    "ps",
    "logs",
    "stop",
    "redrive",
    "callback",
)
_MODULES = {"test": "suites"}
"""Where the module is not called as the command: `test` would be taken for a package's tests."""


class Commands(click.Group):
    """Loads a command's module when it is asked for: `--version` starts no interpreter."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which one comes to use them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of a module of this package."""
        if name not in _COMMANDS:
            return None
        module = import_module(f"{__package__}.{_MODULES.get(name, name.replace('-', ''))}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; no traceback reaches the user unless DOORSTEP_DEBUG asks for it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(130) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as problem:
            raise _explained(problem) from problem


def _explained(problem: Exception) -> Exception:
    # Imported here: with an error the time that it takes no longer matters.
    from doorstep.errors import DoorstepError

    if isinstance(problem, DoorstepError):
        return Problem(str(problem))
    if os.environ.get("DOORSTEP_DEBUG"):
        return problem
    told = f"{type(problem).__name__}: {problem}"
    return Bug(
        f"this is a bug in Doorstep: {told}\n"
        "DOORSTEP_DEBUG=1 before the command shows the traceback to report."
    )


@click.command("doorstep", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="doorstep", message="doorstep %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run AWS Step Functions workflows on this machine, offline.

    \b
    Examples:
      doorstep run order.asl.json --handlers handlers.py --input @order.json
      doorstep validate *.asl.json
      doorstep run order.asl.json --history history.json
      doorstep history history.json
      doorstep graph order.asl.json --history history.json

    `doorstep COMMAND --help` has the options and more examples.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def entry() -> None:
    """The `doorstep` program."""
    cli(prog_name=cli.name)
