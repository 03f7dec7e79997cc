"""`doorstep logs`: the events of an execution of a server, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from ..options import format_option
from ..output import echo, json_text, plain
from ..remote import Remote, endpoint_option

_PAUSE = 0.3
"""Seconds between two looks at an execution that runs."""

_PAGE = 1000
_TOLD = ("name", "resource", "error", "cause")


@click.command("logs", short_help="Show the events of an execution of a server.")
@click.argument("execution", metavar="EXECUTION")
@click.option("--follow", "-f", is_flag=True, help="Go on until the execution has ended.")
@format_option("json: an event of GetExecutionHistory a line.")
@endpoint_option
def command(execution: str, follow: bool, output_format: str, endpoint: str) -> None:
    """Show the events of an execution, an event a line.

    EXECUTION is an ARN, or MACHINE:NAME.

    \b
    Examples:
      doorstep logs -f order:order-17
      doorstep logs order:order-17 --format json | jq 'select(.type == "TaskFailed")'
    """
    remote = Remote(endpoint)
    arn = remote.execution(execution)
    shown = _line if output_format == "text" else json_text
    for event in _events(remote, arn, follow=follow):
        echo(shown(event))


def _events(remote: Remote, arn: str, *, follow: bool) -> Iterator[dict[str, Any]]:
    seen = 0
    while True:
        # Looked at before the history: what ended in between is not missed.
        running = remote.ask("DescribeExecution", executionArn=arn)["status"] == "RUNNING"
        pages = remote.pages("GetExecutionHistory", "events", executionArn=arn, maxResults=_PAGE)
        for event in pages:
            if event["id"] > seen:
                seen = event["id"]
                yield event
        if not (follow and running):
            return
        time.sleep(_PAUSE)


def _line(event: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(event["timestamp"], UTC).isoformat(timespec="milliseconds")
    details: dict[str, Any] = next(
        (value for name, value in event.items() if name.endswith("EventDetails")), {}
    )
    told = [plain(str(details[name])) for name in _TOLD if name in details]
    return "  ".join([moment, f"{event['id']:>5}", event["type"], *told])
