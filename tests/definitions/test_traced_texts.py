"""Definitions in strings of templates: diagnostics stand at the template's own places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep.definitions.templates import load_machine
from doorstep.errors import DefinitionError
from doorstep_cli.main import cli

RESOURCE = "Resources:\n  M:\n    Type: AWS::StepFunctions::StateMachine\n    Properties:\n"
PARAMETER = "Parameters: {Note: {Type: String, Default: much longer than its name}}\n"
BLOCK = """      DefinitionString: |
        {
          "StartAt": "First",
          "States": {"First": {"Type": "Pass", "Next": "MARK"}}
        }
"""
SUB = """      DefinitionString: !Sub |
        {"StartAt": "First", "Comment": "${Note}", "States":
          {"First": {"Comment": "${Note} ${!Kept}", "Type": "Pass", "Next": "MARK"}}}
"""
SUB_WITH_VALUES = """      DefinitionString:
        Fn::Sub:
          - >-
            {"StartAt": "First", "Comment": "${Mine}",
            "States": {"First": {"Comment": "${Mine}",
            "Type": "Pass", "Next": "MARK"}}}
          - Mine: {Ref: Note}
"""
JOIN = """      DefinitionString: !Join
        - ""
        - - '{"StartAt": "It''s", "Comment": "'
          - !Ref Note
          - '", "States": {"It''s": {"Type": "Pass", "Next": "MARK"}}}'
"""
INNER_YAML = """      DefinitionString: |
        StartAt: First
        States:
          First:
            Type: Pass
            Next: MARK
"""
SUBSTITUTED = """      DefinitionSubstitutions: {Seconds: 1234567890}
      DefinitionString: |
        {"StartAt": "First", "States": {
          "First": {"Type": "Wait", "Seconds": ${Seconds}, "Next": "MARK"}}}
"""


def place_of_mark(text: str) -> tuple[int, int]:
    (line,) = [one for one in text.split("\n") if "MARK" in one]
    column = line.index("MARK") + 1
    number = text.split("\n").index(line) + 1
    return number, column - line.count('\\"MARK\\"') * 2 - line.count('"MARK"')


def missing_target(path: Path) -> tuple[int, int]:
    reports = json.loads(
        CliRunner().invoke(cli, ["validate", str(path), "--format", "json"]).stdout
    )
    (found,) = [one for one in reports[0]["diagnostics"] if "'Next' target" in one["message"]]
    return found["line"], found["column"]


@pytest.mark.parametrize(
    "text", [BLOCK, SUB, SUB_WITH_VALUES, JOIN, INNER_YAML, SUBSTITUTED], ids=range(6)
)
def test_the_place_is_the_files_own(text: str, tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(PARAMETER + RESOURCE + text, "utf-8")
    assert missing_target(path) == place_of_mark(PARAMETER + RESOURCE + text)


def test_a_string_of_json_keeps_its_columns(tmp_path: Path) -> None:
    parts: list[Any] = [
        '{"StartAt":"é\\t","States":{"é\\t":{"Type":"Pass","Comment":"',
        {"Fn::GetAtt": ["F", "Arn"]},
        '","Next":"MARK"}}}',
    ]
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": {"Fn::Join": ["", parts]}},
    }
    resources = {"F": {"Type": "AWS::Lambda::Function", "Properties": {}}, "M": machine}
    text = json.dumps({"Resources": resources}, indent=1)
    path = tmp_path / "cdk.template.json"
    path.write_text(text, "utf-8")
    assert missing_target(path) == place_of_mark(text)


def test_the_caret_and_sarif_are_of_the_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    text = RESOURCE + BLOCK
    Path("t.yaml").write_text(text, "utf-8")
    line, column = place_of_mark(text)
    printed = CliRunner().invoke(cli, ["validate", "t.yaml"]).stdout.splitlines()
    (first,) = [number for number, one in enumerate(printed) if "'Next' target" in one]
    assert printed[first].startswith(f"t.yaml:{line}:{column}: error")
    assert printed[first + 1].strip() == text.split("\n")[line - 1].strip()
    assert printed[first + 2].index("^") - 4 == column - 1
    log = json.loads(CliRunner().invoke(cli, ["validate", "t.yaml", "--format", "sarif"]).stdout)
    places = [one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"]]
    assert {"startLine": line, "startColumn": column} in [one["region"] for one in places]
    assert {one["artifactLocation"]["uri"] for one in places} == {"t.yaml"}


def test_what_is_no_json_is_shown_where_the_file_has_it(tmp_path: Path) -> None:
    text = RESOURCE + BLOCK.replace('"Type": "Pass",', '"Type": "Pass",,')
    path = tmp_path / "t.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DefinitionError) as refused:
        load_machine(path)
    (diagnostic,) = refused.value.diagnostics
    line = place_of_mark(text)[0]
    assert str(diagnostic.location).startswith(f"line {line}, column ")
    assert str(diagnostic.hint).splitlines()[0] == text.split("\n")[line - 1]


def test_what_cannot_be_followed_stands_where_the_member_does(tmp_path: Path) -> None:
    inner = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "MARK"}}}'
    text = f"""{RESOURCE}      DefinitionString: !Select
        - 0
        - ['{inner}']
"""
    path = tmp_path / "t.yaml"
    path.write_text(text, "utf-8")
    assert missing_target(path) == (5, 25)
