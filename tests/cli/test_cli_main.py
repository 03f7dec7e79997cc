"""The program as a whole: its help, its version, and what becomes of errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import doorstep
from doorstep_cli.commands import validate
from doorstep_cli.main import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/*.md"))]
PROGRAM = Path(sys.executable).with_name("doorstep")
GROUPS = {
    "Run and inspect": ["run", "validate", "lint", "cost", "history", "graph", "project"],
    "Test": ["test", "test-state", "explore", "conformance"],
    "Replay": ["download", "failures", "replay", "resume", "debug", "view", "diff", "write-test"],
    "Serve": ["serve", "env", "start", "ps", "logs", "stop", "redrive", "callback", "skip"],
    "Editor and shell": ["lsp", "mcp", "schema", "init", "completion"],
}
COMMANDS = [name for names in GROUPS.values() for name in names]
CONTEXT = click.Context(cli)


def options_of(command: click.Command | None) -> set[str]:
    """The options of a command, and of the commands in it."""
    assert command
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    shown = (one for one in command.params if not getattr(one, "hidden", False))
    own = {text for parameter in shown for text in parameter.opts}
    return own.union({"--help"}, *(options_of(one) for one in inner))


def test_the_version_is_the_librarys() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.stdout == f"doorstep {doorstep.__version__}\n"


def test_the_version_is_told_without_starting_the_interpreter_or_rich() -> None:
    program = (
        "import sys; from doorstep_cli.main import cli; cli(['--version'], standalone_mode=False);"
        "print([name for name in ('doorstep.errors', 'rich', 'doorstep_cli.commands.run')"
        " if name in sys.modules])"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert process.stdout.splitlines()[-1] == "[]", process.stderr


def test_help_lists_every_command_in_full_by_what_it_is_for() -> None:
    text = CliRunner().invoke(cli, ["--help"]).stdout
    groups = dict(re.findall(r"^(\w[\w ]+):\n((?:  .+\n)+)", text, re.MULTILINE))
    del groups["Options"]
    assert {title: re.findall("^  ([a-z-]+)", at, re.M) for title, at in groups.items()} == GROUPS
    assert "..." not in "".join(groups.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_commands_help_has_examples(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout


def test_every_option_is_explained() -> None:
    for name in COMMANDS:
        command = cli.get_command(CONTEXT, name)
        assert command
        options = [param for param in command.params if isinstance(param, click.Option)]
        assert [option.name for option in options if not option.help] == []


def test_the_page_of_the_command_line_has_a_row_for_every_command() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(re.findall(r"`([a-z][a-z-]*)", " ".join(rows))) == sorted(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_and_options_that_a_page_shows_exist(page: Path) -> None:
    text = page.read_text("utf-8").replace("\\\n", "")
    for name, rest in re.findall(r"(?:^|[ `(])doorstep ([a-z][a-z-]+)([^\n`|$)]*)", text):
        assert name in COMMANDS
        shown = re.findall(r" (--[a-z][a-z0-9-]*)", rest)
        assert set(shown) <= options_of(cli.get_command(CONTEXT, name)), f"{name}{rest}"


@pytest.mark.parametrize(
    ("name", "hint"), [("exploer", "; did you mean 'explore'?"), ("xyz", "; there are run, ")]
)
def test_an_unknown_command_is_a_usage_error(name: str, hint: str) -> None:
    result = CliRunner().invoke(cli, [name])
    assert result.exit_code == 2
    assert f"No such command '{name}'{hint}" in result.stderr


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of a command that has a bug."""

    def bug(*_: object) -> None:
        raise LookupError("seven of nine")

    monkeypatch.setattr(validate, "reports_of", bug)
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

    monkeypatch.setattr(validate, "reports_of", interrupted)
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
    types = [*["ExecutionStarted"] * 20_000, "ExecutionSucceeded"]
    events = [{"timestamp": 0, "type": name, "id": n} for n, name in enumerate(types, start=1)]
    history = tmp_path / "history.json"
    history.write_text(json.dumps(events), "utf-8")
    with subprocess.Popen(
        [PROGRAM, "history", history], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


# Options that have a new name --------------------------------------------------------------------

RENAMED = [
    ("run", "--answers", "--mock-validation", "warn"),
    ("run", "--begin", "--start-time", "2030-02-03T04:05:06Z"),
    ("run", "--machine", "--state-machine", "Child=child.json"),
    ("run", "--bucket", "--s3-root", "."),
    ("resume", "--machine", "--state-machine", "Child=child.json"),
    ("resume", "--bucket", "--s3-root", "."),
    ("replay", "--machine", "--state-machine", "Child=child.json"),
    ("replay", "--bucket", "--s3-root", "."),
    ("serve", "--bucket", "--s3-root", "."),
    ("serve", "--calls", "--max-handlers", "3"),
]


def parsed(name: str, *options: str) -> dict[str, object]:
    """The values of a command's options, which is not run."""
    command = cli.get_command(CONTEXT, name)
    assert command
    words = {"run": [__file__], "serve": []}.get(name, [__file__, "--definition", __file__])
    return command.make_context(name, [*words, *options]).params


@pytest.mark.parametrize(("name", "former", "option", "value"), RENAMED)
def test_a_renamed_option_still_works_under_its_former_name_with_a_warning(
    name: str, former: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = parsed(name, option, value)
    assert capsys.readouterr().err == ""
    assert now != parsed(name)
    assert parsed(name, former, value) == now
    assert capsys.readouterr().err == f"{former} is deprecated: use {option}\n"
    assert f"{former} " not in CliRunner().invoke(cli, [name, "--help"]).stdout


def test_a_repeatable_option_takes_values_under_both_names() -> None:
    given = parsed("run", "--state-machine", "A=a.json", "--machine", "B=b.json")
    assert given["state_machines"] == {"A": "a.json", "B": "b.json"}


def test_the_new_name_of_an_option_wins() -> None:
    assert parsed("serve", "--calls", "3", "--max-handlers", "4")["max_handlers"] == 4


def test_a_wrong_value_under_a_former_name_is_refused() -> None:
    result = CliRunner().invoke(cli, ["run", __file__, "--answers", "look away"])
    assert result.exit_code == 2
    assert "'look away' is not one of 'strict', 'warn', 'off'" in result.stderr
