"""`doorstep lint`: what it prints, its exit codes, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

FAULT = """{
  "StartAt": "Send",
  "States": {
    "Send": {
      "Type": "Task",
      "Resource": "arn:aws:states:::lambda:invoke",
      "Parameters": {"FunctionName": "send"},
      "End": true
    }
  }
}
"""
YAML = """StartAt: Send
States:
  Send:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: send}
    End: true
"""


def lint(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["lint", *map(str, arguments)])


def test_findings_have_code_line_reason_and_cure(tmp_path: Path) -> None:
    file = tmp_path / "send.asl.json"
    file.write_text(FAULT)
    result = lint(file)
    assert result.exit_code == 1
    assert f"{file}:4:5: warning RETRY_LAMBDA: 'Send' calls Lambda without" in result.stdout
    assert "hint: add a retrier for" in result.stdout
    assert result.stdout.endswith(f"{file}: 1 finding\n")
    found = json.loads(lint(file, "--format", "json").stdout)
    assert [one["code"] for one in found[0]["diagnostics"]] == ["RETRY_LAMBDA"]
    log = json.loads(lint(file, "--format", "sarif").stdout)
    assert log["runs"][0]["results"][0]["ruleId"] == "RETRY_LAMBDA"


def test_a_definition_that_a_template_names_is_reported_once_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "send.asl.json").write_text(FAULT)
    (tmp_path / "template.yaml").write_text(
        "Resources:\n  Sender:\n    Type: AWS::Serverless::StateMachine\n"
        "    Properties: {DefinitionUri: send.asl.json}\n"
    )
    (report,) = json.loads(lint(tmp_path, "--format", "json").stdout)
    assert report["machine"] == "Sender"
    assert Path(report["file"]).name == "send.asl.json"
    validated = CliRunner().invoke(cli, ["validate", str(tmp_path), "--format", "json"])
    assert [one["machine"] for one in json.loads(validated.stdout)] == ["Sender"]
    (alone,) = json.loads(lint(tmp_path / "send.asl.json", "--format", "json").stdout)
    assert "machine" not in alone


def test_a_baseline_says_which_loops_end(tmp_path: Path) -> None:
    states = {
        "Pause": {"Type": "Wait", "Seconds": 2, "Next": "More?"},
        "More?": {"Type": "Choice", "Default": "Pause", "Choices": []},
        "Done": {"Type": "Succeed"},
    }
    rule = {"Variable": "$.x", "IsPresent": True, "Next": "Done"}
    states["More?"]["Choices"] = [rule]
    file, baseline = tmp_path / "wait.asl.json", tmp_path / "known.json"
    file.write_text(json.dumps({"StartAt": "Pause", "States": states}))

    def codes() -> list[str]:
        (report,) = json.loads(lint(file, "--baseline", baseline, "--format", "json").stdout)
        return [one["code"] for one in report["diagnostics"]]

    baseline.write_text('{"explored": ["other"], "findings": []}')
    assert codes() == ["ENDLESS_LOOP"]
    CliRunner().invoke(
        cli, ["explore", str(file), "--baseline", str(baseline), "--update-baseline"]
    )
    assert codes() == ["ENDLESS_LOOP"]
    baseline.write_text('{"explored": ["wait"], "findings": []}')
    assert codes() == []
    baseline.write_text("{}")
    refused = lint(file, "--baseline", baseline)
    assert refused.exit_code == 2
    assert "is no baseline" in refused.stderr


def test_a_safe_change_is_written_and_nothing_is_left_to_say(tmp_path: Path) -> None:
    for name, text in (("a.asl.json", FAULT), ("b.asl.yaml", YAML)):
        file = tmp_path / name
        file.write_text(text)
        result = lint(file, "--fix")
        assert result.exit_code == 0
        assert "add a retry for Lambda's errors at /States/Send" in result.stderr
        assert result.stdout == f"{file}: no findings\n"


def test_a_change_keeps_the_line_ends_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "b.asl.yaml"
    fixed = {}
    for ends in (b"\n", b"\r\n"):
        file.write_bytes(YAML.encode().replace(b"\n", ends))
        assert lint(file, "--fix").exit_code == 0
        fixed[ends] = file.read_bytes()
    assert b"Retry:" in fixed[b"\n"]
    assert fixed[b"\n"].replace(b"\n", b"\r\n") == fixed[b"\r\n"]


def test_a_comment_or_the_project_or_an_option_silences(tmp_path: Path) -> None:
    file = tmp_path / "b.asl.yaml"
    file.write_text(YAML.replace("  Send:\n", "  # doorstep: ignore RETRY_LAMBDA\n  Send:\n"))
    assert lint(file).exit_code == 0
    file.write_text(YAML)
    assert lint(file, "--ignore", "RETRY_LAMBDA").exit_code == 0
    (tmp_path / "doorstep.yaml").write_text("ignore: [RETRY_LAMBDA]\n")
    assert lint(file).exit_code == 0


def test_what_is_refused_and_what_is_unknown_is_said(tmp_path: Path) -> None:
    file = tmp_path / "c.asl.json"
    file.write_text('{"StartAt": "A", "States": {"A": {"Type": "Pass"}}}')
    result = lint(file)
    assert result.exit_code == 2
    assert "error" in result.stdout
    unknown = lint(file, "--ignore", "RETRY_LAMDA")
    assert unknown.exit_code == 2
    assert "did you mean 'RETRY_LAMBDA'?" in unknown.stderr


LAMBDA = "Type: Task, Resource: 'arn:aws:states:::lambda:invoke', Parameters: {FunctionName: f}"
LAYOUTS = {
    "flow": f"StartAt: A\nStates:\n  A: {{{LAMBDA}, End: true}}   # one line\n",
    "open": f"StartAt: A\nStates:\n  A: {{\n    {LAMBDA},\n    End: true,   # last\n  }}\n",
    "json": FAULT,
    "comment": YAML.rstrip("\n") + "   # the end\n    # of Send\n\n# of the machine\n",
    "quoted": YAML.replace("    End:", "    'End':"),
    "no line end": YAML.rstrip("\n"),
    "marked": "\ufeff" + YAML,
    "crlf and lf": YAML.replace("\n", "\r\n", 3),
    "text": YAML + "    Comment: |\n      two\n\n      lines\n\n",
    "next": YAML.replace("    End: true\n", "")
    + "    Next: Done\n    Catch:\n    - ErrorEquals: [States.ALL]\n      Next: Done\n\n"
    "  # of Done\n  Done: {Type: Succeed}\n",
    "alias": f"StartAt: A\nStates:\n  A: &a {{{LAMBDA}, Next: B}}\n  B:\n    <<: *a\n    Next: C\n"
    "  C:\n    Type: Task\n    End: true\n    Resource: arn:aws:states:::lambda:invoke\n"
    "    Parameters: &p {FunctionName: f}   # c\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fix_adds_retriers_and_changes_nothing_else(layout: str, tmp_path: Path) -> None:
    """Each former line is there, in its order, with its comment and its end."""
    file = tmp_path / "a.asl.yaml"
    file.write_bytes(LAYOUTS[layout].encode())
    lint(file, "--ignore", "NOTHING_CATCHES", "--fix")
    fixed = file.read_bytes().decode()
    assert lint(file, "--ignore", "NOTHING_CATCHES").stdout == f"{file}: no findings\n"
    rest = iter(fixed)
    assert all(one in rest for one in LAYOUTS[layout])
    comments = [line for line in LAYOUTS[layout].split("\n") if "#" in line and "{" not in line]
    assert all(line in fixed for line in comments if layout != "open")
    assert fixed.endswith("\n") == LAYOUTS[layout].endswith("\n")
    lint(file, "--fix")
    assert file.read_bytes().decode() == fixed


def test_a_layout_in_which_a_retrier_would_be_text_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.yaml"
    file.write_text(YAML + "    Comment: |+\n      kept\n\n\n")
    before = file.read_bytes()
    result = lint(file, "--fix")
    assert (result.exit_code, file.read_bytes()) == (1, before)
    assert "left as it is" in result.stderr


def test_a_fix_leaves_alone_what_is_silenced_and_other_machines(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.yaml"
    file.write_text(YAML.replace("  Send:\n", "  # doorstep: ignore RETRY_LAMBDA\n  Send:\n"))
    before = file.read_bytes()
    assert (lint(file, "--fix").exit_code, file.read_bytes()) == (0, before)
    file.write_text(YAML)
    before = file.read_bytes()
    (tmp_path / "doorstep.yaml").write_text("ignore: [RETRY_LAMBDA]\n")
    assert (lint(file, "--fix").exit_code, file.read_bytes()) == (0, before)
    (tmp_path / "doorstep.yaml").unlink()
    (tmp_path / "a.asl.json").write_text(FAULT)
    template = tmp_path / "template.yaml"
    machine = "  {}:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n"
    inside = "".join(f"        {line}\n" for line in YAML.splitlines())
    template.write_text(
        f"Resources:\n{machine.format('One')}      Definition:\n{inside}"
        f"{machine.format('Two')}      DefinitionUri: a.asl.json\n"
    )
    before = template.read_bytes()
    assert lint(template, "--resource", "Two", "--fix").exit_code == 0
    assert template.read_bytes() == before
    assert "JitterStrategy" in (tmp_path / "a.asl.json").read_text()


def test_a_file_in_another_encoding_is_no_bug_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "a.asl.json"
    file.write_bytes(FAULT.encode("utf-16"))
    result = lint(file, "--fix")
    assert (result.exit_code, result.exception.__class__) == (2, SystemExit)
    assert "UTF-8" in result.output
