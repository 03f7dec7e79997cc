"""`doorstep start`: StartExecution on a server."""

from __future__ import annotations

import click

from ..options import input_option
from ..output import echo
from ..remote import Remote, endpoint_option


@click.command("start", short_help="Start an execution on a server.")
@click.argument("machine", metavar="MACHINE")
@input_option("The input: JSON, the JSON of a file, or of standard input; {} by default.")
@click.option("--name", help="The execution's name; a UUID by default.")
@click.option(
    "--clock",
    metavar="real|virtual|SPEED",
    help="How its time passes; the machine's or the server's way by default.",
)
@endpoint_option
def command(
    machine: str, input_json: str, name: str | None, clock: str | None, endpoint: str
) -> None:
    """Start an execution and print its ARN.

    MACHINE is a state machine's name or ARN, or the ARN of a version or alias. MACHINE#TESTCASE is
    answered by that test case of the server's `--mocks`.

    \b
    Examples:
      doorstep start order --input @order.json --name order-17
      doorstep logs -f $(doorstep start order --clock virtual)
    """
    remote = Remote(endpoint, clock)
    name_or_arn, *test_case = machine.partition("#")
    arn = "".join((remote.machine(name_or_arn), *test_case))
    started = remote.ask("StartExecution", stateMachineArn=arn, input=input_json, name=name)
    echo(started["executionArn"])
