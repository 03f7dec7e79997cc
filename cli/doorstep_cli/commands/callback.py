"""`doorstep callback`: answer a task that waits with a token."""

from __future__ import annotations

import click

from ..options import input_text
from ..remote import Remote, endpoint_option


@click.group("callback", short_help="Answer a task that waits with a token.")
def command() -> None:
    """Answer a task that waits with a token, as SendTaskSuccess, -Failure and -Heartbeat do.

    \b
    Examples:
      doorstep callback success AQC… --output '{"approved": true}'
      doorstep callback failure AQC… --error Rejected --cause 'too expensive'
      doorstep callback heartbeat AQC…
    """


@command.command("success")
@click.argument("token")
@click.option(
    "--output",
    metavar="JSON|@FILE|-",
    callback=input_text,
    help="The task's result: JSON, the JSON of a file, or of standard input; {} by default.",
)
@endpoint_option
def success(token: str, output: str, endpoint: str) -> None:
    """The task with this token succeeds."""
    Remote(endpoint).ask("SendTaskSuccess", taskToken=token, output=output)


@command.command("failure")
@click.argument("token")
@click.option("--error", help="The error's name, which Retry and Catch look at.")
@click.option("--cause", help="What happened.")
@endpoint_option
def failure(token: str, error: str | None, cause: str | None, endpoint: str) -> None:
    """The task with this token fails."""
    Remote(endpoint).ask("SendTaskFailure", taskToken=token, error=error, cause=cause)


@command.command("heartbeat")
@click.argument("token")
@endpoint_option
def heartbeat(token: str, endpoint: str) -> None:
    """The task with this token is being worked on."""
    Remote(endpoint).ask("SendTaskHeartbeat", taskToken=token)
