"""JSON text laid out anew; numbers and escapes stay as they are written."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_BLANKS = re.compile(r"[ \t]+$", re.MULTILINE)


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
    return "".join(written) + "\n"


def yaml_layout(text: str) -> str:
    """Return a YAML text without blanks at the ends of lines, and with a line break at its end.

    Its layout carries meaning and comments: more is not changed.
    """
    return _BLANKS.sub("", text).rstrip("\n") + "\n"
