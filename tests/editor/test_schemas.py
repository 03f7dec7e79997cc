"""The JSON schemas: definitions that AWS accepts are valid, those with a wrong field are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep import validate
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
        {"Type": "Task", "Resource": "charge", "End": True},
        {"Type": "Nope"},
        {"Type": "Pass", "Output": "{% 1 %}", "End": True},
    ],
)
def test_a_wrong_field_is_not(state: dict[str, Any]) -> None:
    assert problems({"StartAt": "A", "States": {"A": state}})


FINE = {"Type": "Succeed"}
RULE = {"Variable": "$.n", "NumericEquals": 1, "Next": "A"}
RETRY = {"ErrorEquals": ["States.ALL"]}


def choice(**fields: Any) -> dict[str, Any]:
    rule = {name: value for name, value in {**RULE, **fields}.items() if value is not None}
    return {"Type": "Choice", "Choices": [rule]}


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Pass"},
        {"Type": "Pass", "Next": "A", "End": True},
        {"Type": "Pass", "End": "true"},
        {"Type": "Succeed", "Next": "A"},
        {"Type": "Wait", "End": True},
        {"Type": "Wait", "Seconds": 1, "SecondsPath": "$.n", "End": True},
        {"Type": "Map", "End": True},
        {"Type": "Parallel", "Branches": [], "End": True},
        {"Type": "Parallel", "Branches": [{"StartAt": "B", "States": {}}], "End": True},
        {"Type": "Pass", "InputPath": "x", "End": True},
        {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"a": ["{% 1"]}, "End": True},
        {"Type": "Parallel", "Retry": RETRY, "Branches": [PASS], "End": True},
        choice(Variable=None),
        choice(NumericEquals=None),
        choice(NumericEquals="1"),
        choice(StringEquals="1"),
        choice(Next=None),
        {"Type": "Choice", "Choices": []},
    ],
)
def test_what_aws_would_refuse_of_a_state_by_itself_is_found(state: dict[str, Any]) -> None:
    definition = {"StartAt": "A", "States": {"A": state, "Z": FINE}}
    assert validate(definition)
    assert problems(definition)


def test_a_resource_may_be_what_a_deployment_fills_in() -> None:
    task = {"Type": "Task", "Resource": "${ChargeFunction}", "End": True}
    assert problems({"StartAt": "A", "States": {"A": task}}) == []


def test_a_name_that_is_too_long_and_a_scope_without_states_are_found() -> None:
    assert problems({"StartAt": "A", "States": {}})
    assert problems({"StartAt": "A" * 81, "States": {"A" * 81: FINE}})
    assert problems({"StartAt": "A" * 80, "States": {"A" * 80: FINE}}) == []


def test_end_may_be_false_beside_a_next_state() -> None:
    states = {"A": {"Type": "Pass", "Next": "Z", "End": False}, "Z": FINE}
    assert validate({"StartAt": "A", "States": states}) == []
    assert problems({"StartAt": "A", "States": states}) == []


def test_the_definitions_of_all_conformance_cases_that_aws_accepts_are_valid() -> None:
    cases = (Path(__file__).parents[2] / "conformance" / "cases").rglob("*.json")
    definitions = [json.loads(path.read_text()).get("definition") for path in cases]
    accepted = [one for one in definitions if isinstance(one, dict) and validate(one) == []]
    assert len(accepted) > 20
    assert [found for one in accepted if (found := problems(one))] == []


def test_an_expression_may_stand_where_jsonata_has_one() -> None:
    wait = {"Type": "Wait", "Seconds": "{% $x %}", "End": True}
    assert problems({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": wait}}) == []
    assert problems({"StartAt": "A", "States": {"A": {**wait, "QueryLanguage": "JSONata"}}}) == []
    assert problems({"StartAt": "A", "States": {"A": wait}})
