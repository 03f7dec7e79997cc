"""JSON and YAML text as a tree that knows where everything stands, however broken the text is.

What can't be read is passed over: a missing comma, a name without a value, a bracket that nobody
closed. So completion works in the middle of a line, where no parser accepts the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from doorstep.definitions import yaml_text
from doorstep.definitions.documents import MAX_DEPTH

if TYPE_CHECKING:
    from yaml.nodes import Node as YAMLNode

_TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"?|//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)|[{}\[\],:]|[^\s{}\[\],:"]+'
)
_COMMENT = ("//", "/*")
_WORD = re.compile(r"^(\s*(?:- +)*)([\w.$-]*)$")
_UNCLOSED = re.compile(r"""\s*(?:- +)*(?:[\w.$-]+: +)?(?:(")(?:[^"\\]|\\.)*|'(?:[^']|'')*)$""")
_UNQUOTED = re.compile(r"^( *(?:- +)*(?:[\w.$-]+: +)?)\{(%[^\r\n]*)[^\r\n]", re.MULTILINE)
_TAG = re.compile(r"!\S*[ \t]*")
_BLOCK = re.compile(r"[|>][^\n]*\n")
_MOST_REPAIRS = 10
"""Lines of a YAML text that are passed over before it is given up."""


@dataclass(slots=True)
class Member:
    """A name with its value; `start` and `end` are those of the name as it is written."""

    name: str
    start: int
    end: int
    value: Node | None = None


@dataclass(slots=True)
class Node:
    """A value between two offsets of the text. Of a scalar, `value` is what it stands for."""

    kind: Literal["object", "array", "scalar"]
    start: int
    end: int
    value: Any = None
    members: list[Member] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    quote: str = ""
    """How a scalar is written: `"`, `'`, `|`, `>`, or plain."""
    merged: list[Node] = field(default_factory=list)
    """The objects that stand elsewhere in YAML, and are named here by an alias or a merge key."""

    def own(self, name: str) -> Node | None:
        """Return the value of a member written here; of two with one name the last, as read."""
        return next((one.value for one in reversed(self.members) if one.name == name), None)

    def get(self, name: str) -> Node | None:
        """Return the value of a member, wherever it is written."""
        if self.merged and all(one.name != name for one in self.members):
            return next((found for one in self.merged if (found := one.get(name))), None)
        return self.own(name)

    def text(self, name: str) -> str | None:
        """Return the value of a member that is a text."""
        value = self.get(name)
        return value.value if value is not None and isinstance(value.value, str) else None

    def objects(self) -> Iterator[Member]:
        """Yield the members whose values are objects."""
        yield from (one for one in self.members if one.value and one.value.kind == "object")

    def plain(self) -> Any:
        """Return the value as `json.loads` would have it, what is missing as None."""
        if self.kind == "object":
            return {one.name: one.value.plain() if one.value else None for one in self.members}
        return [one.plain() for one in self.items] if self.kind == "array" else self.value


# JSON --------------------------------------------------------------------------------------------


def json_tree(text: str, start: int = 0, end: int | None = None) -> Node | None:
    """Return the tree of the JSON between two offsets of a text; None where there is nothing."""
    tokens = _TOKEN.finditer(text, start, len(text) if end is None else end)
    return _JSONReader([one for one in tokens if not one[0].startswith(_COMMENT)]).value(0)


def comments(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the comments stand between two offsets, which JSON does not have."""
    tokens = _TOKEN.finditer(text, start, end)
    return (one.span() for one in tokens if one[0].startswith(_COMMENT))


class _JSONReader:
    """Goes through the tokens once; a token that fits nowhere is passed over."""

    def __init__(self, tokens: list[re.Match[str]]) -> None:
        self.tokens, self.at = tokens, 0
        self.words = [*(one[0] for one in tokens), "", ""]

    def peek(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead]

    def end(self) -> int:
        """Return where the token before ends."""
        return self.tokens[self.at - 1].end() if self.at else 0

    def value(self, depth: int) -> Node | None:
        token = self.peek()
        if not token or token in "}],:" or depth > MAX_DEPTH:
            return None
        start = self.tokens[self.at].start()
        self.at += 1
        match token:
            case "{":
                return self.object(Node("object", start, start), depth)
            case "[":
                return self.array(Node("array", start, start), depth)
        return Node("scalar", start, self.end(), _scalar(token), quote='"' * (token[0] == '"'))

    def object(self, node: Node, depth: int) -> Node:
        while (token := self.peek()) not in ("", "}", "]"):
            named = self.tokens[self.at]
            self.at += 1
            if token in ",:{[":
                continue
            name = _scalar(token) if token[0] == '"' else token
            member = Member(str(name), named.start(), named.end())
            if self.peek() == ":":
                self.at += 1
                # A name on the next line is the next member's: this one has no value yet.
                if not (self.peek()[:1] == '"' and self.peek(1) == ":"):
                    member.value = self.value(depth + 1)
            node.members.append(member)
        return self.closed(node, "}")

    def array(self, node: Node, depth: int) -> Node:
        while (token := self.peek()) not in ("", "}", "]"):
            item = self.value(depth + 1)
            if item is None:
                self.at += 1
            else:
                node.items.append(item)
            del token
        return self.closed(node, "]")

    def closed(self, node: Node, bracket: str) -> Node:
        if self.peek() == bracket:
            self.at += 1
        node.end = self.end() if self.peek() else max(self.end(), node.start)
        return node


def _scalar(token: str) -> Any:
    if token[0] == '"' == token[-1] and len(token) > 1 and "\\" not in token:
        return token[1:-1]
    try:
        return json.loads(token)
    except ValueError:
        return token.strip('"')


# YAML --------------------------------------------------------------------------------------------


def yaml_tree(
    text: str, cursor: int | None = None, *, whole: str = "", places: Sequence[int] = ()
) -> Node | None:
    """Return the tree of a YAML text; None where nothing can be read.

    `whole`: the text in which it stands, and `places` where its characters and its end do.

    A word that is being typed at the cursor counts as a member's name, a quotation mark in its
    line as closed, and JSONata without quotation marks as if it had them. Lines that can't be read
    are left out, such as one with a bracket that is not closed.
    """
    if cursor is not None:
        text = _with_member(text, cursor)
    for _ in range(_MOST_REPAIRS):
        try:
            node = yaml_text.compose(text)
        except yaml_text.YAMLProblem as problem:
            quoted = _UNQUOTED.sub(_quoted, text)
            same = quoted == text
            text = _without_line(text, problem.opened or problem.line) if same else quoted
        except RecursionError:
            return None
        else:
            places = places or range(len(text) + 1)
            return None if node is None else _of_yaml(node, whole or text, places, {}, 0)
    return None


def _with_member(text: str, cursor: int) -> str:
    start = text.rfind("\n", 0, cursor) + 1
    end = text.find("\n", cursor)
    line = text[start : end if end >= 0 else len(text)].removesuffix("\r")
    if quoted := _UNCLOSED.match(line):
        end = start + len(line)
        return text[:end] + (quoted[1] or "'") + text[end:]
    typed = _WORD.match(line[: cursor - start])
    if typed is None or not (line.strip(" -") == typed[2] or not line.strip()):
        return text
    name = typed[2] or '""'
    return f"{text[:start]}{typed[1]}{name}:{text[start + len(line) :]}"


def _quoted(match: re.Match[str]) -> str:
    """Return a line as long as it was with quotation marks for the ends of an expression."""
    inside = match[2].replace("'", '"')
    return f"{match[1]}'{inside}'"


def _without_line(text: str, line: int) -> str:
    lines = text.split("\n")
    at = min(line, len(lines)) - 1
    while at > 0 and not lines[at].strip():
        at -= 1
    lines[at] = " " * len(lines[at])
    return "\n".join(lines)


def _of_yaml(
    node: YAMLNode, text: str, places: Sequence[int], seen: dict[int, Node | None], depth: int
) -> Node:
    start, end = places[node.start_mark.index], places[node.end_mark.index]
    if isinstance(node.value, str):
        return _yaml_scalar(node, text, start, end)
    # An anchor's value stands once, however many aliases name it; what names itself has no end.
    if (anchor := seen.get(id(node))) is not None:
        return Node(anchor.kind, start, start, merged=[anchor])
    if id(node) in seen or depth > MAX_DEPTH:
        return Node("scalar", start, start)
    seen[id(node)] = None
    if not node.value or isinstance(node.value[0], tuple):
        made = Node("object", start, end)
        for key, value in node.value:
            place = places[key.start_mark.index], places[key.end_mark.index]
            inner = _of_yaml(value, text, places, seen, depth + 1)
            if inner.start < place[0]:  # an alias stands behind its name
                inner.start = inner.end = place[1]
            if key.value == "<<":
                made.merged += inner.items or [inner]
            made.members.append(Member(str(key.value), *place, inner))
    else:
        items = [_of_yaml(one, text, places, seen, depth + 1) for one in node.value]
        made = Node("array", start, end, items=items)
    seen[id(node)] = made
    return made


_TAG_VALUES = {"tag:yaml.org,2002:int": int, "tag:yaml.org,2002:float": float}


def _yaml_scalar(node: YAMLNode, text: str, start: int, end: int) -> Node:
    """Return a scalar where it stands, behind its tag, with its value as JSON has it."""
    if text.startswith("!", start) and (tagged := _TAG.match(text, start)):
        start = tagged.end()
    value: Any = node.value
    match node.tag:
        case "tag:yaml.org,2002:null":
            value = None
        case "tag:yaml.org,2002:bool":
            value = value.lower() == "true"
        case tag if tag in _TAG_VALUES:
            value = _TAG_VALUES[tag](value)
    return Node("scalar", start, end, value, quote=getattr(node, "style", None) or "")


def block(text: str, node: Node) -> tuple[int, int] | None:
    """Return where the lines of a block scalar stand; None for a scalar written otherwise."""
    head = _BLOCK.match(text, node.start) if node.quote in ("|", ">") else None
    return (head.end(), node.end) if head else None
