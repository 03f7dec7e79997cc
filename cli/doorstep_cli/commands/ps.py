"""`doorstep ps`: the executions of a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click

from ..options import format_option
from ..output import Problem, Row, print_json, print_table
from ..remote import Remote, endpoint_option

_COLUMNS = ("Machine", "Name", "Status", "Started", "Seconds")
_COLOURS = {"FAILED": "red", "TIMED_OUT": "red", "ABORTED": "yellow", "SUCCEEDED": "green"}


@click.command("ps", short_help="List the executions of a server.")
@click.argument("machine", required=False)
@click.option(
    "--status",
    type=click.Choice(["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]),
    help="Only executions with this status.",
)
@click.option(
    "--last",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many of each machine, the newest first.",
)
@format_option("json: one object for each execution, in an array.", "table", "json")
@endpoint_option
def command(
    machine: str | None, status: str | None, last: int, output_format: str, endpoint: str
) -> None:
    """List the executions of a server's state machines, or of MACHINE alone.

    \b
    Examples:
      doorstep ps --status RUNNING
      doorstep ps order --last 100 --format json | jq -r '.[].executionArn'
    """
    found = list(_executions(Remote(endpoint), machine, status, last))
    if output_format == "json":
        print_json(found)
    else:
        print_table(_COLUMNS, [_row(one) for one in found])


def _executions(
    remote: Remote, machine: str | None, status: str | None, last: int
) -> Iterator[dict[str, Any]]:
    machines = remote.pages("ListStateMachines", "stateMachines")
    found = [one for one in machines if machine in (None, one["name"], one["stateMachineArn"])]
    if machine is not None and not found:
        raise Problem(f"there is no state machine {machine!r}")
    for one in found:
        if one["type"] == "STANDARD":
            listed = remote.pages(
                "ListExecutions",
                "executions",
                stateMachineArn=one["stateMachineArn"],
                statusFilter=status,
                maxResults=min(last, 1000),
            )
            yield from islice(listed, last)


def _row(execution: dict[str, Any]) -> Row:
    began = float(execution["startDate"])
    ended = execution.get("stopDate")
    cells = (
        execution["stateMachineArn"].rpartition(":")[2],
        execution["name"],
        execution["status"],
        datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        "" if ended is None else f"{ended - began:.1f}",
    )
    return Row(cells, _COLOURS.get(execution["status"]))
