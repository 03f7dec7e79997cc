"""What README, docs and the examples' READMEs show is what happens.

The `python` blocks of a page are one program, and its `text` blocks are what that prints. A
`console` block shows commands and what they print, `…` standing for anything; a `sh` block shows
commands alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/*/*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text("utf-8").replace("\\\n", ""))
    return [text for info, text in found if info == language]


def pages(language: str) -> list[object]:
    return [
        pytest.param(page, id=str(page.relative_to(ROOT)))
        for page in PAGES
        if blocks(page, language)
    ]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the examples may write."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "100"},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("page", pages("python"))
def test_the_program_of_a_page_prints_what_the_page_says(page: Path, copy: Path) -> None:
    program = subprocess.run(
        [sys.executable, "-c", "".join(blocks(page, "python"))],
        cwd=copy,
        capture_output=True,
        text=True,
    )
    assert program.stdout == "".join(blocks(page, "text")), program.stderr


def test_the_test_of_the_readme_passes_in_a_file_of_its_own(copy: Path) -> None:
    (test,) = (one for one in blocks(ROOT / "README.md", "python") if "def test_" in one)
    (copy / "examples/order/test_silence.py").write_text(test, "utf-8")
    ran = shell("python -m pytest -q -p no:cacheprovider test_silence.py", copy / "examples/order")
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("page", pages("console"))
def test_the_commands_of_a_page_print_what_the_page_says(page: Path, copy: Path) -> None:
    for command, told in COMMAND.findall("".join(blocks(page, "console"))):
        printed = shell(command, copy).stdout
        pattern = ".*".join(re.escape(part) for part in told.strip().split("…"))
        assert re.fullmatch(pattern, printed.strip(), re.DOTALL), printed


@pytest.mark.parametrize("page", pages("sh"))
def test_the_commands_of_a_page_succeed(page: Path, copy: Path) -> None:
    for command in "".join(blocks(page, "sh")).splitlines():
        ran = shell(command, copy)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_readme_opens_with_the_commands_of_dev_py() -> None:
    shown = re.findall(r"python3 dev\.py (\w+)", (ROOT / "README.md").read_text("utf-8"))
    helped = subprocess.run(
        [sys.executable, ROOT / "dev.py", "--help"], capture_output=True, text=True
    )
    commands = re.findall(r"^    (\w+) ", helped.stdout, re.MULTILINE)
    assert shown == ["demo", "test"]
    assert set(shown) < set(commands)
