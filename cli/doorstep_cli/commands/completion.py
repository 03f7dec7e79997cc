"""`doorstep completion`: a script for completion in a shell."""

from __future__ import annotations

import click

from ..output import echo


@click.command("completion", short_help="Print a script that makes your shell complete commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that lets a shell complete commands, options and file names.

    \b
    Examples:
      source <(doorstep completion bash)                      # in ~/.bashrc
      source <(doorstep completion zsh)                       # in ~/.zshrc
      doorstep completion fish > ~/.config/fish/completions/doorstep.fish
    """
    from click.shell_completion import get_completion_class

    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise click.UsageError(f"click has no completion for {shell}")
    echo(completion_class(ctx.find_root().command, {}, "doorstep", "_DOORSTEP_COMPLETE").source())
