"""What the commands write: JSON, tables, and problems."""

from __future__ import annotations

import sys

import pytest

from doorstep_cli.output import TableRow, print_table

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
