"""`doorstep download`: the histories of many executions of an account or a server."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from doorstep.against.account import Account, Refused, account_of
from doorstep.values.file_names import file_name

from ..execution_files import fetched_into, note_missing, write_text
from ..output import Problem, echo, note

_FAILED = ("FAILED", "TIMED_OUT", "ABORTED")
_AGO = re.compile(r"(\d+)([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _since(ctx: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is neither a time such as 2026-11-28T06:00:00Z nor 30m, 6h, 1d, 2w"
        raise click.BadParameter(message, param=parameter) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command("download", short_help="Download the histories of executions from AWS.")
@click.option("--machine", required=True, metavar="ARN", help="The state machine.")
@click.option("--failed", is_flag=True, help="Only those that failed, timed out or were aborted.")
@click.option(
    "--since", callback=_since, metavar="AGO|TIME", help="Started since then: 30m, 6h, 1d, a time."
)
@click.option(
    "--most", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most."
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default="histories",
    show_default=True,
    help="The folder; each execution gets a folder NAME in it.",
)
@click.option(
    "--all-children",
    "every",
    is_flag=True,
    help="Also children that succeeded; else those that failed, at most 100 of an execution.",
)
@click.option("--endpoint", metavar="URL", help="A server such as `doorstep serve`; else AWS.")
def download(
    machine: str,
    failed: bool,
    since: datetime | None,
    most: int,
    into: Path,
    every: bool,
    endpoint: str | None,
) -> None:
    """Download the histories of a state machine's executions, the newest first.

    They come from the account that AWS's configuration names (AWS_PROFILE, AWS_REGION); only
    operations that read are called, and what is over is not fetched twice. Each execution's folder
    has its history, the definition that it ran, and children. The definition that is deployed now
    is written beside the folder. `doorstep failures` over the folder then says what failed,
    `doorstep replay` what changed handlers, or another definition, make of them.

    Exit code: 0 all downloaded, 1 some were not, 2 nothing can be had.

    \b
    Examples:
      doorstep download --machine arn:aws:states:eu-west-1:123456789012:stateMachine:order
      doorstep download --machine ARN --failed --since 1d --into yesterday
      doorstep failures yesterday
      doorstep replay yesterday --with-handlers src/
      doorstep replay yesterday --definition order.asl.json
    """
    parts = machine.split(":")
    if len(parts) < 7 or parts[2] != "states" or parts[5] != "stateMachine":
        example = "arn:aws:states:eu-west-1:123456789012:stateMachine:order"
        raise Problem(
            f"--machine {machine}: this is no state machine's ARN, such as {example}; "
            "`aws stepfunctions list-state-machines` lists them"
        )
    account = account_of(endpoint, parts[3])
    chosen = _chosen(account, machine, since, most, _FAILED if failed else ())
    deployed = account.ask("describe_state_machine", stateMachineArn=machine)["definition"]
    definition = into.with_name(f"{into.name}.asl.json")
    if definition.exists() and definition.read_bytes() != deployed.encode():
        raise Problem(
            f"{definition} exists and differs from the definition that is deployed: remove it, or "
            "choose another folder with --into"
        )
    refused = sum(
        not _fetched(account, one["executionArn"], into, endpoint, every=every) for one in chosen
    )
    write_text(definition, deployed)
    echo(f"{len(chosen) - refused} of {len(chosen)} histories in {into}")
    if chosen:
        note(f"what failed in them: doorstep failures {into}")
        note(f"what a fix does: doorstep replay {into} --with-handlers PATH")
        note(f"or, of a changed definition: doorstep replay {into} --definition {definition}")
    click.get_current_context().exit(int(refused > 0))


def _chosen(
    account: Account, machine: str, since: datetime | None, most: int, statuses: tuple[str, ...]
) -> list[dict[str, Any]]:
    chosen: list[dict[str, Any]] = []
    for one in account.pages("list_executions", "executions", stateMachineArn=machine):
        if since and one["startDate"] < since:
            break
        if not statuses or one["status"] in statuses:
            chosen.append(one)
        if len(chosen) == most:
            note(f"the newest {most}; --most takes more")
            break
    return chosen


def _fetched(account: Account, arn: str, into: Path, endpoint: str | None, *, every: bool) -> bool:
    folder = into / file_name(arn.rpartition(":")[2])
    try:
        about, _ = fetched_into(folder, arn, lambda **_: account, endpoint, every=every)
    except Refused as refused:
        note(f"{arn}: {refused}")
        return False
    note_missing(about)
    return True
