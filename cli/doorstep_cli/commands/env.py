"""`doorstep env`: the variables that lead AWS's clients to this machine."""

from __future__ import annotations

import click

from ..output import echo

_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "doorstep",
    "AWS_SECRET_ACCESS_KEY": "doorstep",
    "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
}
_REMOVED = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
_FORMS = {
    "sh": ("export {}={}", "unset {}"),
    "fish": ("set -gx {} {}", "set -e {}"),
    "powershell": ('$Env:{}="{}"', "Remove-Item Env:{} -ErrorAction SilentlyContinue"),
    "dotenv": ("{}={}", "# without {}"),
}


@click.command("env", short_help="Print the lines that lead clients to the server.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the server.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8083,
    show_default=True,
    help="Port of the server.",
)
@click.option("--region", default="us-east-1", show_default=True, help="Region of requests.")
@click.option(
    "--services",
    "every_service",
    is_flag=True,
    help="For a server with --services: all services go there, not only Step Functions.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(list(_FORMS)),
    default="sh",
    show_default=True,
    help="Whose lines: those of a shell, or of a .env file.",
)
def env(host: str, port: int, region: str, every_service: bool, output_format: str) -> None:
    """Print the lines that lead boto3, the AWS CLI and other SDKs to `doorstep serve`.

    The credentials are dummies, so that nothing reaches your real account by mistake.

    \b
    Examples:
      eval "$(doorstep env --services)"
      doorstep env --services --format dotenv > .env
      doorstep env --format fish | source
    """
    line, without = _FORMS[output_format]
    endpoint = "AWS_ENDPOINT_URL" if every_service else "AWS_ENDPOINT_URL_SFN"
    named = f"[{host}]" if ":" in host else host
    values = {endpoint: f"http://{named}:{port}", **_VARIABLES}
    values |= {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    for name, value in values.items():
        echo(line.format(name, value))
    for name in _REMOVED:
        echo(without.format(name))
