"""`doorstep run`: a definition from its input to its end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import ended, process
from .definitions import DEFINITION, Definition, Type, machine_names, read_accepted
from .options import begin_time, definition_options, input_text, pairs, quotas
from .output import OutputFile, Problem, note, print_json
from .progress import Progress, wanted

if TYPE_CHECKING:
    from doorstep import Driver, Execution


@click.command("run", short_help="Run a workflow to its end.")
@click.argument("path", type=DEFINITION, metavar="DEFINITION")
@click.option(
    "--input",
    "text",
    metavar="JSON|@FILE|-",
    callback=input_text,
    help="The input: JSON, the JSON of a file, or of standard input; {} by default.",
)
@click.option(
    "--handlers",
    metavar="PATH",
    help="What answers the tasks: a .py file, a folder of them, or a module's name.",
)
@click.option("--history", type=OutputFile(), help="Write GetExecutionHistory's JSON to this file.")
@click.option("--journal", type=OutputFile(), help="Write the journal, a fact or event a line.")
@click.option(
    "--clock",
    type=click.Choice(["virtual", "real"]),
    default="virtual",
    help="virtual (default): waits cost no time; real: they do.",
)
@click.option("--seed", help="Makes the run reproducible: names, UUIDs, jitter, times.")
@click.option(
    "--begin",
    metavar="TIME",
    callback=begin_time,
    help="When the virtual clock starts: 2025-01-31T08:00:00Z, or epoch seconds; now by default.",
)
@click.option("--name", help="Name of the execution.")
@click.option(
    "--bucket",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that holds a folder for each S3 bucket.",
)
@click.option(
    "--machine",
    "machines",
    multiple=True,
    metavar="NAME=FILE",
    callback=pairs,
    help="A definition that states:startExecution finds by this name; repeatable.",
)
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    metavar="NAME=NUMBER",
    callback=quotas,
    help="Change a limit, such as payload_bytes or history_events; `none` lifts these two.",
)
@definition_options
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json: an object with status, output, error, cause in place of the bare output.",
)
@click.option("--quiet", "-q", is_flag=True, help="No progress and no remarks on stderr.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    path: Path,
    handlers: str | None,
    history: Path | None,
    journal: Path | None,
    machines: Mapping[str, str],
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
    quiet: bool,
    **options: Any,
) -> None:
    """Run a workflow to its end, its tasks answered by Python functions.

    DEFINITION is JSON, YAML, or a SAM or CloudFormation template. stdout gets the output's JSON and
    nothing else; what handlers print goes to stderr.

    Exit code: 0 succeeded, 1 failed, timed out or aborted, 2 a definition, input or handler that
    can't be used, 130 interrupted by Ctrl-C (the history so far is written).

    \b
    Examples:
      doorstep run hello.asl.json --input '{"name": "Ada"}'
      doorstep run order.asl.json --handlers handlers.py --input @order.json --history history.json
      generate-orders | doorstep run order.asl.json --handlers handlers/ --input - | jq .total
      doorstep run template.yaml --resource OrderMachine --param Stage=test --seed 1
    """
    if options["clock"] == "real" and options["begin"] is not None:
        raise click.UsageError("--begin sets the virtual clock; with --clock real it is now.")
    definition = read_accepted(path, parameters, resource, machine_type)
    options |= {
        "handlers": handlers,
        "type": machine_type or definition.type,
        "machine_name": definition.name,
        "machines": _machines(path, definition, parameters, machines),
    }
    execution, stop = _run(definition, options, watched=not quiet and wanted())
    if history:
        _write(history, _history_lines(execution), quiet=quiet)
    if journal:
        _write(journal, execution.journal.lines(), quiet=quiet)
    if output_format == "json":
        print_json(ended.as_json(execution))
    elif execution.status == "SUCCEEDED":
        print_json(execution.output)
    ctx.exit(_tell(execution, stop))


def _tell(execution: Execution, stop: KeyboardInterrupt | None) -> int:
    """Say on stderr why there is no output; gives the exit code."""
    if stop is not None:
        click.echo(ended.interrupted(execution), err=True)
        return process.exit_code(stop)
    if execution.status != "SUCCEEDED":
        click.echo(ended.told(execution), err=True)
    return ended.exit_code(execution)


def _run(
    definition: Definition, options: Mapping[str, Any], *, watched: bool
) -> tuple[Execution, KeyboardInterrupt | None]:
    """Start and run; Ctrl-C and SIGTERM leave the execution as far as it has come."""
    with process.prints_go_to_stderr(), process.sigterm_interrupts():
        with Progress() if watched else contextlib.nullcontext() as progress:
            driver, execution = _start(
                definition, options, on_event=progress.on_event if progress else None
            )
            try:
                driver.run(execution)
            except KeyboardInterrupt as stop:
                return execution, stop
        return execution, None


def _start(
    definition: Definition, options: Mapping[str, Any], **more: Any
) -> tuple[Driver, Execution]:
    from doorstep import HandlerLoadError, start

    # A program's own folder is on the path, but for `--handlers MODULE` the user's is meant.
    sys.path.append(str(Path.cwd()))
    handlers = options["handlers"]
    try:
        return start(definition.document.definition, **options, **more)
    except HandlerLoadError as problem:
        found = os.path.isfile(handlers) and handlers.endswith(".py")
        advice = "" if found else "; PATH is a .py file, a folder of them, or a module's name"
        raise Problem(f"--handlers {handlers}: {problem}{advice}") from None


def _history_lines(execution: Execution) -> Iterator[str]:
    """GetExecutionHistory's JSON, an event a line."""
    from doorstep.jsontext import dumps

    last = len(execution.events)
    yield '{"events": ['
    for number, event in enumerate(execution.history, start=1):
        yield dumps(event) + ("," if number < last else "")
    yield "]}"


def _write(file: Path, lines: Iterable[str], *, quiet: bool) -> None:
    try:
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    except OSError as problem:
        raise Problem(f"can't write {file}: {problem.strerror}") from None
    if not quiet:
        note(f"written: {file}")


def _machines(
    path: Path, definition: Definition, parameters: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, tuple[Mapping[str, Any], Type]]:
    """What may be started by name: the definitions given, and siblings in a template."""
    from doorstep.jsontext import dumps

    found = {name: read_accepted(Path(file), parameters) for name, file in given.items()}
    siblings = [name for name in machine_names(path) if name not in found]
    calling = [definition]
    while calling:
        text = dumps(calling.pop().document.definition)
        for name in siblings:
            if name not in found and f":stateMachine:{name}" in text:
                found[name] = read_accepted(path, parameters, name)
                calling.append(found[name])
    return {name: (one.document.definition, one.type) for name, one in found.items()}
