"""A drawing as DOT text, for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .graph import COLOURS, END, START, Colour, Drawing, Edge, Node

_SHAPES = {"Choice": "diamond", "Wait": "oval", "Succeed": "oval", "Fail": "oval"}


def dot(drawing: Drawing) -> Iterator[str]:
    """Yield the lines of the digraph."""
    yield f"digraph {_text(drawing.title)} {{"
    yield "    compound=true"
    yield '    node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica]'
    yield "    edge [fontname=Helvetica, fontsize=10]"
    yield f'    {START} [label="Start", shape=circle]'
    for node in drawing.nodes:
        yield from _node(node, "    ")
    if any(edge.end == END for edge in drawing.edges):
        yield f'    {END} [label="End", shape=circle]'
    nodes = {node.id: node for node in drawing.all_nodes}
    for edge in drawing.edges:
        yield f"    {_edge(edge, nodes)}"
    yield from _legend(drawing)
    yield "}"


def _node(node: Node, margin: str) -> Iterator[str]:
    if not node.inner:
        shape = f", shape={_SHAPES[node.type]}" if node.type in _SHAPES else ""
        yield f"{margin}{node.id} [label={_text(node.label)}{shape}{_colour(node.colour)}]"
        return
    yield f"{margin}subgraph cluster_{node.id} {{"
    style = f'style="rounded,filled"{_colour(node.colour)}' if node.colour else "style=rounded"
    yield f"{margin}    graph [label={_text(node.label)}, fontname=Helvetica, {style}]"
    for inner in node.inner:
        yield from _node(inner, f"{margin}    ")
    yield f"{margin}}}"


def _edge(edge: Edge, nodes: Mapping[str, Node]) -> str:
    """Return an edge; one of a frame joins a node inside and is clipped at the frame."""
    ends = [(edge.start, "ltail"), (edge.end, "lhead")]
    attributes = [
        f"{clip}=cluster_{end}" for end, clip in ends if end in nodes and nodes[end].inner
    ]
    attributes += [f"label={_text(edge.brief)}"] if edge.label else []
    attributes += ["style=dashed"] if edge.caught else []
    attributes += [f'color="{COLOURS[edge.mark.colour][1]}"'] if edge.mark else []
    start, end = (_leaf(nodes[end]) if end in nodes else end for end, _ in ends)
    return f"{start} -> {end}" + (f" [{', '.join(attributes)}]" if attributes else "")


def _leaf(node: Node) -> str:
    return _leaf(node.inner[0]) if node.inner else node.id


def _legend(drawing: Drawing) -> Iterator[str]:
    if not drawing.legend:
        return
    yield "    subgraph cluster_legend {"
    yield '        graph [label="Legend", fontname=Helvetica, style=rounded]'
    for colour in drawing.legend:
        yield f"        legend_{colour.replace(' ', '_')} [label={_text(colour)}{_colour(colour)}]"
    yield "    }"


def _colour(colour: Colour | None) -> str:
    if colour is None:
        return ""
    fill, stroke = COLOURS[colour]
    return f', fillcolor="{fill}", color="{stroke}"'


def _text(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
