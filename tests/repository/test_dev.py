"""dev.py: what a newcomer meets when the machine is not as it should be."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "dev.py"
TOO_NEW = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Starred, ast.Match)


@pytest.fixture
def dev(tmp_path: Path) -> Any:
    """The script as a module, in a project folder with nothing in it but a pyproject.toml."""
    spec = importlib.util.spec_from_file_location("dev", SCRIPT)
    assert spec
    assert spec.loader
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["not-to-be-had"]\n')
    script.ROOT = tmp_path
    script.VENV = tmp_path / ".venv"
    script.BIN = script.VENV / "bin"
    script.PYTHON = script.BIN / "python"
    return script


def test_a_python_that_is_too_old_can_still_parse_the_script() -> None:
    for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8"))):
        assert not isinstance(node, TOO_NEW)
        if isinstance(node, ast.FunctionDef):
            assert not node.returns
            assert not any(argument.annotation for argument in node.args.args)


def test_a_missing_ensurepip_is_named_with_its_cure(
    dev: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="sudo apt install python3-venv"):
        dev.make_venv()


def test_an_environment_whose_python_does_not_start_is_not_used(dev: Any) -> None:
    dev.BIN.mkdir(parents=True)
    dev.PYTHON.symlink_to("/nowhere/python3.11")
    assert not dev.works()


def test_an_environment_of_another_place_is_not_used(dev: Any) -> None:
    dev.BIN.mkdir(parents=True)
    dev.PYTHON.symlink_to(sys.executable)
    assert not dev.works()


def test_what_the_environment_depends_on_is_in_the_fingerprint(dev: Any) -> None:
    before = dev.fingerprint()
    with (dev.ROOT / "pyproject.toml").open("a") as file:
        file.write("# another dependency\n")
    assert dev.fingerprint() != before
    assert sys.version in before
    assert str(dev.ROOT) in before


def test_packages_that_can_not_be_fetched_are_explained(
    dev: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.chdir(dev.ROOT)
    dev.PYTHON = sys.executable
    with pytest.raises(SystemExit, match="needs network access") as refused:
        dev.install()
    assert "not-to-be-had" in str(refused.value)


def test_a_failed_step_fails_the_whole_and_the_others_still_run(
    dev: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    dev.BIN = Path(shutil.which("true") or "").parent
    dev.STEPS = [
        dev.Step("first", "false"),
        dev.Step("second", "true"),
        dev.Step("third", "true", "no/such/folder"),
    ]
    assert dev.test() == 1
    assert "first: FAILED   second: ok   third: skipped" in capfd.readouterr().out


def test_steps_that_all_succeed_give_success(dev: Any) -> None:
    dev.BIN = Path(shutil.which("true") or "").parent
    dev.STEPS = [dev.Step("only", "true")]
    assert dev.test() == 0


def test_the_demo_goes_as_it_should(
    dev: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    example = Path("examples") / "approval"
    shutil.copytree(SCRIPT.parent / example, dev.ROOT / example)
    monkeypatch.chdir(dev.ROOT)

    def call(command: str) -> int:
        program = "from doorstep_cli.main import entry; entry()"
        return subprocess.call([sys.executable, "-c", program, *command.split()[1:]])

    dev.call = call
    assert dev.demo() == 0
    shown = capfd.readouterr().out
    assert "FAILED in PayOut: KeyError" in shown
    assert '"transfer":"exp-311-740"' in shown
    assert (dev.ROOT / "build" / "failed.svg").is_file()


def test_what_the_checks_need_is_enough_for_the_demo(dev: Any) -> None:
    assert dev.fingerprint("demo") != dev.fingerprint("dev") == dev.fingerprint()


# On Windows ---------------------------------------------------------------------------------------


def test_windows_finds_its_pythons_by_the_launcher(
    dev: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    launcher = tmp_path / "py"
    launcher.write_text('#!/bin/sh\n[ "$1" = -3.2 ] && echo "C:\\Python32\\python.exe"\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert dev.find_python("3.2") == r"C:\Python32\python.exe"
    assert dev.find_python("3.1") is None
    assert dev.find_python("{}.{}".format(*sys.version_info)) == sys.executable
    launcher.unlink()
    assert dev.find_python("3.2") is None


def test_an_environment_with_windows_names_is_used_again(
    dev: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.VENV = tmp_path / "été"
    dev.BIN, dev.PYTHON = dev.VENV / "Scripts", dev.VENV / "Scripts" / "python.exe"
    asked = subprocess.CompletedProcess([], 0, ascii((sys.version, str(dev.VENV))) + "\r\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: asked)
    assert dev.works()


def test_a_console_that_lacks_letters_of_a_path_is_no_error(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "→").touch()
    command = [sys.executable, str(tmp_path / "dev.py"), "api"]
    env = {"PYTHONIOENCODING": "cp1252", "PATH": "", "DOORSTEP_VENV": "→"}
    done = subprocess.run(command, capture_output=True, env=env)
    assert b"Creating a virtual environment in " in done.stdout
    assert b"could not be created" in done.stderr
