"""Text to tokens, one at a time: only the parser knows whether ``/`` divides or opens a regex."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from .errors import JSONataError
from .values import join_pairs

TokenKind = Literal["name", "variable", "operator", "string", "number", "value", "regex", "end"]

_STOPS = r" \t\n\r\v.\[\]{}(),@\#;:?+\-*/%|=<>^&!~"
_TOKEN = re.compile(
    rf"""[ \t\n\r\v]*(?:
        (?P<name>[^{_STOPS}"'`0-9][^{_STOPS}]*)
      | (?P<operator>/(?!\*)|\.\.|:=|!=|>=|<=|\*\*|~>|[.\[\]{{}}(),@\#;:?+\-*%|=<>^&!~])
      | (?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?)
      | (?P<string>"[^"\\]*"|'[^'\\]*')
      | (?P<escaped>["'])
      | (?P<quoted>`)
      | (?P<comment>/\*)
      )""",
    re.VERBOSE,
)
_ESCAPES: Final = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))
_VALUES: Final = {"true": True, "false": False, "null": None}
_HEX = re.compile(r"[0-9a-fA-F]{4}")


@dataclass(slots=True)
class Token:
    """``position`` is the offset just behind the token, as jsonata-js counts.

    A regular expression's ``value`` is its pattern and its flags, ``i`` and ``m``.
    """

    kind: TokenKind
    value: Any
    position: int


POWERS: Final = {
    **dict.fromkeys(("[", "(", "@", "#"), 80),
    ".": 75,
    "{": 70,
    **dict.fromkeys(("*", "/", "%"), 60),
    **dict.fromkeys(("+", "-", "&"), 50),
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "^", "~>", "in"), 40),
    "and": 30,
    "or": 25,
    "?": 20,
    ":=": 10,
}
"""How strongly an infix operator binds; what is not here ends an expression."""


class Lexer:
    """Reads one expression from left to right: ``token`` is the one looked at."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.problem: JSONataError | None = None
        self.token = Token("end", "(end)", 0)

    def advance(self, expected: str | None = None, *, infix: bool = False) -> None:
        """Continue with the next token; S0202 or S0203 if the one left isn't the expected one."""
        token = self.token
        if expected is not None and not (token.kind == "operator" and token.value == expected):
            code = "S0203" if token.kind == "end" else "S0202"
            raise JSONataError(code, token.position, token_text(token), value=expected)
        self.token = self._next(infix=infix)
        if self.token.kind == "operator" and self.token.value in ("!", "~"):
            raise JSONataError("S0204", self.token.position, self.token.value)

    def defer(self, problem: JSONataError) -> None:
        """Note a fault of meaning: it counts only if the whole is well formed."""
        self.problem = self.problem or problem

    def at(self, operator: str) -> bool:
        """Return whether the token is that operator."""
        return self.token.kind == "operator" and self.token.value == operator

    def _next(self, *, infix: bool) -> Token:
        """Return the next token; behind an operand (``infix``) a slash divides."""
        match = _TOKEN.match(self.source, self.position)
        while match is not None and match.lastgroup == "comment":
            self._skip_comment(match.end())
            match = _TOKEN.match(self.source, self.position)
        if match is None:
            return Token("end", "(end)", len(self.source))
        kind = match.lastgroup
        text = match[kind or 0]
        self.position = match.end()
        if kind == "operator":
            if text == "/" and not infix:
                return self._regex(self.position)
            return Token("operator", text, self.position)
        if kind == "name":
            return self._name(text)
        if kind == "string":
            return Token("string", text[1:-1], self.position)
        if kind == "number":
            return self._number(text)
        if kind == "quoted":
            return self._quoted_name()
        return self._escaped_string(text)

    def _skip_comment(self, start: int) -> None:
        end = self.source.find("*/", start)
        if end < 0:
            raise JSONataError("S0106", start - 2)
        self.position = end + 2

    def _name(self, text: str) -> Token:
        if text[0] == "$":
            return Token("variable", text[1:], self.position)
        if text in ("and", "or", "in"):
            return Token("operator", text, self.position)
        if text in _VALUES:
            return Token("value", _VALUES[text], self.position)
        return Token("name", text, self.position)

    def _number(self, text: str) -> Token:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise JSONataError("S0102", self.position - len(text), text)
        return Token("number", value, self.position)

    def _quoted_name(self) -> Token:
        end = self.source.find("`", self.position)
        if end < 0:
            raise JSONataError("S0105", len(self.source))
        text = self.source[self.position : end]
        self.position = end + 1
        return Token("name", text, self.position)

    def _escaped_string(self, quote: str) -> Token:
        source, at, parts = self.source, self.position, []
        plain = re.compile(rf"[^{quote}\\]*")
        while True:
            match = plain.match(source, at)
            parts.append(match.group() if match else "")
            at += len(parts[-1])
            if at >= len(source):
                raise JSONataError("S0101", at)
            if source[at] == quote:
                self.position = at + 1
                return Token("string", join_pairs("".join(parts)), self.position)
            character, at = self._escape(at + 1)
            parts.append(character)

    def _escape(self, at: int) -> tuple[str, int]:
        """Return the character behind a backslash, and where its escape ends."""
        letter = self.source[at : at + 1]
        if letter in _ESCAPES:
            return _ESCAPES[letter], at + 1
        if letter != "u":
            raise JSONataError("S0103", at, letter)
        match = _HEX.match(self.source, at + 1)
        if match is None:
            raise JSONataError("S0104", at)
        return chr(int(match.group(), 16)), match.end()

    def _regex(self, start: int) -> Token:
        """Return the literal up to its closing slash; slashes in brackets don't close it."""
        source, depth = self.source, 0
        for at in range(start, len(source)):
            character, escaped = source[at], _is_escaped(source, at)
            if character == "/" and depth == 0 and not escaped:
                return self._regex_flags(source[start:at], at)
            if source[at - 1] != "\\":
                depth += (character in "([{") - (character in ")]}")
        raise JSONataError("S0302", len(source))

    def _regex_flags(self, pattern: str, at: int) -> Token:
        if not pattern:
            raise JSONataError("S0301", at)
        end = at + 1
        while self.source[end : end + 1] in ("i", "m"):
            end += 1
        self.position = end
        return Token("regex", (pattern, self.source[at + 1 : end]), end)


def _is_escaped(source: str, at: int) -> bool:
    before = source[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def token_text(token: Token) -> Any:
    """Return a token as messages show it."""
    return token.value[0] if token.kind == "regex" else token.value
