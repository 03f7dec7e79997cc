"""`doorstep graph`: a workflow as Mermaid or DOT text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from doorstep.visits import Visits

from .definitions import DEFINITION, Type, read_accepted
from .dot import dot
from .drawing import draw
from .mermaid import mermaid
from .options import definition_options
from .output import note
from .recorded import HISTORY, read_history

_FORMATS = {"mermaid": mermaid, "dot": dot}


@click.command("graph", short_help="Print a workflow as Mermaid or DOT text.")
@click.argument("path", type=DEFINITION, metavar="DEFINITION")
@click.option("--history", type=HISTORY, help="Colour the states by what happened in this history.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(list(_FORMATS)),
    default="mermaid",
    help="mermaid (default), or dot for Graphviz.",
)
@definition_options
def command(
    path: Path,
    history: Path | None,
    output_format: str,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Print a workflow as Mermaid or DOT text; Parallel and Map frame what they contain.

    With a history the states are coloured: succeeded, failed, error caught, in progress, aborted,
    not reached. Dotted edges are those of catchers.

    \b
    Examples:
      doorstep graph order.asl.json
      doorstep graph order.asl.json --history history.json
      doorstep graph order.asl.json --format dot | dot -Tsvg > order.svg
    """
    from doorstep.definition import machine

    definition = read_accepted(path, parameters, resource, machine_type)
    visits = Visits(read_history(history)) if history else None
    drawing = draw(machine(definition.document.definition), definition.name, visits)
    click.echo("\n".join(_FORMATS[output_format](drawing)))
    if visits:
        known = {state.name for state in machine(definition.document.definition).scope.walk()}
        if strange := sorted({visit.name for visit in visits.all} - known):
            note(f"{history} has states that {path} has not: {', '.join(strange)}")
