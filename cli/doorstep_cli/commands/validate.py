"""`doorstep validate`: check definitions as AWS does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import click

from ..definitions import DEFINITION, Type, machines_in, read
from ..options import definition_options, format_option
from ..output import echo, json_text
from ..views.diagnostics import DefinitionReport, sarif

Severity = Literal["ERROR", "WARNING"]


@click.command("validate", short_help="Check definitions as AWS does.")
@click.argument("definitions", type=DEFINITION, nargs=-1, required=True, metavar="FILE...")
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

    FILE is a definition (JSON or YAML), or a SAM or CloudFormation template, of which all state
    machines are checked.

    Exit code: 0 all accepted, 1 some refused, 2 a file that can't be used.

    \b
    Examples:
      doorstep validate order.asl.json
      doorstep validate --severity WARNING workflows/*.asl.json
      doorstep validate template.yaml --machine-name OrderMachine --param Stage=test
      doorstep validate order.asl.json --type EXPRESS --format json | jq '.[].diagnostics'
      doorstep validate workflows/*.asl.json --format sarif > doorstep.sarif
    """
    findings = [
        finding
        for path in definitions
        for finding in _check(path, machine_type, resource, parameters, severity)
    ]
    match output_format:
        case "json":
            echo(json_text([one.as_json() for one in findings], indent=2))
        case "sarif":
            echo(json_text(sarif(findings), indent=2))
        case _:
            echo("\n".join(map(str, findings)))
    ctx.exit(int(any(finding.refused for finding in findings)))


def _check(
    path: Path,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    severity: Severity,
) -> Iterator[DefinitionReport]:
    from doorstep import DefinitionError, validate

    names: Sequence[str | None] = [resource]
    try:
        names = [resource] if resource else machines_in(path, parameters) or [None]
        for name in names:
            source = read(path, parameters, name)
            diagnostics = validate(
                source.document.definition, type=machine_type or source.type, severity=severity
            )
            yield DefinitionReport(source.file, name, source.document, diagnostics)
    except DefinitionError as refused:
        yield DefinitionReport(str(path), None, None, refused.diagnostics)
