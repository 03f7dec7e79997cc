"""The JSON schemas: definitions that AWS accepts are valid, those with a wrong field are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep_cli.editor.schemas import KINDS, schema_of
from doorstep_cli.main import cli

jsonschema = pytest.importorskip("jsonschema", reason="development's jsonschema is not installed")
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.asl.json"))
PASS = {"Type": "Pass", "End": True}


def problems(definition: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema_of("asl"))
    return [one.message for one in validator.iter_errors(definition)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_one(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of(kind))
    result = CliRunner().invoke(cli, ["schema", kind])
    assert json.loads(result.stdout) == schema_of(kind)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_definitions_that_aws_accepts_are_valid(path: Path) -> None:
    assert problems(json.loads(path.read_text())) == []


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass", "Ende": True},
        {"Type": "Wait", "Seconds": "soon", "End": True},
        {"Type": "Pass", "QueryLanguage": "JSONata", "InputPath": "$", "End": True},
        {"Type": "Task", "End": True},
        {"Type": "Nope"},
        {"Type": "Pass", "Output": "{% 1 %}", "End": True},
    ],
)
def test_a_wrong_field_is_not(state: dict[str, Any]) -> None:
    assert problems({"StartAt": "A", "States": {"A": state}})


def test_an_expression_may_stand_where_jsonata_has_one() -> None:
    wait = {"Type": "Wait", "Seconds": "{% $x %}", "End": True}
    assert problems({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": wait}}) == []
    assert problems({"StartAt": "A", "States": {"A": {**wait, "QueryLanguage": "JSONata"}}}) == []
    assert problems({"StartAt": "A", "States": {"A": wait}})
