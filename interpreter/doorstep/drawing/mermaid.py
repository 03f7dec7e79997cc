"""A drawing as a Mermaid flowchart, which GitHub and many editors show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .graph import COLOURS, END, START, Drawing, Edge, Node

_SHAPES = {
    "Choice": ("{", "}"),
    "Wait": ("([", "])"),
    "Succeed": ("([", "])"),
    "Fail": ("([", "])"),
}
_SPECIAL = re.compile(r'["#<>&`\\]')


def mermaid(drawing: Drawing) -> Iterator[str]:
    """Yield the lines of the flowchart."""
    yield "flowchart TD"
    yield f"    {START}((Start))"
    for node in drawing.nodes:
        yield from _node(node, "    ")
    if any(edge.end == END for edge in drawing.edges):
        yield f"    {END}((End))"
    yield from map(_edge, drawing.edges)
    yield from _colours(drawing)


def _node(node: Node, margin: str) -> Iterator[str]:
    if not node.inner:
        left, right = _SHAPES.get(node.type, ("[", "]"))
        yield f"{margin}{node.id}{left}{_text(node.label)}{right}"
        return
    yield f"{margin}subgraph {node.id} [{_text(node.label)}]"
    for inner in node.inner:
        yield from _node(inner, f"{margin}    ")
    yield f"{margin}end"


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.caught else "-->"
    label = f"|{_text(edge.brief)}|" if edge.label else ""
    return f"    {edge.start} {arrow}{label} {edge.end}"


def _colours(drawing: Drawing) -> Iterator[str]:
    if not drawing.legend:
        return
    yield "    subgraph legend [Legend]"
    for colour in drawing.legend:
        yield f"        legend_{_class(colour)}[{_text(colour)}]"
    yield "    end"
    for colour in drawing.legend:
        fill, stroke = COLOURS[colour]
        yield f"    classDef {_class(colour)} fill:{fill},stroke:{stroke},color:#16191f"
        ids = [node.id for node in drawing.all_nodes if node.colour == colour]
        yield f"    class {','.join([*ids, f'legend_{_class(colour)}'])} {_class(colour)}"
        marked = [(str(number), edge.mark) for number, edge in enumerate(drawing.edges)]
        if numbers := [number for number, mark in marked if mark and mark.colour == colour]:
            yield f"    linkStyle {','.join(numbers)} stroke:{stroke}"


def _class(colour: str) -> str:
    return colour.replace(" ", "_")


def _text(text: str) -> str:
    """Return a quoted text; what Mermaid or HTML takes for markup becomes a character's number."""
    return f'"{_SPECIAL.sub(lambda match: f"#{ord(match[0])};", " ".join(text.split()))}"'
