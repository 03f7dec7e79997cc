"""Changes of a text between two offsets, written as the text around them is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .machines import Machine
from .text_tree import Member, Node

_FLOW = re.compile(r"(?:[&!]\S*\s+)*[{\[]")


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
    """Return the edit that adds a member behind an object's last one, laid out as that is.

    A comment behind the last member stays where it is, and so does one above what follows.
    """
    last = node.members[-1]
    start = text.rfind("\n", 0, last.start) + 1
    margin = text[start : last.start]
    if machine.yaml and not _is_flow(text, node):
        at = _end_of_line(text, _end_of(text, last))
        indent = len(margin) - len(margin.lstrip())
        return Edit(at, at, "".join(f"\n{line}" for line in _yaml_lines(name, value, indent)))
    at = len(text[: last.value.end if last.value else last.end].rstrip())
    commented = "#" in text[at : _end_of_line(text, at)]
    own_line = not margin.strip() and not (machine.yaml and commented)
    indent_by = "\t" if "\t" in margin else 2
    written = json.dumps(value, indent=indent_by if own_line else None, ensure_ascii=False)
    line = f"\n{margin}"
    written = written.replace("\n", line)
    return Edit(at, at, f',{line if own_line else " "}"{name}": {written}')


def _is_flow(text: str, node: Node) -> bool:
    """Return whether a value of YAML is written with brackets, behind its anchor and tag."""
    return _FLOW.match(text, node.start) is not None


def _end_of(text: str, member: Member) -> int:
    """Return where the last thing of a member of YAML ends; behind it may be a comment.

    A block ends for the parser where the next thing begins, behind the comments above that.
    """
    value = member.value
    if value is None or value.end <= member.end:
        return member.end  # Nothing, or an alias, whose node is the anchor's.
    if value.members and not _is_flow(text, value):
        return _end_of(text, value.members[-1])
    if value.items and not _is_flow(text, value) and value.items[-1].start >= value.start:
        last = value.items[-1]
        return _end_of(text, Member("", last.start, last.start, last))
    return len(text[: value.end].rstrip())


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return end if end >= 0 else len(text)


def _yaml_lines(name: str, value: Any, indent: int) -> list[str]:
    import yaml

    written = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=100)
    return [" " * indent + line for line in written.rstrip("\n").split("\n")]
