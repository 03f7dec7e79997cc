"""State machines in SAM and CloudFormation templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doorstep.definitions.templates import is_template, load_any, load_machine
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
        (
            "{StartAt: !ImportValue x}",
            "x is exported by another stack; give it a value: --param x=",
        ),
        ("{StartAt: !Join [x]}", "Fn::Join: these arguments do not fit"),
        ("{StartAt: !Select [9, [a]]}", "Fn::Select: these arguments do not fit"),
        ("{StartAt: !GetAtt []}", "Fn::GetAtt: these arguments do not fit"),
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
        ("      DefinitionUri: s3://bucket/key", "no file key is beside"),
        ("      DefinitionUri: {Bucket: b, Key: k}", "no file k is beside"),
        ("      DefinitionUri: nowhere.json", "nowhere.json"),
        ("      RoleArn: r", "no Definition"),
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


def definition(text: str, name: str | None = None, **parameters: str) -> dict[str, Any]:
    return load_machine(text, name, parameters=parameters).document.definition


STRING = """
Resources:
  M:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      DefinitionString: '{}'
      DefinitionSubstitutions: {}
"""
PASTED = [
    ('{"Seconds": ${N}}', "{N: 5}", {"Seconds": 5}),
    ('{"Seconds": "${N}"}', "{N: 5}", {"Seconds": "5"}),
    ('{"Items": ${L}}', "{L: '[1, {\"a\": null}]'}", {"Items": [1, {"a": None}]}),
    ('{"States": {${S}}}', "{S: '\"A\": {\"End\": true}'}", {"States": {"A": {"End": True}}}),
    ('{"a": "${A}"}', "{A: '${B}-${B}', B: '${C}', C: x}", {"a": "x-x"}),
    ('{"a": "${A}"}', "{A: '${A}'}", {"a": "${A}"}),
    ('{"a": "${A}"}', "{A: 'say \\\"hi\\\"'}", {"a": 'say "hi"'}),
    ('{"a": "${T}"}', "{T: true}", {"a": "true"}),
    ('{"a": ${T}}', "{T: true}", {"a": True}),
    ("StartAt: ${N}", "{N: A}", {"StartAt": "A"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "substitutions", "expected"), PASTED)
def test_substitutions_are_pasted_into_the_text_before_it_is_parsed(
    text: str, substitutions: str, expected: dict[str, Any]
) -> None:
    """Source: AWS's public resource handler; a value is pasted as it is, again and again."""
    assert definition(STRING.format(text, substitutions)) == expected


def test_a_file_and_a_parameter_are_pasted_likewise(tmp_path: Path) -> None:
    for name, text in {"m.asl.json": '{"Seconds": ${N}}', "m.asl.yaml": "Seconds: ${N}"}.items():
        (tmp_path / name).write_text(text)
        template = tmp_path / "template.yaml"
        template.write_text(
            inline(f"      DefinitionUri: {name}\n      DefinitionSubstitutions: {{N: 7}}")
        )
        assert load_machine(template).document.definition == {"Seconds": 7}
        assert load_any(tmp_path / name, parameters={"N": "8"}).document.definition == {
            "Seconds": 8
        }


def test_an_object_is_json_before_its_placeholders_are_replaced() -> None:
    template = inline("      Definition: {a: '${N}'}\n      DefinitionSubstitutions: {N: 5}")
    assert definition(template) == {"a": "5"}


FUNCTIONS = """
Parameters:
  Stage: {{Type: String, Default: dev}}
  Names: {{Type: CommaDelimitedList, Default: "a, b"}}
Mappings:
  M: {{us-east-1: {{Fn: hello, List: [x, y]}}}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition IsProd]
  Either: !Or [!Condition IsProd, !Equals [a, a]]
  Both: !And [!Condition IsProd, !Condition NotProd]
Resources:
  Fn: {{Type: AWS::Serverless::Function, Properties: {{FunctionName: real-name}}}}
  Topic: {{Type: AWS::SNS::Topic}}
  Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Sub "${{Stage}}-jobs"}}}}
  Table: {{Type: AWS::DynamoDB::Table, Properties: {{TableName: orders}}}}
  Alias: {{Type: AWS::Lambda::Alias, Properties: {{FunctionName: !GetAtt Fn.Arn, Name: blue}}}}
  Bucket: {{Type: AWS::S3::Bucket}}
  Secret: {{Type: AWS::SecretsManager::Secret, Properties: {{Name: db}}}}
  Key: {{Type: AWS::KMS::Key}}
  M:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        value: {}
"""
ACCOUNT = "us-east-1:123456789012"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
WORKED_OUT = [
    ("!FindInMap [M, !Ref AWS::Region, Fn]", "hello"),
    ("!FindInMap [M, !Ref AWS::Region, List]", ["x", "y"]),
    ("!FindInMap [M, nowhere, Fn, {{DefaultValue: d}}]", "d"),
    ('!Select [1, !Split ["/", "a/b"]]', "b"),
    ("!Select ['0', !Ref Names]", "a"),
    ("!Join ['-', !Ref Names]", "a-b"),
    ("!If [IsProd, 1, 2]", 2),
    ("!If [NotProd, {{a: 1}}, 2]", {"a": 1}),
    ("!If [Either, yes, no]", "yes"),
    ("!If [Both, yes, no]", "no"),
    ("[1, !If [IsProd, 2, !Ref AWS::NoValue], 3]", [1, 3]),
    ("{{a: !Ref AWS::NoValue, b: 1}}", {"b": 1}),
    ('!Sub ["${{A}} is ${{B}}", {{A: true, B: 1}}]', "true is 1"),
    ("!Join ['', [true, 1, 'x']]", "true1x"),
    ("!Base64 hi", "aGk="),
    ("!GetAZs ''", ["us-east-1a", "us-east-1b", "us-east-1c"]),
    ("!Select [5, !Split [':', !Ref AWS::StackId]]", f"stack/stack/{UNKNOWN}"),
    ("!Ref Fn", "real-name"),
    ("!GetAtt Fn.Arn", f"arn:aws:lambda:{ACCOUNT}:function:real-name"),
    ("!Ref FnAliaslive", f"arn:aws:lambda:{ACCOUNT}:function:real-name:live"),
    ("!Ref Fn.Version", f"arn:aws:lambda:{ACCOUNT}:function:real-name:1"),
    ("!Ref Alias", f"arn:aws:lambda:{ACCOUNT}:function:real-name:blue"),
    ("!Ref Topic", f"arn:aws:sns:{ACCOUNT}:Topic"),
    ("!GetAtt Topic.TopicName", "Topic"),
    ("!Ref Queue", "https://sqs.us-east-1.amazonaws.com/123456789012/dev-jobs"),
    ("!GetAtt Queue.Arn", f"arn:aws:sqs:{ACCOUNT}:dev-jobs"),
    ("!GetAtt Queue.QueueName", "dev-jobs"),
    # The guide's example: six blocks of 5 bits, which have a mask of 27.
    (
        "!Cidr ['192.168.0.0/24', 6, 5]",
        [f"192.168.0.{start}/27" for start in (0, 32, 64, 96, 128, 160)],
    ),
    ("!Select [1, !Cidr ['10.0.0.0/16', '2', '8']]", "10.0.1.0/24"),
    ("!Ref Table", "orders"),
    # CloudFormation makes names of buckets in small letters, as S3 demands.
    ("!Ref Bucket", "bucket"),
    ("!GetAtt Bucket.Arn", "arn:aws:s3:::bucket"),
    ("!Ref Secret", f"arn:aws:secretsmanager:{ACCOUNT}:secret:db-a1b2c3"),
    ("!Ref Key", UNKNOWN),
    ("!Sub '${{Queue.Arn}} ${{Table}}'", f"arn:aws:sqs:{ACCOUNT}:dev-jobs orders"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), WORKED_OUT)
def test_cloudformations_functions_are_worked_out(written: str, expected: Any) -> None:
    """Sources: CloudFormation's user guide; the return values on each resource type's page."""
    text = FUNCTIONS.replace("{}", written).replace("{{", "{").replace("}}", "}")
    assert definition(text) == {"value": expected}


def test_an_export_of_another_stack_is_given_by_its_name() -> None:
    text = inline("      Definition: {value: !ImportValue net-Queue}")
    assert definition(text, **{"net-Queue": "q"}) == {"value": "q"}


def test_all_parameters_without_a_value_are_asked_for_at_once() -> None:
    text = "Parameters: {P: {Type: String}, Q: {Type: String}, R: {Type: String}}\n" + inline(
        "      Definition: {a: !Ref P}\n      DefinitionSubstitutions: {x: !Sub '${Q}'}"
    )
    with pytest.raises(InputError, match=r"need values: --param Q=… --param P=…$"):
        load_machine(text)


def test_a_machine_whose_condition_does_not_hold_is_not_there() -> None:
    text = TWO.replace("Two: {", "Two: {Condition: Never, ")
    text += "\nConditions: {Never: !Equals [a, b]}\n"
    assert load_machine(text).name == "One"


def test_for_each_makes_resources() -> None:
    """Source: CloudFormation's user guide, `Fn::ForEach`."""
    text = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Machines:
    - Name
    - [A, B]
    - "Machine${Name}":
        Type: AWS::Serverless::StateMachine
        Properties:
          Name: !Sub "m-${Name}"
          Definition: {StartAt: !Ref Name}
"""
    machine = load_machine(text, "MachineB")
    assert (machine.document.definition, machine.name) == ({"StartAt": "B"}, "m-B")


def test_a_cdk_asset_beside_the_template_is_the_definition(tmp_path: Path) -> None:
    (tmp_path / "asset.77ab.json").write_text('{"StartAt": "A"}')
    location = {"Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "Key": "77ab.json"}
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionS3Location": location},
    }
    template = tmp_path / "Stack.template.json"
    template.write_text(json.dumps({"Resources": {"M": machine}}))
    assert load_machine(template).document.definition == {"StartAt": "A"}


def test_merge_keys_take_over_members() -> None:
    text = "Common: &c {Type: Pass, End: true}\n" + inline(
        "      Definition: {A: {<<: *c, End: false}, B: {<<: [*c, {Type: Wait, Seconds: 1}]}}"
    )
    assert definition(text) == {
        "A": {"Type": "Pass", "End": False},
        "B": {"Type": "Pass", "End": True, "Seconds": 1},
    }


def test_a_definition_in_s3_is_the_file_of_its_name_beside_the_template(tmp_path: Path) -> None:
    (tmp_path / "order.asl.json").write_text('{"StartAt": "A"}')
    for location in ("{Bucket: b, Key: flows/order.asl.json}", "s3://b/flows/order.asl.json"):
        text = inline(f"      DefinitionUri: {location}", "AWS::Serverless::StateMachine")
        (tmp_path / "t.yaml").write_text(text)
        assert load_machine(tmp_path / "t.yaml").document.definition == {"StartAt": "A"}
