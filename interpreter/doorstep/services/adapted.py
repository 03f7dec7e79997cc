"""What an integration does with its Parameters before they are sent, beside what every one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..runtime import Context
from .families import compact

Adapt = Callable[[dict[str, Any], Context], None]


def _events(arguments: dict[str, Any], context: Context) -> None:
    """Append the machine's ARN, then the execution's, to each entry's Resources (recorded)."""
    execution = context.execution_arn
    machine = ":".join(execution.split(":")[:7]).replace(":execution:", ":stateMachine:")
    entries = arguments.get("Entries")
    if isinstance(entries, list):
        arguments["Entries"] = [
            {**entry, "Resources": [*(entry.get("Resources") or []), machine, execution]}
            for entry in entries
            if isinstance(entry, dict)
        ]


def _put_object(arguments: dict[str, Any], _context: Context) -> None:
    """Write the Body as JSON text, also when it is text: with its quotes (recorded)."""
    if "Body" in arguments:
        arguments["Body"] = compact(arguments["Body"])
        arguments.setdefault("ContentType", "text/plain; charset=UTF-8")


def _run_task(arguments: dict[str, Any], context: Context) -> None:
    """Say who started a task that is waited for (recorded; not for a plain `runTask`)."""
    if ".sync" in context.resource:
        arguments.setdefault("StartedBy", "AWS Step Functions")


ADAPTED: dict[str, Adapt] = {
    "aws-sdk:s3:putObject": _put_object,
    "ecs:runTask": _run_task,
    "events:putEvents": _events,
}
