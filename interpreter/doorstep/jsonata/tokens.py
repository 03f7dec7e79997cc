"""What the parser reads from: one token looked at, the first fault found so far."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from .errors import JSONataError
from .lexer import Lexer, Token

POWERS: Final = {
    ".": 75,
    "[": 80,
    "{": 70,
    "(": 80,
    "@": 80,
    "#": 80,
    "?": 20,
    "+": 50,
    "-": 50,
    "*": 60,
    "/": 60,
    "%": 60,
    "=": 40,
    "<": 40,
    ">": 40,
    "^": 40,
    ":=": 10,
    "!=": 40,
    "<=": 40,
    ">=": 40,
    "~>": 40,
    "and": 30,
    "or": 25,
    "in": 40,
    "&": 50,
}
"""How strongly an infix operator binds; what is not here ends an expression."""


class TokenStream:
    """The tokens of one expression: ``token`` is the one looked at."""

    def __init__(self, source: str) -> None:
        self._lexer = Lexer(source)
        self.problem: JSONataError | None = None
        self.token = Token("end", "(end)", 0)

    def advance(self, expected: str | None = None, *, infix: bool = False) -> None:
        """Go on to the next token; S0202 or S0203 if the one left isn't the expected one."""
        token = self.token
        if expected is not None and not (token.kind == "operator" and token.value == expected):
            code = "S0203" if token.kind == "end" else "S0202"
            raise JSONataError(code, token.position, token_text(token), value=expected)
        self.token = self._lexer.next(infix=infix)
        if self.token.kind == "operator" and self.token.value in ("!", "~"):
            raise JSONataError("S0204", self.token.position, self.token.value)

    def defer(self, problem: JSONataError) -> None:
        """A fault of meaning: it counts only if the whole is well formed."""
        self.problem = self.problem or problem

    def at(self, operator: str) -> bool:
        """Whether the token is that operator."""
        return self.token.kind == "operator" and self.token.value == operator

    def fail_prefix(self) -> NoReturn:
        """The token can't start an expression."""
        raise JSONataError("S0211", self.token.position, token_text(self.token))


def token_text(token: Token) -> Any:
    """A token as messages show it."""
    return token.value.pattern if token.kind == "regex" else token.value
