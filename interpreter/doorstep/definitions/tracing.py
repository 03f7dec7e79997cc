"""Texts that are put together in a template, each character with where it stands there.

A definition in a DefinitionString is a text inside the template's text: in a block scalar, in a
string of JSON, in `Fn::Sub`, or in the parts of `Fn::Join`. What is replaced stands where the
function or the placeholder does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import yaml_text
from .cloudformation import SUBSTITUTED, Resolver
from .substitution import Traced

if TYPE_CHECKING:
    from yaml.nodes import Node

_ESCAPES = {"x": 4, "u": 6, "U": 10}
"""Lengths of a double-quoted scalar's escapes; all others have two characters."""
_WORD = re.compile(r"[^\s\\']+")
"""What stands in a scalar as it stands in the value."""


def trace(template: str, path: Sequence[str], value: Any, resolver: Resolver) -> Traced:
    """Return the text that a member of a template comes to; `value` is the member as it was read.

    `path`: names from the template's root to the member. What can't be followed stands where the
    member does.
    """
    text = resolver.value(value)
    node = _member(template, path)
    if node is None:
        return Traced(text, [0] * len(text))
    found = _traced(node, value, template, resolver)
    return found if found.text == text else _at(node, text, template)


def _member(template: str, path: Sequence[str]) -> Node | None:
    try:
        node = yaml_text.compose(template)
    except (yaml_text.YAMLProblem, RecursionError):
        return None
    for name in path:
        members = node.value if node is not None and not isinstance(node.value, str) else ()
        node = next(
            (one[1] for one in members if isinstance(one, tuple) and one[0].value == name), None
        )
    return node


def _traced(node: Node, value: Any, template: str, resolver: Resolver) -> Traced:
    match value:
        case str():
            return _scalar(node, value, template)
        case {"Fn::Sub": [str() as text, dict() as own]}:
            return _substituted(_items(node)[0], text, own, template, resolver)
        case {"Fn::Sub": str() as text}:
            return _substituted(_argument(node), text, None, template, resolver)
        case {"Fn::Join": [separator, list() as parts]}:
            nodes = _items(_items(node)[1])
            traced = [
                _traced(inner, part, template, resolver)
                for inner, part in zip(nodes, parts, strict=True)
            ]
            return _joined(resolver.text(separator), traced)
    return _at(node, resolver.text(value), template)


def _substituted(node: Node, text: str, own: Any, template: str, resolver: Resolver) -> Traced:
    def put_in(match: re.Match[str]) -> str:
        return resolver.text({"Fn::Sub": match[0] if own is None else [match[0], own]})

    return _scalar(node, text, template).replaced(SUBSTITUTED, put_in)


def _joined(separator: str, parts: Sequence[Traced]) -> Traced:
    text, offsets = "", list[int]()
    for part in parts:
        if text and separator:
            text += separator
            offsets += [offsets[-1]] * len(separator)
        text += part.text
        offsets += part.offsets
    return Traced(text, offsets)


def _argument(node: Node) -> Node:
    """Return the argument of a function, which is written with a tag or as a mapping."""
    if isinstance(node.value, list) and node.value and isinstance(node.value[0], tuple):
        inner: Node = node.value[0][1]
        return inner
    return node


def _items(node: Node) -> list[Any]:
    """Return the items of a sequence, or of a function's argument."""
    return list(_argument(node).value)


def _at(node: Node, text: str, template: str) -> Traced:
    return Traced(text, [node.start_mark.index] * len(text))


def _scalar(node: Node, value: str, template: str) -> Traced:
    """Return a scalar with where each character stands: block, quoted or plain.

    Line breaks and indentation that YAML folds away are passed over.
    """
    start = at = node.start_mark.index
    style = getattr(node, "style", None)
    if template.startswith("!", at):
        at = re.compile(r"!\S*\s*").match(template, at).end()  # type: ignore[union-attr]
    at = template.find("\n", at) + 1 if style in ("|", ">") else at + (style in ("'", '"'))
    offsets = literal_offsets(template, at, value) if style == "|" else []
    while (done := len(offsets)) < len(value):
        at = _next(template, at, value[done], style)
        if at >= len(template):
            return Traced(value, [start] * len(value))
        run = _WORD.match(value, done)
        if run and template.startswith(run[0], at):
            offsets += range(at, at + len(run[0]))
            at += len(run[0])
        else:
            offsets.append(at)
            at += _width(template, at, style)
    return Traced(value, offsets)


def literal_offsets(template: str, at: int, value: str) -> list[int]:
    """Return where a literal block's characters stand, whose lines end where the template's do.

    `at`: where its first line begins. [] where the lines are others than those of the template.
    """
    offsets: list[int] = []
    for line in value.split("\n"):
        end = template.find("\n", at) % (len(template) + 1)
        start = end - template.startswith("\r", end - 1) - len(line)
        if not template.startswith(line, start):
            return []
        offsets += range(start, start + len(line) + 1)
        at = end + 1
    return offsets[: len(value)]


def _next(template: str, at: int, character: str, style: str | None) -> int:
    """Return where a character of the value stands, at or after a place."""
    escaped = style == '"' and template.startswith("\\", at)
    while at < len(template) and template[at].isspace() and not escaped:
        if template[at] == character or character in " \n":
            break
        at += 1
        escaped = style == '"' and template.startswith("\\", at)
    return at


def _width(template: str, at: int, style: str | None) -> int:
    if style == '"' and template[at] == "\\":
        return _ESCAPES.get(template[at + 1 : at + 2], 2)
    return 2 if style == "'" and template.startswith("''", at) else 1
