"""A drawing with coordinates: boxes, boxes within them, and the lines between them, in pixels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from .graph import END, START, Drawing, Edge, Node
from .layers import Cell, Route, layered, nearest, place

NAME, SMALL = 13, 11
"""Font sizes of names, and of what stands beside them."""
LINE, SMALL_LINE = 16, 14
HEAD = 34
"""Height of the line with a group's name."""
ROUND = ("Wait", "Succeed", "Fail")
"""Types whose boxes have round sides."""
_ROOM, _LABEL_ROOM = 190, 165
_PADDING, _BETWEEN = 18, 26
_MARK = 46, 24
"""Width and height of the start and the end."""
_LOOP = 26
_CORNER = 18
"""Pixels at both ends of a side that lines keep away from."""
_PORTS = 22
"""Pixels between two lines at a box, if there is room for it."""

_EMS = {
    **dict.fromkeys("ijlI'|.,:; ", 0.36),
    **dict.fromkeys('frt()[]/\\-!"', 0.47),
    **dict.fromkeys("mwMW@%…—", 1.0),
    **dict.fromkeys("=<>+#~^×≤≥CDGHNOQRU&", 0.84),
    **dict.fromkeys("ABEFJKLPSTVXYZ", 0.72),
    **dict.fromkeys("acehknosuvxyzbdgpq0123456789_$?*{}", 0.64),
}
_PIECE = re.compile(r"\s*(?:[^\sA-Z_\-/.,]+|[A-Z]+[^\sA-Z_\-/.,]*|[_\-/.,])[_\-/.,]*")


@dataclass(slots=True)
class TextBlock:
    """Lines, each centred at `x`, the first one's upper edge at `y`."""

    lines: list[str]
    x: float = 0
    y: float = 0


@dataclass(slots=True, eq=False)
class Box:
    """A state, or without one the start or the end; `name` are the lines of its name."""

    node: Node | None
    name: list[str]
    width: float
    height: float
    inside: Picture | None = None
    x: float = 0
    y: float = 0

    def move(self, right: float, down: float) -> None:
        """Move it with what is in it."""
        self.x, self.y = self.x + right, self.y + down
        if self.inside:
            self.inside.move(right, down)


@dataclass(slots=True)
class Line:
    """A transition: the upright parts of its line, from the top down; `upward` when it leads back.

    Bends join one part to the next. A loop has one part, at the right of its box.
    """

    edge: Edge
    parts: list[tuple[float, float, float]]
    """x, from y, to y."""
    upward: bool = False
    label: TextBlock | None = None


@dataclass(slots=True)
class Picture:
    """Boxes and lines in a frame of their own."""

    width: float = 0
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def move(self, right: float, down: float) -> None:
        """Move everything."""
        for box in self.boxes:
            box.move(right, down)
        for line in self.lines:
            line.parts = [(x + right, top + down, end + down) for x, top, end in line.parts]
            if line.label:
                line.label.x, line.label.y = line.label.x + right, line.label.y + down


def layout(drawing: Drawing) -> Picture:
    """Return everything in its place, the upper left corner at 0, 0."""
    leaving: dict[str, list[Edge]] = {START: []}
    for edge in drawing.edges:
        leaving.setdefault(edge.start, []).append(edge)
    boxes = {START: Box(None, ["Start"], *_MARK), **_boxes(drawing.nodes, leaving)}
    if any(edge.end == END for edge in drawing.edges):
        boxes[END] = Box(None, ["End"], *_MARK)
    return _picture(boxes, leaving)


def _picture(boxes: Mapping[str, Box], leaving: Mapping[str, list[Edge]]) -> Picture:
    """Return boxes between which transitions are possible, in their places, and the lines."""
    edges = [edge for name in boxes for edge in leaving.get(name, ())]
    loops = [edge for edge in edges if edge.start == edge.end]
    for edge in loops:
        # Their labels stand beside the box, one below the other.
        number = sum(one.start == edge.start for one in loops)
        boxes[edge.start].height = max(boxes[edge.start].height, number * 2 * SMALL_LINE)
    labels = {e: wrapped(e.brief, _LABEL_ROOM, SMALL) for e in edges if e.label}
    cells = {
        name: Cell(box.width + 2 * _reach(name, loops, labels), box.height, is_box=True)
        for name, box in boxes.items()
    }
    rooms = {e: (_label_width(e, labels), len(text) * SMALL_LINE) for e, text in labels.items()}
    rows, routes = layered(cells, [edge for edge in edges if edge not in loops], rooms)
    picture = Picture(*place(rows, routes), list(boxes.values()))
    for name, box in boxes.items():
        cell = cells[name]
        box.move(cell.x - box.width / 2, (cell.top + cell.bottom - box.height) / 2)
    ports = _ports(routes, {cells[name]: box for name, box in boxes.items()})
    picture.lines = [_line(route, ports, labels) for route in routes]
    picture.lines += _loops(loops, boxes, labels)
    return picture


# Boxes -------------------------------------------------------------------------------------------


def _boxes(nodes: Sequence[Node], leaving: Mapping[str, list[Edge]]) -> dict[str, Box]:
    return {node.id: _box(node, leaving) for node in nodes}


def _box(node: Node, leaving: Mapping[str, list[Edge]]) -> Box:
    if node.scopes:
        return _frame(node, [_picture(_boxes(s, leaving), leaving) for s in node.scopes])
    name = wrapped(node.title, _ROOM, NAME)
    beside = width(node.type, SMALL) + len(node.retriers) * LINE
    room = max(_widest(name, NAME), beside) + 2 * _PADDING
    return Box(node, name, max(110, round(room)), len(name) * LINE + SMALL_LINE + 14)


def _frame(node: Node, inside: Sequence[Picture]) -> Box:
    """Return a Parallel or Map around its branches, which stand side by side."""
    whole = Picture(height=max(one.height for one in inside))
    for one in inside:
        one.move(whole.width, 0)
        whole.boxes += one.boxes
        whole.lines += one.lines
        whole.width += one.width + _BETWEEN
    whole.width -= _BETWEEN
    name = wrapped(node.title, max(whole.width, 2 * _ROOM), NAME, most=1)
    head = _widest(name, NAME) + len(node.retriers) * LINE
    room = round(max(whole.width, head) + 2 * _PADDING)
    whole.move((room - whole.width) / 2, HEAD)
    return Box(node, name, room, HEAD + whole.height + _PADDING, whole)


def _widest(lines: Iterable[str], size: float) -> int:
    return round(max(width(line, size) for line in lines))


# Lines -------------------------------------------------------------------------------------------


def _ports(routes: Sequence[Route], boxes: Mapping[Cell, Box]) -> dict[tuple[Route, bool], float]:
    """Return where each route leaves its upper box (True) and reaches its lower one (False)."""
    ports: dict[tuple[Route, bool], float] = {}
    for cell, box in boxes.items():
        below = sorted((r for r in routes if r.cells[0] is cell), key=lambda r: r.cells[1].x)
        for route, x in zip(below, _spread(box, [r.cells[1].x for r in below]), strict=True):
            ports[route, True] = x
    for cell, box in boxes.items():
        above = sorted((r for r in routes if r.cells[-1] is cell), key=lambda r: r.cells[-2].x)
        near = [ports[r, True] if r.cells[-2].is_box else r.cells[-2].x for r in above]
        for route, x in zip(above, _spread(box, near), strict=True):
            ports[route, False] = x
    return ports


def _spread(box: Box, wanted: Sequence[float]) -> list[float]:
    """Return positions at a side of a box, each as near as can be to where it is wanted."""
    middle = box.x + box.width / 2
    if box.node is None:
        return [middle] * len(wanted)
    room = box.width / 2 - (box.height / 2 if box.node.type in ROUND else _CORNER)
    step = min(_PORTS, 2 * room / max(1, len(wanted) - 1))
    offsets = [index * step for index in range(len(wanted))]
    least, most = middle - room, middle + room - sum(offsets[-1:])
    inside = [o + min(max(x - o, least), most) for x, o in zip(wanted, offsets, strict=True)]
    return [round(x) for x in nearest(inside, offsets, [1] * len(inside))]


def _line(
    route: Route, ports: Mapping[tuple[Route, bool], float], labels: Mapping[Edge, list[str]]
) -> Line:
    upper, *passed, lower = route.cells
    parts = [
        (ports[route, True], (upper.top + upper.bottom + upper.height) / 2, upper.bottom),
        *((cell.x, cell.top, cell.bottom) for cell in passed),
        (ports[route, False], lower.top, (lower.top + lower.bottom - lower.height) / 2),
    ]
    label = None
    if cell := route.label:
        label = TextBlock(labels[route.edge], cell.x, (cell.top + cell.bottom - cell.height) / 2)
    return Line(route.edge, parts, route.upward, label)


def _loops(
    loops: Sequence[Edge], boxes: Mapping[str, Box], labels: Mapping[Edge, list[str]]
) -> Iterator[Line]:
    """Yield transitions to the same state, one around the other at the right of it."""
    seen: list[str] = []
    for edge in loops:
        box, number = boxes[edge.start], seen.count(edge.start)
        seen.append(edge.start)
        right, middle, far = box.x + box.width, box.y + box.height / 2, 7 + 5 * number
        label = None
        if edge in labels:
            centre = right + _LOOP + _label_width(edge, labels) / 2
            label = TextBlock(labels[edge], centre, box.y + number * 2 * SMALL_LINE)
        yield Line(edge, [(right, middle - far, middle + far)], label=label)


def _reach(name: str, loops: Sequence[Edge], labels: Mapping[Edge, list[str]]) -> float:
    """Return how far the loops of a box stand out of it."""
    own = [_LOOP + _label_width(edge, labels) for edge in loops if edge.start == name]
    return max(own, default=0)


def _label_width(edge: Edge, labels: Mapping[Edge, list[str]]) -> float:
    return _widest(labels[edge], SMALL) + 8 if edge in labels else 0


# Texts ------------------------------------------------------------------------------------------

# The widths are those of DejaVu Sans, the widest of the fonts that `sans-serif` is likely to be, so
# that what fits here fits everywhere.


def width(text: str, size: float) -> float:
    """Return the pixels of a line in a font of this size, at the most."""
    return sum(map(_width, text)) * size / 100


def _width(character: str) -> int:
    """Return hundredths of an em: whole numbers add up to the same everywhere."""
    wide = 1.1 if east_asian_width(character) in "WF" else 0.9
    return round(_EMS.get(character, wide) * 100)


def wrapped(text: str, room: float, size: float, most: int = 2) -> list[str]:
    """Return the lines of a text: no wider than `room`, at most `most`; `…` ends what was cut."""
    lines = [""]
    for piece in _pieces(text, room, size):
        if width((lines[-1] + piece).strip(), size) <= room:
            lines[-1] += piece
        else:
            lines.append(piece)
    lines = [line.strip() for line in lines]
    return lines if len(lines) <= most else [*lines[: most - 1], _cut(lines[most - 1], room, size)]


def _pieces(text: str, room: float, size: float) -> Iterator[str]:
    """Yield words and humps of names, those cut that are too long for a line."""
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
    """Return as much of the text as there is room for, a character at least."""
    length = len(text)
    while length > 1 and width(text[:length].strip(), size) > room:
        length -= 1
    return text[:length]
