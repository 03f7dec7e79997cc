"""`doorstep serve`: the AWS API of Step Functions on this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..definitions import PROJECT, DefinitionFile, all_accepted
from ..options import (
    executor_option,
    handlers_option,
    network_options,
    param_option,
    renamed_option,
    s3_root_option,
    services_option,
)
from ..output import Problem, echo
from ..world import Choices, choices

if TYPE_CHECKING:
    from doorstep.services import AtWork
    from doorstep_emulator import Options
    from doorstep_emulator.requests import ServerMachines


@click.command("serve", short_help="Serve the AWS API of Step Functions.")
@click.argument("paths", nargs=-1, type=PROJECT, metavar="[PATH]...")
@click.option("--host", default="127.0.0.1", help="Address to listen on.", show_default=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8083,
    help="Port to listen on; 0 for any free port.",
    show_default=True,
)
@click.option(
    "--db",
    metavar="FILE|URL",
    help="File that stores executions; by default doorstep.db in your state folder. `:memory:` "
    "forgets them at the end. postgresql://USER@HOST/DATABASE: one that several servers share.",
)
@handlers_option("Python functions that run the tasks: a .py file, a folder or a module name.")
@executor_option
@click.option(
    "--mocks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A MockConfigFile.json; start-execution with ARN#TESTCASE uses one of its test cases.",
)
@renamed_option(
    "--max-handlers",
    "max_handlers",
    former="--calls",
    type=click.IntRange(1),
    default=64,
    help="How many handlers may run at the same time.",
    show_default=True,
)
@s3_root_option
@services_option
@network_options
@click.option(
    "--clock",
    type=click.Choice(["real", "virtual"]),
    default="real",
    help="virtual: waits and retry delays take no time; timestamps show simulated time.",
    show_default=True,
)
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    help="How fast the real clock runs; with 60 a minute takes a second.",
)
@param_option
@click.option(
    "--events",
    multiple=True,
    metavar="TARGET",
    help="Where to send status changes, as EventBridge events: a file, an http(s) URL or "
    "python:FILE.py:FUNCTION; repeatable.",
)
@click.option(
    "--logs",
    multiple=True,
    metavar="TARGET",
    help="Where to send execution events, as in CloudWatch Logs: those of each PATH, and of "
    "state machines with a loggingConfiguration. Targets are as for --events; repeatable.",
)
@click.option(
    "--grace",
    type=click.IntRange(0),
    default=3,
    metavar="SECONDS",
    help="How long a shutdown waits for requests and handlers, and then for events and logs.",
    show_default=True,
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Format of the server's log on stderr; json: one object per line.",
    show_default=True,
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    help="Lowest level to log; debug logs every request.",
    show_default=True,
)
@click.option(
    "--account", metavar="NUMBER", help="Account for requests whose access key names none."
)
@click.option("--region", metavar="NAME", help="Region for requests that are not signed.")
@click.option(
    "--lease",
    type=click.FloatRange(1),
    default=30,
    metavar="SECONDS",
    help="With PostgreSQL: how long a server may be silent before others take over its executions.",
    show_default=True,
)
@click.option("--fsync", is_flag=True, help="Survive power cuts, not only crashes; slower.")
def serve(
    paths: tuple[Path, ...],
    parameters: Mapping[str, str],
    services: str | None,
    allow_hosts: tuple[str, ...],
    allow_network: bool,
    db: str | None,
    clock: str,
    speed: float | None,
    log_format: str,
    log_level: str,
    **options: Any,
) -> None:
    """Serve the AWS API of Step Functions to boto3, the AWS CLI and other SDKs.

    Give clients the server's URL as their endpoint (`doorstep env` prints the lines). Each PATH is
    created as a state machine, or updated: one definition, named after its file, or all in a SAM or
    CloudFormation template, or in a folder with one. A template's functions answer its tasks.

    With --services moto every AWS service that moto knows is answered at the same URL, with the
    template's tables, queues and so on in place. Clients can invoke the functions, and events sent
    to EventBridge start the state machines whose rules match.

    Executions are not lost: after a crash or a `kill -9` the next `doorstep serve` continues every
    Standard execution. Ctrl-C and SIGTERM stop the server, not the executions. Its state is at
    /health and /metrics.

    \b
    Examples:
      doorstep serve order.asl.json --handlers handlers.py
      doorstep serve . --services moto
      doorstep serve --db :memory: --port 0
      PGPASSWORD=… doorstep serve --db postgresql://doorstep@db.example/doorstep
      doorstep serve --clock virtual
      doorstep serve order.asl.json --mocks MockConfigFile.json
      doorstep serve --events events.jsonl --logs python:hooks.py:on_line
      aws stepfunctions --endpoint-url http://127.0.0.1:8083 list-state-machines
    """
    from doorstep import HandlerLoadError

    if speed is not None:
        if clock == "virtual":
            raise click.UsageError("--speed only applies to the real clock")
        clock = str(speed)
    try:
        from doorstep_emulator import Deployment, Options, report, serve
        from doorstep_emulator.requests import ServerMachines
    except ModuleNotFoundError as missing:
        message = f"`doorstep serve` needs {missing.name}: pip install 'doorstep[server]'"
        raise Problem(message) from None
    report(log_format, log_level)
    # An installed program has its own folder on the path; `--handlers MODULE` means the user's.
    sys.path.append(str(Path.cwd()))
    chosen = choices(
        paths,
        parameters,
        options.pop("handlers"),
        services,
        allow_hosts,
        allow_network=allow_network,
    )
    files, accepted = _accepted(chosen)
    present = {name: value for name, value in options.items() if value is not None}
    deployments = [
        Deployment(one.name, json.dumps(one.document.definition, indent=2), one.type)
        for one in accepted
    ]
    present["executors"] = {**chosen.executors, **options["executors"]}
    wanted = Options(db=db or _state_file(), clock=clock, deployments=deployments, **present)
    machines = ServerMachines(wanted.owner)
    try:
        with replace(chosen, files=files).at_work(machines=machines) as around:
            wanted = _with_services(wanted, around, machines, chosen.handlers)
            serve(wanted, lambda url: _print_address(url, wanted))
    except HandlerLoadError as problem:
        raise Problem(f"--handlers {', '.join(chosen.handlers)}: {problem}") from None
    except OSError as problem:
        where = f"{options['host']}:{options['port']}"
        raise Problem(f"can't serve at {where}: {problem.strerror or problem}") from None


def _with_services(
    options: Options, around: AtWork | None, machines: ServerMachines, handlers: Sequence[str]
) -> Options:
    """Return the options with what answers tasks and other services."""
    if around is None:
        return replace(options, handlers=list(handlers) or None)
    others = scheduler = None
    if around.target and around.target.name == "moto":
        from doorstep.services.scheduler import Scheduler
        from doorstep.services.target import wsgi

        others = around.account.before(wsgi())
        scheduler = Scheduler(around.target, around.account)
    elif around.sources:
        others = around.account.before(_nothing)
    sources = [*around.sources, *handlers]
    return replace(
        options,
        handlers=sources,
        machines=machines,
        others=others,
        buckets=around.buckets(None),
        scheduler=scheduler,
    )


def _nothing(environ: Mapping[str, Any], start_response: Any) -> Iterable[bytes]:
    """Say what would answer other services."""
    start_response("501 Not Implemented", [("Content-Type", "application/json")])
    text = f"{environ['PATH_INFO']} is of a service that needs `doorstep serve --services moto`"
    return [json.dumps({"__type": "NotImplemented", "message": text}).encode()]


def _accepted(chosen: Choices) -> tuple[tuple[Path, ...], list[DefinitionFile]]:
    """Return the files that have something to serve, and their state machines.

    What is wrong with the others is printed. Raises Problem when nothing is left.
    """
    good: list[Path] = []
    accepted: list[DefinitionFile] = []
    wrong: list[Problem] = []
    for file in chosen.files:
        own, problems = all_accepted(file, chosen.parameters)
        good += [file] if own else []
        accepted += own
        wrong += problems
    if wrong and not accepted:
        raise Problem("\n".join(one.message for one in wrong))
    for one in wrong:
        one.show()
    return tuple(good), accepted


def _print_address(url: str, options: Options) -> None:
    echo(f"Serving at {url}")
    for machine in options.deployments:
        echo(f"  {options.owner.arn('stateMachine', machine.name)}")
    echo(
        "  StartSyncExecution and TestState: AWS_DISABLE_HOST_PREFIX_INJECTION=true for boto3 and"
        " the AWS CLI; disableHostPrefix in JavaScript, HostnameImmutable in Go"
    )


def _state_file() -> str:
    """Return doorstep.db in the folder for programs' state (XDG; LOCALAPPDATA on Windows)."""
    home = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    folder = (Path(home) if home else Path.home() / ".local" / "state") / "doorstep"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise Problem(f"can't make {folder}: {problem.strerror}; name a file with --db") from None
    return str(folder / "doorstep.db")
