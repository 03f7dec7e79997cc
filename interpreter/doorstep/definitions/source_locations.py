"""From a pointer into a definition to line and column of the user's file.

Pointers are AWS's (`/States/Fan out/Branches[0]/StartAt`, names unescaped) or RFC 6901's
(`/States/Fan out/Branches/0/StartAt`). A name may hold `/` and `[`, so that a pointer is matched
against what stands in the text, longest member name first. What is not there (a missing field)
points at the nearest object that is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ..model import escape
from ..values.json_problem import line_column
from .yaml_text import compose

if TYPE_CHECKING:
    from yaml.nodes import Node

_DECODER = json.JSONDecoder()
_ENDS = re.compile(r"[/\[]")
_SPACE = re.compile(r"[\s,:]*")
MAX_WIDTH = 200
"""Characters of a line, or of a file's name, that are printed."""
_Children = Iterator[tuple[str | int, "_Spot"]]
"""Members by name, or items by index."""


@dataclass(frozen=True, slots=True)
class _JSON:
    """A value in a JSON text, by the offsets of its key and of itself."""

    text: str
    key: int
    start: int

    @property
    def at(self) -> int:
        """An object's or array's offset is its key's, a scalar's is its own."""
        container = self.text[self.start : self.start + 1] in ("{", "[")
        return self.key if container else self.start

    def children(self) -> _Children:
        match self.text[self.start : self.start + 1]:
            case "{":
                return self._members()
            case "[":
                return self._items()
        return iter(())

    def _members(self) -> _Children:
        at = _skip(self.text, self.start + 1)
        while self.text[at] != "}":
            name, end = _DECODER.raw_decode(self.text, at)
            value = _skip(self.text, end)
            yield name, _JSON(self.text, at, value)
            at = _skip(self.text, _DECODER.raw_decode(self.text, value)[1])

    def _items(self) -> _Children:
        at, index = _skip(self.text, self.start + 1), 0
        while self.text[at] != "]":
            yield index, _JSON(self.text, at, at)
            at, index = _skip(self.text, _DECODER.raw_decode(self.text, at)[1]), index + 1


@dataclass(frozen=True, slots=True)
class _YAML:
    """A value in a YAML text, by its key's offset and its node."""

    key: int
    node: Node

    @property
    def at(self) -> int:
        """As for JSON."""
        scalar = isinstance(self.node.value, str)
        return self.node.start_mark.index if scalar else self.key

    def children(self) -> _Children:
        if isinstance(self.node.value, str):
            return
        for index, child in enumerate(self.node.value):
            if isinstance(child, tuple):
                key, value = child
                yield str(key.value), _YAML(key.start_mark.index, value)
            else:
                yield index, _YAML(child.start_mark.index, child)


_Spot = _JSON | _YAML


def locate(text: str, pointer: str, *, yaml: bool, name: bool = False) -> tuple[int, int]:
    """Return line and column (from 1) of what a pointer names in a text that was read before.

    `name`: of the member's name, rather than of its value.
    """
    return line_column(text, offset(text, pointer, yaml=yaml, name=name))


def offset(text: str, pointer: str, *, yaml: bool, name: bool = False) -> int:
    """Return where it begins that a pointer names, as `locate` does."""
    spot = _root(text, yaml=yaml)
    at, rest = 0, pointer.rstrip("/")
    while spot is not None:
        at = spot.key if name else spot.at
        spot, rest = _step(spot, rest) if rest else (None, "")
    return at


def _root(text: str, *, yaml: bool) -> _Spot | None:
    if not yaml:
        start = _skip(text, 0)
        return _JSON(text, start, start)
    node = compose(text)
    return None if node is None else _YAML(node.start_mark.index, node)


def _step(spot: _Spot, rest: str) -> tuple[_Spot | None, str]:
    """Return the child with which the pointer continues; of duplicate members the last, as read."""
    children = _by_name(spot)
    ends = [len(rest), *(mark.start() for mark in reversed([*_ENDS.finditer(rest, 1)]))]
    for end in ends:
        if child := children.get(rest[:end]):
            return child, rest[end:]
    return None, ""


# Thousands of diagnostics may lie beneath one value.
@lru_cache(maxsize=1024)
def _by_name(spot: _Spot) -> dict[str, _Spot]:
    return {written: child for name, child in spot.children() for written in _written(name)}


def _written(name: str | int) -> tuple[str, ...]:
    if isinstance(name, int):
        return (f"[{name}]", f"/{name}")
    return (f"/{name}", f"/{escape(name)}")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


# What is printed of the text ---------------------------------------------------------------------


def excerpt(text: str, line: int, column: int) -> str:
    """Return one line of a text with a caret under one of its columns."""
    lines = text.split("\n")
    text_line = lines[min(line, len(lines)) - 1].rstrip("\r")
    margin = "".join("\t" if char == "\t" else " " for char in text_line[: column - 1])
    return f"{text_line}\n{margin}^"


def window(excerpt: str) -> list[str]:
    """Return the lines of an excerpt; where its line is long, what is around the caret."""
    line, _, caret = excerpt.rpartition("\n")
    if len(line) <= MAX_WIDTH:
        return excerpt.splitlines()
    first = max(0, len(caret) - MAX_WIDTH // 2)
    left, right = "…" * (first > 0), "…" * (first + MAX_WIDTH < len(line))
    return [f"{left}{line[first : first + MAX_WIDTH]}{right}", f"{' ' * len(left)}{caret[first:]}"]
