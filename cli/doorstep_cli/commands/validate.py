"""`doorstep validate`: check definitions as AWS does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import click

from ..definitions import PROJECT, DefinitionFile, Type, definition_files, diagnostics_of
from ..options import definition_options, format_option
from ..views.diagnostics import DefinitionReport, reports_of, show, without_repeated
from ..watching import watch_option
from ..world import parameters_for

Severity = Literal["ERROR", "WARNING"]


@click.command("validate", short_help="Check definitions as AWS does.")
@watch_option
@click.argument("definitions", type=PROJECT, nargs=-1, required=True, metavar="PATH...")
@definition_options
@click.option(
    "--severity",
    type=click.Choice(["ERROR", "WARNING"]),
    default="ERROR",
    help="WARNING also shows warnings, which do not affect the exit code.",
)
@format_option(
    "json: an array with an object for each definition; sarif: SARIF 2.1.0, for CI services.",
    "text",
    "json",
    "sarif",
)
@click.pass_context
def validate(
    ctx: click.Context,
    definitions: tuple[Path, ...],
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    severity: Severity,
    output_format: str,
) -> None:
    """Check definitions as AWS does: its codes and messages, with file, line and column.

    PATH is a definition (JSON or YAML), a SAM or CloudFormation template, of which all state
    machines are checked, or a folder, of which all definitions and templates are. A file or machine
    that can't be used is reported, and the others are checked all the same.

    Exit code: 0 all accepted, 1 some refused, 2 some that can't be used.

    \b
    Examples:
      doorstep validate order.asl.json
      doorstep validate infrastructure/
      doorstep validate --severity WARNING workflows/*.asl.json
      doorstep validate template.yaml --machine-name OrderMachine --param Stage=test
      doorstep validate order.asl.json --type EXPRESS --format json | jq '.[].diagnostics'
      doorstep validate workflows/*.asl.json --format sarif > doorstep.sarif
    """
    parameters = parameters_for(definitions, parameters)
    report = partial(_report, machine_type=machine_type, severity=severity)
    findings = without_repeated(
        [
            finding
            for path in definition_files(definitions)
            for finding in reports_of(path, parameters, resource, report)
        ]
    )
    show(findings, output_format, str)
    unusable = any(finding.unusable for finding in findings)
    ctx.exit(2 if unusable else int(any(finding.refused for finding in findings)))


def _report(
    source: DefinitionFile, name: str | None, machine_type: Type | None, severity: Severity
) -> DefinitionReport:
    from doorstep.definitions.substitution import WITHOUT_VALUE
    from doorstep.validation.placeholders import LEFT_AS_TEXT

    diagnostics = diagnostics_of(source, machine_type)
    if severity == "WARNING":
        return DefinitionReport(source.file, name, source.document, diagnostics)
    shown = [one for one in diagnostics if one.severity == "ERROR" or one.code == WITHOUT_VALUE]
    left = [one for one in diagnostics if one.code == LEFT_AS_TEXT]
    return DefinitionReport(source.file, name, source.document, shown, left)
