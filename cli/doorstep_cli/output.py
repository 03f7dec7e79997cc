"""What the commands print: JSON, tables and error messages."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
_OURS = f"\x1b{os.urandom(8).hex()}"
"""Marks our own colour codes until `echo` writes them; random, so that no data can contain it."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table: cells, their colour, and indented lines below it."""

    cells: Sequence[str]
    colour: str | None = None
    below: Sequence[str] = ()


class Problem(click.ClickException):
    """An error that the user can fix. The message says what, where, and what to do."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr."""
        echo(f"{style('doorstep:', fg='red', bold=True)} {self.message}", err=True)


class Bug(Problem):
    """An error that only Doorstep's developers can fix (EX_SOFTWARE)."""

    exit_code = 70


class OutputFile(click.Path):
    """A file to write. Its folder must exist before the work begins."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; a usage error when its folder does not exist."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(
                f"cannot write {path.name}: the folder {path.parent} does not exist", param, ctx
            )
        return path


def echo(text: str, *, err: bool = False, **how: Any) -> None:
    """Print lines; all output to a terminal comes through here. `how` is as for `style`.

    Control characters that are not ours are replaced, as a terminal would obey them.
    """
    pattern, replaced = _control_characters()
    ours = style(text, **how) if how else text
    click.echo(pattern.sub(replaced, ours).replace(_OURS, "\x1b"), err=err)


@cache
def _control_characters() -> tuple[re.Pattern[str], Callable[[re.Match[str]], str]]:
    # Imported here: `--version` starts no interpreter.
    from doorstep.values.printable import CONTROL, replaced

    return re.compile(rf"\x1b(?!{_OURS[1:]})|[{CONTROL}]"), replaced


def style(text: str, **how: Any) -> str:
    """Return a text in a colour, for `echo`. Use it instead of click's `style`."""
    before, after = click.style("\n", **how).replace("\x1b", _OURS).split("\n")
    return f"{before}{text}{after}"


def plain(text: str) -> str:
    """Return a text from elsewhere on a single line and without control characters."""
    from doorstep.values.printable import printable

    return printable(text.replace("\n", "�").replace("\t", "�"))


def json_text(value: Any, **layout: Any) -> str:
    """Return the exact JSON text of a value, control characters escaped."""
    from doorstep.values.json_values import java_numbers
    from doorstep.values.printable import escaped

    return escaped(java_numbers(json.dumps(value, ensure_ascii=False, **layout)))


def print_json(value: Any) -> None:
    """Print a JSON value on stdout: on one line, or indented and coloured on a terminal."""
    if sys.stdout.isatty():
        from rich.highlighter import JSONHighlighter

        console().print(JSONHighlighter()(json_text(value, indent=2)), soft_wrap=True)
    else:
        echo(json_text(value, separators=(",", ":")))


def console(**options: Any) -> Console:
    """Return a rich console that writes no control characters but its own."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from doorstep.values.printable import printable

    class Clean(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for text, form, control in super().render(renderable, options):
                yield Segment(text if control else printable(text), form, control)

    return Clean(**options)


def note(text: str) -> None:
    """Print a remark on stderr."""
    echo(text, dim=True, err=True)


def print_table(columns: Sequence[str], rows: Sequence[TableRow]) -> None:
    """Print a table on stdout; on a terminal the widest columns are cut until it fits.

    Not with rich, which takes fifteen seconds for the 25,000 rows that a history may have.
    """
    lines = [columns, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sys.stdout.isatty():
        _fit(widths, shutil.get_terminal_size().columns)
    echo(_line(columns, widths), bold=True)
    for row in rows:
        echo(_line(row.cells, widths), fg=row.colour)
        for text in row.below:
            echo(f"{'':{widths[0] + _GAP}}{plain(text)}", dim=True)


def _fit(widths: list[int], room: int) -> None:
    while sum(widths) + _GAP * len(widths) > room and max(widths) > _GAP:
        widths[widths.index(max(widths))] -= 1


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    fitted = (
        cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"
        for cell, width in zip(cells, widths, strict=True)
    )
    return plain((" " * _GAP).join(fitted).rstrip())
