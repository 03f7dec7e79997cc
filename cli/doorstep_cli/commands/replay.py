"""`doorstep replay`: run recorded executions with a definition, and compare handlers' answers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..definitions import (
    DefinitionFile,
    Type,
    beside,
    definition_option,
    fetched_with,
    machines_beside,
    read_accepted,
)
from ..folders import print_replays, replays_of
from ..options import (
    F,
    definition_options,
    format_option,
    handlers_option,
    network_options,
    services_option,
)
from ..output import print_json
from ..recorded import HistoryPath, arn_option, endpoint_option, recording_of
from ..runs import handlers_of, prints_go_to_stderr, startable, world_options
from ..views.progress import ProgressLine, wanted
from ..views.replay import print_replay
from ..world import Choices, choices

if TYPE_CHECKING:
    from doorstep.replayer import ChildHistories, Replay, Replayer
    from doorstep.runtime import Handlers
    from doorstep.services import AtWork


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
    files are pages of one history; in a folder, every *.json is a history, and what `doorstep
    download` wrote. Answers, failures, timeouts, callbacks, times and random values are taken from
    the history. With --with-handlers, --with-functions or --services the tasks are carried out as
    well, to compare their answers.

    Exit code: 0 the same, 1 different, 2 a history or definition that can't be used.

    \b
    Examples:
      doorstep replay history.json --definition order.asl.json
      doorstep replay page1.json page2.json --definition order.asl.json
      doorstep replay histories/ --definition new.asl.json
      doorstep replay yesterday/ --with-handlers src/
      doorstep replay history.json --definition order.asl.json --with-handlers handlers.py
      doorstep replay history.json --definition template.yaml --with-functions --services moto
      doorstep replay batch.json --definition batch.asl.json --children children/
      doorstep replay arn:aws:states:eu-west-1:123456789012:execution:order:7
    """
    from doorstep.api import handlers_with
    from doorstep.replayer import Replayer

    folder = histories[0] if histories[0].is_dir() else None
    if folder and (arn or children or len(histories) > 1):
        raise click.UsageError("give a folder of histories alone, without --arn and --children")
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
        setup = _ReplaySetup(replayer, definition, chosen, state_machines, s3_root, at_work, asked)
        if folder:
            results = replays_of(folder, setup.of_downloaded)
        else:
            replayed = setup.replay(histories, children, arn)
    if folder:
        ctx.exit(print_replays(results, output_format, compared=compared))
    if output_format == "json":
        print_json(replayed.as_json())
    else:
        print_replay(replayed)
    ctx.exit(0 if replayed.same else 1)


@dataclass(frozen=True, slots=True)
class _ReplaySetup:
    """What recordings are replayed with."""

    replayer: Replayer
    definition: DefinitionFile
    chosen: Choices
    state_machines: Mapping[str, str]
    s3_root: Path | None
    at_work: AtWork | None
    handlers: Handlers | None

    def of_downloaded(self, history: Path) -> Replay:
        """Replay a history with the children that were fetched with it."""
        children = history.parent / "children"
        there = fetched_with(history) is not None and children.is_dir()
        return self.replay([history], children if there else None)

    def replay(
        self, histories: Sequence[Path], children: Path | None, arn: str | None = None
    ) -> Replay:
        from doorstep.replayer import replay_recording

        recording = recording_of(histories, arn)
        family = self._family(histories[0], children) if children else None
        with _progress(family):
            return replay_recording(self.replayer, recording, self.handlers, family)

    def _family(self, history: Path, children: Path) -> ChildHistories:
        from doorstep.api import buckets_of

        about = fetched_with(history) or {}
        partial = not about.get("everyChild", True) or bool(about.get("leftOut"))
        named = {**machines_beside(history), **self.state_machines}
        called = startable(self.chosen.file, self.definition, self.chosen.parameters, named)
        buckets = buckets_of(self.at_work, self.s3_root)
        return self.replayer.child_histories(children, called, buckets, partial=partial)


def known_type(definition: DefinitionFile, machine_type: Type | None) -> Type | None:
    """Return the type that --type or a template gives; None if neither does."""
    return machine_type or (definition.type if definition.type == "EXPRESS" else None)


def _progress(family: ChildHistories | None) -> AbstractContextManager[ProgressLine | None]:
    """Return a progress line while children are replayed."""
    if family is None or not wanted():
        return contextlib.nullcontext()
    total = len(family.unmatched)
    return ProgressLine(lambda: f"{family.replayed:,} of {total:,} children replayed")
