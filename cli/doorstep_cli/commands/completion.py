"""`doorstep completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import click

from ..output import echo


@click.command("completion", short_help="Print the script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script with which a shell completes doorstep's commands, options and files.

    \b
    Examples:
      source <(doorstep completion bash)                      # in ~/.bashrc
      source <(doorstep completion zsh)                       # in ~/.zshrc
      doorstep completion fish > ~/.config/fish/completions/doorstep.fish
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click has no completion for {shell}")
    echo(made(ctx.find_root().command, {}, "doorstep", "_DOORSTEP_COMPLETE").source())
