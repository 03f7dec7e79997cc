"""`doorstep conformance add`: an execution of the user's own account as a case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options
from ..output import Problem, echo, json_text
from ..recorded import HISTORY, read_events


@click.command("add", short_help="Make a case of a history from AWS.")
@click.argument("history", type=HISTORY, metavar="HISTORY.json")
@definition_option("What the execution ran: a definition or a template.")
@click.option("--name", help="The case's id, as in `orders/declined`; the history's file name.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default="cases",
    show_default=True,
    help="The folder of the cases.",
)
@definition_options
@click.pass_context
def add(
    ctx: click.Context,
    history: Path,
    definition_file: Path,
    name: str | None,
    into: Path,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
) -> None:
    """Turn what AWS recorded of an execution into a case, and see whether Doorstep does the same.

    HISTORY.json is what `aws stepfunctions get-execution-history` prints, `-` standard input. The
    case then is a regression test: `doorstep conformance --cases cases`. Exit code: 0 as AWS did
    it, 1 otherwise, 2 nothing was added.

    \b
    Examples:
      doorstep conformance add history.json --definition order.asl.json
      doorstep conformance add history.json --definition order.asl.json --name orders/declined
      doorstep conformance add history.json --definition template.yaml --resource OrderMachine
    """
    from doorstep import InputError
    from doorstep_conformance import answer, judge, load_case, recorded_case

    if name is None:
        name = history.name.partition(".")[0]
    path = _free(into, name)
    events = read_events(history)
    definition = read_accepted(definition_file, parameters, resource, machine_type)
    try:
        content = recorded_case(events, definition.document.definition, name)
    except InputError as problem:
        raise Problem(f"{history}: {problem}") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json_text(content, indent=2) + "\n", "utf-8")
    case = load_case(path)
    verdict = judge(case, answer(case))
    echo(f"{path}: {verdict.grade}{f': {verdict.why}' if verdict.why else ''}")
    ctx.exit(int(not verdict.as_recorded))


def _free(into: Path, name: str) -> Path:
    path = (into / f"{name}.json").resolve()
    if not path.is_relative_to(into.resolve()) or not Path(name).name:
        raise Problem(f"--name {name}: a case stands below the folder {into}")
    if path.exists():
        raise Problem(f"{into / name}.json is there already; give another --name, or delete it")
    return into / f"{name}.json"
