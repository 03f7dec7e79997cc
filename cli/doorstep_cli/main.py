"""`doorstep`: the group of commands, and what happens to errors that a command raises.

Exit codes: 0 success, 1 the workflow failed or `validate` refused a definition, 2 an input that
can't be used, 70 a bug in Doorstep (EX_SOFTWARE), 130 Ctrl-C.
"""

from __future__ import annotations

import gc
import os
from errno import ENOSPC
from importlib import import_module
from typing import Any

import click

from doorstep import __version__

from .output import Bug, Problem, echo
from .streams import settle_streams

_GROUPS = {
    "Run and inspect": ("run", "validate", "lint", "cost", "history", "graph", "project"),
    "Test": ("test", "test-state", "explore", "conformance"),
    "Replay": ("download", "failures", "replay", "resume", "debug", "view", "diff", "write-test"),
    "Serve": ("serve", "env", "start", "ps", "logs", "stop", "redrive", "callback", "skip"),
    "Editor and shell": ("lsp", "mcp", "schema", "init", "completion"),
}
_COMMANDS = tuple(name for names in _GROUPS.values() for name in names)
_MODULES = {"test": "suites", **dict.fromkeys(_GROUPS["Serve"][2:], "remote")}
"""Modules that are not named after their command; `test` would be taken for a package's tests."""


class Commands(click.Group):
    """Import a command's module when it is used, so that `--version` imports no interpreter."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of their groups, for the shell's completion."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command; None when there is none of this name."""
        if name not in _COMMANDS:
            return None
        attribute = name.replace("-", "_")
        module = import_module(f"{__package__}.commands.{_MODULES.get(name, attribute)}")
        command: click.Command = getattr(module, attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command as click does; suggest one when the name is close to it."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except click.UsageError:
            from doorstep.values.did_you_mean import did_you_mean

            hint = did_you_mean(args[0], _COMMANDS)
            hint = hint or f"there are {', '.join(_COMMANDS)}"
            message = f"No such command {args[0]!r}; {hint}"
            raise click.UsageError(message, ctx) from None
        for option in command.params if command else ():
            if isinstance(option, click.Option) and (twice := _repeated(option, rest)):
                raise click.UsageError(f"{twice} is given more than once; it takes one value", ctx)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups, by what they are for."""
        width = max(map(len, _COMMANDS))
        for group, names in _GROUPS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(group):
                formatter.write_dl(
                    [(n.ljust(width), c.get_short_help_str(limit=80)) for n, c in commands if c]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; show a traceback only if DOORSTEP_DEBUG is set."""
        if os.environ.get("DOORSTEP_DEBUG"):
            _show_the_log()
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            echo("Interrupted.", err=True)
            raise click.exceptions.Exit(130) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as problem:
            raise _explained(problem) from problem


def _repeated(option: click.Option, args: list[str]) -> str | None:
    """Return an option with one value that is given several: click would drop all but the last."""
    if option.multiple or option.is_flag or option.count:
        return None
    before = args[: args.index("--")] if "--" in args else args
    names = [one.partition("=")[0] for one in before]
    given = [name for name in names if name in option.opts]
    return given[-1] if len(given) > 1 else None


def _show_the_log() -> None:
    """Write the library's log, which has the tracebacks of Doorstep's own faults, to stderr."""
    import logging

    from doorstep.values.printable import printable

    class Lines(logging.Formatter):
        """Format records without control characters, which a terminal would obey."""

        def format(self, record: logging.LogRecord) -> str:
            return printable(super().format(record))

    handler = logging.StreamHandler()
    handler.setFormatter(Lines(logging.BASIC_FORMAT))
    logging.basicConfig(handlers=[handler])


def _explained(problem: Exception) -> Exception:
    # Imported here: once there is an error, the time for the import no longer matters.
    from doorstep.errors import DoorstepError

    is_full = isinstance(problem, OSError) and problem.errno == ENOSPC
    if is_full or isinstance(problem, DoorstepError):
        return Problem(str(problem))
    if os.environ.get("DOORSTEP_DEBUG"):
        return problem
    return Bug(
        f"this is a bug in Doorstep: {type(problem).__name__}: {problem}\n"
        "Run the command again with DOORSTEP_DEBUG=1 and report the traceback."
    )


@click.command("doorstep", cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="doorstep %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Run AWS Step Functions workflows on this machine, offline.

    \b
    Examples:
      doorstep run order.asl.json --handlers handlers.py --input @order.json --history run.json
      doorstep history run.json
      doorstep test tests/
      doorstep replay failed.json --definition order.asl.json
      doorstep serve order.asl.json --handlers handlers.py

    `doorstep COMMAND --help` shows the options of a command and more examples.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def entry() -> None:
    """Run the `doorstep` program."""
    settle_streams()
    # A history is many objects that stay, among which there is no garbage: by default Python looks
    # for it after each 700.
    gc.set_threshold(10_000, 100, 100)
    gc.freeze()
    cli(prog_name=cli.name)
