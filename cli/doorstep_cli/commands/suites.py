"""`doorstep test`: tests of state machines, written as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..options import Command, format_option
from ..output import OutputFile, print_json
from ..suite_runs import SuiteRun

if TYPE_CHECKING:
    from doorstep.coverage.measuring import Measurement


def coverage_options(command: Command) -> Command:
    """The options of `pytest --doorstep-cov`, by shorter names."""
    for option in (
        click.option(
            "--cov-fail-under",
            "fail_under",
            multiple=True,
            metavar="PERCENT",
            help="Exit with 1 when less is covered: 90, or of one kind: catcher=75.",
        ),
        click.option(
            "--cov-report",
            "reports",
            multiple=True,
            metavar="KIND:FILE",
            help="Write a report as well: json:FILE, xml:FILE (Cobertura) or html:FILE.",
        ),
        click.option(
            "--cov-source",
            "sources",
            multiple=True,
            type=click.Path(exists=True, path_type=Path),
            metavar="PATH",
            help="A definition, or a folder of *.asl.* files, that counts even when none runs it.",
        ),
        click.option(
            "--cov",
            is_flag=True,
            help="Measure which states, transitions, rules, retriers, catchers … the tests use.",
        ),
    ):
        command = option(command)
    return command


@click.command("test", short_help="Run tests written as YAML.")
@click.argument(
    "paths",
    nargs=-1,
    type=click.Path(exists=True, path_type=Path),
    metavar="[FILE|FOLDER]...",
)
@click.option("-k", "text", metavar="TEXT", help="Only tests with this text in their name.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first test that does not pass.")
@click.option("--junit", type=OutputFile(), help="Write JUnit's XML, for CI services.")
@click.option("--update", is_flag=True, help="Keep the histories of this run.")
@coverage_options
@format_option("json: an object with an entry for each test.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of suites, for editors.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    text: str | None,
    fail_fast: bool,
    junit: Path | None,
    update: bool,
    output_format: str,
    schema: bool,
    **coverage: Any,
) -> None:
    """Run the tests of suites: files that are called *.doorstep.yaml.

    Folders are searched, the current one by default. What handlers print goes to stderr.

    Exit code: 0 all pass, 1 some fail, 2 a file or a test that can't be used.

    \b
    Examples:
      doorstep test
      doorstep test tests/order.doorstep.yaml -k gateway --fail-fast
      doorstep test tests/ --junit results.xml --cov-report html:coverage.html
      doorstep test --cov-fail-under 90 --cov-fail-under catcher=75
      doorstep test --schema > doorstep.schema.json
    """
    if schema:
        from doorstep.testing.suites.tables import schema as schema_of_suites

        print_json(schema_of_suites())
        return
    measurement = _measurement(**coverage)
    run = SuiteRun(shown=output_format == "text", update=update, measurement=measurement)
    run.all(paths or (Path(),), text, fail_fast=fail_fast)
    if output_format == "json":
        print_json(run.as_json())
    else:
        run.sum_up()
    run.write(junit)
    ctx.exit(run.exit_code)


def _measurement(
    cov: bool, sources: tuple[Path, ...], reports: tuple[str, ...], fail_under: tuple[str, ...]
) -> Measurement | None:
    """What measures the coverage; None when none of the options asks for it."""
    if not (cov or sources or reports or fail_under):
        return None
    from doorstep.coverage.measuring import Measurement

    try:
        return Measurement(sources, reports, fail_under)
    except ValueError as problem:
        raise click.UsageError(f"--cov: {problem}") from None
