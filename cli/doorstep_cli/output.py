"""What the commands write: JSON, tables, and problems."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import click

_GAP = 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: cells, their colour, and lines that stand indented beneath."""

    cells: Sequence[str]
    colour: str | None = None
    below: Sequence[str] = ()


class Problem(click.ClickException):
    """Something that the user can put right: what, where, and what to do. Nothing else is shown."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr."""
        click.echo(f"{click.style('doorstep:', fg='red', bold=True)} {self.message}", err=True)


class Bug(Problem):
    """Something that only we can put right (EX_SOFTWARE)."""

    exit_code = 70


class OutputFile(click.Path):
    """A file that is going to be written: its folder has to be there before the work begins."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; a usage error when nothing can be written there."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent} to write {path.name} to", param, ctx)
        return path


def plain(text: str) -> str:
    """A text of somebody else's, without what a terminal would take for orders."""
    return _CONTROL.sub("�", text)


def print_json(value: Any) -> None:
    """A JSON value on stdout: one compact line, or indented and coloured on a terminal."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print_json(data=value, ensure_ascii=False)
    else:
        click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def note(text: str) -> None:
    """A remark beside the result, on stderr."""
    click.secho(text, dim=True, err=True)


def print_table(columns: Sequence[str], rows: Sequence[Row]) -> None:
    """A table on stdout; on a terminal its widest columns give way until it fits.

    Laid out here, as rich takes fifteen seconds for the 25,000 rows that a history may have.
    """
    lines = [columns, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sys.stdout.isatty():
        _fit(widths, shutil.get_terminal_size().columns)
    click.secho(_line(columns, widths), bold=True)
    for row in rows:
        click.secho(_line(row.cells, widths), fg=row.colour)
        for text in row.below:
            click.secho(f"{'':{widths[0] + _GAP}}{plain(text)}", dim=True)


def _fit(widths: list[int], room: int) -> None:
    while sum(widths) + _GAP * len(widths) > room and max(widths) > _GAP:
        widths[widths.index(max(widths))] -= 1


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    fitted = (
        cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"
        for cell, width in zip(cells, widths, strict=True)
    )
    return plain((" " * _GAP).join(fitted).rstrip())
