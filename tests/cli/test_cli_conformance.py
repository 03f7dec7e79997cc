"""`doorstep conformance`: scores on stdout, or answers in a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import doorstep
from doorstep_cli.main import cli
from doorstep_conformance import OWN_CASES, check, load_case
from doorstep_conformance import page as pages

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


# The page ----------------------------------------------------------------------------------------


def test_the_committed_page_is_the_one_that_is_made_now() -> None:
    page = OWN_CASES.parents[1] / "docs" / "conformance.md"
    assert page.read_text("utf-8") == conformance("--report").stdout, (
        "doorstep conformance --report docs/conformance.md"
    )


def test_the_page_lists_areas_scores_and_misses(
    cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.md").write_text(
        "# Page\n<!-- own -->\n\n<!-- recorded -->\n<!-- missed -->\n"
    )
    (tmp_path / "missed.json").write_text('{"odd": "nobody knows"}')
    monkeypatch.setattr(pages, "HOME", tmp_path)
    for name in ("RECORDED", "MISSED"):
        monkeypatch.setattr(pages, name, tmp_path / f"{name.lower()}.json")
    report = check(cases)
    pages.store_scores(report)
    lines = pages.page(report).splitlines()
    table = [
        "| kind | area | cases | exact | causal | otherwise |",
        "|---|---|--:|--:|--:|--:|",
        "| sync | good | 1 | 1 |  |  |",
        "| sync | odd | 1 |  |  | 1 |",
        "| **all** |  | 2 | 1 |  | 1 |",
    ]
    assert lines == ["# Page", *table, "", *table, "- `odd`: nobody knows"]


def test_report_writes_a_file_and_goes_without_cases(cases: Path, tmp_path: Path) -> None:
    made = conformance("--report", tmp_path / "page.md")
    assert (made.exit_code, made.stdout) == (0, "")
    assert (tmp_path / "page.md").read_text("utf-8").startswith("# Conformance\n")
    assert conformance("--cases", cases, "--report").exit_code == 2
    assert conformance("--recordings", cases).exit_code == 2


# Adding a recording ------------------------------------------------------------------------------

EXAMPLE = OWN_CASES.parents[1] / "examples" / "order"


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Adds the history of an order to the cases of an empty repository."""
    given = json.loads((EXAMPLE / "flaky.json").read_text("utf-8"))
    execution = doorstep.run(EXAMPLE / "order.asl.json", given, EXAMPLE / "handlers.py")
    history = tmp_path / "flaky.history.json"
    history.write_text(json.dumps({"events": execution.history}), "utf-8")
    shutil.copy(EXAMPLE / "order.asl.json", tmp_path)
    monkeypatch.chdir(tmp_path)

    def add(*arguments: str, definition: str = "order.asl.json") -> Result:
        return conformance("add", history, "--definition", definition, *arguments)

    return add


def test_a_history_becomes_a_case_that_is_run_from_then_on(add: Callable[..., Result]) -> None:
    result = add()
    assert (result.stdout, result.exit_code) == ("cases/flaky.json: exact\n", 0)
    again = conformance("--cases", "cases")
    assert again.stdout.endswith("1 of 1 as AWS recorded them\n")


def test_the_name_is_the_id_and_the_place(add: Callable[..., Result]) -> None:
    result = add("--name", "orders/busy", "--into", "recorded")
    assert result.stdout == "recorded/orders/busy.json: exact\n"
    assert load_case(Path("recorded/orders/busy.json")).id == "orders/busy"


def test_another_answer_is_told_and_the_case_is_kept(add: Callable[..., Result]) -> None:
    definition = json.loads(Path("order.asl.json").read_text("utf-8"))
    definition["States"][definition["StartAt"]]["ResultPath"] = "$.elsewhere"
    Path("changed.asl.json").write_text(json.dumps(definition), "utf-8")
    result = add(definition="changed.asl.json")
    assert result.exit_code == 1
    assert result.stdout.startswith("cases/flaky.json: fail: event ")
    assert Path("cases/flaky.json").exists()


def test_a_case_is_never_overwritten(add: Callable[..., Result]) -> None:
    add()
    before = Path("cases/flaky.json").read_text("utf-8")
    result = add()
    assert result.exit_code == 2
    assert "cases/flaky.json exists; choose another --name" in result.stderr
    assert Path("cases/flaky.json").read_text("utf-8") == before


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", ""])
def test_a_case_stands_below_its_folder(add: Callable[..., Result], name: str) -> None:
    result = add("--name", name)
    assert result.exit_code == 2
    assert "would not be in the folder cases" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not JSON (line 1, column 2"),
        ("{}", "has no events"),
        ('{"events": [1]}', "event 1 is not an event (it is no object)"),
        ('{"events": [{"id": 2}]}', "'type' is missing"),
    ],
)
def test_a_file_that_is_no_history_is_refused(
    add: Callable[..., Result], text: str, told: str
) -> None:
    Path("flaky.history.json").write_text(text, "utf-8")
    result = add()
    assert result.exit_code == 2
    assert "flaky.history.json" in result.stderr
    assert told in result.stderr
    assert not Path("cases").exists()
