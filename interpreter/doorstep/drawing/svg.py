"""A drawing as SVG: one file that needs no other, without scripts, for light and dark screens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape as escaped

from ..values.printable import printable
from .graph import COLOURS, Colour, Drawing, Mark
from .layout import (
    HEAD,
    LINE,
    NAME,
    ROUND,
    SMALL,
    SMALL_LINE,
    Box,
    Line,
    Picture,
    TextBlock,
    layout,
    width,
)

_NO_CHARACTER = re.compile(r"[\ufffe\uffff]")
_MARGIN = 16
_CHIP = 22
"""Height of a line of the legend."""
_SLANT = 12
"""Pixels that the corners of a Choice are cut."""
_SHAPES = """
.doorstep { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.doorstep text { text-anchor: middle; fill: #16191f; }
.doorstep .paper { fill: #ffffff; }
.doorstep .box { fill: #ffffff; stroke: #687078; stroke-width: 1.4; }
.doorstep .frame { fill: #687078; fill-opacity: .05; }
.doorstep text.faint { fill: #545b64; }
.doorstep .line { fill: none; stroke: #687078; stroke-width: 1.4; }
.doorstep .tip { fill: #687078; }
.doorstep .dashed { stroke-dasharray: 5 4; }
.doorstep a:hover .box { stroke-width: 2.6; }
.doorstep .ended > .box { stroke-width: 4; }
.doorstep text.counts { text-anchor: end; font-weight: 600; paint-order: stroke; }
.doorstep text.counts { stroke: #ffffff; stroke-width: 4px; }
@media (prefers-color-scheme: dark) {
.doorstep text { fill: #e6e9ed; }
.doorstep .paper { fill: #14191f; }
.doorstep .box { fill: #20262e; stroke: #97a1ab; }
.doorstep .frame { fill: #97a1ab; fill-opacity: .07; }
.doorstep text.faint { fill: #b3bbc4; }
.doorstep .line { stroke: #97a1ab; }
.doorstep .tip { fill: #97a1ab; }
.doorstep text.counts { stroke: #14191f; }
"""


def _style() -> Iterator[str]:
    # What was not reached is to stay in the background.
    bright = [_class(colour) for colour in COLOURS if colour != "not reached"]
    parts = [f".{name} > .{part}" for name in bright for part in ("box", "line", "tip")]
    yield _SHAPES.strip()
    yield ",\n".join(f".doorstep {part}" for part in parts) + " { filter: brightness(1.5); }"
    yield "}"
    # A tint of the stroke's colour is light on white and dark on black.
    for colour, (_, stroke) in COLOURS.items():
        name = f".doorstep .{_class(colour)}"
        yield f"{name} > .box {{ fill: {stroke}; fill-opacity: .17; stroke: {stroke}; }}"
        yield f"{name} > .frame {{ fill-opacity: .06; }}"
        yield f"{name} > .line {{ stroke: {stroke}; }}"
        yield f"{name} > .tip {{ fill: {stroke}; }}"


def _class(colour: Colour) -> str:
    return colour.replace(" ", "-")


STYLE = "\n".join(_style())
"""What the classes of a drawing look like."""


def svg(drawing: Drawing, *, style: bool = True, legend: bool = True) -> Iterator[str]:
    """Yield the lines of the file; without its style they are for a page that has STYLE.

    Every state is a group with its JSON Pointer, `data-state`, and its colour as a class; every
    transition and retrier has its own as `data-way`.
    """
    picture = layout(drawing)
    colours = drawing.legend if legend else []
    picture.move(_MARGIN, _MARGIN)
    wide = round(max(picture.width, _legend_width(colours)) + 2 * _MARGIN)
    high = round(picture.height + 2 * _MARGIN + (_CHIP if colours else 0))
    title = _escape(drawing.title)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="doorstep" viewBox="0 0 {wide} {high}" '
        f'width="{wide}" height="{high}" role="group" aria-label="{title}">'
    )
    yield f"<title>{title}</title>"
    if style:
        yield f"<style>\n{STYLE}\n</style>"
    yield f'<rect class="paper" width="{wide}" height="{high}"/>'
    yield from _picture(picture)
    yield from _legend(colours, picture.height + 1.5 * _MARGIN)
    yield "</svg>"


def _picture(picture: Picture) -> Iterator[str]:
    for box in picture.boxes:
        yield from _box(box)
    for line in picture.lines:
        yield from _line(line)


# Boxes -------------------------------------------------------------------------------------------


def _box(box: Box) -> Iterator[str]:
    node, mark = box.node, box.node.mark if box.node else None
    if mark and mark.link:
        yield f'<a href="{_escape(mark.link)}">'
    yield f'<g{_classes("state", mark)} data-state="{_escape(node.pointer)}">' if node else "<g>"
    if node:
        yield _title([f"{node.name} ({node.kind or node.type})", mark.text if mark else ""])
    yield _outline(box)
    yield from _text(TextBlock(box.name, box.x + box.width / 2, box.y + _above(box)), NAME)
    if node and not box.inside:
        beneath = box.y + box.height - SMALL_LINE - 7
        yield from _text(TextBlock([node.type], _middle(box, node.type), beneath), SMALL, "faint")
    if node:
        counts = TextBlock([mark.counts if mark else ""], box.x + box.width - 6, box.y - 7)
        yield from _text(counts, SMALL, "counts")
    yield "</g>"
    if mark and mark.link:
        yield "</a>"
    yield from _retriers(box)
    if box.inside:
        yield from _picture(box.inside)


def _above(box: Box) -> float:
    """Return the distance from the upper edge of a box to its name."""
    if box.node is None:
        return (box.height - LINE) / 2
    return (HEAD - LINE) / 2 if box.inside else 7


def _outline(box: Box) -> str:
    kind = box.node.type if box.node else ""
    classes = "box frame" if box.inside else "box"
    x, y, right, foot = box.x, box.y, box.x + box.width, box.y + box.height
    if kind == "Choice":
        middle = _n(y + box.height / 2)
        corners = (
            f"M{_n(x)} {middle}L{_n(x + _SLANT)} {_n(y)}H{_n(right - _SLANT)}L{_n(right)} {middle}"
            f"L{_n(right - _SLANT)} {_n(foot)}H{_n(x + _SLANT)}z"
        )
        return f'<path class="{classes}" d="{corners}"/>'
    corner = box.height / 2 if not kind or kind in ROUND else 6
    return (
        f'<rect class="{classes}" x="{_n(x)}" y="{_n(y)}" width="{_n(box.width)}" '
        f'height="{_n(box.height)}" rx="{_n(corner)}"/>'
    )


def _middle(box: Box, text: str) -> float:
    """Return the centre of a text that has the marks of retriers at its right."""
    retriers = len(box.node.retriers) if box.node else 0
    return box.x + (box.width - retriers * LINE) / 2


def _retriers(box: Box) -> Iterator[str]:
    """Yield a round arrow for each entry of Retry, beside the type or the name of the state."""
    node = box.node
    if node is None:
        return
    text, size = (box.name[0], NAME) if box.inside else (node.type, SMALL)
    x = _middle(box, text) + width(text, size) / 2 + 10
    y = box.y + (HEAD / 2 if box.inside else box.height - SMALL_LINE / 2 - 7)
    for number, retrier in enumerate(node.retriers):
        mark, at = retrier.mark, x + number * LINE
        arc = f"M{_n(at + 3)} {_n(y - 4)}A5 5 0 1 0 {_n(at + 5)} {_n(y)}"
        title = _title([f"Retry of {retrier.label}", mark.text if mark else ""])
        yield f'<g{_classes("retrier", mark)} data-way="{_escape(retrier.pointer)}">{title}'
        yield f'<rect x="{_n(at - 7)}" y="{_n(y - 7)}" width="14" height="14" fill-opacity="0"/>'
        yield f'<path class="line" d="{arc}"/>'
        yield f'<path class="tip" d="M{_n(at)} {_n(y - 1)}h6v-6z"/></g>'


# Lines -------------------------------------------------------------------------------------------


def _line(line: Line) -> Iterator[str]:
    mark = line.edge.mark
    classes = "line dashed" if line.edge.caught else "line"
    yield f'<g{_classes("way", mark)} data-way="{_escape(line.edge.pointer)}">'
    text = mark.text if mark else ""
    if text or line.edge.label:
        yield _title([line.edge.label, text])
    yield f'<path class="{classes}" d="{_path(line)}"/>'
    yield f'<path class="tip" d="{_tip(line)}"/>'
    if line.label:
        yield from _text(line.label, SMALL, "faint")
    yield "</g>"


def _path(line: Line) -> str:
    """Return upright parts, and curves from one to the next that begin and end upright."""
    x, top, end = line.parts[0]
    if len(line.parts) == 1:
        return f"M{_n(x)} {_n(top)}c30 -8 30 {_n(end - top + 8)} 0 {_n(end - top)}"
    path = [f"M{_n(x)} {_n(top)}V{_n(end)}"]
    for x_below, y_below, foot in line.parts[1:]:
        if x_below != x:
            half = _n((end + y_below) / 2)
            path.append(f"C{_n(x)} {half} {_n(x_below)} {half} {_n(x_below)} {_n(y_below)}")
        label = line.label
        if label and y_below <= label.y < foot:
            # The line makes way for its label.
            path.append(f"V{_n(label.y)}M{_n(x_below)} {_n(label.y + _height(label))}")
        path.append(f"V{_n(foot)}")
        x, end = x_below, foot
    return "".join(path)


def _height(label: TextBlock) -> int:
    return len(label.lines) * SMALL_LINE


def _tip(line: Line) -> str:
    x, _, foot = line.parts[-1]
    if len(line.parts) == 1:
        return f"M{_n(x)} {_n(foot)}l8 -5l1 8z"
    if line.upward:
        x, top, _ = line.parts[0]
        return f"M{_n(x)} {_n(top)}l-4.5 8h9z"
    return f"M{_n(x)} {_n(foot)}l-4.5 -8h9z"


# Texts, colours ----------------------------------------------------------------------------------


def _text(text: TextBlock, size: int, kind: str = "") -> Iterator[str]:
    step = LINE if size == NAME else SMALL_LINE
    classes = f' class="{kind}"' if kind else ""
    for number, line in enumerate(text.lines):
        y = text.y + number * step + step * 0.76
        place = f'x="{_n(text.x)}" y="{_n(y)}" font-size="{size}"'
        yield f"<text {place}{classes}>{_escape(line)}</text>"


def _title(lines: Iterable[str]) -> str:
    text = "\n".join(line for line in lines if line)
    return f"<title>{_escape(text)}</title>"


def _escape(text: str) -> str:
    """Return a text as XML can have it, which knows no control characters."""
    return escaped(_NO_CHARACTER.sub("�", printable(text)))


def _classes(kind: str, mark: Mark | None) -> str:
    """Return the attribute that says what a group is, and its colour."""
    if mark is None:
        return f' class="{kind}"'
    return f' class="{kind} {_class(mark.colour)}{" ended" if mark.ended else ""}"'


def _legend_width(legend: Iterable[Colour]) -> float:
    return sum(width(colour, SMALL) + 30 for colour in legend)


def _legend(legend: Iterable[Colour], y: float) -> Iterator[str]:
    x: float = _MARGIN
    for colour in legend:
        room = width(colour, SMALL)
        yield (
            f'<g class="{_class(colour)}"><rect class="box" x="{_n(x)}" y="{_n(y + 2)}" '
            'width="12" height="12" rx="3"/></g>'
        )
        yield from _text(TextBlock([colour], x + 18 + room / 2, y), SMALL, "faint")
        x += room + 30


def _n(number: float) -> str:
    """Return a coordinate: a pixel's tenth is as near as anyone sees."""
    return f"{round(number, 1):g}"
