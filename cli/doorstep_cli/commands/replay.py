"""`doorstep replay`: run recorded executions with a definition, and compare handlers' answers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..definitions import DefinitionFile, Type, beside, definition_option, read_accepted
from ..options import (
    F,
    definition_options,
    format_option,
    handlers_option,
    network_options,
    services_option,
)
from ..output import Problem, TableRow, echo, print_json, print_table
from ..recorded import HistoryPath, arn_option, endpoint_option, recording_of
from ..runs import handlers_of, prints_go_to_stderr, startable, world_options
from ..views.progress import ProgressLine, wanted
from ..views.replay import print_replay, summary
from ..world import choices

if TYPE_CHECKING:
    from doorstep.replayer import ChildHistories, Replay, Replayer


def replay_options(command: F) -> F:
    """Add the options of the commands that follow a recording."""
    for option in (
        click.option(
            "--children",
            type=click.Path(exists=True, path_type=Path),
            callback=beside("children"),
            metavar="DIR",
            help="Histories of child executions, as `doorstep run` writes them, or the journal "
            "that contains them.",
        ),
        click.option(
            "--ignore-times",
            is_flag=True,
            help="Accept waits and time limits of other lengths than recorded.",
        ),
        definition_option("A definition or template."),
    ):
        command = option(command)
    return command


@click.command("replay", short_help="Run recorded executions again and show differences.")
@click.argument(
    "histories",
    nargs=-1,
    required=True,
    type=HistoryPath(folder=True, every=True),
    metavar="HISTORY...",
)
@arn_option
@endpoint_option
@replay_options
@world_options
@handlers_option(
    "Call these handlers with the recorded requests and compare their answers.", "--with-handlers"
)
@click.option(
    "--with-functions", is_flag=True, help="Call the project's own functions and compare likewise."
)
@services_option
@network_options
@definition_options
@format_option("json: an object for the execution, or an array of objects for a folder.")
@click.pass_context
def replay(
    ctx: click.Context,
    /,
    histories: tuple[Path, ...],
    definition_file: Path,
    handlers: list[str] | None,
    with_functions: bool,
    services: str | None,
    allow_hosts: tuple[str, ...],
    allow_network: bool,
    children: Path | None,
    state_machines: Mapping[str, str],
    s3_root: Path | None,
    arn: str | None,
    ignore_times: bool,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Run a recorded execution with a definition, and show the first event that differs.

    HISTORY is what `aws stepfunctions get-execution-history` prints, what the console exports, what
    `doorstep run` writes (--history, --journal), or the log lines of an Express execution. Several
    files are pages of one history; in a folder, every *.json is a history. Answers, failures,
    timeouts, callbacks, times and random values are taken from the history. With --with-handlers,
    --with-functions or --services the tasks are carried out as well, to compare their answers.

    Exit code: 0 the same, 1 different, 2 a history or definition that can't be used.

    \b
    Examples:
      doorstep replay history.json --definition order.asl.json
      doorstep replay page1.json page2.json --definition order.asl.json
      doorstep replay histories/ --definition new.asl.json
      doorstep replay history.json --definition order.asl.json --with-handlers handlers.py
      doorstep replay history.json --definition template.yaml --with-functions --services moto
      doorstep replay batch.json --definition batch.asl.json --children children/
      doorstep replay arn:aws:states:eu-west-1:123456789012:execution:order:7
    """
    from doorstep.api import buckets_of, handlers_with
    from doorstep.replayer import Replayer, replay_recording

    chosen = choices(
        [definition_file], parameters, handlers, services, allow_hosts, allow_network=allow_network
    )
    definition = read_accepted(chosen.file, chosen.parameters, resource, machine_type)
    replayer = Replayer(
        definition.document.definition,
        type=known_type(definition, machine_type),
        times=not ignore_times,
    )
    compared = bool(handlers or with_functions or services)
    around = chosen.at_work() if compared else contextlib.nullcontext()
    with handlers_of(handlers, "--with-handlers"), prints_go_to_stderr(), around as at_work:
        asked = handlers_with(at_work, chosen.handlers) if compared else None
        if not histories[0].is_dir():
            recording = recording_of(histories, arn)
            family = None
            if children:
                called = startable(chosen.file, definition, chosen.parameters, state_machines)
                family = replayer.child_histories(children, called, buckets_of(at_work, s3_root))
            with _progress(family):
                replayed = replay_recording(replayer, recording, asked, family)
        elif arn or asked or children or len(histories) > 1:
            raise click.UsageError(
                "a folder of histories only works with --definition, --ignore-times and --format"
            )
        else:
            replayed = None
    if replayed is None:
        ctx.exit(_folder(histories[0], replayer, output_format))
    if output_format == "json":
        print_json(replayed.as_json())
    else:
        print_replay(replayed)
    ctx.exit(0 if replayed.same else 1)


def known_type(definition: DefinitionFile, machine_type: Type | None) -> Type | None:
    """Return the type that --type or a template gives; None if neither does."""
    return machine_type or (definition.type if definition.type == "EXPRESS" else None)


def _progress(family: ChildHistories | None) -> AbstractContextManager[ProgressLine | None]:
    """Return a progress line while children are replayed."""
    if family is None or not wanted():
        return contextlib.nullcontext()
    total = len(family.unmatched)
    return ProgressLine(lambda: f"{family.replayed:,} of {total:,} children replayed")


# A folder of them --------------------------------------------------------------------------------


def _folder(folder: Path, replayer: Replayer, output_format: str) -> int:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise Problem(f"no histories (*.json) found in {folder}")
    results = [(file.name, _attempt(file, replayer)) for file in files]
    if output_format == "json":
        print_json([{"file": name, **_as_json(result)} for name, result in results])
    else:
        print_table(
            ["History", "Result", "Events", "State", "What differs"], [_row(*f) for f in results]
        )
        same = sum(not isinstance(result, str) and result.same for _, result in results)
        echo(f"{same} of {len(results)} run the same with this definition")
    if any(isinstance(result, str) for _, result in results):
        return 2
    return int(not all(not isinstance(result, str) and result.same for _, result in results))


def _attempt(file: Path, replayer: Replayer) -> Replay | str:
    """Return the replay of a file's history, or why it can't be replayed."""
    from doorstep import InputError
    from doorstep.replayer import read_recording, replay_recording

    try:
        return replay_recording(replayer, read_recording(file))
    except InputError as problem:
        return str(problem)


def _as_json(result: Replay | str) -> dict[str, Any]:
    return {"problem": result} if isinstance(result, str) else result.as_json()


def _row(name: str, result: Replay | str) -> TableRow:
    if isinstance(result, str):
        return TableRow([name, "unusable", "", "", result], "yellow")
    difference = result.difference
    if difference is None:
        return TableRow([name, "same", str(result.recorded), "", ""], "green")
    return TableRow(
        [name, "differs", str(result.recorded), difference.place, summary(difference)], "red"
    )
