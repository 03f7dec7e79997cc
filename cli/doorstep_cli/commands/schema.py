"""`doorstep schema`: JSON schemas, for editors without the language server."""

from __future__ import annotations

import click

from ..editor.schemas import KINDS, schema_of
from ..output import print_json


@click.command("schema", short_help="Print a JSON schema, for editors without a language server.")
@click.argument("kind", type=click.Choice([*KINDS]))
def schema(kind: str) -> None:
    """Print the JSON schema of definitions (asl), suites, files of mocks, or doorstep.yaml.

    They are generated from the tables by which Doorstep validates. An editor with a language server
    for JSON or YAML takes them; `doorstep lsp` says more about definitions.

    \b
    Examples:
      doorstep schema asl > asl.schema.json
      doorstep schema suite > suite.schema.json
      doorstep schema settings > doorstep.schema.json
    """
    print_json(schema_of(kind))
