"""`doorstep redrive`: RedriveExecution on a server."""

from __future__ import annotations

import click

from ..remote import Remote, endpoint_option


@click.command("redrive", short_help="Let a failed execution of a server go on.")
@click.argument("execution", metavar="EXECUTION")
@endpoint_option
def command(execution: str, endpoint: str) -> None:
    """Let an execution that failed, timed out or was stopped go on where it was.

    What succeeded is not done again. EXECUTION is an ARN, or MACHINE:NAME.

    \b
    Examples:
      doorstep redrive order:order-17
    """
    remote = Remote(endpoint)
    remote.ask("RedriveExecution", executionArn=remote.execution(execution))
