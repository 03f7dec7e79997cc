"""The lines of a definition, each with the state that it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from doorstep.definitions import Document
from doorstep.model import workflow

_decoder = json.JSONDecoder()


def lines_of(document: Document) -> list[tuple[int, str, str]]:
    """Return (number, text, JSON Pointer of the innermost state or "") for each line."""
    texts = document.text.split("\n")
    owners = [""] * (len(texts) + 1)
    # Outer states come first, and inner ones take their lines over.
    for state in workflow(document.definition).scope.walk():
        for line in _lines(document, texts, state.pointer):
            owners[line] = state.pointer
    return [(number, text, owners[number]) for number, text in enumerate(texts, 1)]


def _lines(document: Document, texts: list[str], pointer: str) -> Iterator[int]:
    first, column = document.locate(pointer)
    start = sum(len(text) + 1 for text in texts[: first - 1]) + column - 1
    try:
        _, named = _decoder.raw_decode(document.text, start)
        _, end = _decoder.raw_decode(document.text, document.text.index("{", named))
    except ValueError:
        return
    yield from range(first, first + document.text.count("\n", start, end) + 1)
