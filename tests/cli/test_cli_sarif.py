"""`doorstep validate` in CI: SARIF 2.1.0 and the pre-commit hook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

PROJECT = Path(__file__).parents[2]
BAD = """{
  "StartAt": "A",
  "States": {
    "A": {"Type": "Succeed", "Wealth": "é"},
    "B": {"Type": "Pass", "Result": "$.x", "End": true}
  }
}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with definitions, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    Path("a b.asl.json").write_text(BAD, "utf-8")
    Path("good.asl.json").write_text(
        '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}', "utf-8"
    )


def validate(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["validate", "--format", "sarif", *arguments], input=stdin)


def log(*arguments: str, stdin: str | None = None) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(validate(*arguments, stdin=stdin).stdout)
    return content


def test_every_result_has_a_rule_a_level_and_a_place() -> None:
    [run] = log("a b.asl.json", "good.asl.json", "--severity", "WARNING")["runs"]
    shown = [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["region"],
            result["locations"][0]["logicalLocations"],
        )
        for result in run["results"]
    ]
    assert shown == [
        (
            "SCHEMA_VALIDATION_FAILED",
            "error",
            {"startLine": 4, "startColumn": 40},
            [{"fullyQualifiedName": "/States/A"}],
        ),
        (
            "MISSING_TRANSITION_TARGET",
            "error",
            {"startLine": 5, "startColumn": 5},
            [{"fullyQualifiedName": "/States/B"}],
        ),
        *(
            (
                code,
                "warning",
                {"startLine": 5, "startColumn": 37},
                [{"fullyQualifiedName": "/States/B/Result"}],
            )
            for code in ("PASS_RESULT_IS_STATIC", "NO_PATH")
        ),
    ]


def test_the_log_has_what_the_schema_requires() -> None:
    """sarif-schema-2.1.0.json: required properties, enumerations, minima and formats."""
    given = log("a b.asl.json", "--severity", "WARNING")
    assert given["version"] == "2.1.0"
    assert given["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = given["runs"]
    driver = run["tool"]["driver"]
    assert isinstance(driver["name"], str)
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids) > 0
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": "a%20b.asl.json"}
        assert all(number >= 1 for number in physical["region"].values())


def test_without_findings_there_are_no_results() -> None:
    result = validate("good.asl.json")
    assert result.exit_code == 0
    [run] = json.loads(result.stdout)["runs"]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_a_refused_definition_exits_with_1() -> None:
    assert validate("a b.asl.json").exit_code == 1


def test_text_that_is_not_json_has_its_place() -> None:
    [run] = log("-", stdin='{"StartAt":\n  A}')["runs"]
    [result] = run["results"]
    assert result["ruleId"] == "INVALID_JSON_DESCRIPTION"
    physical = result["locations"][0]["physicalLocation"]
    assert physical["region"] == {"startLine": 2, "startColumn": 3}


def test_a_file_named_in_full_has_a_file_uri(tmp_path: Path) -> None:
    [run] = log(str(tmp_path / "a b.asl.json"))["runs"]
    [artifact] = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
    }
    assert artifact == (tmp_path / "a b.asl.json").as_uri()


# The pre-commit hooks ----------------------------------------------------------------------------

HOOKS = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_runs_a_command_that_there_is(hook: Any) -> None:
    program, *arguments = hook["entry"].split()
    assert program == "doorstep"
    assert CliRunner().invoke(cli, [*arguments, "good.asl.json"]).exit_code == 0


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("order.asl.json", True),
        ("workflows/order.asl.yaml", True),
        ("order.asl.yml", True),
        ("package.json", False),
        ("order.asl.json.bak", False),
    ],
)
def test_the_hooks_take_definitions(path: str, taken: bool) -> None:
    assert {bool(re.search(hook["files"], path)) for hook in HOOKS} == {taken}
