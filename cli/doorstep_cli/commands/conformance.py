"""`doorstep conformance`: recorded cases run again, and how many answers are AWS's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ..output import Problem, Row, echo, print_table
from .add_case import add

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
def command(
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


command.add_command(add)


def _write_page(file: TextIO, own: Report, recordings: Path | None) -> None:
    from doorstep_conformance import check
    from doorstep_conformance.page import keep, page

    if recordings:
        keep(check(recordings))
    file.write(page(own))


def _print_scores(report: Report) -> None:
    from doorstep_conformance.report import GRADES

    rows = [
        Row([kind, *(str(counts[grade]) for grade in GRADES), str(counts.total())])
        for kind, counts in report.scores().items()
    ]
    print_table(["Kind", *(grade.capitalize() for grade in GRADES), "Cases"], rows)
    total, recorded = len(report.judged), len(report.judged) - len(report.missed)
    echo(f"{recorded} of {total} as AWS recorded them")
