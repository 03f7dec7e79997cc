"""What is printed where the system's encoding is not UTF-8: pipes, files, old consoles."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorstep_cli.streams import settle_streams
from doorstep_cli.views.progress import ProgressLine

PROGRAM = "from doorstep_cli.main import entry; entry()"
TEXT = "ß → ✓ 😀"


def doorstep(*arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    env.update(PYTHONPATH=os.pathsep.join(sys.path), PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    env.update(more.pop("env", {}))
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, env=env, **more)


@pytest.fixture
def definition(tmp_path: Path) -> str:
    file = tmp_path / "a.asl.json"
    states = {"→ Los": {"Type": "Pass", "End": True}}
    file.write_text(json.dumps({"StartAt": "→ Los", "States": states}), "utf-8")
    return str(file)


def test_a_pipe_gets_utf_8_whatever_the_locale_is(definition: str) -> None:
    given = json.dumps(TEXT, ensure_ascii=False)
    done = doorstep("run", definition, "--input", "-", input=given.encode(), env={"LC_ALL": "C"})
    assert done.stderr == b""
    assert done.stdout.decode("utf-8") == f"{given}\n"


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "latin-1"])
def test_json_keeps_every_character_in_an_encoding_that_lacks_it(
    definition: str, encoding: str
) -> None:
    given = json.dumps(TEXT)
    done = doorstep("run", definition, "--input", given, env={"PYTHONIOENCODING": encoding})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.decode(encoding)) == TEXT


@pytest.mark.parametrize("command", ["--help", "graph", "lint", "explore"])
def test_commands_print_on_a_console_of_western_europe(
    definition: str, command: str, tmp_path: Path
) -> None:
    arguments = [command] if command == "--help" else [command, definition]
    done = doorstep(*arguments, env={"PYTHONIOENCODING": "cp1252"}, cwd=tmp_path)
    assert (done.returncode, b"Error" in done.stderr) == (0, False), done.stderr
    if command == "graph":
        assert rb"\u2192 Los" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes them")
@pytest.mark.parametrize(("closed", "code"), [(0, 2), (1, 0), (2, 0)])
def test_a_standard_stream_may_be_closed(definition: str, closed: int, code: int) -> None:
    command = [sys.executable, "-c", PROGRAM, "run", definition, "--input", "-"]
    closing = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *command]
    assert subprocess.run(closing, input=b"1", capture_output=True).returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full device")
def test_a_full_device_is_reported(definition: str) -> None:
    command = [sys.executable, "-c", PROGRAM, "run", definition]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, b"No space left on device" in done.stderr) == (2, True)


class Console(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_a_terminal_keeps_its_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    console = Console(written, encoding="cp1252", write_through=True)
    monkeypatch.setattr(sys, "stdout", console)
    settle_streams()
    console.write("é … → 😀")
    assert written.getvalue() == b"\xe9 \x85 \\u2192 \\ud83d\\ude00"


def test_progress_turns_in_letters_that_the_terminal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    console = Console(written, encoding="cp1252", write_through=True)
    monkeypatch.setattr(sys, "stderr", console)
    settle_streams()
    line = ProgressLine(lambda: "3 items")
    line._show()
    assert line._live
    line._live.stop()
    assert b"3 items" in written.getvalue()
    assert b"\\u" not in written.getvalue()


def test_a_stream_that_is_none_of_pythons_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    settle_streams()


def test_input_on_stdin_is_utf_8_with_windows_mark_or_without(definition: str) -> None:
    given = '"→"'.encode("utf-8-sig")
    env = {"PYTHONIOENCODING": "cp1252"}
    done = doorstep("run", definition, "--input", "-", input=given, env=env)
    assert done.stdout == b'"\\u2192"\n'
    wrong = doorstep("run", definition, "--input", "-", input=b'"\xe9"', env=env)
    assert wrong.returncode == 2
    assert b"standard input is not UTF-8 text" in wrong.stderr
