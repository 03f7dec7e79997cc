"""`doorstep lint`: what it prints, its exit codes, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

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
