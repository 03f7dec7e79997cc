"""`doorstep resume`: continue a recorded execution on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from doorstep.history import ending

from ..definitions import DefinitionFile, Type, fetched_with, machines_beside, read_accepted
from ..options import definition_options, handlers_option, network_options, services_option
from ..output import note
from ..recorded import HistoryPath, arguments_of, recording_of
from ..runs import driving_options, finish, handlers_of, run_to_end, startable, write
from ..views.next_steps import next_steps
from ..views.progress import wanted
from ..world import Choices, choices
from .replay import replay_options

if TYPE_CHECKING:
    from doorstep import Execution
    from doorstep.replayer import Recording
    from doorstep.runtime import OnEvent


@click.command("resume", short_help="Continue a recorded execution from where it failed.")
@arguments_of(HistoryPath(every=True))
@replay_options
@handlers_option(
    "Python functions that run the remaining tasks: a .py file, folder or module name."
)
@services_option
@network_options
@click.option(
    "--from", "state", metavar="STATE", help="Run again from the last visit of this state."
)
@click.option("--at", type=int, metavar="EVENT", help="Run again from this event.")
@definition_options
@driving_options
@click.pass_context
def resume(
    ctx: click.Context,
    /,
    histories: tuple[Path, ...],
    arn: str | None,
    definition_file: Path,
    handlers: list[str] | None,
    services: str | None,
    allow_hosts: tuple[str, ...],
    allow_network: bool,
    history: Path | None,
    s3_root: Path | None,
    state_machines: Mapping[str, str],
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
    quiet: bool,
    **options: Any,
) -> None:
    """Continue a recorded execution with local handlers, a project's functions and services.

    A failed execution is redriven from the state that failed, as RedriveExecution does; states that
    succeeded do not run again. --from and --at go back further, even in an execution that
    succeeded. HISTORY is as for `doorstep replay`. The output's JSON is printed on stdout.

    Exit code: 0 succeeded, 1 failed, timed out or aborted, 2 a history, definition or handler that
    can't be used, 130 interrupted by Ctrl-C.

    \b
    Examples:
      doorstep resume history.json --definition order.asl.json --handlers handlers.py
      doorstep resume history.json --definition template.yaml --services moto
      doorstep resume history.json --definition order.asl.json --handlers . --from Charge
      doorstep resume history.json --definition order.asl.json --handlers . --history whole.json
      doorstep resume batch.json --definition batch.asl.json --handlers . --children children/
      doorstep resume arn:aws:states:eu-west-1:123456789012:execution:order:7 --handlers .
    """
    from doorstep.history.aws_json import history_lines

    if options["state"] is not None and options["at"] is not None:
        raise click.UsageError("use either --from or --at, not both")
    further_back = options["state"] is not None or options["at"] is not None
    if options["children"] and further_back:
        if ctx.get_parameter_source("children") is ParameterSource.COMMANDLINE:
            raise click.UsageError(
                "--children continues where the execution ended; leave out --from and --at"
            )
        options["children"] = None
    chosen = choices(
        [definition_file], parameters, handlers, services, allow_hosts, allow_network=allow_network
    )
    definition = read_accepted(chosen.file, chosen.parameters, resource, machine_type)
    named = {**machines_beside(histories[0]), **state_machines}
    called = startable(chosen.file, definition, chosen.parameters, named)
    recording = recording_of(histories, arn)
    if not (recording.ended or quiet):
        note(f"the history ends at event {len(recording.events)}, while the execution was running")

    with handlers_of(chosen.handlers), chosen.at_work(quiet=quiet) as around:

        def begin(on_event: OnEvent | None) -> Execution:
            return _begin(
                recording, definition, chosen, machine_type,
                state_machines=called, s3_root=s3_root, services=around, on_event=on_event,
                **options,
            )  # fmt: skip

        execution, stop, failed = run_to_end(begin, watched=not quiet and wanted())
    if history:
        write(history, history_lines(execution.events), quiet=quiet)
    code = finish(execution, stop, failed, output_format)
    if (about := fetched_with(histories[0])) and not quiet:
        for line in next_steps(
            about,
            histories[0].parent,
            end=ending(recording.visits),
            succeeded=code == 0,
            further_back=further_back,
            other_definition=_is_changed(histories[0].parent, definition),
        ):
            note(line)
    ctx.exit(code)


def _is_changed(folder: Path, definition: DefinitionFile) -> bool:
    """Return whether a definition is another than the one that the execution began with."""
    try:
        fetched = json.loads((folder / "definition.asl.json").read_bytes())
    except (OSError, ValueError):
        return False
    return bool(fetched != definition.document.definition)


def _begin(
    recording: Recording,
    definition: DefinitionFile,
    chosen: Choices,
    machine_type: Type | None,
    *,
    state: str | None,
    at: int | None,
    children: Path | None,
    ignore_times: bool,
    **options: Any,
) -> Execution:
    from doorstep.replayer import prepare_resume

    return prepare_resume(
        recording,
        definition.document.definition,
        list(chosen.handlers),
        state=state,
        at=at,
        children=children,
        type=machine_type,
        times=not ignore_times,
        **options,
    )
