"""State machines in SAM and CloudFormation templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doorstep.definitions.templates import is_template, load_machine
from doorstep.errors import DefinitionError, InputError
from doorstep.validation import validate

SAM = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Bucket: {Type: String}
Resources:
  Charge:
    Type: AWS::Serverless::Function
  Orders:
    Type: AWS::DynamoDB::Table
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      DefinitionUri: flow.asl.json
      DefinitionSubstitutions:
        ChargeArn: !GetAtt Charge.Arn
        Table: !Ref Orders
        Stage: !Ref Stage
        Name: !Sub "${AWS::StackName}-${Charge.Arn}"
"""
ASL = """{"StartAt": "Pay", "States": {"Pay": {
  "Type": "Task", "Resource": "${ChargeArn}",
  "Parameters": {"table": "${Table}", "stage": "${Stage}", "name": "${Name}", "x": "${Other}"},
  "End": true}}}"""
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:Charge"


def template(tmp_path: Path, text: str = SAM, **files: str) -> Path:
    for name, content in ({"flow.asl.json": ASL} | files).items():
        (tmp_path / name).write_text(content)
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return path


def inline(properties: str, kind: str = "AWS::StepFunctions::StateMachine") -> str:
    resources = f"Resources:\n  F: {{Type: AWS::Lambda::Function}}\n  M:\n    Type: {kind}\n"
    return f"{resources}    Properties:\n{properties}"


def test_a_definition_beside_the_template_gets_its_substitutions(tmp_path: Path) -> None:
    machine = load_machine(template(tmp_path))
    assert (machine.name, machine.type) == ("Flow", "EXPRESS")
    state = machine.document.definition["States"]["Pay"]
    assert state["Resource"] == FUNCTION
    assert state["Parameters"] == {
        "table": "Orders",
        "stage": "dev",
        "name": f"stack-{FUNCTION}",
        "x": "${Other}",
    }
    assert machine.document.path == tmp_path / "flow.asl.json"
    assert validate(machine.document.definition, type=machine.type) == []


def test_parameters_come_before_defaults_and_substitutions(tmp_path: Path) -> None:
    given = {"Stage": "prod", "Table": "mine", "Other": "1"}
    machine = load_machine(template(tmp_path), parameters=given)
    found = machine.document.definition["States"]["Pay"]["Parameters"]
    assert (found["stage"], found["table"], found["x"]) == ("prod", "mine", "1")


def test_a_definition_in_the_template_points_into_the_template() -> None:
    text = inline(
        """      Definition:
        StartAt: A
        States:
          A:
            Type: Task
            Resource: !GetAtt F.Arn
            Next: Ghost
"""
    )
    machine = load_machine(text)
    assert machine.type == "STANDARD"
    resource = machine.document.definition["States"]["A"]["Resource"]
    assert resource == FUNCTION.replace("Charge", "F")
    assert machine.document.excerpt("/States/A/Next") == (
        "            Next: Ghost\n                  ^"
    )


IN_A_STRING = [
    """
      DefinitionString: !Sub '{"StartAt": "${F.Arn}"}'
""",
    """
      DefinitionString: !Join ["", ['{"StartAt": "', !GetAtt [F, Arn], '"}']]
""",
    """
      DefinitionString: '{"StartAt": "${Fn}"}'
      DefinitionSubstitutions: {Fn: !GetAtt F.Arn}
""",
    """
      DefinitionString: !Sub ['{"StartAt": "${Fn}"}', {Fn: !GetAtt F.Arn}]
""",
    """
      DefinitionString: !Sub
        - '{"StartAt": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:${Kind}"}'
        - {Kind: 'function:F'}
""",
]


@pytest.mark.parametrize("properties", IN_A_STRING)
def test_a_definition_in_a_string_is_worked_out(properties: str) -> None:
    definition = load_machine(inline(properties)).document.definition
    assert definition == {"StartAt": FUNCTION.replace("Charge", "F")}


def test_a_json_template_is_read_as_well() -> None:
    text = """{"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
      "StateMachineType": "EXPRESS",
      "DefinitionString": {"Fn::Sub": ["{\\"StartAt\\": \\"${S}\\", \\"States\\": {}}", {"S": "A"}]}
    }}}}"""
    machine = load_machine(text)
    assert machine.type == "EXPRESS"
    assert machine.document.definition == {"StartAt": "A", "States": {}}


TWO = """
Resources:
  One: {Type: AWS::StepFunctions::StateMachine, Properties: {Definition: {StartAt: A}}}
  Two: {Type: AWS::Serverless::StateMachine, Properties: {Definition: {StartAt: B}}}
"""


def test_of_several_machines_one_is_chosen_by_its_logical_id() -> None:
    assert load_machine(TWO, "Two").document.definition == {"StartAt": "B"}
    with pytest.raises(InputError, match=r"which state machine\? the template has One, Two"):
        load_machine(TWO)
    with pytest.raises(InputError, match="no state machine Three; the template has One, Two"):
        load_machine(TWO, "Three")


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("{StartAt: !GetAtt Nobody.Arn}", "references Nobody, which is not defined"),
        ("{StartAt: !Ref Nobody}", "--param Nobody="),
        ('{StartAt: !Sub "${Nobody}"}', "references Nobody"),
        ("{StartAt: !ImportValue x}", "Fn::ImportValue cannot be resolved"),
        ("{StartAt: !Join [x]}", "Fn::Join: what is this"),
        ("{StartAt: !Select [9, [a]]}", "Fn::Select: what is this"),
        ("{StartAt: !GetAtt []}", "Fn::GetAtt: what is this"),
        ("[]", "Definition must be an object"),
    ],
)
def test_what_cannot_be_resolved_is_named(definition: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_machine(inline(f"      Definition: {definition}"))


def test_a_parameter_without_a_default_is_asked_for() -> None:
    text = "Parameters: {P: {Type: String}}\n" + inline("      Definition: {StartAt: !Ref P}")
    with pytest.raises(InputError, match="--param P="):
        load_machine(text)
    machine = load_machine(text, parameters={"P": "A"})
    assert machine.document.definition == {"StartAt": "A"}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("      DefinitionUri: s3://bucket/key", "not in this template"),
        ("      DefinitionUri: {Bucket: b, Key: k}", "not in this template"),
        ("      DefinitionUri: nowhere.json", "nowhere.json"),
        ("      RoleArn: r", "not in this template"),
    ],
)
def test_a_definition_that_is_elsewhere_is_asked_for(properties: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_machine(inline(properties, "AWS::Serverless::StateMachine"))


def test_a_template_without_machines_says_so() -> None:
    with pytest.raises(InputError, match="has no state machine"):
        load_machine("Resources: {F: {Type: AWS::Lambda::Function}}")
    with pytest.raises(InputError, match="no template"):
        load_machine('{"StartAt": "A"}')


def test_a_definition_that_is_not_json_is_refused(tmp_path: Path) -> None:
    path = template(tmp_path, **{"flow.asl.json": "{"})
    with pytest.raises(DefinitionError, match="INVALID_JSON_DESCRIPTION"):
        load_machine(path)


@pytest.mark.parametrize(
    ("value", "whether"),
    [({"Resources": {}}, True), ({"StartAt": "A", "States": {}}, False), ([], False)],
)
def test_templates_are_told_from_definitions(value: Any, whether: bool) -> None:
    assert is_template(value) is whether
