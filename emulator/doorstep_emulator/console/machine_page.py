"""One state machine: its graph, the lines of its definition, and what became of its executions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from statistics import median
from typing import Any

from doorstep.coverage import Coverage, MachineCoverage
from doorstep.coverage.marks import picture
from doorstep.definitions import Document, load
from doorstep.drawing import draw, svg
from doorstep.history import Visits
from doorstep.model import workflow
from doorstep.pages import drawn

from ..store.store import Row
from .reading import Read

_decoder = json.JSONDecoder()


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what became of the last executions."""
    counts = Counter(row.status for row in rows)
    took = [row.stopped - row.started for row in rows if row.stopped and row.status == "SUCCEEDED"]
    return {
        "running": counts["RUNNING"],
        "succeeded": counts["SUCCEEDED"],
        "failed": len(rows) - counts["RUNNING"] - counts["SUCCEEDED"],
        "last": rows[0] if rows else None,
        "median": median(took) if took else None,
    }


def pictured(machine: Mapping[str, Any], reads: Sequence[Read]) -> dict[str, Any]:
    """Return the graph of a definition, and its lines; with executions what they used of it."""
    document = load(machine["definition"])
    if "\n" not in document.text:
        document = load(document.definition)
    covered = MachineCoverage(machine["name"], None, document, Coverage(document.definition))
    for read in reads:
        covered.coverage.add(Visits(read.entries))
    if reads:
        picture_lines = picture(covered, "line-", style=False)
    else:
        picture_lines = svg(draw(workflow(document.definition), machine["name"]), style=False)
    return {"graph": drawn(picture_lines), "lines": lines_of(document)}


def lines_of(document: Document) -> list[tuple[int, str, str]]:
    """Return (number, text, JSON Pointer of the innermost state or "") for each line."""
    texts = document.text.split("\n")
    owners = [""] * (len(texts) + 1)
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    # Outer states come first, and inner ones take their lines over.
    for state in workflow(document.definition).scope.walk():
        for line in _lines(document, starts, state.pointer):
            owners[line] = state.pointer
    return [(number, text, owners[number]) for number, text in enumerate(texts, 1)]


def _lines(document: Document, starts: Sequence[int], pointer: str) -> Iterator[int]:
    """Yield the lines of a state; `starts`: where each line begins in the text."""
    first, column = document.locate(pointer)
    start = starts[first - 1] + column - 1
    try:
        _, named = _decoder.raw_decode(document.text, start)
        _, end = _decoder.raw_decode(document.text, document.text.index("{", named))
    except ValueError:
        return
    yield from range(first, first + document.text.count("\n", start, end) + 1)
