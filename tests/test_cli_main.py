"""The program as a whole: its help, its version, and what becomes of errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import doorstep
from doorstep_cli import validate
from doorstep_cli.main import cli

PROGRAM = Path(sys.executable).with_name("doorstep")
COMMANDS = [
    "run",
    "validate",
    "explore",
    "test",
    "test-state",
    "history",
    "replay",
    "resume",
    "debug",
    "diff",
    "graph",
    "conformance",
    "completion",
    "serve",
    "start",
    "ps",
    "logs",
    "stop",
    "redrive",
    "callback",
]


def test_the_version_is_the_librarys() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.stdout == f"doorstep {doorstep.__version__}\n"


def test_the_version_is_told_without_starting_the_interpreter_or_rich() -> None:
    program = (
        "import sys; from doorstep_cli.main import cli; cli(['--version'], standalone_mode=False);"
        "print([name for name in ('doorstep', 'rich', 'doorstep_cli.run') if name in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert process.stdout.splitlines()[-1] == "[]", process.stderr


def test_help_lists_every_command_in_full() -> None:
    text = CliRunner().invoke(cli, ["--help"]).stdout
    lines = text.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == COMMANDS
    assert not [line for line in lines if line.endswith("...")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_commands_help_has_examples(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout


def test_every_option_is_explained() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert [option.name for option in options if not option.help] == []


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["rnu"])
    assert result.exit_code == 2
    assert "No such command 'rnu'" in result.stderr


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of a command that has a bug."""

    def bug(*_: object) -> None:
        raise LookupError("seven of nine")

    monkeypatch.setattr(validate, "_look", bug)
    return ["validate", "-"]


def test_a_bug_of_ours_is_named_as_one_and_shows_no_traceback(broken: list[str]) -> None:
    result = CliRunner().invoke(cli, broken)
    assert result.exit_code == 70
    assert "bug in Doorstep: LookupError: seven of nine" in result.stderr
    assert "DOORSTEP_DEBUG=1" in result.stderr
    assert "Traceback" not in result.output


def test_doorstep_debug_lets_the_traceback_of_a_bug_through(
    broken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORSTEP_DEBUG", "1")
    assert isinstance(CliRunner().invoke(cli, broken).exception, LookupError)


def test_ctrl_c_outside_a_run_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(validate, "_look", interrupted)
    result = CliRunner().invoke(cli, ["validate", "-"])
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_complete_the_program_doorstep(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_DOORSTEP_COMPLETE={shell}_complete" in result.stdout


def test_commands_and_options_are_completed() -> None:
    asked = {"COMP_WORDS": "doorstep run --his", "COMP_CWORD": "2"}
    process = subprocess.run(
        [PROGRAM],
        env={**os.environ, **asked, "_DOORSTEP_COMPLETE": "bash_complete"},
        capture_output=True,
        text=True,
    )
    assert process.stdout == "plain,--history\n"


def test_a_closed_pipe_ends_the_program_quietly(tmp_path: Path) -> None:
    event = '{"timestamp": 0, "type": "ExecutionStarted", "id": 1}'
    history = tmp_path / "history.json"
    history.write_text(f"[{', '.join([event] * 20_000)}]", "utf-8")
    with subprocess.Popen(
        [PROGRAM, "history", history], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
