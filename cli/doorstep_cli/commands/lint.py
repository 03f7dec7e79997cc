"""`doorstep lint`: advice on definitions that AWS accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..baseline import endless_loops
from ..definitions import (
    PROJECT,
    DefinitionFile,
    Type,
    definition_files,
    describe_all,
    line_and_column,
)
from ..file_fixes import write_fixes
from ..options import definition_options, format_option
from ..output import Problem, style
from ..views.diagnostics import DefinitionReport, reports_of, show, without_repeated

if TYPE_CHECKING:
    from doorstep import Diagnostic
    from doorstep.definitions import Document

_IGNORED = re.compile(r"#.*\bdoorstep:\s*ignore\s+([A-Z_, ]+)")


@click.command("lint", short_help="Advise on what AWS accepts and production does not forgive.")
@click.argument("definitions", type=PROJECT, nargs=-1, required=True, metavar="PATH...")
@definition_options
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out a check. Repeatable.")
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `doorstep explore --baseline` wrote: loops that it found to end are left alone.",
)
@click.option("--fix", is_flag=True, help="Write the changes that are safe into the files.")
@format_option(
    "json: an array with an object for each definition; sarif: SARIF 2.1.0, for CI services.",
    "text",
    "json",
    "sarif",
)
@click.pass_context
def lint(
    ctx: click.Context,
    definitions: tuple[Path, ...],
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    ignore: tuple[str, ...],
    baseline: Path | None,
    fix: bool,
    output_format: str,
) -> None:
    """Advise on definitions: what may hang, run twice, get lost, or cost more than it must.

    PATH is a definition, a template or a folder, as for `doorstep validate`, which says what AWS
    refuses; this command says what it accepts and what still goes wrong. Each finding has a code, a
    place, its reason with the source, and what to do.

    A state whose Comment says `doorstep: ignore CODE` is left alone, a machine whose Comment does
    too; in YAML also a comment in the line of the state or above it. `ignore: [CODE]` in
    doorstep.yaml is for the whole project.

    Exit code: 0 nothing found, 1 something found, 2 some that can't be used.

    \b
    Examples:
      doorstep lint order.asl.json
      doorstep lint infrastructure/ --ignore NOTHING_CATCHES
      doorstep lint order.asl.json --baseline doorstep.baseline.json
      doorstep lint template.yaml --format sarif > lint.sarif
      doorstep lint workflows/*.asl.json --fix
    """
    _known(ignore)
    files = list(definition_files(definitions))

    def advised() -> list[DefinitionReport]:
        return without_repeated(
            [
                report
                for path in files
                for report in _advised(path, machine_type, resource, parameters, ignore, baseline)
            ]
        )

    reports = advised()
    if fix and write_fixes(reports):
        reports = advised()
    show(reports, output_format, _text)
    unusable = any(one.unusable or one.refused for one in reports)
    ctx.exit(2 if unusable else int(any(one.diagnostics for one in reports)))


def _known(codes: Sequence[str]) -> None:
    from doorstep.advice import CHECKS
    from doorstep.values.did_you_mean import did_you_mean

    for code in codes:
        if code not in CHECKS:
            hint = did_you_mean(code, CHECKS) or f"there are {', '.join(CHECKS)}"
            raise Problem(f"--ignore {code}: no such check; {hint}")


def _advised(
    path: Path,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    ignore: Sequence[str],
    baseline: Path | None,
) -> Iterator[DefinitionReport]:
    """Yield what there is to say of each state machine of a file."""
    from doorstep import DefinitionError, InputError
    from doorstep.advice import advise
    from doorstep.definitions.settings import settings_above

    try:
        settings = settings_above(path.parent)
    except InputError as problem:
        yield DefinitionReport.of_unusable(path, None, str(problem))
        return
    codes = (*ignore, *(settings.ignore if settings else ()))

    def report(source: DefinitionFile, name: str | None) -> DefinitionReport:
        document = source.document
        kind = machine_type or (source.type if name else None)
        try:
            endless = endless_loops(baseline, source.name) if baseline else None
            found = advise(document.definition, type=kind, ignore=codes, endless=endless)
        except DefinitionError as refused:
            return DefinitionReport(str(path), name, document, refused.diagnostics)
        spoken = [one for one in found if not _silenced(one, document)]
        return DefinitionReport(source.file, name, document, spoken)

    yield from reports_of(path, parameters, resource, report)


def _silenced(diagnostic: Diagnostic, document: Document) -> bool:
    """Return whether a comment of YAML silences a finding: in its line, or right above it."""
    if not document.yaml:
        return False
    line = line_and_column(diagnostic, document)[0]
    near = document.text.split("\n")[max(line - 2, 0) : line]
    return any(
        diagnostic.code in found[1].replace(",", " ").split()
        for text in near
        if (found := _IGNORED.search(text))
    )


def _text(report: DefinitionReport) -> str:
    name = f"{report.file} ({report.machine})" if report.machine else report.file
    if report.unusable or report.refused:
        return str(report)
    number = len(report.diagnostics)
    said = "1 finding" if number == 1 else f"{number or 'no'} findings"
    described = describe_all(report.diagnostics, report.file, report.document)
    return "\n".join([*described, f"{name}: {style(said, fg='yellow' if number else 'green')}"])
