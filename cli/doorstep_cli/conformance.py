"""`doorstep conformance`: recorded cases run again, and how many answers are AWS's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from .output import Problem, Row, print_table

if TYPE_CHECKING:
    from doorstep_conformance import Report


@click.command("conformance", short_help="Compare Doorstep with what AWS did.")
@click.option(
    "--cases",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of case files; Doorstep's own by default.",
)
@click.option(
    "--emit",
    type=click.File("w", encoding="utf-8"),
    help="Write the answers to this file, one JSON object a line, in place of the score.",
)
@click.option("--missed", is_flag=True, help="List the cases that are answered otherwise, and why.")
def command(directory: Path | None, emit: TextIO | None, missed: bool) -> None:
    """Run cases that were recorded on AWS, and compare Doorstep's answers with AWS's.

    Prints the score of each kind of case: exact, causal (the same but for the order of events that
    don't depend on each other), outcome (only the end is the same), fail.

    \b
    Examples:
      doorstep conformance
      doorstep conformance --cases cases/history --missed
      doorstep conformance --cases cases --emit answers.jsonl
    """
    from doorstep_conformance import OWN_CASES, check

    directory = directory or OWN_CASES
    if not directory.is_dir():
        raise Problem(f"there are no cases in {directory}; name a folder of them with --cases")
    report = check(directory, emit)
    if emit is None:
        _print_scores(report)
    if missed:
        for one in report.missed:
            click.echo(f"{one.case.id}: {one.verdict.grade}: {one.verdict.why}")


def _print_scores(report: Report) -> None:
    from doorstep_conformance.report import GRADES

    rows = [
        Row([kind, *(str(counts[grade]) for grade in GRADES), str(counts.total())])
        for kind, counts in report.scores().items()
    ]
    print_table(["Kind", *(grade.capitalize() for grade in GRADES), "Cases"], rows)
    total, recorded = len(report.judged), len(report.judged) - len(report.missed)
    click.echo(f"{recorded} of {total} as AWS recorded them")
