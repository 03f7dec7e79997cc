"""Changes of a text between two offsets, written as the text around them is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .machines import Machine
from .text_tree import Node


@dataclass(frozen=True, slots=True)
class Edit:
    """A text to put between two offsets."""

    start: int
    end: int
    text: str


def applied(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits that do not overlap."""
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def added_member(text: str, machine: Machine, node: Node, name: str, value: Any) -> Edit:
    """Return the edit that adds a member behind an object's last one, laid out as that is."""
    last = node.members[-1]
    end = last.value.end if last.value else last.end
    at = len(text[:end].rstrip())
    start = text.rfind("\n", 0, last.start) + 1
    margin = text[start : last.start]
    if machine.yaml:
        return Edit(at, at, "".join(f"\n{line}" for line in _yaml_lines(name, value, len(margin))))
    own_line = not margin.strip()
    written = json.dumps(value, indent=2 if own_line else None, ensure_ascii=False)
    line = f"\n{margin}"
    written = written.replace("\n", line)
    return Edit(at, at, f',{line if own_line else " "}"{name}": {written}')


def _yaml_lines(name: str, value: Any, indent: int) -> list[str]:
    import yaml

    written = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=100)
    return [" " * indent + line for line in written.rstrip("\n").split("\n")]
