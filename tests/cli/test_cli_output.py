"""What the commands write: JSON, tables, and problems."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any

import pytest
from rich.console import Console

from doorstep_cli.output import TableRow, print_table
from doorstep_cli.views import progress
from doorstep_cli.views.progress import ProgressLine

ROWS = [TableRow(["1", "a" * 50], "red", ["beneath"]), TableRow(["22", "b"])]


def test_a_table_is_aligned_and_nothing_is_cut_in_a_pipe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(["ID", "Name"], ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "ID  Name",
        f"1   {'a' * 50}",
        "    beneath",
        "22  b",
    ]


def test_on_a_terminal_the_widest_column_gives_way(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "20")
    print_table(["ID", "Name"], ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert "aaaa…" in lines[1]
    assert "22  b" in lines[3]


def test_a_table_without_rows_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["ID", "Name"], [])
    assert capsys.readouterr().out == "ID  Name\n"


def test_a_table_has_nothing_that_a_terminal_takes_for_orders(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(["A"], [TableRow(["\x1b[2Jcell"], below=["\x9bbelow"])])
    assert capsys.readouterr().out.splitlines() == ["A", "�[2Jcell", f"{'':10}�below"]


# Progress ----------------------------------------------------------------------------------------

SHOW_CURSOR = "\x1b[?25h"


class Screen(io.StringIO):
    """A terminal; `ready` is set when a progress line was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if "3 of 9" in self.getvalue():
            self.ready.set()
        return written


def test_a_line_of_progress_is_taken_away_at_the_end_and_the_cursor_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Screen()
    monkeypatch.setattr(progress, "_DELAY", 0)
    monkeypatch.setattr(
        progress, "console", lambda **_: Console(file=terminal, force_terminal=True, width=40)
    )
    with ProgressLine(lambda: "3 of 9"):
        assert terminal.ready.wait(60)
        assert SHOW_CURSOR not in terminal.getvalue()
    assert terminal.getvalue().rpartition("3 of 9")[2].endswith(f"{SHOW_CURSOR}\r\x1b[1A\x1b[2K")


def test_work_that_ends_while_the_line_appears_leaves_none_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, appears, ended = Screen(), threading.Event(), threading.Event()

    def slow_console(**_: Any) -> Console:
        appears.set()
        ended.wait(60)
        return Console(file=terminal, force_terminal=True, width=40)

    monkeypatch.setattr(progress, "_DELAY", 0)
    monkeypatch.setattr(progress, "console", slow_console)
    line = ProgressLine(lambda: "3 of 9")
    with line:
        assert appears.wait(60)
        threading.Timer(0.01, ended.set).start()
    assert SHOW_CURSOR in terminal.getvalue()
