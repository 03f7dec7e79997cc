"""`doorstep conformance`: scores on stdout, or answers in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from doorstep_cli.main import cli

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
SUCCEEDED = {"status": "SUCCEEDED", "output": "{}"}


def case(name: str, recorded: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "source": "the specification",
        "kind": "sync",
        "type": "EXPRESS",
        "definition": PASS,
        "input": {},
        "recorded": recorded,
    }


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A folder with a case that is answered rightly and one that is not."""
    folder = tmp_path / "cases"
    folder.mkdir()
    for given in (case("good", SUCCEEDED), case("odd", {**SUCCEEDED, "output": "[]"})):
        (folder / f"{given['id']}.json").write_text(json.dumps(given), "utf-8")
    return folder


def conformance(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["conformance", *map(str, arguments)])


def test_the_score_of_each_kind_is_printed(cases: Path) -> None:
    result = conformance("--cases", cases)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Kind", "Exact", "Causal", "Outcome", "Fail", "Cases"]
    assert lines[1] == ["sync", "1", "0", "0", "1", "2"]
    assert lines[2] == ["1", "of", "2", "as", "AWS", "recorded", "them"]
    assert result.exit_code == 0


def test_missed_lists_the_cases_that_are_answered_otherwise(cases: Path) -> None:
    told = conformance("--cases", cases, "--missed").stdout
    assert "\nodd: fail: " in told
    assert "good:" not in told


def test_emit_writes_one_answer_a_line_and_no_score(cases: Path, tmp_path: Path) -> None:
    result = conformance("--cases", cases, "--emit", tmp_path / "answers.jsonl")
    assert (result.exit_code, result.stdout) == (0, "")
    lines = (tmp_path / "answers.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "good", **SUCCEEDED},
        {"id": "odd", **SUCCEEDED},
    ]


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    result = conformance("--cases", tmp_path)
    assert result.exit_code == 2
    assert str(tmp_path) in result.stderr


def test_a_file_that_is_no_case_is_named(cases: Path) -> None:
    (cases / "broken.json").write_text("{", "utf-8")
    result = conformance("--cases", cases)
    assert result.exit_code == 2
    assert "broken.json" in result.stderr
