"""`doorstep serve`: Step Functions on 127.0.0.1."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..definitions import DEFINITION, all_accepted
from ..options import handlers_option, param_option, renamed_option, s3_root_option
from ..output import Problem, echo

if TYPE_CHECKING:
    from doorstep_emulator import Options


@click.command("serve", short_help="Serve the AWS API on this machine.")
@click.argument("definitions", nargs=-1, type=DEFINITION, metavar="[DEFINITION]...")
@click.option("--host", default="127.0.0.1", help="Address to listen on.", show_default=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8083,
    help="Port to listen on; 0: any that is free.",
    show_default=True,
)
@click.option(
    "--db",
    metavar="FILE",
    help="Where executions are kept; by default a file in your state folder. `:memory:` forgets.",
)
@handlers_option("What answers the tasks: a .py file, a folder of them, or a module's name.")
@click.option(
    "--mocks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A MockConfigFile.json: start-execution with ARN#TESTCASE runs one of its test cases.",
)
@renamed_option(
    "--max-handlers",
    "calls",
    former="--calls",
    type=click.IntRange(1),
    default=64,
    help="How many handlers may run at a time.",
    show_default=True,
)
@s3_root_option
@click.option(
    "--clock",
    type=click.Choice(["real", "virtual"]),
    default="real",
    help="virtual: waits and back-offs end at once, timestamps show the modelled time.",
    show_default=True,
)
@click.option(
    "--speed", type=click.FloatRange(0, min_open=True), help="60: a minute takes a second."
)
@param_option
@click.option(
    "--events",
    multiple=True,
    metavar="TARGET",
    help="Where status changes go, as EventBridge has them: a file, an http(s) URL or "
    "python:FILE.py:FUNCTION. May be repeated.",
)
@click.option(
    "--logs",
    multiple=True,
    metavar="TARGET",
    help="Where executions' events go, as CloudWatch Logs has them: those of each DEFINITION and "
    "of state machines whose loggingConfiguration asks for it. Targets as for --events.",
)
@click.option(
    "--grace",
    type=click.IntRange(0),
    default=3,
    metavar="SECONDS",
    help="What a shutdown leaves to requests and handlers, and then to events and logs.",
    show_default=True,
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How the server reports on stderr: for people, or a JSON object a line.",
    show_default=True,
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="What it reports; debug: every request.",
    show_default=True,
)
@click.option("--account", metavar="NUMBER", help="Account of requests whose key names none.")
@click.option("--region", metavar="NAME", help="Region of requests that are not signed.")
@click.option(
    "--fsync", is_flag=True, help="Survive power cuts as well, not only the end of the process."
)
def serve(
    definitions: tuple[Path, ...],
    parameters: Mapping[str, str],
    db: str | None,
    clock: str,
    speed: float | None,
    log_format: str,
    log_level: str,
    **options: Any,
) -> None:
    """Serve the AWS API of Step Functions: boto3, the AWS CLI and other SDKs work with it when they
    are given its URL as the endpoint.

    The state machines of each DEFINITION, a definition named as its file or a SAM or CloudFormation
    template, are there from the start, brought up to date if they were there before.

    What was started is not lost: after a crash or a `kill -9` the next `doorstep serve` goes on
    with every Standard execution where it was. Ctrl-C and SIGTERM stop the server, not the
    executions. /health and /metrics tell how it stands.

    \b
    Examples:
      doorstep serve order.asl.json --handlers handlers.py
      doorstep serve --db :memory: --port 0
      doorstep serve --clock virtual
      doorstep serve order.asl.json --mocks MockConfigFile.json
      doorstep serve --events events.jsonl --logs python:hooks.py:on_line
      aws stepfunctions --endpoint-url http://127.0.0.1:8083 list-state-machines
    """
    from doorstep import HandlerLoadError

    if speed is not None:
        if clock == "virtual":
            raise click.UsageError("--speed is of the real clock; --clock virtual needs none")
        clock = str(speed)
    try:
        from doorstep_emulator import Deployment, Options, report, serve
    except ModuleNotFoundError as missing:
        told = f"`doorstep serve` needs {missing.name}: pip install 'doorstep[server]'"
        raise Problem(told) from None
    report(log_format, log_level)
    # A program's own folder is on the path, but for `--handlers MODULE` the user's is meant.
    sys.path.append(str(Path.cwd()))
    given = {name: value for name, value in options.items() if value is not None}
    machines = [
        Deployment(one.name, json.dumps(one.document.definition, indent=2), one.type)
        for file in definitions
        for one in all_accepted(file, parameters)
    ]
    wanted = Options(db=db or _state_file(), clock=clock, machines=machines, **given)
    try:
        serve(wanted, lambda url: _tell(url, wanted))
    except HandlerLoadError as problem:
        raise Problem(f"--handlers {options['handlers']}: {problem}") from None
    except OSError as problem:
        where = f"{options['host']}:{options['port']}"
        raise Problem(f"can't serve at {where}: {problem.strerror or problem}") from None


def _tell(url: str, options: Options) -> None:
    echo(f"Serving at {url}")
    for machine in options.machines:
        echo(f"  {options.owner.arn('stateMachine', machine.name)}")


def _state_file() -> str:
    """doorstep.db in the folder where programs keep their state (XDG; Windows: LOCALAPPDATA)."""
    home = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    folder = (Path(home) if home else Path.home() / ".local" / "state") / "doorstep"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise Problem(f"can't make {folder}: {problem.strerror}; name a file with --db") from None
    return str(folder / "doorstep.db")
