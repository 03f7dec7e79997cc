"""`doorstep stop`: StopExecution on a server."""

from __future__ import annotations

import click

from ..remote import Remote, endpoint_option


@click.command("stop", short_help="Stop an execution of a server.")
@click.argument("execution", metavar="EXECUTION")
@click.option("--error", help="The error's name, for the history.")
@click.option("--cause", help="Why it is stopped, for the history.")
@endpoint_option
def command(execution: str, error: str | None, cause: str | None, endpoint: str) -> None:
    """Stop an execution: its status becomes ABORTED.

    EXECUTION is an ARN, or MACHINE:NAME.

    \b
    Examples:
      doorstep stop order:order-17 --cause 'ordered twice'
    """
    remote = Remote(endpoint)
    remote.ask("StopExecution", executionArn=remote.execution(execution), error=error, cause=cause)
