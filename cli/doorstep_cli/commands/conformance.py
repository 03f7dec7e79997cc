"""`doorstep conformance`: run recorded cases and score the answers; make a case of a history."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ..definitions import Type, definition_option, fetched_with, read_accepted
from ..options import definition_options
from ..output import Problem, TableRow, echo, json_text, print_table
from ..recorded import HISTORY, endpoint_option, read_events
from .against_aws import against_aws

if TYPE_CHECKING:
    from doorstep_conformance import Report

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(
    "conformance",
    invoke_without_command=True,
    short_help="Compare Doorstep with recordings of AWS.",
)
@click.option(
    "--cases",
    "directory",
    type=_FOLDER,
    help="A folder of case files; by default Doorstep's own cases.",
)
@click.option(
    "--emit",
    type=click.File("w", encoding="utf-8"),
    help="Write the answers to this file, one JSON object a line, and print no score.",
)
@click.option(
    "--missed", is_flag=True, help="List the cases whose answers differ from AWS's, and how."
)
@click.option(
    "--report",
    "page_file",
    is_flag=False,
    flag_value="-",
    type=click.File("w", encoding="utf-8", lazy=True),
    help="Write docs/conformance.md to this file, or to stdout. Uses Doorstep's own cases.",
)
@click.option(
    "--recordings",
    type=_FOLDER,
    help="With --report: cases recorded on AWS; their scores are stored for the page.",
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
    """Run cases recorded on AWS, and compare Doorstep's answers with the recordings.

    Prints how many cases of each kind are exact, causal (the same except for the order of
    independent events), outcome (only the result is the same) or fail.

    \b
    Examples:
      doorstep conformance
      doorstep conformance --cases cases/history --missed
      doorstep conformance --cases cases --emit answers.jsonl
      doorstep conformance add history.json --definition order.asl.json --name orders/declined
      doorstep conformance against-aws --role arn:aws:iam::123456789012:role/doorstep
    """
    if ctx.invoked_subcommand:
        return
    from doorstep_conformance import OWN_CASES, check

    if page_file and directory:
        raise click.UsageError("--report uses Doorstep's own cases; leave out --cases")
    if recordings and not page_file:
        raise click.UsageError("--recordings only applies to --report")
    directory = directory or OWN_CASES
    if not directory.is_dir():
        raise Problem(
            "Doorstep's own cases are in its repository, not in the installed package; "
            "name a folder of cases with --cases"
        )
    report = check(directory, emit)
    if page_file:
        _write_page(page_file, report, recordings)
    elif emit is None:
        _print_scores(report)
    if missed:
        for one in report.missed:
            echo(f"{one.case.id}: {one.verdict.grade}: {one.verdict.why}")


conformance.add_command(against_aws)


def _write_page(file: TextIO, own: Report, recordings: Path | None) -> None:
    from doorstep_conformance import check
    from doorstep_conformance.page import page, store_scores

    if recordings:
        store_scores(check(recordings))
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


@conformance.command("add", short_help="Turn a history from AWS into a case.")
@endpoint_option
@click.argument("history", type=HISTORY, metavar="HISTORY.json")
@definition_option("What the execution ran: a definition or template.")
@click.option(
    "--name", help="The case's id, such as `orders/declined`; by default the history's file name."
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default="cases",
    show_default=True,
    help="The folder for cases.",
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
    """Turn a history from AWS into a case, and check whether Doorstep does the same.

    HISTORY.json is what `aws stepfunctions get-execution-history` prints, `-` for standard input,
    or the ARN of an execution.
    The case is then a regression test: `doorstep conformance --cases cases`.

    Exit code: 0 Doorstep does what AWS did, 1 it does not, 2 no case was added.

    \b
    Examples:
      doorstep conformance add history.json --definition order.asl.json
      doorstep conformance add history.json --definition order.asl.json --name orders/declined
      doorstep conformance add history.json --definition template.yaml --machine-name OrderMachine
    """
    from doorstep import InputError
    from doorstep_conformance import answer, judge, load_case, recorded_case

    if name is None:
        about = fetched_with(history)
        name = about["arn"].rpartition(":")[2] if about else history.name.partition(".")[0]
    path = _new_file(into, name)
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


def _new_file(into: Path, name: str) -> Path:
    path = (into / f"{name}.json").resolve()
    if not path.is_relative_to(into.resolve()) or not Path(name).name:
        raise Problem(f"--name {name}: the case would not be in the folder {into}")
    if path.exists():
        raise Problem(f"{into / name}.json exists; choose another --name, or delete the file")
    return into / f"{name}.json"
