"""`doorstep graph`: draw a workflow as SVG, Mermaid or DOT."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from doorstep.coverage.marks import of_execution
from doorstep.drawing import Mark, dot, draw, mermaid, svg
from doorstep.history.recorded import Entry
from doorstep.model.definition import workflow

from ..definitions import DefinitionFile, Type, fetched_with, read_accepted
from ..options import definition_options, format_option
from ..output import OutputFile, echo, note
from ..recorded import HISTORY, HistoryPath, endpoint_option, read_history
from ..runs import write
from ..watching import watch_option

_FORMATS = {"mermaid": mermaid, "dot": dot, "svg": svg}


@click.command("graph", short_help="Draw a workflow as SVG, Mermaid or DOT.")
@watch_option
@endpoint_option
@click.argument("path", type=HistoryPath(folder=True), metavar="PATH|ARN")
@click.option(
    "--history",
    type=HISTORY,
    help="Colour states and transitions by this history.",
)
@format_option("mermaid (default), dot for Graphviz, or svg for browsers.", *_FORMATS)
@click.option("--output", type=OutputFile(), help="Write to this file instead of stdout.")
@definition_options
def graph(
    path: Path,
    history: Path | None,
    output_format: str,
    output: Path | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Draw a workflow as Mermaid, DOT or SVG. Parallel and Map are frames around their states.

    With a history, or the ARN of an execution as PATH, states are coloured as succeeded, failed,
    error caught, in progress, aborted or not reached, and the transitions that were taken stand
    out. Dotted or dashed edges are catchers.

    \b
    Examples:
      doorstep graph order.asl.json
      doorstep graph order.asl.json --history history.json
      doorstep graph order.asl.json --format svg --output order.svg
      doorstep graph order.asl.json --format dot | dot -Tsvg > order.svg
      doorstep graph arn:aws:states:eu-west-1:123456789012:execution:order:7 --format svg
    """
    if fetched_with(path):
        history = history or path
        path = path.parent / "definition.asl.json"
    definition = read_accepted(path, parameters, resource, machine_type)
    tree = workflow(definition.document.definition)
    entries = read_history([history]) if history else []
    marks = _marks(definition, entries) if entries else None
    lines = _FORMATS[output_format](draw(tree, definition.name, marks))
    if output:
        write(output, lines, quiet=False)
    else:
        echo("\n".join(lines))
    known = {state.name for state in tree.scope.walk()}
    if unknown := sorted(_entered(entries) - known):
        note(f"{history} enters states that {path} does not define: {', '.join(unknown)}")


def _marks(definition: DefinitionFile, entries: list[Entry]) -> dict[str, Mark]:
    """Return what the history says of each state; of a redriven one the definition knows more."""
    from doorstep import moments
    from doorstep.errors import InputError
    from doorstep.history import Visits, whole
    from doorstep.replayer import Recording

    value = definition.document.definition
    visits = Visits(entries)
    if any(entry.type == "ExecutionRedriven" for entry in entries):
        with contextlib.suppress(InputError):
            recording = Recording(whole(entries, "the history"))
            visits = moments(recording, value, type=definition.type).visits
    return of_execution(value, visits)


def _entered(entries: Iterable[Entry]) -> set[str]:
    return {one.name for one in entries if one.name and one.type.endswith("StateEntered")}
