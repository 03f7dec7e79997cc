"""`doorstep lsp`: help in editors, over the language server protocol."""

from __future__ import annotations

import click

from ..output import Problem


@click.command("lsp", short_help="Help in editors: a language server on standard input and output.")
def lsp() -> None:
    """Serve an editor: what is wrong as you type, completion, explanations, renaming, fixes.

    For Amazon States Language in JSON and YAML, and inside SAM and CloudFormation templates. An
    editor starts it and speaks the language server protocol on its standard input and output;
    docs/editors.md has the lines for VS Code, Neovim and JetBrains.

    \b
    Examples:
      doorstep lsp
      pip install 'doorstep[editor]'     # what it needs
    """
    try:
        from ..editor.server import start
    except ModuleNotFoundError as problem:
        if (problem.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise Problem("doorstep lsp needs pygls: pip install 'doorstep[editor]'") from None
    start()
