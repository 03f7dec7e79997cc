"""The console is small: all of it is read in an afternoon."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("emulator/doorstep_emulator/console", "interpreter/doorstep/pages")
REPORTS = ("reports", "coverage", "results", "exploration")
"""They have its look, and are no part of it."""
MOST = 2_500
"""Lines with something on them."""


def test_the_console_with_its_templates_and_scripts_stays_small() -> None:
    files = [
        file
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".html", ".css", ".js") and file.stem not in REPORTS
    ]
    texts = (line for file in files for line in file.read_text("utf-8").splitlines())
    lines = sum(1 for text in texts if text.strip())
    assert len(files) > 15
    assert lines <= MOST
