"""`doorstep view`: a recorded execution as a page, in a browser or as a file."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path

import click

from ..children import children_option, family_of
from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options
from ..output import OutputFile, echo
from ..recorded import history_arguments, recording_of
from ..runs import needs_jinja, write
from .replay import known_type


@click.command("view", short_help="Show a recorded execution in a browser.")
@history_arguments
@definition_option(
    "A definition or template; adds the graph, the context object and the data between fields.",
    required=False,
)
@click.option(
    "--html",
    type=OutputFile(),
    metavar="FILE",
    help="Write the page to this file, complete in itself, instead of opening a browser.",
)
@children_option
@definition_options
def view(
    histories: tuple[Path, ...],
    definition_file: Path | None,
    arn: str | None,
    html: Path | None,
    children: Path | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Show a recorded execution as the console does: graph, state visits, events and their data.

    HISTORY is as for `doorstep replay`; several files are pages of one history. Without --html the
    page is served on this machine alone until Ctrl-C, and opened in a browser. The page loads
    nothing from anywhere; it has the data of the execution, so mind whom you send it to.

    \b
    Examples:
      doorstep view failed.json --definition order.asl.json
      doorstep view failed.json --definition order.asl.json --html failed.html
      doorstep view batch.json --definition batch.asl.json --children children/
      doorstep view arn:aws:states:eu-west-1:123456789012:execution:order:7
    """
    from doorstep import moments

    with needs_jinja("`doorstep view`"):
        from doorstep.pages import HistorySite, page_of_file, show
    recording = recording_of(histories, arn)
    definition = None
    if definition_file:
        accepted = read_accepted(definition_file, parameters, resource, machine_type)
        definition = accepted.document.definition
        execution = moments(recording, definition, type=known_type(accepted, machine_type))
    else:
        execution = moments(recording)
    title = recording.arn.rpartition(":")[2] if recording.arn else histories[0].name
    groups = family_of(histories, execution.visits, children, recording.arn).groups
    if html:
        write(html, [page_of_file(execution, definition, title, groups)], quiet=False)
        return
    show(HistorySite(execution, definition, title, groups), _open)


def _open(address: str) -> None:
    echo(f"Showing it at {address} (Ctrl-C ends)")
    webbrowser.open(address)
