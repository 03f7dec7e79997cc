"""Placeholders that nobody has given a value: named, with their places, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep.validation import validate
from doorstep_cli.main import cli


def one_state(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "S", "States": {"S": {"End": True, **fields}}}


def task(**fields: Any) -> dict[str, Any]:
    return one_state(Type="Task", Resource="${Work}", **fields)


def invoke(command: str, definition: dict[str, Any], *arguments: str) -> Result:
    Path("flow.asl.json").write_text(json.dumps(definition, indent=1), "utf-8")
    return CliRunner().invoke(cli, [command, "flow.asl.json", *arguments])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands run in an empty folder."""
    monkeypatch.chdir(tmp_path)


NO_TEXT = {
    "/States/S/Seconds": one_state(Type="Wait", Seconds="${V}"),
    "/States/S/TimeoutSeconds": task(TimeoutSeconds="${V}"),
    "/States/S/HeartbeatSeconds": task(HeartbeatSeconds="${V}"),
    "/States/S/Retry[0]/BackoffRate": task(
        Retry=[{"ErrorEquals": ["${Name}"], "BackoffRate": "${V}"}]
    ),
    "/States/S/Retry[0]/MaxAttempts": task(Retry=[{"ErrorEquals": ["E"], "MaxAttempts": "${V}"}]),
    "/TimeoutSeconds": {**one_state(Type="Pass"), "TimeoutSeconds": "${V}"},
    "/States/S/Assign": one_state(Type="Pass", Assign="${V}"),
    "/States/S/Branches": one_state(Type="Parallel", Branches="${V}"),
    "/States": {"StartAt": "S", "States": "${V}"},
}
VALUE_NEEDED = {
    "/States/S/InputPath": one_state(Type="Pass", InputPath="${V}"),
    "/States/S/ResultPath": one_state(Type="Pass", ResultPath="${V}"),
    "/States/S/TimestampPath": one_state(Type="Wait", TimestampPath="${V}"),
    "/States/S/Timestamp": one_state(Type="Wait", Timestamp="${V}"),
    "/States/S/Parameters/a.$": one_state(Type="Pass", Parameters={"a.$": "${V}"}),
    "/States/S/Output": one_state(Type="Pass", QueryLanguage="JSONata", Output="{% ${V} + 1 %}"),
    "/QueryLanguage": {**one_state(Type="Pass"), "QueryLanguage": "${V}"},
}


@pytest.mark.parametrize("pointer", NO_TEXT)
def test_where_no_text_can_stand_validate_and_run_name_the_placeholder(pointer: str) -> None:
    found = [one for one in validate(NO_TEXT[pointer]) if "${V}" in one.message]
    assert [(one.location, one.severity) for one in found] == [(pointer, "ERROR")]
    for command in ("validate", "run"):
        result = invoke(command, NO_TEXT[pointer])
        assert result.exit_code == {"validate": 1, "run": 2}[command]
        assert "${V} has no value" in result.output
        assert f"at {pointer}" in result.output
        assert "--param V=" in result.output


@pytest.mark.parametrize("pointer", VALUE_NEEDED)
def test_a_path_or_an_expression_is_accepted_but_not_run_without_its_value(pointer: str) -> None:
    definition = VALUE_NEEDED[pointer]
    assert validate(definition) == []
    result = invoke("validate", definition)
    assert result.exit_code == 0
    assert "warning PLACEHOLDER_WITHOUT_VALUE: ${V} has no value" in result.stdout
    assert f"at {pointer}" in result.stdout
    assert invoke("run", definition).exit_code == 2
    with pytest.raises(doorstep.DefinitionError, match=r"\$\{V\} has no value"):
        doorstep.run(definition)


def test_a_text_keeps_its_placeholder_and_is_named() -> None:
    definition = one_state(Type="Pass", Result={"a": "${V} and ${W}"}, Comment="${V}")
    result = invoke("validate", definition)
    assert result.exit_code == 0
    left = "without a value, left as text: ${V} (8:10), ${W} (8:10); --param NAME=VALUE gives one"
    assert result.stdout == f"flow.asl.json: {left}\nflow.asl.json: accepted\n"
    ran = invoke("run", definition, "--param", "W=w")
    assert json.loads(ran.stdout) == {"a": "${V} and w"}
    assert "${V} (8:10)" in ran.stderr
    assert "${W}" not in ran.stderr


def test_a_resource_that_is_a_placeholder_finds_its_handler() -> None:
    assert doorstep.run(task(), {}, {"${Work}": lambda event: 1}).output == 1


def test_an_expression_that_has_a_placeholder_in_a_text_runs() -> None:
    fields = {"QueryLanguage": "JSONata", "Output": "{% 'at ' & '${Host}' %}"}
    assert doorstep.run(one_state(Type="Pass", **fields)).output == "at ${Host}"


def test_yaml_may_have_a_number_without_quotes() -> None:
    text = "StartAt: S\nStates:\n  S:\n    Type: Wait\n    Seconds: ${V}\n    End: true\n"
    Path("flow.yaml").write_text(text, "utf-8")
    result = CliRunner().invoke(cli, ["validate", "flow.yaml"])
    assert "flow.yaml:5:14: warning" in result.stdout
    assert result.exit_code == 0
    assert (
        CliRunner()
        .invoke(cli, ["validate", "flow.yaml", "--param", "V=3"])
        .stdout.endswith("accepted\n")
    )
