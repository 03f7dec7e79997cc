"""Workflows as pictures: one model of nodes and edges, written as Mermaid, DOT or SVG.

graph    states and transitions as nodes and edges, marked by a run or by tests
layers   which box stands above which, where lines pass between them, the coordinates of both
layout   boxes within boxes, lines with their bends
svg, mermaid, dot   what is written down
"""

from __future__ import annotations

from .dot import dot
from .graph import Drawing, Mark, Marks, draw
from .mermaid import mermaid
from .svg import svg

__all__ = ["Drawing", "Mark", "Marks", "dot", "draw", "mermaid", "svg"]
