"""How much room a text takes, and where it may be broken.

The widths are those of DejaVu Sans, the widest of the fonts that `sans-serif` is likely to be, so
that what fits here fits everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

_EMS = {
    **dict.fromkeys("ijlI'|.,:; ", 0.36),
    **dict.fromkeys('frt()[]/\\-!"', 0.47),
    **dict.fromkeys("mwMW@%…—", 1.0),
    **dict.fromkeys("=<>+#~^×≤≥CDGHNOQRU&", 0.84),
    **dict.fromkeys("ABEFJKLPSTVXYZ", 0.72),
    **dict.fromkeys("acehknosuvxyzbdgpq0123456789_$?*{}", 0.64),
}
_PIECE = re.compile(r"\s*(?:[^\sA-Z_\-/.,]+|[A-Z]+[^\sA-Z_\-/.,]*|[_\-/.,])[_\-/.,]*")


def width(text: str, size: float) -> float:
    """Pixels of a line in a font of this size, at the most."""
    return sum(map(_width, text)) * size / 100


def _width(character: str) -> int:
    """Hundredths of an em: whole numbers add up to the same everywhere."""
    wide = 1.1 if east_asian_width(character) in "WF" else 0.9
    return round(_EMS.get(character, wide) * 100)


def wrapped(text: str, room: float, size: float, most: int = 2) -> list[str]:
    """The lines of a text: no wider than `room`, no more than `most`; `…` ends what was cut."""
    lines = [""]
    for piece in _pieces(text, room, size):
        if width((lines[-1] + piece).strip(), size) <= room:
            lines[-1] += piece
        else:
            lines.append(piece)
    lines = [line.strip() for line in lines]
    return lines if len(lines) <= most else [*lines[: most - 1], _cut(lines[most - 1], room, size)]


def _pieces(text: str, room: float, size: float) -> Iterator[str]:
    """Words and humps of names, those cut that are too long for a line."""
    for piece in _PIECE.findall(" ".join(text.split())):
        rest = piece
        while width(rest.strip(), size) > room:
            head = _fitting(rest, room, size)
            yield head
            rest = rest[len(head) :]
        yield rest


def _cut(line: str, room: float, size: float) -> str:
    return f"{_fitting(line, room - width('…', size), size)}…"


def _fitting(text: str, room: float, size: float) -> str:
    """As much of the text as there is room for, a character at least."""
    length = len(text)
    while length > 1 and width(text[:length].strip(), size) > room:
        length -= 1
    return text[:length]
