"""`doorstep conformance`: recorded cases run again, and how many answers are AWS's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options
from ..output import Problem, TableRow, echo, json_text, print_table
from ..recorded import HISTORY, read_events

if TYPE_CHECKING:
    from doorstep_conformance import Report

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(
    "conformance", invoke_without_command=True, short_help="Compare Doorstep with what AWS did."
)
@click.option(
    "--cases", "directory", type=_FOLDER, help="A folder of case files; Doorstep's own by default."
)
@click.option(
    "--emit",
    type=click.File("w", encoding="utf-8"),
    help="Write the answers to this file, one JSON object a line, in place of the score.",
)
@click.option("--missed", is_flag=True, help="List the cases that are answered otherwise, and why.")
@click.option(
    "--report",
    "page_file",
    is_flag=False,
    flag_value="-",
    type=click.File("w", encoding="utf-8", lazy=True),
    help="Write docs/conformance.md, from Doorstep's own cases, to this file or to stdout.",
)
@click.option(
    "--recordings",
    type=_FOLDER,
    help="With --report: cases recorded on AWS, whose scores are then kept for the page.",
)
@click.pass_context
def conformance(
    ctx: click.Context,
    directory: Path | None,
    emit: TextIO | None,
    missed: bool,
    page_file: TextIO | None,
    recordings: Path | None,
) -> None:
    """Run cases that hold what AWS does, and compare Doorstep's answers with it.

    Prints the score of each kind of case: exact, causal (the same but for the order of events that
    don't depend on each other), outcome (only the end is the same), fail.

    \b
    Examples:
      doorstep conformance
      doorstep conformance --cases cases/history --missed
      doorstep conformance --cases cases --emit answers.jsonl
      doorstep conformance add history.json --definition order.asl.json --name orders/declined
    """
    if ctx.invoked_subcommand:
        return
    from doorstep_conformance import OWN_CASES, check

    if page_file and directory:
        raise click.UsageError("--report is of Doorstep's own cases: leave --cases out")
    if recordings and not page_file:
        raise click.UsageError("--recordings goes with --report")
    directory = directory or OWN_CASES
    if not directory.is_dir():
        raise Problem(
            "Doorstep's own cases are in its repository, not in an installed package; "
            "name a folder of others with --cases"
        )
    report = check(directory, emit)
    if page_file:
        _write_page(page_file, report, recordings)
    elif emit is None:
        _print_scores(report)
    if missed:
        for one in report.missed:
            echo(f"{one.case.id}: {one.verdict.grade}: {one.verdict.why}")


def _write_page(file: TextIO, own: Report, recordings: Path | None) -> None:
    from doorstep_conformance import check
    from doorstep_conformance.page import keep, page

    if recordings:
        keep(check(recordings))
    file.write(page(own))


def _print_scores(report: Report) -> None:
    from doorstep_conformance.report import GRADES

    rows = [
        TableRow([kind, *(str(counts[grade]) for grade in GRADES), str(counts.total())])
        for kind, counts in report.scores().items()
    ]
    print_table(["Kind", *(grade.capitalize() for grade in GRADES), "Cases"], rows)
    total, recorded = len(report.judged), len(report.judged) - len(report.missed)
    echo(f"{recorded} of {total} as AWS recorded them")


@conformance.command("add", short_help="Make a case of a history from AWS.")
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
