"""`--watch`: which folders are watched, what starts another run, and what does not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from doorstep_cli.main import cli
from doorstep_cli.watching import folders_of, follow, is_output

watchfiles = pytest.importorskip("watchfiles", reason="doorstep[watch] is not installed")
Change = watchfiles.Change
GOOD = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'


def test_the_folders_are_those_of_the_files_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/m.asl.json", "b/handlers.py", "b/input.json"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}")
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "a/m.asl.json", "--handlers", "b", "--input", "@b/input.json"]
    assert folders_of(arguments) == [tmp_path / "a", tmp_path / "b"]
    assert folders_of(["test"]) == [tmp_path]


def test_a_change_runs_the_command_again_and_what_it_writes_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    definition, history = tmp_path / "m.asl.json", tmp_path / "h.json"
    definition.write_text(GOOD)
    seen: list[bool] = []

    def watch(*folders: Path, watch_filter: Any, **_: object) -> Iterator[object]:
        assert folders == (tmp_path,)
        paths = (definition, history, tmp_path / "__pycache__" / "x.pyc")
        seen.extend(watch_filter(Change.modified, str(path)) for path in paths)
        definition.write_text(GOOD.replace('"Succeed"', '"Pass", "Result": 7, "End": true'))
        yield {(Change.modified, str(definition))}

    monkeypatch.setattr(watchfiles, "watch", watch)
    follow(["run", str(definition), "--quiet", "--history", str(history)], [tmp_path])
    assert seen == [True, False, False]
    shown = capfd.readouterr()
    assert shown.out == "{}\n7\n"
    assert shown.err.count("waiting for changes in") == 2


def test_changes_start_no_executions_of_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["test", "--against", "aws", "--watch"]
    monkeypatch.setattr("sys.argv", ["doorstep", *arguments])
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "would start real executions" in result.stderr


def test_a_file_that_the_output_goes_to_starts_no_new_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in `doorstep run … --watch > log` in the folder that is watched."""
    log = tmp_path / "log"
    with capfd.disabled(), log.open("w") as file:
        saved = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            seen = [is_output(str(log)), is_output(str(tmp_path / "other"))]
        finally:
            os.dup2(saved, 1)
            os.close(saved)
    assert seen == [True, False]
