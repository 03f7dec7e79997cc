"""`doorstep run`: run a workflow to its end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..definitions import PROJECT, DefinitionFile, Type, placeholders_in, read_accepted
from ..options import (
    begin_time,
    definition_options,
    executor_option,
    handlers_option,
    input_option,
    network_options,
    quotas,
    renamed_option,
    services_option,
)
from ..output import OutputFile, note
from ..runs import (
    driving_options,
    finish,
    handlers_of,
    run_to_end,
    startable,
    write,
    write_children,
)
from ..views.progress import wanted
from ..watching import watch_option
from ..world import choices

if TYPE_CHECKING:
    from doorstep import Execution
    from doorstep.runtime import OnEvent
    from doorstep.testing.mocks import Mocks, Validation


_OF_DATA = (
    "States.Runtime",
    "States.ParameterPathFailure",
    "States.QueryEvaluationError",
    "States.NoChoiceMatched",
    "KeyError",
    "TypeError",
)
"""Errors of workflows that miss something in their input, and of functions that do."""


@click.command("run", short_help="Run a workflow to its end.")
@watch_option
@click.argument("path", type=PROJECT)
@input_option("The input as JSON, from @FILE or from standard input (-); {} by default.")
@handlers_option("Python functions that run the tasks: a .py file, a folder or a module name.")
@services_option
@network_options
@click.option(
    "--mocks",
    "mocked",
    metavar="FILE[#TESTCASE]",
    help="Mocks in YAML, or a test case of a MockConfigFile.json; they replace handlers.",
)
@renamed_option(
    "--mock-validation",
    "mock_validation",
    former="--answers",
    type=click.Choice(["strict", "warn", "off"]),
    help="If a mock returns what its service would not: strict (default) fails, warn (default of a "
    "MockConfigFile) reports it.",
)
@click.option(
    "--children",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the histories of child executions to this folder, a file each.",
)
@click.option(
    "--journal",
    type=OutputFile(),
    help="Store the execution in this file; if it holds one already, continue that one.",
)
@click.option(
    "--redrive", is_flag=True, help="If the execution in the journal has failed, redrive it."
)
@click.option(
    "--clock",
    type=click.Choice(["virtual", "real"]),
    default="virtual",
    help="virtual (default): waits take no time; real: they take as long as they say.",
)
@executor_option
@click.option("--seed", help="Make the run reproducible: names, UUIDs, jitter, times.")
@renamed_option(
    "--start-time",
    "start_time",
    former="--begin",
    metavar="TIME",
    callback=begin_time,
    help="Start of the virtual clock: 2025-01-31T08:00:00Z or epoch seconds; now by default.",
)
@click.option("--name", help="Name of the execution.")
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="NAME=NUMBER",
    callback=quotas,
    help="Change a limit, such as payload_bytes or history_events; `none` removes one of AWS's.",
)
@definition_options
@driving_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    path: Path,
    handlers: list[str] | None,
    services: str | None,
    allow_hosts: tuple[str, ...],
    allow_network: bool,
    mocked: str | None,
    mock_validation: Validation | None,
    history: Path | None,
    children: Path | None,
    journal: Path | None,
    redrive: bool,
    state_machines: Mapping[str, str],
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
    quiet: bool,
    **options: Any,
) -> None:
    """Run a workflow to its end, with Python functions as its tasks.

    PATH is a definition in JSON or YAML, a SAM or CloudFormation template, or a folder with one (or
    with a cdk.out). A template's own functions answer its tasks: Python, Node.js, any bootstrap.
    Only the output's JSON is printed on stdout; what handlers print goes to stderr.

    A task is answered by the first of: a mock, a handler, the function's own code, --services.

    With --journal nothing is lost when the process dies: run the same command again to continue.
    Handlers that were running are called again with the same idempotency key.

    Exit code: 0 succeeded, 1 failed, timed out or aborted, 2 a definition, input or handler that
    can't be used, 130 interrupted by Ctrl-C (the history so far is written).

    \b
    Examples:
      doorstep run hello.asl.json --input '{"name": "Ada"}'
      doorstep run order.asl.json --handlers handlers.py --input @order.json --history history.json
      generate-orders | doorstep run order.asl.json --handlers handlers/ --input - | jq .total
      doorstep run . --services moto
      doorstep run template.yaml --machine-name OrderMachine --param Stage=test --seed 1
      doorstep run order.asl.json --handlers handlers.py --mocks mocks.yaml
      doorstep run order.asl.json --mocks MockConfigFile.json#HappyPath
      doorstep run batch.asl.json --input @items.json --history batch.json --children children
      doorstep run order.asl.json --handlers . --clock real --journal order.journal
      doorstep run batch.asl.json --handlers handlers.py --input @items.json --executor processes
    """
    if redrive and journal is None:
        raise click.UsageError("--redrive needs --journal: there is nothing to redrive")
    if journal and history and journal.resolve() == history.resolve():
        raise click.UsageError("--journal and --history need different files")
    if history and history.resolve() == path.resolve():
        raise click.UsageError(f"--history {history} would replace the definition")
    if ctx.get_parameter_source("input_json") is ParameterSource.DEFAULT:
        options["input_json"] = None
    if options["clock"] == "real" and options["start_time"] is not None:
        raise click.UsageError(
            "--start-time sets the virtual clock; --clock real always starts now"
        )
    from doorstep.history.aws_json import history_lines

    chosen = choices(
        [path], parameters, handlers, services, allow_hosts, allow_network=allow_network
    )
    if ctx.get_parameter_source("clock") is ParameterSource.DEFAULT and chosen.clock:
        options["clock"] = chosen.clock
    options["executor"] = {**chosen.executors, **options.pop("executors")}
    path, parameters, mocked = chosen.file, chosen.parameters, mocked or chosen.mocks
    definition = read_accepted(path, parameters, resource, machine_type, runnable=True)
    if not quiet and (remark := placeholders_in(definition)):
        note(remark)
    mocks = _mocks(mocked, definition.name, mock_validation) if mocked else None
    options |= {
        "journal": journal,
        "respond": mocks,
        "type": machine_type or definition.type,
        "state_machine_name": definition.name,
        "state_machines": startable(path, definition, parameters, state_machines),
    }
    files = None
    if children:
        from doorstep.replayer import ChildFiles

        files = ChildFiles(children)
    with handlers_of(chosen.handlers), chosen.at_work(quiet=quiet) as around:
        options["services"] = around
        begin = partial(_start, definition, list(chosen.handlers), options, redrive, quiet)
        execution, stop, failed = run_to_end(begin, watched=not quiet and wanted(), files=files)
    for remark in mocks.remarks() if mocks and not quiet else ():
        note(remark)
    if files:
        write_children(files, execution, quiet=quiet)
    if history:
        write(history, history_lines(execution.events), quiet=quiet)
    code = finish(execution, stop, failed, output_format)
    if not quiet and options["input_json"] is None and execution.error in _OF_DATA:
        note("no input was given, so it was {}; --input JSON or --input @FILE gives one")
    ctx.exit(code)


def _start(
    definition: DefinitionFile,
    handlers: Any,
    options: Mapping[str, Any],
    redrive: bool,
    quiet: bool,
    on_event: OnEvent | None,
) -> Execution:
    from doorstep import start

    value = definition.document.definition
    execution = start(value, handlers=handlers, **options, on_event=on_event)
    journal, events = options["journal"], len(execution.events)
    if redrive and execution.redrivable:
        execution.redrive()
    elif execution.redrivable and not quiet:
        note(f"the execution in {journal} has already failed; --redrive continues it")
    elif events and not execution.ended and not quiet:
        note(f"continuing after the {events:,} events in {journal}")
    return execution


def _mocks(source: str, machine: str, validation: Validation | None) -> Mocks:
    from doorstep.testing.mock_files import mocks_of
    from doorstep.testing.mocks import Mocks

    return Mocks(*mocks_of(source, Path(), machine), mock_validation=validation)
