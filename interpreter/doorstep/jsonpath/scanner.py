"""Reading an expression of the Amazon States Language character by character."""

from __future__ import annotations

from ..errors import DoorstepError

BLANK = " \t\r\n"


class ExpressionSyntaxError(DoorstepError):
    """An expression that AWS refuses when a definition is created.

    ``reason`` says what is wrong, ``position`` (from 0) where in ``text``; ``str()`` adds a caret.
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        super().__init__(reason, text, position)

    def __str__(self) -> str:
        shown = self.text.translate(dict.fromkeys(map(ord, BLANK), " "))
        return f"{self.reason}\n  {shown}\n  {' ' * self.position}^"


class Scanner:
    """A text and how far it is read. Refusals are raised as ``refusal``, pointing into ``text``."""

    __slots__ = ("position", "refusal", "text")

    def __init__(self, text: str, refusal: type[ExpressionSyntaxError], position: int = 0) -> None:
        self.text = text
        self.refusal = refusal
        self.position = position

    def refused(self, reason: str, position: int | None = None) -> ExpressionSyntaxError:
        """The refusal to raise, pointing at what comes next unless a position is given."""
        return self.refusal(reason, self.text, self.position if position is None else position)

    @property
    def ended(self) -> bool:
        return self.position >= len(self.text)

    def at(self, *tokens: str) -> bool:
        """Whether one of the tokens comes next."""
        return self.text.startswith(tokens, self.position)

    def take(self, token: str) -> bool:
        """Read the token if it comes next."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def expect(self, token: str, reason: str) -> None:
        if not self.take(token):
            raise self.refused(reason)

    def skip_blanks(self) -> None:
        while not self.ended and self.text[self.position] in BLANK:
            self.position += 1

    def until(self, stops: str) -> str:
        """Read up to one of the stop characters, or to the end."""
        start = self.position
        while not self.ended and self.text[self.position] not in stops:
            self.position += 1
        return self.text[start : self.position]

    def quoted(self, closed_by: str, unclosed: str) -> str:
        """Read to an unescaped ``closed_by``, and over it; escapes are kept as written."""
        start = self.position
        while not self.ended:
            character = self.text[self.position]
            if character == closed_by:
                self.position += 1
                return self.text[start : self.position - 1]
            self.position += 2 if character == "\\" else 1
        raise self.refused(unclosed, start - 1)
