"""JSON text laid out anew; numbers and escapes stay as they are written."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from doorstep.definitions.yaml_text import compose

if TYPE_CHECKING:
    from yaml.nodes import Node

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_BLANKS = re.compile(r"[ \t]+(?=\r?$)", re.MULTILINE)


def json_layout(text: str, indent: str = "  ") -> str:
    """Return a JSON text with a member or item a line; `indent` stands once a level.

    The text has to be JSON. Only blanks between its tokens change.
    """
    written: list[str] = []
    level = 0
    tokens = _TOKEN.findall(text)
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else ""
        if token in "}]":
            level -= 1
            written.append(token if before in ("{", "[") else f"\n{indent * level}{token}")
            continue
        if before in ("{", "[", ","):
            written.append(f"\n{indent * level}")
        written.append(f"{token} " if token == ":" else token)
        level += token in "{["
    return f"{''.join(written)}\n".replace("\n", _ending(text))


def yaml_layout(text: str) -> str:
    """Return a YAML text without blanks at the ends of lines, and with one line break at its end.

    Its layout carries meaning and comments: more is not changed. Neither are the lines of texts,
    where blanks belong to the value. Raises YAMLProblem.
    """
    root = compose(text)
    spans = _texts(root) if root is not None else []

    def inside(at: int) -> bool:
        before = bisect_right(spans, at, key=lambda span: span[0])
        return before > 0 and at < spans[before - 1][1]

    laid = _BLANKS.sub(lambda blanks: blanks[0] if inside(blanks.start()) else "", text)
    return laid if inside(len(text) - 1) else laid.rstrip("\r\n") + _ending(text)


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _texts(node: Node) -> list[tuple[int, int]]:
    """Return where the scalars stand, each once, in their order."""
    spans, waiting, seen = set[tuple[int, int]](), [node], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one.value, str):
            spans.add((one.start_mark.index, one.end_mark.index))
        else:
            for inner in one.value:
                waiting += inner if isinstance(inner, tuple) else [inner]
    return sorted(spans)
